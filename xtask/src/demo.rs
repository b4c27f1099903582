//! `cargo xtask demo`: the C example with the real library and the real plugins on
//! examples/data.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cli::DemoOptions;
use crate::command;
use crate::stage;
use crate::workspace::Workspace;

/// What a run leaves behind, and a run from scratch removes.
const LEFT_BEHIND: [&str; 2] = ["out", "state"];

/// Builds what is needed and runs the example.
pub(crate) fn run(workspace: &Workspace, options: &DemoOptions) -> Result<()> {
    // Relative to where the user stands; the build runs elsewhere.
    let config = options.config.canonicalize().or_else(|_| workspace.join(&options.config).canonicalize());
    let config = config.with_context(|| format!("no configuration {}", options.config.display()))?;
    let stage = stage::run(workspace)?;
    if !options.resume {
        for name in LEFT_BEHIND {
            let directory = stage.root.join(name);
            match std::fs::remove_dir_all(&directory) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("can not remove {}", directory.display()));
                }
                _ => {}
            }
        }
    }
    // Where the picture goes, whether or not the configuration writes anything there.
    let out = stage.root.join("out");
    std::fs::create_dir_all(&out).with_context(|| format!("can not make {}", out.display()))?;
    let mut program = Command::new(stage.program());
    program.current_dir(workspace.root());
    if options.serve {
        program.arg("--serve");
    }
    program
        .arg("--picture")
        .arg(shown(workspace, &out.join("last-field.png")))
        .arg(shown(workspace, &config));
    command::run(&mut program)
}

/// The path as one would type it in the repository.
fn shown<'a>(workspace: &Workspace, path: &'a Path) -> &'a Path {
    path.strip_prefix(workspace.root()).unwrap_or(path)
}
