//! The lane of a publisher: one thread that calls it, so that a slow or hung publisher holds up nobody
//! but those who wait for its answer.
//!
//! What to publish next, when to try again and when to leave the publisher alone is decided by the
//! machine of `delivery::outbound`; the lane has the clock, the records and the calls. Calls hold records of as
//! many batches as fit, and each is flushed at once: an answer of success means durable.

mod call;
mod view;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::Instant;

use mfn_plugin::value::{ErrorClass, Ordering, PublisherTraits, Record};

use crate::config::{BatchConfig, DeliveryConfig};
use crate::delivery::outbound::{
    Action, Call, Item, ItemId, Outbound, OutboundConfig, Resolution, after_flush,
};
use crate::delivery::{Answer, Refusal};

pub(super) use call::Caller;
pub(super) use view::LaneView;

/// Bits of an [`ItemId`] that say which record of its job it is.
const RECORD_BITS: u32 = 24;

/// What a lane is told.
pub(super) enum LaneMessage {
    /// Publish these.
    Job(LaneJob),
    /// The time is over: answer for everything that is not in a call.
    Halt,
    /// Nothing more will come.
    Quit,
}

/// Records to be made durable in this order, and who is told of it.
pub(super) struct LaneJob {
    pub(super) records: Vec<Arc<Record>>,
    /// Called once, with one answer for each record, by the lane's thread: it must not wait for anything.
    pub(super) answer: Box<dyn FnOnce(Vec<Answer>) + Send>,
}

/// The way to a lane. Sending never waits.
#[derive(Clone)]
pub(super) struct LaneHandle {
    sender: Sender<LaneMessage>,
    pub(super) view: Arc<LaneView>,
}

impl LaneHandle {
    pub(super) fn new(sender: Sender<LaneMessage>, view: Arc<LaneView>) -> Self {
        Self { sender, view }
    }

    pub(super) fn send(&self, job: LaneJob) {
        self.view.offered(job.records.len());
        self.tell(LaneMessage::Job(job));
    }

    pub(super) fn tell(&self, message: LaneMessage) {
        // A lane lives until it is told to quit, and then nobody waits for its answers any more.
        let _ = self.sender.send(message);
    }
}

/// Calls one publisher.
pub(super) struct Lane {
    caller: Caller,
    delivery: DeliveryConfig,
    view: Arc<LaneView>,
    start: Instant,
    /// The publisher can not go on, for this reason.
    fenced: Option<Refusal>,
    halted: bool,
    jobs: HashMap<u64, Job>,
    next_job: u64,
}

/// A job on its way.
struct Job {
    records: Vec<Arc<Record>>,
    answers: Vec<Option<Answer>>,
    missing: usize,
    answer: Box<dyn FnOnce(Vec<Answer>) + Send>,
}

impl Lane {
    pub(super) fn new(caller: Caller, delivery: DeliveryConfig, view: Arc<LaneView>) -> Self {
        let start = view.start();
        Self { caller, delivery, view, start, fenced: None, halted: false, jobs: HashMap::new(), next_job: 0 }
    }

