//! The adapters: values cross the boundary unchanged, and breaches of the contract are found.

use std::time::Duration;

use mfn_plugin::{
    metric::MetricValue,
    testing::{FaultMemory, FaultRow},
    value::{
        ErrorClass, Fetch, FetchLimits, HealthState, Idempotence, Ordering, PublishContext, Record,
        RecordView, Verdict,
    },
};
use mfn_runtime::{Runtime, RuntimeError};
use serde_json::json;

use crate::fixtures::{options, with_fixture};

const LIMITS: FetchLimits = FetchLimits { records_max: 10, bytes_max: 1000, timeout: Duration::ZERO };
const CONTEXT: PublishContext = PublishContext { attempt: 4, timeout: Duration::from_millis(1500) };

/// The value of a counter of component `it`.
fn counted(runtime: &Runtime, name: &str) -> f64 {
    let labels = ("component".to_owned(), "it".to_owned());
    let families = runtime.metrics().snapshot();
    let samples = families.into_iter().filter(|family| family.name == name).flat_map(|family| family.samples);
    samples
        .filter(|sample| sample.labels.contains(&labels))
        .map(|sample| if let MetricValue::Number(value) = sample.value { value } else { f64::NAN })
        .sum()
}

fn breaches(runtime: &Runtime) -> f64 {
    counted(runtime, "mfn_plugin_breaches_total")
}

/// Guards that all parts of a record, a verdict and the small answers cross unchanged.
#[test]
fn a_connector_is_carried_over() {
    let runtime = with_fixture();
    let connector = runtime.open_connector("fixture", options("it", json!({}))).unwrap();
    let Fetch::Batch(batch) = connector.fetch(LIMITS).unwrap() else { panic!("a batch") };
    assert_eq!((batch.partition.as_str(), batch.epoch, batch.records.len()), ("p", 3, 2));
    let expected = Record {
        id: "1-1".to_owned(),
        key: Some(vec![7]),
        payload: vec![1; 8],
        content_type: "application/x-fixture".to_owned(),
        headers: vec![("h".to_owned(), vec![0, 255])],
        timestamp_ms: Some(-1),
        trace_parent: "00-1-2-01".to_owned(),
    };
    assert_eq!(batch.records[1], expected);
    let verdicts =
        [Verdict::Nack { delay: Duration::from_millis(7) }, Verdict::Reject { reason: "bad".to_owned() }];
    connector.settle(batch.token, &verdicts).unwrap();
    let told = String::from_utf8(connector.position("settled").unwrap()).unwrap();
    assert_eq!(told, format!("{:?}", [(batch.token, verdicts.to_vec())]));
    connector.pause().unwrap();
    connector.resume().unwrap();
    connector.check().unwrap();
    assert_eq!(connector.backlog().unwrap(), Some(11));
    assert_eq!(connector.health().state, HealthState::Degraded);
    assert_eq!(connector.endpoints().unwrap()[0].url, "fixture://it");
    assert_eq!(connector.drain(Duration::from_secs(5)).unwrap().records_left, 5);
    assert!(counted(&runtime, "fixture_calls_total") > 8.0);
    assert!(breaches(&runtime).abs() < f64::EPSILON);
}

/// Guards the answers of a publisher, a transport and an exporter.
#[test]
fn the_outbound_kinds_are_carried_over() {
    let runtime = with_fixture();
    let publisher = runtime.open_publisher("fixture", options("it", json!({}))).unwrap();
    let traits = publisher.traits().unwrap();
    assert_eq!((traits.records_max, traits.bytes_max), (1, 99));
    assert_eq!((traits.ordering, traits.idempotence), (Ordering::Key, Idempotence::Native));
    let record = |id: &str, first| Record { id: id.to_owned(), payload: vec![first], ..Record::default() };
    let records = [record("even", 2), record("odd", 3)];
    let views: Vec<RecordView<'_>> = records.iter().map(Record::view).collect();
    let answers = publisher.publish(&views, CONTEXT).unwrap();
    assert_eq!(answers[0], Ok(()));
    let error = answers[1].as_ref().unwrap_err();
    assert_eq!((error.class, error.message.as_str()), (ErrorClass::Permanent, "odd at attempt 4"));
    assert_eq!(error.retry_after, Some(CONTEXT.timeout));
    assert!(publisher.publish(&[], CONTEXT).unwrap().is_empty());
    publisher.flush(Duration::ZERO).unwrap();

    let transport = runtime.open_transport("fixture", options("it", json!({}))).unwrap();
    let cursor = transport.publish("topic", &views[0]).unwrap();
    assert_eq!(cursor.to_string(), "topic/even-1");
    runtime.open_exporter("fixture", options("it", json!({}))).unwrap().flush(Duration::ZERO).unwrap();
}

