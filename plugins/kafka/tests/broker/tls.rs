//! TLS and SCRAM, with a real broker that takes nothing else: options of librdkafka pass through.
//!
//! Built with the feature `tls` only, by `cargo xtask test-kafka-tls`.

use std::{path::Path, time::Duration};

use mfn_plugin::{
    author::Component,
    testing::MemoryHost,
    value::{ErrorClass, RecordResult},
};
use mfn_plugin_kafka::{KafkaConnector, KafkaPublisher};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, SASL_PASSWORD, SASL_USER},
    support::{ack, eventually, next, publish, publish_all, record},
};

/// An open component that logs in with this password and trusts what `trusted` says.
fn open<T: Component>(cluster: &Cluster, password: &str, trusted: Value, fields: Value) -> T {
    let mut properties = json!({ "security.protocol": "sasl_ssl", "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": SASL_USER, "sasl.password": password, "reconnect.backoff.max.ms": 500 });
    for (name, value) in trusted.as_object().unwrap() {
        properties[name] = value.clone();
    }
    let mut config = fields;
    config["brokers"] = json!(cluster.tls_brokers());
    config["properties"] = properties;
    let mut made: T = MemoryHost::new().create(config, "it", Path::new("/")).unwrap();
    made.open().unwrap();
    made
}

/// Guards the whole way over TLS with SCRAM: the certificate is verified, the password is, and with both records are
/// published and read; without one of them nothing is, and the health says which it was, without the password.
#[test]
fn certificate_and_password_are_verified() {
    let directory = tempfile::tempdir().unwrap();
    let cluster = Cluster::start_with(directory.path().join("cluster"), true);
    cluster.create_topic("tls", 1, &[]);
    let to = json!({ "topic": "tls", "message_bytes_max": 1_000_000 });
    let trusted = json!({ "ssl.ca.location": cluster.certificate() });
    let refused = |password: &str, trusted: &Value, says: &[&str]| {
        let mut target: KafkaPublisher = open(&cluster, password, trusted.clone(), to.clone());
        eventually("the publisher's trouble", || {
            let answers: Vec<RecordResult> =
                publish(&mut target, &[record("1", "refused")], Duration::from_millis(500));
            let error = answers[0].as_ref().unwrap_err();
            assert_ne!(error.class, ErrorClass::Permanent, "the record is not to blame: {error}");
            let said = format!("{error} {:?} {target:?}", target.health());
            assert!(!said.contains(password), "{said}");
            says.iter().any(|says| said.to_ascii_lowercase().contains(says))
        });
    };
    refused(SASL_PASSWORD, &json!({}), &["certificate"]);
    refused("canary-wrong-password", &trusted, &["authentication"]);

    let mut target: KafkaPublisher = open(&cluster, SASL_PASSWORD, trusted.clone(), to.clone());
    publish_all(&mut target, &[record("2", "delivered")]);
    let from = json!({ "topics": ["tls"], "group": "tls" });
    let mut source: KafkaConnector = open(&cluster, SASL_PASSWORD, trusted, from);
    let batch = next(&mut source, 10);
    let payloads: Vec<_> = batch.records.iter().map(|record| record.payload.as_slice()).collect();
    assert_eq!(payloads, [b"delivered"]);
    ack(&mut source, &batch);
}
