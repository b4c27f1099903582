//! One dead letter, and how it and its end are stored.

use std::ops::Range;

use mfn_plugin::value::Record;
use serde::{Deserialize, Serialize};

use crate::spool::IdRanges;

/// The header before those of the record that holds the cause. It is the store's own: it is put first when a letter is
/// stored and taken off when it is read, whatever headers the record itself has.
const CAUSE_HEADER: &str = "mfn-dead-letter";

/// Why a record became a dead letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetterCause {
    /// What is wrong with it, without secrets.
    pub reason: String,
    /// The route it was on.
    pub route: String,
    /// The component that refused it; empty when the runtime did.
    pub component: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it became one, milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// A letter of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number in the store; never used twice.
    pub id: u64,
    /// The record as it came, byte for byte.
    pub record: Record,
    /// Why it is here.
    pub cause: DeadLetterCause,
}

impl DeadLetter {
    /// The record in which a letter is stored.
    pub(super) fn stored(record: &Record, cause: &DeadLetterCause) -> Record {
        // A structure of strings and numbers always has a JSON form.
        let text = serde_json::to_vec(cause).unwrap_or_default();
        let mut stored = record.clone();
        stored.headers.insert(0, (CAUSE_HEADER.to_owned(), text));
        stored
    }

    /// The letter of a stored record. One without a readable cause is shown without it rather than hidden.
    pub(super) fn from_stored(id: u64, mut record: Record) -> Self {
        let cause = match record.headers.first() {
            Some((name, text)) if name == CAUSE_HEADER => {
                let cause = serde_json::from_slice(text).unwrap_or_default();
                record.headers.remove(0);
                cause
            }
            _ => DeadLetterCause::default(),
        };
        Self { id, record, cause }
    }
}

/// The record that says which letters are done with.
pub(super) fn done_record(ids: impl Iterator<Item = Range<u64>>) -> Record {
    let payload = ids.flat_map(|ids| [ids.start, ids.end]).flat_map(u64::to_le_bytes).collect();
    Record { id: "done".to_owned(), payload, ..Record::default() }
}

/// Adds what such a record says.
pub(super) fn add_done(record: &Record, done: &mut IdRanges) {
    let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
    for ids in record.payload.chunks_exact(16) {
        let (start, end) = ids.split_at(8);
        done.add(number(start)..number(end));
    }
}
