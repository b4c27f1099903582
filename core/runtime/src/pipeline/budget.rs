//! The byte budget of a pipeline: what is fetched, queued, being computed and waiting to be published
//! shares one account.
//!
//! Fetching may take at most half of it, so that there is always room to compute what was fetched.
//! Two things are let through beyond it because otherwise nothing would ever move again: a single
//! record larger than what was reserved for a fetch (room for one like the last ones is), and a single
//! computation larger than what is left, while no other is running.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mfn_plugin::value::Record;

/// A fetch is worth making when there is room for at least this part (one n-th) of what it could bring.
const WORTHWHILE_PART: u64 = 8;
/// What is expected of the largest record shrinks by this part (one n-th) with each fetch that brings smaller ones.
const FORGETTING_PART: u64 = 8;
/// Fetches without room, a second of them or so, after which it shrinks as well.
const REFUSALS_TO_FORGET: u64 = 50;
/// Fetches that a connector's share is to hold at the same time, at least.
const FETCHES_PER_SHARE: u64 = 4;
/// The part (one n-th) of the budget for records that wait for publishers nobody waits for.
const BEST_EFFORT_PART: u64 = 8;

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
    /// Records that wait for publishers nobody waits for.
    best_effort: u64,
    works: u64,
    peak: u64,
}

impl Account {
    fn used(&self) -> u64 {
        let parts = [self.fetched, self.working, self.results, self.best_effort];
        parts.into_iter().fold(0, u64::saturating_add)
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
            Part::BestEffort => &mut self.best_effort,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Reserved,
    Fetched,
    Working,
    Result,
    BestEffort,
}

/// What one connector may hold of the part for fetching, so that a connector whose records do not move on
/// leaves the others their room.
#[derive(Debug)]
pub(super) struct FetchShare {
    bytes_max: u64,
    held: AtomicU64,
    /// What the largest of the last records took, bytes; a little less with each fetch since.
    record_bytes: AtomicU64,
    /// Fetches in a row that there was no room for.
    refusals: AtomicU64,
}

impl FetchShare {
    /// What may still be held.
    fn room(&self) -> u64 {
        self.bytes_max.saturating_sub(self.held.load(Ordering::Relaxed))
    }

    fn is_unused(&self) -> bool {
        self.held.load(Ordering::Relaxed) == 0
    }

    /// The room that the next record may need, if it is like the last ones.
    fn record_room(&self) -> u64 {
        self.record_bytes.load(Ordering::Relaxed).min(self.bytes_max)
    }

    /// Notes the largest record of a fetch.
    fn note_record(&self, bytes: u64) {
        // Only the thread of the connector fetches.
        let before = self.record_bytes.load(Ordering::Relaxed);
        self.record_bytes.store(bytes.max(before - before / FORGETTING_PART), Ordering::Relaxed);
        self.refusals.store(0, Ordering::Relaxed);
    }

    /// Notes a fetch that was not made for want of room. What holds the room may do so for hours, and what comes next may
    /// be small.
    fn note_refusal(&self) {
        if self.refusals.fetch_add(1, Ordering::Relaxed) + 1 >= REFUSALS_TO_FORGET {
            self.note_record(0);
        }
    }
}

impl ByteBudget {
    pub(super) fn new(capacity: u64) -> Arc<Self> {
        Arc::new(Self { capacity, account: Mutex::new(Account::default()) })
    }

    /// Bytes that fetching may hold at most.
    pub(super) fn fetch_share(&self) -> u64 {
        self.capacity / 2
    }

    /// The share of one of so many connectors.
    pub(super) fn share(&self, connectors: usize) -> Arc<FetchShare> {
        let bytes_max = self.fetch_share() / connectors.max(1) as u64;
        Arc::new(FetchShare {
            bytes_max,
            held: AtomicU64::new(0),
            record_bytes: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
        })
    }

