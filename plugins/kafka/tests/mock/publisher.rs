//! What a publisher answers, and what arrives.

use std::time::Duration;

use mfn_plugin::author::{Connector, Publisher};
use mfn_plugin::{
    testing::MemoryHost,
    value::{ErrorClass, PublishContext, Record, Verdict},
};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr as Refusal};
use serde_json::json;

use crate::{
    MESSAGE_BYTES_MAX, cluster,
    support::{connector, eventually, next, publish, publish_all, publisher, record},
};

/// Guards the whole path: payload, key, headers, content type, time and a tombstone arrive as they were sent,
/// and reserved headers of a third party do not.
#[test]
fn a_record_arrives_as_it_was_sent() {
    let cluster = cluster("t", 1);
    let host = MemoryHost::new();
    let mut target =
        publisher(&host, &cluster, json!({ "topic": "t", "message_bytes_max": MESSAGE_BYTES_MAX }));
    let full = Record {
        id: "order-1".to_owned(),
        key: Some(b"customer \xff".to_vec()),
        payload: b"\x00\x01\xfe".to_vec(),
        content_type: "application/x-test".to_owned(),
        headers: vec![
            ("twice".to_owned(), b"a".to_vec()),
            ("twice".to_owned(), vec![0xff]),
            ("empty".to_owned(), vec![]),
        ],
        timestamp_ms: Some(1_760_000_000_123),
        trace_parent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
    };
    let mut forged = full.clone();
    forged.headers.push(("mfn-kafka-source".to_owned(), b"1/1/t/0/0".to_vec()));
    let tombstone = Record {
        id: "gone".to_owned(),
        key: Some(b"k".to_vec()),
        headers: vec![("mfn-kafka-tombstone".to_owned(), vec![])],
        ..Record::default()
    };
    publish_all(&mut target, &[forged, tombstone.clone(), record("empty", "")]);

    let mut source = connector(&host, &cluster, json!({ "topics": ["t"], "id_header": "mfn-record-id" }));
    let batch = next(&mut source, 10);
    assert_eq!((batch.partition.as_str(), batch.epoch, batch.records.len()), ("t-0", 1, 3));
    assert_eq!(batch.records[0], full);
    let came = Record { timestamp_ms: None, ..batch.records[1].clone() };
    assert_eq!(came, tombstone);
    assert!(batch.records[2].headers.is_empty() && batch.records[2].payload.is_empty());
    source.settle(batch.token, &[Verdict::Ack, Verdict::Ack, Verdict::Ack]).unwrap();
}

/// Guards that one record's fault costs only itself: too large and misdirected ones are refused for good, the
/// others arrive.
#[test]
fn a_record_at_fault_costs_only_itself() {
    let cluster = cluster("t", 2);
    let host = MemoryHost::new();
    let fields = json!({
        "topic": "t", "topic_header": "to", "message_bytes_max": 2000, "partition": { "header": "nr" },
    });
    let mut target = publisher(&host, &cluster, fields);
    let with = |id: &str, name: &str, value: &str| Record {
        headers: vec![(name.to_owned(), value.as_bytes().to_vec())],
        ..record(id, "x")
    };
    let records = [
        record("good", "x"),
        record("large", &"x".repeat(3000)),
        with("topic", "to", "no/topic"),
        with("number", "nr", "many"),
        with("partition", "nr", "77"),
        with("nul", "a\0b", ""),
        with("right", "nr", "1"),
    ];
    let answers = publish(&mut target, &records, Duration::from_secs(20));
    let classes: Vec<_> =
        answers.iter().map(|answer| answer.as_ref().err().map(|error| error.class)).collect();
    let no = Some(ErrorClass::Permanent);
    assert_eq!(classes, [None, no, no, no, no, no, None], "{answers:?}");
    let text = answers[1].as_ref().unwrap_err().message.clone();
    assert!(text.contains("3000 bytes") && text.contains("2000"), "{text}");
}

