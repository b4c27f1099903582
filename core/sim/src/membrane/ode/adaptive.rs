//! Integration with error control: the Dormand-Prince 5(4) pair with steps of the length that the
//! tolerances allow.
//!
//! The step control (a PI controller), the first step and the test for stiffness are those of
//! DOPRI5 (Hairer, Norsett and Wanner, 1993, II.4 and IV.2).

use std::ops::ControlFlow;

use super::controller::Controller;
use super::tableau::{DENSE, ERROR, NODES, STAGES};
use super::{OdeError, RunEnd, check_state};
use crate::bounds::{Bound, closed, whole};
use crate::error::SpecFault;

/// The bounds of [`AdaptiveStep`].
pub const ADAPTIVE_TABLE: [Bound; 7] = [
    closed("time_start", (-1e12, 1e12), 0.0, "time", "time of the initial state"),
    closed("time_end", (-1e12, 1e12), 1.0, "time", "time of the final state, not before time_start"),
    closed("relative_tolerance", (1e-14, 0.1), 1e-6, "1", "error of a step relative to a component"),
    closed("absolute_tolerance", (1e-15, 1e15), 1e-9, "state", "error of a step beside the relative one"),
    Bound {
        default: None,
        ..closed("step_first", (0.0, 1e12), 0.0, "time", "length of the first step; absent: estimated")
            .open_below()
    },
    Bound {
        default: None,
        ..closed("step_max", (0.0, 1e12), 0.0, "time", "longest step; absent: the whole interval")
            .open_below()
    },
    whole(closed("steps_max", (1.0, 1e12), 1e5, "steps", "most steps, rejected ones included")),
];

/// How to integrate with adaptive steps. Ranges: [`ADAPTIVE_TABLE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveStep {
    /// Time of the initial state.
    pub time_start: f64,
    /// Time of the final state, met exactly.
    pub time_end: f64,
    /// Error of a step relative to the size of a component.
    pub relative_tolerance: f64,
    /// Error of a step in the unit of the state, beside the relative one.
    pub absolute_tolerance: f64,
    /// Length of the first step; `None`: estimated from the slope and its change.
    pub step_first: Option<f64>,
    /// Longest step; `None`: the whole interval.
    pub step_max: Option<f64>,
    /// Most steps, rejected ones included.
    pub steps_max: u64,
}

impl Default for AdaptiveStep {
    fn default() -> Self {
        Self {
            time_start: 0.0,
            time_end: 1.0,
            relative_tolerance: 1e-6,
            absolute_tolerance: 1e-9,
            step_first: None,
            step_max: None,
            steps_max: 100_000,
        }
    }
}

/// What an integration with adaptive steps did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveRun {
    /// Steps kept.
    pub accepted: u64,
    /// Steps repeated with a shorter length.
    pub rejected: u64,
    /// Calls of the derivative.
    pub evaluations: u64,
    /// Time of the state: `time_end`, unless it was cancelled.
    pub time: f64,
    /// Length that the next step would have.
    pub step_next: f64,
    /// Whether the end was reached.
    pub end: RunEnd,
}

/// An accepted step, with the solution at every time inside it.
#[derive(Debug)]
pub struct DenseStep<'a> {
    /// Steps accepted so far, this one included.
    pub step: u64,
    /// Time at its start.
    pub time_before: f64,
    /// Time at its end.
    pub time: f64,
    /// State at its end.
    pub state: &'a [f64],
    before: &'a [f64],
    slopes: &'a [Vec<f64>; 7],
}

impl DenseStep<'_> {
    /// The state at a time of this step, to order 4. `None` outside the step, and for a component
    /// that does not exist.
    #[must_use]
    pub fn at(&self, time: f64, component: usize) -> Option<f64> {
        let (&y0, &y1) = (self.before.get(component)?, self.state.get(component)?);
        if !(self.time_before <= time && time <= self.time) {
            return None;
        }
        let h = self.time - self.time_before;
        let theta = (time - self.time_before) / h;
        let rise = y1 - y0;
        let bend = h * self.slopes[0][component] - rise;
        let twist = rise - h * self.slopes[6][component] - bend;
        let last: f64 = DENSE.iter().zip(self.slopes).map(|(weight, slope)| weight * slope[component]).sum();
        let rest = 1.0 - theta;
        Some(y0 + theta * (rise + rest * (bend + theta * (twist + rest * (h * last)))))
    }
}