/// Guards errors of the plugin's own: class and text arrive, and only a fatal one fences.
#[test]
fn errors_keep_their_class() {
    let runtime = with_fixture();
    for class in [1, 2, 3, 4, 5, 6, 7, 99] {
        let config = json!({ "error_in": "flush", "error_class": class });
        let publisher = runtime.open_publisher("fixture", options("it", config)).unwrap();
        let error = publisher.flush(Duration::ZERO).unwrap_err();
        assert_eq!(error.class(), ErrorClass::from_code(class));
        let shown = "it (plugin fixture): flush: told to fail";
        assert_eq!(error.to_string(), shown);
        assert_eq!(publisher.check().is_err(), error.class() == ErrorClass::Fatal, "{class}");
        publisher.close().unwrap();
        assert_eq!(publisher.check().unwrap_err().error.message, "the component is closed");
        assert_eq!(publisher.health().detail, "closed");
    }
}

/// Guards that a bad configuration is refused with the path of the field, before any work.
#[test]
fn a_bad_configuration_names_the_field() {
    let runtime = with_fixture();
    for (config, part) in [
        (json!({ "records": -1 }), "config.records: invalid value: integer `-1`"),
        (json!({ "nonsense": 1 }), "config.nonsense: unknown field `nonsense`"),
        (json!([1, 2]), "config"),
        (json!(null), "config"),
    ] {
        let error = runtime.create_connector("fixture", options("it", config.clone())).err().unwrap();
        let RuntimeError::Component(error) = error else { panic!("{error}") };
        assert_eq!((error.method, error.class()), ("create", ErrorClass::Permanent));
        assert!(error.error.message.contains(part), "{config}: {}", error.error.message);
    }
}

/// Guards that a publisher which answers another number of results is not believed: perhaps all were
/// delivered.
#[test]
fn a_wrong_number_of_answers_is_unknown() {
    let runtime = with_fixture();
    for extra in [-1, 1, 1000] {
        let config = json!({ "answers_extra": extra });
        let publisher = runtime.open_publisher("fixture", options("it", config)).unwrap();
        let before = breaches(&runtime);
        let record = Record { id: "r".to_owned(), ..Record::default() };
        let error = publisher.publish(&[record.view()], CONTEXT).unwrap_err();
        assert_eq!((error.method, error.class()), ("publish", ErrorClass::Unknown));
        assert!(error.error.message.contains(&format!("{} answers for 1 records", 1 + extra)), "{error}");
        assert!((breaches(&runtime) - before - 1.0).abs() < f64::EPSILON);
        publisher.check().unwrap();
    }
}