/// Guards the answer without an answer: a record that was sent to a broker which fell silent is unknown, and when it
/// comes again it is not sent a second time: the topic holds one copy, in order.
#[test]
fn an_unanswered_record_is_not_sent_twice() {
    let cluster = cluster("t", 1);
    let host = MemoryHost::new();
    let mut target =
        publisher(&host, &cluster, json!({ "topic": "t", "message_bytes_max": MESSAGE_BYTES_MAX }));
    publish_all(&mut target, &[record("0", "0")]);
    cluster.broker_round_trip_time(1, Duration::from_millis(1500)).unwrap();
    let (one, two) = (record("1", "1"), record("2", "2"));
    let answers = publish(&mut target, &[one.clone(), two.clone()], Duration::from_millis(200));
    for answer in answers {
        assert_eq!(answer.unwrap_err().class, ErrorClass::Unknown);
    }
    cluster.broker_round_trip_time(1, Duration::ZERO).unwrap();
    publish_all(&mut target, &[one, two, record("3", "3")]);
    let mut source = connector(&host, &cluster, json!({ "topics": ["t"] }));
    let mut payloads = String::new();
    while payloads.len() < 4 {
        next(&mut source, 10)
            .records
            .iter()
            .for_each(|r| payloads.push_str(std::str::from_utf8(&r.payload).unwrap()));
    }
    assert_eq!(payloads, "0123");
}

/// Guards the classes of what a broker refuses, and that the next attempt goes through.
#[test]
fn refusals_have_their_class() {
    let cluster = cluster("t", 1);
    let host = MemoryHost::new();
    let mut target =
        publisher(&host, &cluster, json!({ "topic": "t", "message_bytes_max": MESSAGE_BYTES_MAX }));
    for (refusal, class) in [
        (Refusal::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ErrorClass::Blocked),
        (Refusal::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ErrorClass::Permanent),
        (Refusal::RD_KAFKA_RESP_ERR_INVALID_RECORD, ErrorClass::Permanent),
    ] {
        cluster.request_errors(RDKafkaApiKey::Produce, &[refusal]);
        let answers = publish(&mut target, &[record("a", "a")], Duration::from_secs(20));
        assert_eq!(answers[0].as_ref().unwrap_err().class, class, "{refusal:?}");
        // librdkafka remembers a topic's refusal until it has asked for the topic again.
        eventually("the next attempt goes through", || {
            publish(&mut target, &[record("a", "a")], Duration::from_secs(20))[0].is_ok()
        });
    }
    // What passes by itself is librdkafka's to repeat.
    cluster.request_errors(RDKafkaApiKey::Produce, &[Refusal::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS]);
    publish_all(&mut target, &[record("b", "b")]);
}

/// Guards a transaction that can not even be aborted, because nobody answers for it: once somebody does, the next call
/// makes up for the abort and publishes.
#[test]
fn an_abort_without_an_answer_is_made_up_for() {
    let cluster = cluster("away", 1);
    let host = MemoryHost::new();
    let fields =
        json!({ "topic": "away", "transactional_id": "one", "message_bytes_max": MESSAGE_BYTES_MAX });
    let mut target = publisher(&host, &cluster, fields);
    publish_all(&mut target, &[record("1", "before")]);
    let refused = [Refusal::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS; 1000];
    cluster.request_errors(RDKafkaApiKey::Produce, &refused);
    let away = [Refusal::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 1000];
    cluster.request_errors(RDKafkaApiKey::EndTxn, &away);
    let views = [record("2", "while nobody answers")];
    let views: Vec<_> = views.iter().map(Record::view).collect();
    let context = PublishContext { attempt: 1, timeout: Duration::from_millis(500) };
    let answer = target.publish(&views, context);
    let error = answer.expect_err("the abort was not answered");
    assert!(error.message.contains("abort"), "{error}");
    cluster.clear_request_errors(RDKafkaApiKey::Produce);
    cluster.clear_request_errors(RDKafkaApiKey::EndTxn);
    eventually("a transaction", || target.publish(&views, context).is_ok_and(|answers| answers[0].is_ok()));
}
