//! A full disk: nothing half is written, nothing settled is lost, and work goes on when there is room.
//!
//! The disk is a tmpfs of 1 MiB in a mount namespace of its own, which `unshare` makes without privileges. A
//! system that does not allow it can not run this test, and the test fails there and says what to do.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path, process::Command, time::Duration};

use common::*;
use mfn_plugin::{
    author::{Connector, Publisher},
    testing::{FaultMemory, FaultRow},
    value::{ErrorClass, Fetch},
};
use serde_json::json;

const DIRECTORY: &str = "MFN_TEST_FULL_DIRECTORY";
/// What the shell answers where it may not mount.
const NO_MOUNT: i32 = 77;

/// Guards both sides against a full disk, in a child that has a small one.
#[test]
fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m tmpfs \"$1\" || exit {NO_MOUNT}; exec \"$2\" --exact --nocapture --ignored on_a_small_disk"
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"])
        .args([dir.path(), &std::env::current_exe().unwrap()])
        .env(DIRECTORY, dir.path())
        .output()
        .expect("unshare can not be run: install the package util-linux");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{}: {stdout}{stderr}\nstatus {NO_MOUNT} or a refusal of unshare: allow user and mount namespaces, or run as root",
        output.status
    );
    // The child has counted, and writes the row.
    assert!(stdout.contains("fault-row: 3 "), "{stdout}");
    print!("{stdout}");
}

/// The child.
#[test]
#[ignore = "run by the test above on a disk of its own"]
fn on_a_small_disk() {
    let Some(base) = std::env::var_os(DIRECTORY) else { return };
    let base = Path::new(&base);
    warm_up();
    // Neither side holds records; the ballast and the records of the test are some hundreds of kilobytes each.
    let memory = FaultMemory::here(0).kept_by_test(4 << 20);
    let mut struck = 0;
    for mode in ["append", "file_per_record"] {
        struck += publisher_on_a_full_disk(base, mode);
        fs::remove_dir_all(base.join("out")).unwrap();
    }
    struck += connector_on_a_full_disk(base);
    // That nothing was lost is asserted to the byte, in order, by each of them.
    FaultRow { number: 3, struck, ..FaultRow::default() }.report(memory);
}

fn fill(base: &Path) {
    // A write of zeros fails when nothing is left, after it took all there was.
    fs::write(base.join("ballast"), vec![0; 2 << 20]).unwrap_err();
}

/// The contents of the output files in the order of their names.
fn texts(directory: &Path) -> Vec<String> {
    names(directory).iter().map(|name| fs::read_to_string(directory.join(name)).unwrap()).collect()
}

/// Gives how many records were refused by the disk.
fn publisher_on_a_full_disk(base: &Path, mode: &str) -> u64 {
    fs::write(base.join("ballast"), vec![0; 600 << 10]).unwrap();
    let mut publisher = publisher(base, json!({ "directory": "out", "mode": mode }));
    let payload = |n: usize| format!("[{n},\"{}\"]", "x".repeat(9_000));
    let mut written = Vec::new();
    let (mut refused, mut struck) = (0, 0);
    for n in 0..100 {
        let records = [record("a", payload(2 * n).as_bytes()), record("b", payload(2 * n + 1).as_bytes())];
        for (at, answer) in publish(&mut publisher, &records).into_iter().enumerate() {
            match answer {
                Ok(()) => written.push(payload(2 * n + at)),
                Err(error) => {
                    assert_eq!(error.class, ErrorClass::Retryable, "{}", error.message);
                    refused += 1;
                    struck += 1;
                }
            }
        }
        if refused > 4 {
            assert!(texts(&base.join("out")).iter().all(|text| text.ends_with('\n')), "{mode}: half a line");
            fs::remove_file(base.join("ballast")).unwrap();
            refused = 0;
        }
        if written.len() > 60 {
            break;
        }
    }
    publisher.flush(Duration::from_secs(1)).unwrap();
    assert!(!base.join("ballast").exists() && written.len() > 60, "{mode}: the disk was never full");
    let texts = texts(&base.join("out"));
    assert!(texts.iter().all(|text| text.ends_with('\n')));
    let lines: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
    assert_eq!(lines, written, "{mode}");
    assert!(
        fs::read_dir(base.join("out"))
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().ends_with(".tmp") })
    );
    struck
}

/// Gives how many settlements were refused by the disk.
fn connector_on_a_full_disk(base: &Path) -> u64 {
    fs::create_dir(base.join("in")).unwrap();
    for n in 0..100 {
        fs::write(base.join(format!("in/{n:03}.json")), "1").unwrap();
    }
    let config = json!({ "directory": "in", "after": "delete" });
    let mut first = connector(base, config.clone());
    let one = batch(&mut first, LIMITS);
    assert_eq!(one.records.len(), 100);
    fill(base);
    // More entries than fit into the last page of the journal.
    let error = first.settle(one.token, &acks(&one)).unwrap_err();
    assert_eq!(error.class, ErrorClass::Retryable, "{}", error.message);
    assert_eq!(names(&base.join("in")).len(), 100);
    fs::remove_file(base.join("ballast")).unwrap();
    first.settle(one.token, &acks(&one)).unwrap();
    assert!(names(&base.join("in")).is_empty());
    assert_eq!(first.fetch(LIMITS).unwrap(), Fetch::End);
    drop(first);
    assert!(read_all(&mut connector(base, config)).is_empty());
    1
}
