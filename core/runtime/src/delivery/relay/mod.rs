//! From a log to one publisher: what was read goes through [`Outbound`], and the cursor follows.
//!
//! A relay reads records of a log, such as the spool, by their positions and moves its cursor over a record
//! only when the record has its fate: the publisher has it, or the dead letters have it, or nobody keeps
//! what can not be done. The cursor never passes an open record, so whoever starts again from it sends at
//! most what was not certain, under the same ids, and never skips anything. Like the machine behind it, a
//! relay has no clock, no thread and no I/O: it says what to do and is told what came of it.
//!
//! Several relays read one log, each at its own pace; one that is stuck holds up none of the others.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use mfn_plugin::value::ErrorClass;

use super::canary::{self, Bug};
use super::outbound::{
    Action, Backoff, Call, CallId, Endpoint, Item, ItemId, Outbound, OutboundConfig, OutboundStatus,
    Resolution,
};
use super::{Answer, Answers, Fate};

/// The most dead letters in one call.
const LETTERS_MAX: usize = 100;

/// How far a relay may read ahead of its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RelayLimits {
    /// Records between the cursor and the last one read; at least 1. Those behind an open record count
    /// although they are delivered.
    pub(crate) records_max: usize,
    /// Payload bytes of the records that are not delivered. A single larger record is still read.
    pub(crate) bytes_max: u64,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RelayAction {
    /// Move the cursor: everything before this position has its fate.
    Commit { next: u64 },
    /// Make these records durable as dead letters, with their reasons, and report with
    /// [`Relay::dead_lettered`].
    DeadLetter { records: Vec<(u64, String)> },
    /// Make this call and report its answers with [`Relay::answer`]. The ids are positions.
    Publish(Call),
    /// Do nothing until then, or until something is read or reported.
    Wait { until: Option<Duration> },
}

/// How many records have which fate.
///
/// `read = delivered + dead_lettered + rejected + open` at any time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RelayCounters {
    pub(crate) read: u64,
    pub(crate) delivered: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) rejected: u64,
    pub(crate) open: u64,
}

/// A record between the cursor and the last one read.
#[derive(Debug)]
struct Passage {
    position: u64,
    done: bool,
}

/// Dead letters on their way.
#[derive(Debug)]
struct Letters {
    kept: bool,
    waiting: VecDeque<(u64, String)>,
    out: Vec<(u64, String)>,
    /// Refused so many times in a row.
    refused: u32,
    not_before: Duration,
}

/// Carries the records of one log to one publisher. See the [module](self) for what it holds to.
#[derive(Debug)]
pub(crate) struct Relay {
    outbound: Outbound,
    backoff: Backoff,
    limits: RelayLimits,
    /// In the order of their positions.
    passages: VecDeque<Passage>,
    /// Everything before it was read.
    next: u64,
    /// Everything before it has its fate.
    certain: u64,
    /// What the last [`RelayAction::Commit`] said.
    committed: u64,
    letters: Letters,
    counters: RelayCounters,
    halted: bool,
}

impl Relay {
    /// A relay that goes on at a committed cursor. Without dead letters, what can not be done is rejected.
    pub(crate) fn new(
        config: OutboundConfig,
        endpoint: Endpoint,
        seed: u64,
        committed: u64,
        limits: RelayLimits,
        has_dead_letters: bool,
    ) -> Self {
        Self {
            outbound: Outbound::new(config, endpoint, seed).keeping(),
            backoff: Backoff::new(config.retry),
            limits,
            passages: VecDeque::new(),
            next: committed,
            certain: committed,
            committed,
            letters: Letters {
                kept: has_dead_letters,
                waiting: VecDeque::new(),
                out: Vec::new(),
                refused: 0,
                not_before: Duration::ZERO,
            },
            counters: RelayCounters::default(),
            halted: false,
        }
    }

    /// How many records and bytes may be read from the log now, from which position on; `None` when there is
    /// no room, or nothing is to be read any more.
    pub(crate) fn room(&self) -> Option<(u64, usize, u64)> {
        let status = self.outbound.status();
        if self.halted || status.failed {
            return None;
        }
        let records = self.limits.records_max.max(1).saturating_sub(self.passages.len());
        let bytes = self.limits.bytes_max.saturating_sub(status.queued_bytes);
        (records > 0 && (bytes > 0 || status.queued == 0)).then_some((self.next, records, bytes.max(1)))
    }

    /// Takes in what was read, in the order of the log; the ids are positions. Positions that the log has lost
    /// may be missing; what was read before is left out.
    pub(crate) fn read(&mut self, now: Duration, records: impl IntoIterator<Item = Item>) {
        for item in records {
            let position = item.id.0;
            if position < self.next {
                continue;
            }
            self.next = position + 1;
            self.passages.push_back(Passage { position, done: false });
            self.counters.read += 1;
            self.counters.open += 1;
            self.outbound.offer(now, item);
        }
    }

