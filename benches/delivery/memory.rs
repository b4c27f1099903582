//! A connector and a publisher that live in memory, so that what is timed is what lies between them.
//!
//! The connector makes records as fast as they are fetched, or each when it is due: then it also knows how long after
//! that moment a record was settled, which is the latency that a source sees.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use mfn_plugin::value::{
    Batch, BatchToken, Fetch, FetchLimits, Idempotence, Ordering as Order, PublishContext, PublisherTraits,
    Record, RecordResult, RecordView, Verdict,
};
use mfn_runtime::component::{Connector, Publisher, Result};

/// How often to look whether the first record is settled.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// Makes records until it has made enough.
#[derive(Debug)]
pub(crate) struct Source {
    records: u64,
    payload: Vec<u8>,
    /// Records per second; without it as many as are fetched.
    rate: Option<f64>,
    /// When the first record was settled: what a route does once, such as connecting, is done for that one.
    started: OnceLock<Instant>,
    made: AtomicU64,
    settled: AtomicU64,
    refused: AtomicU64,
    /// First record and number of records of what is out.
    out: Mutex<HashMap<BatchToken, (u64, u64)>>,
    latencies: Mutex<Vec<Duration>>,
}

impl Source {
    pub(crate) fn new(records: u64, payload: Vec<u8>, rate: Option<f64>) -> Self {
        Self {
            records,
            payload,
            rate,
            started: OnceLock::new(),
            made: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            out: Mutex::default(),
            latencies: Mutex::default(),
        }
    }

    /// How long each record but the first took from the moment it was due until it was settled; empty without a rate.
    pub(crate) fn latencies(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.latencies.lock().unwrap())
    }

    /// Records that were settled with anything but an acknowledgement.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// When a record is due, since the start.
    fn due(number: u64, rate: f64) -> Duration {
        Duration::from_secs_f64(number as f64 / rate)
    }

    /// How many records are due by now; waits for the first that is not made yet, at most for `timeout`. The first of
    /// all is due at once, and alone until it is settled.
    fn due_now(&self, first: u64, rate: f64, timeout: Duration) -> u64 {
        let Some(started) = self.started.get() else {
            std::thread::sleep(if first == 0 { Duration::ZERO } else { timeout.min(FIRST_PAUSE) });
            return u64::from(first == 0);
        };
        let wait = Self::due(first, rate).saturating_sub(started.elapsed());
        std::thread::sleep(wait.min(timeout));
        let due = (started.elapsed().as_secs_f64() * rate).floor() as u64 + 1;
        due.saturating_sub(first)
    }
}

/// Takes records and keeps nothing.
#[derive(Debug, Default)]
pub(crate) struct Sink;

component!(Source, "memory", |_| "in");
component!(Sink, "memory", |_| "out");

impl Connector for Source {
    fn fetch(&self, limits: FetchLimits) -> Result<Fetch> {
        let first = self.made.load(Ordering::Relaxed);
        let fitting = limits.bytes_max / self.payload.len().max(1) as u64;
        let mut count = u64::from(limits.records_max).min(fitting.max(1)).min(self.records - first);
        if count == 0 {
            let all_settled = self.settled.load(Ordering::Relaxed) == self.records;
            return Ok(if all_settled { Fetch::End } else { Fetch::Empty });
        }
        if let Some(rate) = self.rate {
            count = count.min(self.due_now(first, rate, limits.timeout));
            if count == 0 {
                return Ok(Fetch::Empty);
            }
            self.out.lock().unwrap().insert(BatchToken(first), (first, count));
        }
        self.made.store(first + count, Ordering::Relaxed);
        let record = |number: u64| Record {
            id: format!("{number:016}"),
            payload: self.payload.clone(),
            content_type: "application/json".to_owned(),
            ..Record::default()
        };
        let records = (first..first + count).map(record).collect();
        Ok(Fetch::Batch(Batch { token: BatchToken(first), partition: "0".into(), epoch: 1, records }))
    }

    fn settle(&self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        let refused = verdicts.iter().filter(|verdict| **verdict != Verdict::Ack).count();
        self.refused.fetch_add(refused as u64, Ordering::Relaxed);
        if let Some(rate) = self.rate {
            let (first, count) = self.out.lock().unwrap().remove(&token).unwrap_or_default();
            if let Some(now) = self.started.get().map(Instant::elapsed) {
                let waited = (first..first + count).map(|number| now.saturating_sub(Self::due(number, rate)));
                self.latencies.lock().unwrap().extend(waited);
            }
            self.started.get_or_init(Instant::now);
        }
        self.settled.fetch_add(verdicts.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn position(&self, _: &str) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn pause(&self) -> Result<()> {
        Ok(())
    }

    fn resume(&self) -> Result<()> {
        Ok(())
    }

    fn backlog(&self) -> Result<Option<u64>> {
        Ok(None)
    }
}

impl Publisher for Sink {
    fn traits(&self) -> Result<PublisherTraits> {
        let (ordering, idempotence) = (Order::None, Idempotence::Key);
        Ok(PublisherTraits { records_max: 10_000, bytes_max: 1 << 30, ordering, idempotence })
    }

    fn publish(&self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
        Ok(vec![Ok(()); records.len()])
    }

    fn flush(&self, _: Duration) -> Result<()> {
        Ok(())
    }
}
