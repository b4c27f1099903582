//! Delivery to one publisher as a state machine without I/O, clock or thread.
//!
//! Records are offered; the machine says which of them to publish next and when, is told the answers, and
//! resolves every record exactly once. Retries, their budget, the circuit breaker, pauses that an endpoint
//! asks for, batches and order are all decided here and nowhere else, so that a plugin only has to say what
//! happened. What it holds to, for any answers in any order of events:
//!
//! - a record is resolved once, and never as delivered unless its publisher said so;
//! - records that have to keep their order go out in the order in which they were offered, and a later one
//!   waits while an earlier one is being retried;
//! - nothing is sent to an endpoint before the time it asked for, while its circuit is open, or while a call
//!   of this machine is out; all machines that call one endpoint share what they know of it ([`Endpoint`]);
//! - a record is sent again only under the same name, and is given up only when the configuration says so.

mod breaker;
#[cfg(test)]
mod breaker_tests;
mod budget;
mod endpoint;
#[cfg(test)]
mod fault_tests;
mod machine;
mod queue;
mod retry;
mod store;
#[cfg(test)]
mod tests;

use std::time::Duration;

use mfn_plugin::value::Ordering;

use super::Answer;
use crate::config::{BatchConfig, BreakerConfig, RetryConfig};

pub use breaker::BreakerState;
pub(crate) use endpoint::Endpoint;
pub(crate) use machine::Outbound;
pub(crate) use retry::{Backoff, Random};

/// The caller's name for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ItemId(pub(crate) u64);

/// Names a call until it is answered. Never repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct CallId(pub(crate) u64);

/// A record to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: ItemId,
    /// Hash of the record's key; records without a key keep order with nobody, unless the publisher orders
    /// all.
    pub(crate) key: Option<u64>,
    /// Payload bytes, for the size of batches.
    pub(crate) bytes: u64,
}

/// What delivery to a publisher is to be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutboundConfig {
    pub(crate) retry: RetryConfig,
    pub(crate) breaker: BreakerConfig,
    /// What was configured, and no more than the publisher can take.
    pub(crate) batch: BatchConfig,
    /// The order that the publisher can keep.
    pub(crate) ordering: Ordering,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make this call and report its answers.
    Publish(Call),
    /// Do nothing until then, or until something is offered or answered.
    Wait { until: Option<Duration> },
}

/// A call to the publisher: `publish` for these records in this order, then `flush`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) items: Vec<ItemId>,
    /// 1 when none of the records was sent before; otherwise counts from the one that was sent most often.
    pub(crate) attempt: u32,
    /// How long the call may take.
    pub(crate) timeout: Duration,
    /// Whether the call is to find out if the endpoint is back.
    pub(crate) probe: bool,
}

/// The end of a record's way through the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// The publisher has it, durably.
    Delivered,
    /// It will never be taken: refused for good, or out of attempts with
    /// [`Exhausted::DeadLetter`](crate::config::Exhausted::DeadLetter).
    Unfit { reason: String },
    /// Not delivered; it may be brought again, not before the delay is over.
    Returned { reason: String, delay: Duration },
}

/// The numbers of a publisher's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboundStatus {
    /// Records not resolved, wherever they are.
    pub(crate) queued: usize,
    /// Their payload bytes.
    pub(crate) queued_bytes: u64,
    /// Those that wait after a failure, and those that wait behind them.
    pub(crate) backing_off: usize,
    /// Those in the call that is out.
    pub(crate) in_call: usize,
    /// Records sent again, in all.
    pub(crate) retries: u64,
    /// Calls that were answered with a wrong count, in all.
    pub(crate) breaches: u64,
    pub(crate) breaker: BreakerState,
    /// Until when the endpoint is left alone because it throttled or blocked.
    pub(crate) paused_until: Option<Duration>,
    /// When the oldest record that is not resolved was offered.
    pub(crate) oldest: Option<Duration>,
    /// Whether the publisher said that it can not go on.
    pub(crate) failed: bool,
}

impl OutboundStatus {
    /// The numbers of two machines that call one endpoint.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            queued: self.queued + other.queued,
            queued_bytes: self.queued_bytes + other.queued_bytes,
            backing_off: self.backing_off + other.backing_off,
            in_call: self.in_call + other.in_call,
            retries: self.retries + other.retries,
            breaches: self.breaches + other.breaches,
            oldest: [self.oldest, other.oldest].into_iter().flatten().min(),
            failed: self.failed || other.failed,
            // Of the endpoint, for both.
            breaker: self.breaker,
            paused_until: self.paused_until,
        }
    }
}

/// The answers of a call after its flush: what was taken but not made durable has the flush's error.
pub(crate) fn after_flush(answers: Vec<Answer>, flush: &Answer) -> Vec<Answer> {
    let Err(refusal) = flush else { return answers };
    let mut refusal = refusal.clone();
    if refusal.class == mfn_plugin::value::ErrorClass::Permanent {
        // A flush says nothing about a single record: perhaps it is durable.
        refusal.class = mfn_plugin::value::ErrorClass::Unknown;
    }
    answers.into_iter().map(|answer| answer.and_then(|()| Err(refusal.clone()))).collect()
}

/// A machine with an endpoint to itself.
#[cfg(test)]
fn alone(config: OutboundConfig, seed: u64) -> Outbound {
    Outbound::new(config, Endpoint::new(config.breaker), seed)
}
