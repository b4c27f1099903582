//! What a connector brings, what it commits, and what it does when the group wants a partition back.

use std::time::{Duration, Instant};

use mfn_plugin::{
    author::{Component, Connector},
    testing::MemoryHost,
    value::{Batch, Verdict},
};
use mfn_plugin_kafka::KafkaConnector;
use serde_json::json;

use crate::support::{Cluster, cluster, connector, eventually, fetch, next, publish_all, publisher, record};

/// A cluster whose topic `t` of one partition holds `count` records.
fn filled(host: &MemoryHost, count: usize) -> Cluster {
    let cluster = cluster(1, "t", 1);
    let mut target = publisher(host, &cluster, json!({ "topic": "t" }));
    let records: Vec<_> = (0..count).map(|n| record(&n.to_string(), &n.to_string())).collect();
    publish_all(&mut target, &records);
    cluster
}

fn ack(source: &mut KafkaConnector, batch: &Batch) {
    source.settle(batch.token, &vec![Verdict::Ack; batch.records.len()]).unwrap();
}

fn offsets(batch: &Batch) -> Vec<u64> {
    batch.records.iter().map(|record| record.id.rsplit('-').next().unwrap().parse().unwrap()).collect()
}

/// Guards rule 1 and the order: a record that was given back comes again, not before its delay, with what follows
/// it behind it; what was settled meanwhile does not come twice.
#[test]
fn a_record_that_was_given_back_comes_again_in_order() {
    let host = MemoryHost::new();
    let cluster = filled(&host, 6);
    let mut source = connector(&host, &cluster, json!({ "topics": ["t"], "commit_interval_ms": 10 }));
    let first = next(&mut source, 4);
    assert_eq!(offsets(&first), [0, 1, 2, 3]);
    let delay = Duration::from_millis(300);
    let given_back = Instant::now();
    let verdicts =
        [Verdict::Ack, Verdict::Nack { delay }, Verdict::Ack, Verdict::Nack { delay: Duration::ZERO }];
    source.settle(first.token, &verdicts).unwrap();
    let mut came = Vec::new();
    while came.len() < 4 {
        let batch = next(&mut source, 10);
        assert!(given_back.elapsed() >= delay, "too early");
        came.extend(offsets(&batch));
        ack(&mut source, &batch);
    }
    assert_eq!(came, [1, 3, 4, 5]);
    let position = String::from_utf8(source.position("t-0").unwrap()).unwrap();
    assert!(position.contains("\"offset\":6"), "{position}");
    assert!(fetch(&mut source, 10).is_none());
}

/// Guards the cap: no more than `outstanding_max` records of a partition are out or waiting, and it goes on when
/// they are settled.
#[test]
fn what_is_outstanding_is_capped() {
    let host = MemoryHost::new();
    let cluster = filled(&host, 50);
    // One message per fetch, so that the pause is not too late for all of them.
    let fields = json!({
        "topics": ["t"], "outstanding_max": 5, "buffer_bytes_max": 65536,
    });
    let mut source = connector(&host, &cluster, fields);
    let mut batch = next(&mut source, 100);
    let mut seen = offsets(&batch);
    while seen.len() < 50 {
        ack(&mut source, &batch);
        batch = next(&mut source, 100);
        seen.extend(offsets(&batch));
    }
    assert_eq!(seen, (0..50).collect::<Vec<_>>());
    assert!(fetch(&mut source, 100).is_none());
}

/// Two members of one group: the first has everything in hand when the second comes.
fn second_member(
    host: &MemoryHost,
    revoke_timeout_ms: u64,
) -> (Cluster, KafkaConnector, Vec<Batch>, KafkaConnector) {
    let cluster = cluster(1, "t", 2);
    let mut target = publisher(host, &cluster, json!({ "topic": "t", "partition": "round_robin" }));
    let records: Vec<_> = (0..8).map(|n| record(&n.to_string(), &n.to_string())).collect();
    publish_all(&mut target, &records);
    let fields = json!({
        "topics": ["t"], "commit_interval_ms": 60000, "revoke_timeout_ms": revoke_timeout_ms,
        "properties": { "session.timeout.ms": 6000, "heartbeat.interval.ms": 200 },
    });
    let mut first = connector(host, &cluster, fields.clone());
    let mut batches = Vec::new();
    while batches.iter().map(|batch: &Batch| batch.records.len()).sum::<usize>() < 8 {
        batches.push(next(&mut first, 100));
    }
    let second = connector(host, &cluster, fields);
    (cluster, first, batches, second)
}

/// Guards rule 3: a partition that is wanted back is given away only after its records are settled and committed,
/// so the next owner brings none of them again.
#[test]
fn a_revoked_partition_is_drained_before_it_goes() {
    let host = MemoryHost::new();
    let (_cluster, mut first, batches, mut second) = second_member(&host, 60_000);
    eventually("a partition is wanted back", || {
        let _ = fetch(&mut first, 100);
        host.number("mfn_kafka_rebalances_total", &[("kind", "revoke")]) >= 1.0
    });
    assert!(fetch(&mut second, 100).is_none(), "given away with records outstanding");
    batches.iter().for_each(|batch| ack(&mut first, batch));
    eventually("the second member has its partition", || {
        assert!(fetch(&mut second, 100).is_none(), "a settled record came again");
        ["t-0", "t-1"].iter().any(|name| second.position(name).is_ok())
    });
    assert_eq!(host.number("mfn_kafka_void_settlements_total", &[]), 0.0);
}

/// Guards the fence: when the time is over the partition goes, its records come to the next owner, and what the old
/// one settles then has no effect.
#[test]
fn a_late_settlement_is_void() {
    let host = MemoryHost::new();
    let (_cluster, mut first, batches, mut second) = second_member(&host, 0);
    let again = next(&mut second, 100);
    let late: Vec<_> = batches.iter().filter(|batch| batch.partition == again.partition).collect();
    let records: usize = late.iter().map(|batch| batch.records.len()).sum();
    assert!(records > 0, "nothing was outstanding in {}", again.partition);
    late.iter().for_each(|batch| ack(&mut first, batch));
    assert_eq!(host.number("mfn_kafka_void_settlements_total", &[]), late.len() as f64);
    assert!(first.position(&again.partition).is_err());
    // Had the late settlement been committed, a third member would not get them.
    second.close().unwrap();
    first.close().unwrap();
    let mut third = connector(&host, &_cluster, json!({ "topics": ["t"] }));
    let mut ids = Vec::new();
    while ids.len() < 8 {
        ids.extend(next(&mut third, 100).records.into_iter().map(|record| record.id));
    }
    assert!(again.records.iter().all(|record| ids.contains(&record.id)), "{ids:?}");
}

/// Guards secrets: a password shows in no error, health, log, metric or debug text.
#[test]
fn a_secret_shows_nowhere() {
    let host = MemoryHost::new();
    host.capture_logs(5);
    let cluster = cluster(1, "t", 1);
    let fields = json!({ "topics": ["t"], "properties": {
        "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN",
        "sasl.username": "canary-user", "sasl.password": "canary-password",
    } });
    let mut source = connector(&host, &cluster, fields);
    let error = source.check().unwrap_err();
    eventually("trouble", || !source.health().detail.is_empty());
    let seen = format!("{error:?} {:?} {:?} {:?} {source:?}", source.health(), host.logs(), host.metrics());
    assert!(seen.contains("kafka"), "nothing was seen: {seen}");
    assert!(!seen.contains("canary"), "{seen}");
}
