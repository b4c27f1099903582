//! A stream of numbered records that goes on while faults are injected, and the judgement over what was received.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mfn_plugin::{
    author::{Component, Publisher},
    testing::MemoryHost,
    value::{Batch, PublishContext, Record, RecordView},
};
use serde_json::json;

use crate::support::{Brokers, publisher};

const KEYS: u64 = 16;
/// Records of one call.
const TOGETHER: u64 = 10;

/// Publishes records 0, 1, 2, .. to a topic, with a few keys, until it is stopped. What is not delivered is published
/// again before anything else, as the runtime does.
pub(crate) struct Writer {
    must_stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Writer {
    pub(crate) fn start(cluster: &impl Brokers, topic: &str, pause: Duration) -> Self {
        let (must_stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut target = publisher(&MemoryHost::new(), cluster, json!({ "topic": topic }));
        let (stop, count) = (Arc::clone(&must_stop), Arc::clone(&written));
        let thread = thread::spawn(move || {
            let mut next = 0;
            while !stop.load(Ordering::Acquire) {
                let mut left: Vec<Record> = (next..next + TOGETHER).map(numbered).collect();
                next += TOGETHER;
                while !left.is_empty() {
                    let views: Vec<RecordView<'_>> = left.iter().map(Record::view).collect();
                    let context = PublishContext { attempt: 1, timeout: Duration::from_secs(1) };
                    let Ok(answers) = target.publish(&views, context) else { continue };
                    let mut done = answers.iter().map(Result::is_ok);
                    left.retain(|_| !done.next().unwrap());
                }
                count.store(next, Ordering::Release);
                thread::sleep(pause);
            }
            target.close().unwrap();
        });
        Self { must_stop, written, thread }
    }

    /// How many records are delivered.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Ends it; gives the number of records, all of them delivered.
    pub(crate) fn stop(self) -> u64 {
        self.must_stop.store(true, Ordering::Release);
        self.thread.join().unwrap();
        self.written.load(Ordering::Acquire)
    }
}

fn numbered(number: u64) -> Record {
    Record {
        id: format!("n{number}"),
        key: Some(format!("k{}", number % KEYS).into_bytes()),
        payload: number.to_string().into_bytes(),
        ..Record::default()
    }
}

/// What was received, by whomever, in the order of its coming.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<(String, u64)>>>);

impl Seen {
    /// Notes a batch and checks its bytes.
    pub(crate) fn note(&self, batch: &Batch) {
        let mut seen = self.0.lock().unwrap();
        for record in &batch.records {
            let number: u64 = std::str::from_utf8(&record.payload).unwrap().parse().unwrap();
            let sent = numbered(number);
            assert_eq!((&record.key, &record.payload), (&sent.key, &sent.payload));
            seen.push((record.id.clone(), number));
        }
    }

    /// How many different records came.
    pub(crate) fn count(&self) -> u64 {
        self.0.lock().unwrap().iter().map(|(_, number)| number).collect::<BTreeSet<_>>().len() as u64
    }

    /// Judges: nothing invented, order kept per key, one copy of each in the topic. Gives how many of the written records
    /// never came, and how many came more than once.
    pub(crate) fn judge(&self, written: u64) -> Judged {
        let seen = self.0.lock().unwrap();
        let mut ids: BTreeMap<u64, &str> = BTreeMap::new();
        let mut last: BTreeMap<u64, u64> = BTreeMap::new();
        let mut duplicated = 0;
        for (id, number) in seen.iter() {
            if let Some(known) = ids.insert(*number, id) {
                assert_eq!(known, id, "record {number} lies in the topic twice");
                duplicated += 1;
            } else if let Some(before) = last.insert(number % KEYS, *number) {
                assert!(before < *number, "record {number} came after {before}");
            }
        }
        assert!(ids.keys().all(|number| *number < written), "something was invented");
        Judged { lost: written - ids.len() as u64, duplicated }
    }
}

/// What came of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged {
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
}
