//! `kill -9` at random moments: every record is in the output at least once, and nothing is half.
//!
//! The child is this test program itself, run with one ignored test that carries records from the connector
//! to the publisher until it is killed.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use common::*;
use mfn_plugin::{
    author::{Connector, Publisher},
    testing::{FaultMemory, FaultRow, fault_size, peak_of},
    value::{Fetch, FetchLimits},
};
use serde_json::json;
use tempfile::tempdir;

const DIRECTORY: &str = "MFN_TEST_CRASH_DIRECTORY";
const MODE: &str = "MFN_TEST_CRASH_MODE";
/// Where a child says what it had in memory before its work.
const BASELINE: &str = "baseline";

/// The child: carries everything from `in` to `out`, three records at a time.
#[test]
#[ignore = "run by the crash tests as a child process"]
fn carry() {
    let Some(base) = std::env::var_os(DIRECTORY) else { return };
    let base = Path::new(&base);
    let mode = std::env::var(MODE).unwrap();
    warm_up();
    fs::write(base.join("writing"), FaultMemory::here(0).baseline_bytes().to_string()).unwrap();
    fs::rename(base.join("writing"), base.join(BASELINE)).unwrap();
    let mut connector = connector(base, json!({ "directory": "in", "after": "delete" }));
    let config = json!({ "directory": "out", "mode": mode, "rotate_bytes": 4096, "include_headers": true });
    let mut publisher = publisher(base, config);
    loop {
        match connector.fetch(FetchLimits { records_max: 3, ..LIMITS }).unwrap() {
            Fetch::Batch(batch) => {
                assert!(publish(&mut publisher, &batch.records).iter().all(Result::is_ok));
                publisher.flush(Duration::from_secs(10)).unwrap();
                connector.settle(batch.token, &acks(&batch)).unwrap();
            }
            Fetch::Empty => {}
            Fetch::End => return,
        }
    }
}

/// Makes a round's input and gives the payload of each record by its id.
fn fill(directory: &Path, round: usize) -> BTreeMap<String, String> {
    fs::create_dir_all(directory).unwrap();
    let mut expected = BTreeMap::new();
    for n in 0..600 {
        let (name, payload) = (format!("spec-{round}-{n:03}.json"), format!("{{\"seed\":{n}}}"));
        fs::write(directory.join(&name), &payload).unwrap();
        expected.insert(name, payload);
    }
    for file in 0..4 {
        let name = format!("lines-{round}-{file}.jsonl");
        let lines: Vec<String> = (1..=50).map(|n| format!("{{\"file\":{file},\"n\":{n}}}")).collect();
        fs::write(directory.join(&name), lines.join("\n")).unwrap();
        expected.extend(lines.into_iter().enumerate().map(|(at, line)| (format!("{name}#{}", at + 1), line)));
    }
    expected
}

fn child(base: &Path, mode: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "carry", "--ignored"]).env(DIRECTORY, base).env(MODE, mode);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn survive(mode: &str, seed: u64) {
    let dir = tempdir().unwrap();
    let mut expected = fill(&dir.path().join("in"), 0);
    let baseline = dir.path().join(BASELINE);
    let mut random = seed;
    // So many kills hit a child at work; one that was done before it could be killed does not count, and a fast
    // machine has many of them.
    let kills = fault_size(20, 200);
    let mut at_work = 0;
    let mut peaks = Vec::new();
    for round in 1..=10 * kills {
        if at_work == kills {
            break;
        }
        // Knuth's MMIX generator: the moments differ, and are the same in every run of the test.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        _ = fs::remove_file(&baseline);
        let mut child = child(dir.path(), mode).spawn().unwrap();
        // A child that is still starting has nothing to lose: the time runs from where it begins to work.
        while !baseline.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(100));
        }
        std::thread::sleep(Duration::from_micros((random >> 33) % 60_000));
        peaks.extend(peak_of(child.id()));
        let is_done = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        if is_done {
            expected.extend(fill(&dir.path().join("in"), round));
        } else {
            at_work += 1;
        }
    }
    // All are the same program. Three records at a time, of a few bytes, and what the connector keeps of each file, as
    // docs/delivery.md says.
    let baseline: u64 = fs::read_to_string(baseline).unwrap().parse().unwrap();
    let files: BTreeSet<_> = expected.keys().filter_map(|id| id.split('#').next()).collect();
    let mut memory = FaultMemory::of_children(baseline, (1 << 20) + 600 * files.len() as u64);
    peaks.into_iter().for_each(|peak| memory.saw(peak));
    assert_eq!(at_work, kills, "too few kills hit a child at work");
    let left = names(&dir.path().join("in")).len();
    assert!(child(dir.path(), mode).status().unwrap().success());
    println!("{mode}: {at_work} kills at work, {left} files were left for the last run");
    assert!(names(&dir.path().join("in")).is_empty());

    let out = dir.path().join("out");
    let mut seen = BTreeSet::new();
    let mut lines = 0;
    for name in names(&out).iter().filter(|name| !name.ends_with(".torn")) {
        let text = fs::read_to_string(out.join(name)).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{name} ends in half a line");
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let id = value["id"].as_str().unwrap();
            let payload: serde_json::Value = serde_json::from_str(&expected[id]).unwrap();
            assert_eq!(value["payload"], payload, "{id}");
            seen.insert(id.to_owned());
            lines += 1;
        }
    }
    println!("{mode}: {} records, {} written twice", seen.len(), lines - seen.len());
    let lost = expected.keys().filter(|id| !seen.contains(*id)).count();
    let duplicated = lines - seen.len();
    FaultRow { number: 9, struck: at_work as u64, lost: lost as u64, duplicated: duplicated as u64 }
        .report(memory);
    assert!(expected.keys().eq(seen.iter()), "something was invented");
    assert!(duplicated <= kills * 3, "more came twice than were in the air at the kills");
}

/// Guards the promise for appended lines.
#[test]
fn appended_lines_survive_kills() {
    survive("append", 1);
}

/// Guards the promise for whole files.
#[test]
fn whole_files_survive_kills() {
    survive("file_per_record", 2);
}
