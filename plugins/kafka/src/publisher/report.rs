//! Delivery reports: what the broker said about each message of a call, in the caller's order.
//!
//! Filing a report takes no lock: the thread of the reports and the one that sends would wake each other for every message.

use std::{
    sync::{
        Arc, Condvar, Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use rdkafka::types::RDKafkaErrorCode as Code;

/// What became of a message.
pub(crate) type Outcome = Result<(), Code>;

/// The reports of the messages that one call sent.
#[derive(Debug)]
pub(crate) struct Reports {
    outcomes: Box<[OnceLock<Outcome>]>,
    /// Those that are expected or there.
    count: AtomicUsize,
    /// Those that are expected and not there.
    open: AtomicUsize,
    gate: Mutex<()>,
    bell: Condvar,
}

/// Travels with a message and comes back with its report.
#[derive(Debug)]
pub(crate) struct Ticket {
    reports: Arc<Reports>,
    index: usize,
}

impl Ticket {
    /// Files the report. What is reported already stays so.
    pub(crate) fn file(self, outcome: Outcome) {
        let Some(slot) = self.reports.outcomes.get(self.index) else { return };
        if slot.set(outcome).is_ok() && self.reports.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Whoever waits has looked before, or holds the gate until it listens.
            drop(self.reports.gate.lock().unwrap_or_else(PoisonError::into_inner));
            self.reports.bell.notify_all();
        }
    }

    /// Where its report will be.
    pub(crate) fn place(&self) -> (Arc<Reports>, usize) {
        (Arc::clone(&self.reports), self.index)
    }
}

impl Reports {
    /// Room for the reports of at most so many messages.
    pub(crate) fn new(messages: usize) -> Self {
        Self {
            outcomes: (0..messages).map(|_| OnceLock::new()).collect(),
            count: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            gate: Mutex::new(()),
            bell: Condvar::new(),
        }
    }

    /// Opens the next report.
    pub(crate) fn expect(self: &Arc<Self>) -> Ticket {
        self.open.fetch_add(1, Ordering::AcqRel);
        Ticket { reports: Arc::clone(self), index: self.count.fetch_add(1, Ordering::AcqRel) }
    }

    /// Waits until every report is there, at most until `deadline`; says whether it is.
    pub(crate) fn wait(&self, deadline: Instant) -> bool {
        if self.open.load(Ordering::Acquire) == 0 {
            return true;
        }
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        while self.open.load(Ordering::Acquire) > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            gate = self.bell.wait_timeout(gate, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// The report at an index, if it is there.
    pub(crate) fn outcome(&self, index: usize) -> Option<Outcome> {
        self.outcomes.get(index)?.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    /// Guards the wait: it ends with the last report and not before, whichever thread files it, and each report is
    /// found where it was expected.
    #[test]
    fn a_wait_ends_with_the_last_report() {
        for _ in 0..200 {
            let reports = Arc::new(Reports::new(3));
            let tickets: Vec<Ticket> = (0..3).map(|_| reports.expect()).collect();
            assert!(!reports.wait(Instant::now()));
            thread::scope(|scope| {
                for (number, ticket) in tickets.into_iter().enumerate() {
                    let outcome = if number == 1 { Err(Code::QueueFull) } else { Ok(()) };
                    scope.spawn(move || ticket.file(outcome));
                }
                assert!(reports.wait(Instant::now() + Duration::from_secs(20)));
            });
            let outcomes: Vec<_> = (0..4).map(|index| reports.outcome(index)).collect();
            assert_eq!(outcomes, [Some(Ok(())), Some(Err(Code::QueueFull)), Some(Ok(())), None]);
        }
    }
}