    /// What to do now. `now` is the time since an arbitrary start and never goes back.
    pub(crate) fn poll(&mut self, now: Duration) -> RelayAction {
        if self.certain > self.committed {
            self.committed = self.certain;
            return RelayAction::Commit { next: self.certain };
        }
        let letters = &mut self.letters;
        let letters_wait = !letters.waiting.is_empty() && letters.out.is_empty() && !self.halted;
        if letters_wait && letters.not_before <= now {
            let count = letters.waiting.len().min(LETTERS_MAX);
            letters.out = letters.waiting.drain(..count).collect();
            return RelayAction::DeadLetter { records: letters.out.clone() };
        }
        match self.outbound.poll(now) {
            Action::Publish(call) => RelayAction::Publish(call),
            Action::Wait { until } => {
                let letters = letters_wait.then_some(self.letters.not_before);
                let until = match (until, letters) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
                RelayAction::Wait { until }
            }
        }
    }

    /// Takes in the answers to a call, as [`Outbound::answer`] does. Gives the records that have their fate
    /// by it.
    pub(crate) fn answer(
        &mut self,
        now: Duration,
        call: CallId,
        answers: impl Into<Answers>,
    ) -> Vec<(u64, Fate)> {
        let mut fates = Vec::new();
        for (ItemId(position), resolution) in self.outbound.answer(now, call, answers) {
            match resolution {
                Resolution::Delivered => {
                    self.counters.delivered += 1;
                    self.done(position);
                    fates.push((position, Fate::Delivered));
                }
                Resolution::Unfit { reason } if self.letters.kept => {
                    self.letters.waiting.push_back((position, reason));
                }
                Resolution::Unfit { reason } => fates.push(self.reject(position, reason)),
                // Only at the end: it stays open, and the next life reads it again.
                Resolution::Returned { .. } => {}
            }
        }
        fates
    }

    /// Takes in what the dead letters answered for each record of the last [`RelayAction::DeadLetter`], after
    /// their flush; with another count nothing is known of any. Gives the records that have their fate by it.
    pub(crate) fn dead_lettered(&mut self, now: Duration, answers: Vec<Answer>) -> Vec<(u64, Fate)> {
        let out = std::mem::take(&mut self.letters.out);
        let mut fates = Vec::new();
        let mut again = Vec::new();
        let mut retry_after = None;
        for ((position, reason), answer) in
            out.iter().cloned().zip(super::batch::complete(out.len(), answers))
        {
            match answer {
                Ok(()) => {
                    self.counters.dead_lettered += 1;
                    self.done(position);
                    fates.push((position, Fate::DeadLettered { reason }));
                }
                Err(refusal) if refusal.class == ErrorClass::Permanent => {
                    let reason = format!("{reason}; the dead letter was refused: {}", refusal.reason);
                    fates.push(self.reject(position, reason));
                }
                Err(refusal) => {
                    retry_after = refusal.retry_after.max(retry_after);
                    again.push((position, reason));
                }
            }
        }
        if again.is_empty() {
            self.letters.refused = 0;
        } else {
            self.letters.refused = self.letters.refused.saturating_add(1);
            // Nobody competes for the dead letters: no jitter is needed.
            let wait = self.backoff.pause(self.letters.refused, 1.0, retry_after);
            self.letters.not_before = now.saturating_add(wait);
            for letter in again.into_iter().rev() {
                self.letters.waiting.push_front(letter);
            }
        }
        fates
    }

    /// Ends the relay: nothing more is sent. Calls and dead letters that are out may still be answered and
    /// move the cursor; what is open is read again by the next life.
    pub(crate) fn halt(&mut self) {
        self.halted = true;
        self.outbound.halt();
    }

    #[cfg(test)]
    pub(crate) fn counters(&self) -> RelayCounters {
        self.counters
    }

    /// The numbers of the publisher's queue.
    pub(crate) fn status(&self) -> OutboundStatus {
        self.outbound.status()
    }

    fn reject(&mut self, position: u64, reason: String) -> (u64, Fate) {
        self.counters.rejected += 1;
        self.done(position);
        (position, Fate::Rejected { reason })
    }

    fn done(&mut self, position: u64) {
        self.counters.open -= 1;
        if let Ok(index) = self.passages.binary_search_by_key(&position, |passage| passage.position)
            && let Some(passage) = self.passages.get_mut(index)
        {
            passage.done = true;
        }
        while let Some(first) = self.passages.pop_front_if(|passage| passage.done) {
            self.certain = first.position + 1;
        }
        if self.passages.is_empty() {
            self.certain = self.next;
        }
        if canary::planted(Bug::CommitPastGap) {
            self.certain = self.certain.max(position + 1);
        }
    }
}
