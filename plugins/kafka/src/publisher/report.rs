//! Delivery reports: what the broker said about each message of a call, in the caller's order.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use rdkafka::types::RDKafkaErrorCode as Code;

/// What became of a message.
pub(crate) type Outcome = Result<(), Code>;

/// The reports of the messages that one call sent.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcomes: Vec<Option<Outcome>>,
    open: usize,
}

/// Travels with a message and comes back with its report.
#[derive(Debug)]
pub(crate) struct Ticket {
    reports: Arc<Reports>,
    index: usize,
}

impl Ticket {
    /// Files the report.
    pub(crate) fn file(self, outcome: Outcome) {
        let mut state = self.reports.lock();
        let Some(slot) = state.outcomes.get_mut(self.index) else { return };
        if slot.replace(outcome).is_none() {
            state.open -= 1;
        }
        if state.open == 0 {
            self.reports.bell.notify_all();
        }
    }
}

impl Reports {
    /// Opens the next report.
    pub(crate) fn expect(self: &Arc<Self>) -> Ticket {
        let mut state = self.lock();
        state.outcomes.push(None);
        state.open += 1;
        Ticket { reports: Arc::clone(self), index: state.outcomes.len() - 1 }
    }

    /// Waits until every report is there, at most until `deadline`; says whether it is.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        let mut state = self.lock();
        while state.open > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.bell.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// The report at an index, if it is there.
    pub(crate) fn outcome(&self, index: usize) -> Option<Outcome> {
        self.lock().outcomes.get(index).copied().flatten()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Where its report will be.
    pub(crate) fn place(&self) -> (Arc<Reports>, usize) {
        (Arc::clone(&self.reports), self.index)
    }
}
