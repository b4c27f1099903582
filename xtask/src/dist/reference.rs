//! The reference of the C and of the C++ interface as web pages, by Doxygen from the comments of the headers. What
//! Doxygen warns of is an error: of the C header everything has a description, and no link leads nowhere. What says all
//! by its name in C++, such as `begin()`, needs none.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::discovery::VERSION;
use crate::command;
use crate::header::HEADER;
use crate::stage;
use crate::workspace::Workspace;

/// What begins a block of the C header.
const BLOCK: &str = "/* ====";

/// Writes the pages of the headers to `folder`.
pub(crate) fn write(workspace: &Workspace, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("can not make {}", folder.display()))?;
    let work = tempfile::tempdir().context("no temporary folder")?;
    let work = work.path();
    // All in one folder: Doxygen lists files by their whole paths, and the names of temporary folders are random.
    let include = work.join("include");
    stage::install_cpp(workspace, work)?;
    std::fs::write(include.join("mfn.h"), documented(&workspace.read(HEADER)?))?;
    let settings = format!(
        "PROJECT_NAME = libmfn\nPROJECT_NUMBER = {VERSION}\nINPUT = \"{}\"\nRECURSIVE = YES\n\
         FILE_PATTERNS = *.h *.hpp\nEXTENSION_MAPPING = h=C++\nSTRIP_FROM_PATH = \"{}\"\nOUTPUT_DIRECTORY = \"{}\"\nHTML_OUTPUT = .\n\
         GENERATE_LATEX = NO\nHTML_TIMESTAMP = NO\nSEARCHENGINE = NO\nHAVE_DOT = NO\nCLASS_GRAPH = NO\nSOURCE_BROWSER = NO\n\
         VERBATIM_HEADERS = NO\nEXTRACT_STATIC = YES\nHIDE_UNDOC_CLASSES = YES\nEXCLUDE_SYMBOLS = *detail*\n\
         JAVADOC_AUTOBRIEF = YES\nOPTIMIZE_OUTPUT_FOR_C = NO\nTYPEDEF_HIDES_STRUCT = YES\nMACRO_EXPANSION = YES\n\
         PREDEFINED = __cplusplus=201703L DOXYGEN=1\nSKIP_FUNCTION_MACROS = NO\nQUIET = YES\nWARNINGS = YES\n\
         WARN_IF_UNDOCUMENTED = YES\n",
        include.display(),
        include.display(),
        folder.display(),
    );
    let path = work.join("Doxyfile");
    std::fs::write(&path, settings).with_context(|| format!("can not write {}", path.display()))?;
    let output = command::output(Command::new("doxygen").arg(&path))?;
    let faults = faults(&output.text);
    ensure!(output.success && faults.is_empty(), "the reference has faults:\n{}", faults.join("\n"));
    Ok(())
}

/// What Doxygen said, without the members of C++ that need no description.
fn faults(said: &str) -> Vec<&str> {
    let is_plain = |line: &str| line.contains(".hpp:") && line.ends_with(" is not documented.");
    said.lines().filter(|line| !line.is_empty() && !is_plain(line)).collect()
}

/// The C header with its comments as Doxygen reads them: each block is a group, each comment belongs to what follows it.
fn documented(header: &str) -> String {
    let mut text = String::from(
        "/** \\file mfn.h\n * The C interface. Its blocks are the topics of this reference. */\n",
    );
    let mut blocks = 0;
    let mut lines = header.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if line.starts_with(BLOCK) {
            if blocks > 0 {
                text.push_str("/** @} */\n");
            }
            blocks += 1;
            let heading = lines.next().unwrap_or_default().trim_start_matches(" * ");
            let (title, rest) = heading.split_once(": ").unwrap_or((heading, ""));
            text.push_str(&format!("/** \\defgroup block{blocks:02} {title}\n * {}\n", capital(rest)));
            for line in lines.by_ref() {
                if line.trim() == "*/" {
                    break;
                }
                text.push_str(&format!("{}\n", escaped(line)));
            }
            text.push_str(" * @{ */\n");
        } else if let Some(comment) = trimmed.strip_prefix("// ") {
            let indent = &line[..line.len() - trimmed.len()];
            text.push_str(&format!("{indent}/// {}\n", escaped(comment)));
        } else if blocks > 0 && line == "#ifdef __cplusplus" {
            // The end of the header.
            text.push_str("/** @} */\n#ifdef __cplusplus\n");
            blocks = 0;
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// A comment without what Doxygen would take for a command or a tag.
fn escaped(comment: &str) -> String {
    comment.replace('\\', "\\\\").replace('@', "\\@").replace('<', "\\<").replace('#', "\\#")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the reading of the C header: a block becomes a group, a comment a description.
    #[test]
    fn blocks_become_groups() {
        let header = "/* =====\n * Fields: what a host lends.\n *\n * More <of> it.\n */\n\n// One. [any-thread]\nint f(void);\n#ifdef __cplusplus\n}\n#endif\n";
        let text = documented(header);
        for expected in [
            "\\defgroup block01 Fields\n * What a host lends.",
            "More \\<of> it.",
            "/// One. [any-thread]\nint f",
            "/** @} */\n#ifdef",
        ] {
            assert!(text.contains(expected), "{expected} not in\n{text}");
        }
    }

    /// Guards the reference: a description that is missing in C and a link that leads nowhere are faults.
    #[test]
    fn gaps_are_faults() {
        let said = "a/mfn.h:3: warning: Member f(void) of file mfn.h is not documented.\n\
                    mfn/x.hpp:1: warning: Member begin() of class x is not documented.\n\
                    mfn/x.hpp:9: warning: unable to resolve reference to 'y'\n";
        assert_eq!(faults(said).len(), 2);
    }
}
