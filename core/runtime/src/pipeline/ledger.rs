//! What became of the records of one spool, as the cursors of its publishers tell it.
//!
//! A record is done when every publisher that must have it is past it. It counts as delivered, unless one of
//! them could never take it: then as dead-lettered or rejected.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The account of one spool.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Records that lay in the spool when it was opened.
    recovered: u64,
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    /// The id that the next durable record gets.
    next: u64,
    /// Per publisher: everything below has its fate there.
    cursors: Vec<u64>,
    /// Everything below is done.
    done: u64,
    /// Not done and not taken by somebody for good; whether it lies with the dead letters.
    unfit: BTreeMap<u64, bool>,
    fates: SpoolFates,
}

/// How many records of a spool have which fate since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SpoolFates {
    pub(super) delivered: u64,
    pub(super) dead_lettered: u64,
    pub(super) rejected: u64,
    /// In the spool, for at least one publisher that must have it.
    pub(super) waiting: u64,
    /// Were in the spool when it was opened.
    pub(super) recovered: u64,
}

impl Ledger {
    /// A spool whose next record gets the id `next` and whose publishers are so far.
    pub(super) fn new(next: u64, cursors: Vec<u64>) -> Self {
        let done = cursors.iter().copied().min().unwrap_or(next);
        let account = Account { next, cursors, done, unfit: BTreeMap::new(), fates: SpoolFates::default() };
        Self { recovered: next.saturating_sub(done), account: Mutex::new(account) }
    }

    /// Notes that everything below an id is durable in the spool.
    pub(super) fn appended(&self, next: u64) {
        let mut account = self.lock();
        account.next = account.next.max(next);
    }

    /// Notes that a publisher will never take a record.
    pub(super) fn unfit(&self, publisher: usize, id: u64, dead_lettered: bool) {
        let mut account = self.lock();
        if account.cursors.get(publisher).is_some_and(|&cursor| cursor <= id) {
            // One that lies with the dead letters once is dead-lettered.
            *account.unfit.entry(id).or_default() |= dead_lettered;
        }
    }

    /// Notes that a publisher did not find these records in the spool: their bytes are damaged.
    pub(super) fn lost(&self, publisher: usize, ids: Range<u64>) {
        for id in ids {
            self.unfit(publisher, id, false);
        }
    }

    /// Notes how far a publisher is. Gives the fates that this decided.
    pub(super) fn moved(&self, publisher: usize, next: u64) -> SpoolFates {
        let mut account = self.lock();
        if let Some(cursor) = account.cursors.get_mut(publisher) {
            *cursor = next.max(*cursor);
        }
        let done = account.cursors.iter().copied().min().unwrap_or(account.done);
        let mut new = SpoolFates::default();
        while let Some(entry) = account.unfit.first_entry().filter(|entry| *entry.key() < done) {
            match entry.remove() {
                true => new.dead_lettered += 1,
                false => new.rejected += 1,
            }
        }
        new.delivered = done.saturating_sub(account.done).saturating_sub(new.dead_lettered + new.rejected);
        account.done = account.done.max(done);
        account.next = account.next.max(done);
        account.fates.delivered += new.delivered;
        account.fates.dead_lettered += new.dead_lettered;
        account.fates.rejected += new.rejected;
        new
    }

    /// Whether a publisher has not got everything.
    pub(super) fn is_behind(&self, publisher: usize) -> bool {
        let account = self.lock();
        account.cursors.get(publisher).is_some_and(|&cursor| cursor < account.next)
    }

    /// Everything below this id is done with all publishers that must have it.
    pub(super) fn done(&self) -> u64 {
        self.lock().done
    }

    pub(super) fn fates(&self) -> SpoolFates {
        let account = self.lock();
        SpoolFates { waiting: account.next - account.done, recovered: self.recovered, ..account.fates }
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Guards the count of delivered records: one is done when the slowest publisher is past it, and has one
    // fate, whatever two publishers say of it.
    #[test]
    fn a_record_is_done_when_the_slowest_is_past_it() {
        let ledger = Ledger::new(10, vec![4, 7]);
        assert_eq!(ledger.fates(), SpoolFates { waiting: 6, recovered: 6, ..SpoolFates::default() });
        ledger.appended(12);
        assert_eq!(ledger.moved(1, 12), SpoolFates::default());
        ledger.unfit(0, 5, false);
        ledger.unfit(0, 5, true);
        ledger.unfit(1, 6, true);
        ledger.lost(0, 8..9);
        let new = ledger.moved(0, 9);
        assert_eq!((new.delivered, new.dead_lettered, new.rejected), (3, 1, 1));
        ledger.moved(0, 12);
        let fates = ledger.fates();
        assert_eq!((fates.delivered, fates.dead_lettered, fates.rejected, fates.waiting), (6, 1, 1, 0));
        assert_eq!(ledger.done(), 12);
    }
}
