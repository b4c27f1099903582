//! The connector on real directories: order, ids, settlement, memory over restarts, disposal.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    time::{Duration, Instant},
};

use common::*;
use mfn_plugin::{
    author::{Component, Connector},
    value::{ErrorClass, Fetch, FetchLimits, HealthState, Verdict},
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

/// Guards redelivery: a nacked record comes again under its id and bytes, not before its delay, and the
/// end does not come before it is settled.
#[test]
fn a_nacked_record_comes_again_after_its_delay() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.json"), "{\"whole\":1}").unwrap();
    fs::write(dir.path().join("b.csv"), "x\n1\n2\n3\n").unwrap();
    let mut connector = connector(dir.path(), json!({ "directory": "." }));
    let first = batch(&mut connector, LIMITS);
    assert_eq!(ids(&first.records), ["a.json", "b.csv#2", "b.csv#3", "b.csv#4"]);
    let begin = Instant::now();
    connector.settle(first.token, &[nack(80), Verdict::Ack, nack(20), Verdict::Ack]).unwrap();
    let line = batch(&mut connector, LIMITS);
    assert!(begin.elapsed() >= Duration::from_millis(20));
    assert_eq!(line.records, [first.records[2].clone()]);
    connector.settle(line.token, &acks(&line)).unwrap();
    let whole = batch(&mut connector, LIMITS);
    assert!(begin.elapsed() >= Duration::from_millis(80));
    assert_eq!(whole.records, [first.records[0].clone()]);
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::Empty);
    connector.settle(whole.token, &acks(&whole)).unwrap();
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::End);
}

/// Guards the limits of a fetch: neither more records nor more bytes than asked for, but a record above
/// the bytes comes alone instead of never.
#[test]
fn a_batch_keeps_its_limits() {
    let dir = tempdir().unwrap();
    for (name, length) in [("a.json", 10), ("b.json", 10), ("c.json", 100), ("d.json", 10)] {
        fs::write(dir.path().join(name), "1".repeat(length)).unwrap();
    }
    fs::write(dir.path().join("e.jsonl"), "1234567890\n".repeat(5)).unwrap();
    let mut connector = connector(dir.path(), json!({ "directory": "." }));
    let limits = FetchLimits { records_max: 3, bytes_max: 25, ..LIMITS };
    let mut sizes = Vec::new();
    while let Fetch::Batch(batch) = connector.fetch(limits).unwrap() {
        sizes.push(batch.records.len());
        connector.settle(batch.token, &acks(&batch)).unwrap();
    }
    assert_eq!(sizes, [2, 1, 2, 2, 2]);
}

/// Guards identity: the same name with other content is a new file whose ids say so, the same content
/// under a new time of change is not, and the ids stay the same when a run is cut off.
#[test]
fn other_content_under_a_known_name_is_a_new_file() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.json");
    let config = json!({ "directory": "." });
    fs::write(&path, "{\"v\":1}").unwrap();
    assert_eq!(ids(&read_all(&mut connector(dir.path(), config.clone()))), ["a.json"]);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    assert!(read_all(&mut connector(dir.path(), config.clone())).is_empty());
    fs::write(&path, "{\"v\":2}").unwrap();
    let mut cut_off = connector(dir.path(), config.clone());
    let id = batch(&mut cut_off, LIMITS).records[0].id.clone();
    assert!(id.starts_with("a.json@") && id.len() == "a.json@".len() + 12, "{id}");
    drop(cut_off);
    assert_eq!(ids(&read_all(&mut connector(dir.path(), config.clone()))), [id]);
    assert!(read_all(&mut connector(dir.path(), config)).is_empty());
}

