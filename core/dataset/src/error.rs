//! What can go wrong while a dataset is written.

use std::io;
use std::path::{Path, PathBuf};

use mfn_sim::ensemble::EnsembleError;

/// A dataset that was not written. What was computed before stays in the partial folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The target has no known extension.
    #[error("{path} is no dataset: give a file that ends in .parquet or .csv")]
    Extension {
        /// The target.
        path: PathBuf,
    },
    /// The target is there already.
    #[error("{path} exists: choose another name, or ask for it to be replaced")]
    TargetExists {
        /// The target.
        path: PathBuf,
    },
    /// An earlier sweep to the same target was interrupted.
    #[error("{path} holds {rows} rows of an interrupted sweep: resume it, or ask for it to be replaced")]
    PartialExists {
        /// The partial folder.
        path: PathBuf,
        /// Rows that are complete.
        rows: u64,
    },
    /// The interrupted sweep had another plan, or was made by another version of libmfn.
    #[error(
        "{path} belongs to another plan or another version of libmfn: resume with the plan it was begun \
         with, or ask for it to be replaced"
    )]
    OtherPlan {
        /// The journal.
        path: PathBuf,
    },
    /// The journal is none, or of a version that is not known.
    #[error("{path} is not a journal of this version: {reason}; ask for it to be replaced")]
    NoJournal {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another process writes the same target.
    #[error("{path} is being written by another process: wait for it or choose another name")]
    Busy {
        /// The target.
        path: PathBuf,
    },
    /// Not one run has a result.
    #[error("none of the {runs} runs succeeded; run 0: {first}")]
    NothingSucceeded {
        /// Runs of the sweep.
        runs: u64,
        /// Why the first failed.
        first: String,
    },
    /// The ensemble was refused.
    #[error(transparent)]
    Ensemble(#[from] EnsembleError),
    /// The system refused something.
    #[error("{path} can not be {action}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was to be done with it.
        action: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl DatasetError {
    /// For `map_err` on an operation with a file.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }
}
