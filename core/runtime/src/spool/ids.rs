//! Sets of ids that are mostly ranges, and the count of what is lost.

use std::collections::BTreeMap;
use std::ops::Range;

/// The most ranges of damage that are remembered. Beyond that it is still counted, but may be counted again.
const DAMAGE_RANGES_MAX: usize = 65_536;

/// A set of ids. Memory follows the number of gaps, not of ids.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct IdRanges {
    /// Start to end; neither overlapping nor touching.
    ranges: BTreeMap<u64, u64>,
}

impl IdRanges {
    /// Adds ids and says how many were new.
    pub(crate) fn add(&mut self, ids: Range<u64>) -> u64 {
        if ids.is_empty() {
            return 0;
        }
        let (mut start, mut end) = (ids.start, ids.end);
        let mut known = 0;
        let touching: Vec<(u64, u64)> = self
            .ranges
            .range(..=ids.end)
            .rev()
            .take_while(|(_, old_end)| **old_end >= ids.start)
            .map(|(&old_start, &old_end)| (old_start, old_end))
            .collect();
        for (old_start, old_end) in touching {
            known += old_end.min(ids.end).saturating_sub(old_start.max(ids.start));
            start = start.min(old_start);
            end = end.max(old_end);
            self.ranges.remove(&old_start);
        }
        self.ranges.insert(start, end);
        ids.end - ids.start - known
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.ranges.range(..=id).next_back().is_some_and(|(_, &end)| id < end)
    }

    /// The first id from `id` on that is not in the set.
    pub(crate) fn first_missing(&self, id: u64) -> u64 {
        self.ranges.range(..=id).next_back().map_or(id, |(_, &end)| end.max(id))
    }

    /// How many ids are in the set.
    pub(crate) fn len(&self) -> u64 {
        self.iter().map(|ids| ids.end - ids.start).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.ranges.iter().map(|(&start, &end)| start..end)
    }

    /// Removes the ids below `id`.
    pub(crate) fn forget_below(&mut self, id: u64) {
        let kept = self.ranges.split_off(&id);
        let crossing = self.ranges.last_key_value().map(|(_, &end)| end).filter(|&end| end > id);
        self.ranges = kept;
        if let Some(end) = crossing {
            self.ranges.insert(id, end);
        }
    }
}

/// Which records are known to be lost, so that each is counted once, whoever meets it.
#[derive(Debug, Default)]
pub(super) struct Damage {
    known: IdRanges,
    records: u64,
}

impl Damage {
    /// How many different records were lost.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    pub(super) fn add(&mut self, ids: Range<u64>) {
        if self.known.ranges.len() < DAMAGE_RANGES_MAX {
            self.records += self.known.add(ids);
        } else {
            let new = ids.filter(|&id| !self.known.contains(id)).count();
            self.records += new as u64;
        }
    }

    /// Forgets where records below `id` were. They stay counted.
    pub(super) fn forget_below(&mut self, id: u64) {
        self.known.forget_below(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Guards that overlapping reports of the same damage are counted once, and that forgetting keeps the count.
    #[test]
    fn each_id_is_counted_once() {
        let mut damage = Damage::default();
        for (ids, records) in [(10..12, 2), (20..21, 3), (8..25, 17), (8..25, 17), (25..26, 18)] {
            damage.add(ids);
            assert_eq!(damage.records(), records);
        }
        assert_eq!(damage.known.ranges, BTreeMap::from([(8, 26)]));
        damage.forget_below(20);
        assert_eq!(damage.records(), 18);
        assert_eq!(damage.known.ranges, BTreeMap::from([(20, 26)]));
        damage.add(21..30);
        assert_eq!(damage.records(), 22);
    }

    // Guards membership and gaps at the ends of ranges.
    #[test]
    fn gaps_are_found() {
        let mut ids = IdRanges::default();
        assert_eq!(ids.add(3..5) + ids.add(7..8) + ids.add(5..5), 3);
        let inside: Vec<u64> = (0..10).filter(|&id| ids.contains(id)).collect();
        assert_eq!((inside, ids.len()), (vec![3, 4, 7], 3));
        assert_eq!([2, 3, 4, 5, 7].map(|id| ids.first_missing(id)), [2, 5, 5, 5, 8]);
    }
}
