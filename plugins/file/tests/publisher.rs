//! The publisher on real directories: whole lines and files, rotation, names, repair, refusals.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path, time::Duration};

use common::*;
use mfn_plugin::{
    author::{Component, Publisher},
    value::ErrorClass,
};
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

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap()
}

/// Guards rotation: no file above its size, no line cut or lost, numbers in order.
#[test]
fn files_rotate_by_size() {
    let dir = tempdir().unwrap();
    let mut publisher = publisher(dir.path(), json!({ "directory": ".", "rotate_bytes": 1024 }));
    let lines: Vec<String> = (0..300).map(|n| format!("{{\"n\":{n}}}")).collect();
    let records: Vec<_> = lines.iter().map(|line| record("id", line.as_bytes())).collect();
    for part in records.chunks(33) {
        assert!(publish(&mut publisher, part).iter().all(Result::is_ok));
    }
    publisher.flush(Duration::from_secs(1)).unwrap();
    let names = names(dir.path());
    assert_eq!(names.len(), 3, "{names:?}");
    let mut all = String::new();
    for name in &names {
        let text = read(dir.path(), name);
        assert!(text.len() <= 1024 && text.ends_with('\n'));
        all.push_str(&text);
    }
    assert_eq!(all.lines().collect::<Vec<_>>(), lines);
}

