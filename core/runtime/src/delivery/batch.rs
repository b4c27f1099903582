//! One batch on its way: which records have which fate, and who still has to answer.

use std::time::Duration;

use mfn_plugin::value::ErrorClass;

use super::canary::{self, Bug};
use super::{Answer, Computed, Fate, NACK_DELAY, Origin, Refusal};

/// What is known of a record so far.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Prospect {
    /// Not computed yet.
    Computing,
    /// Computed, and refused by nobody yet.
    Good,
    /// Can not be done; the dead letters do not have it (yet).
    Unfit { reason: String },
    /// The dead letters have answered for it; not flushed.
    DeadLettered { reason: String },
    /// To be given back.
    Later { delay: Duration },
    /// Can not be done and can not be kept.
    Rejected { reason: String },
}

/// How far a target is with its share of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    /// Waiting for its answers for these records.
    Publishing { records: Vec<usize> },
    /// Waiting for its flush, which makes these records durable.
    Flushing { records: Vec<usize> },
    /// Nothing more to come.
    Done,
}

/// Where a batch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    Computing {
        missing: usize,
    },
    Computed,
    Publishing(Vec<Progress>),
    DeadLettering(Progress),
    /// All fates are decided; it waits for the batches before it, and then for the connector.
    Decided,
    /// The connector was told.
    Settling,
}

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) origin: Origin,
    pub(super) phase: Phase,
    records: Vec<Prospect>,
}

