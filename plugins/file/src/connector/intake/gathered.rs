//! Groups records of consecutive files and lines into one batch within its limits.

use mfn_plugin::value::{FetchLimits, Record};

use crate::connector::flight::RecordKey;

/// Records gathered for one batch.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) records: Vec<Record>,
    pub(super) keys: Vec<RecordKey>,
    bytes: u64,
    limits: FetchLimits,
}

impl Gathered {
    /// Nothing yet.
    pub(super) fn new(limits: FetchLimits) -> Self {
        Self { records: Vec::new(), keys: Vec::new(), bytes: 0, limits }
    }

    /// Whether no further record may come.
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= self.limits.records_max.max(1) as usize
    }

    /// Whether so many more bytes are within the limits; the first record always is.
    pub(super) fn fits(&self, bytes: u64) -> bool {
        self.records.is_empty()
            || (!self.is_full() && self.bytes.saturating_add(bytes) <= self.limits.bytes_max)
    }

    /// Adds a record.
    pub(super) fn push(&mut self, key: RecordKey, record: Record) {
        self.bytes = self.bytes.saturating_add(record.payload.len() as u64);
        self.keys.push(key);
        self.records.push(record);
    }
}
