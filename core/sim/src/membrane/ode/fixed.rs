//! Integration with steps of one length, by Euler or RK4.

use std::ops::ControlFlow;

use super::{FixedStepper, OdeError, RunEnd, Scheme, check_state};
use crate::bounds::{Bound, closed, whole};
use crate::error::SpecFault;

/// The bounds of [`FixedStep`].
pub const FIXED_TABLE: [Bound; 3] = [
    closed("time_start", (-1e12, 1e12), 0.0, "time", "time of the initial state"),
    closed("time_step", (0.0, 1e12), 1e-4, "time", "length of a step").open_below(),
    whole(closed("steps", (0.0, 1e12), 0.0, "steps", "number of steps")),
];

/// Limits that every component is moved into after each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clamp {
    /// Lower limit.
    pub min: f64,
    /// Upper limit.
    pub max: f64,
}

/// How to integrate with fixed steps. Ranges: [`FIXED_TABLE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedStep {
    /// How a step is computed.
    pub scheme: Scheme,
    /// Time of the initial state. Step k begins at `time_start + k * time_step`.
    pub time_start: f64,
    /// Length of a step.
    pub time_step: f64,
    /// Number of steps.
    pub steps: u64,
    /// Limits for every component, if any.
    pub clamp: Option<Clamp>,
    /// Whether a NaN or infinite component ends the integration. Checked after the clamp, so that
    /// with a clamp only NaN is found.
    pub check_finite: bool,
}

impl Default for FixedStep {
    fn default() -> Self {
        Self {
            scheme: Scheme::Rk4,
            time_start: 0.0,
            time_step: 1e-4,
            steps: 0,
            clamp: None,
            check_finite: true,
        }
    }
}

/// The state after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment<'a> {
    /// Steps done.
    pub step: u64,
    /// Time of the state.
    pub time: f64,
    /// The state.
    pub state: &'a [f64],
}

/// What an integration with fixed steps did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedRun {
    /// Steps done.
    pub steps: u64,
    /// Time of the state.
    pub time: f64,
    /// Components changed by the clamp, added up over the steps. NaN counts as changed.
    pub clamping_events: u64,
    /// Whether all steps were done.
    pub end: RunEnd,
}

/// Integrates y' = `derivative`(t, y) with fixed steps. `control` sees the state after every step
/// and may end the integration there. Memory: at most six arrays of the state's length.
///
/// # Errors
/// [`OdeError::Options`], [`OdeError::ClampRange`], [`OdeError::StateLength`] or
/// [`OdeError::InitialState`] before the first step, [`OdeError::NotFinite`] later. The state is
/// then unchanged.
pub fn integrate_fixed(
    mut derivative: impl FnMut(f64, &[f64], &mut [f64]),
    state: &mut [f64],
    options: &FixedStep,
    mut control: impl FnMut(Moment<'_>) -> ControlFlow<()>,
) -> Result<FixedRun, OdeError> {
    options.validate()?;
    check_state(state)?;
    let mut current = state.to_vec();
    let mut stepper = FixedStepper::new(options.scheme, state.len());
    let mut run = FixedRun { steps: 0, time: options.time_start, clamping_events: 0, end: RunEnd::Completed };
    while run.steps < options.steps {
        stepper.advance(&mut derivative, run.time, options.time_step, &mut current);
        if let Some(clamp) = options.clamp {
            run.clamping_events += clamp.apply(&mut current);
        }
        if options.check_finite
            && let Some(component) = first_not_finite(&current)
        {
            let value = current[component];
            return Err(OdeError::NotFinite { step: run.steps, time: run.time, component, value });
        }
        run.steps += 1;
        run.time = options.time_start + run.steps as f64 * options.time_step;
        let moment = Moment { step: run.steps, time: run.time, state: &current };
        if control(moment).is_break() && run.steps < options.steps {
            run.end = RunEnd::Cancelled;
            break;
        }
    }
    state.copy_from_slice(&current);
    Ok(run)
}

/// The first NaN, else the first infinite component: v4.1 looks for them in this order.
fn first_not_finite(state: &[f64]) -> Option<usize> {
    if state.iter().all(|value| value.is_finite()) {
        return None;
    }
    state
        .iter()
        .position(|value| value.is_nan())
        .or_else(|| state.iter().position(|value| value.is_infinite()))
}

impl FixedStep {
    pub(crate) fn validate(&self) -> Result<(), OdeError> {
        SpecFault::check_table(&FIXED_TABLE, |field| {
            Some(match field {
                "time_start" => self.time_start,
                "time_step" => self.time_step,
                _ => self.steps as f64,
            })
        })?;
        match self.clamp {
            Some(Clamp { min, max }) if !(min < max && min.is_finite() && max.is_finite()) => {
                Err(OdeError::ClampRange { min, max })
            }
            _ => Ok(()),
        }
    }
}

impl Clamp {
    /// Moves every component inside and counts those that change.
    fn apply(self, state: &mut [f64]) -> u64 {
        let mut changed = 0;
        for value in state {
            // NaN is unequal to itself: v4.1 counts it, and it stays NaN.
            let inside = value.clamp(self.min, self.max);
            changed += u64::from(inside != *value);
            *value = inside;
        }
        changed
    }
}