/// Integrates y' = `derivative`(t, y) from `time_start` to exactly `time_end`. `control` sees every
/// accepted step and may end the integration there. Memory: ten arrays of the state's length.
///
/// # Errors
/// [`OdeError::Options`], [`OdeError::Interval`], [`OdeError::StateLength`] or
/// [`OdeError::InitialState`] before the first step; [`OdeError::NotFinite`],
/// [`OdeError::TooStiff`], [`OdeError::StepTooSmall`] or [`OdeError::TooManySteps`] later. The
/// state is then unchanged.
pub fn integrate_adaptive(
    derivative: impl FnMut(f64, &[f64], &mut [f64]),
    state: &mut [f64],
    options: &AdaptiveStep,
    mut control: impl FnMut(&DenseStep<'_>) -> ControlFlow<()>,
) -> Result<AdaptiveRun, OdeError> {
    options.validate()?;
    check_state(state)?;
    let mut solver = Solver::new(derivative, state, options);
    solver.start()?;
    let mut controller = Controller::default();
    let mut not_finite = None;
    while solver.run.time < options.time_end {
        if solver.run.accepted + solver.run.rejected >= options.steps_max {
            return Err(OdeError::TooManySteps {
                steps_max: options.steps_max,
                time: solver.run.time,
                time_end: options.time_end,
            });
        }
        // A step that shrank to nothing before a wall of NaN is reported as what it is.
        let (h, time_next) = solver.next_step().map_err(|shrunk| not_finite.take().unwrap_or(shrunk))?;
        match solver.attempt(h) {
            Ok(error) if error <= 1.0 => {
                not_finite = None;
                solver.run.step_next = controller.accepted(h, error).min(solver.step_max);
                controller.check_stiffness(
                    h,
                    solver.last_two_stages(),
                    (solver.run.accepted, solver.run.time),
                )?;
                if solver.accept(time_next, &mut control).is_break() && time_next < options.time_end {
                    solver.run.end = RunEnd::Cancelled;
                    break;
                }
            }
            Ok(error) => {
                solver.run.rejected += 1;
                solver.run.step_next = controller.rejected(h, error);
            }
            Err(failure) => {
                solver.run.rejected += 1;
                solver.run.step_next = controller.not_finite(h, &failure)?;
                not_finite = Some(failure);
            }
        }
    }
    state.copy_from_slice(&solver.state);
    Ok(solver.run)
}

impl AdaptiveStep {
    fn validate(&self) -> Result<(), OdeError> {
        SpecFault::check_table(&ADAPTIVE_TABLE, |field| match field {
            "time_start" => Some(self.time_start),
            "time_end" => Some(self.time_end),
            "relative_tolerance" => Some(self.relative_tolerance),
            "absolute_tolerance" => Some(self.absolute_tolerance),
            "step_first" => self.step_first,
            "step_max" => self.step_max,
            _ => Some(self.steps_max as f64),
        })?;
        if self.time_end < self.time_start {
            return Err(OdeError::Interval { start: self.time_start, end: self.time_end });
        }
        Ok(())
    }
}

/// State, slopes and scratch of one integration.
struct Solver<'o, F> {
    derivative: F,
    options: &'o AdaptiveStep,
    step_max: f64,
    state: Vec<f64>,
    trial: Vec<f64>,
    /// The argument of the sixth slope.
    stage: Vec<f64>,
    slopes: [Vec<f64>; 7],
    run: AdaptiveRun,
}

impl<'o, F: FnMut(f64, &[f64], &mut [f64])> Solver<'o, F> {
    fn new(derivative: F, state: &[f64], options: &'o AdaptiveStep) -> Self {
        let zeros = || vec![0.0; state.len()];
        let interval = options.time_end - options.time_start;
        Self {
            derivative,
            options,
            step_max: options.step_max.unwrap_or(interval).min(interval),
            state: state.to_vec(),
            trial: zeros(),
            stage: zeros(),
            slopes: std::array::from_fn(|_| zeros()),
            run: AdaptiveRun {
                accepted: 0,
                rejected: 0,
                evaluations: 0,
                time: options.time_start,
                step_next: 0.0,
                end: RunEnd::Completed,
            },
        }
    }

    /// Evaluates the first slope and chooses the first step.
    fn start(&mut self) -> Result<(), OdeError> {
        let time = self.run.time;
        if time >= self.options.time_end {
            return Ok(());
        }
        (self.derivative)(time, &self.state, &mut self.slopes[0]);
        self.run.evaluations += 1;
        self.check_finite(&self.slopes[0])?;
        self.run.step_next = match self.options.step_first {
            Some(step) => step.min(self.step_max),
            None => self.first_step(),
        };
        Ok(())
    }

