//! `cargo xtask bench --delivery`: routes with the real plugins, and the spool.
//!
//! A bench loads the plugins as a host does, from libraries, which cargo does not build for it: that is done here.

use anyhow::Result;

use crate::cli::BenchOptions;
use crate::command;
use crate::workspace::Workspace;

/// The plugins that the routes need.
const PLUGINS: [&str; 3] = ["mfn-plugin-file", "mfn-plugin-http", "mfn-plugin-kafka"];
/// The part that is a bench of its own.
const SPOOL: &str = "spool";

/// Builds the plugins and measures the parts that are named, or all.
pub(super) fn run(workspace: &Workspace, options: &BenchOptions) -> Result<()> {
    let parts: Vec<&String> = options.arguments.iter().filter(|part| *part != SPOOL).collect();
    if options.arguments.is_empty() || !parts.is_empty() {
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--release"]);
        for plugin in PLUGINS {
            cargo.args(["--package", plugin]);
        }
        command::run(&mut cargo)?;
        bench(workspace, "delivery", options.quick, &parts)?;
    }
    if options.arguments.is_empty() || parts.len() < options.arguments.len() {
        bench(workspace, SPOOL, options.quick, &[])?;
    }
    Ok(())
}

fn bench(workspace: &Workspace, name: &str, quick: bool, arguments: &[&String]) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["bench", "--package", "mfn-benches", "--bench", name, "--"]);
    if quick {
        cargo.arg("--quick");
    }
    command::run(cargo.args(arguments))
}
