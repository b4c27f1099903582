//! Rates that the host computes: any kinetics without a change of the library.

/// The rates of a kinetics that the host provides, for whole rows at a time.
///
/// A call costs a function pointer and two more rows of memory traffic, and the compiler cannot
/// fuse it with the diffusion: slower than a kinetics of the library.
pub trait HostReaction: Send + Sync {
    /// Writes the rates f into `du` and g into `dv` for the cells with activator `u` and
    /// inhibitor `v`. All four slices have one length. May be called from several threads at
    /// once, for any part of a row, in any order: it must give each cell the same bits whatever
    /// the part.
    ///
    /// # Errors
    /// [`HostReactionError`] when the rates cannot be computed; the step is then discarded.
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]) -> Result<(), HostReactionError>;
}

/// Why a host could not compute its rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct HostReactionError {
    reason: String,
}

impl HostReactionError {
    /// An error with the host's own words.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// The kinetics is `host` and nothing was given.
    pub(crate) fn missing() -> Self {
        Self::new("no kinetics was given: set it before the first step")
    }
}
