//! The gate: instructions of the small cases of benches/gate.rs, counted by gungraun under callgrind, against the
//! committed counts. Times are reported elsewhere and never gated; a count is the same whatever else the machine does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::workspace::Workspace;
use crate::{command, tools};

/// The committed counts.
const BASELINE: &str = "benches/gate.json";
/// A case may have so much more than its committed count.
const GROWTH_MAX: f64 = 0.03;
/// The version of gungraun in benches/Cargo.toml; its runner must be the same.
const GUNGRAUN: &str = "0.20.0";
/// A case and the same case with four per cent more work: if the gate did not tell them apart it would tell nothing.
const SELF_TEST: (&str, &str) = ("components", "components_and_two");

/// Counts of instructions and what made them.
#[derive(Debug, Serialize, Deserialize)]
struct Baseline {
    /// The compiler; another one makes other code of the same sources.
    compiler: String,
    instructions: BTreeMap<String, u64>,
}

/// Counts, and compares or saves.
pub(super) fn run(workspace: &Workspace, save: bool) -> Result<()> {
    tools::require(&[tools::VALGRIND])?;
    let runner = runner(workspace)?;
    let instructions = count(workspace, &runner)?;
    ensure!(
        slower_cases(
            &only(&instructions, SELF_TEST.0, SELF_TEST.0)?,
            &only(&instructions, SELF_TEST.1, SELF_TEST.0)?
        ) == [SELF_TEST.0],
        "four per cent more work went unnoticed: {instructions:?}"
    );
    let compiler = command::capture(Command::new("rustc").arg("--version"))?.trim().to_owned();
    let place = workspace.join(BASELINE);
    if save {
        let baseline = Baseline { compiler, instructions };
        std::fs::write(&place, serde_json::to_string_pretty(&baseline)? + "\n")?;
        println!("wrote {BASELINE}");
        return Ok(());
    }
    let text = std::fs::read_to_string(&place).with_context(|| format!("can not read {BASELINE}"))?;
    let baseline: Baseline =
        serde_json::from_str(&text).with_context(|| format!("{BASELINE} holds no counts"))?;
    if baseline.compiler != compiler {
        println!("the counts were made with {}, and this is {compiler}", baseline.compiler);
    }
    compare(&baseline.instructions, &instructions)
}

/// Prints every case and fails for those that are slower, new or gone.
fn compare(baseline: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) -> Result<()> {
    println!("{:<22} {:>14} {:>14} {:>8}", "case", "committed", "now", "change");
    for (case, &count) in now {
        let before = baseline.get(case);
        let change = before.map_or_else(
            || String::from("new"),
            |&before| format!("{:+.2} %", 100.0 * growth(before, count)),
        );
        let before = before.map_or_else(|| String::from("-"), u64::to_string);
        println!("{case:<22} {before:>14} {count:>14} {change:>8}");
    }
    let unknown: Vec<&String> = now
        .keys()
        .filter(|case| !baseline.contains_key(*case))
        .chain(baseline.keys().filter(|case| !now.contains_key(*case)))
        .collect();
    if !unknown.is_empty() {
        bail!(
            "cases without a committed count, or only with one: {unknown:?}; cargo xtask bench --gate --save"
        );
    }
    let slower = slower_cases(baseline, now);
    if !slower.is_empty() {
        bail!(
            "more than {:.0} % more instructions: {slower:?}. Make them fewer, or commit the new counts with a reason: cargo xtask bench --gate --save",
            100.0 * GROWTH_MAX
        );
    }
    println!("gate: {} cases within {:.0} % of the committed counts", now.len(), 100.0 * GROWTH_MAX);
    Ok(())
}

/// The cases that have grown too much.
fn slower_cases(baseline: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) -> Vec<String> {
    let grown = |(case, &count): (&String, &u64)| {
        let before = *baseline.get(case)?;
        (growth(before, count) > GROWTH_MAX).then(|| case.clone())
    };
    now.iter().filter_map(grown).collect()
}

