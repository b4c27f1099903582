//! The publisher on real directories: whole lines and files, rotation, names, repair, refusals.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, time::Duration};

use common::*;
use mfn_plugin::{author::Publisher, value::ErrorClass};
use serde_json::json;
use tempfile::tempdir;

/// Guards JSON Lines: one line for each record whatever its layout, bad payloads refused alone, and
/// a restart goes on in the same file.
#[test]
fn json_lines_are_appended() {
    let dir = tempdir().unwrap();
    let config = json!({ "directory": "out" });
    let mut first = publisher(dir.path(), config.clone());
    let results = publish(
        &mut first,
        &[record("1", b"{\n  \"a\": 1.50\n}\n"), record("2", b"{oops"), record("3", b"[3]")],
    );
    assert!(results[0].is_ok() && results[2].is_ok());
    assert_eq!(results[1].as_ref().unwrap_err().class, ErrorClass::Permanent);
    first.flush(Duration::from_secs(1)).unwrap();
    drop(first);
    assert!(publish(&mut publisher(dir.path(), config), &[record("4", b"4")])[0].is_ok());
    let text = fs::read_to_string(dir.path().join("out/results-000001.jsonl")).unwrap();
    assert_eq!(text, "{   \"a\": 1.50 }\n[3]\n4\n");
}
