//! A plugin that panics in each method: the host lives, the instance is fenced, and a typed error says
//! which component, plugin and method it was.

use std::time::Duration;

use mfn_plugin::testing::{FaultMemory, FaultRow};
use mfn_plugin::value::{
    BatchToken, ErrorClass, Fetch, FetchLimits, HealthState, PublishContext, Record, Verdict,
};
use mfn_runtime::{
    RuntimeError,
    component::{Component, ComponentError, Connector, Exporter, Publisher, Transport},
};

use crate::fixtures::{options, panicking_in, with_fixture};

const LIMITS: FetchLimits = FetchLimits { records_max: 10, bytes_max: 1000, timeout: Duration::ZERO };
const CONTEXT: PublishContext = PublishContext { attempt: 1, timeout: Duration::ZERO };

fn record() -> Record {
    Record { id: "r".to_owned(), ..Record::default() }
}

/// What a few instances may take; each panic that is caught has its message and its place.
const INSTANCES_BYTES: u64 = 1 << 20;

type Call<T> = (&'static str, fn(&T) -> Option<ComponentError>);

/// Calls of every kind's life.
fn life<T: Component + ?Sized>() -> Vec<Call<T>> {
    vec![
        ("open", |c| c.open().err()),
        ("check", |c| c.check().err()),
        ("endpoints", |c| c.endpoints().err()),
        ("drain", |c| c.drain(Duration::ZERO).err()),
    ]
}

/// Runs one method that was told to panic, and checks what is left of the instance; gives how often it panicked.
fn check_fence<T: Component + ?Sized>(component: &T, (method, call): Call<T>) -> u64 {
    let first = call(component).unwrap_or_else(|| panic!("{method} did not fail"));
    assert_eq!((first.component.as_str(), first.plugin.as_str(), first.method), ("it", "fixture", method));
    assert_eq!(first.class(), ErrorClass::Fatal);
    assert_eq!(first.error.message, format!("panicked in {method}: told to panic"));

    let next = component.check().unwrap_err();
    assert_eq!(next.class(), ErrorClass::Fatal);
    assert!(next.error.message.contains(&format!("panicked in {method}: told to panic")), "{next}");
    let health = component.health();
    assert_eq!(health.state, HealthState::Down);
    assert!(health.detail.contains(method), "{}", health.detail);
    component.close().unwrap();
    component.close().unwrap();
    u64::from(first.error.message.starts_with("panicked"))
}

/// Guards every method of a connector.
#[test]
fn connector() {
    let runtime = with_fixture();
    let (memory, mut struck) = (FaultMemory::here(INSTANCES_BYTES), 0);
    let own: [Call<dyn Connector>; 6] = [
        ("fetch", |c| c.fetch(LIMITS).err()),
        ("position", |c| c.position("p").err()),
        ("pause", |c| c.pause().err()),
        ("resume", |c| c.resume().err()),
        ("backlog", |c| c.backlog().err()),
        ("settle", |c| {
            let Fetch::Batch(batch) = c.fetch(LIMITS).unwrap() else { panic!("a batch") };
            c.settle(batch.token, &[Verdict::Ack, Verdict::Ack]).err()
        }),
    ];
    for call in life().into_iter().chain(own) {
        let connector = runtime.create_connector("fixture", panicking_in(call.0)).unwrap();
        struck += check_fence(&*connector, call);
    }
    assert_eq!(struck, 10);
    FaultRow { number: 13, struck, ..FaultRow::default() }.report(memory);
}

/// Guards every method of a publisher.
#[test]
fn publisher() {
    let runtime = with_fixture();
    let (memory, mut struck) = (FaultMemory::here(INSTANCES_BYTES), 0);
    let own: [Call<dyn Publisher>; 3] = [
        ("traits", |p| p.traits().err()),
        ("publish", |p| p.publish(&[record().view()], CONTEXT).err()),
        ("flush", |p| p.flush(Duration::ZERO).err()),
    ];
    for call in life().into_iter().chain(own) {
        let publisher = runtime.create_publisher("fixture", panicking_in(call.0)).unwrap();
        struck += check_fence(&*publisher, call);
    }
    assert_eq!(struck, 7);
    FaultRow { number: 13, struck, ..FaultRow::default() }.report(memory);
}

/// Guards every method of a transport and an exporter.
#[test]
fn transport_and_exporter() {
    let runtime = with_fixture();
    let own: [Call<dyn Transport>; 1] = [("publish", |t| t.publish("t", &record().view()).err())];
    for call in life().into_iter().chain(own) {
        let transport = runtime.create_transport("fixture", panicking_in(call.0)).unwrap();
        check_fence(&*transport, call);
    }
    let own: [Call<dyn Exporter>; 1] = [("flush", |e| e.flush(Duration::ZERO).err())];
    for call in life().into_iter().chain(own) {
        let exporter = runtime.create_exporter("fixture", panicking_in(call.0)).unwrap();
        check_fence(&*exporter, call);
    }
}

/// Guards the ends of an instance's life: creation, closing and destruction.
#[test]
fn create_close_and_drop() {
    let runtime = with_fixture();
    let error = runtime.create_publisher("fixture", panicking_in("create")).err().unwrap();
    let RuntimeError::Component(error) = error else { panic!("{error}") };
    assert_eq!((error.method, error.class()), ("create", ErrorClass::Fatal));
    assert_eq!(error.error.message, "panicked in create: told to panic");

    let publisher = runtime.open_publisher("fixture", panicking_in("close")).unwrap();
    let error = publisher.close().unwrap_err();
    assert_eq!((error.method, error.class()), ("close", ErrorClass::Fatal));
    publisher.close().unwrap();

    let broken = options("it", serde_json::json!({ "panic_in_drop": true }));
    drop(runtime.open_publisher("fixture", broken).unwrap());
    // The runtime and the plugin still serve.
    runtime.open_publisher("fixture", options("it", serde_json::json!({}))).unwrap();
}

/// Guards that a broken health answer costs nothing but itself, and that one instance's panic leaves the
/// others alone.
#[test]
fn others_go_on() {
    let runtime = with_fixture();
    let silent = runtime.create_publisher("fixture", panicking_in("health")).unwrap();
    assert_eq!(silent.health().state, HealthState::Starting);
    let healthy = runtime.open_connector("fixture", options("healthy", serde_json::json!({}))).unwrap();
    let broken = runtime.open_connector("fixture", panicking_in("fetch")).unwrap();
    broken.fetch(LIMITS).unwrap_err();
    assert!(broken.settle(BatchToken(1), &[]).is_err());
    assert!(matches!(healthy.fetch(LIMITS).unwrap(), Fetch::Batch(_)));
}
