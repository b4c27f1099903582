//! What is remembered of every file: a state machine over journal entries, without I/O.
//!
//! The journal is the entries in the order of their writing; applying them one after the other gives
//! the same memory that the connector had when it wrote them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::scan::Fingerprint;

/// How many files that are no longer there are remembered; the oldest are forgotten first.
const ABSENT_MAX: usize = 100_000;

/// One change of the memory. The letters are the journal's; they are never reused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub(crate) enum Entry {
    /// A file was opened: from now on its name, content and the ids of its records are tied together.
    Take {
        /// Counts the files taken, from 1.
        f: u64,
        name: String,
        fingerprint: Fingerprint,
        digest: String,
        /// What the ids carry after the name: empty, or `@` and a part of the digest.
        suffix: String,
    },
    /// Lines were settled.
    Settle {
        f: u64,
        /// All lines up to this one are settled.
        through: u64,
        /// Byte offset of the line after it.
        offset: u64,
        /// Lines beyond `through` that were settled by this entry.
        above: Vec<u64>,
        /// Rejected records of the file so far.
        rejected: u64,
    },
    /// All records of a file are settled.
    Done { f: u64, rejected: u64 },
    /// The same content under a new fingerprint.
    Touch { f: u64, fingerprint: Fingerprint },
    /// The file was moved or deleted by the connector.
    Gone { f: u64 },
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Taken; some records are not settled.
    Taken,
    /// All records settled; the file may still lie in its place.
    Done,
    /// Moved or deleted by the connector.
    Gone,
}

/// What is remembered of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) digest: String,
    pub(crate) suffix: String,
    pub(crate) stage: Stage,
    /// As in [`Entry::Settle`].
    pub(crate) through: u64,
    pub(crate) offset: u64,
    pub(crate) above: BTreeSet<u64>,
    pub(crate) rejected: u64,
}

/// The memory of all files.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    files: BTreeMap<u64, Known>,
    by_name: HashMap<String, u64>,
    last: u64,
}

impl Ledger {
    /// The number for the next file that is taken.
    pub(crate) fn next_number(&self) -> u64 {
        self.last + 1
    }

    /// What is known of the latest file of a name.
    pub(crate) fn find(&self, name: &str) -> Option<(u64, &Known)> {
        let number = *self.by_name.get(name)?;
        Some((number, self.files.get(&number)?))
    }

    /// How many entries a rewritten journal would have, about.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Takes one change. An entry about a file that is not known is ignored: its `Take` was damaged or
    /// replaced, and the file comes again.
    pub(crate) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Take { f, name, fingerprint, digest, suffix } => {
                if let Some(older) = self.by_name.insert(name.clone(), f) {
                    self.files.remove(&older);
                }
                self.last = self.last.max(f);
                let known = Known {
                    name,
                    fingerprint,
                    digest,
                    suffix,
                    stage: Stage::Taken,
                    through: 0,
                    offset: 0,
                    above: BTreeSet::new(),
                    rejected: 0,
                };
                self.files.insert(f, known);
            }
            Entry::Settle { f, through, offset, above, rejected } => self.change(f, |known| {
                if through >= known.through {
                    known.through = through;
                    known.offset = offset;
                }
                known.above.extend(above);
                known.above = known.above.split_off(&(known.through + 1));
                known.rejected = rejected;
            }),
            Entry::Done { f, rejected } => self.change(f, |known| {
                known.stage = Stage::Done;
                known.rejected = rejected;
                known.above.clear();
            }),
            Entry::Touch { f, fingerprint } => self.change(f, |known| known.fingerprint = fingerprint),
            Entry::Gone { f } => self.change(f, |known| known.stage = Stage::Gone),
        }
    }

    fn change(&mut self, number: u64, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.files.get_mut(&number) {
            change(known);
        }
    }

    /// Forgets the oldest of the files that `is_present` denies, above a fixed number.
    pub(crate) fn prune(&mut self, is_present: impl Fn(&str) -> bool) {
        let absent: Vec<u64> = self
            .files
            .iter()
            .filter(|(_, known)| known.stage != Stage::Taken && !is_present(&known.name))
            .map(|(number, _)| *number)
            .collect();
        for number in absent.iter().take(absent.len().saturating_sub(ABSENT_MAX)) {
            if let Some(known) = self.files.remove(number) {
                self.by_name.remove(&known.name);
            }
        }
    }

    /// The shortest journal that gives this memory.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.files.iter().flat_map(|(&f, known)| {
            let take = Entry::Take {
                f,
                name: known.name.clone(),
                fingerprint: known.fingerprint,
                digest: known.digest.clone(),
                suffix: known.suffix.clone(),
            };
            let progress = (known.stage == Stage::Taken && (known.through > 0 || !known.above.is_empty()))
                .then(|| Entry::Settle {
                    f,
                    through: known.through,
                    offset: known.offset,
                    above: known.above.iter().copied().collect(),
                    rejected: known.rejected,
                });
            let done = (known.stage != Stage::Taken).then_some(Entry::Done { f, rejected: known.rejected });
            let gone = (known.stage == Stage::Gone).then_some(Entry::Gone { f });
            [Some(take), progress, done, gone].into_iter().flatten()
        })
    }
}
