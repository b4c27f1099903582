//! Delivery reports: what the broker said about each message of a call, in the caller's order.
//!
//! A message carries a number and nothing else, and its report is filed under it: no memory of its own, and nothing that
//! two threads write for every message, as they would wait for each other's caches.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use rdkafka::types::RDKafkaErrorCode as Code;

/// What became of a message.
pub(crate) type Outcome = Result<(), Code>;

/// More than any call has messages: its number is not known yet.
const UNKNOWN: usize = usize::MAX;

/// The calls of one producer that wait for reports.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    open: VecDeque<Arc<Reports>>,
    /// The number of the next call's first message. Numbers of one producer never repeat.
    next: usize,
}

impl Ledger {
    /// Opens a call of at most so many messages. Forgets those that have all their reports.
    pub(crate) fn open(&self, messages: usize) -> Arc<Reports> {
        let mut calls = lock(&self.calls);
        calls.open.retain(|reports| !reports.is_complete());
        let reports = Arc::new(Reports::new(calls.next, messages));
        calls.next = calls.next.wrapping_add(messages);
        calls.open.push_back(Arc::clone(&reports));
        reports
    }

    /// Files the report of the message of a number. What is reported already stays so.
    pub(crate) fn file(&self, number: usize, outcome: Outcome) {
        let calls = lock(&self.calls);
        // There is seldom another call than the last.
        if let Some((reports, index)) =
            calls.open.iter().rev().find_map(|call| Some((call, call.index(number)?)))
        {
            reports.file(index, outcome);
        }
    }
}

/// The reports of the messages that one call sent.
#[derive(Debug)]
pub(crate) struct Reports {
    /// The number of its first message.
    first: usize,
    outcomes: Box<[OnceLock<Outcome>]>,
    /// Messages that librdkafka has taken; written by the call's thread alone.
    sent: AtomicUsize,
    /// Reports that are there.
    filed: AtomicUsize,
    /// How many there will be, once everything is sent.
    total: AtomicUsize,
}

impl Reports {
    fn new(first: usize, messages: usize) -> Self {
        Self {
            first,
            outcomes: (0..messages).map(|_| OnceLock::new()).collect(),
            sent: AtomicUsize::new(0),
            filed: AtomicUsize::new(0),
            total: AtomicUsize::new(UNKNOWN),
        }
    }

    /// The place of the next message: its number is what the message has to carry.
    pub(crate) fn next(&self) -> usize {
        self.first.wrapping_add(self.sent.load(Ordering::Relaxed))
    }

    /// librdkafka has taken the message of the [`next`](Self::next) number. Says where its report will be.
    pub(crate) fn sent(&self) -> usize {
        self.sent.fetch_add(1, Ordering::Relaxed)
    }

    fn index(&self, number: usize) -> Option<usize> {
        Some(number.wrapping_sub(self.first)).filter(|index| *index < self.outcomes.len())
    }

    fn file(&self, index: usize, outcome: Outcome) {
        let Some(slot) = self.outcomes.get(index) else { return };
        if slot.set(outcome).is_err() {
            return;
        }
        self.filed.fetch_add(1, Ordering::Release);
    }

    /// How many reports are there.
    pub(crate) fn filed(&self) -> usize {
        self.filed.load(Ordering::Acquire)
    }

    /// Everything is sent.
    pub(crate) fn close(&self) {
        self.total.store(self.sent.load(Ordering::Relaxed), Ordering::Release);
    }

    /// Whether everything is sent and every report is there.
    pub(crate) fn is_complete(&self) -> bool {
        self.filed() == self.total.load(Ordering::Acquire)
    }

    /// The report at an index, if it is there.
    pub(crate) fn outcome(&self, index: usize) -> Option<Outcome> {
        self.outcomes.get(index)?.get().copied()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn send(reports: &Reports) -> usize {
        let number = reports.next();
        reports.sent();
        number
    }

    /// Guards the end of a call: it is complete with the last report and not before, whichever thread files it and whenever
    /// the call is closed, and each report is found where it was expected.
    #[test]
    fn a_call_is_complete_with_its_last_report() {
        for _ in 0..200 {
            let ledger = Ledger::default();
            let earlier = ledger.open(1);
            let late = send(&earlier);
            earlier.close();
            let reports = ledger.open(4);
            let numbers: Vec<usize> = (0..3).map(|_| send(&reports)).collect();
            assert!(!reports.is_complete());
            thread::scope(|scope| {
                for &number in &numbers {
                    let outcome = if number == numbers[1] { Err(Code::QueueFull) } else { Ok(()) };
                    let ledger = &ledger;
                    scope.spawn(move || ledger.file(number, outcome));
                }
                reports.close();
            });
            assert!(reports.is_complete() && !earlier.is_complete());
            let outcomes: Vec<_> = (0..4).map(|index| reports.outcome(index)).collect();
            assert_eq!(outcomes, [Some(Ok(())), Some(Err(Code::QueueFull)), Some(Ok(())), None]);
            ledger.file(late, Ok(()));
            assert!(earlier.is_complete());
        }
    }

    /// Guards memory and late reports: a call is kept as long as reports of it are missing, and no longer; a number that
    /// nobody waits for changes nothing.
    #[test]
    fn a_call_is_kept_until_its_last_report() {
        let ledger = Ledger::default();
        let held: Vec<Arc<Reports>> = (0..100).map(|_| ledger.open(10)).collect();
        let numbers: Vec<usize> = held.iter().map(|reports| send(reports)).collect();
        held.iter().for_each(|reports| reports.close());
        ledger.file(usize::MAX, Err(Code::QueueFull));
        for number in &numbers[..99] {
            ledger.file(*number, Ok(()));
            ledger.file(*number, Err(Code::QueueFull));
        }
        drop(ledger.open(0));
        assert_eq!(lock(&ledger.calls).open.len(), 2);
        assert!(held.iter().take(99).all(|reports| reports.outcome(0) == Some(Ok(()))));
        assert!(held[99].outcome(0).is_none());
    }
}