/// Guards names: two instances in one directory that come and go write to files of their own, and what each
/// wrote is whole.
#[test]
fn two_publishers_share_a_directory() {
    for mode in ["append", "file_per_record"] {
        let dir = tempdir().unwrap();
        let path = dir.path().to_path_buf();
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let path = path.clone();
                std::thread::spawn(move || {
                    let config =
                        json!({ "directory": ".", "mode": mode, "rotate_bytes": 1024, "fsync": false });
                    for life in 0..20 {
                        let mut publisher = publisher(&path, config.clone());
                        for n in 0..10 {
                            let payload = format!("\"{worker}-{life}-{n}\"");
                            let answer =
                                publish(&mut publisher, &[record("id", payload.as_bytes())]).remove(0);
                            assert_eq!(answer, Ok(()));
                        }
                        publisher.flush(Duration::from_secs(1)).unwrap();
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        let mut lines: Vec<String> = names(&path)
            .iter()
            .flat_map(|name| read(&path, name).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 400, "{mode}");
        if mode == "file_per_record" {
            assert_eq!(names(&path).len(), 400);
        }
    }
}

/// Guards the repair: a last line without its end is moved aside, never glued to the next, in every file of
/// the series that no other instance holds.
#[test]
fn a_torn_line_is_moved_aside() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("results-000001.jsonl"), "{\"whole\":1}\n{\"tor").unwrap();
    fs::write(dir.path().join("results-000002.jsonl"), "x".repeat(200_000)).unwrap();
    let mut publisher = publisher(dir.path(), json!({ "directory": "." }));
    assert!(publish(&mut publisher, &[record("1", b"1")])[0].is_ok());
    assert_eq!(read(dir.path(), "results-000001.jsonl"), "{\"whole\":1}\n");
    assert_eq!(read(dir.path(), "results-000001.jsonl.torn"), "{\"tor\n");
    assert_eq!(read(dir.path(), "results-000002.jsonl"), "");
    assert_eq!(read(dir.path(), "results-000002.jsonl.torn").len(), 200_001);
    assert_eq!(read(dir.path(), "results-000003.jsonl"), "1\n");
}

/// Guards tables: columns from the first record, nested fields with dots, further fields kept in `extra`,
/// one line for each row; a restart goes on with the same columns.
#[test]
fn objects_become_rows() {
    let dir = tempdir().unwrap();
    let config = json!({ "directory": ".", "format": "csv" });
    let mut first = publisher(dir.path(), config.clone());
    let results = publish(
        &mut first,
        &[
            record("1", br#"{"id":"a","features":{"z":1.50,"a":[1, 2]},"note":null}"#),
            record("2", br#"{"note":"line\nbreak, and \"quotes\"","id":"b","more":{"x":1}}"#),
            record("3", b"[1]"),
        ],
    );
    assert!(results[0].is_ok() && results[1].is_ok());
    assert_eq!(results[2].as_ref().unwrap_err().class, ErrorClass::Permanent);
    drop(first);
    assert!(
        publish(&mut publisher(dir.path(), config), &[record("4", br#"{"other":4,"id":"c"}"#)])[0].is_ok()
    );
    assert_eq!(
        read(dir.path(), "results-000001.csv"),
        "id,features.z,features.a,note,extra\n\
         a,1.50,\"[1, 2]\",,\n\
         b,,,\"line\\nbreak, and \"\"quotes\"\"\",\"{\"\"more.x\"\":1}\"\n\
         c,,,,\"{\"\"other\"\":4}\"\n"
    );
}

/// Guards dead letters: the reason and the original bytes can be read back, whatever the bytes are.
#[test]
fn envelopes_hold_headers_and_any_payload() {
    let dir = tempdir().unwrap();
    let config = json!({ "directory": ".", "include_headers": true, "file_name": "rejected" });
    let mut publisher = publisher(dir.path(), config);
    let mut records =
        vec![record("a.json", b"{\"a\":\n1.0}"), record("b.json", b"{\"a\":"), record("c.npy", b"\x93NUMPY")];
    records[1].headers = vec![
        ("mfn-reason".into(), b"no JSON".to_vec()),
        ("x".into(), b"1".to_vec()),
        ("x".into(), b"2".to_vec()),
    ];
    assert!(publish(&mut publisher, &records).iter().all(Result::is_ok));
    assert!(publisher.traits().idempotence == mfn_plugin::value::Idempotence::Key);
    let text = read(dir.path(), "rejected-000001.jsonl");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["payload"]["a"], 1.0);
    assert_eq!(lines[1]["id"], "b.json");
    assert_eq!(lines[1]["payload_text"], "{\"a\":");
    assert_eq!(lines[1]["headers"], json!({ "mfn-reason": "no JSON", "x": ["1", "2"] }));
    assert_eq!(lines[2]["payload_base64"], "k05VTVBZ");
}

/// Guards whole files: the bytes as they are, no temporary name left, numbers go on after a restart, and
/// what an interrupted write left is removed.
#[test]
fn a_record_can_have_a_file() {
    let dir = tempdir().unwrap();
    let config = json!({ "directory": ".", "mode": "file_per_record", "format": "raw", "file_name": "x" });
    fs::write(dir.path().join(".x-1-1.tmp"), "half").unwrap();
    for _ in 0..2 {
        let mut publisher = publisher(dir.path(), config.clone());
        let mut array = record("2", b"\x93NUMPY");
        array.content_type = "application/x-npy".into();
        assert!(publish(&mut publisher, &[record("1", b"not JSON\n"), array]).iter().all(Result::is_ok));
        publisher.flush(Duration::from_secs(1)).unwrap();
    }
    assert_eq!(names(dir.path()), ["x-000001.json", "x-000002.npy", "x-000003.json", "x-000004.npy"]);
    assert_eq!(fs::read(dir.path().join("x-000003.json")).unwrap(), b"not JSON\n");
    assert!(!dir.path().join(".x-1-1.tmp").exists());
}

/// Guards a table of one record: header and row in each file.
#[test]
fn a_row_can_have_a_file() {
    let dir = tempdir().unwrap();
    let config = json!({ "directory": ".", "mode": "file_per_record", "format": "csv" });
    let mut publisher = publisher(dir.path(), config);
    assert!(
        publish(&mut publisher, &[record("1", br#"{"a":1}"#), record("2", br#"{"b":2}"#)])
            .iter()
            .all(Result::is_ok)
    );
    assert_eq!(read(dir.path(), "results-000002.csv"), "b,extra\n2,\n");
}

/// Guards classes: a vanished directory blocks without losing the instance, a deleted output file is told
/// at the flush, and the same records then arrive in a new file.
#[test]
fn lost_files_are_told() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    let mut publisher = publisher(dir.path(), json!({ "directory": "out", "rotate_bytes": 1024 }));
    assert!(publish(&mut publisher, &[record("1", b"1")])[0].is_ok());
    fs::remove_dir_all(&out).unwrap();
    let error = publisher.flush(Duration::from_secs(1)).unwrap_err();
    assert_eq!(error.class, ErrorClass::Retryable);
    let results = publish(&mut publisher, &[record("1", b"1")]);
    assert_eq!(results[0].as_ref().unwrap_err().class, ErrorClass::Blocked);
    assert_eq!(publisher.health().state, mfn_plugin::value::HealthState::Down);
    fs::create_dir(&out).unwrap();
    assert!(publish(&mut publisher, &[record("1", b"1")])[0].is_ok());
    publisher.flush(Duration::from_secs(1)).unwrap();
    assert_eq!(publisher.health(), mfn_plugin::value::Health::ready());
    assert_eq!(names(&out).len(), 1);
}

/// Guards hostile names and payloads: a file with a huge number is not counted on from, and nesting without
/// end is refused instead of ending the process.
#[test]
fn hostile_input_is_refused() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("results-18446744073709551615.jsonl"), "x\n").unwrap();
    let deep = "[".repeat(1_000_000);
    let deeper = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    for format in ["jsonl", "csv"] {
        let mut publisher = publisher(dir.path(), json!({ "directory": ".", "format": format }));
        for payload in [deep.as_bytes(), deeper.as_bytes(), b"", b"{\"a\":1} trailing", b"\xff"] {
            let error = publish(&mut publisher, &[record("1", payload)])[0].clone().unwrap_err();
            assert_eq!(error.class, ErrorClass::Permanent);
        }
        assert!(publish(&mut publisher, &[record("1", b"{\"a\":1}")])[0].is_ok());
    }
    assert!(dir.path().join("results-000001.jsonl").exists());
}

/// Guards the refusals of combinations that can not work.
#[test]
fn a_wrong_configuration_is_refused() {
    let dir = tempdir().unwrap();
    for (config, part) in [
        (json!({ "directory": ".", "file_name": "../x" }), "file_name: \"../x\" is not allowed"),
        (
            json!({ "directory": ".", "rotate_bytes": 5 }),
            "rotate_bytes: 5 is not allowed, it must be 1024 to",
        ),
        (json!({ "directory": ".", "format": "raw" }), "format: \"raw\""),
        (json!({ "directory": ".", "format": "csv", "include_headers": true }), "include_headers: true"),
        (json!({ "directory": "" }), "directory: \"\""),
    ] {
        let error = new_publisher(dir.path(), config).unwrap_err();
        assert_eq!(error.class, ErrorClass::Permanent);
        assert!(error.message.contains(part), "{}", error.message);
    }
}
