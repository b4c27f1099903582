//! The thread of a connector: it fetches when the budget allows and settles what the route decides.
//!
//! Fetching and settling are done by one thread because a connector is called by one thread at a time
//! anyway. While batches are outstanding it never waits inside a fetch, so that a settlement is never
//! kept waiting by an idle source.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use mfn_plugin::value::{Batch, BatchToken, ErrorClass, Fetch, FetchLimits, Verdict};

use super::budget::{FetchShare, Permit, record_bytes};
use super::metrics::ComponentMetrics;
use super::record_ref::RecordRef;
use super::route::Message;
use super::shared::Shared;
use super::work::{catch, one_line};
use crate::component::{ComponentError, Connector};
use crate::config::{Exhausted, RetryConfig, RetryStrategy};
use crate::delivery::outbound::{Backoff, Random};
use crate::delivery::{BatchId, Event, Fate};

/// How long a fetch waits for a first record when nothing else is to be done.
const IDLE_FETCH: Duration = Duration::from_millis(100);
/// The least time between two fetches that bring nothing, should a connector not wait in them.
const IDLE_PAUSE: Duration = Duration::from_millis(2);
/// The longest time until the source is looked at again while batches are outstanding. Each look that finds nothing
/// doubles it from the least time on: a source at work has the next records soon, an idle one is not asked often.
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// How long to wait for a settlement when there is nothing else left to do.
const ENDED_PAUSE: Duration = Duration::from_secs(3600);
/// How often the source is asked how much is waiting while it brings records.
const BACKLOG_PAUSE: Duration = Duration::from_millis(100);

/// The most payload bytes that are asked for at once. More saves nothing, but is out of the processor's caches when it is
/// published, and all of it waits for its slowest record. A single larger record still comes, as the permit has room for it.
const FETCH_BYTES_MAX: u64 = 4 << 20;
/// What a record takes beside its payload, as a rule, and the part (one n-th) of a fetch that is kept for it at most.
const BESIDE_BYTES: u64 = 256;
const BESIDE_PART: u64 = 4;

/// What the thread of a connector is told.
pub(super) enum SourceJob {
    /// Settle a batch.
    Settle(SettleJob),
    /// Drop the records of a batch that is over. It is done where they were made: an allocator gives memory back to the
    /// thread that it is from, and two threads that do so at once wait for each other.
    Drop { records: Vec<RecordRef>, permits: Vec<Permit> },
    /// Say when everything before this is dropped.
    Release,
}

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
    /// Batches that may be on their way at the same time; its share of the budget is the other bound.
    pub(super) outstanding_max: usize,
    pub(super) share: Arc<FetchShare>,
    pub(super) record_bytes_max: u64,
    pub(super) retry: RetryConfig,
    pub(super) metrics: ComponentMetrics,
    pub(super) shared: Arc<Shared>,
    pub(super) route: Sender<Message>,
}

/// What came of trying to fetch.
enum Tried {
    Batch,
    /// The source had nothing, or was not asked because there is no room.
    Nothing {
        asked: bool,
    },
    Error(ComponentError),
    End,
}

/// How often in a row a source could not be read, and what follows from it.
struct Trouble {
    backoff: Backoff,
    random: Random,
    failures: u32,
}

impl Trouble {
    fn new(retry: RetryConfig) -> Self {
        let seed = u64::from(std::process::id()) ^ u64::from(Instant::now().elapsed().subsec_nanos());
        Self { backoff: Backoff::new(retry), random: Random::new(seed), failures: 0 }
    }

    fn over(&mut self) {
        self.failures = 0;
    }

    /// One more failure: how long to leave the source alone.
    fn pause(&mut self, error: &ComponentError) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let (fraction, retry_after) = (self.random.unit(), error.error.retry_after);
        match error.class() {
            ErrorClass::Blocked | ErrorClass::Throttled => {
                self.backoff.pause(self.failures, fraction, retry_after)
            }
            _ => self.backoff.wait(self.failures, fraction, retry_after),
        }
    }
}

/// When to look at the source again.
#[derive(Default)]
struct Looks {
    /// The last look that found nothing, and how long to wait after it.
    in_vain: Option<(Instant, Duration)>,
}

impl Looks {
    fn next(&self) -> Instant {
        self.in_vain.map_or_else(Instant::now, |(last, pause)| last + pause)
    }

    /// The last look found nothing. With nothing outstanding the wait is inside the fetch.
    fn in_vain(&mut self, outstanding: usize) {
        let before = self.in_vain.filter(|_| outstanding > 0);
        let pause = before.map_or(IDLE_PAUSE, |(_, pause)| (2 * pause).min(BUSY_PAUSE));
        self.in_vain = Some((Instant::now(), pause));
    }

    /// A batch was settled: there is room, and the pipeline is at work.
    fn moved(&mut self) {
        self.in_vain = self.in_vain.map(|(last, _)| (last, IDLE_PAUSE));
    }
}

