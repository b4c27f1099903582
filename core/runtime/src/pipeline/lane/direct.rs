//! Records that routes hand to a lane, job by job, each job answered as a whole.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use mfn_plugin::value::{ErrorClass, Ordering, PublisherTraits, Record};

use super::super::record_ref::RecordRef;
use super::{LaneJob, LaneView};
use crate::delivery::outbound::{Action, Call, Item, ItemId, Outbound, OutboundStatus, Resolution};
use crate::delivery::{Answer, Answers, Refusal};

/// Bits of an [`ItemId`] that say which record of its job it is.
const RECORD_BITS: u32 = 24;

/// Jobs on their way through one machine.
pub(super) struct Direct {
    outbound: Outbound,
    traits: PublisherTraits,
    view: Arc<LaneView>,
    jobs: BTreeMap<u64, Job>,
    next_job: u64,
    halted: bool,
    /// The publisher can not go on, for this reason.
    fenced: Option<Refusal>,
}

/// A job on its way.
struct Job {
    records: Vec<RecordRef>,
    answers: Vec<Option<Answer>>,
    missing: usize,
    answer: Box<dyn FnOnce(Vec<Answer>) + Send>,
}

impl Direct {
    pub(super) fn new(outbound: Outbound, traits: PublisherTraits, view: Arc<LaneView>) -> Self {
        Self { outbound, traits, view, jobs: BTreeMap::new(), next_job: 0, halted: false, fenced: None }
    }

    pub(super) fn poll(&mut self, now: Duration) -> Action {
        self.outbound.poll(now)
    }

    pub(super) fn status(&self) -> OutboundStatus {
        self.outbound.status()
    }

    /// The records of a call, in its order.
    pub(super) fn records(&self, call: &Call) -> Vec<RecordRef> {
        let record = |item: &ItemId| {
            let (job, index) = place(*item);
            self.jobs.get(&job)?.records.get(index).cloned()
        };
        call.items.iter().filter_map(record).collect()
    }

    /// Takes a job in. What no call could hold is refused at once, for the reason that `too_large` gives.
    pub(super) fn offer(&mut self, now: Duration, job: LaneJob, too_large: impl Fn(u64, u64) -> Refusal) {
        let LaneJob { records, answer, .. } = job;
        let name = self.next_job << RECORD_BITS;
        let mut answers = vec![None; records.len()];
        let mut missing = 0;
        for (index, (record, early)) in records.iter().zip(&mut answers).enumerate() {
            let (bytes, bytes_max) = (record.payload.len() as u64, self.traits.bytes_max);
            if let Some(refusal) = &self.fenced {
                *early = Some(Err(refusal.clone()));
            } else if bytes > bytes_max || index >= 1 << RECORD_BITS {
                *early = Some(Err(too_large(bytes, bytes_max)));
            } else {
                missing += 1;
                let key = if self.traits.ordering == Ordering::Key { key_hash(record) } else { None };
                self.outbound.offer(now, Item { id: ItemId(name | index as u64), key, bytes });
            }
        }
        self.view.resolved(records.len() - missing);
        let job = Job { records, answers, missing, answer };
        if missing == 0 {
            job.finish();
            return;
        }
        self.jobs.insert(self.next_job, job);
        self.next_job += 1;
        if self.halted {
            self.halt();
        }
    }

    /// Takes in the answers to a call and tells everybody whose records are done with by it.
    pub(super) fn answer(&mut self, now: Duration, call: &Call, answers: Answers) {
        let resolved = self.outbound.answer(now, call.id, answers);
        self.resolve(resolved);
    }

    /// Gives back what is not in a call, now and later.
    pub(super) fn halt(&mut self) {
        self.halted = true;
        let halted = self.outbound.halt();
        self.resolve(halted);
    }

    /// Refuses everything from now on: the publisher can not go on.
    pub(super) fn fence(&mut self, refusal: &Refusal) {
        self.fenced.get_or_insert_with(|| refusal.clone());
    }

    fn resolve(&mut self, resolved: Vec<(ItemId, Resolution)>) {
        self.view.resolved(resolved.len());
        let mut resolved = resolved.into_iter().peekable();
        while let Some(&(first, _)) = resolved.peek() {
            // Those of one job come together: it is looked for once.
            let (name, _) = place(first);
            let mut job = self.jobs.get_mut(&name);
            while let Some((item, resolution)) = resolved.next_if(|(item, _)| place(*item).0 == name) {
                if let Some(job) = &mut job {
                    job.resolve(place(item).1, resolution, self.fenced.as_ref());
                }
            }
            if job.is_some_and(|job| job.missing == 0)
                && let Some(job) = self.jobs.remove(&name)
            {
                job.finish();
            }
        }
    }
}

impl Job {
    /// Notes what became of a record; what came first stays.
    fn resolve(&mut self, index: usize, resolution: Resolution, fenced: Option<&Refusal>) {
        let Some(answer @ None) = self.answers.get_mut(index) else { return };
        *answer = Some(match resolution {
            Resolution::Delivered => Ok(()),
            Resolution::Unfit { reason } => {
                Err(Refusal { class: ErrorClass::Permanent, reason, retry_after: None })
            }
            Resolution::Returned { reason, delay } => Err(match fenced {
                Some(refusal) => refusal.clone(),
                None => Refusal { class: ErrorClass::Cancelled, reason, retry_after: Some(delay) },
            }),
        });
        self.missing -= 1;
    }

    fn finish(self) {
        // Before anybody is told: who is told drops the records, and should be the last who has them.
        drop(self.records);
        (self.answer)(self.answers.into_iter().flatten().collect());
    }
}

/// The job of an item, and which of its records it is.
fn place(item: ItemId) -> (u64, usize) {
    (item.0 >> RECORD_BITS, (item.0 & ((1 << RECORD_BITS) - 1)) as usize)
}

/// What stands for the key where order is kept: equal keys have equal hashes.
pub(super) fn key_hash(record: &Record) -> Option<u64> {
    record.key.as_ref().map(|key| {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        hasher.finish()
    })
}