/// Guards the memory budget: more than was asked for is given back to the source and fences the instance.
#[test]
fn a_fetch_beyond_its_limits_is_a_breach() {
    let runtime = with_fixture();
    let cases = [
        (json!({ "records": 11 }), "11 records; 10 were asked for"),
        (json!({ "records": 2, "payload_bytes": 501 }), "1002 bytes in 2 records; 1000 were asked for"),
        (json!({ "empty_ids": true }), "a record without an id"),
    ];
    for (config, part) in cases {
        let connector = runtime.open_connector("fixture", options("it", config)).unwrap();
        let before = breaches(&runtime);
        let error = connector.fetch(LIMITS).unwrap_err();
        assert_eq!((error.method, error.class()), ("fetch", ErrorClass::Fatal));
        assert!(error.error.message.contains(part), "{error}");
        assert!((breaches(&runtime) - before - 1.0).abs() < f64::EPSILON);
        assert!(connector.fetch(LIMITS).is_err());
    }
    // A single record above the limit is allowed, so that it can be refused by name.
    let config = json!({ "records": 1, "payload_bytes": 5000 });
    let connector = runtime.open_connector("fixture", options("it", config)).unwrap();
    assert!(matches!(connector.fetch(LIMITS).unwrap(), Fetch::Batch(_)));
    let end = runtime.open_connector("fixture", options("it", json!({ "records": 0 }))).unwrap();
    assert_eq!(end.fetch(LIMITS).unwrap(), Fetch::End);
}

/// Guards that a batch settles once, with one verdict for each record, and that the plugin does not even
/// see the others.
#[test]
fn settling_twice_is_refused() {
    let runtime = with_fixture();
    let memory = FaultMemory::here(1 << 20);
    let connector = runtime.open_connector("fixture", options("it", json!({}))).unwrap();
    let Fetch::Batch(batch) = connector.fetch(LIMITS).unwrap() else { panic!("a batch") };
    let verdicts = [Verdict::Ack, Verdict::Ack];
    let refused = std::cell::Cell::new(0);
    let message = |result: mfn_runtime::component::Result<()>| {
        refused.set(refused.get() + 1);
        result.unwrap_err().error.message
    };
    let few = message(connector.settle(batch.token, &verdicts[..1]));
    assert_eq!(few, "1 verdicts for the 2 records of token 1");
    connector.settle(batch.token, &verdicts).unwrap();
    let twice = message(connector.settle(batch.token, &verdicts));
    assert_eq!(twice, "token 1 is not outstanding; a batch settles once");
    let told = String::from_utf8(connector.position("settled").unwrap()).unwrap();
    assert_eq!(told.matches("BatchToken(1)").count(), 1);
    connector.check().unwrap();
    FaultRow { number: 13, struck: refused.get(), ..FaultRow::default() }.report(memory);
}

/// Guards that a settlement which the source could not make durable can be tried again.
#[test]
fn a_failed_settlement_can_be_repeated() {
    let runtime = with_fixture();
    let config = json!({ "error_in": "settle" });
    let connector = runtime.open_connector("fixture", options("it", config)).unwrap();
    let Fetch::Batch(batch) = connector.fetch(LIMITS).unwrap() else { panic!("a batch") };
    for _ in 0..2 {
        let error = connector.settle(batch.token, &[Verdict::Ack, Verdict::Ack]).unwrap_err();
        assert_eq!((error.class(), error.error.message.as_str()), (ErrorClass::Retryable, "told to fail"));
    }
}

/// Guards against a connector that brings two batches under one token, and against long positions.
#[test]
fn tokens_and_positions_are_checked() {
    let runtime = with_fixture();
    let config = json!({ "repeat_token": true, "position_bytes": 4097 });
    let connector = runtime.open_connector("fixture", options("it", config)).unwrap();
    let error = connector.position("p").unwrap_err();
    assert!(error.error.message.contains("4097 bytes; 4096 at most"), "{error}");
    connector.fetch(LIMITS).unwrap();
    let error = connector.fetch(LIMITS).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Fatal);
    assert!(error.error.message.contains("token 0 came while it was outstanding"), "{error}");
    assert!((breaches(&runtime) - 2.0).abs() < f64::EPSILON);
}

/// Guards that a dropped component is closed: here the close fails, which the log tells.
#[test]
fn a_dropped_component_is_closed() {
    let (runtime, lines) = crate::fixtures::runtime(mfn_runtime::LogLevel::Warn);
    runtime.load_plugin(&crate::fixtures::library("fixture_plugin")).unwrap();
    let config = json!({ "error_in": "close" });
    drop(runtime.open_publisher("fixture", options("it", config)).unwrap());
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].message.contains("close: told to fail"), "{}", lines[0].message);
}
