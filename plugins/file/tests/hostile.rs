//! Hostile input: nothing holds up the next file, and what can not be done says why.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    time::{Duration, Instant},
};

use common::*;
use mfn_plugin::{
    author::{Component, Connector},
    testing::{FaultMemory, FaultRow},
    value::{Fetch, HealthState, Record},
};
use rustix::fs::{CWD, FileType, Mode};
use serde_json::json;
use tempfile::tempdir;

/// The limit of a line where the configuration says nothing else.
const LINE_BYTES_MAX: u64 = 16 << 20;

fn find<'a>(records: &'a [Record], id: &str) -> &'a Record {
    records.iter().find(|record| record.id == id).unwrap_or_else(|| panic!("no {id} in {:?}", ids(records)))
}

/// Guards the neighbours: every kind of thing that is not a readable file lies before `z.json`, which comes
/// nevertheless and at once; all that has a name and content comes with a reason.
#[test]
fn nothing_holds_up_the_next_file() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("a-directory.json")).unwrap();
    rustix::fs::mknodat(CWD, path("b-fifo.json"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    symlink(path("c-loop.json"), path("c-loop.json")).unwrap();
    symlink(path("nowhere"), path("d-dangling.json")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("e-socket.json")).unwrap();
    // Reading it fails with an I/O error, also for root.
    symlink("/proc/self/mem", path("f-unreadable.json")).unwrap();
    fs::write(path("g-empty.json"), "").unwrap();
    fs::write(path("h-bytes.json"), b"{\"a\":\"\xff\"}").unwrap();
    fs::write(path("i-large.json"), "1".repeat(1001)).unwrap();
    fs::write(path("j-secret.json"), "1").unwrap();
    fs::set_permissions(path("j-secret.json"), PermissionsExt::from_mode(0o000)).unwrap();
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"k-\xff.json")), "1").unwrap();
    fs::write(path("z.json"), "1").unwrap();
    let config = json!({ "directory": ".", "follow_links": true, "file_bytes_max": 1000 });
    // `metadata` follows links: a loop and a link to nowhere are nothing.
    let is_file = |path: &std::path::PathBuf| fs::metadata(path).is_ok_and(|found| found.is_file());
    let entries = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let (files, others): (Vec<_>, Vec<_>) = entries.partition(is_file);
    warm_up();
    let memory = FaultMemory::here(64 << 10);
    let begin = Instant::now();
    let mut connector = connector(dir.path(), config);
    let records = read_all(&mut connector);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(
        ids(&records),
        [
            "f-unreadable.json",
            "g-empty.json",
            "h-bytes.json",
            "i-large.json",
            "j-secret.json",
            "k-\\xff.json",
            "z.json"
        ]
    );
    let reason = |id: &str| fault(find(&records, id)).unwrap_or_default().to_owned();
    assert!(reason("f-unreadable.json").starts_with("the file could not be read: Input/output error"));
    assert_eq!(reason("g-empty.json"), "the file is empty");
    assert_eq!(reason("h-bytes.json"), "the file is not UTF-8 at byte 6; save it as UTF-8");
    assert_eq!(find(&records, "h-bytes.json").payload, b"{\"a\":\"\xff\"}");
    assert_eq!(
        reason("i-large.json"),
        "the file has 1001 bytes, file_bytes_max is 1000; split it or raise the limit"
    );
    assert!(find(&records, "i-large.json").payload.is_empty());
    if !rustix::process::geteuid().is_root() {
        assert!(reason("j-secret.json").contains("Permission denied"));
    }
    assert_eq!(reason("z.json"), "");
    assert_eq!(connector.health().state, HealthState::Ready);
    // It struck where a record came with a reason, or an entry was passed over that is no file at all; what has content and
    // came neither so nor as it is would be lost.
    let told = records.iter().filter(|record| fault(record).is_some()).count() as u64;
    let lost = files.len() as u64 - records.len() as u64;
    FaultRow { number: 10, struck: told + others.len() as u64, lost, duplicated: 0 }.report(memory);
}

