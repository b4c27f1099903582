//! The records of one publisher in a slab, with a thread through them in the order in which they came.
//!
//! A record takes the same small amount of memory whatever happens to it, and every operation takes the
//! same short time, however many there are.

use std::time::Duration;

use super::Item;

/// The place of a record in the slab.
pub(super) type Slot = u32;

/// No record.
const NONE: Slot = Slot::MAX;

/// What is known of a record on its way.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) item: Item,
    /// When it was offered.
    pub(super) offered: Duration,
    /// Counts the offers: who came first.
    pub(super) sequence: u64,
    /// How often it was in a call.
    pub(super) sends: u32,
    /// How many attempts it has used up; less than `sends` where the endpoint was at fault.
    pub(super) spent: u32,
    /// The most records of a call that it is part of.
    pub(super) company_max: u32,
    previous: Slot,
    next: Slot,
}

/// All records of one publisher that are not resolved.
#[derive(Debug)]
pub(super) struct Store {
    entries: Vec<Entry>,
    /// The first of the free places, which are linked by `next`.
    free: Slot,
    oldest: Slot,
    newest: Slot,
    len: usize,
    bytes: u64,
    sequence: u64,
}

impl Store {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), free: NONE, oldest: NONE, newest: NONE, len: 0, bytes: 0, sequence: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the record that came first was offered.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.entries.get(self.oldest as usize).map(|entry| entry.offered)
    }

    pub(super) fn insert(&mut self, now: Duration, item: Item) -> Slot {
        let bytes = item.bytes;
        let entry = Entry {
            item,
            offered: now,
            sequence: self.sequence,
            sends: 0,
            spent: 0,
            company_max: u32::MAX,
            previous: self.newest,
            next: NONE,
        };
        self.sequence += 1;
        self.len += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        let slot = if self.free == NONE {
            self.entries.push(entry);
            (self.entries.len() - 1) as Slot
        } else {
            let slot = self.free;
            self.free = self[slot].next;
            self[slot] = entry;
            slot
        };
        if self.newest == NONE {
            self.oldest = slot;
        } else {
            let newest = self.newest;
            self[newest].next = slot;
        }
        self.newest = slot;
        slot
    }

    /// Takes a record out. The slot must not be used again by the caller.
    pub(super) fn remove(&mut self, slot: Slot) -> Item {
        let Entry { item, previous, next, .. } = self[slot].clone();
        if previous == NONE {
            self.oldest = next;
        } else {
            self[previous].next = next;
        }
        if next == NONE {
            self.newest = previous;
        } else {
            self[next].previous = previous;
        }
        self[slot].next = self.free;
        self.free = slot;
        self.len -= 1;
        self.bytes = self.bytes.saturating_sub(item.bytes);
        if self.len == 0 {
            // A flood leaves no memory behind.
            *self = Self { sequence: self.sequence, ..Self::new() };
        }
        item
    }

    /// All slots, the oldest first.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> {
        let next = |slot: &Slot| Some(self[*slot].next).filter(|&next| next != NONE);
        std::iter::successors(Some(self.oldest).filter(|&oldest| oldest != NONE), next)
    }
}

impl std::ops::Index<Slot> for Store {
    type Output = Entry;

    fn index(&self, slot: Slot) -> &Entry {
        &self.entries[slot as usize]
    }
}

impl std::ops::IndexMut<Slot> for Store {
    fn index_mut(&mut self, slot: Slot) -> &mut Entry {
        &mut self.entries[slot as usize]
    }
}
