//! The store of dead letters: records that can not be done, as they came, with the reason, kept until a person has
//! looked at them.
//!
//! A store is a directory with two spools: `letters` holds the records, `done` says which of them were replayed
//! or removed. Space is freed from the oldest letter on, when it and those after it are done with.

mod letter;
mod store;

use std::path::Path;

use crate::spool::{IdRanges, SpoolError, SpoolView};

pub use letter::{DeadLetter, DeadLetterCause};
pub use mfn_plugin::value::Record;
pub use store::{DeadLetters, ReplayReport};

const LETTERS: &str = "letters";
const DONE: &str = "done";

/// Looks into a store that may be in use: nothing is locked and nothing is changed.
#[derive(Debug)]
pub struct DeadLettersView {
    letters: SpoolView,
    done: SpoolView,
}

impl DeadLettersView {
    /// Looks for a store in a directory.
    ///
    /// # Errors
    /// [`SpoolError::Disk`] when there is none, [`SpoolError::Foreign`] when it is of another version or damaged.
    pub fn open(directory: &Path) -> Result<Self, SpoolError> {
        let letters = SpoolView::open(&directory.join(LETTERS))?;
        Ok(Self { letters, done: SpoolView::open(&directory.join(DONE))? })
    }

    /// The letters from an id on, oldest first, at most so many. The next page begins after the id of the last.
    ///
    /// # Errors
    /// [`SpoolError::Disk`], [`SpoolError::Foreign`].
    pub fn list(&self, from: u64, letters_max: usize) -> Result<Vec<DeadLetter>, SpoolError> {
        list(&self.letters, &self.done()?, from, letters_max)
    }

    /// One letter; `None` when there is none of this id, or no more.
    ///
    /// # Errors
    /// [`SpoolError::Disk`], [`SpoolError::Foreign`].
    pub fn get(&self, id: u64) -> Result<Option<DeadLetter>, SpoolError> {
        Ok(self.list(id, 1)?.pop().filter(|letter| letter.id == id))
    }

    fn done(&self) -> Result<IdRanges, SpoolError> {
        let mut done = IdRanges::default();
        self.done.read(0, |_, record| {
            letter::add_done(&record, &mut done);
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(done)
    }
}

/// Reads letters that are not done with.
fn list(
    letters: &SpoolView,
    done: &IdRanges,
    from: u64,
    letters_max: usize,
) -> Result<Vec<DeadLetter>, SpoolError> {
    use std::ops::ControlFlow::{Break, Continue};
    let mut found = Vec::new();
    if letters_max == 0 {
        return Ok(found);
    }
    letters.read(from, |id, record| {
        if !done.contains(id) {
            found.push(DeadLetter::from_stored(id, record));
        }
        if found.len() == letters_max { Break(()) } else { Continue(()) }
    })?;
    Ok(found)
}