impl Source {
    /// Works until the route is gone.
    pub(super) fn run(&self, jobs: &Receiver<SourceJob>) {
        let mut outstanding = 0usize;
        let mut ended = false;
        let mut not_before = Instant::now();
        let mut looks = Looks::default();
        let mut trouble = Trouble::new(self.retry);
        let mut backlog_at = Instant::now();
        loop {
            if !ended && !self.shared.fetching() {
                ended = true;
                self.send(Message::Ended { connector: self.index });
            }
            let may_fetch = !ended && outstanding < self.outstanding_max;
            let wait = not_before.max(looks.next()).saturating_duration_since(Instant::now());
            let pause = match may_fetch {
                _ if ended => ENDED_PAUSE,
                true => wait.min(BUSY_PAUSE),
                false => BUSY_PAUSE,
            };
            match jobs.recv_timeout(pause) {
                Ok(job) => {
                    match job {
                        SourceJob::Settle(job) => {
                            self.settle(job);
                            outstanding = outstanding.saturating_sub(1);
                        }
                        SourceJob::Drop { records, permits } => {
                            // The memory first: it is in use until then.
                            drop(records);
                            drop(permits);
                        }
                        SourceJob::Release => self.send(Message::Released { connector: self.index }),
                    }
                    looks.moved();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if !may_fetch || wait > pause {
                continue;
            }
            let timeout = if outstanding == 0 { IDLE_FETCH } else { Duration::ZERO };
            let tried = self.try_fetch(timeout);
            if !matches!(tried, Tried::Batch) || Instant::now() >= backlog_at {
                self.update_backlog();
                backlog_at = Instant::now() + BACKLOG_PAUSE;
            }
            match tried {
                Tried::Batch => {
                    trouble.over();
                    outstanding += 1;
                    looks = Looks::default();
                }
                Tried::Nothing { asked } => {
                    looks.in_vain(outstanding);
                    if asked {
                        trouble.over();
                    }
                }
                Tried::Error(error) => {
                    looks.in_vain(outstanding);
                    match self.pause_after(&error, &mut trouble) {
                        Some(pause) => not_before = Instant::now() + pause,
                        None => {
                            ended = true;
                            self.send(Message::Ended { connector: self.index });
                        }
                    }
                }
                // What is outstanding may be given back and come again.
                Tried::End if outstanding > 0 && self.shared.fetching() => looks.in_vain(outstanding),
                Tried::End => {
                    ended = true;
                    self.send(Message::Ended { connector: self.index });
                }
            }
        }
    }

    fn try_fetch(&self, timeout: Duration) -> Tried {
        let Some(permit) = self.shared.budget.reserve_fetch(&self.share, self.record_bytes_max) else {
            std::thread::sleep(timeout.min(BUSY_PAUSE));
            return Tried::Nothing { asked: false };
        };
        // The limit is for payloads, and records take more than that.
        let beside = (u64::from(self.records_max) * BESIDE_BYTES).min(permit.bytes() / BESIDE_PART);
        let bytes_max = (permit.bytes() - beside).min(FETCH_BYTES_MAX);
        let limits = FetchLimits { records_max: self.records_max, bytes_max, timeout };
        match self.call("fetch", || self.connector.fetch(limits)) {
            Ok(Fetch::Batch(batch)) if batch.records.is_empty() => {
                let _ = self.call("settle", || self.connector.settle(batch.token, &[]));
                Tried::Nothing { asked: true }
            }
            Ok(Fetch::Batch(batch)) => {
                self.take(batch, permit);
                Tried::Batch
            }
            Ok(Fetch::Empty) => Tried::Nothing { asked: true },
            Ok(Fetch::End) => Tried::End,
            Err(error) => Tried::Error(error),
        }
    }

    fn take(&self, batch: Batch, mut permit: Permit) {
        permit.fetched(batch.records.iter().map(record_bytes));
        let bytes = batch.records.iter().map(|record| record.payload.len() as u64).sum();
        self.metrics.count_many(batch.records.len() as u64, bytes);
        self.send(Message::Fetched { connector: self.index, batch, permit });
    }

    /// How long to leave the source alone after an error; `None` when it is to be asked no more.
    fn pause_after(&self, error: &ComponentError, trouble: &mut Trouble) -> Option<Duration> {
        let pause = trouble.pause(error);
        let lasting = matches!(error.class(), ErrorClass::Fatal | ErrorClass::Permanent);
        // What the source itself asks for, and what an operator has to mend, is waited for in any case.
        let counts = matches!(error.class(), ErrorClass::Retryable | ErrorClass::Unknown);
        let retries_max = if self.retry.strategy == RetryStrategy::None { 0 } else { self.retry.retries_max };
        let exhausted = self.retry.exhausted != Exhausted::Keep && counts && trouble.failures > retries_max;
        if lasting || exhausted {
            self.shared.fail(&error.to_string());
            return None;
        }
        self.shared.note_error(&error.to_string());
        self.metrics.count_retries(1);
        Some(pause)
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

fn verdict(fate: Fate) -> Verdict {
    match fate {
        Fate::Delivered => Verdict::Ack,
        Fate::DeadLettered { reason } | Fate::Rejected { reason } => {
            Verdict::Reject { reason: one_line(&reason) }
        }
        Fate::Returned { delay } => Verdict::Nack { delay },
    }
}
