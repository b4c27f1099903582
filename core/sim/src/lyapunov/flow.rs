//! The largest exponent of a flow y' = f(t, y).
//!
//! Both trajectories are integrated as one state of twice the length, so that they share every
//! step, also the adaptive ones: the error of the step then hardly enters their difference.

use std::ops::ControlFlow;

use super::separation::{Accumulator, disturb, set_back};
use super::{Estimate, Interval, LyapunovError, LyapunovOptions};
use crate::bounds::{Bound, closed};
use crate::error::SpecFault;
use crate::membrane::ode::{
    AdaptiveStep, FixedStep, FixedStepper, OdeError, STATE_LENGTH_MAX, Scheme, check_state,
    integrate_adaptive,
};

/// How the trajectories of a flow are integrated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FlowStepping {
    /// Fixed steps: an interval has `steps_per_interval` of them.
    Fixed {
        /// How a step is computed.
        scheme: Scheme,
        /// Length of a step.
        time_step: f64,
    },
    /// Adaptive steps: an interval lasts `steps_per_interval` times `duration`.
    Adaptive {
        /// Time that counts as one step.
        duration: f64,
        /// Error of a step relative to the size of a component.
        relative_tolerance: f64,
        /// Error of a step in the unit of the state, beside the relative one.
        absolute_tolerance: f64,
    },
}

const DURATION: [Bound; 1] =
    [closed("duration", (0.0, 1e12), 1.0, "time", "time that counts as one step").open_below()];

impl FlowStepping {
    fn step(&self) -> f64 {
        match *self {
            Self::Fixed { time_step, .. } => time_step,
            Self::Adaptive { duration, .. } => duration,
        }
    }
}

/// The largest Lyapunov exponent, 1 per unit of time, of y' = `derivative`(t, y) along the
/// trajectory of `state` from `time_start` on. `control` is asked after every interval. Memory: at
/// most twenty-two arrays of the state's length.
///
/// # Errors
/// [`LyapunovError::Options`]; [`LyapunovError::Ode`] for a refused state or an integration that
/// fails; [`LyapunovError::NotFinite`] or [`LyapunovError::Merged`].
pub fn flow_exponent(
    mut derivative: impl FnMut(f64, &[f64], &mut [f64]),
    state: &[f64],
    time_start: f64,
    stepping: FlowStepping,
    options: &LyapunovOptions,
    mut control: impl FnMut(Interval) -> ControlFlow<()>,
) -> Result<Estimate, LyapunovError> {
    options.validate()?;
    check_state(state)?;
    let length = state.len();
    if length > STATE_LENGTH_MAX / 2 {
        return Err(OdeError::StateLength { length }.into());
    }
    let mut both = [state, state].concat();
    {
        let (reference, disturbed) = both.split_at_mut(length);
        disturb(reference, disturbed, options.separation);
    }
    let mut twice = |time: f64, both: &[f64], slopes: &mut [f64]| {
        for (trajectory, slope) in both.chunks_exact(length).zip(slopes.chunks_exact_mut(length)) {
            derivative(time, trajectory, slope);
        }
    };
    let mut integrator = Integrator::new(stepping, time_start, 2 * length)?;
    let duration = stepping.step() * options.steps_per_interval as f64;
    let mut accumulator = Accumulator::new(options, duration);
    loop {
        let interval = accumulator.interval();
        integrator.advance(&mut twice, &mut both, interval, options.steps_per_interval)?;
        let (reference, disturbed) = both.split_at_mut(length);
        let distance = set_back(reference, disturbed, options.separation, interval)?;
        if accumulator.push(distance, &mut control).is_break() {
            return Ok(accumulator.finish());
        }
    }
}

/// Carries the doubled state over one interval.
struct Integrator {
    stepping: FlowStepping,
    time_start: f64,
    stepper: FixedStepper,
    step_next: Option<f64>,
}

impl Integrator {
    fn new(stepping: FlowStepping, time_start: f64, length: usize) -> Result<Self, LyapunovError> {
        let (scheme, length) = match stepping {
            FlowStepping::Fixed { scheme, time_step } => {
                FixedStep { scheme, time_start, time_step, ..FixedStep::default() }.validate()?;
                (scheme, length)
            }
            FlowStepping::Adaptive { duration, .. } => {
                SpecFault::check_table(&DURATION, |_| Some(duration))?;
                (Scheme::Euler, 0)
            }
        };
        Ok(Self { stepping, time_start, stepper: FixedStepper::new(scheme, length), step_next: None })
    }

    fn advance<F>(
        &mut self,
        twice: &mut F,
        both: &mut [f64],
        interval: u64,
        steps: u64,
    ) -> Result<(), LyapunovError>
    where
        F: FnMut(f64, &[f64], &mut [f64]),
    {
        let time = |step: u64| self.time_start + step as f64 * self.stepping.step();
        let first = interval * steps;
        match self.stepping {
            FlowStepping::Fixed { time_step, .. } => {
                for step in first..first + steps {
                    let time = self.time_start + step as f64 * time_step;
                    self.stepper.advance(twice, time, time_step, both);
                }
            }
            FlowStepping::Adaptive { relative_tolerance, absolute_tolerance, .. } => {
                let options = AdaptiveStep {
                    time_start: time(first),
                    time_end: time(first + steps),
                    relative_tolerance,
                    absolute_tolerance,
                    step_first: self.step_next,
                    ..AdaptiveStep::default()
                };
                let run = integrate_adaptive(twice, both, &options, |_| ControlFlow::Continue(()))?;
                self.step_next = Some(run.step_next).filter(|step| *step > 0.0);
            }
        }
        Ok(())
    }
}
