//! Who may stream and what can be published.
#![allow(clippy::unwrap_used)]

mod support;

use mfn_listener::testing;
use mfn_plugin::{
    author::Component,
    testing::MemoryHost,
    value::{ErrorClass, HealthState},
};
use mfn_plugin_sse::SseTransport;
use serde_json::json;
use support::{EventSource, Served};

/// Guards the fields of a message on their way through: text with line ends and other scripts arrives as
/// it was, the topic is the event's name, and the cursor that was returned is its id.
#[test]
fn a_message_arrives_as_it_was_published() {
    let mut served = Served::open(json!({}));
    let mut source = served.connect("/events", None).greeted();
    for payload in ["{\"a\":1}", "", "one\ntwo\n\n  three\n", "id: 7\n\ndata: x", "Φυσαρόλη 🍄"] {
        let cursor = served.publish("snapshots", payload).to_string();
        assert_eq!(source.message(), (cursor, "snapshots".to_owned(), payload.to_owned()));
    }
}

/// Guards the refusals: what cannot be sent is a permanent error of that event, takes no number, and the
/// stream goes on.
#[test]
fn what_cannot_be_sent_is_a_permanent_error() {
    let mut served = Served::open(json!({ "event_bytes_max": 256 }));
    for (topic, payload) in
        [("a\nb", &b"x"[..]), ("", b"x"), ("gap", b"x"), ("a", b"\xff"), ("a", &[b'x'; 300])]
    {
        let error = served.try_publish(topic, payload).unwrap_err();
        assert_eq!(error.class, ErrorClass::Permanent, "{error}");
    }
    assert_eq!(served.publish("a", "x").sequence, 1);
}

/// Guards the bound on clients: the one too many is told when to come back, and is counted.
#[test]
fn clients_are_capped() {
    let served = Served::open(json!({ "clients_max": 2 }));
    let first = served.connect("/events", None).greeted();
    let _second = served.connect("/events", None).greeted();
    let reply = testing::get(served.address, "/events", &[("connection", "close")]).unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")));
    let rejected =
        served.memory.number("mfn_transport_rejected_connections_total", &[("reason", "clients_max")]);
    assert_eq!(rejected, 1.0);
    served.await_metric("mfn_transport_clients", 2.0);
    drop(first);
    served.await_metric("mfn_transport_clients", 1.0);
    served.connect("/events", None).greeted();
}

/// Guards the door of the stream: with a credential, without one, and CORS as configured.
#[test]
fn the_stream_is_guarded() {
    let key = "an-api-key-of-some-length";
    let config = json!({ "auth": { "api_key": key }, "cors_origins": ["https://friend.example"] });
    let served = Served::open(config);
    assert_eq!(testing::get(served.address, "/events", &[]).unwrap().status, 401);
    assert!(EventSource::connect(served.address, "/events", None).is_err());
    let headers = [("x-api-key", key), ("origin", "https://friend.example")];
    let answer = testing::Answer::open(served.address, "GET", "/events", &headers).unwrap();
    assert_eq!(answer.reply.status, 200);
    assert_eq!(answer.reply.header("access-control-allow-origin"), Some("https://friend.example"));
    assert_eq!(answer.reply.header("cache-control"), Some("no-store"));
    let open = Served::open(json!({}));
    let answer =
        testing::Answer::open(open.address, "GET", "/events", &[("origin", "https://friend.example")])
            .unwrap();
    assert_eq!(answer.reply.header("access-control-allow-origin"), None);
}

/// Guards the routes against requests that are not theirs.
#[test]
fn other_requests_are_refused() {
    let served = Served::open(json!({}));
    let status = |method, path: &str| testing::request(served.address, method, path, &[]).unwrap().status;
    assert_eq!(status("GET", "/"), 404);
    assert_eq!(status("GET", "/events/"), 404);
    assert_eq!(status("GET", "/events/a/b"), 404);
    assert_eq!(status("POST", "/events"), 405);
    assert_eq!(status("HEAD", "/events"), 200);
    for bad in ["/events?topics=a", "/events?topic=", "/events?topic=resync", "/events/%0a", "/events/%ff"] {
        assert_eq!(status("GET", bad), 400, "{bad}");
    }
    served.await_metric("mfn_transport_clients", 0.0);
}

/// Guards the checks of the configuration, which all come before any I/O.
#[test]
fn configurations_are_checked_when_created() {
    let create = |config: serde_json::Value| {
        let host = MemoryHost::new().instance("live", std::path::Path::new("/"));
        SseTransport::create(serde_json::from_value(config).unwrap(), host)
            .map(|transport| transport.health())
    };
    assert_eq!(create(json!({})).unwrap().state, HealthState::Starting);
    for (config, start) in [
        (json!({ "bind": "0.0.0.0:7420" }), "bind: 0.0.0.0:7420 can be reached"),
        (json!({ "bind": "here" }), "bind: \"here\" is not"),
        (json!({ "heartbeat_ms": 0 }), "heartbeat_ms: 0 is not in 10..=600000"),
        (json!({ "clients_max": 500 }), "clients_max: 500 is not in 1..=127"),
        (json!({ "limits": { "connections_max": 0 } }), "limits.connections_max: 0 is not in"),
        (json!({ "cors_origins": ["x"] }), "cors_origins: \"x\" is not an origin"),
        (json!({ "auth": { "bearer_token": "short" } }), "auth.bearer_token: a credential has"),
    ] {
        let error = create(config).unwrap_err();
        assert_eq!(error.class, ErrorClass::Permanent);
        assert!(error.message.starts_with(start), "{}", error.message);
    }
}

/// Guards `check`: it finds an address that is taken, before and after opening.
#[test]
fn check_finds_an_address_in_use() {
    let mut served = Served::open(json!({}));
    served.transport.check().unwrap();
    let config = json!({ "bind": served.address.to_string() });
    let host = MemoryHost::new().instance("second", std::path::Path::new("/"));
    let mut second = SseTransport::create(serde_json::from_value(config).unwrap(), host).unwrap();
    assert!(second.check().is_err());
    assert!(second.open().is_err());
    second.close().unwrap();
}
