//! What became of each request, for the host that wants to know: a bounded ring of outcomes.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use mfn_sim::{Features, Statistics};
use serde::Serialize;

use crate::sync::{Condvar, Mutex};

/// Outcomes kept for the host; older ones are dropped and counted.
pub const OUTCOMES_MAX: usize = 4096;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// Computed, delivered and settled.
    Ok,
    /// Can not be done; it lies with the dead-letter publisher.
    DeadLettered,
    /// Can not be done; the route has no dead letters.
    Rejected,
}

impl OutcomeStatus {
    /// The snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::DeadLettered => "dead_lettered",
            Self::Rejected => "rejected",
        }
    }
}

/// What became of one request. A request that was given back to its connector has no outcome yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The request's id.
    pub request: String,
    /// The route it took.
    pub route: String,
    /// How it ended.
    pub status: OutcomeStatus,
    /// Why it could not be done.
    pub reason: Option<String>,
    /// The 18 features, when it was computed.
    pub features: Option<Features>,
    /// The counters of the run, when something was simulated.
    pub statistics: Option<Statistics>,
    /// Growth events of the run; 0 when nothing was simulated.
    pub growth_events: u64,
    /// Cell activations of the run; 0 when nothing was simulated.
    pub turing_activations: u64,
    /// How long the computation took, milliseconds.
    pub compute_ms: f64,
    /// The id of the result, when there is one.
    pub snapshot_id: Option<String>,
}

/// A bounded queue of outcomes. When it is full the oldest makes room and is counted.
#[derive(Debug, Default)]
pub(crate) struct OutcomeRing {
    state: Mutex<RingState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct RingState {
    outcomes: VecDeque<Outcome>,
    dropped: u64,
    closed: bool,
}

impl OutcomeRing {
    pub(crate) fn push(&self, outcome: Outcome) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.outcomes.len() == OUTCOMES_MAX {
            state.outcomes.pop_front();
            state.dropped += 1;
        }
        state.outcomes.push_back(outcome);
        self.changed.notify_one();
    }

    /// Takes the oldest outcome. Waits for one, at most for `timeout`, unless no more will come.
    pub(crate) fn next(&self, timeout: Duration) -> Option<Outcome> {
        // A time-out beyond what the clock can tell is one that never comes.
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = state.outcomes.pop_front() {
                return Some(outcome);
            }
            if state.closed {
                return None;
            }
            state = match deadline {
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now())?;
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Says that no more outcomes will come.
    pub(crate) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_all();
    }

    /// Whether all outcomes were taken and no more will come.
    pub(crate) fn is_ended(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed && state.outcomes.is_empty()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(request: usize) -> Outcome {
        Outcome {
            request: request.to_string(),
            route: "r".into(),
            status: OutcomeStatus::Ok,
            reason: None,
            features: None,
            statistics: None,
            growth_events: 0,
            turing_activations: 0,
            compute_ms: 0.0,
            snapshot_id: None,
        }
    }

    // Guards the promise that memory is bounded and that what is lost is counted exactly.
    #[test]
    fn a_full_ring_drops_the_oldest_and_counts() {
        let ring = OutcomeRing::default();
        for request in 0..OUTCOMES_MAX + 3 {
            ring.push(outcome(request));
        }
        assert_eq!(ring.dropped(), 3);
        assert_eq!(ring.next(Duration::ZERO).unwrap().request, "3");
    }

    // Guards against a host that waits for ever on a pipeline that is over.
    #[test]
    fn a_closed_ring_gives_what_it_has_and_then_nothing_at_once() {
        let ring = OutcomeRing::default();
        ring.push(outcome(1));
        ring.close();
        assert!(!ring.is_ended());
        assert!(ring.next(Duration::MAX).is_some());
        assert!(ring.is_ended());
        assert!(ring.next(Duration::MAX).is_none());
    }
}
