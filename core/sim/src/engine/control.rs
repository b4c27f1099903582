//! Watching and stopping a run: progress reports and the cancel token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cell-steps between two progress reports: a few milliseconds of work.
const REPORT_CELL_STEPS: u64 = 1 << 18;

/// How far a call of [`Simulation::run`](crate::Simulation::run) has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps done in this call.
    pub step: u64,
    /// Steps asked for in this call.
    pub steps_total: u64,
}

/// How a call of [`Simulation::run`](crate::Simulation::run) ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// All steps asked for are done.
    Completed,
    /// Stopped between two steps by the control function or the cancel token. The state is
    /// that of the last step; `run` can be called again.
    Cancelled,
}

/// Stops a run from any thread.
///
/// Clones share one flag. The flag stays set until [`reset`](Self::reset): a run started after
/// a cancellation ends at once, so a cancel that arrives early is not lost.
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    flag: Arc<AtomicBool>,
}

impl CancelToken {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop before its next step.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Whether cancellation was asked for.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Withdraws the request.
    pub fn reset(&self) {
        self.flag.store(false, Ordering::Relaxed);
    }
}

/// Steps between two reports for a grid of `cells` cells; at least 1.
pub(super) fn report_interval_steps(cells: usize) -> u64 {
    (REPORT_CELL_STEPS / (cells as u64).max(1)).max(1)
}
