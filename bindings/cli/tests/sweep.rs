//! `mfn sweep` and `mfn dataset`, by running the real binary and killing it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{finish, mfn, run, run_with_input, signal, tree};

const PLAN: &str = r#"
name = "kill"
seeds_per_config = 20
[base]
grid_size = 48
steps = 400
[[axes]]
field = "alpha"
min = 0.05
max = 0.15
points = 3
[[axes]]
field = "boundary_condition"
values = ["periodic", "neumann"]
"#;

fn with_plan(plan: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("plan.toml"), plan).unwrap();
    directory
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Waits until the journal is longer than `before`, or the process has ended by itself.
fn wait_for_rows(child: &mut std::process::Child, journal: &Path, before: u64) {
    let begun = Instant::now();
    while length(journal) <= before && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no row was written");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Guards the promise of the verb: a sweep killed with -9 ten times, at moments counted in rows, leaves the very
/// bytes of one that ran through, and nothing beside them.
#[test]
fn ten_kills_leave_the_same_parquet() {
    let directory = with_plan(PLAN);
    run(directory.path(), "sweep plan.toml --out whole.parquet --threads 1 --quiet").expect(0);
    let journal = directory.path().join("killed.parquet.partial/journal");
    let line = "sweep plan.toml --out killed.parquet --resume --quiet --threads";
    let mut kills = 0;
    for attempt in 0..10 {
        // The first journals may hold no more than their head.
        let before = length(&journal) + if attempt == 0 { 0 } else { attempt * 300 };
        let mut child = mfn(directory.path(), &format!("{line} {}", 1 + attempt % 3)).spawn().unwrap();
        wait_for_rows(&mut child, &journal, before);
        child.kill().unwrap();
        kills += u32::from(!child.wait().unwrap().success());
        assert!(!directory.path().join("killed.parquet").exists(), "the sweep is too short for ten kills");
    }
    assert_eq!(kills, 10);
    run(directory.path(), &format!("{line} 2")).expect(0);
    let [whole, killed] = ["whole", "killed"]
        .map(|name| fs::read(directory.path().join(name).with_extension("parquet")).unwrap());
    assert!(whole == killed, "the content differs");
    assert_eq!(tree(directory.path()), ["killed.parquet", "plan.toml", "whole.parquet"]);
}

/// Guards Ctrl-C: the command ends in order in the middle of a run, says what is kept, and goes on from there.
#[test]
fn a_signal_keeps_what_is_done() {
    let directory = with_plan(PLAN);
    let journal = directory.path().join("a.csv.partial/journal");
    let mut child = mfn(directory.path(), "sweep plan.toml --out a.csv --threads 1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_rows(&mut child, &journal, 100);
    signal(&child, "INT");
    finish(child).expect(1).names("--resume").names("cancelled after");
    assert!(!directory.path().join("a.csv").exists());
    run(directory.path(), "sweep plan.toml --out a.csv").expect(2).names("--resume");
    let ended = run(directory.path(), "sweep plan.toml --out a.csv --resume --json").expect(0).json();
    assert_eq!((&ended["runs"], &ended["succeeded"]), (&120.into(), &120.into()));
    assert!(ended["resumed"].as_u64().unwrap() > 0);
    run(directory.path(), "sweep plan.toml --out a.csv --resume").expect(2).names("exists");
}

/// Guards the second writer: it is told that another process is at work.
#[test]
fn a_second_process_is_refused() {
    let directory = with_plan(&PLAN.replace("steps = 400", "steps = 100000000"));
    let journal = directory.path().join("a.csv.partial/journal");
    let mut child = mfn(directory.path(), "sweep plan.toml --out a.csv --quiet").spawn().unwrap();
    wait_for_rows(&mut child, &journal, 0);
    run(directory.path(), "sweep plan.toml --out a.csv --resume").expect(1).names("another process");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Guards the datasets of MFN 4.1: their rows, columns and summary.
#[test]
fn a_preset_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let ended = run(directory.path(), "dataset benchmark --out deep/b.csv").expect(0);
    assert!(ended.stdout.contains("5 of 5 runs succeeded") && ended.stdout.contains("V_mean"), "{ended:?}");
    let text = fs::read_to_string(directory.path().join("deep/b.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0].split(',').count(), 28);
    assert!(lines[1].starts_with("0,benchmark_small,32,32,0.15,True,42,0.0,0.0,"), "{}", lines[1]);
    assert!(lines[1].ends_with(",11,0,0"), "{}", lines[1]);
}

/// Guards the refusals: exit code 2, every fault by name, nothing left behind.
#[test]
fn wrong_plans_and_targets_are_refused() {
    let directory = with_plan("seed = -1");
    run(directory.path(), "sweep plan.toml --out a.csv").expect(2).names("seed");
    run(directory.path(), "sweep none.toml --out a.csv").expect(2).names("none.toml");
    let plan = br#"{"axes": [{"field": "alpha", "min": 1, "max": 0}, {"field": "beta", "values": []}]}"#;
    let ended = run_with_input(directory.path(), "sweep - --out a.csv", plan).expect(2);
    ended.names("axes[0].min").names("axes[1].values");
    run_with_input(directory.path(), "sweep - --out a.csv", b"{\"nme\": 3}").expect(2).names("nme");
    run_with_input(directory.path(), "sweep - --out a.txt", b"{}").expect(2).names(".parquet");
    run_with_input(directory.path(), "sweep - --out a.csv --threads 5000", b"").expect(2).names("threads");
    run(directory.path(), "dataset huge --out a.csv").expect(2);
    assert_eq!(tree(directory.path()), ["plan.toml"]);
}

/// Guards the plan that the documents show: it is the file in the examples, and it runs.
#[test]
fn the_example_plan_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let example = root.join("examples/sweep.toml");
    let text = fs::read_to_string(&example).unwrap();
    let document = fs::read_to_string(root.join("docs/numerics/ensembles.md")).unwrap();
    assert!(
        document.contains(&format!("```toml\n{text}```")),
        "docs/numerics/ensembles.md shows another plan"
    );
    let directory = tempfile::tempdir().unwrap();
    let line = format!("sweep {} --out feed.parquet --json", example.display());
    let ended = run(directory.path(), &line).expect(0).json();
    assert_eq!((&ended["runs"], &ended["failed"]), (&32.into(), &0.into()));
}
