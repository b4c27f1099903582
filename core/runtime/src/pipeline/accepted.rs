//! Routes of durability "accepted": a record is settled when it is in memory, and delivered after that.
//!
//! The machine of the route is told at once that every publisher has the record. Here is what is true: who
//! still has to take it, and the memory that it holds until then.

use std::collections::BTreeMap;

use mfn_plugin::value::ErrorClass;

use super::budget::Permit;
use super::lane::LaneJob;
use super::record_ref::RecordRef;
use super::route::{Message, Route};
use super::work;
use crate::delivery::{Answer, BatchId};

/// What was accepted and is not delivered.
#[derive(Default)]
pub(super) struct Accepted {
    batches: BTreeMap<BatchId, AcceptedBatch>,
    pub(super) fates: AcceptedFates,
}

/// How many accepted records that are settled have which fate.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct AcceptedFates {
    pub(super) waiting: u64,
    pub(super) dead_lettered: u64,
    pub(super) rejected: u64,
}

#[derive(Default)]
struct AcceptedBatch {
    /// Answers that are still to come.
    missing: usize,
    records: u64,
    /// Records that somebody will never take, and whether the dead letters have them.
    unfit: BTreeMap<usize, bool>,
    permits: Vec<Permit>,
    /// Settled, and counted as waiting.
    settled: bool,
}

impl Route {
    /// Hands records to a publisher for good.
    pub(super) fn accept(&mut self, batch: BatchId, publisher: usize, records: Vec<usize>) {
        let Some(lane) = self.parts.lanes.get(publisher) else { return };
        let results = self.results(batch, &records);
        let entry = self.accepted.batches.entry(batch).or_default();
        entry.missing += 1;
        entry.records = records.len() as u64;
        let own = self.parts.own.clone();
        let kept = results.clone();
        let answer = Box::new(move |answers| {
            let _ = own.send(Message::Accepted { batch, records, kept, answers, letters: false });
        });
        lane.send(LaneJob { records: results, kept: true, answer });
    }

    /// A publisher, or the dead letters, answered for accepted records.
    pub(super) fn accepted(
        &mut self,
        batch: BatchId,
        places: &[usize],
        records: &[RecordRef],
        answers: Vec<Answer>,
        letters: bool,
    ) {
        let Some(entry) = self.accepted.batches.get_mut(&batch) else { return };
        let mut unfit = Vec::new();
        // What is given back at the end has nobody who would bring it again: it stays open and is reported.
        let mut open = false;
        for ((&place, record), answer) in places.iter().zip(records).zip(answers) {
            match answer {
                Ok(()) if letters => {
                    entry.unfit.insert(place, true);
                }
                Ok(()) => {}
                Err(refusal) if refusal.class == ErrorClass::Permanent => {
                    entry.unfit.entry(place).or_insert(false);
                    unfit.push((place, work::dead_letter(record, &self.parts.config.name, &refusal.reason)));
                }
                Err(_) => open = true,
            }
        }
        if let Some(lane) = self.parts.dead_letters.as_ref().filter(|_| !letters && !unfit.is_empty()) {
            entry.missing += 1;
            let (places, records): (Vec<_>, Vec<_>) =
                unfit.into_iter().map(|(place, letter)| (place, RecordRef::new(letter))).unzip();
            let (own, kept) = (self.parts.own.clone(), records.clone());
            let answer = Box::new(move |answers| {
                let _ = own.send(Message::Accepted { batch, records: places, kept, answers, letters: true });
            });
            lane.send(LaneJob { records, kept: true, answer });
        }
        if !open {
            entry.missing -= 1;
        }
        self.close_accepted(batch);
    }

    /// Notes that a batch is settled, and keeps what its records hold; gives it back where nothing was accepted. Without
    /// a success the connector brings them again, and they are not counted a second time.
    pub(super) fn settled_accepted(
        &mut self,
        batch: BatchId,
        settled: bool,
        permits: Vec<Permit>,
    ) -> Vec<Permit> {
        let Some(entry) = self.accepted.batches.get_mut(&batch) else { return permits };
        entry.permits = permits;
        if settled {
            entry.settled = true;
            self.accepted.fates.waiting += entry.records;
        } else {
            entry.records = 0;
            entry.settled = true;
            entry.unfit.clear();
        }
        Vec::new()
    }

    /// Lets go of a batch that is settled and that everybody has answered for.
    pub(super) fn close_accepted(&mut self, batch: BatchId) {
        let done = |entry: &AcceptedBatch| entry.missing == 0 && entry.settled;
        if !self.accepted.batches.get(&batch).is_some_and(done) {
            return;
        }
        let Some(entry) = self.accepted.batches.remove(&batch) else { return };
        let fates = &mut self.accepted.fates;
        fates.waiting -= entry.records;
        let dead = entry.unfit.values().filter(|&&dead| dead).count() as u64;
        fates.dead_lettered += dead;
        fates.rejected += entry.unfit.len() as u64 - dead;
        // Before anybody is told of the end.
        drop(entry);
        self.show();
    }
}
