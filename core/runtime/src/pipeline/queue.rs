//! The records of a route that wait to be computed. Connectors take turns, so that one with many or
//! large requests does not keep those of another waiting.

use std::collections::{BTreeMap, VecDeque};

use crate::delivery::BatchId;

/// Records in the order of their connector, connectors in turn.
#[derive(Debug, Default)]
pub(super) struct WorkQueue {
    waiting: BTreeMap<usize, VecDeque<(BatchId, usize)>>,
    /// The connector whose turn it is, if it has something.
    turn: usize,
}

impl WorkQueue {
    /// Adds all records of a batch.
    pub(super) fn push(&mut self, connector: usize, batch: BatchId, records: usize) {
        let queue = self.waiting.entry(connector).or_default();
        queue.extend((0..records).map(|record| (batch, record)));
    }

    /// Takes the next record.
    pub(super) fn pop(&mut self) -> Option<(BatchId, usize)> {
        let has_some = |(_, queue): &(&usize, &VecDeque<_>)| !queue.is_empty();
        let (&connector, _) =
            self.waiting.range(self.turn..).chain(self.waiting.range(..self.turn)).find(has_some)?;
        self.turn = connector + 1;
        self.waiting.get_mut(&connector)?.pop_front()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Guards small requests of one connector against a long queue of another, and the order within one.
    #[test]
    fn connectors_take_turns() {
        let mut queue = WorkQueue::default();
        queue.push(0, BatchId(1), 3);
        queue.push(2, BatchId(2), 1);
        queue.push(5, BatchId(3), 2);
        let order: Vec<_> =
            std::iter::from_fn(|| queue.pop()).map(|(batch, record)| (batch.0, record)).collect();
        assert_eq!(order, [(1, 0), (2, 0), (3, 0), (1, 1), (3, 1), (1, 2)]);
        queue.push(0, BatchId(4), 1);
        queue.clear();
        assert_eq!(queue.pop(), None);
    }
}
