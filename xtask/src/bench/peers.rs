//! The measurement against peers: a Python environment with pinned versions, what is measured built for release, one
//! run of benches/peers/measure.py, and the required figures beside what was measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::marks::marks;
use super::results::{RESULTS, Results};
use crate::cli::BenchOptions;
use crate::header::HEADER;
use crate::workspace::Workspace;
use crate::{command, tools};

/// Scripts, pinned versions, and the C host whose start is timed.
const DIRECTORY: &str = "benches/peers";

/// Makes the environment, builds, measures, and prints the figures.
pub(super) fn run(workspace: &Workspace, options: &BenchOptions) -> Result<()> {
    tools::require(&[tools::CC, tools::PYTHON])?;
    let place = workspace.target_dir()?.join("peers");
    std::fs::create_dir_all(&place).with_context(|| format!("can not make {}", place.display()))?;
    let python = environment(workspace, &place)?;
    let release = build(workspace)?;
    let start = compile_start(workspace, &release, &place)?;
    let out = place.join(if options.quick { "quick.json" } else { "results.json" });
    let mut measure = Command::new(python);
    measure.current_dir(workspace.root());
    measure.arg(workspace.join(DIRECTORY).join("measure.py"));
    let files = [("--libmfn", "libmfn.so"), ("--subjects", "subjects"), ("--mfn", "mfn")];
    for (option, file) in files {
        measure.arg(option).arg(release.join(file));
    }
    measure.arg("--start").arg(start).arg("--out").arg(&out);
    if options.quick {
        measure.arg("--quick");
    }
    if !options.arguments.is_empty() {
        ensure!(!options.save, "a part of the measurement is not saved: leave out the names or --save");
        measure.arg("--only").args(&options.arguments);
    }
    command::run(&mut measure)?;
    let results = Results::read(&out)?;
    print(&results);
    println!("results: {}", out.display());
    if options.save {
        let committed = workspace.join(RESULTS);
        std::fs::create_dir_all(committed.parent().context("no directory")?)?;
        std::fs::copy(&out, &committed).with_context(|| format!("can not write {RESULTS}"))?;
        println!("wrote {RESULTS}");
    }
    Ok(())
}

/// The Python of an environment with the pinned packages. It is made anew when the pins change. A package that can not
/// be installed is left out, and the measurement says which peer is missing.
fn environment(workspace: &Workspace, place: &Path) -> Result<PathBuf> {
    let requirements = workspace.join(DIRECTORY).join("requirements.txt");
    let pins = std::fs::read_to_string(&requirements)?;
    let digest = Sha256::digest(&pins).iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>();
    let directory = place.join(format!("env-{digest}"));
    let (python, done) = (directory.join("bin/python"), directory.join("complete"));
    if done.is_file() {
        return Ok(python);
    }
    command::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&directory))?;
    let pip = || {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip
    };
    if let Err(error) = command::run(pip().arg("--requirement").arg(&requirements)) {
        println!("{error:#}: trying the packages one by one");
        for pin in pins.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Err(error) = command::run(pip().arg(pin)) {
                println!("{pin} is not installed: {error:#}");
            }
        }
    }
    std::fs::write(&done, "")?;
    Ok(python)
}

/// Builds what is measured for release; returns the directory.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args([
        "build",
        "--release",
        "--package",
        "mfn-ffi",
        "--package",
        "mfn-cli",
        "--package",
        "mfn-benches",
    ]);
    command::run(&mut cargo)?;
    Ok(workspace.target_dir()?.join("release"))
}

/// Compiles the C host whose start is timed, linked with the library of this build.
fn compile_start(workspace: &Workspace, release: &Path, place: &Path) -> Result<PathBuf> {
    let program = place.join("start");
    // Under its soname a linked program looks for it.
    let library = release.join("libmfn.so");
    let dynamic = command::capture(Command::new("readelf").arg("--dynamic").arg(&library))?;
    let soname =
        dynamic.lines().find(|line| line.contains("(SONAME)")).and_then(|line| line.split(['[', ']']).nth(1));
    let name = soname.unwrap_or("libmfn.so");
    std::fs::copy(&library, place.join(name)).with_context(|| format!("can not copy {name}"))?;
    let mut cc = Command::new("cc");
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-I"]);
    cc.arg(workspace.join(HEADER).parent().context("no directory")?);
    cc.arg(workspace.join(DIRECTORY).join("start.c")).arg("-o").arg(&program);
    cc.arg(place.join(name)).arg("-Wl,-rpath,$ORIGIN");
    command::run(&mut cc)?;
    Ok(program)
}

/// The required figures, each with its verdict, and what is missing.
fn print(results: &Results) {
    println!("\n{:<58} {:>5} {:>12} {:>12}  verdict", "figure", "size", "measured", "required");
    let marks = marks(results);
    for mark in &marks {
        let (shown, required, verdict) = (mark.shown(), mark.required(), mark.verdict());
        println!("{:<58} {:>5} {shown:>12} {required:>12}  {verdict}", mark.what, mark.size);
    }
    for missing in &results.missing {
        println!("not measured: {} ({}): {}", missing.program, missing.task, missing.reason);
    }
    let count = |verdict| marks.iter().filter(|mark| mark.verdict() == verdict).count();
    let (passed, failed, missing) = (count("pass"), count("FAIL"), count("not measured"));
    println!(
        "{passed} pass, {failed} FAIL, {missing} not measured; best of the rounds, CPU time of one thread, wall time for threads and processes"
    );
}
