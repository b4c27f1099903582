//! Instances on a cluster, what is done with them, and waiting for a condition.
#![allow(dead_code)] // Each test program uses a part.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Connector, Publisher, Result},
    testing::MemoryHost,
    value::{Batch, Fetch, FetchLimits, PublishContext, Record, RecordResult, RecordView, Verdict},
};
use mfn_plugin_kafka::{KafkaConnector, KafkaPublisher};
use rdkafka::{ClientContext, mocking::MockCluster};
use serde_json::{Value, json};

/// The longest that anything may take here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Something with brokers.
pub(crate) trait Brokers {
    /// Their addresses.
    fn brokers(&self) -> Vec<String>;
}

impl<C: ClientContext> Brokers for MockCluster<'_, C> {
    fn brokers(&self) -> Vec<String> {
        self.bootstrap_servers().split(',').map(str::to_owned).collect()
    }
}

/// A configuration on this cluster with further fields.
pub(crate) fn config(cluster: &impl Brokers, fields: Value) -> Value {
    let mut config = json!({ "brokers": cluster.brokers(), "statistics_interval_ms": 100 });
    for (name, value) in fields.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// An instance, not opened.
pub(crate) fn create<T: Component>(host: &MemoryHost, config: Value) -> Result<T> {
    T::create(serde_json::from_value(config).unwrap(), host.instance("it", Path::new("/")))
}

/// An open connector, of group `g` and with a short group session where the fields say nothing else.
pub(crate) fn connector(host: &MemoryHost, cluster: &impl Brokers, fields: Value) -> KafkaConnector {
    let mut config = config(cluster, fields);
    if config.get("group").is_none() {
        config["group"] = json!("g");
    }
    if config.get("properties").is_none() {
        config["properties"] = json!({ "session.timeout.ms": 6000, "heartbeat.interval.ms": 200 });
    }
    let mut made: KafkaConnector = create(host, config).unwrap();
    made.open().unwrap();
    made
}

/// An open publisher.
pub(crate) fn publisher(host: &MemoryHost, cluster: &impl Brokers, fields: Value) -> KafkaPublisher {
    let mut made: KafkaPublisher = create(host, config(cluster, fields)).unwrap();
    made.open().unwrap();
    made
}

/// Acknowledges a batch.
pub(crate) fn ack(source: &mut KafkaConnector, batch: &Batch) {
    source.settle(batch.token, &vec![Verdict::Ack; batch.records.len()]).unwrap();
}

/// The offsets of a batch, from the ids.
pub(crate) fn offsets(batch: &Batch) -> Vec<u64> {
    batch.records.iter().map(|record| record.id.rsplit('-').next().unwrap().parse().unwrap()).collect()
}

/// A record with an id and a payload.
pub(crate) fn record(id: &str, payload: &str) -> Record {
    Record { id: id.to_owned(), payload: payload.as_bytes().to_vec(), ..Record::default() }
}

/// Publishes with a time-out.
pub(crate) fn publish(
    target: &mut KafkaPublisher,
    records: &[Record],
    timeout: Duration,
) -> Vec<RecordResult> {
    let views: Vec<RecordView<'_>> = records.iter().map(Record::view).collect();
    target.publish(&views, PublishContext { attempt: 1, timeout }).unwrap()
}

/// Publishes and expects success for each.
pub(crate) fn publish_all(target: &mut KafkaPublisher, records: &[Record]) {
    for (record, answer) in records.iter().zip(publish(target, records, PATIENCE)) {
        answer.unwrap_or_else(|error| panic!("{}: {error}", record.id));
    }
}

/// The next batch of at most `records_max` records.
pub(crate) fn next(source: &mut KafkaConnector, records_max: u32) -> Batch {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(batch) = fetch(source, records_max) {
            return batch;
        }
    }
    panic!("no batch within {PATIENCE:?}; health: {:?}", source.health());
}

/// One fetch.
pub(crate) fn fetch(source: &mut KafkaConnector, records_max: u32) -> Option<Batch> {
    let limits = FetchLimits { records_max, bytes_max: 1 << 30, timeout: Duration::from_millis(100) };
    match source.fetch(limits).unwrap() {
        Fetch::Batch(batch) => Some(batch),
        Fetch::Empty => None,
        Fetch::End => panic!("a topic has no end"),
    }
}

/// Waits for a condition.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
