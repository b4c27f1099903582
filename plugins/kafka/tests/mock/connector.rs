//! What a connector brings, and what it does with what is given back. Groups are tested with a real broker.

use std::{
    thread,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Connector},
    testing::MemoryHost,
    value::{Batch, Verdict},
};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::json;

use crate::{
    Cluster, MESSAGE_BYTES_MAX, cluster,
    support::{ack, connector, eventually, fetch, next, offsets, publish_all, publisher, record},
};

/// A cluster whose topic `t` holds `count` records, as many in each of its partitions.
fn filled(host: &MemoryHost, partitions: i32, count: usize) -> Cluster {
    let cluster = cluster("t", partitions);
    let fields = json!({ "topic": "t", "message_bytes_max": MESSAGE_BYTES_MAX, "partition": "round_robin" });
    let records: Vec<_> = (0..count).map(|n| record(&n.to_string(), &n.to_string())).collect();
    publish_all(&mut publisher(host, &cluster, fields), &records);
    cluster
}

/// Guards rule 1 and the order: a record that was given back comes again, not before its delay, with what follows
/// it behind it; what was settled meanwhile does not come twice.
#[test]
fn a_record_that_was_given_back_comes_again_in_order() {
    let host = MemoryHost::new();
    let cluster = filled(&host, 1, 6);
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
    let cluster = filled(&host, 1, 50);
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

/// Guards what `close` says: offsets that a broker refuses are sent again, and are committed when it says yes; where it
/// goes on refusing, or throws the member out, the answer is no.
#[test]
fn a_close_commits_or_says_that_it_did_not() {
    let later = RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
    let thrown_out = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
    let runs = [(later, 0, true), (later, 3, true), (later, 1000, false), (thrown_out, 1000, false)];
    thread::scope(|scope| {
        for (refusal, times, is_committed) in runs {
            scope.spawn(move || close_while_commits_fail(refusal, times, is_committed));
        }
    });
}

fn close_while_commits_fail(refusal: RDKafkaRespErr, times: usize, is_committed: bool) {
    const COMMIT: RDKafkaApiKey = RDKafkaApiKey::OffsetCommit;
    let host = MemoryHost::new();
    let cluster = filled(&host, 1, 6);
    let fields = json!({ "topics": ["t"], "commit_interval_ms": 60_000 });
    let mut source = connector(&host, &cluster, fields.clone());
    let batch = next(&mut source, 4);
    assert_eq!(offsets(&batch), [0, 1, 2, 3]);
    cluster.request_errors(COMMIT, &vec![refusal; times]);
    ack(&mut source, &batch);
    let began = Instant::now();
    let closed = source.close();
    assert_eq!(closed.is_ok(), is_committed, "{times} times {refusal:?}: {closed:?}");
    // Less than the time after which answers are no longer awaited.
    assert!(!is_committed || began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    cluster.clear_request_errors(COMMIT);
    let first = offsets(&next(&mut connector(&host, &cluster, fields), 1));
    assert_eq!(first, [if is_committed { 4 } else { 0 }], "{times} times {refusal:?}");
}

/// Guards what the next owner of a partition begins with: before it goes, offsets that a broker refuses are sent again, so
/// that no settled record comes twice.
#[test]
fn a_revoked_partition_goes_when_it_is_committed() {
    assert!((0..5).any(|_| is_revoked_while_commits_fail()), "the second member was never let in");
}

/// `false` where the group was not at rest. The mock cluster takes no commits then, which a broker does, and is not at
/// rest for long when the second member asks for its part after the leader: the mock refuses it, and it joins anew.
fn is_revoked_while_commits_fail() -> bool {
    let (host, other) = (MemoryHost::new(), MemoryHost::new());
    let rebalances = |host: &MemoryHost, kind| host.number("mfn_kafka_rebalances_total", &[("kind", kind)]);
    let cluster = filled(&host, 2, 8);
    let fields = json!({ "topics": ["t"], "commit_interval_ms": 60_000 });
    let mut first = connector(&host, &cluster, fields.clone());
    let mut batches = Vec::new();
    while batches.iter().map(|batch: &Batch| batch.records.len()).sum::<usize>() < 8 {
        batches.push(next(&mut first, 100));
    }
    let mut second = connector(&other, &cluster, fields);
    eventually("a partition is wanted back", || {
        let _ = fetch(&mut first, 100);
        rebalances(&host, "revoke") >= 1.0
    });
    let wanted = Instant::now();
    while rebalances(&other, "assign") < 1.0 && wanted.elapsed() < Duration::from_secs(2) {
        thread::sleep(Duration::from_millis(10));
    }
    if wanted.elapsed() >= Duration::from_secs(2) {
        return false;
    }
    cluster.request_errors(
        RDKafkaApiKey::OffsetCommit,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS; 3],
    );
    batches.iter().for_each(|batch| ack(&mut first, batch));
    eventually("the second member has its partition", || {
        let _ = fetch(&mut first, 100);
        assert!(fetch(&mut second, 100).is_none(), "a settled record came again");
        ["t-0", "t-1"].iter().any(|name| second.position(name).is_ok())
    });
    for _ in 0..20 {
        assert!(fetch(&mut second, 100).is_none(), "a settled record came again");
    }
    assert_eq!(host.number("mfn_kafka_void_settlements_total", &[]), 0.0);
    true
}

/// Guards secrets: a password shows in no error, health, log, metric or debug text.
#[test]
fn a_secret_shows_nowhere() {
    let host = MemoryHost::new();
    host.capture_logs(5);
    let cluster = cluster("t", 1);
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