    /// Works until it is told to quit.
    pub(super) fn run(mut self, messages: &Receiver<LaneMessage>) {
        let traits = match self.caller.traits() {
            Ok(traits) => traits,
            Err(refusal) => {
                self.fenced = Some(Refusal { class: ErrorClass::Fatal, ..refusal });
                let (records_max, bytes_max) = (1, u64::MAX);
                let idempotence = mfn_plugin::value::Idempotence::None;
                PublisherTraits { records_max, bytes_max, ordering: Ordering::All, idempotence }
            }
        };
        let mut outbound = Outbound::new(self.outbound_config(traits), self.seed());
        loop {
            loop {
                match messages.try_recv() {
                    Ok(LaneMessage::Quit) | Err(TryRecvError::Disconnected) => return,
                    Ok(message) => self.take(&mut outbound, traits, message),
                    Err(TryRecvError::Empty) => break,
                }
            }
            let now = self.start.elapsed();
            let until = match outbound.poll(now) {
                Action::Publish(call) => {
                    self.make(&mut outbound, &call);
                    continue;
                }
                Action::Wait { until } => until,
            };
            self.view.show(&outbound.status());
            let message = match until {
                Some(until) => messages.recv_timeout(until.saturating_sub(now)),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(LaneMessage::Quit) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => self.take(&mut outbound, traits, message),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// What was configured, as far as the publisher can do it.
    fn outbound_config(&self, traits: PublisherTraits) -> OutboundConfig {
        let DeliveryConfig { retry, breaker, batch } = self.delivery;
        let batch = BatchConfig {
            records_max: batch.records_max.min(traits.records_max).max(1),
            bytes_max: batch.bytes_max.min(traits.bytes_max).max(1),
            ..batch
        };
        OutboundConfig { retry, breaker, batch, ordering: traits.ordering }
    }

    /// Instances draw different waits, and so do processes.
    fn seed(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.caller.name().hash(&mut hasher);
        std::process::id().hash(&mut hasher);
        std::time::SystemTime::now().hash(&mut hasher);
        hasher.finish()
    }

    fn take(&mut self, outbound: &mut Outbound, traits: PublisherTraits, message: LaneMessage) {
        match message {
            LaneMessage::Job(job) => self.offer(outbound, traits, job),
            LaneMessage::Halt => {
                self.halted = true;
                let halted = outbound.halt();
                self.resolve(halted);
            }
            // Taken by `run`.
            LaneMessage::Quit => {}
        }
    }

    fn offer(&mut self, outbound: &mut Outbound, traits: PublisherTraits, job: LaneJob) {
        let LaneJob { records, answer } = job;
        let name = self.next_job << RECORD_BITS;
        let now = self.start.elapsed();
        let mut answers = vec![None; records.len()];
        let mut missing = 0;
        for (index, (record, early)) in records.iter().zip(&mut answers).enumerate() {
            let bytes = record.payload.len() as u64;
            if let Some(refusal) = &self.fenced {
                *early = Some(Err(refusal.clone()));
            } else if bytes > traits.bytes_max || index >= 1 << RECORD_BITS {
                *early = Some(Err(self.caller.too_large(bytes, traits.bytes_max)));
            } else {
                missing += 1;
                let key = if traits.ordering == Ordering::Key { key_hash(record) } else { None };
                outbound.offer(now, Item { id: ItemId(name | index as u64), key, bytes });
            }
        }
        let job = Job { records, answers, missing, answer };
        if missing == 0 {
            self.view.resolved(job.records.len());
            job.finish();
            return;
        }
        self.jobs.insert(self.next_job, job);
        self.next_job += 1;
        if self.halted {
            let halted = outbound.halt();
            self.resolve(halted);
        }
    }

    /// Makes a call and tells everybody whose records are done with by it.
    fn make(&mut self, outbound: &mut Outbound, call: &Call) {
        self.view.calling(&outbound.status(), call.timeout);
        let record = |item: &ItemId| {
            let (job, index) = place(*item);
            self.jobs.get(&job)?.records.get(index).map(Arc::as_ref)
        };
        let records: Vec<&Record> = call.items.iter().filter_map(record).collect();
        let answers = self.caller.publish(&records, call.attempt, call.timeout);
        let answers = if answers.iter().any(Result::is_ok) {
            after_flush(answers, &self.caller.flush(call.timeout))
        } else {
            answers
        };
        self.caller.count(&records, &answers);
        let fatal = answers
            .iter()
            .find_map(|answer| answer.as_ref().err().filter(|it| it.class == ErrorClass::Fatal));
        if let Some(refusal) = fatal {
            self.fenced.get_or_insert_with(|| refusal.clone());
        }
        let resolved = outbound.answer(self.start.elapsed(), call.id, answers);
        self.view.called(&outbound.status());
        self.caller.count_retries(outbound.status().retries);
        self.resolve(resolved);
    }

    fn resolve(&mut self, resolved: Vec<(ItemId, Resolution)>) {
        self.view.resolved(resolved.len());
        for (item, resolution) in resolved {
            let (name, index) = place(item);
            let Some(job) = self.jobs.get_mut(&name) else { continue };
            let Some(answer @ None) = job.answers.get_mut(index) else { continue };
            *answer = Some(match resolution {
                Resolution::Delivered => Ok(()),
                Resolution::Unfit { reason } => {
                    Err(Refusal { class: ErrorClass::Permanent, reason, retry_after: None })
                }
                Resolution::Returned { reason, delay } => Err(match &self.fenced {
                    Some(refusal) => refusal.clone(),
                    None => Refusal { class: ErrorClass::Cancelled, reason, retry_after: Some(delay) },
                }),
            });
            job.missing -= 1;
            if job.missing == 0 {
                if let Some(job) = self.jobs.remove(&name) {
                    job.finish();
                }
            }
        }
    }
}

impl Job {
    fn finish(self) {
        (self.answer)(self.answers.into_iter().flatten().collect());
    }
}

/// The job of an item, and which of its records it is.
fn place(item: ItemId) -> (u64, usize) {
    (item.0 >> RECORD_BITS, (item.0 & ((1 << RECORD_BITS) - 1)) as usize)
}

/// What stands for the key where order is kept: equal keys have equal hashes.
fn key_hash(record: &Record) -> Option<u64> {
    record.key.as_ref().map(|key| {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish()
    })
}
