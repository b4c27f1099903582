//! `mfn run` with a spool, killed and terminated at the worst moments: nothing that was acknowledged is lost.
//!
//! The source is a file of lines whose position moves on when the spool has a record, so that a record is in the
//! spool, or comes again, or is lost for good.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use common::{mfn, plugin_library, run, signal};
use mfn_plugin::testing::{FaultMemory, FaultRow, fault_size, peak_of};
use serde_json::Value;

const PIPELINE: &str = r#"
name = "spooled"

[plugins]
directories = ["plugins"]

# Small, so that what is held above it shows.
[limits]
bytes_in_flight_max = 8388608
record_bytes_max = 65536

[connectors.lines]
plugin = "file"
[connectors.lines.config]
files = ["in.jsonl"]
state_file = "lines.journal"

# Small files, so that a directory that is gone is noticed soon.
[publishers.results]
plugin = "file"
[publishers.results.config]
directory = "out"
rotate_bytes = 262144
fsync = false
include_headers = true
[publishers.results.delivery]
retry = { initial_ms = 20, cap_ms = 100 }
breaker = { recovery_ms = 100 }

[[routes]]
name = "through"
work = "forward"
connectors = ["lines"]
publishers = ["results"]
durability = "spooled"
batch_records_max = 200
"#;

/// A pipeline and its source of so many lines.
fn with_lines(count: u64) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("plugins")).unwrap();
    let library = plugin_library("file");
    fs::copy(&library, path.join("plugins").join(library.file_name().unwrap())).unwrap();
    fs::write(path.join("pipeline.toml"), PIPELINE).unwrap();
    let lines: String = (1..=count).map(|n| format!("{}\n", line(n))).collect();
    fs::write(path.join("in.jsonl"), lines).unwrap();
    directory
}

/// The line of a number; its bytes follow from the number.
fn line(n: u64) -> String {
    format!(r#"{{"n":{n},"text":"{:x>200}"}}"#, n * 7919)
}

/// Starts the pipeline; what it says goes to the file `said`.
fn start(directory: &Path) -> Child {
    let mut command = mfn(directory, "run pipeline.toml --json --drain-timeout-ms 10000");
    let said = fs::File::create(directory.join("said")).unwrap();
    command.stdout(said).stderr(Stdio::null()).spawn().unwrap()
}

/// The memory of runs of [`PIPELINE`]: above what the same components take when there is nothing to do, its byte budget.
fn memory() -> FaultMemory {
    let directory = with_lines(0);
    let path = directory.path();
    fs::create_dir(path.join("nothing")).unwrap();
    let idle = PIPELINE.replace("files = [\"in.jsonl\"]", "directory = \"nothing\"\nat_end = \"watch\"");
    fs::write(path.join("pipeline.toml"), idle).unwrap();
    let mut child = start(path);
    wait_for("an idle run", || fs::read_to_string(path.join("said")).unwrap().contains("started"));
    let baseline = peak_of(child.id()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    FaultMemory::of_children(baseline, 8_388_608)
}

/// How often each number arrived below the directories; each must have the bytes that it had.
fn arrived(directory: &Path) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    for below in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if !below.is_dir() || !below.file_name().unwrap().to_str().unwrap().starts_with("out") {
            continue;
        }
        for file in fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_none_or(|extension| extension != "jsonl") {
                continue;
            }
            for text in fs::read_to_string(file).unwrap().lines() {
                let record: Value = serde_json::from_str(text).unwrap();
                let n = record["payload"]["n"].as_u64().unwrap();
                assert_eq!(record["id"], format!("in.jsonl#{n}"));
                assert_eq!(record["payload"], serde_json::from_str::<Value>(&line(n)).unwrap(), "{n}");
                *counts.entry(n).or_default() += 1;
            }
        }
    }
    counts
}

/// The row of a fault, after everything should have arrived.
fn report(number: u8, struck: u64, directory: &Path, count: u64, memory: FaultMemory) {
    let counts = arrived(directory);
    assert!(counts.keys().all(|n| (1..=count).contains(n)), "something was invented");
    let lost = count - counts.len() as u64;
    let duplicated = counts.values().map(|times| times - 1).sum();
    FaultRow { number, struck, lost, duplicated }.report(memory);
}

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes of all files below a directory.
fn bytes_below(directory: &Path) -> u64 {
    let size = |path: &String| fs::metadata(directory.join(path)).map_or(0, |found| found.len());
    if directory.exists() { common::tree(directory).iter().map(size).sum() } else { 0 }
}

/// Fault 1: guards the promise of a spool against kill -9 at random moments of a whole process.
#[test]
fn a_killed_run_loses_nothing() {
    let (count, kills) = (fault_size(60_000, 1_000_000), fault_size(8, 100));
    let directory = with_lines(count);
    let path = directory.path();
    let (mut struck, mut random, mut memory) = (0, 1_u64, memory());
    for _ in 0..20 * kills {
        if struck == kills {
            break;
        }
        // Knuth's MMIX generator: the moments differ, and are the same in every run of the test.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = start(path);
        let spooled = bytes_below(&path.join("spool"));
        // It has to be at work; how long it takes to load and open depends on the machine.
        wait_for("work", || {
            bytes_below(&path.join("spool")) != spooled || child.try_wait().unwrap().is_some()
        });
        std::thread::sleep(Duration::from_micros((random >> 33) % 60_000));
        memory.look_at(child.id());
        let at_work = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        struck += u64::from(at_work);
        if !at_work {
            break;
        }
    }
    assert!(struck >= kills / 2, "{struck} kills hit a process at work");
    run(path, "run pipeline.toml").expect(0);
    report(1, struck, path, count, memory);
}

/// Fault 12: guards the end by its deadline when a publisher is dead, and the restart after it.
#[test]
fn a_terminated_run_with_a_dead_publisher_loses_nothing() {
    let count = fault_size(30_000, 1_000_000);
    let directory = with_lines(count);
    let (path, mut memory) = (directory.path(), memory());
    let mut child = start(path);
    wait_for("delivery", || bytes_below(&path.join("out")) > 0);
    // Its directory is gone, and what stands in its place can not become one.
    fs::rename(path.join("out"), path.join("out-before")).unwrap();
    fs::write(path.join("out"), "").unwrap();
    let at_death = bytes_below(&path.join("spool"));
    wait_for("spooling without delivery", || bytes_below(&path.join("spool")) > at_death + 100_000);
    assert!(child.try_wait().unwrap().is_none());
    signal(&child, "TERM");
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_millis(10_500), "it does not end");
        memory.look_at(child.id());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!((arrived(path).len() as u64) < count, "the publisher was not dead");
    // It struck as often as a record was refused, says the process itself.
    let said = fs::read_to_string(path.join("said")).unwrap();
    let summary: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let components = summary["status"]["components"].as_array().unwrap();
    let results = components.iter().find(|component| component["name"] == "results").unwrap();
    let refused = results["delivery"]["retries"].as_u64().unwrap();
    fs::remove_file(path.join("out")).unwrap();
    run(path, "run pipeline.toml").expect(0);
    report(12, refused, path, count, memory);
}
