//! Watching and stopping a run: progress reports, observers and the cancel token.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Simulation;

/// Cell-steps between two progress reports: a few milliseconds of work.
const REPORT_CELL_STEPS: u64 = 1 << 21;

/// How far a call of [`Simulation::run`](crate::Simulation::run) has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps done in this call.
    pub step: u64,
    /// Steps asked for in this call.
    pub steps_total: u64,
}

/// A moment of a run, as an [`Observer`] sees it.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Steps done and kept since the start of the run.
    pub step: u64,
    /// The run, between two steps: its fields, statistics and features.
    pub simulation: &'a Simulation,
}

/// Follows a run, on the thread that calls [`Simulation::run_with`](crate::Simulation::run_with).
/// A break ends the run between two steps, as a cancellation does; an observer that fails keeps
/// its error and breaks.
pub trait Observer {
    /// Called after every `record_every` steps of the specification, counted from the start of
    /// the run; never when that is 0.
    fn frame(&mut self, frame: Frame<'_>) -> ControlFlow<()>;

    /// Called every few milliseconds of work and after the last step.
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        let _ = progress;
        ControlFlow::Continue(())
    }
}

/// An observer that only hears of progress.
pub(super) struct ProgressOnly<'a>(pub(super) &'a mut dyn FnMut(Progress) -> ControlFlow<()>);

impl Observer for ProgressOnly<'_> {
    fn frame(&mut self, _frame: Frame<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        (self.0)(progress)
    }
}

/// How a call of [`Simulation::run`](crate::Simulation::run) ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// All steps asked for are done.
    Completed,
    /// Stopped between two steps by the control function, an observer or the cancel token. The state is
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
