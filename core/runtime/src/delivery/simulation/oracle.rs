//! The judge: it issues the ids, derives every payload from them, and believes nobody.
//!
//! It knows what each endpoint really holds and what each connector was told. From that alone it decides
//! whether something was lost, invented, corrupted or put out of order; it never asks a machine.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;

/// A record: which partition, and the how-manieth of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RecordId {
    pub(super) partition: u16,
    pub(super) offset: u32,
}

/// A record with its bytes, as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: RecordId,
    pub(super) payload: u64,
}

/// How often what was planned has struck, and what came of it.
pub(super) type Struck = BTreeMap<&'static str, u64>;

/// What is wrong with a run.
#[derive(Debug)]
pub(super) struct Violation(pub(super) String);

pub(super) type Judged = Result<(), Violation>;

/// Fails the run unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::delivery::simulation::oracle::Violation(format!($($message)+)));
        }
    };
}
pub(super) use ensure;

/// The only source of payloads.
pub(super) fn issue(id: RecordId) -> Message {
    let place = u64::from(id.partition) << 32 | u64::from(id.offset);
    Message { id, payload: (place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) }
}

/// What is really at one endpoint.
#[derive(Debug, Default)]
struct Holdings {
    ids: BTreeSet<RecordId>,
    /// Per group of records whose order matters: the last one that came for the first time.
    last: BTreeMap<(u16, Option<u64>), u32>,
}

/// Judges one run.
#[derive(Debug)]
pub(super) struct Oracle {
    plan: Plan,
    /// Publishers, and last the dead letters.
    holdings: Vec<Holdings>,
    /// Per partition: whether a record was given back, after which order does not hold.
    disturbed: Vec<bool>,
    /// Records that a publisher need not have, with the reason; `None`: no publisher.
    excused: BTreeSet<(RecordId, Option<usize>)>,
    pub(super) struck: Struck,
}

impl Oracle {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            holdings: (0..=plan.publishers.len()).map(|_| Holdings::default()).collect(),
            disturbed: vec![false; plan.partitions.len()],
            excused: BTreeSet::new(),
            struck: Struck::new(),
            plan,
        }
    }

    /// The place of the dead letters among the endpoints.
    pub(super) fn dead_letters(&self) -> usize {
        self.plan.publishers.len()
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.struck.entry(what).or_default() += 1;
    }

    pub(super) fn holds(&self, endpoint: usize, id: RecordId) -> bool {
        self.holdings[endpoint].ids.contains(&id)
    }

    /// An endpoint has a record from now on. `ordered`: what it promises to keep in order, and among what.
    pub(super) fn arrived(
        &mut self,
        endpoint: usize,
        message: Message,
        group: Option<Option<u64>>,
    ) -> Judged {
        let Message { id, .. } = message;
        let partition = self.plan.partitions.get(usize::from(id.partition));
        ensure!(partition.is_some_and(|&(_, records)| id.offset < records), "invented: {id:?}");
        ensure!(message == issue(id), "corrupted: {message:?} at endpoint {endpoint}");
        let holdings = &mut self.holdings[endpoint];
        if !holdings.ids.insert(id) {
            self.count("duplicate");
            return Ok(());
        }
        if let Some(key) = group {
            let last = holdings.last.insert((id.partition, key), id.offset);
            let kept = last.is_none_or(|last| last < id.offset) || self.disturbed[usize::from(id.partition)];
            ensure!(kept, "out of order: {id:?} after {last:?} at endpoint {endpoint}, group {key:?}");
        }
        Ok(())
    }

    /// A record was given back, and will come after later ones.
    pub(super) fn disturb(&mut self, id: RecordId) {
        self.disturbed[usize::from(id.partition)] = true;
    }

    /// A publisher need not have a record, because it was lost where loss is allowed.
    pub(super) fn excuse(&mut self, id: RecordId, publisher: usize) {
        self.excused.insert((id, Some(publisher)));
    }

    /// A record that can not be done was settled, because the dead letters have it.
    pub(super) fn settled_as_dead_letter(&mut self, id: RecordId, publisher: Option<usize>) -> Judged {
        ensure!(
            self.holds(self.dead_letters(), id),
            "lost: {id:?} is no dead letter, although it was said so"
        );
        ensure!(self.may_be_unfit(id, publisher), "a dead letter without a cause: {id:?}");
        self.excused.insert((id, publisher));
        self.count("dead-lettered");
        Ok(())
    }

    /// A record that can not be done was settled, although nobody has it.
    pub(super) fn settled_as_rejected(&mut self, id: RecordId, publisher: Option<usize>) -> Judged {
        let nobody = match &self.plan.dead_letters {
            None => true,
            Some(faults) => self.plan.unfit(id, self.dead_letters() as u64, faults),
        };
        ensure!(nobody, "lost: {id:?} was rejected although the dead letters would have taken it");
        ensure!(self.may_be_unfit(id, publisher), "rejected without a cause: {id:?}");
        self.excused.insert((id, publisher));
        self.count("rejected");
        Ok(())
    }

    /// Whether there is a cause not to deliver a record to a publisher, or to any.
    fn may_be_unfit(&self, id: RecordId, publisher: Option<usize>) -> bool {
        let gives_up = crate::config::Exhausted::DeadLetter;
        let refuses = |(index, publisher): (usize, &super::plan::PublisherPlan)| {
            self.plan.unfit(id, index as u64, &publisher.faults)
                || publisher.config.retry.exhausted == gives_up
        };
        let mut publishers = self.plan.publishers.iter().enumerate();
        self.plan.poison(id)
            || publishers.any(|(index, it)| publisher.is_none_or(|own| own == index) && refuses((index, it)))
    }

    /// Whether a record has its fate with a publisher.
    pub(super) fn may_pass(&self, id: RecordId, publisher: usize) -> bool {
        self.holds(publisher, id) || self.excused.contains(&(id, Some(publisher)))
    }

    /// A record was acknowledged as delivered.
    pub(super) fn settled_as_delivered(&self, id: RecordId) -> Judged {
        for publisher in 0..self.plan.critical {
            ensure!(
                self.holds(publisher, id),
                "lost: {id:?} was acknowledged, and publisher {publisher} does not have it"
            );
        }
        Ok(())
    }

    /// The run is over: everything must be where it belongs. `all`: best-effort publishers as well.
    pub(super) fn judge(&self, all: bool) -> Judged {
        let publishers = if all { self.plan.publishers.len() } else { self.plan.critical };
        for (partition, &(_, records)) in self.plan.partitions.iter().enumerate() {
            for offset in 0..records {
                let id = RecordId { partition: partition as u16, offset };
                for publisher in 0..publishers {
                    let fine = self.holds(publisher, id)
                        || self.excused.contains(&(id, Some(publisher)))
                        || self.excused.contains(&(id, None));
                    ensure!(fine, "lost: publisher {publisher} does not have {id:?}");
                }
            }
        }
        Ok(())
    }
}