/// Guards disposal: nothing moves before the settlement of all records, names in the target are never
/// overwritten, and a file with a rejected record goes to its own place.
#[test]
fn settled_files_are_moved_and_rejected_ones_apart() {
    let dir = tempdir().unwrap();
    fs::create_dir_all(dir.path().join("in/done")).unwrap();
    fs::write(dir.path().join("in/done/a.json"), "older").unwrap();
    fs::write(dir.path().join("in/a.json"), "1").unwrap();
    fs::write(dir.path().join("in/b.jsonl"), "1\n2\n").unwrap();
    let config = json!({ "directory": "in", "after": "move", "move_to": "in/done", "rejected_to": "bad" });
    let mut connector = connector(dir.path(), config);
    let one = batch(&mut connector, FetchLimits { records_max: 1, ..LIMITS });
    let two = batch(&mut connector, LIMITS);
    connector.settle(two.token, &[Verdict::Ack, nack(0)]).unwrap();
    assert_eq!(names(&dir.path().join("in")), ["a.json", "b.jsonl", "done"]);
    connector.settle(one.token, &acks(&one)).unwrap();
    let again = batch(&mut connector, LIMITS);
    connector.settle(again.token, &[reject()]).unwrap();
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::End);
    assert_eq!(names(&dir.path().join("in")), ["done"]);
    assert_eq!(names(&dir.path().join("in/done")), ["a-1.json", "a.json"]);
    assert_eq!(fs::read_to_string(dir.path().join("in/done/a.json")).unwrap(), "older");
    assert_eq!(names(&dir.path().join("bad")), ["b.jsonl"]);
}

/// Guards the moment between commit and deletion: a file that is settled in the journal but still there is
/// deleted at the next start and not brought again; dropped again after that, it is.
#[test]
fn a_missed_deletion_is_made_up_for() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.json");
    fs::write(&path, "1").unwrap();
    // `keep` leaves the same journal and file as a kill between commit and deletion does.
    assert_eq!(read_all(&mut connector(dir.path(), json!({ "directory": "." }))).len(), 1);
    let delete = json!({ "directory": ".", "after": "delete" });
    assert!(read_all(&mut connector(dir.path(), delete.clone())).is_empty());
    assert!(!path.exists());
    fs::write(&path, "1").unwrap();
    assert_eq!(ids(&read_all(&mut connector(dir.path(), delete))), ["a.json"]);
    assert!(!path.exists());
}

/// Guards a disposal that fails: the settlement stands, the health says what is wrong, the file is not
/// brought again, and it is moved once that is possible.
#[test]
fn a_failed_move_is_tried_again() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.json"), "1").unwrap();
    let config = json!({
        "directory": ".", "after": "move", "move_to": "done",
        "at_end": "watch", "settle_ms": 0, "poll_interval_ms": 10
    });
    let mut connector = connector(dir.path(), config);
    let one = batch(&mut connector, LIMITS);
    fs::remove_dir(dir.path().join("done")).unwrap();
    connector.settle(one.token, &acks(&one)).unwrap();
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::Empty);
    assert_eq!(connector.health().state, HealthState::Degraded);
    assert!(connector.health().detail.starts_with("a.json is settled but can not be moved"));
    fs::create_dir(dir.path().join("done")).unwrap();
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::Empty);
    assert_eq!(connector.health().state, HealthState::Ready);
    assert_eq!(names(&dir.path().join("done")), ["a.json"]);
}

/// Guards a writer at work: a file that was replaced while its record was outstanding is neither deleted
/// with the old one nor forgotten.
#[test]
fn a_file_replaced_while_outstanding_is_read_as_new() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.json");
    fs::write(&path, "1").unwrap();
    let config = json!({ "directory": ".", "after": "delete", "at_end": "watch", "settle_ms": 0, "poll_interval_ms": 10 });
    let mut connector = connector(dir.path(), config);
    let old = batch(&mut connector, LIMITS);
    fs::write(dir.path().join("next.tmp"), "22").unwrap();
    fs::rename(dir.path().join("next.tmp"), &path).unwrap();
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::Empty);
    connector.settle(old.token, &acks(&old)).unwrap();
    assert!(path.exists());
    let new = batch(&mut connector, LIMITS);
    assert_eq!(new.records[0].payload, b"22");
    assert!(new.records[0].id.starts_with("a.json@"));
    connector.settle(new.token, &acks(&new)).unwrap();
    assert!(!path.exists());
}

