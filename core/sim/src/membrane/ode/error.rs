//! What the integrators refuse, and how an integration fails.

use super::STATE_LENGTH_MAX;
use crate::error::SpecError;

/// Errors of the integrators. The state is as before the call.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OdeError {
    /// A number of the options is refused.
    #[error("invalid integration options: {0}")]
    Options(#[from] SpecError),
    /// The end lies before the start.
    #[error("time_end = {end} lies before time_start = {start}: give time_end >= time_start")]
    Interval {
        /// Start of the integration.
        start: f64,
        /// End of the integration.
        end: f64,
    },
    /// The clamp has no room.
    #[error("clamp range {min} to {max} is empty: give finite min < max")]
    ClampRange {
        /// Lower limit.
        min: f64,
        /// Upper limit.
        max: f64,
    },
    /// No component, or too many.
    #[error("the state has {length} components: give 1 to {STATE_LENGTH_MAX}")]
    StateLength {
        /// Components given.
        length: usize,
    },
    /// The initial state is not finite.
    #[error("component {component} of the initial state is {value}: give finite numbers")]
    InitialState {
        /// The first such component.
        component: usize,
        /// Its value.
        value: f64,
    },
    /// A component became NaN or infinite. With adaptive steps: also after the step was made
    /// shorter several times.
    #[error(
        "component {component} became {value} in step {step} at time {time}: give a smaller step, or check the derivative there"
    )]
    NotFinite {
        /// Index of the step, from 0; equals the number of good steps before it.
        step: u64,
        /// Time at the start of the step.
        time: f64,
        /// The first such component.
        component: usize,
        /// Its value.
        value: f64,
    },
    /// Stability, not accuracy, limits the step.
    #[error(
        "the equations are stiff near time {time}: after {step} steps the step of {step_size} is limited by stability; \
         use an implicit solver, or end earlier"
    )]
    TooStiff {
        /// Steps done.
        step: u64,
        /// Time reached.
        time: f64,
        /// Length of the last step.
        step_size: f64,
    },
    /// The tolerance can not be met with any step that still advances the time.
    #[error(
        "the step shrank to {step_size} at time {time}: loosen the tolerances, or look for a singularity there"
    )]
    StepTooSmall {
        /// Steps done.
        step: u64,
        /// Time reached.
        time: f64,
        /// Length of the refused step.
        step_size: f64,
    },
    /// The limit of steps was reached before the end.
    #[error(
        "{steps_max} steps led only to time {time} of {time_end}: raise steps_max or loosen the tolerances"
    )]
    TooManySteps {
        /// The limit.
        steps_max: u64,
        /// Time reached.
        time: f64,
        /// Time asked for.
        time_end: f64,
    },
}
