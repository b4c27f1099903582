//! One assigned partition: which of its records are where, and how far it may be committed. Without I/O and
//! clocks of its own.
//!
//! Kafka remembers one number per partition, so only the contiguous settled prefix may be committed. A record
//! that is given back is read again from the broker, as keeping a copy of all that is outstanding would double the
//! memory: what waits here unfetched is dropped, the consumer is set back when the delay is over, and what comes
//! then is handed out in order, without what is still outstanding or settled.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use mfn_plugin::value::{FetchLimits, Record};

/// Where an unsettled record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Here, to be handed out.
    Ready,
    /// Handed out.
    Out,
    /// Given back or dropped; to be read again.
    Returned,
}

/// What the consumer does for the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// It reads on.
    Forward,
    /// It is to be set back, not before this moment; what comes until then is dropped.
    SetBackAt(Instant),
    /// It was set back and reads again what was returned.
    Again,
}

/// Why a partition is to be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// What comes could not be handed out in order.
    Order,
    /// There is enough of it, or of all together.
    Full,
}

/// One partition during one assignment.
#[derive(Debug)]
pub(crate) struct Partition {
    /// Counts the assignments of the partition to this instance.
    pub(crate) epoch: u64,
    /// Whether it is to be given away: nothing is handed out any more.
    pub(crate) is_leaving: bool,
    /// Whether the consumer was told to fetch no more of it.
    pub(crate) is_paused: bool,
    /// Offset behind the last record that came; `None` before the first.
    next: Option<i64>,
    /// Records that came and are not settled.
    open: BTreeMap<i64, Place>,
    ready: BTreeMap<i64, Record>,
    ready_bytes: usize,
    out_count: usize,
    returned_count: usize,
    flow: Flow,
    /// Offsets of `open` that a committed transaction holds: they must not be published again.
    transacted: BTreeSet<i64>,
    /// What is committed or was sent to be: before the first commit, where the consumer began.
    commit_sent: i64,
}

/// What became of a message that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is to be handed out; `missing` records that were to be read again are no longer in the topic.
    Taken { missing: usize },
    /// It is known already, or comes again later.
    Dropped,
}

