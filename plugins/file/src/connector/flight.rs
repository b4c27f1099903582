//! Who has which record: a state machine without I/O over taken files, batches and records held back.
//!
//! It answers two questions: what does a settlement change (as journal entries, before anything is
//! changed), and which records are to be brought again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    time::Instant,
};

use mfn_plugin::{
    author::Result,
    value::{BatchToken, PluginError, Verdict},
};

use super::{config::Format, ledger::Entry, lines::Place, scan::Fingerprint};

/// Names one record: the file's number and the line's, 0 for a whole file.
pub(crate) type RecordKey = (u64, u64);

/// A file whose records are on their way.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// What the ids begin with.
    pub(crate) id: String,
    pub(crate) format: Format,
    pub(crate) fingerprint: Fingerprint,
    /// The begin of the first line that was not brought yet.
    pub(crate) next: Place,
    /// Whether every record was brought at least once.
    pub(crate) is_read: bool,
    /// Whether its settlement is to be forgotten, because its content was never seen.
    pub(crate) is_unread: bool,
    /// Records brought and not settled, with their places.
    pub(crate) outstanding: BTreeMap<u64, Place>,
    pub(crate) rejected: u64,
}

impl Taken {
    fn is_done(&self) -> bool {
        self.is_read && self.outstanding.is_empty()
    }

    /// The begin of the first line that is not settled when `settled` is.
    fn first_open(&self, settled: &BTreeSet<u64>) -> Place {
        self.outstanding
            .iter()
            .find(|(number, _)| !settled.contains(number))
            .map_or(self.next, |(_, place)| *place)
    }
}

/// What a settlement changes. It holds until another settlement is applied.
#[derive(Debug)]
pub(crate) struct Settlement {
    /// What must be on disk before the settlement counts.
    pub(crate) entries: Vec<Entry>,
    token: BatchToken,
    settled: BTreeMap<u64, BTreeSet<u64>>,
    rejected: BTreeMap<u64, u64>,
    nacked: Vec<(Instant, RecordKey)>,
}

/// All that is on its way.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    files: BTreeMap<u64, Taken>,
    /// The numbers of the files of a name.
    by_name: HashMap<String, Vec<u64>>,
    batches: HashMap<u64, Vec<RecordKey>>,
    /// Nacked records by the time of their return.
    held_back: BTreeSet<(Instant, RecordKey)>,
    last_token: u64,
    /// The last file that was settled whole.
    last_done: Option<String>,
}

