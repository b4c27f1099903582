//! The connectors: partitions that are fetched, settled, taken away and read again from their commits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::plan::Plan;

/// One partition, as its source sees it. Only `committed` outlives a crash.
#[derive(Debug, Default)]
struct Partition {
    records: u32,
    connector: usize,
    /// Everything before it is settled for good.
    committed: u32,
    epoch: u64,
    next: u32,
    settled: BTreeSet<u32>,
    /// Given back: not to be brought again before its time.
    returned: BTreeMap<u32, Duration>,
}

/// A fetched batch.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    pub(super) partition: usize,
    pub(super) epoch: u64,
    pub(super) offsets: Vec<u32>,
}

/// What a connector is told about a record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told {
    Settled,
    ComesAgain { delay: Duration },
}

/// All partitions of a run.
#[derive(Debug)]
pub(super) struct Sources {
    partitions: Vec<Partition>,
    /// Whose turn it is, so that no partition is forgotten.
    turn: usize,
}

impl Sources {
    pub(super) fn new(plan: &Plan) -> Self {
        let partition =
            |&(connector, records): &(usize, u32)| Partition { connector, records, ..Partition::default() };
        Self { partitions: plan.partitions.iter().map(partition).collect(), turn: 0 }
    }

    /// At most `count` records of one partition of a connector: those given back first.
    pub(super) fn fetch(&mut self, connector: usize, now: Duration, count: usize) -> Option<Fetched> {
        let partitions = self.partitions.len();
        for step in 0..partitions {
            let index = (self.turn + step) % partitions;
            let partition = &mut self.partitions[index];
            if partition.connector != connector {
                continue;
            }
            let due = partition.returned.iter().filter(|(_, due)| **due <= now);
            let mut offsets: Vec<u32> = due.map(|(&offset, _)| offset).take(count).collect();
            for offset in &offsets {
                partition.returned.remove(offset);
            }
            if offsets.is_empty() {
                let end = partition.records.min(partition.next + count as u32);
                offsets = (partition.next..end).collect();
                partition.next = end;
            }
            if !offsets.is_empty() {
                self.turn = index + 1;
                return Some(Fetched { partition: index, epoch: partition.epoch, offsets });
            }
        }
        None
    }

    /// Takes the fates of a batch; false when its epoch is over.
    pub(super) fn settle(&mut self, now: Duration, batch: &Fetched, told: &[Told]) -> bool {
        let partition = &mut self.partitions[batch.partition];
        if partition.epoch != batch.epoch {
            return false;
        }
        for (&offset, told) in batch.offsets.iter().zip(told) {
            match told {
                Told::Settled => partition.settled.insert(offset),
                Told::ComesAgain { delay } => partition.returned.insert(offset, now + *delay).is_none(),
            };
        }
        while partition.settled.remove(&partition.committed) {
            partition.committed += 1;
        }
        true
    }

    /// A batch whose settlement failed comes again.
    pub(super) fn bring_again(&mut self, now: Duration, batch: &Fetched) {
        let partition = &mut self.partitions[batch.partition];
        if partition.epoch == batch.epoch {
            partition.returned.extend(batch.offsets.iter().map(|&offset| (offset, now)));
        }
    }

    /// Takes a partition away and gives it back under the next epoch, from its commit on.
    pub(super) fn revoke(&mut self, partition: usize) {
        let partition = &mut self.partitions[partition];
        partition.epoch += 1;
        partition.next = partition.committed;
        partition.settled.clear();
        partition.returned.clear();
    }

    /// A new process: all partitions are assigned anew.
    pub(super) fn restart(&mut self) {
        (0..self.partitions.len()).for_each(|partition| self.revoke(partition));
    }

    pub(super) fn finished(&self) -> bool {
        self.partitions.iter().all(|partition| partition.committed == partition.records)
    }

    pub(super) fn committed(&self, partition: usize) -> u32 {
        self.partitions[partition].committed
    }
}
