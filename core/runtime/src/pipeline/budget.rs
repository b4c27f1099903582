//! The byte budget of a pipeline: what is fetched, queued, being computed and waiting to be published
//! shares one account.
//!
//! Fetching may take at most half of it, so that there is always room to compute what was fetched.
//! Two things are let through beyond it because otherwise nothing would ever move again: a single
//! record larger than what was reserved for a fetch, and a single computation larger than what is
//! left, while no other is running.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A fetch is worth making when there is room for at least this part (one n-th) of what it could bring.
const WORTHWHILE_PART: u64 = 8;

/// The account. Sizes in bytes.
#[derive(Debug)]
pub(super) struct ByteBudget {
    capacity: u64,
    account: Mutex<Account>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Account {
    /// Held by fetches that have not brought anything yet.
    reserved: u64,
    fetched: u64,
    working: u64,
    results: u64,
    works: u64,
    peak: u64,
}

impl Account {
    fn used(&self) -> u64 {
        self.fetched.saturating_add(self.working).saturating_add(self.results)
    }

    /// What a new permit has to fit beside.
    fn taken(&self) -> u64 {
        self.used().saturating_add(self.reserved)
    }

    fn part(&mut self, part: Part) -> &mut u64 {
        match part {
            Part::Reserved => &mut self.reserved,
            Part::Fetched => &mut self.fetched,
            Part::Working => &mut self.working,
            Part::Result => &mut self.results,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Reserved,
    Fetched,
    Working,
    Result,
}

impl ByteBudget {
    pub(super) fn new(capacity: u64) -> Arc<Self> {
        Arc::new(Self { capacity, account: Mutex::new(Account::default()) })
    }

    /// Bytes that fetching may hold at most.
    pub(super) fn fetch_share(&self) -> u64 {
        self.capacity / 2
    }

    /// Reserves up to so many bytes for a fetch; `None` when there is no room worth fetching for now.
    pub(super) fn reserve_fetch(self: &Arc<Self>, wanted: u64) -> Option<Permit> {
        let mut account = self.lock();
        let room_to_fetch =
            self.fetch_share().saturating_sub(account.fetched.saturating_add(account.reserved));
        let bytes = room_to_fetch.min(self.capacity.saturating_sub(account.taken())).min(wanted);
        let worthwhile = bytes > 0 && bytes >= wanted / WORTHWHILE_PART;
        worthwhile.then(|| self.take(&mut account, Part::Reserved, bytes))
    }

    /// Reserves bytes for a computation; `None` when there is no room now.
    pub(super) fn reserve_work(self: &Arc<Self>, bytes: u64) -> Option<Permit> {
        let mut account = self.lock();
        let fits = account.works == 0 || account.taken().saturating_add(bytes) <= self.capacity;
        fits.then(|| {
            account.works += 1;
            self.take(&mut account, Part::Working, bytes)
        })
    }

    /// Bytes in use now, and the most that ever were. What is reserved for a fetch counts when the
    /// fetch has brought something.
    pub(super) fn used_and_peak(&self) -> (u64, u64) {
        let account = self.lock();
        (account.used(), account.peak)
    }

    fn take(self: &Arc<Self>, account: &mut Account, part: Part, bytes: u64) -> Permit {
        let sum = account.part(part);
        *sum = sum.saturating_add(bytes);
        account.peak = account.peak.max(account.used());
        Permit { budget: Arc::clone(self), part, bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes taken from the account; given back on drop.
#[derive(Debug)]
pub(super) struct Permit {
    budget: Arc<ByteBudget>,
    part: Part,
    bytes: u64,
}

impl Permit {
    /// Bytes held.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Turns the reservation of a fetch into the permit of what it brought, whether or not that is
    /// more than was reserved.
    pub(super) fn fetched(&mut self, bytes: u64) {
        if self.part == Part::Reserved {
            self.replace(Part::Fetched, bytes);
        }
    }

    /// Turns the permit of a finished computation into that of its result.
    pub(super) fn finish_work(&mut self, bytes: u64) {
        if self.part == Part::Working {
            self.budget.lock().works -= 1;
            self.replace(Part::Result, bytes);
        }
    }

    fn replace(&mut self, part: Part, bytes: u64) {
        let mut account = self.budget.lock();
        *account.part(self.part) -= self.bytes;
        let sum = account.part(part);
        *sum = sum.saturating_add(bytes);
        account.peak = account.peak.max(account.used());
        drop(account);
        (self.part, self.bytes) = (part, bytes);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut account = self.budget.lock();
        *account.part(self.part) -= self.bytes;
        if self.part == Part::Working {
            account.works -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Guards the account: what is given back is what was taken, through every change of a permit.
    #[test]
    fn permits_give_back_what_they_hold() {
        let budget = ByteBudget::new(1000);
        let mut fetched = budget.reserve_fetch(500).unwrap();
        assert!(budget.reserve_fetch(1).is_none(), "fetching has half");
        assert_eq!(budget.used_and_peak(), (0, 0), "nothing was brought yet");
        fetched.fetched(300);
        let mut work = budget.reserve_work(700).unwrap();
        assert!(budget.reserve_work(1).is_none());
        assert!(budget.reserve_fetch(1).is_none());
        assert_eq!(budget.used_and_peak(), (1000, 1000));
        work.finish_work(100);
        assert_eq!(work.bytes(), 100);
        assert_eq!(budget.used_and_peak().0, 400);
        assert_eq!(budget.reserve_fetch(500).unwrap().bytes(), 200, "a smaller fetch than wanted");
        assert!(budget.reserve_fetch(2000).is_none(), "too little of what was wanted");
        let other = budget.reserve_work(600).unwrap();
        drop((fetched, work, other));
        assert_eq!(budget.used_and_peak(), (0, 1000));
    }

    // Guards progress: a computation above the whole budget runs, but alone.
    #[test]
    fn a_computation_above_the_budget_runs_alone() {
        let budget = ByteBudget::new(1000);
        let fetched = budget.reserve_fetch(100).unwrap();
        let large = budget.reserve_work(5000).unwrap();
        assert!(budget.reserve_work(1).is_none());
        assert!(budget.reserve_fetch(1).is_none());
        drop(large);
        assert!(budget.reserve_work(1).is_some());
        drop(fetched);
    }
}
