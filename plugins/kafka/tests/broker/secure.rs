//! Credentials, with a real broker that asks for them: properties of SASL pass through.

use std::{path::Path, time::Duration};

use mfn_plugin::{
    author::{Component, Connector},
    testing::MemoryHost,
    value::{Fetch, FetchLimits, HealthState},
};
use mfn_plugin_kafka::{KafkaConnector, KafkaPublisher};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, SASL_PASSWORD, SASL_USER, shared},
    support::{ack, eventually, next, publish, publish_all, record},
};

/// An open component that logs in with this password.
fn open<T: Component>(cluster: &Cluster, password: &str, fields: Value) -> T {
    let mut config = fields;
    config["brokers"] = json!(cluster.sasl_brokers());
    config["properties"] = json!({ "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN",
        "sasl.username": SASL_USER, "sasl.password": password, "reconnect.backoff.max.ms": 500 });
    let mut made: T = MemoryHost::new().create(config, "it", Path::new("/")).unwrap();
    made.open().unwrap();
    made
}

/// Guards the login: with a wrong password nothing is delivered and nothing read, and both say why without showing it;
/// with the right one records go the whole way.
#[test]
fn only_the_right_password_lets_records_through() {
    let cluster = shared();
    cluster.create_topic("sasl", 1, &[]);
    let to = json!({ "topic": "sasl", "message_bytes_max": 1_000_000 });
    let from = json!({ "topics": ["sasl"], "group": "sasl" });

    let wrong = "canary-wrong-password";
    let mut target: KafkaPublisher = open(&cluster, wrong, to.clone());
    let mut source: KafkaConnector = open(&cluster, wrong, from.clone());
    let refused = publish(&mut target, &[record("1", "refused")], Duration::from_secs(1));
    assert!(refused[0].is_err());
    eventually("the connector's trouble", || source.health().state != HealthState::Ready);
    let limits = FetchLimits { records_max: 10, bytes_max: 1 << 30, timeout: Duration::from_millis(100) };
    let fetched = source.fetch(limits);
    assert!(!matches!(fetched, Ok(Fetch::Batch(_))));
    let said =
        format!("{refused:?} {fetched:?} {:?} {:?} {target:?} {source:?}", target.health(), source.health());
    assert!(said.to_ascii_lowercase().contains("authentication"), "{said}");
    assert!(!said.contains(wrong), "{said}");
    drop((target, source));

    let mut target: KafkaPublisher = open(&cluster, SASL_PASSWORD, to);
    publish_all(&mut target, &[record("2", "delivered")]);
    let mut source: KafkaConnector = open(&cluster, SASL_PASSWORD, from);
    let batch = next(&mut source, 10);
    let payloads: Vec<_> = batch.records.iter().map(|record| record.payload.as_slice()).collect();
    assert_eq!(payloads, [b"delivered"]);
    ack(&mut source, &batch);
}
