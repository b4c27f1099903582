//! Delivery as a state machine without I/O: events in, commands out.
//!
//! The machine decides the fate of every record of a route: who must publish it, when it is durable,
//! what is dead-lettered, and when a batch may be settled. It has no clock, no thread and no
//! component, so that every interleaving can be tried in a test and replayed from its seed. The
//! threads that carry out its commands are in [`pipeline`](crate::pipeline).
//!
//! What it holds to, whatever the order of events:
//!
//! - a record is acknowledged only after every critical publisher has answered for it *and* flushed; no
//!   settlement waits for a best-effort publisher;
//! - a batch is settled exactly once, and the batches of one [`Origin`] in the order of their fetches;
//! - batches of one origin go to publishers in the order of their fetches;
//! - once a partition has come again under a newer epoch, nothing of the older one begins to be published:
//!   what was not begun is given back at once, what was begun is finished;
//! - `received = delivered + rejected + dead_lettered + nacked + in_flight` after every event.

mod batch;
mod canary;
mod machine;
#[cfg(test)]
mod machine_tests;
pub(crate) mod outbound;
pub(crate) mod relay;
#[cfg(test)]
mod simulation;

use std::sync::Arc;
use std::time::Duration;

use mfn_plugin::value::{ErrorClass, PluginError};

pub(crate) use machine::Machine;
pub use outbound::BreakerState;

/// The least time for which a record is held back that goes back to its connector because of an error.
pub(crate) const NACK_DELAY: Duration = Duration::from_secs(1);

/// Names a batch within its route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BatchId(pub(crate) u64);

/// One assignment of one partition of one connector. Order and settlement are kept within it and nowhere
/// else, so that a partition that is stuck holds up no other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// The connector, by its place in the route.
    pub(crate) connector: usize,
    pub(crate) partition: Arc<str>,
    /// Counts the assignments of the partition.
    pub(crate) epoch: u64,
}

/// Who is to make records durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Target {
    /// A critical publisher of the route, by its place in the route.
    Publisher(usize),
    /// The dead-letter publisher.
    DeadLetters,
}

/// Why a target did not take a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) class: ErrorClass,
    /// Who refused and why, for people.
    pub(crate) reason: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// What a component said, with its name.
    pub(crate) fn from_plugin(component: &str, error: &PluginError) -> Self {
        Self {
            class: error.class,
            reason: format!("{component}: {}", error.message),
            retry_after: error.retry_after,
        }
    }
}

/// What a target answers for a record or a flush.
pub(crate) type Answer = Result<(), Refusal>;

/// What a publisher answers to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answers {
    /// One for each record, in their order; another number is a breach.
    Each(Vec<Answer>),
    /// One refusal of the whole call: nothing is said of any single record.
    Whole(Refusal),
}

impl Answers {
    /// One answer for each of so many records, or as many as the publisher gave.
    pub(crate) fn each(self, records: usize) -> Vec<Answer> {
        match self {
            Self::Each(answers) => answers,
            Self::Whole(refusal) => vec![Err(refusal); records],
        }
    }

    /// The refusals in it.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        let (each, whole) = match self {
            Self::Each(answers) => (answers.as_slice(), None),
            Self::Whole(refusal) => (&[][..], Some(refusal)),
        };
        each.iter().filter_map(|answer| answer.as_ref().err()).chain(whole)
    }
}

impl From<Vec<Answer>> for Answers {
    fn from(answers: Vec<Answer>) -> Self {
        Self::Each(answers)
    }
}

/// What became of a record's computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Computed {
    /// There is a result to publish.
    Ready,
    /// The record can not be done.
    Unfit {
        /// Why.
        reason: String,
    },
    /// Given up because the pipeline ends.
    Cancelled,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A connector brought a batch of at least one record.
    Fetched { batch: BatchId, origin: Origin, records: usize },
    /// A record was computed.
    Computed { batch: BatchId, record: usize, result: Computed },
    /// All records of a batch for which nothing was said yet are [`Computed::Ready`].
    Ready { batch: BatchId },
    /// A target answered for each record of a [`Command::Publish`] or [`Command::DeadLetter`].
    Published { batch: BatchId, target: Target, answers: Vec<Answer> },
    /// A target answered a [`Command::Flush`].
    Flushed { batch: BatchId, target: Target, answer: Answer },
    /// The connector took the verdicts of a [`Command::Settle`], or refused them.
    Settled { batch: BatchId, done: bool },
    /// The time for draining is over: give back what is not done.
    Halt,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Compute all records of a batch.
    Compute { batch: BatchId },
    /// Publish the results of these records, in this order.
    Publish { batch: BatchId, publisher: usize, records: Vec<usize> },
    /// Hand the results of these records to a best-effort publisher, in this order. Nobody waits for it, so
    /// there is no event for what becomes of them.
    Offer { batch: BatchId, best_effort: usize, records: Vec<usize> },
    /// Publish these records, as they came, with their reasons, as dead letters.
    DeadLetter { batch: BatchId, records: Vec<(usize, String)> },
    /// Make durable what the target answered with success.
    Flush { batch: BatchId, target: Target },
    /// Tell the connector the fate of each record.
    Settle { batch: BatchId, fates: Vec<Fate> },
    /// A batch is over; nothing refers to it any more.
    Finish { batch: BatchId, fates: Vec<Fate>, settled: bool },
    /// A target can not go on.
    Fail { reason: String },
}

/// The final fate of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All critical publishers have it, durably.
    Delivered,
    /// It can not be done, and the dead-letter publisher has it, durably.
    DeadLettered { reason: String },
    /// It can not be done, and there is nobody to keep it.
    Rejected { reason: String },
    /// Not done; to come again.
    Returned { delay: Duration },
}

/// How many records have which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) received: u64,
    pub(crate) delivered: u64,
    pub(crate) rejected: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) nacked: u64,
    pub(crate) in_flight: u64,
}

impl Counters {
    /// Adds those of another route.
    pub(crate) fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.delivered += other.delivered;
        self.rejected += other.rejected;
        self.dead_lettered += other.dead_lettered;
        self.nacked += other.nacked;
        self.in_flight += other.in_flight;
    }
}