impl Flight {
    /// Whether nothing is outstanding or to be brought again.
    pub(crate) fn is_idle(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether a batch waits for its settlement.
    pub(crate) fn has_batches(&self) -> bool {
        !self.batches.is_empty()
    }

    /// How many records are brought and not settled.
    pub(crate) fn outstanding(&self) -> u64 {
        self.files.values().map(|file| file.outstanding.len() as u64).sum()
    }

    /// Records that will be brought again.
    pub(crate) fn held_back(&self) -> usize {
        self.held_back.len()
    }

    /// When the next record held back may return.
    pub(crate) fn next_return(&self) -> Option<Instant> {
        self.held_back.first().map(|(due, _)| *due)
    }

    /// The first record whose time has come; it stays held back.
    pub(crate) fn due(&self, now: Instant) -> Option<RecordKey> {
        self.held_back.first().filter(|(due, _)| *due <= now).map(|(_, key)| *key)
    }

    /// Ends holding back the first record.
    pub(crate) fn release_first(&mut self) {
        self.held_back.pop_first();
    }

    /// Whether a state of a file is on its way.
    pub(crate) fn holds(&self, name: &str, fingerprint: &Fingerprint) -> bool {
        let numbers = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        numbers
            .iter()
            .filter_map(|number| self.files.get(number))
            .any(|file| file.fingerprint == *fingerprint)
    }

    /// Adds a file.
    pub(crate) fn take(&mut self, number: u64, file: Taken) {
        self.by_name.entry(file.name.clone()).or_default().push(number);
        self.files.insert(number, file);
    }

    /// A file on its way.
    pub(crate) fn file(&self, number: u64) -> Option<&Taken> {
        self.files.get(&number)
    }

    /// Notes that a record is brought, and where its file's next one begins.
    pub(crate) fn bring(&mut self, number: u64, place: Place, next: Place) {
        if let Some(file) = self.files.get_mut(&number) {
            file.outstanding.insert(place.number, place);
            file.next = next;
        }
    }

    /// Notes that a file has no further record. Returns it when nothing of it is outstanding.
    pub(crate) fn finish(&mut self, number: u64, next: Place) -> Option<Taken> {
        let file = self.files.get_mut(&number)?;
        file.is_read = true;
        file.next = next;
        if file.is_done() { self.remove(number) } else { None }
    }

    /// Notes that reading a file failed: it counts as read, and is not remembered as done.
    pub(crate) fn give_up(&mut self, number: u64) {
        if let Some(file) = self.files.get_mut(&number) {
            file.is_read = true;
            file.is_unread = true;
        }
    }

    fn remove(&mut self, number: u64) -> Option<Taken> {
        let file = self.files.remove(&number)?;
        if let Some(numbers) = self.by_name.get_mut(&file.name) {
            numbers.retain(|known| *known != number);
            if numbers.is_empty() {
                self.by_name.remove(&file.name);
            }
        }
        self.last_done = Some(file.name.clone());
        Some(file)
    }

    /// Names a batch.
    pub(crate) fn batch(&mut self, keys: Vec<RecordKey>) -> BatchToken {
        self.last_token += 1;
        self.batches.insert(self.last_token, keys);
        BatchToken(self.last_token)
    }

    /// Works out a settlement without changing anything.
    ///
    /// # Errors
    /// Permanent for a token that is not outstanding and for another number of verdicts.
    pub(crate) fn plan(&self, token: BatchToken, verdicts: &[Verdict], now: Instant) -> Result<Settlement> {
        let keys = self.batches.get(&token.0).ok_or_else(|| {
            PluginError::permanent(format!(
                "token: {} is unknown or settled already; settle each token once",
                token.0
            ))
        })?;
        if keys.len() != verdicts.len() {
            return Err(PluginError::permanent(format!(
                "verdicts: {} for the {} records of token {}; give one for each record",
                verdicts.len(),
                keys.len(),
                token.0
            )));
        }
        let mut settled: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
        let mut rejected: BTreeMap<u64, u64> = BTreeMap::new();
        let mut nacked = Vec::new();
        for (&(file, number), verdict) in keys.iter().zip(verdicts) {
            match verdict {
                Verdict::Nack { delay } => {
                    // A delay beyond what the clock can hold is as good as a day.
                    let due = now.checked_add(*delay).unwrap_or(now + std::time::Duration::from_secs(86_400));
                    nacked.push((due, (file, number)));
                    continue;
                }
                Verdict::Reject { .. } => *rejected.entry(file).or_default() += 1,
                Verdict::Ack => {}
            }
            settled.entry(file).or_default().insert(number);
        }
        let entries = settled.iter().filter_map(|(&f, numbers)| self.entry(f, numbers, &rejected)).collect();
        Ok(Settlement { entries, token, settled, rejected, nacked })
    }

    fn entry(&self, f: u64, numbers: &BTreeSet<u64>, rejected: &BTreeMap<u64, u64>) -> Option<Entry> {
        let file = self.files.get(&f)?;
        let rejected = file.rejected + rejected.get(&f).copied().unwrap_or(0);
        let is_done = file.is_read && file.outstanding.keys().all(|number| numbers.contains(number));
        if is_done && !file.is_unread {
            return Some(Entry::Done { f, rejected });
        }
        if file.is_unread && numbers.contains(&0) {
            return None;
        }
        let open = file.first_open(numbers);
        let above = numbers.iter().copied().filter(|number| *number > open.number).collect();
        Some(Entry::Settle {
            f,
            through: open.number.saturating_sub(1),
            offset: open.offset,
            above,
            rejected,
        })
    }

    /// Carries out a settlement. Returns the files that are done by it, with their numbers.
    pub(crate) fn apply(&mut self, settlement: Settlement) -> Vec<(u64, Taken)> {
        self.batches.remove(&settlement.token.0);
        self.held_back.extend(settlement.nacked);
        let mut done = Vec::new();
        for (number, lines) in settlement.settled {
            let Some(file) = self.files.get_mut(&number) else { continue };
            file.outstanding.retain(|line, _| !lines.contains(line));
            file.rejected += settlement.rejected.get(&number).copied().unwrap_or(0);
            if file.is_done() {
                done.extend(self.remove(number).map(|file| (number, file)));
            }
        }
        done
    }

    /// How far everything is settled without a gap: the first file that is not, and its last settled
    /// line; or else the last file that is.
    pub(crate) fn settled_through(&self) -> (Option<&str>, Option<u64>) {
        match self.files.values().next() {
            Some(file) => {
                let open = file.first_open(&BTreeSet::new());
                (Some(&file.name), Some(open.number.saturating_sub(1)))
            }
            None => (self.last_done.as_deref(), None),
        }
    }
}
