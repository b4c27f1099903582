//! A store that is open for writing.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mfn_plugin::value::Record;

use super::letter::{self, DeadLetter, DeadLetterCause};
use super::{DONE, LETTERS, list};
use crate::spool::{Cursor, IdRanges, Spool, SpoolError, SpoolOptions, SpoolReport, SpoolView};

/// Room for what says which letters are done with.
const DONE_BYTES_MAX: u64 = 64 << 20;
/// The name of the cursors: of `letters`, at the oldest that is left; of `done`, at the newest summary.
const CURSOR: &str = "left";
/// After so many removals they are summed up in one record, so that the next opening reads little.
const REMOVALS_MAX: u64 = 1024;
/// How many letters are held in memory while they are replayed.
const REPLAY_PAGE: usize = 100;

/// The dead letters of one directory. All calls may come from several threads. Memory is about 50 bytes for each
/// gap between letters that are left, and what a call returns.
#[derive(Debug)]
pub struct DeadLetters {
    directory: PathBuf,
    letters: Spool,
    done: Spool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    done: IdRanges,
    letters_cursor: Cursor,
    done_cursor: Cursor,
    removals: u64,
}

/// What a replay did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Letters that were taken, and are done with.
    pub replayed: u64,
    /// Letters that were not taken, and are still there.
    pub refused: u64,
}

impl DeadLetters {
    /// Opens or makes a store that holds at most `bytes_max` bytes of letters, 16 KiB at least. The report is about the
    /// letters; its `records` counts those that are done with but not yet removed, too.
    ///
    /// # Errors
    /// As [`Spool::open`].
    pub fn open(directory: &Path, bytes_max: u64) -> Result<(Self, SpoolReport), SpoolError> {
        let (letters, report) = Spool::open(&directory.join(LETTERS), SpoolOptions::new(bytes_max))?;
        let (done_log, _) = Spool::open(&directory.join(DONE), SpoolOptions::new(DONE_BYTES_MAX))?;
        let letters_cursor = letters.cursor(CURSOR)?;
        let mut done_cursor = done_log.cursor(CURSOR)?;
        let (mut done, mut removals) = (IdRanges::default(), 0);
        // The cursor is not committed here: what it reads is needed again by the next opening.
        loop {
            let records = done_cursor.read(REPLAY_PAGE, 1 << 20)?;
            if records.is_empty() {
                break;
            }
            removals += records.len() as u64;
            records.iter().for_each(|(_, record)| letter::add_done(record, &mut done));
        }
        done.forget_below(report.first_id);
        let state = Mutex::new(State { done, letters_cursor, done_cursor, removals });
        Ok((Self { directory: directory.to_path_buf(), letters, done: done_log, state }, report))
    }

    /// Stores records with their causes, and gives their ids. They are durable when it returns.
    ///
    /// # Errors
    /// As [`Spool::append`] and [`Spool::sync`]. After an error of the latter the letters may be in the store all the
    /// same: storing them again makes duplicates with the same record ids, and loses nothing.
    pub fn append(
        &self,
        letters: &[(&Record, &DeadLetterCause)],
    ) -> Result<std::ops::Range<u64>, SpoolError> {
        let stored: Vec<Record> =
            letters.iter().map(|(record, cause)| DeadLetter::stored(record, cause)).collect();
        let ids = self.letters.append(&stored.iter().collect::<Vec<_>>())?;
        self.letters.sync()?;
        Ok(ids)
    }

    /// The letters from an id on, oldest first, at most so many. The next page begins after the id of the last.
    ///
    /// # Errors
    /// [`SpoolError::Disk`].
    pub fn list(&self, from: u64, letters_max: usize) -> Result<Vec<DeadLetter>, SpoolError> {
        let done = self.lock().done.clone();
        let view = SpoolView::open(&self.directory.join(LETTERS))?;
        list(&view, &done, from, letters_max)
    }

