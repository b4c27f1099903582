//! A mock cluster, instances on it, and waiting for a condition.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Connector, Publisher, Result},
    testing::MemoryHost,
    value::{Batch, Fetch, FetchLimits, PublishContext, Record, RecordResult, RecordView},
};
use mfn_plugin_kafka::{KafkaConnector, KafkaPublisher};
use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};
use serde_json::{Value, json};

/// The longest that anything may take here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running mock cluster.
pub(crate) type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A cluster of `brokers` brokers with one topic.
pub(crate) fn cluster(brokers: i32, topic: &str, partitions: i32) -> Cluster {
    let cluster = MockCluster::new(brokers).unwrap();
    cluster.create_topic(topic, partitions, 1).unwrap();
    cluster
}

/// A configuration on this cluster with further fields.
pub(crate) fn config(cluster: &Cluster, fields: Value) -> Value {
    let brokers: Vec<String> = cluster.bootstrap_servers().split(',').map(str::to_owned).collect();
    let mut config = json!({ "brokers": brokers, "statistics_interval_ms": 100 });
    for (name, value) in fields.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// An instance, not opened.
pub(crate) fn create<T: Component>(host: &MemoryHost, config: Value) -> Result<T> {
    T::create(serde_json::from_value(config).unwrap(), host.instance("it", Path::new("/")))
}

/// An open connector of group `g`, with a short group session.
pub(crate) fn connector(host: &MemoryHost, cluster: &Cluster, fields: Value) -> KafkaConnector {
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
pub(crate) fn publisher(host: &MemoryHost, cluster: &Cluster, fields: Value) -> KafkaPublisher {
    let mut config = config(cluster, fields);
    if config.get("message_bytes_max").is_none() {
        // The mock cluster does not say what it allows, which costs a time-out.
        config["message_bytes_max"] = json!(1_000_000);
    }
    let mut made: KafkaPublisher = create(host, config).unwrap();
    made.open().unwrap();
    made
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
