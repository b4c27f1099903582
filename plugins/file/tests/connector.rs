//! The connector on real directories: order, ids, settlement, memory over restarts, disposal.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::*;
use mfn_plugin::{
    author::{Component, Connector},
    value::{ErrorClass, Fetch, FetchLimits},
};
use serde_json::json;
use tempfile::tempdir;

/// Guards the plain case: files in the order of names, one record each, then the end; nothing again
/// after a restart.
#[test]
fn whole_files_come_once_in_order() {
    let dir = tempdir().unwrap();
    for name in ["b.json", "a.json", "c.npy", "notes.txt", ".hidden.json", "half.json.tmp", "half.json.part"]
    {
        fs::write(dir.path().join(name), format!("{{\"name\":\"{name}\"}}")).unwrap();
    }
    let mut first = connector(dir.path(), json!({ "directory": "." }));
    let records = read_all(&mut first);
    assert_eq!(ids(&records), ["a.json", "b.json", "c.npy"]);
    assert_eq!(records[0].payload, b"{\"name\":\"a.json\"}");
    assert_eq!(records[0].content_type, "application/json");
    assert_eq!(records[2].content_type, "application/x-npy");
    assert_eq!(header(&records[0], "mfn-file"), Some("a.json"));
    assert_eq!(first.fetch(LIMITS).unwrap(), Fetch::End);
    drop(first);
    assert!(read_all(&mut connector(dir.path(), json!({ "directory": "." }))).is_empty());
}

/// Guards the splitting of lines: blank lines are skipped but counted, CRLF and the byte order mark go
/// away, each CSV row carries the header line.
#[test]
fn lines_become_records() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.jsonl"), "\u{feff}{\"n\":1}\r\n\n  \n{\"n\":2}\n{\"n\":3}").unwrap();
    fs::write(dir.path().join("b.csv"), "seed,steps\n1,10\n\n2,20\n").unwrap();
    let records = read_all(&mut connector(dir.path(), json!({ "directory": "." })));
    assert_eq!(ids(&records), ["a.jsonl#1", "a.jsonl#4", "a.jsonl#5", "b.csv#2", "b.csv#4"]);
    assert_eq!(records[0].payload, b"{\"n\":1}");
    assert_eq!(records[2].payload, b"{\"n\":3}");
    assert_eq!(records[4].payload, b"seed,steps\n2,20");
    assert_eq!(records[4].content_type, "text/csv");
    assert_eq!(header(&records[4], "mfn-line"), Some("4"));
}

/// Guards settlement out of order: after a restart exactly the lines that were not settled come again.
#[test]
fn a_restart_brings_what_was_not_settled() {
    let dir = tempdir().unwrap();
    let lines: String = (1..=6).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(dir.path().join("a.jsonl"), lines).unwrap();
    let mut first = connector(dir.path(), json!({ "directory": "." }));
    let pairs: Vec<_> = (0..3).map(|_| batch(&mut first, FetchLimits { records_max: 2, ..LIMITS })).collect();
    first.settle(pairs[2].token, &acks(&pairs[2])).unwrap();
    first.settle(pairs[0].token, &acks(&pairs[0])).unwrap();
    assert_eq!(first.position(".").unwrap(), b"{\"file\":\"a.jsonl\",\"line\":2}");
    drop(first);
    let mut second = connector(dir.path(), json!({ "directory": "." }));
    assert_eq!(ids(&read_all(&mut second)), ["a.jsonl#3", "a.jsonl#4"]);
}

/// Guards a token: it settles once, with one verdict for each record, and a refusal changes nothing.
#[test]
fn a_token_settles_once() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.json"), "{}").unwrap();
    let mut connector = connector(dir.path(), json!({ "directory": "." }));
    let one = batch(&mut connector, LIMITS);
    let error = connector.settle(one.token, &[]).unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent);
    assert!(error.message.starts_with("verdicts: 0 for the 1 records"), "{}", error.message);
    assert_eq!(connector.drain(LIMITS.timeout).unwrap().records_left, 1);
    connector.settle(one.token, &acks(&one)).unwrap();
    assert_eq!(connector.settle(one.token, &acks(&one)).unwrap_err().class, ErrorClass::Permanent);
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::End);
}
