//! `cargo xtask test`: every test there is. The whole-path tests run the staged demo, so that is
//! built first; the C and C++ tests need compilers and valgrind, and fail without them.

use std::time::Instant;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{command, stage, tools};

/// Builds what the tests drive and runs all of them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let started = Instant::now();
    tools::require(&tools::FOR_TESTS)?;
    stage::run(workspace)?;
    // Tests that load plugins or link libmfn take these from the target directory.
    command::run(workspace.cargo().args(["build", "--workspace"]))?;
    command::run(workspace.cargo().args(["test", "--workspace", "--quiet"]))?;
    println!("test: every test passed in {} s", started.elapsed().as_secs());
    Ok(())
}

/// Runs the criterion benches.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["bench", "--package", "mfn-benches", "--"]).args(arguments);
    command::run(&mut cargo)
}