    /// Reserves bytes for a fetch: a part of the share, so that a next batch can be fetched while the first
    /// is on its way, but room for a record of `record_bytes` if the share has it. `None` when there is no
    /// room worth fetching for now, or too little for a record like the last ones.
    pub(super) fn reserve_fetch(
        self: &Arc<Self>,
        share: &Arc<FetchShare>,
        record_bytes: u64,
    ) -> Option<Permit> {
        let record_bytes = record_bytes.min(share.bytes_max).max(share.record_room());
        let wanted = record_bytes.max(share.bytes_max / FETCHES_PER_SHARE);
        let mut account = self.lock();
        let room_to_fetch =
            self.fetch_share().saturating_sub(account.fetched.saturating_add(account.reserved));
        let room = room_to_fetch.min(self.capacity.saturating_sub(account.taken())).min(share.room());
        let bytes = room.min(wanted);
        // What others hold they may hold for long: a connector that holds nothing does not stand still for a large record.
        let least = if share.is_unused() { 0 } else { share.record_room() };
        let worthwhile = bytes > 0 && bytes >= least.max(wanted / WORTHWHILE_PART);
        if !worthwhile {
            share.note_refusal();
        }
        worthwhile.then(|| self.take(&mut account, Part::Reserved, bytes, Some(Arc::clone(share))))
    }

    /// Reserves bytes for records that wait for a publisher nobody waits for; `None` when they have to be
    /// dropped for it.
    pub(super) fn reserve_best_effort(self: &Arc<Self>, bytes: u64) -> Option<Permit> {
        let mut account = self.lock();
        let fits = account.best_effort.saturating_add(bytes) <= self.capacity / BEST_EFFORT_PART
            && account.taken().saturating_add(bytes) <= self.capacity;
        fits.then(|| self.take(&mut account, Part::BestEffort, bytes, None))
    }

    /// Reserves bytes for a computation; `None` when there is no room now.
    pub(super) fn reserve_work(self: &Arc<Self>, bytes: u64) -> Option<Permit> {
        let mut account = self.lock();
        let fits = account.works == 0 || account.taken().saturating_add(bytes) <= self.capacity;
        fits.then(|| {
            account.works += 1;
            self.take(&mut account, Part::Working, bytes, None)
        })
    }

    /// Bytes in use now, and the most that ever were. What is reserved for a fetch counts when the
    /// fetch has brought something.
    pub(super) fn used_and_peak(&self) -> (u64, u64) {
        let account = self.lock();
        (account.used(), account.peak)
    }

