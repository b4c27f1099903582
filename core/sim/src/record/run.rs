//! A run whose frames go to recorders that may fail.

use std::ops::ControlFlow;

use crate::engine::{Frame, Observer, Progress, RunEnd, Simulation};
use crate::error::SimError;

/// Hears of each frame; its error ends the run.
pub type OnFrame<'a, E> = &'a mut dyn FnMut(Frame<'_>) -> Result<ControlFlow<()>, E>;

/// As [`Simulation::run_with`], where a recorder may fail: does up to `steps` more steps and gives the frame
/// after every `record_every` of them, counted from the start of the run, to `on_frame`. `progress` is that
/// of [`Simulation::run`]. Both are called on this thread; a break ends the run after that step, and so does
/// the [cancel token](Simulation::cancel_token) from any thread.
///
/// # Errors
/// That of the simulation, or the one of `on_frame`. In both cases the simulation is as after its last kept
/// step, which for `on_frame` is the one of the frame that it failed on, and can go on.
pub fn run<E: From<SimError>>(
    simulation: &mut Simulation,
    steps: u64,
    on_frame: OnFrame<'_, E>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<RunEnd, E> {
    let mut recording = Recording { on_frame, progress, failure: None };
    let end = simulation.run_with(steps, &mut recording);
    match recording.failure {
        Some(failure) => Err(failure),
        None => Ok(end?),
    }
}

struct Recording<'a, E> {
    on_frame: OnFrame<'a, E>,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    failure: Option<E>,
}

impl<E> Observer for Recording<'_, E> {
    fn frame(&mut self, frame: Frame<'_>) -> ControlFlow<()> {
        (self.on_frame)(frame).unwrap_or_else(|failure| {
            self.failure = Some(failure);
            ControlFlow::Break(())
        })
    }

    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        (self.progress)(progress)
    }
}
