//! What the broker allows, and who may write.

use std::time::Duration;

use mfn_plugin::{
    author::{Component, Publisher},
    testing::MemoryHost,
    value::{ErrorClass, PublishContext, Record},
};
use mfn_plugin_kafka::{KafkaConnector, KafkaPublisher};
use serde_json::json;

use crate::{
    cluster::shared,
    support::{ack, config, connector, create, next, publish, publish_all, publisher, record},
};

/// Guards the topic's own limit: it is for a whole batch, so a publisher that ignored it would have small records
/// refused for being together.
#[test]
fn the_topics_limit_is_kept() {
    let cluster = shared();
    cluster.create_topic("narrow", 1, &[("max.message.bytes", "20000")]);
    let host = MemoryHost::new();
    let mut target = publisher(&host, &*cluster, json!({ "topic": "narrow", "linger_ms": 50 }));
    let mut records: Vec<_> = (0..100).map(|n| record(&n.to_string(), &"x".repeat(1000))).collect();
    records.push(record("large", &"x".repeat(30_000)));
    let answers = publish(&mut target, &records, Duration::from_secs(20));
    let (large, small) = answers.split_last().unwrap();
    small.iter().for_each(|answer| answer.clone().unwrap());
    assert_eq!(large.as_ref().unwrap_err().class, ErrorClass::Permanent, "{large:?}");
}

/// Guards the pause: a topic that does not exist blocks its records, which go through when somebody makes it; `check`
/// says so before, and does not make it.
#[test]
fn a_missing_topic_blocks_until_it_is_made() {
    let cluster = shared();
    let host = MemoryHost::new();
    let fields = json!({
        "topic": "later", "properties": { "topic.metadata.propagation.max.ms": 500, "topic.metadata.refresh.interval.ms": 500 },
    });
    let mut target = publisher(&host, &*cluster, fields);
    let told = target.check().unwrap_err();
    assert_eq!(told.class, ErrorClass::Blocked, "{told}");
    let answers = publish(&mut target, &[record("a", "a")], Duration::from_secs(20));
    assert_eq!(answers[0].as_ref().unwrap_err().class, ErrorClass::Blocked, "{answers:?}");
    cluster.create_topic("later", 1, &[]);
    target.check().unwrap();
    crate::support::eventually("the record goes through", || {
        publish(&mut target, &[record("a", "a")], Duration::from_secs(20))[0].is_ok()
    });
    let fields = json!({ "topics": ["nowhere"], "group": "g" });
    let mut source: KafkaConnector = create(&host, config(&*cluster, fields)).unwrap();
    assert_eq!(source.check().unwrap_err().class, ErrorClass::Blocked);
}

/// Guards the fence between instances: the second one under a transactional id ends the first for good.
#[test]
fn a_transactional_id_has_one_owner() {
    let cluster = shared();
    cluster.create_topic("owned", 1, &[]);
    let host = MemoryHost::new();
    let fields = json!({ "topic": "owned", "transactional_id": "the-one" });
    let mut old = publisher(&host, &*cluster, fields.clone());
    publish_all(&mut old, &[record("a", "a")]);
    let mut new = publisher(&host, &*cluster, fields);
    publish_all(&mut new, &[record("b", "b")]);
    let late = record("c", "c");
    let context = PublishContext { attempt: 1, timeout: Duration::from_secs(20) };
    let answer = old.publish(&[late.view()], context).and_then(|mut answers| answers.remove(0));
    assert_eq!(answer.unwrap_err().class, ErrorClass::Fatal);
    publish_all(&mut new, &[record("d", "d")]);
}

/// Guards the start: a group without offsets begins at the time it was told, in every topic that a pattern finds.
#[test]
fn a_group_starts_at_a_time() {
    let cluster = shared();
    cluster.create_topic("timed.one", 1, &[]);
    cluster.create_topic("timed.two", 1, &[]);
    cluster.create_topic("untimed", 1, &[]);
    let host = MemoryHost::new();
    for topic in ["timed.one", "timed.two", "untimed"] {
        let mut target: KafkaPublisher = publisher(&host, &*cluster, json!({ "topic": topic }));
        let at = |time: i64| Record { timestamp_ms: Some(time), ..record(&format!("{topic}@{time}"), "x") };
        publish_all(&mut target, &[at(1_000_000), at(2_000_000), at(3_000_000)]);
    }
    let fields = json!({
        "patterns": ["timed\\..*"], "group": "timed", "start": { "timestamp_ms": 2_000_000 },
        "id_header": "mfn-record-id",
    });
    let mut source = connector(&host, &*cluster, fields);
    let mut ids = Vec::new();
    while ids.len() < 4 {
        let batch = next(&mut source, 10);
        ack(&mut source, &batch);
        ids.extend(batch.records.into_iter().map(|record| record.id));
    }
    ids.sort();
    assert_eq!(ids, ["timed.one@2000000", "timed.one@3000000", "timed.two@2000000", "timed.two@3000000"]);
}
