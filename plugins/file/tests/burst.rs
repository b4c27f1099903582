//! Many files at once, and writers at work: each file once, none half.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    time::{Duration, Instant},
};

use common::*;
use mfn_plugin::{
    author::Connector,
    testing::{FaultMemory, FaultRow, fault_size},
    value::Fetch,
};
use serde_json::json;
use tempfile::tempdir;

const IN_PLACE: usize = 20;
/// What the connector keeps of a file at most, as docs/delivery.md says.
const KNOWN_BYTES: u64 = 600;

/// Guards completeness and exactness in a watched directory: 2,000 files (100,000 in full size) that are written and
/// renamed, and some that are written in place in two parts.
#[test]
fn a_burst_of_files_comes_whole_and_once() {
    let renamed = fault_size(2_000, 100_000);
    let patience = Duration::from_secs(fault_size(25, 600));
    let dir = tempdir().unwrap();
    warm_up();
    // A batch of a hundred small records and what the connector knows of the files that are there: names, paths and
    // fingerprints of the scan and of those that ripen.
    let budget = (1 << 20) + KNOWN_BYTES * renamed as u64;
    let memory = FaultMemory::here(budget).kept_by_test(130 * renamed as u64);
    let config = json!({ "directory": ".", "at_end": "watch", "settle_ms": 150, "poll_interval_ms": 20, "after": "delete" });
    let mut connector = connector(dir.path(), config);
    let path = dir.path().to_path_buf();
    let renaming = std::thread::spawn({
        let path = path.clone();
        move || {
            for n in 0..renamed {
                fs::write(path.join("writing.tmp"), format!("{{\"n\":{n}}}")).unwrap();
                fs::rename(path.join("writing.tmp"), path.join(format!("r-{n}.json"))).unwrap();
            }
        }
    });
    let in_place = std::thread::spawn(move || {
        for n in 0..IN_PLACE {
            let mut file = fs::File::create(path.join(format!("p-{n}.json"))).unwrap();
            file.write_all(b"{\"n\":").unwrap();
            std::thread::sleep(Duration::from_millis(30));
            file.write_all(format!("{n}}}").as_bytes()).unwrap();
        }
    });
    let begin = Instant::now();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    while seen.len() < renamed + IN_PLACE && begin.elapsed() < patience {
        if let Fetch::Batch(batch) = connector.fetch(LIMITS).unwrap() {
            for record in &batch.records {
                assert!(serde_json::from_slice::<serde_json::Value>(&record.payload).is_ok(), "{record:?}");
                *seen.entry(record.id.clone()).or_default() += 1;
            }
            connector.settle(batch.token, &acks(&batch)).unwrap();
        }
    }
    renaming.join().unwrap();
    in_place.join().unwrap();
    println!("{} files in {:?}", seen.len(), begin.elapsed());
    let (files, in_place) = (renamed + IN_PLACE, IN_PLACE as u64);
    assert!(seen.values().all(|count| *count == 1));
    assert!(names(dir.path()).is_empty());
    // What struck are the files that were half there when they were first seen.
    FaultRow { number: 9, struck: in_place, lost: (files - seen.len()) as u64, duplicated: 0 }.report(memory);
}