/// Guards lines the same way: a bad one is marked with its number, the next ones are whole.
#[test]
fn a_bad_line_does_not_spoil_the_next() {
    let dir = tempdir().unwrap();
    let mut lines = b"{\"n\":1}\n\xff\xfe\n".to_vec();
    lines.extend(vec![b'x'; 101]);
    lines.extend(b"\n{\"n\":4}\n");
    lines.extend(vec![b'y'; 100]);
    fs::write(dir.path().join("a.jsonl"), lines).unwrap();
    fs::write(dir.path().join("b.csv"), "x,y\n1,\"open\n2,\"closed\"\n").unwrap();
    fs::write(dir.path().join("c.csv"), format!("{}\n1\n", "h".repeat(200))).unwrap();
    fs::write(dir.path().join("d.csv"), "\n\n").unwrap();
    let mut connector = connector(dir.path(), json!({ "directory": ".", "line_bytes_max": 100 }));
    let records = read_all(&mut connector);
    assert_eq!(
        ids(&records),
        ["a.jsonl#1", "a.jsonl#2", "a.jsonl#3", "a.jsonl#4", "a.jsonl#5", "b.csv#2", "b.csv#3", "c.csv"]
    );
    let reason = |id: &str| fault(find(&records, id)).unwrap_or_default().to_owned();
    assert_eq!(reason("a.jsonl#2"), "line 2 is not UTF-8 at its byte 0; save the file as UTF-8");
    assert_eq!(
        reason("a.jsonl#3"),
        "line 3 has 101 bytes, line_bytes_max is 100; split it or raise the limit"
    );
    assert_eq!((reason("a.jsonl#4"), reason("a.jsonl#5")), (String::new(), String::new()));
    assert_eq!(find(&records, "a.jsonl#5").payload.len(), 100);
    assert_eq!(reason("b.csv#2"), "line 2 has a quote that does not end; a row must be one line");
    assert_eq!(reason("b.csv#3"), "");
    assert_eq!(reason("c.csv"), "the header line has 200 bytes or more, line_bytes_max is below that");
}

/// Guards a file that vanishes or changes while a record of it is held back: it comes with the reason
/// instead of never.
#[test]
fn a_file_that_vanishes_is_told() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("a.jsonl"), "1\n2\n").unwrap();
    fs::write(dir.path().join("b.json"), "1").unwrap();
    let mut connector = connector(dir.path(), json!({ "directory": "." }));
    let first = batch(&mut connector, LIMITS);
    fs::remove_file(dir.path().join("b.json")).unwrap();
    fs::write(dir.path().join("a.jsonl"), "changed\n").unwrap();
    connector.settle(first.token, &[nack(0), nack(0), nack(0)]).unwrap();
    let again = batch(&mut connector, LIMITS);
    assert_eq!(ids(&again.records), ["a.jsonl#1", "a.jsonl#2", "b.json"]);
    assert!(fault(&again.records[0]).unwrap().contains("changed or replaced"));
    assert!(fault(&again.records[2]).unwrap().contains("No such file"));
}

/// Guards a watched file that can not be read: it is held back without a record, the others go on.
#[test]
fn a_watched_unreadable_file_waits() {
    let dir = tempdir().unwrap();
    symlink("/proc/self/mem", dir.path().join("a.json")).unwrap();
    fs::write(dir.path().join("b.json"), "1").unwrap();
    let config = json!({ "directory": ".", "follow_links": true, "at_end": "watch", "settle_ms": 0, "poll_interval_ms": 10 });
    let mut connector = connector(dir.path(), config);
    let one = batch(&mut connector, LIMITS);
    assert_eq!(ids(&one.records), ["b.json"]);
    connector.settle(one.token, &acks(&one)).unwrap();
    assert_eq!(connector.fetch(LIMITS).unwrap(), Fetch::Empty);
}

/// Guards links: without `follow_links` they are left alone.
#[test]
fn links_are_left_alone_unless_wanted() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("target"), "1").unwrap();
    symlink(dir.path().join("target"), dir.path().join("a.json")).unwrap();
    assert!(read_all(&mut connector(dir.path(), json!({ "directory": "." }))).is_empty());
    let config = json!({ "directory": ".", "follow_links": true, "after": "delete" });
    assert_eq!(read_all(&mut connector(dir.path(), config)).len(), 1);
    assert!(dir.path().join("target").exists());
    assert!(fs::symlink_metadata(dir.path().join("a.json")).is_err());
}