    fn take(
        self: &Arc<Self>,
        account: &mut Account,
        part: Part,
        bytes: u64,
        share: Option<Arc<FetchShare>>,
    ) -> Permit {
        let sum = account.part(part);
        *sum = sum.saturating_add(bytes);
        account.peak = account.peak.max(account.used());
        if let Some(share) = &share {
            share.held.fetch_add(bytes, Ordering::Relaxed);
        }
        Permit { budget: Arc::clone(self), part, bytes, share }
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory that a record takes, bytes.
pub(super) fn record_bytes(record: &Record) -> u64 {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let parts = [record.id.len(), record.key.as_ref().map_or(0, Vec::len), record.payload.len(), headers];
    parts.iter().fold(size_of::<Record>() as u64, |sum, &part| sum.saturating_add(part as u64))
}

/// Bytes taken from the account; given back on drop.
#[derive(Debug)]
pub(super) struct Permit {
    budget: Arc<ByteBudget>,
    part: Part,
    bytes: u64,
    share: Option<Arc<FetchShare>>,
}

impl Permit {
    /// Bytes held.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Turns the reservation of a fetch into the permit of what the records that it brought take, whether or not that
    /// is more than was reserved.
    pub(super) fn fetched(&mut self, records: impl IntoIterator<Item = u64>) {
        let (bytes, largest) = records
            .into_iter()
            .fold((0_u64, 0), |(sum, largest), bytes| (sum.saturating_add(bytes), bytes.max(largest)));
        if let Some(share) = &self.share {
            share.note_record(largest);
        }
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
        if let Some(share) = &self.share {
            share.held.fetch_add(bytes, Ordering::Relaxed);
            share.held.fetch_sub(self.bytes, Ordering::Relaxed);
        }
        drop(account);
        (self.part, self.bytes) = (part, bytes);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut account = self.budget.lock();
        *account.part(self.part) -= self.bytes;
        if let Some(share) = &self.share {
            share.held.fetch_sub(self.bytes, Ordering::Relaxed);
        }
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
        let share = budget.share(1);
        let mut fetched = budget.reserve_fetch(&share, 500).unwrap();
        assert!(budget.reserve_fetch(&share, 1).is_none(), "fetching has half");
        assert_eq!(budget.used_and_peak(), (0, 0), "nothing was brought yet");
        fetched.fetched([200, 100]);
        let mut work = budget.reserve_work(700).unwrap();
        assert!(budget.reserve_work(1).is_none());
        assert!(budget.reserve_fetch(&share, 1).is_none());
        assert_eq!(budget.used_and_peak(), (1000, 1000));
        work.finish_work(100);
        assert_eq!(work.bytes(), 100);
        assert_eq!(budget.used_and_peak().0, 400);
        assert_eq!(budget.reserve_fetch(&share, 500).unwrap().bytes(), 200, "a smaller fetch than wanted");
        fetched.replace(Part::Fetched, 450);
        assert!(budget.reserve_fetch(&share, 500).is_none(), "too little of what was wanted");
        fetched.replace(Part::Fetched, 300);
        let other = budget.reserve_work(600).unwrap();
        drop((fetched, work, other));
        assert_eq!(budget.used_and_peak(), (0, 1000));
    }

    // Guards the half that fetching may have: nothing is asked for where a record like the last would not fit, a large
    // one is forgotten after a while, and one above the whole share comes when nothing else is held.
    #[test]
    fn a_fetch_has_room_for_a_record_like_the_last() {
        let budget = ByteBudget::new(2000);
        let share = budget.share(1);
        let fetch = |records: &[u64]| {
            let mut permit = budget.reserve_fetch(&share, 100)?;
            permit.fetched(records.iter().copied());
            Some(permit)
        };
        let held: Vec<_> = std::iter::from_fn(|| fetch(&[190, 40])).collect();
        assert_eq!((held.len(), budget.used_and_peak().0), (4, 920), "80 are left, a record takes 190");
        drop(held);
        let smaller: Vec<_> = (0..10).map_while(|_| fetch(&[40])).collect();
        assert_eq!(smaller.len(), 10);
        let held: Vec<_> = std::iter::from_fn(|| fetch(&[40])).collect();
        assert_eq!((held.len(), budget.used_and_peak()), (15, (1000, 1000)));
        drop(held);
        let large = fetch(&[5000]);
        drop(smaller);
        assert!(large.is_some() && fetch(&[5000]).is_none());
        drop(large);
        assert!(fetch(&[5000]).is_some());
        let other = budget.share(2);
        let _stuck: Vec<_> = (0..4).map_while(|_| budget.reserve_fetch(&other, 1)).collect();
        assert!(fetch(&[5000]).is_some(), "held by another for good");
    }

    // Guards progress: one record that is held for long, and a large one that is gone, do not stop small ones.
    #[test]
    fn the_size_of_a_large_record_is_forgotten_in_vain() {
        let budget = ByteBudget::new(2000);
        let share = budget.share(1);
        let mut held = budget.reserve_fetch(&share, 100).unwrap();
        held.fetched([10]);
        let mut large = budget.reserve_fetch(&share, 100).unwrap();
        large.fetched([995]);
        drop(large);
        assert!(budget.reserve_fetch(&share, 100).is_none(), "990 are left, and the last record took 995");
        let refusals = (0..).take_while(|_| budget.reserve_fetch(&share, 100).is_none()).count();
        assert!((1..100).contains(&refusals), "{refusals}");
    }

    // Guards progress: a computation above the whole budget runs, but alone.
    #[test]
    fn a_computation_above_the_budget_runs_alone() {
        let budget = ByteBudget::new(1000);
        let share = budget.share(5);
        let fetched = budget.reserve_fetch(&share, 100).unwrap();
        let large = budget.reserve_work(5000).unwrap();
        assert!(budget.reserve_work(1).is_none());
        assert!(budget.reserve_fetch(&budget.share(5), 1).is_none());
        drop(large);
        assert!(budget.reserve_work(1).is_some());
        drop(fetched);
    }

    // Guards the room of one connector against another whose records do not move on, and that of all
    // against a publisher that nobody waits for.
    #[test]
    fn nobody_takes_the_room_of_the_others() {
        let budget = ByteBudget::new(800);
        let (stuck, other) = (budget.share(2), budget.share(2));
        let mut held = Vec::new();
        while let Some(mut permit) = budget.reserve_fetch(&stuck, 50) {
            assert_eq!(permit.bytes(), 50);
            permit.fetched([50]);
            held.push(permit);
        }
        assert_eq!(held.len(), 4);
        assert!(budget.reserve_fetch(&other, 50).is_some());
        let best_effort = budget.reserve_best_effort(100).unwrap();
        assert!(budget.reserve_best_effort(1).is_none());
        drop((held, best_effort));
        assert!(budget.reserve_best_effort(100).is_some());
        assert_eq!((budget.used_and_peak().0, stuck.room()), (0, 200));
    }
}
