//! Which records are known to be lost, so that each is counted once, whoever meets it.

use std::collections::BTreeMap;
use std::ops::Range;

/// The most ranges that are remembered; beyond that, neighbours are not merged any more but only counted.
const RANGES_MAX: usize = 65_536;

/// A set of ids, and how many were ever in it.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Start to end; neither overlapping nor touching.
    ranges: BTreeMap<u64, u64>,
    records: u64,
}

impl Damage {
    /// How many different ids were added.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// Adds ids and says how many were new.
    pub(super) fn add(&mut self, ids: Range<u64>) -> u64 {
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
        if self.ranges.len() < RANGES_MAX {
            self.ranges.insert(start, end);
        }
        let new = ids.end - ids.start - known;
        self.records += new;
        new
    }

    /// Forgets where ids below `id` were. They stay counted.
    pub(super) fn forget_below(&mut self, id: u64) {
        let kept = self.ranges.split_off(&id);
        let crossing = self.ranges.last_key_value().map(|(_, &end)| end).filter(|&end| end > id);
        self.ranges = kept;
        if let Some(end) = crossing {
            self.ranges.insert(id, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Guards that overlapping reports of the same damage are counted once, and that forgetting keeps the count.
    #[test]
    fn each_id_is_counted_once() {
        let mut damage = Damage::default();
        assert_eq!(damage.add(10..12), 2);
        assert_eq!(damage.add(20..21), 1);
        assert_eq!(damage.add(11..11), 0);
        assert_eq!(damage.add(8..25), 14);
        assert_eq!(damage.add(8..25), 0);
        assert_eq!(damage.add(25..26), 1);
        assert_eq!(damage.ranges, BTreeMap::from([(8, 26)]));
        damage.forget_below(20);
        assert_eq!(damage.records(), 18);
        assert_eq!(damage.ranges, BTreeMap::from([(20, 26)]));
        assert_eq!(damage.add(21..30), 4);
    }
}
