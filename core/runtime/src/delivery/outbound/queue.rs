//! Who is next: batches by count, bytes and age, in the order that the publisher keeps.
//!
//! A record waits either for its first call (`fresh`), or for its next one after a failure (`held`). Where
//! order matters, a held record holds back all later ones of its group: those of the same key, or all.
//! The machine makes one call at a time, so order only has to be kept between calls; within a call it is
//! the publisher that keeps it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use mfn_plugin::value::Ordering;

use super::Item;
use super::store::{Entry, Slot, Store};
use crate::config::BatchConfig;
use crate::delivery::canary::{self, Bug};

/// Records that have to keep their order among each other.
type Group = u64;

/// What is waiting for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Waiting {
    /// A record that keeps order with nobody.
    Single(Slot),
    /// The first of a group, and with it the others.
    Group(Group),
}

/// A group whose first record failed.
#[derive(Debug, Default)]
struct Held {
    due: Duration,
    slots: VecDeque<Slot>,
}

/// The records that are in no call.
#[derive(Debug)]
pub(super) struct Queue {
    ordering: Ordering,
    batch: BatchConfig,
    fresh: VecDeque<Slot>,
    fresh_bytes: u64,
    held: HashMap<Group, Held>,
    held_records: usize,
    /// By time, then by age. An entry of a group counts only if it has the group's time: others are left
    /// from before.
    times: BinaryHeap<Reverse<(Duration, u64, Waiting)>>,
}

/// Bounds of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallLimits {
    pub(super) records_max: usize,
    pub(super) retries: bool,
}

impl Queue {
    pub(super) fn new(ordering: Ordering, batch: BatchConfig) -> Self {
        Self {
            ordering,
            batch,
            fresh: VecDeque::new(),
            fresh_bytes: 0,
            held: HashMap::new(),
            held_records: 0,
            times: BinaryHeap::new(),
        }
    }

    /// Records that wait for their time after a failure, and those held back behind them.
    pub(super) const fn held(&self) -> usize {
        self.held_records
    }

    /// Times that are noted, those out of date included.
    #[cfg(test)]
    pub(super) fn times(&self) -> usize {
        self.times.len()
    }

    pub(super) fn offer(&mut self, slot: Slot, item: &Item) {
        self.fresh.push_back(slot);
        self.fresh_bytes = self.fresh_bytes.saturating_add(item.bytes);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.ordering, self.batch);
    }

    /// Holds records of a call that is over until their times. They come in the order of the call.
    pub(super) fn hold(&mut self, records: &[(Slot, Duration)], store: &Store) {
        // From the last to the first: each goes before those of its group that were not in the call.
        for &(slot, due) in records.iter().rev() {
            self.held_records += 1;
            let entry = &store[slot];
            match self.group(&entry.item) {
                None => self.times.push(Reverse((due, entry.sequence, Waiting::Single(slot)))),
                Some(group) => {
                    let held = self.held.entry(group).or_default();
                    if held.slots.is_empty() || held.due < due {
                        held.due = due;
                        self.times.push(Reverse((due, entry.sequence, Waiting::Group(group))));
                    }
                    held.slots.push_front(slot);
                }
            }
        }
    }

    /// When a call should be made at the earliest; `None` when there is nothing to send. Retries count only
    /// from the time on at which the budget allows them.
    pub(super) fn ready_at(
        &mut self,
        now: Duration,
        retries_at: Duration,
        store: &Store,
    ) -> Option<Duration> {
        let retry = self.next_held().map(|due| due.max(retries_at));
        let fresh = self.fresh.front().map(|&slot| {
            let full = self.fresh.len() >= self.batch.records_max as usize
                || self.fresh_bytes >= self.batch.bytes_max;
            if full {
                return now;
            }
            store[slot].offered.saturating_add(Duration::from_millis(self.batch.age_ms))
        });
        match (retry, fresh) {
            (Some(retry), Some(fresh)) => Some(retry.min(fresh)),
            (one, other) => one.or(other),
        }
    }

    /// Moves the records of the next call into `call`: first those whose time has come, then fresh ones.
    /// Can be empty when all fresh ones have to wait behind held ones.
    pub(super) fn take(&mut self, now: Duration, limits: CallLimits, store: &Store, call: &mut Vec<Slot>) {
        let mut room = Room { records: limits.records_max.max(1), bytes: self.batch.bytes_max, taken: 0 };
        if limits.retries {
            self.take_held(now, store, &mut room, call);
        }
        while room.records > 0 {
            let Some(&slot) = self.fresh.front() else { return };
            let item = &store[slot].item;
            let held = self.group(item).and_then(|group| self.held.get_mut(&group));
            if let Some(held) = held.filter(|_| !canary::planted(Bug::Overtake)) {
                held.slots.push_back(slot);
                self.held_records += 1;
            } else if room.takes(&store[slot]) {
                call.push(slot);
            } else {
                return;
            }
            self.fresh.pop_front();
            self.fresh_bytes = self.fresh_bytes.saturating_sub(item.bytes);
        }
    }

    fn take_held(&mut self, now: Duration, store: &Store, room: &mut Room, call: &mut Vec<Slot>) {
        while let Some(due) = self.next_held() {
            if due > now {
                return;
            }
            let Some(&Reverse((_, _, waiting))) = self.times.peek() else { return };
            match waiting {
                Waiting::Single(slot) => {
                    if !room.takes(&store[slot]) {
                        return;
                    }
                    call.push(slot);
                    self.held_records -= 1;
                    self.times.pop();
                }
                Waiting::Group(group) => {
                    let Some(held) = self.held.get_mut(&group) else { return };
                    while let Some(&slot) = held.slots.front() {
                        if !room.takes(&store[slot]) {
                            return;
                        }
                        call.push(slot);
                        held.slots.pop_front();
                        self.held_records -= 1;
                    }
                    self.held.remove(&group);
                    self.times.pop();
                }
            }
        }
    }

    /// The earliest time of a held record. Forgets times that are out of date.
    fn next_held(&mut self) -> Option<Duration> {
        while let Some(&Reverse((due, _, waiting))) = self.times.peek() {
            let counts = match waiting {
                Waiting::Single(_) => true,
                Waiting::Group(group) => self.held.get(&group).is_some_and(|held| held.due == due),
            };
            if counts {
                return Some(due);
            }
            self.times.pop();
        }
        None
    }

    fn group(&self, item: &Item) -> Option<Group> {
        match self.ordering {
            Ordering::None => None,
            Ordering::Key => item.key,
            Ordering::All => Some(0),
        }
    }
}

/// What still fits into a call.
struct Room {
    records: usize,
    bytes: u64,
    taken: usize,
}

impl Room {
    /// Whether a record fits; then it has its place. The first always fits.
    fn takes(&mut self, entry: &Entry) -> bool {
        let (bytes, company_max) = (entry.item.bytes, entry.company_max.max(1) as usize);
        if self.records == 0 || self.taken >= company_max || (self.taken > 0 && bytes > self.bytes) {
            return false;
        }
        self.taken += 1;
        self.records = (self.records - 1).min(company_max - self.taken);
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }
}
