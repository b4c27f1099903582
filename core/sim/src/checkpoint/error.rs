//! Why bytes are not a checkpoint that can be continued from.

use crate::error::{SimError, SpecError};

/// Why a checkpoint was refused. No simulation was made, and no more memory taken than the bytes given
/// account for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The first bytes are not those of the format.
    #[error("not a checkpoint of mfn: it does not begin with \\x89MFNCP\\r\\n; give a file that mfn wrote")]
    Magic,
    /// The format is newer than this library.
    #[error("checkpoint format {found} is newer than {newest}, the newest that is read: update libmfn")]
    Version {
        /// The version of the bytes.
        found: u32,
        /// The newest version that is read.
        newest: u32,
    },
    /// The bytes end too early.
    #[error("truncated: {have} bytes, {need} are needed; give an earlier checkpoint")]
    Truncated {
        /// Bytes that are there.
        have: u64,
        /// Bytes that are needed at least.
        need: u64,
    },
    /// There are more bytes than the header says.
    #[error("{extra} bytes behind the checkpoint: give the bytes as they were written")]
    Trailing {
        /// Bytes too many.
        extra: u64,
    },
    /// A part was changed since it was written.
    #[error(
        "{section} is damaged: its checksum is {computed:08x}, written was {stored:08x}; \
         give an earlier checkpoint"
    )]
    Checksum {
        /// The part: `header` or the tag of a section.
        section: &'static str,
        /// The checksum that stands in the bytes.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// A part has a checksum that is right and a content that is not.
    #[error("{section}: {reason}; give an earlier checkpoint")]
    Content {
        /// The part: `header` or the tag of a section.
        section: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The specification in the checkpoint is refused, for example by narrower bounds of a later version.
    #[error("specification of the checkpoint: {0}")]
    Spec(#[from] SpecError),
    /// The parts do not make up a simulation.
    #[error("state of the checkpoint: {0}")]
    State(#[from] SimError),
}

/// A part whose content is wrong.
pub(super) fn content(section: &'static str, reason: impl Into<String>) -> CheckpointError {
    CheckpointError::Content { section, reason: reason.into() }
}
