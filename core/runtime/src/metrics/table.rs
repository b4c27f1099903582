//! Numbers for metrics: a table that only grows, written rarely and read without a lock.
//!
//! A plugin names a metric by a number, because no pointer it could forge may cross the boundary.

use std::sync::{Arc, OnceLock};

use super::series::Series;

const CHUNK_LEN: usize = 1024;
const CHUNKS_MAX: usize = 64;

/// How many series fit.
pub(crate) const LEN_MAX: usize = CHUNK_LEN * CHUNKS_MAX;

type Chunk = Box<[OnceLock<Arc<Series>>]>;

/// Series by number, from 1.
#[derive(Debug)]
pub(crate) struct SeriesTable {
    chunks: [OnceLock<Chunk>; CHUNKS_MAX],
}

impl SeriesTable {
    pub(crate) fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS_MAX] }
    }

    /// Stores the series that comes after `len` others and gives its number; `None` when full.
    pub(crate) fn push(&self, len: usize, series: Arc<Series>) -> Option<u64> {
        let chunk = self.chunks.get(len / CHUNK_LEN)?;
        let chunk = chunk.get_or_init(|| (0..CHUNK_LEN).map(|_| OnceLock::new()).collect());
        chunk.get(len % CHUNK_LEN)?.set(series).ok()?;
        u64::try_from(len + 1).ok()
    }

    /// The series of a number; `None` for 0 and for numbers that were never given.
    pub(crate) fn get(&self, id: u64) -> Option<&Arc<Series>> {
        let index = usize::try_from(id.checked_sub(1)?).ok()?;
        self.chunks.get(index / CHUNK_LEN)?.get()?.get(index % CHUNK_LEN)?.get()
    }
}

#[cfg(test)]
mod tests {
    use mfn_plugin::metric::MetricKind;

    use super::*;

    /// Guards the ends of the table and forged numbers.
    #[test]
    fn only_given_numbers_are_found() {
        let table = SeriesTable::new();
        let series = || Arc::new(Series::new(MetricKind::Gauge, &Arc::from([])));
        assert!(table.get(1).is_none());
        for len in 0..=CHUNK_LEN {
            assert_eq!(table.push(len, series()), Some(len as u64 + 1));
        }
        assert!(table.get(CHUNK_LEN as u64 + 1).is_some());
        for forged in [0, CHUNK_LEN as u64 + 2, LEN_MAX as u64, LEN_MAX as u64 + 1, u64::MAX] {
            assert!(table.get(forged).is_none(), "{forged}");
        }
        assert_eq!(table.push(LEN_MAX, series()), None);
    }
}
