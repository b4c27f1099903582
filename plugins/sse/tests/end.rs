//! The end: drained clients have everything and a last comment; nothing stays behind.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::Component,
    value::{Drained, ErrorClass, HealthState},
};
use serde_json::json;
use support::{Got, Served, sequence};

/// Guards the drain: what was published reaches the clients that read, then the stream ends in order; what
/// comes later is refused.
#[test]
fn a_drain_delivers_what_waits_and_says_goodbye() {
    let mut served = Served::open(json!({ "client_events_max": 5_000 }));
    let mut live = served.connect("/events", None).greeted();
    let reading = std::thread::spawn(move || {
        let mut numbers = Vec::new();
        loop {
            match live.next() {
                Got::Message { id, .. } => numbers.push(sequence(&id)),
                Got::Comment(text) => assert_eq!(text, "end of stream"),
                Got::End => return numbers,
                Got::Broken => panic!("the stream broke off"),
            }
        }
    });
    for number in 1..=3_000 {
        served.publish("a", &number.to_string());
    }
    let begin = Instant::now();
    assert_eq!(served.transport.drain(Duration::from_secs(10)).unwrap(), Drained { records_left: 0 });
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert_eq!(reading.join().unwrap(), (1..=3_000).collect::<Vec<_>>());
    assert_eq!(served.try_publish("a", b"late").unwrap_err().class, ErrorClass::Cancelled);
    assert_eq!(served.transport.health().state, HealthState::Down);
    served.transport.close().unwrap();
    served.transport.close().unwrap();
}

/// Guards the deadline: a client that does not read cannot hold the end up, and what it did not get is counted.
#[test]
fn a_drain_ends_at_its_deadline() {
    let config =
        json!({ "client_events_max": 5_000, "client_bytes_max": 1 << 30, "ring_bytes_max": 1 << 30 });
    let mut served = Served::open(config);
    let _stuck = served.connect("/events", None).greeted();
    for _ in 0..500 {
        served.publish("a", &"x".repeat(64 * 1024));
    }
    let begin = Instant::now();
    let drained = served.transport.drain(Duration::from_millis(500)).unwrap();
    let time = begin.elapsed();
    assert!(time >= Duration::from_millis(450) && time < Duration::from_secs(2), "{time:?}");
    assert!((1..500).contains(&drained.records_left), "{drained:?}");
}

/// Guards closing without a drain: clients get an end in order, no thread stays, and the port is free again.
#[test]
fn closing_leaves_nothing_behind() {
    let mut served = Served::open_as("closing", json!({}));
    let mut live = served.connect("/events", None).greeted();
    assert_eq!(threads("mfn-closing"), 1);
    served.transport.close().unwrap();
    assert_eq!(threads("mfn-closing"), 0);
    assert_eq!(live.next(), Got::Comment("end of stream".to_owned()));
    assert_eq!(live.next(), Got::End);
    assert!(served.transport.endpoints().is_empty());
    let again = Served::open(json!({ "bind": served.address.to_string() }));
    again.connect("/events", None).greeted();
}

/// How many threads of this process have that name.
fn threads(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let comm = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.filter_map(Result::ok).map(comm).filter(|comm| comm.trim() == name).count()
}
