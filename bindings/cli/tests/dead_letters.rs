//! `mfn dead-letters`, by running the real binary on a real store.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::run;
use mfn_runtime::dead_letters::{DeadLetterCause, DeadLetters};

/// A directory with a store of five letters.
fn with_letters() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = DeadLetters::open(&directory.path().join("dead"), 1 << 20).unwrap();
    let mut record = mfn_runtime::dead_letters::Record::default();
    for number in 1..=5 {
        record.id = format!("request-{number}");
        record.payload = format!("{{\"steps\":-{number}}}").into_bytes();
        record.content_type = if number == 5 { "image/png" } else { "application/json" }.to_owned();
        record.headers = vec![("from".to_owned(), b"a\x1b[31mterminal".to_vec())];
        let cause = DeadLetterCause {
            reason: format!("steps: -{number} is not allowed\x1b[2J"),
            route: "simulate".to_owned(),
            component: "hook".to_owned(),
            attempts: number,
            at_ms: 1_700_000_000_000,
        };
        store.append(&[(&record, &cause)]).unwrap();
    }
    directory
}

/// Guards: letters are listed in pages with their causes, and nothing of them reaches the terminal as a command.
#[test]
fn letters_are_listed_and_shown() {
    let directory = with_letters();
    let ended = run(directory.path(), "dead-letters list dead").expect(0);
    assert_eq!(ended.stdout.lines().count(), 6, "{ended:?}");
    assert!(ended.stdout.contains("steps: -3 is not allowed") && !ended.stdout.contains('\x1b'), "{ended:?}");
    let ended = run(directory.path(), "dead-letters list dead --from 2 --max 2 --json").expect(0);
    let lines: Vec<serde_json::Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<_> = lines.iter().map(|line| line["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 3]);
    assert_eq!((&lines[0]["attempts"], &lines[0]["component"]), (&2.into(), &"hook".into()));
    let shown = run(directory.path(), "dead-letters show dead 4").expect(0).json();
    assert_eq!((&shown["id"], &shown["payload_bytes"]), (&"request-4".into(), &12.into()));
    let ended = run(directory.path(), "dead-letters show dead 4 --payload").expect(0);
    assert_eq!(ended.stdout, "{\"steps\":-4}");
}

/// Guards: a replay writes each chosen letter once, byte for byte, and removes it; what is not chosen stays.
#[test]
fn letters_are_replayed_once() {
    let directory = with_letters();
    fs::create_dir(directory.path().join("in")).unwrap();
    run(directory.path(), "dead-letters replay dead --to in --id 2 --id 5 --id 77").expect(0);
    let read = |name: &str| fs::read_to_string(directory.path().join("in").join(name)).unwrap();
    assert_eq!(read("dead-letter-00000002.json"), "{\"steps\":-2}");
    assert_eq!(read("dead-letter-00000005.bin"), "{\"steps\":-5}");
    assert_eq!(fs::read_dir(directory.path().join("in")).unwrap().count(), 2);
    run(directory.path(), "dead-letters show dead 2").expect(2).names("no letter 2");
    let ended = run(directory.path(), "dead-letters replay dead --to in").expect(0);
    assert_eq!(ended.stdout, "3 written to in, 0 left\n");
    assert_eq!(fs::read_dir(directory.path().join("in")).unwrap().count(), 5);
    let ended = run(directory.path(), "dead-letters list dead").expect(0);
    assert_eq!(ended.stdout.lines().count(), 1);
}

/// Guards: whole records are written with everything that is known of them, text or not, and are as removed as payloads.
#[test]
fn whole_records_are_replayed() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = DeadLetters::open(&directory.path().join("dead"), 1 << 20).unwrap();
    let mut record = mfn_runtime::dead_letters::Record::default();
    (record.id, record.content_type) = ("order-7".to_owned(), "application/json".to_owned());
    record.payload = b"{\"n\":7}".to_vec();
    record.key = Some(vec![0xff, 0x00]);
    record.timestamp_ms = Some(5);
    record.headers = vec![("from".to_owned(), b"shop".to_vec()), ("raw".to_owned(), vec![0x80])];
    let cause =
        DeadLetterCause { reason: "no such user".to_owned(), attempts: 3, ..DeadLetterCause::default() };
    store.append(&[(&record, &cause)]).unwrap();
    drop(store);
    let ended = run(directory.path(), "dead-letters replay dead --to . --records").expect(0);
    assert_eq!(ended.stdout, "1 written to ., 0 left\n");
    let text = fs::read_to_string(directory.path().join("dead-letter-00000000.jsonl"))
        .or_else(|_| fs::read_to_string(directory.path().join("dead-letter-00000001.jsonl")))
        .unwrap();
    assert!(text.ends_with("}\n") && text.lines().count() == 1);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    let whole = serde_json::json!({
        "number": line["number"], "id": "order-7", "content_type": "application/json", "payload_bytes": 7,
        "reason": "no such user", "route": "", "component": "", "attempts": 3, "at_ms": 0, "timestamp_ms": 5,
        "trace_parent": "", "key": { "base64": "/wA=" }, "payload": { "text": "{\"n\":7}" },
        "headers": [{ "name": "from", "text": "shop" }, { "name": "raw", "base64": "gA==" }],
    });
    assert_eq!(line, whole);
}

/// Guards: a directory that can not be written costs no letter, a store in use can be read but not changed, and what is
/// no store is not made one.
#[test]
fn letters_are_safe() {
    let directory = with_letters();
    run(directory.path(), "dead-letters replay dead --to missing").expect(1).names("missing");
    run(directory.path(), "dead-letters purge dead").expect(2);
    run(directory.path(), "dead-letters list elsewhere").expect(2).names("elsewhere");
    run(directory.path(), "dead-letters purge elsewhere --all").expect(2).names("elsewhere");
    assert!(!directory.path().join("elsewhere").exists());
    let (owner, _) = DeadLetters::open(&directory.path().join("dead"), 1 << 20).unwrap();
    assert_eq!(run(directory.path(), "dead-letters list dead").expect(0).stdout.lines().count(), 6);
    run(directory.path(), "dead-letters purge dead --all").expect(1).names("in use");
    drop(owner);
    let ended = run(directory.path(), "dead-letters purge dead --id 1 --id 3").expect(0);
    assert_eq!(ended.stdout, "2 removed, 3 left\n");
    let ended = run(directory.path(), "dead-letters purge dead --all").expect(0);
    assert_eq!(ended.stdout, "3 removed, 0 left\n");
}