    /// One letter; `None` when there is none of this id, or no more.
    ///
    /// # Errors
    /// [`SpoolError::Disk`].
    pub fn get(&self, id: u64) -> Result<Option<DeadLetter>, SpoolError> {
        Ok(self.list(id, 1)?.pop().filter(|letter| letter.id == id))
    }

    /// How many letters are left, damaged ones among them.
    #[must_use]
    pub fn count(&self) -> u64 {
        let status = self.letters.status();
        let mut done = self.lock().done.clone();
        done.forget_below(status.first_id);
        (status.durable_id - status.first_id).saturating_sub(done.len())
    }

    /// Hands letters to `take`, oldest first, and notes durably which it has taken before it hands over more than
    /// a page of further ones. Letters whose handing over is interrupted by a crash are handed over again. `ids`
    /// chooses letters; those that come while it runs are left for the next time.
    ///
    /// # Errors
    /// [`SpoolError::Disk`]. What was noted until then is done with.
    pub fn replay(
        &self,
        ids: impl Fn(u64) -> bool,
        mut take: impl FnMut(&DeadLetter) -> bool,
    ) -> Result<ReplayReport, SpoolError> {
        let end = self.letters.status().durable_id;
        let (mut report, mut from) = (ReplayReport::default(), 0);
        loop {
            let page = self.list(from, REPLAY_PAGE)?;
            let Some(last) = page.last() else { return Ok(report) };
            from = last.id + 1;
            let mut taken = Vec::new();
            for letter in page.iter().filter(|letter| letter.id < end && ids(letter.id)) {
                if take(letter) {
                    taken.push(letter.id);
                } else {
                    report.refused += 1;
                }
            }
            report.replayed += self.remove(&taken)?;
            if from >= end {
                return Ok(report);
            }
        }
    }

    /// Removes letters for good and says how many there were. It is durable when it returns. Unknown ids are passed over.
    ///
    /// # Errors
    /// [`SpoolError::Disk`], [`SpoolError::Full`]. The letters may then come back after a restart.
    pub fn remove(&self, ids: &[u64]) -> Result<u64, SpoolError> {
        let status = self.letters.status();
        let mut state = self.lock();
        let mut new = IdRanges::default();
        for &id in ids {
            if id >= status.first_id && id < status.durable_id && !state.done.contains(id) {
                new.add(id..id + 1);
            }
        }
        if new.len() == 0 {
            return Ok(0);
        }
        self.done.append(&[&letter::done_record(new.iter())])?;
        self.done.sync()?;
        for ids in new.iter() {
            state.done.add(ids);
        }
        state.removals += 1;
        self.free(&mut state)?;
        Ok(new.len())
    }

