//! Coming back: with a cursor a client misses nothing and sees nothing twice, or is told once that it has to
//! start anew.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use support::{EventSource, Got, Served, sequence};

const EVENTS: u64 = 20_000;
const TOPICS: [&str; 3] = ["a", "b", "c"];

/// A small generator of its own, so that a failure can be run again (Marsaglia 2003, xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What one restless client saw: the numbers in the payloads, and how often it connected.
struct Seen {
    numbers: Vec<u64>,
    connections: u64,
}

/// Whether an event with that number is for a client.
type Wanted = fn(u64) -> bool;

/// Connects, reads some, hangs up at random, comes back with its cursor, until it has the last event.
fn restless(address: std::net::SocketAddr, path: &str, first: EventSource, last: u64, seed: u64) -> Seen {
    let mut random = Random(seed);
    let mut seen = Seen { numbers: Vec::new(), connections: 1 };
    let mut source = first;
    loop {
        let patience = random.below(800);
        for _ in 0..patience {
            match source.next() {
                Got::Message { id, event, data } => {
                    assert!(TOPICS.contains(&event.as_str()), "a notice where none is due: {event} {data}");
                    let number: u64 = data.parse().unwrap();
                    assert_eq!(sequence(&id), number);
                    seen.numbers.push(number);
                    if number == last {
                        return seen;
                    }
                }
                Got::Comment(_) => {}
                Got::End => panic!("the server ended the stream"),
                // Disconnected because it was too slow, which is the default; it comes back.
                Got::Broken => break,
            }
        }
        let cursor = source.last_event_id.clone();
        drop(source);
        source = EventSource::connect(address, path, Some(&cursor)).unwrap();
        seen.connections += 1;
    }
}

/// Guards the promise of the transport: during a run of 20,000 events, clients with and without a
/// filter that hang up at random places and come back see each event of their topics once, in order.
#[test]
fn restless_clients_miss_nothing_and_see_nothing_twice() {
    let mut served = Served::open(json!({ "ring_events_max": 30_000, "client_events_max": 256 }));
    let address = served.address;
    let paths: [(&str, Wanted); 4] = [
        ("/events", |_| true),
        ("/events?topic=a", |number| number % 3 == 0),
        ("/events/c?topic=b", |number| number % 3 != 0),
        ("/events?topic=b&topic=a&topic=c", |_| true),
    ];
    let clients: Vec<_> = (1..)
        .zip(paths)
        .map(|(seed, (path, wants))| {
            let first = EventSource::connect(address, path, None).unwrap().greeted();
            let wanted: Vec<u64> = (1..=EVENTS).filter(|number| wants(*number)).collect();
            let last = *wanted.last().unwrap();
            (wanted, std::thread::spawn(move || restless(address, path, first, last, seed * 7919)))
        })
        .collect();
    for number in 1..=EVENTS {
        let topic = TOPICS[usize::try_from(number % 3).unwrap()];
        assert_eq!(served.publish(topic, &number.to_string()).sequence, number);
        if number % 100 == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    for (wanted, client) in clients {
        let seen = client.join().unwrap();
        assert!(seen.connections > 5, "only {} connections", seen.connections);
        assert!(seen.numbers == wanted, "missed or repeated: {} of {}", seen.numbers.len(), wanted.len());
    }
    assert_eq!(served.memory.number("mfn_transport_resyncs_total", &[]), 0.0);
    assert_eq!(served.memory.number("mfn_transport_dropped_events_total", &[]), 0.0);
    assert_eq!(served.memory.number("mfn_transport_events_total", &[]), 20_000.0);
    served.await_metric("mfn_transport_clients", 0.0);
}

/// Guards the moment between the greeting and the first event: the greeting's cursor covers it.
#[test]
fn a_client_that_saw_no_event_yet_can_come_back() {
    let mut served = Served::open(json!({}));
    served.publish("a", "before");
    let source = served.connect("/events", None).greeted();
    let cursor = source.last_event_id.clone();
    assert_eq!(sequence(&cursor), 1);
    drop(source);
    served.publish("a", "meanwhile");
    let mut source = served.connect("/events", Some(&cursor));
    assert_eq!(source.message().2, "meanwhile");
    // The same by query, for a first connect; the header is the newer one.
    let mut source = served.connect(&format!("/events?last_event_id={cursor}"), None);
    assert_eq!(source.message().2, "meanwhile");
    let newer = source.last_event_id.clone();
    let mut source = served.connect(&format!("/events?last_event_id={cursor}"), Some(&newer));
    served.publish("a", "after");
    assert_eq!(source.message().2, "after");
}

/// Reads one resync and what follows it up to the event with `last`.
fn after_resync(source: &mut EventSource, last: u64) -> (Value, Vec<u64>) {
    let (_, event, data) = source.message();
    assert_eq!(event, "resync");
    let notice = serde_json::from_str(&data).unwrap();
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let (id, event, _) = source.message();
        assert_ne!(event, "resync", "the second resync");
        numbers.push(sequence(&id));
    }
    (notice, numbers)
}