fn growth(before: u64, now: u64) -> f64 {
    now as f64 / before.max(1) as f64 - 1.0
}

/// The count of one case, under another name.
fn only(counts: &BTreeMap<String, u64>, case: &str, name: &str) -> Result<BTreeMap<String, u64>> {
    let count = counts.get(case).with_context(|| format!("there is no case {case}"))?;
    Ok(BTreeMap::from([(name.to_owned(), *count)]))
}

/// The program that runs the cases under callgrind, installed into the target directory once. Unoptimised: that
/// changes no count and takes a minute less.
fn runner(workspace: &Workspace) -> Result<PathBuf> {
    let root = workspace.target_dir()?.join("tools");
    let program = root.join("bin/gungraun-runner");
    let present = program.is_file()
        && command::output(Command::new(&program).arg("--version"))?.text.contains(GUNGRAUN);
    if !present {
        let build = root.join("build");
        let mut cargo = workspace.cargo();
        cargo.args([
            "install",
            "gungraun-runner",
            "--version",
            GUNGRAUN,
            "--locked",
            "--debug",
            "--quiet",
            "--root",
        ]);
        cargo.arg(&root).arg("--target-dir").arg(&build).env("CARGO_PROFILE_DEV_DEBUG", "0");
        command::run(&mut cargo)?;
        // Only the program is needed again.
        std::fs::remove_dir_all(&build).with_context(|| format!("can not remove {}", build.display()))?;
    }
    Ok(program)
}

/// Runs the cases; returns the instructions of each.
fn count(workspace: &Workspace, runner: &Path) -> Result<BTreeMap<String, u64>> {
    let home = workspace.target_dir()?.join("gungraun");
    if home.exists() {
        // What an earlier run left would look like a case.
        std::fs::remove_dir_all(&home).with_context(|| format!("can not remove {}", home.display()))?;
    }
    let mut cargo = workspace.cargo();
    cargo.args(["bench", "--quiet", "--package", "mfn-benches", "--bench", "gate", "--"]);
    cargo.arg("--save-summary=json").env("GUNGRAUN_HOME", &home).env("GUNGRAUN_RUNNER", runner);
    println!("+ cargo bench --package mfn-benches --bench gate");
    // Its report stands in the error when it fails; the counts are shown here.
    command::capture(&mut cargo)?;
    let mut counts = BTreeMap::new();
    collect(&home, &mut counts)?;
    ensure!(!counts.is_empty(), "no counts in {}", home.display());
    Ok(counts)
}

/// Reads every summary below a directory.
fn collect(directory: &Path, counts: &mut BTreeMap<String, u64>) -> Result<()> {
    for entry in
        std::fs::read_dir(directory).with_context(|| format!("can not read {}", directory.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, counts)?;
        } else if path.ends_with("summary.json") {
            let summary: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
            let total = &summary["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"];
            let case = summary["id"].as_str().with_context(|| format!("{} names no case", path.display()))?;
            let total = total.as_u64().with_context(|| format!("{} has no instructions", path.display()))?;
            counts.insert(case.to_owned(), total);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(cases: &[(&str, u64)]) -> BTreeMap<String, u64> {
        cases.iter().map(|&(case, count)| (case.to_owned(), count)).collect()
    }

    /// Guards the gate: growth beyond the bound fails and names the case, growth within it does not, and no case
    /// comes or goes unnoticed.
    #[test]
    fn a_slower_case_is_caught() {
        let baseline = counts(&[("a", 1000), ("b", 1000)]);
        assert!(compare(&baseline, &counts(&[("a", 1029), ("b", 500)])).is_ok());
        let error = compare(&baseline, &counts(&[("a", 1000), ("b", 1031)])).unwrap_err().to_string();
        assert!(error.contains("\"b\"") && !error.contains("\"a\""), "{error}");
        assert!(compare(&baseline, &counts(&[("a", 1000)])).is_err());
        assert!(compare(&baseline, &counts(&[("a", 1), ("b", 1), ("c", 1)])).is_err());
    }
}