/// Guards memory: a line of 1 GiB is rejected with its length, costs at most a few times the limit, and the
/// next line follows.
#[test]
fn a_line_of_a_gibibyte_is_passed_over() {
    let dir = tempdir().unwrap();
    let mut file = File::create(dir.path().join("a.jsonl")).unwrap();
    file.write_all(b"{\"n\":1}\n").unwrap();
    file.seek(SeekFrom::Start(1 << 30)).unwrap();
    file.write_all(b"\n{\"n\":3}\n").unwrap();
    drop(file);
    warm_up();
    // A line is held until it is above its limit, 16 MiB, in a buffer that doubles.
    let memory = FaultMemory::here(LINE_BYTES_MAX + LINE_BYTES_MAX / 2);
    let begin = Instant::now();
    let mut connector = connector(dir.path(), json!({ "directory": "." }));
    let one = batch(&mut connector, LIMITS);
    connector.settle(one.token, &acks(&one)).unwrap();
    let mut records = one.records;
    let mut empty = 0;
    while records.len() < 3 && begin.elapsed() < Duration::from_secs(60) {
        match connector.fetch(LIMITS).unwrap() {
            Fetch::Batch(batch) => records.extend(batch.records),
            _ => empty += 1,
        }
    }
    println!("{:?}, {empty} empty fetches", begin.elapsed());
    // The way over the line is cut into fetches, so that settlements and a stop get their turn.
    assert!(empty > 0);
    assert_eq!(ids(&records), ["a.jsonl#1", "a.jsonl#2", "a.jsonl#3"]);
    assert!(fault(&records[1]).unwrap().contains("line 2 has 1073741816 bytes"), "{:?}", fault(&records[1]));
    assert_eq!(records[2].payload, b"{\"n\":3}");
    let told = records.iter().filter(|record| fault(record).is_some()).count() as u64;
    FaultRow { number: 10, struck: told, lost: 3 - records.len() as u64, duplicated: 0 }.report(memory);
}

/// Guards the journal against damage: a torn end is removed, a damaged line is skipped and its file comes
/// again, and a file that is no journal is refused and left as it is.
#[test]
fn a_damaged_journal_loses_nothing() {
    let dir = tempdir().unwrap();
    for name in ["a.json", "b.json", "c.json"] {
        fs::write(dir.path().join(name), "1").unwrap();
    }
    let config = json!({ "directory": ".", "state_file": "state.json" });
    let state = dir.path().join("state.json");
    assert_eq!(read_all(&mut connector(dir.path(), config.clone())).len(), 3);
    let whole = fs::read(&state).unwrap();
    // Cut anywhere, at worst files come again; nothing is refused. The last entry at every byte.
    let last_entry = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    for cut in (0..last_entry).step_by(11).chain(last_entry + 1..whole.len()) {
        fs::write(&state, &whole[..cut]).unwrap();
        let count = read_all(&mut connector(dir.path(), config.clone())).len();
        assert!(count <= 3);
        assert!(count > 0, "the last entry was torn at {cut} of {}", whole.len());
    }
    // A flipped bit in the entry that takes a.json.
    let mut damaged = whole.clone();
    let line = damaged.iter().position(|byte| *byte == b'\n').unwrap() + 30;
    damaged[line] ^= 1;
    fs::write(&state, &damaged).unwrap();
    let mut connector = connector(dir.path(), config.clone());
    assert_eq!(ids(&read_all(&mut connector)), ["a.json"]);
    drop(connector);
    fs::write(&state, "{\"mine\": true}").unwrap();
    let error = new_connector(dir.path(), config).unwrap().open().unwrap_err();
    assert!(error.message.contains("not a journal of this plugin"), "{}", error.message);
    assert_eq!(fs::read_to_string(&state).unwrap(), "{\"mine\": true}");
}