impl Batch {
    pub(super) fn new(origin: Origin, records: usize) -> Self {
        Self {
            origin,
            phase: Phase::Computing { missing: records },
            records: vec![Prospect::Computing; records],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Notes the result of a computation. A record counts once, whatever comes again for it.
    pub(super) fn computed(&mut self, record: usize, result: Computed) {
        let Phase::Computing { missing } = &mut self.phase else { return };
        let Some(prospect) = self.records.get_mut(record) else { return };
        if *prospect != Prospect::Computing {
            return;
        }
        *prospect = match result {
            Computed::Ready => Prospect::Good,
            Computed::Unfit { reason } => Prospect::Unfit { reason },
            Computed::Cancelled => Prospect::Later { delay: Duration::ZERO },
        };
        *missing -= 1;
        if *missing == 0 {
            self.phase = Phase::Computed;
        }
    }

    /// Notes that what is not computed yet is ready.
    pub(super) fn ready(&mut self) {
        if let Phase::Computing { .. } = self.phase {
            let open = self.records.iter_mut().filter(|prospect| **prospect == Prospect::Computing);
            open.for_each(|prospect| *prospect = Prospect::Good);
            self.phase = Phase::Computed;
        }
    }

    /// The records that have a result to publish.
    pub(super) fn good(&self) -> Vec<usize> {
        self.indices(|prospect| matches!(prospect, Prospect::Good))
    }

    /// The records that can not be done, with their reasons.
    pub(super) fn unfit(&self) -> Vec<(usize, String)> {
        let unfit = |(index, prospect): (usize, &Prospect)| match prospect {
            Prospect::Unfit { reason } => Some((index, reason.clone())),
            _ => None,
        };
        self.records.iter().enumerate().filter_map(unfit).collect()
    }

    fn indices(&self, keep: impl Fn(&Prospect) -> bool) -> Vec<usize> {
        self.records
            .iter()
            .enumerate()
            .filter(|(_, prospect)| keep(prospect))
            .map(|(index, _)| index)
            .collect()
    }

    /// Notes what a publisher answered and gives the records that it must now flush.
    pub(super) fn published(&mut self, records: &[usize], answers: Vec<Answer>) -> Vec<usize> {
        let mut taken = Vec::with_capacity(records.len());
        for (&record, answer) in records.iter().zip(complete(records.len(), answers)) {
            match answer {
                Ok(()) => taken.push(record),
                Err(refusal) => self.refused(record, refusal),
            }
        }
        taken
    }

    /// Notes a publisher's refusal. A target that may take the record later weighs more than one
    /// that never will: the record then comes again, until the first has it.
    fn refused(&mut self, record: usize, refusal: Refusal) {
        let Some(prospect) = self.records.get_mut(record) else { return };
        let new = match refusal.class {
            ErrorClass::Permanent => Prospect::Unfit { reason: refusal.reason },
            _ => Prospect::Later { delay: delay_after(&refusal) },
        };
        *prospect = match (std::mem::replace(prospect, Prospect::Computing), new) {
            (Prospect::Later { delay }, Prospect::Later { delay: other }) => {
                Prospect::Later { delay: delay.max(other) }
            }
            (old @ Prospect::Later { .. }, _) => old,
            (Prospect::Good | Prospect::Unfit { .. }, new) => new,
            (old, _) => old,
        };
    }

    /// Notes that a target's flush failed: nothing it took is durable.
    pub(super) fn flush_failed(&mut self, records: &[usize], refusal: &Refusal) {
        let delay = delay_after(refusal);
        for &record in records {
            if let Some(prospect) = self.records.get_mut(record) {
                *prospect = Prospect::Later { delay };
            }
        }
    }

    /// Notes what the dead-letter publisher answered and gives the records that it must now flush.
    pub(super) fn dead_lettered(&mut self, records: &[usize], answers: Vec<Answer>) -> Vec<usize> {
        let mut taken = Vec::with_capacity(records.len());
        for (&record, answer) in records.iter().zip(complete(records.len(), answers)) {
            let Some(prospect) = self.records.get_mut(record) else { continue };
            let Prospect::Unfit { reason } = prospect else { continue };
            let reason = std::mem::take(reason);
            *prospect = match answer {
                Ok(()) => {
                    taken.push(record);
                    Prospect::DeadLettered { reason }
                }
                Err(refusal) if refusal.class == ErrorClass::Permanent => Prospect::Rejected {
                    reason: format!("{reason}; the dead letter was refused: {}", refusal.reason),
                },
                Err(refusal) => Prospect::Later { delay: delay_after(&refusal) },
            };
        }
        taken
    }

    /// Rejects what can not be done, for a route without dead letters.
    pub(super) fn reject_unfit(&mut self) {
        for prospect in &mut self.records {
            if let Prospect::Unfit { reason } = prospect {
                *prospect = Prospect::Rejected { reason: std::mem::take(reason) };
            }
        }
    }

    /// Gives back everything that is not certain yet.
    pub(super) fn halt(&mut self) {
        let all_published = matches!(self.phase, Phase::DeadLettering(_));
        for prospect in &mut self.records {
            let keep = match prospect {
                Prospect::Good => all_published,
                // Taken by the dead letters, but the flush has not been answered.
                Prospect::DeadLettered { .. } | Prospect::Unfit { .. } | Prospect::Computing => false,
                Prospect::Later { .. } | Prospect::Rejected { .. } => true,
            };
            if !keep {
                *prospect = Prospect::Later { delay: Duration::ZERO };
            }
        }
        self.phase = Phase::Decided;
    }

    /// The final fates. Only meaningful when all are decided; what is not, is to come again.
    pub(super) fn fates(&self) -> Vec<Fate> {
        self.records
            .iter()
            .map(|prospect| match prospect {
                Prospect::Good => Fate::Delivered,
                Prospect::DeadLettered { reason } => Fate::DeadLettered { reason: reason.clone() },
                Prospect::Rejected { reason } => Fate::Rejected { reason: reason.clone() },
                Prospect::Later { delay } => Fate::Returned { delay: *delay },
                Prospect::Computing | Prospect::Unfit { .. } => Fate::Returned { delay: NACK_DELAY },
            })
            .collect()
    }
}

/// One answer for each record. Another count is a breach of the contract, after which nothing is
/// known about any record.
pub(super) fn complete(records: usize, answers: Vec<Answer>) -> Vec<Answer> {
    if answers.len() == records {
        return answers;
    }
    if canary::planted(Bug::TrustBreach) {
        return answers.into_iter().chain(std::iter::repeat(Ok(()))).take(records).collect();
    }
    let refusal = Refusal {
        class: ErrorClass::Unknown,
        reason: format!("{} answers for {records} records", answers.len()),
        retry_after: None,
    };
    vec![Err(refusal); records]
}

fn delay_after(refusal: &Refusal) -> Duration {
    refusal.retry_after.unwrap_or_default().max(NACK_DELAY)
}