    /// Frees the space before the oldest letter that is left, and sums up the removals when they are many.
    fn free(&self, state: &mut State) -> Result<(), SpoolError> {
        let status = self.letters.status();
        let left = state.done.first_missing(status.first_id).min(status.durable_id);
        state.letters_cursor.skip_to(left);
        state.letters_cursor.commit(left)?;
        self.letters.trim()?;
        state.done.forget_below(self.letters.status().first_id);
        if state.removals > REMOVALS_MAX {
            let ids = self.done.append(&[&letter::done_record(state.done.iter())])?;
            self.done.sync()?;
            state.done_cursor.skip_to(ids.start);
            state.done_cursor.commit(ids.start)?;
            self.done.trim()?;
            state.removals = 1;
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letters::DeadLettersView;

    fn record(n: u64) -> Record {
        let headers = vec![("mfn-dead-letter".to_owned(), b"its own".to_vec()), ("h".into(), vec![n as u8])];
        Record { id: format!("r{n}"), payload: vec![n as u8; 200], headers, ..Record::default() }
    }

    fn cause(n: u64) -> DeadLetterCause {
        let (route, component) = ("simulate".to_owned(), "hook".to_owned());
        DeadLetterCause { reason: format!("no. {n}"), route, component, attempts: n as u32, at_ms: -5 }
    }

    fn fill(store: &DeadLetters, ids: std::ops::Range<u64>) {
        for n in ids {
            assert_eq!(store.append(&[(&record(n), &cause(n))]).unwrap(), n..n + 1);
        }
    }

    fn ids(letters: &[DeadLetter]) -> Vec<u64> {
        letters.iter().map(|letter| letter.id).collect()
    }

    // Guards the bytes and the cause of a letter, the pages, and that a removal outlives a restart, for the owner of
    // the store and for who looks into it meanwhile.
    #[test]
    fn letters_are_kept_as_they_came() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = DeadLetters::open(dir.path(), 1 << 20).unwrap();
        fill(&store, 1..21);
        let letter = store.get(7).unwrap().unwrap();
        assert_eq!((letter.record, letter.cause), (record(7), cause(7)));
        assert_eq!(ids(&store.list(0, 3).unwrap()), [1, 2, 3]);
        assert_eq!(store.remove(&[2, 4, 2, 99]).unwrap(), 2);
        assert_eq!(store.remove(&[4]).unwrap(), 0);
        let view = DeadLettersView::open(dir.path()).unwrap();
        assert_eq!(ids(&view.list(0, 4).unwrap()), [1, 3, 5, 6]);
        assert_eq!((view.get(4).unwrap(), store.get(4).unwrap()), (None, None));
        assert!(matches!(DeadLetters::open(dir.path(), 1 << 20), Err(SpoolError::Busy { .. })));
        drop(store);
        let (store, _) = DeadLetters::open(dir.path(), 1 << 20).unwrap();
        assert_eq!(ids(&store.list(4, 100).unwrap()), (5..21).collect::<Vec<_>>());
        assert_eq!(store.count(), 18);
    }

    // Guards replay: each chosen letter is handed over once, in order, what was refused stays, and what was taken is
    // done with after a restart too.
    #[test]
    fn a_replay_marks_what_was_taken() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = DeadLetters::open(dir.path(), 1 << 20).unwrap();
        fill(&store, 1..251);
        let mut seen = Vec::new();
        let take = |letter: &DeadLetter| {
            seen.push(letter.id);
            !letter.id.is_multiple_of(10)
        };
        let report = store.replay(|id| id > 5, take).unwrap();
        assert_eq!(seen, (6..251).collect::<Vec<_>>());
        assert_eq!(report, ReplayReport { replayed: 220, refused: 25 });
        drop(store);
        let (store, _) = DeadLetters::open(dir.path(), 1 << 20).unwrap();
        assert_eq!(store.count(), 30);
        let left = store.list(0, 1000).unwrap();
        assert_eq!(ids(&left), (1..6).chain((10..251).step_by(10)).collect::<Vec<_>>());
    }

    // Guards space: a store goes on for ever when letters are removed, refuses when they are not, and what is
    // noted about removals stays small and true.
    #[test]
    fn removing_makes_room() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = DeadLetters::open(dir.path(), 16 << 10).unwrap();
        let mut next = 1;
        let mut refused = 0;
        while refused < 60 {
            match store.append(&[(&record(next), &cause(next))]) {
                Ok(_) => next += 1,
                Err(SpoolError::Full { .. }) => {
                    refused += 1;
                    let oldest = ids(&store.list(0, 25).unwrap());
                    for id in oldest {
                        assert_eq!(store.remove(&[id]).unwrap(), 1);
                    }
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(next > 1_100, "removals were never summed up");
        let before = ids(&store.list(0, 1000).unwrap());
        drop(store);
        let (store, _) = DeadLetters::open(dir.path(), 16 << 10).unwrap();
        assert!(store.lock().removals < REMOVALS_MAX);
        assert_eq!(ids(&store.list(0, 1000).unwrap()), before);
        assert_eq!(before, (before[0]..next).collect::<Vec<_>>());
    }
}
