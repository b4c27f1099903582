//! Slow clients: publishing does not wait for them, and what they do not get they are told exactly.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use support::{EventSource, Got, Served, sequence};

/// Far more than the socket buffers of both sides hold.
const EVENTS: u64 = 600;
const PAYLOAD_BYTES: usize = 64 * 1024;

/// A publisher that waited for a client would wait for the write time-out of 30 s; the rest is for a busy machine.
const PUBLISH_MAX: Duration = Duration::from_secs(3);

/// Publishes to topics `0` to `topics - 1` in turn; gives the longest time that one call took.
fn flood(served: &mut Served, topics: u64) -> Duration {
    let mut longest = Duration::ZERO;
    for number in 0..EVENTS {
        let payload = format!("{number} {}", "x".repeat(PAYLOAD_BYTES));
        let begin = Instant::now();
        served.publish(&(number % topics).to_string(), &payload);
        longest = longest.max(begin.elapsed());
    }
    longest
}

/// What a client that wakes up late reads: the sequence numbers, and the gaps by where they stand.
fn read_to(source: &mut EventSource, last: u64) -> (Vec<u64>, BTreeMap<u64, u64>) {
    let (mut numbers, mut gaps) = (Vec::new(), BTreeMap::new());
    while numbers.last() != Some(&last) {
        let (id, event, data) = source.message();
        if event == "gap" {
            let notice: Value = serde_json::from_str(&data).unwrap();
            assert!(gaps.insert(sequence(&id), notice["dropped"].as_u64().unwrap()).is_none());
        } else {
            numbers.push(sequence(&id));
        }
    }
    (numbers, gaps)
}

/// Sees that each gap covers exactly the numbers before its own. Says how many those are.
fn dropped_between(first: u64, last: u64, numbers: &[u64], gaps: &BTreeMap<u64, u64>) -> u64 {
    let mut expected = Vec::new();
    let mut next = first;
    for (end, count) in gaps {
        expected.extend(next..=end - count);
        next = end + 1;
    }
    expected.extend(next..=last);
    assert_eq!(numbers, expected, "{gaps:?}");
    gaps.values().sum()
}

/// Guards the default: a client that does not read is disconnected, the publisher does not notice, and
/// the client gets everything when it comes back.
#[test]
fn a_client_that_does_not_read_is_disconnected() {
    let mut served = Served::open(json!({ "client_events_max": 16, "ring_bytes_max": 1 << 30 }));
    let mut stuck = served.connect("/events", None).greeted();
    let mut reader = served.connect("/events", None).greeted();
    let address = served.address;
    let reading = std::thread::spawn(move || {
        let mut numbers = Vec::new();
        while numbers.last() != Some(&EVENTS) {
            match reader.next() {
                Got::Message { id, .. } => numbers.push(sequence(&id)),
                Got::Broken => {
                    let cursor = reader.last_event_id.clone();
                    reader = EventSource::connect(address, "/events", Some(&cursor)).unwrap();
                }
                Got::Comment(_) => {}
                Got::End => panic!("the server ended the stream"),
            }
        }
        numbers
    });
    let longest = flood(&mut served, 1);
    assert!(longest < PUBLISH_MAX, "a publish took {longest:?}");
    assert_eq!(reading.join().unwrap(), (1..=EVENTS).collect::<Vec<_>>(), "the neighbour lost nothing");
    assert!(served.memory.number("mfn_transport_overflow_disconnects_total", &[]) >= 1.0);
    // It is gone although it still does not read, and long before the write time-out of 30 s.
    served.await_metric("mfn_transport_clients", 0.0);
    let mut numbers = Vec::new();
    loop {
        match stuck.next() {
            Got::Message { id, event, .. } => {
                assert_eq!(event, "0");
                numbers.push(sequence(&id));
            }
            Got::Comment(_) => {}
            Got::Broken => break,
            Got::End => panic!("the server ended the stream in order"),
        }
    }
    assert!((numbers.len() as u64) < EVENTS, "it was disconnected before the end");
    let mut back = served.connect("/events", Some(&stuck.last_event_id));
    let (rest, gaps) = read_to(&mut back, EVENTS);
    numbers.extend(rest);
    assert_eq!(numbers, (1..=EVENTS).collect::<Vec<_>>());
    assert!(gaps.is_empty());
}

/// Guards the count: what a slow client gets and what it is told it did not get are together exactly what
/// was published, and each gap stands where its events stood.
#[test]
fn drop_oldest_announces_every_event_it_drops() {
    let mut served = Served::open(json!({ "client_events_max": 16, "overflow": "drop_oldest" }));
    let mut slow = served.connect("/events", None).greeted();
    let longest = flood(&mut served, 3);
    assert!(longest < PUBLISH_MAX, "a publish took {longest:?}");
    let (numbers, gaps) = read_to(&mut slow, EVENTS);
    assert!(!gaps.is_empty(), "nothing was dropped, so this shows nothing");
    let dropped = dropped_between(1, EVENTS, &numbers, &gaps);
    assert_eq!(served.memory.number("mfn_transport_dropped_events_total", &[]), dropped as f64);
    assert_eq!(served.memory.number("mfn_transport_overflow_disconnects_total", &[]), 0.0);
}

/// Guards the policy for state: however slow a client is, it ends with the newest event of each topic, and
/// the count is exact here too.
#[test]
fn keep_latest_ends_with_the_newest_of_each_topic() {
    let topics = 7;
    let mut served = Served::open(json!({ "client_events_max": 16, "overflow": "keep_latest" }));
    let mut slow = served.connect("/events", None).greeted();
    flood(&mut served, topics);
    let (numbers, gaps) = read_to(&mut slow, EVENTS);
    let dropped: u64 = gaps.values().sum();
    assert!(dropped > 0);
    assert_eq!(numbers.len() as u64 + dropped, EVENTS);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    let newest: Vec<u64> = (EVENTS - topics + 1..=EVENTS).collect();
    assert!(numbers.ends_with(&newest));
}

/// Guards a client that catches up more slowly than the ring turns: what it misses is counted in a gap each time that the
/// ring overtakes it, or with the default it is disconnected; never a silent hole.
#[test]
fn a_ring_that_overtakes_a_catching_up_client_is_announced() {
    let config = json!({
        "ring_events_max": 64, "ring_bytes_max": 1 << 30, "client_events_max": 1_000,
        "client_bytes_max": 1 << 30, "overflow": "drop_oldest",
    });
    let mut served = Served::open(config);
    for _ in 0..64 {
        served.publish("t", &"x".repeat(PAYLOAD_BYTES * 8));
    }
    let cursor = served.publish("t", "x");
    let back = format!("{}-{}", cursor.epoch, cursor.sequence - 60);
    let mut slow = served.connect("/events", Some(&back)).greeted();
    for _ in 0..EVENTS {
        served.publish("t", "y");
    }
    let last = cursor.sequence + EVENTS;
    let (numbers, gaps) = read_to(&mut slow, last);
    assert!(!gaps.is_empty(), "the sockets hold the 30 MiB it had to catch up, so this shows nothing");
    let dropped = dropped_between(cursor.sequence - 59, last, &numbers, &gaps);
    assert_eq!(served.memory.number("mfn_transport_dropped_events_total", &[]), dropped as f64);
}