/// Guards the other half of the promise: a cursor that cannot be continued gets exactly one resync with what
/// is known of the loss, then everything that is kept, then what comes.
#[test]
fn a_cursor_that_cannot_be_continued_gets_one_resync() {
    let mut served = Served::open(json!({ "ring_events_max": 10 }));
    let mut epoch = String::new();
    for number in 1..=100 {
        let topic = if number % 2 == 0 { "even" } else { "odd" };
        epoch = served.publish(topic, &number.to_string()).epoch;
    }
    let notice = |reason: &str, lost: Option<u64>, lost_max: Option<u64>| json!({ "reason": reason, "lost": lost, "lost_max": lost_max });
    let kept: Vec<u64> = (91..=100).collect();
    let cases = [
        (format!("{epoch}-5"), notice("overrun", Some(85), Some(85))),
        (format!("{epoch}-0"), notice("overrun", Some(90), Some(90))),
        (format!("{epoch}-89"), notice("overrun", Some(1), Some(1))),
        ("0123456789abcdef-95".to_owned(), notice("epoch", None, None)),
        (format!("{epoch}-101"), notice("malformed", None, None)),
        ("rubbish".to_owned(), notice("malformed", None, None)),
        ("\u{fc}-\u{e4}".to_owned(), notice("malformed", None, None)),
    ];
    for (cursor, expected) in &cases {
        let mut source = served.connect("/events", Some(cursor));
        assert_eq!(after_resync(&mut source, 100), (expected.clone(), kept.clone()), "{cursor}");
    }
    let mut filtered = served.connect("/events/even", Some(&format!("{epoch}-5")));
    let (notice_filtered, numbers) = after_resync(&mut filtered, 100);
    assert_eq!(
        notice_filtered,
        notice("overrun", None, Some(85)),
        "which of the lost were even is not known"
    );
    assert_eq!(numbers, [92, 94, 96, 98, 100]);
    // The edge: the first event that is kept is the next one.
    let mut exact = served.connect("/events", Some(&format!("{epoch}-90")));
    assert_eq!(exact.message().2, "91");
    assert_eq!(served.memory.number("mfn_transport_resyncs_total", &[]), cases.len() as f64 + 1.0);
}

/// Guards "exactly one" across connections: the resync carries the cursor to go on from, so a client
/// that is cut off right after it does not get another.
#[test]
fn a_resync_is_not_repeated_after_a_reconnect() {
    let mut served = Served::open(json!({ "ring_events_max": 10 }));
    let epoch = served.publish("a", "1").epoch;
    for number in 2..=50 {
        served.publish("a", &number.to_string());
    }
    let mut source = served.connect("/events", Some(&format!("{epoch}-1")));
    let (cursor, event, _) = source.message();
    assert_eq!(event, "resync");
    drop(source);
    let mut source = served.connect("/events", Some(&cursor));
    for number in 41..=50 {
        assert_eq!(source.message().2, number.to_string());
    }
    assert_eq!(served.memory.number("mfn_transport_resyncs_total", &[]), 1.0);
}

/// Guards clients of quiet topics: heartbeats are comments, and they move the cursor on, so that other
/// topics' traffic does not make it too old.
#[test]
fn heartbeats_keep_a_quiet_client_up_to_date() {
    let mut served = Served::open(json!({ "ring_events_max": 10, "heartbeat_ms": 50, "retry_ms": 321 }));
    let mut quiet = served.connect("/events/quiet", None).greeted();
    assert_eq!(quiet.retry_ms, Some(321));
    for number in 1..=100 {
        served.publish("loud", &number.to_string());
    }
    while sequence(&quiet.last_event_id) < 100 {
        assert_eq!(quiet.next(), Got::Comment("heartbeat".to_owned()));
    }
    let cursor = quiet.last_event_id.clone();
    drop(quiet);
    let mut quiet = served.connect("/events/quiet", Some(&cursor));
    served.publish("quiet", "now");
    assert_eq!(quiet.message().2, "now");
    assert_eq!(served.memory.number("mfn_transport_resyncs_total", &[]), 0.0);
}

/// Guards the epoch: a second life of the transport does not take the cursors of the first for its own.
#[test]
fn a_restart_is_noticed() {
    let mut first = Served::open(json!({}));
    let old = first.publish("a", "old");
    drop(first);
    let mut second = Served::open(json!({}));
    second.publish("a", "new");
    let mut source = second.connect("/events", Some(&old.to_string()));
    let (notice, numbers) = after_resync(&mut source, 1);
    assert_eq!((notice["reason"].as_str(), numbers), (Some("epoch"), vec![1]));
}

/// Guards against a client thread that outlives the publisher: many clients come and go while events flow,
/// and all are forgotten.
#[test]
fn clients_that_vanish_are_forgotten() {
    let mut served = Served::open(json!({}));
    let stop = Arc::new(AtomicBool::new(false));
    let address = served.address;
    let comers: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut count: u64 = 0;
                while !stop.load(Ordering::Relaxed) {
                    // Refused where the server has not noticed yet that the others are gone.
                    count += u64::from(EventSource::connect(address, "/events", None).is_ok());
                }
                count
            })
        })
        .collect();
    for number in 0..2_000 {
        served.publish("a", &number.to_string());
        if number % 20 == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let connections: u64 = comers.into_iter().map(|comer| comer.join().unwrap()).sum();
    assert!(connections > 20, "only {connections}");
    served.await_metric("mfn_transport_clients", 0.0);
}

/// Guards the choice for a client without a cursor: it begins with what comes next, or with the oldest
/// event that is kept, so that a stream can still be read when the run is over.
#[test]
fn a_first_client_begins_where_the_configuration_says() {
    for (config, first) in [
        (json!({}), 4),
        (json!({ "first_event": "oldest" }), 1),
        (json!({ "first_event": "oldest", "ring_events_max": 2 }), 2),
    ] {
        let mut served = Served::open(config.clone());
        for number in 1..=3 {
            served.publish("a", &number.to_string());
        }
        let mut client = served.connect("/events", None);
        // The greeting is made when the client is admitted; what is published after it comes in any case.
        client = client.greeted();
        served.publish("a", "4");
        let seen: Vec<u64> = (first..=4).map(|_| client.message().2.parse().unwrap()).collect();
        assert_eq!(seen, (first..=4).collect::<Vec<u64>>(), "{config}");
    }
}
