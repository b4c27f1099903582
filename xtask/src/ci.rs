//! `cargo xtask ci`: everything, one stage after the other, with timings. A stage that is left
//! out because a tool is missing is a failure.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::cli::{AbiOptions, BenchOptions, CheckOptions, DemoOptions};
use crate::workspace::Workspace;
use crate::{abi, bench, check, command, demo, faults, test, tools};

/// A stage's name and what it does.
type Stage = (&'static str, fn(&Workspace) -> Result<()>);

const STAGES: [Stage; 10] = [
    ("tools", |_| tools::require(&tools::ALL)),
    ("check", |workspace| check::run(workspace, &CheckOptions { self_test: false, only: Vec::new() })),
    ("check --self-test", |workspace| {
        check::run(workspace, &CheckOptions { self_test: true, only: Vec::new() })
    }),
    ("test", test::run),
    ("abi", |workspace| abi::run(workspace, &AbiOptions::default())),
    ("abi --self-test", |workspace| {
        abi::run(workspace, &AbiOptions { self_test: true, ..AbiOptions::default() })
    }),
    ("faults", |workspace| faults::run(workspace, false, &[])),
    ("demo", run_demo),
    ("bench --gate", |workspace| {
        bench::run(workspace, &BenchOptions { gate: true, ..BenchOptions::default() })
    }),
    ("fuzz build", build_fuzz_targets),
];

/// Runs all stages, and the later ones also when an earlier one failed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let started = Instant::now();
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for (name, stage) in STAGES {
        println!("\n== {name}");
        let stage_started = Instant::now();
        let result = stage(workspace);
        let seconds = stage_started.elapsed().as_secs();
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        if let Err(error) = result {
            println!("{name} failed: {error:#}");
            failed.push(name);
        }
        lines.push(format!("{name:<18} {verdict:<6} {seconds:>5} s"));
    }
    println!("\n{}\n{:<18} {:>12} s", lines.join("\n"), "ci", started.elapsed().as_secs());
    if !failed.is_empty() {
        bail!("{} of {} stages failed: {}", failed.len(), STAGES.len(), failed.join(", "));
    }
    Ok(())
}

fn run_demo(workspace: &Workspace) -> Result<()> {
    demo::run(workspace, &DemoOptions { serve: false, config: "examples/demo.toml".into(), resume: false })
}

/// The fuzz targets are a workspace of their own; that they compile keeps them usable.
fn build_fuzz_targets(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["check", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target-dir"]);
    cargo.arg(workspace.target_dir()?.join("fuzz"));
    command::run(&mut cargo)
}