/// Guards pause and backlog: nothing comes while paused, settlement works, and the backlog counts what
/// is left.
#[test]
fn a_paused_connector_brings_nothing() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.jsonl"), "1\n2\n3\n").unwrap();
    fs::write(dir.path().join("b.json"), "1").unwrap();
    let mut connector = connector(dir.path(), json!({ "directory": "." }));
    assert_eq!(connector.backlog(), None);
    let first = batch(&mut connector, FetchLimits { records_max: 1, ..LIMITS });
    assert_eq!(connector.backlog(), Some(3));
    connector.pause().unwrap();
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::Empty);
    connector.settle(first.token, &acks(&first)).unwrap();
    connector.resume().unwrap();
    assert_eq!(read_all(&mut connector).len(), 3);
    assert_eq!(connector.backlog(), Some(0));
}

/// Guards a named list: its files are read wherever they are, and one that is missing is told as a record
/// with a fault instead of passing in silence; put there later, it is read.
#[test]
fn a_named_file_that_is_missing_is_told() {
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    fs::write(dir.path().join("sub/a.json"), "1").unwrap();
    let config = json!({ "files": ["sub/a.json", "gone.json"] });
    let records = read_all(&mut connector(dir.path(), config.clone()));
    assert_eq!(ids(&records), ["gone.json", "sub/a.json"]);
    assert!(fault(&records[0]).unwrap().contains("No such file"), "{:?}", fault(&records[0]));
    fs::write(dir.path().join("gone.json"), "2").unwrap();
    let records = read_all(&mut connector(dir.path(), config));
    assert_eq!((ids(&records), fault(&records[0])), (vec!["gone.json"], None));
}

/// Guards the refusals: each names the field, the value, what is allowed and what to do, all at once.
#[test]
fn a_wrong_configuration_is_refused_with_every_fault() {
    let dir = tempdir().unwrap();
    let config = json!({ "poll_interval_ms": 1, "after": "move", "pattern": "[", "line_bytes_max": 0 });
    let error = new_connector(dir.path(), config).unwrap_err();
    assert_eq!(error.class, ErrorClass::Permanent);
    for part in [
        "directory, files: \"neither\" is not allowed, it must be exactly one of the two; name a directory",
        "move_to: \"\" is not allowed",
        "poll_interval_ms: 1 is not allowed, it must be 10 to 3600000; choose",
        "pattern: \"[\"",
        "line_bytes_max: 0",
    ] {
        assert!(error.message.contains(part), "{part} is missing in {}", error.message);
    }
    for (config, part) in [
        (json!({ "directory": "in", "after": "move", "move_to": "in" }), "move_to: \"in\" is not allowed"),
        (json!({ "directory": "" }), "directory: \"\" is not allowed"),
        (
            json!({ "directory": "a\0b" }),
            "directory: \"a\\0b\" is not allowed, it must be a path without NUL",
        ),
        (json!({ "files": ["a.txt"] }), "files: \"a.txt\" is not allowed, it must be .json"),
    ] {
        let error = new_connector(dir.path(), config).unwrap_err();
        assert!(error.message.contains(part), "{}", error.message);
    }
    fs::create_dir(dir.path().join("in")).unwrap();
    std::os::unix::fs::symlink("in", dir.path().join("link")).unwrap();
    let error = connector_error(dir.path(), json!({ "directory": "in", "rejected_to": "link" }));
    assert_eq!(error.class, ErrorClass::Permanent);
    assert!(error.message.contains("is the directory that is read"), "{}", error.message);
    let error = connector_error(dir.path(), json!({ "directory": "absent" }));
    assert_eq!(error.class, ErrorClass::Blocked);
    assert!(error.message.contains("absent"), "{}", error.message);
}

/// Guards the journal's lock: two instances never share one, and it is free again with the instance.
#[test]
fn one_journal_has_one_instance() {
    let dir = tempdir().unwrap();
    let first = connector(dir.path(), json!({ "directory": "." }));
    let error = connector_error(dir.path(), json!({ "directory": "." }));
    assert_eq!(error.class, ErrorClass::Blocked);
    assert!(error.message.contains("another instance uses it"), "{}", error.message);
    drop(first);
    connector(dir.path(), json!({ "directory": "." })).close().unwrap();
}

fn connector_error(base: &std::path::Path, config: serde_json::Value) -> mfn_plugin::value::PluginError {
    new_connector(base, config).unwrap().open().unwrap_err()
}
