//! `cargo xtask bench --delivery`: routes with the real plugins, and the spool.
//!
//! A bench loads the plugins as a host does, from libraries, which cargo does not build for it: that is done here. What
//! the benches measured is one file of results, which the tables of docs/performance.md are made from.

pub(super) mod results;
pub(super) mod tables;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::cli::BenchOptions;
use crate::command;
use crate::workspace::Workspace;
use results::{RESULTS, Results};

/// The plugins that the routes need.
const PLUGINS: [&str; 3] = ["mfn-plugin-file", "mfn-plugin-http", "mfn-plugin-kafka"];
/// The part that is a bench of its own.
const SPOOL: &str = "spool";

/// Builds the plugins and measures the parts that are named, or all.
pub(super) fn run(workspace: &Workspace, options: &BenchOptions) -> Result<()> {
    let all = options.arguments.is_empty();
    ensure!(
        all || !options.save,
        "a part of the measurement is not saved: leave out the names of parts or --save"
    );
    let parts: Vec<&String> = options.arguments.iter().filter(|part| *part != SPOOL).collect();
    let mut results = Results::of_this_machine(options.quick)?;
    if all || !parts.is_empty() {
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--release"]);
        for plugin in PLUGINS {
            cargo.args(["--package", plugin]);
        }
        command::run(&mut cargo)?;
        results.add(&bench(workspace, "delivery", options.quick, &parts)?)?;
    }
    if all || parts.len() < options.arguments.len() {
        results.add(&bench(workspace, SPOOL, options.quick, &[])?)?;
    }
    println!("\nwhat must hold:");
    for mark in results.marks() {
        let (shown, required) = (mark.shown(), mark.required());
        println!("{:<13} {}: measured {shown}, required {required}", mark.verdict(), mark.what);
    }
    if options.save {
        let committed = workspace.join(RESULTS);
        let text = serde_json::to_string_pretty(&results)?;
        std::fs::write(&committed, text + "\n").with_context(|| format!("can not write {RESULTS}"))?;
        println!("wrote {RESULTS}");
    }
    Ok(())
}

/// Runs a bench; gives the file with what it measured.
fn bench(workspace: &Workspace, name: &str, quick: bool, arguments: &[&String]) -> Result<PathBuf> {
    let out = workspace.target_dir()?.join(format!("bench-{name}.json"));
    let mut cargo = workspace.cargo();
    // Otherwise it is chance which program's large payloads glibc takes from the system anew each time, 16 page faults for
    // one of 64 KiB, and which are in memory that it kept.
    cargo.env("MALLOC_TRIM_THRESHOLD_", "268435456");
    cargo.args(["bench", "--package", "mfn-benches", "--bench", name, "--", "--out"]).arg(&out);
    if quick {
        cargo.arg("--quick");
    }
    command::run(cargo.args(arguments))?;
    Ok(out)
}