    /// A step after which an Euler step errs by about a hundredth of the tolerance.
    fn first_step(&mut self) -> f64 {
        let slope_norm = self.norm(|i| self.slopes[0][i]);
        let state_norm = self.norm(|i| self.state[i]);
        let guess =
            if slope_norm <= 1e-5 || state_norm <= 1e-5 { 1e-6 } else { 0.01 * state_norm / slope_norm };
        let guess = guess.min(self.step_max);
        for ((out, y), k) in self.stage.iter_mut().zip(&self.state).zip(&self.slopes[0]) {
            *out = y + guess * k;
        }
        (self.derivative)(self.run.time + guess, &self.stage, &mut self.slopes[1]);
        self.run.evaluations += 1;
        let curvature = self.norm(|i| self.slopes[1][i] - self.slopes[0][i]) / guess;
        let largest = curvature.max(slope_norm);
        let step = if largest <= 1e-15 { (guess * 1e-3).max(1e-6) } else { (0.01 / largest).powf(0.2) };
        // NaN in the curvature falls back to the guess.
        step.min(100.0 * guess).min(self.step_max)
    }

    /// Length and end of the next step; the last one ends exactly at `time_end`.
    fn next_step(&self) -> Result<(f64, f64), OdeError> {
        let (time, end) = (self.run.time, self.options.time_end);
        let h = self.run.step_next;
        let too_small = |h: f64| OdeError::StepTooSmall { step: self.run.accepted, time, step_size: h };
        // A rest of less than a hundredth of a step is taken along, so that no tiny step is left.
        if time + 1.01 * h >= end {
            return Ok((end - time, end));
        }
        let advances = h > 0.0 && 0.1 * h > time.abs() * f64::EPSILON && time + h > time;
        if advances { Ok((h, time + h)) } else { Err(too_small(h)) }
    }

    /// Computes a step of length `h` into `trial`; its error in units of the tolerance.
    fn attempt(&mut self, h: f64) -> Result<f64, OdeError> {
        let time = self.run.time;
        for (number, (node, weights)) in NODES.iter().zip(STAGES).enumerate() {
            let last = number == 5;
            let target = if last { &mut self.trial } else { &mut self.stage };
            for (i, out) in target.iter_mut().enumerate() {
                let rise: f64 =
                    weights.iter().zip(&self.slopes).map(|(weight, slope)| weight * slope[i]).sum();
                *out = self.state[i] + h * rise;
            }
            (self.derivative)(time + node * h, target, &mut self.slopes[number + 1]);
            self.run.evaluations += 1;
        }
        self.check_finite(&self.trial)?;
        self.check_finite(&self.slopes[6])?;
        let error = self.norm(|i| {
            let terms = ERROR.iter().zip(&self.slopes).map(|(weight, slope)| weight * slope[i]);
            h * terms.sum::<f64>()
        });
        // Inner slopes may overflow although the trial is finite.
        Ok(if error.is_finite() { error } else { f64::MAX })
    }

    /// The last two states at which the slope of a step was taken, each with its slope.
    fn last_two_stages(&self) -> [(&[f64], &[f64]); 2] {
        [(&self.stage, &self.slopes[5]), (&self.trial, &self.slopes[6])]
    }

    fn accept(
        &mut self,
        time_next: f64,
        control: &mut impl FnMut(&DenseStep<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.run.accepted += 1;
        let flow = control(&DenseStep {
            step: self.run.accepted,
            time_before: self.run.time,
            time: time_next,
            state: &self.trial,
            before: &self.state,
            slopes: &self.slopes,
        });
        std::mem::swap(&mut self.state, &mut self.trial);
        self.slopes.swap(0, 6);
        self.run.time = time_next;
        flow
    }

    /// Root mean square in units of the tolerance of each component.
    fn norm(&self, value: impl Fn(usize) -> f64) -> f64 {
        let mut sum = 0.0;
        for (i, (before, after)) in self.state.iter().zip(&self.trial).enumerate() {
            let size = before.abs().max(after.abs());
            let scaled =
                value(i) / (self.options.absolute_tolerance + self.options.relative_tolerance * size);
            sum += scaled * scaled;
        }
        (sum / self.state.len() as f64).sqrt()
    }

    fn check_finite(&self, values: &[f64]) -> Result<(), OdeError> {
        match values.iter().position(|value| !value.is_finite()) {
            Some(component) => Err(OdeError::NotFinite {
                step: self.run.accepted,
                time: self.run.time,
                component,
                value: values[component],
            }),
            None => Ok(()),
        }
    }
}
