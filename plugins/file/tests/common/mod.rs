//! What the tests of this plugin share: instances made as the host makes them, and short forms of calls.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::{path::Path, time::Duration};

use mfn_plugin::{
    author::{Component, Connector, Publisher},
    testing::MemoryHost,
    value::{Batch, Fetch, FetchLimits, PluginError, PublishContext, Record, RecordResult, Verdict},
};
use mfn_plugin_file::{FileConnector, FilePublisher};
use serde_json::Value;

pub const LIMITS: FetchLimits =
    FetchLimits { records_max: 100, bytes_max: 1 << 30, timeout: Duration::from_millis(50) };

pub const CONTEXT: PublishContext = PublishContext { attempt: 1, timeout: Duration::from_secs(10) };

/// A connector that is not opened; the configuration goes through JSON as it does in the host.
pub fn new_connector(base: &Path, config: Value) -> Result<FileConnector, PluginError> {
    FileConnector::create(serde_json::from_value(config).unwrap(), MemoryHost::new().instance("in", base))
}

pub fn connector(base: &Path, config: Value) -> FileConnector {
    let mut connector = new_connector(base, config).unwrap();
    connector.open().unwrap();
    connector
}

pub fn new_publisher(base: &Path, config: Value) -> Result<FilePublisher, PluginError> {
    FilePublisher::create(serde_json::from_value(config).unwrap(), MemoryHost::new().instance("out", base))
}

pub fn publisher(base: &Path, config: Value) -> FilePublisher {
    let mut publisher = new_publisher(base, config).unwrap();
    publisher.open().unwrap();
    publisher
}

/// The next batch; fails when there is none within 10 s.
pub fn batch(connector: &mut FileConnector, limits: FetchLimits) -> Batch {
    let begin = std::time::Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        match connector.fetch(limits).unwrap() {
            Fetch::Batch(batch) => return batch,
            Fetch::Empty => {}
            Fetch::End => panic!("the end instead of a batch"),
        }
    }
    panic!("no batch within 10 s");
}

pub fn acks(batch: &Batch) -> Vec<Verdict> {
    vec![Verdict::Ack; batch.records.len()]
}

pub fn reject() -> Verdict {
    Verdict::Reject { reason: "unusable".into() }
}

pub fn nack(delay_ms: u64) -> Verdict {
    Verdict::Nack { delay: Duration::from_millis(delay_ms) }
}

/// Everything to the end, settled as it comes.
pub fn read_all(connector: &mut FileConnector) -> Vec<Record> {
    let mut records = Vec::new();
    let begin = std::time::Instant::now();
    while begin.elapsed() < Duration::from_secs(30) {
        match connector.fetch(LIMITS).unwrap() {
            Fetch::Batch(batch) => {
                connector.settle(batch.token, &acks(&batch)).unwrap();
                records.extend(batch.records);
            }
            Fetch::Empty => {}
            Fetch::End => return records,
        }
    }
    panic!("no end within 30 s");
}

pub fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

pub fn header<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    record
        .headers
        .iter()
        .find(|(header, _)| header == name)
        .map(|(_, value)| std::str::from_utf8(value).unwrap())
}

pub fn fault(record: &Record) -> Option<&str> {
    header(record, "mfn-fault")
}

pub fn record(id: &str, payload: &[u8]) -> Record {
    Record {
        id: id.into(),
        payload: payload.into(),
        content_type: "application/json".into(),
        ..Record::default()
    }
}

pub fn publish(publisher: &mut FilePublisher, records: &[Record]) -> Vec<RecordResult> {
    let views: Vec<_> = records.iter().map(Record::view).collect();
    publisher.publish(&views, CONTEXT).unwrap()
}

/// The names in a directory that do not begin with a dot, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Reads and writes one file, so that what it takes to do so at all is there before memory is measured.
pub fn warm_up() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.json"), "1").unwrap();
    let read =
        read_all(&mut connector(dir.path(), serde_json::json!({ "directory": ".", "after": "delete" })));
    let mut publisher = publisher(dir.path(), serde_json::json!({ "directory": "out" }));
    assert!(publish(&mut publisher, &read).iter().all(Result::is_ok));
}
