//! What can go wrong in an ensemble: with it as a whole, or with one of its runs.

use crate::error::SimError;

/// Why an ensemble was not started. No run has begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnsembleError {
    /// An option is outside its range.
    #[error("{option} = {given} is outside [{min}, {max}]: give a number in this range")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// Its value.
        given: u64,
        /// The least value.
        min: u64,
        /// The largest value.
        max: u64,
    },
    /// The system gave no threads.
    #[error("{threads} threads can not be started: {reason}; ask for fewer")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// What the system says.
        reason: String,
    },
}

/// Why one run of an ensemble has no result. The others go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunFailure {
    /// The specification is refused, or a step became unstable.
    #[error(transparent)]
    Simulation(#[from] SimError),
    /// There is no specification for this index.
    #[error("no specification: {reason}")]
    NoSpec {
        /// Why not.
        reason: String,
    },
    /// The run alone needs more memory than all runs together may take.
    #[error(
        "the run needs about {needed_bytes} bytes, the ensemble may use {allowed_bytes}: raise \
         memory_bytes_max or make the grid smaller"
    )]
    Memory {
        /// What the run needs, bytes.
        needed_bytes: u64,
        /// What all runs together may take, bytes.
        allowed_bytes: u64,
    },
    /// A defect of the library, or of a function of the host, was caught.
    #[error("a defect was caught during the run: {message}")]
    Defect {
        /// What the panic said.
        message: String,
    },
}

impl RunFailure {
    /// A stable short name: `refused`, `unstable`, `no-spec`, `memory` or `defect`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Simulation(SimError::Unstable { .. }) => "unstable",
            Self::Simulation(_) => "refused",
            Self::NoSpec { .. } => "no-spec",
            Self::Memory { .. } => "memory",
            Self::Defect { .. } => "defect",
        }
    }
}
