//! File sizes. A file that is cut by concept stays short; one that grows past the ceiling has
//! more than one concept in it.

use std::path::Path;

use anyhow::Result;

use super::Findings;
use crate::header::HEADER;
use crate::workspace::Workspace;

/// No source file is longer.
const LINES_MAX: usize = 500;
/// From here on a file is named in a warning.
const LINES_WARN: usize = 400;
/// Extensions of source files.
const SOURCES: [&str; 9] = ["c", "cpp", "go", "h", "hpp", "py", "rs", "sh", "toml"];
/// Generated text and tables of numbers: their length is not a choice. So are files that end in `_gen.go`.
const EXEMPT: [&str; 2] = [HEADER, "core/sim/src/rng/ziggurat_tables.rs"];

/// Compares the length of each source file with the ceiling.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let files = workspace.files_with_extension(&SOURCES)?;
    let mut findings = Findings::new(Vec::new(), format!("{} files, at most {LINES_MAX} lines", files.len()));
    for file in &files {
        if EXEMPT.iter().any(|exempt| file == Path::new(exempt))
            || file.to_string_lossy().ends_with("_gen.go")
        {
            continue;
        }
        let lines = workspace.read(file)?.lines().count();
        let text = format!("{} has {lines} lines", file.display());
        if lines > LINES_MAX {
            findings.faults.push(format!("{text}, more than {LINES_MAX}: cut it by concept"));
        } else if lines > LINES_WARN {
            findings.warnings.push(text);
        }
    }
    Ok(findings)
}
