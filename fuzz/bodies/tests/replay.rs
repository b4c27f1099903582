//! Replays the committed seeds through every fuzz body, so that an ordinary test run exercises them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::PathBuf};

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(target);
    let mut found: Vec<_> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    found.sort();
    assert!(found.len() >= 5, "{target} has only {} seeds", found.len());
    found
}

/// Feeds each seed whole, cut off at every length (at most 200 of them), and with single bits turned over.
fn replay(target: &str, body: fn(&[u8])) {
    for (path, bytes) in seeds(target) {
        let run = |what: String, input: &[u8]| {
            let ended = std::panic::catch_unwind(|| body(input));
            assert!(ended.is_ok(), "{target}: {} {what} breaks the body", path.display());
        };
        run("whole".to_owned(), &bytes);
        let stride = bytes.len().div_ceil(200).max(1);
        for length in (0..bytes.len()).step_by(stride) {
            run(format!("cut at {length}"), &bytes[..length]);
            let mut damaged = bytes.clone();
            damaged[length] ^= 1 << (length % 8);
            run(format!("with byte {length} damaged"), &damaged);
        }
    }
}

/// Guards: specifications of any form are refused or run, never a panic.
#[test]
fn spec() {
    replay("spec", mfn_fuzz_bodies::spec);
}

/// Guards: features of fields with NaN, infinities, subnormal numbers and odd shapes.
#[test]
fn features() {
    replay("features", mfn_fuzz_bodies::features);
}

/// Guards: checkpoints cut off and damaged, also with checksums that are right.
#[test]
fn checkpoint() {
    replay("checkpoint", mfn_fuzz_bodies::checkpoint);
}

/// Guards: NPY files cut off, damaged, of other types and with shapes that no memory holds.
#[test]
fn npy() {
    replay("npy", mfn_fuzz_bodies::npy);
}

/// Guards: pipeline configurations, each refused with faults that help or accepted.
#[test]
fn pipeline_config() {
    replay("pipeline_config", mfn_fuzz_bodies::pipeline_config);
}

/// Guards: the harness itself. A body that panics on its input must be reported.
#[test]
#[should_panic(expected = "breaks the body")]
fn a_finding_is_reported() {
    replay("spec", |bytes| assert!(!bytes.starts_with(b"{"), "found"));
}
