//! What a spool can refuse, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a spool did not do what was asked. What was durable before still is, and nothing of a refused append
/// is ever read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// There is no room now. Commit cursors and trim, or wait for those who do.
    #[error(
        "the spool {} holds {bytes} of at most {bytes_max} bytes and can not take {needed} more; wait until its \
         cursors have moved, or raise bytes_max", directory.display()
    )]
    Full {
        /// The spool.
        directory: PathBuf,
        /// What it holds.
        bytes: u64,
        /// What the refused records take.
        needed: u64,
        /// What it may hold.
        bytes_max: u64,
    },
    /// These records would not fit into an empty spool either.
    #[error(
        "records of {bytes} bytes can not go into the spool {}, which takes at most {allowed} at once; split the \
         batch or raise bytes_max", directory.display()
    )]
    TooLarge {
        /// The spool.
        directory: PathBuf,
        /// What the refused records take.
        bytes: u64,
        /// The most that one append may take.
        allowed: u64,
    },
    /// The operating system failed. Asking again later may help; nothing is lost meanwhile.
    #[error("{} can not be {operation}: {message}; free space or mend the disk, then try again", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// What was done to it, in the past tense.
        operation: &'static str,
        /// What kind of failure it was.
        kind: io::ErrorKind,
        /// What the system said.
        message: String,
    },
    /// Another spool object, of this or another process, has the directory.
    #[error("the spool {} is in use; stop the other user or name another directory", directory.display())]
    Busy {
        /// The spool.
        directory: PathBuf,
    },
    /// The directory or a file in it is not what this version wrote. Nothing was changed.
    #[error("{} {problem}; {fix}", path.display())]
    Foreign {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        fix: &'static str,
    },
    /// An option is outside its range.
    #[error("{field}: {value} is not allowed; {allowed}")]
    Option {
        /// The option.
        field: &'static str,
        /// What was given.
        value: String,
        /// What would be allowed.
        allowed: &'static str,
    },
    /// The cursor can not be given out or moved like this.
    #[error("the cursor {name:?} {problem}")]
    Cursor {
        /// Its name.
        name: String,
        /// What is wrong, and what to do about it.
        problem: String,
    },
}

impl SpoolError {
    pub(super) fn disk(path: &Path, operation: &'static str, error: &io::Error) -> Self {
        Self::Disk { path: path.to_path_buf(), operation, kind: error.kind(), message: error.to_string() }
    }

    /// Whether the same call may succeed later without anybody changing a configuration.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Disk { .. } | Self::Busy { .. })
    }
}
