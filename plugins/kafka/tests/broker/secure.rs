//! Credentials, with a real broker that asks for them: properties of SASL pass through.

use std::{collections::BTreeSet, path::Path, time::Duration};

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

/// Guards rotation: a replaced password file is taken up by clients that are at work, without a restart. That it is can be
/// seen with a wrong password, which lets nothing through any more; with the right one again all goes on, and nothing is
/// lost.
#[test]
fn a_replaced_password_file_is_taken_up_at_work() {
    let cluster = shared();
    cluster.create_topic("rotated", 1, &[]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("password");
    let write = |password: &str| std::fs::write(&file, password).unwrap();
    write(SASL_PASSWORD);
    let password = format!("file:{}", file.display());
    let mut target: KafkaPublisher =
        open(&cluster, &password, json!({ "topic": "rotated", "message_bytes_max": 1_000_000 }));
    let mut source: KafkaConnector =
        open(&cluster, &password, json!({ "topics": ["rotated"], "group": "rotated" }));
    let mut missing = BTreeSet::from(["first".to_owned()]);
    publish_all(&mut target, &[record("first", "first")]);
    eventually("the first record", || {
        take(&mut source, &mut missing);
        missing.is_empty()
    });

    write("canary-wrong-password");
    let mut count = 0;
    eventually("the publisher's trouble", || {
        count += 1;
        let id = format!("{count}");
        missing.insert(id.clone());
        publish(&mut target, &[record(&id, &id)], Duration::from_millis(500))[0].is_err()
    });
    let refused = count.to_string();
    eventually("the connector's trouble", || {
        take(&mut source, &mut missing);
        source.health().detail.to_ascii_lowercase().contains("authentication")
    });
    let said = format!("{:?} {:?}", target.health(), source.health());
    assert!(said.to_ascii_lowercase().contains("authentication") && !said.contains("canary"), "{said}");
    assert!(missing.contains(&refused), "what was refused is in no topic");

    write(SASL_PASSWORD);
    eventually("the record that was refused", || {
        publish(&mut target, &[record(&refused, &refused)], Duration::from_millis(500))[0].is_ok()
    });
    eventually("all records", || {
        take(&mut source, &mut missing);
        missing.is_empty()
    });
}

/// Fetches and acknowledges what is there, and strikes it off.
fn take(source: &mut KafkaConnector, missing: &mut BTreeSet<String>) {
    let limits = FetchLimits { records_max: 10, bytes_max: 1 << 30, timeout: Duration::from_millis(100) };
    if let Ok(Fetch::Batch(batch)) = source.fetch(limits) {
        for record in &batch.records {
            missing.remove(std::str::from_utf8(&record.payload).unwrap());
        }
        ack(source, &batch);
    }
}

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