impl Partition {
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            is_leaving: false,
            is_paused: false,
            next: None,
            open: BTreeMap::new(),
            ready: BTreeMap::new(),
            ready_bytes: 0,
            out_count: 0,
            returned_count: 0,
            flow: Flow::Forward,
            transacted: BTreeSet::new(),
            commit_sent: 0,
        }
    }

    /// Takes a message in.
    pub(crate) fn arrive(&mut self, offset: i64, record: Record) -> Arrival {
        let next = *self.next.get_or_insert_with(|| {
            self.commit_sent = offset;
            offset
        });
        let is_returned = self.open.get(&offset) == Some(&Place::Returned);
        if matches!(self.flow, Flow::SetBackAt(_)) || (offset < next && !is_returned) {
            return Arrival::Dropped;
        }
        let missing = if self.flow == Flow::Again { self.forget_returned_below(offset) } else { 0 };
        self.returned_count -= usize::from(is_returned);
        if self.returned_count == 0 {
            self.flow = Flow::Forward;
        }
        self.open.insert(offset, Place::Ready);
        self.ready_bytes += record.payload.len();
        self.ready.insert(offset, record);
        self.next = Some(next.max(offset + 1));
        Arrival::Taken { missing }
    }

    /// After the consumer was set back, offsets come in order: what was passed over is deleted from the topic.
    fn forget_returned_below(&mut self, offset: i64) -> usize {
        let of_place = |(at, place): (&i64, &Place)| (*place == Place::Returned).then_some(*at);
        let gone: Vec<i64> = self.open.range(..offset).filter_map(of_place).collect();
        for at in &gone {
            self.open.remove(at);
            self.transacted.remove(at);
        }
        self.returned_count -= gone.len();
        gone.len()
    }

    /// Whether there is something to hand out now.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty() && !self.is_leaving
    }

    /// Hands out the next records within the limits, in order, with their offsets.
    pub(crate) fn take(&mut self, limits: FetchLimits) -> (Vec<i64>, Vec<Record>) {
        let (mut offsets, mut records, mut bytes) = (Vec::new(), Vec::new(), 0u64);
        while self.has_ready() && records.len() < limits.records_max as usize {
            let Some(entry) = self.ready.first_entry() else { break };
            let size = entry.get().payload.len();
            if !records.is_empty() && bytes.saturating_add(size as u64) > limits.bytes_max {
                break;
            }
            let (offset, record) = entry.remove_entry();
            bytes = bytes.saturating_add(size as u64);
            self.ready_bytes -= size;
            self.open.insert(offset, Place::Out);
            self.out_count += 1;
            offsets.push(offset);
            records.push(record);
        }
        (offsets, records)
    }

    /// A record that was handed out is done, or never to be done.
    pub(crate) fn settle(&mut self, offset: i64) {
        if self.open.get(&offset) == Some(&Place::Out) {
            self.open.remove(&offset);
            self.transacted.remove(&offset);
            self.out_count -= 1;
        }
    }

    /// A record that was handed out is to come again, not before `delay` is over.
    pub(crate) fn give_back(&mut self, offset: i64, now: Instant, delay: Duration) {
        if self.open.get(&offset) != Some(&Place::Out) {
            return;
        }
        self.open.insert(offset, Place::Returned);
        self.out_count -= 1;
        self.returned_count += 1;
        // What waits here comes again with it: kept, it would hold memory that others need.
        for offset in std::mem::take(&mut self.ready).into_keys() {
            self.open.insert(offset, Place::Returned);
            self.returned_count += 1;
        }
        self.ready_bytes = 0;
        let due = now.checked_add(delay).unwrap_or(now);
        self.flow = match self.flow {
            Flow::SetBackAt(other) => Flow::SetBackAt(other.max(due)),
            Flow::Forward | Flow::Again => Flow::SetBackAt(due),
        };
    }

    /// When the consumer has to be set back, if it has to.
    pub(crate) fn set_back_due(&self) -> Option<Instant> {
        if let Flow::SetBackAt(at) = self.flow { Some(at) } else { None }
    }

    /// The offset to set the consumer back to.
    pub(crate) fn set_back_to(&self) -> Option<i64> {
        self.open.iter().find(|(_, place)| **place == Place::Returned).map(|(offset, _)| *offset)
    }

    /// The consumer was set back, or (`retry_at`) could not be yet.
    pub(crate) fn was_set_back(&mut self, retry_at: Option<Instant>) {
        self.flow = match retry_at {
            Some(at) => Flow::SetBackAt(at),
            None if self.returned_count == 0 => Flow::Forward,
            None => Flow::Again,
        };
    }

    /// Why the consumer should fetch no more of it now, if it should not. `is_full` says that what waits
    /// unfetched, of all partitions, is enough; `open_max` bounds what came and is not settled.
    pub(crate) fn wants_pause(&self, open_max: usize, is_full: bool) -> Option<Pause> {
        // A paused partition goes on when half is settled, not at each record: every pause drops what
        // librdkafka has fetched.
        let open_max = if self.is_paused { open_max.div_ceil(2) } else { open_max };
        match self.flow {
            Flow::Again => None,
            Flow::SetBackAt(_) => Some(Pause::Order),
            Flow::Forward if self.is_leaving => Some(Pause::Order),
            Flow::Forward => (is_full || self.open.len() >= open_max).then_some(Pause::Full),
        }
    }

    /// Offset behind the contiguous settled prefix; `None` before the first record came.
    pub(crate) fn prefix(&self) -> Option<i64> {
        self.open.keys().next().copied().or(self.next)
    }

    /// The prefix, where it is beyond what was sent to be committed.
    pub(crate) fn commit_due(&self) -> Option<i64> {
        self.prefix().filter(|prefix| *prefix > self.commit_sent)
    }

    /// Notes what was sent to be committed; `false` takes it back after a failure.
    pub(crate) fn commit_is_sent(&mut self, offset: i64, ok: bool) {
        self.commit_sent = if ok { self.commit_sent.max(offset) } else { self.commit_sent.min(offset - 1) };
    }

    /// For a transaction that holds the records at `batch`: the offset that may be committed with it, and those
    /// of the batch that come too early, because one before them is neither done nor in the batch.
    pub(crate) fn transaction_prefix(&self, batch: &BTreeSet<i64>) -> (Option<i64>, Vec<i64>) {
        let is_done = |offset: &i64| batch.contains(offset) || self.transacted.contains(offset);
        let gap = self.open.keys().find(|offset| !is_done(offset)).copied();
        let too_early = gap.map_or(Vec::new(), |gap| batch.range(gap..).copied().collect());
        (gap.or(self.next), too_early)
    }

    /// Whether a committed transaction holds the record at this offset.
    pub(crate) fn is_transacted(&self, offset: i64) -> bool {
        self.transacted.contains(&offset)
    }

    /// A transaction with these records is committed.
    pub(crate) fn transaction_done(&mut self, batch: &BTreeSet<i64>) {
        self.transacted.extend(batch.iter().filter(|offset| self.open.contains_key(offset)));
    }

    pub(crate) fn out_count(&self) -> usize {
        self.out_count
    }

    pub(crate) fn ready_count(&self) -> usize {
        self.ready.len()
    }

    pub(crate) fn ready_bytes(&self) -> usize {
        self.ready_bytes
    }
}

#[cfg(test)]
mod tests;
