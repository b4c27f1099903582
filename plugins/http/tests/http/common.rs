//! What the tests share: instances made as the host makes them, and short forms of calls.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Connector, Publisher},
    testing::MemoryHost,
    value::{
        Batch, ErrorClass, Fetch, FetchLimits, PluginError, PublishContext, Record, RecordResult, Verdict,
    },
};
use mfn_plugin_http::{RestConnector, WebhookPublisher};
use serde_json::{Value, json};

pub(crate) const LIMITS: FetchLimits =
    FetchLimits { records_max: 100, bytes_max: 1 << 30, timeout: Duration::from_millis(50) };
pub(crate) const CONTEXT: PublishContext = PublishContext { attempt: 1, timeout: Duration::from_secs(20) };
pub(crate) const OTHER_KEY: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
pub(crate) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The fields of `more` laid over those of `base`.
pub(crate) fn with(base: Value, more: Value) -> Value {
    let (Value::Object(mut base), Value::Object(more)) = (base, more) else { panic!("not two objects") };
    base.extend(more);
    Value::Object(base)
}

pub(crate) fn new_connector(host: &MemoryHost, config: Value) -> Result<RestConnector, PluginError> {
    host.create(config, "feed", Path::new("/"))
}

/// An open connector that may reach loopback, polls quickly and does not linger.
pub(crate) fn connector(host: &MemoryHost, url: &str, more: Value) -> RestConnector {
    let base = json!({ "url": url, "allow_private_addresses": true, "poll_interval_ms": 20 });
    let mut connector = new_connector(host, with(base, more)).unwrap();
    connector.open().unwrap();
    connector
}

pub(crate) fn new_publisher(host: &MemoryHost, config: Value) -> Result<WebhookPublisher, PluginError> {
    host.create(config, "hook", Path::new("/"))
}

/// An open publisher that may reach loopback.
pub(crate) fn publisher(host: &MemoryHost, url: &str, more: Value) -> WebhookPublisher {
    let base = json!({ "url": url, "allow_private_addresses": true, "secrets": [KEY] });
    let mut publisher = new_publisher(host, with(base, more)).unwrap();
    publisher.open().unwrap();
    publisher
}

/// The next batch or error; fails when there is neither within 10 s.
pub(crate) fn try_batch(connector: &mut RestConnector) -> Result<Batch, PluginError> {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        match connector.fetch(LIMITS)? {
            Fetch::Batch(batch) => return Ok(batch),
            Fetch::Empty => {}
            Fetch::End => panic!("the end instead of a batch"),
        }
    }
    panic!("no batch within 10 s");
}

pub(crate) fn batch(connector: &mut RestConnector) -> Batch {
    try_batch(connector).unwrap()
}

/// The first error of a fetch.
pub(crate) fn fetch_error(connector: &mut RestConnector) -> PluginError {
    try_batch(connector).map(|batch| batch.records).unwrap_err()
}

pub(crate) fn acks(batch: &Batch) -> Vec<Verdict> {
    vec![Verdict::Ack; batch.records.len()]
}

/// Everything to the end, settled as it comes.
pub(crate) fn read_all(connector: &mut RestConnector) -> Vec<Record> {
    let mut records = Vec::new();
    let begin = Instant::now();
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

pub(crate) fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

/// Why a record is to be rejected, where it is.
pub(crate) fn fault(record: &Record) -> Option<&str> {
    let header = record.headers.iter().find(|(name, _)| name == Record::FAULT_HEADER);
    header.map(|(_, value)| std::str::from_utf8(value).unwrap())
}

pub(crate) fn record(id: &str, payload: &[u8]) -> Record {
    Record {
        id: id.into(),
        payload: payload.into(),
        content_type: "application/json".into(),
        ..Record::default()
    }
}

pub(crate) fn records(count: usize) -> Vec<Record> {
    (0..count).map(|n| record(&format!("r-{n}"), format!("{{\"n\":{n}}}").as_bytes())).collect()
}

pub(crate) fn publish(publisher: &mut WebhookPublisher, records: &[Record]) -> Vec<RecordResult> {
    publish_within(publisher, records, CONTEXT.timeout)
}

pub(crate) fn publish_within(
    publisher: &mut WebhookPublisher,
    records: &[Record],
    timeout: Duration,
) -> Vec<RecordResult> {
    let views: Vec<_> = records.iter().map(Record::view).collect();
    let results = publisher.publish(&views, PublishContext { attempt: 1, timeout }).unwrap();
    assert_eq!(results.len(), records.len(), "one result for each record");
    results
}

/// The classes of results; `None` for success.
pub(crate) fn classes(results: &[RecordResult]) -> Vec<Option<ErrorClass>> {
    results.iter().map(|result| result.as_ref().err().map(|error| error.class)).collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Waits for a condition; fails when it does not come within 10 s.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(10), "{what} did not come within 10 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}
