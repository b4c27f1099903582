//! The thread of a connector: it fetches when the budget allows and settles what the route decides.
//!
//! Fetching and settling are done by one thread because a connector is called by one thread at a time
//! anyway. While batches are outstanding it never waits inside a fetch, so that a settlement is never
//! kept waiting by an idle source.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use mfn_plugin::value::{Batch, BatchToken, ErrorClass, Fetch, FetchLimits, Record, Verdict};

use super::budget::Permit;
use super::metrics::ComponentMetrics;
use super::route::Message;
use super::shared::Shared;
use super::work::{catch, one_line};
use crate::component::{ComponentError, Connector};
use crate::delivery::{BatchId, Event, Fate};

/// Batches of one connector that may be on their way at the same time.
const OUTSTANDING_MAX: usize = 4;
/// How long a fetch waits for a first record when nothing else is to be done.
const IDLE_FETCH: Duration = Duration::from_millis(100);
/// The least time between two fetches that bring nothing, should a connector not wait in them.
const IDLE_PAUSE: Duration = Duration::from_millis(2);
/// How long to wait for a settlement before looking at the source again.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// How long to wait for a settlement when there is nothing else left to do.
const ENDED_PAUSE: Duration = Duration::from_secs(3600);
/// How long to leave a source alone after an error.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// The fates of a batch, to be told to the connector.
pub(super) struct SettleJob {
    pub(super) batch: BatchId,
    pub(super) token: BatchToken,
    pub(super) fates: Vec<Fate>,
}

/// Runs one connector.
pub(super) struct Source {
    pub(super) connector: Arc<dyn Connector>,
    /// Its place in the route.
    pub(super) index: usize,
    pub(super) records_max: u32,
    /// What it reserves for a fetch.
    pub(super) fetch_bytes: u64,
    pub(super) metrics: ComponentMetrics,
    pub(super) shared: Arc<Shared>,
    pub(super) route: Sender<Message>,
}

/// What came of trying to fetch.
enum Tried {
    Batch,
    Nothing,
    Error { pause: Duration },
    End,
}

impl Source {
    /// Works until the route is gone.
    pub(super) fn run(&self, settlements: &Receiver<SettleJob>) {
        let mut outstanding = 0usize;
        let mut ended = false;
        let mut not_before = Instant::now();
        let mut idle = false;
        loop {
            if !ended && !self.shared.fetching() {
                ended = true;
                self.send(Message::Ended { connector: self.index });
            }
            let fetch = !ended && outstanding < OUTSTANDING_MAX && Instant::now() >= not_before;
            let pause = match fetch {
                _ if ended => ENDED_PAUSE,
                true if !idle => Duration::ZERO,
                // With nothing to wait for here, the wait is inside the fetch.
                true if outstanding == 0 => IDLE_PAUSE,
                _ => BUSY_PAUSE,
            };
            match settlements.recv_timeout(pause) {
                Ok(job) => {
                    self.settle(job);
                    outstanding = outstanding.saturating_sub(1);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if !fetch {
                continue;
            }
            let timeout = if outstanding == 0 { IDLE_FETCH } else { Duration::ZERO };
            match self.try_fetch(timeout) {
                Tried::Batch => {
                    outstanding += 1;
                    idle = false;
                }
                Tried::Nothing => idle = true,
                Tried::Error { pause } => {
                    idle = true;
                    not_before = Instant::now() + pause;
                }
                // What is outstanding may be given back and come again.
                Tried::End if outstanding > 0 && self.shared.fetching() => idle = true,
                Tried::End => {
                    ended = true;
                    self.send(Message::Ended { connector: self.index });
                }
            }
        }
    }

    fn try_fetch(&self, timeout: Duration) -> Tried {
        let Some(permit) = self.shared.budget.reserve_fetch(self.fetch_bytes) else {
            std::thread::sleep(timeout.min(BUSY_PAUSE));
            return Tried::Nothing;
        };
        let limits = FetchLimits { records_max: self.records_max, bytes_max: permit.bytes(), timeout };
        let fetched = self.call("fetch", || self.connector.fetch(limits));
        self.update_backlog();
        match fetched {
            Ok(Fetch::Batch(batch)) if batch.records.is_empty() => {
                let _ = self.call("settle", || self.connector.settle(batch.token, &[]));
                Tried::Nothing
            }
            Ok(Fetch::Batch(batch)) => {
                self.take(batch, permit);
                Tried::Batch
            }
            Ok(Fetch::Empty) => Tried::Nothing,
            Ok(Fetch::End) => Tried::End,
            Err(error) => self.fetch_failed(&error),
        }
    }

    fn take(&self, batch: Batch, mut permit: Permit) {
        permit.fetched(batch.records.iter().map(record_bytes).fold(0, u64::saturating_add));
        for record in &batch.records {
            self.metrics.count(record.payload.len());
        }
        self.send(Message::Fetched { connector: self.index, batch, permit });
    }

    fn fetch_failed(&self, error: &ComponentError) -> Tried {
        if matches!(error.class(), ErrorClass::Fatal | ErrorClass::Permanent) {
            self.shared.fail(&error.to_string());
            return Tried::End;
        }
        self.shared.note_error(&error.to_string());
        Tried::Error {
            pause: error.error.retry_after.unwrap_or_default().clamp(ERROR_PAUSE, ERROR_PAUSE * 60),
        }
    }

    fn settle(&self, job: SettleJob) {
        let verdicts: Vec<Verdict> = job.fates.into_iter().map(verdict).collect();
        let settled = self.call("settle", || self.connector.settle(job.token, &verdicts));
        let done = match settled {
            Ok(()) => true,
            Err(error) => {
                self.shared.note_error(&error.to_string());
                if error.class() == ErrorClass::Fatal {
                    self.shared.fail(&error.to_string());
                }
                false
            }
        };
        self.update_backlog();
        self.send(Message::Delivery(Event::Settled { batch: job.batch, done }));
    }

    fn update_backlog(&self) {
        if let Ok(backlog) = self.call("backlog", || self.connector.backlog()) {
            self.shared.set_backlog(self.connector.name(), backlog);
        }
    }

    /// Calls the connector and counts its errors; a panic in it is an end of it.
    fn call<T>(
        &self,
        method: &'static str,
        call: impl FnOnce() -> Result<T, ComponentError>,
    ) -> Result<T, ComponentError> {
        let result = catch(call).unwrap_or_else(|message| {
            Err(ComponentError {
                component: self.connector.name().to_owned(),
                plugin: self.connector.plugin().to_owned(),
                method,
                error: mfn_plugin::value::PluginError::fatal(format!("panicked: {message}")),
            })
        });
        if let Err(error) = &result {
            self.metrics.count_error(error.class());
        }
        result
    }

    fn send(&self, message: Message) {
        // A route that is gone has given everything up.
        let _ = self.route.send(message);
    }
}

/// The memory that a record takes, bytes.
fn record_bytes(record: &Record) -> u64 {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let parts = [record.id.len(), record.key.as_ref().map_or(0, Vec::len), record.payload.len(), headers];
    parts.iter().fold(size_of::<Record>() as u64, |sum, &part| sum.saturating_add(part as u64))
}

fn verdict(fate: Fate) -> Verdict {
    match fate {
        Fate::Delivered => Verdict::Ack,
        Fate::DeadLettered { reason } | Fate::Rejected { reason } => {
            Verdict::Reject { reason: one_line(&reason) }
        }
        Fate::Returned { delay } => Verdict::Nack { delay },
    }
}
