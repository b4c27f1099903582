//! Two trajectories, their distance, and the mean of its logarithm.

use std::ops::ControlFlow;

use super::LyapunovError;
use crate::bounds::{Bound, closed, whole};
use crate::engine::RunEnd;
use crate::error::SpecFault;
use crate::rng::Generator;

/// The bounds of [`LyapunovOptions`].
pub const LYAPUNOV_TABLE: [Bound; 4] = [
    closed("separation", (1e-14, 0.1), 1e-8, "state", "distance to which the trajectories are set back"),
    whole(closed("steps_per_interval", (1.0, 1e6), 1.0, "steps", "steps between two such moments")),
    whole(closed("transient", (0.0, 1e9), 100.0, "intervals", "intervals before the ones that count")),
    whole(closed("intervals", (1.0, 1e9), 10_000.0, "intervals", "intervals that count")),
];

/// How to measure an exponent. Ranges: [`LYAPUNOV_TABLE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LyapunovOptions {
    /// Distance of the two trajectories at the start of each interval, in the unit of the state:
    /// small against the curvature of the equations, large against the rounding of the state.
    pub separation: f64,
    /// Steps of an interval. The distance should neither grow out of the linear range nor shrink
    /// to rounding errors in it.
    pub steps_per_interval: u64,
    /// Intervals before the ones that count, in which the trajectory reaches its attractor and the
    /// difference turns to the fastest growing direction.
    pub transient: u64,
    /// Intervals that count.
    pub intervals: u64,
}

impl Default for LyapunovOptions {
    fn default() -> Self {
        Self { separation: 1e-8, steps_per_interval: 1, transient: 100, intervals: 10_000 }
    }
}

impl LyapunovOptions {
    pub(super) fn validate(&self) -> Result<(), LyapunovError> {
        SpecFault::check_table(&LYAPUNOV_TABLE, |field| {
            Some(match field {
                "separation" => self.separation,
                "steps_per_interval" => self.steps_per_interval as f64,
                "transient" => self.transient as f64,
                _ => self.intervals as f64,
            })
        })?;
        Ok(())
    }
}

/// How far a measurement has come, after each interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Intervals done, those of the transient included.
    pub done: u64,
    /// Intervals of the transient and those that count.
    pub total: u64,
    /// The exponent so far; NaN during the transient.
    pub exponent: f64,
}

/// A measured exponent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The largest Lyapunov exponent, 1 per unit of time (per step for maps and simulations with a
    /// time step of 1). NaN when cancelled during the transient.
    pub exponent: f64,
    /// Standard error from the means of twenty parts of the measurement; NaN for fewer than
    /// forty intervals. Says nothing about errors of the time step.
    pub standard_error: f64,
    /// Intervals that counted.
    pub intervals: u64,
    /// Whether all intervals were done.
    pub end: RunEnd,
}

/// Parts for the standard error.
const PARTS: u64 = 20;

/// The mean rate of separation, interval by interval.
pub(super) struct Accumulator {
    options: LyapunovOptions,
    /// Time of an interval.
    duration: f64,
    done: u64,
    parts: [(f64, u64); PARTS as usize],
}

impl Accumulator {
    pub(super) fn new(options: &LyapunovOptions, duration: f64) -> Self {
        Self { options: *options, duration, done: 0, parts: [(0.0, 0); PARTS as usize] }
    }

    /// The index of the interval under way.
    pub(super) fn interval(&self) -> u64 {
        self.done
    }

    /// Takes the distance at the end of an interval that began with `separation`. Breaks when the
    /// measurement is complete or `control` ends it.
    pub(super) fn push(
        &mut self,
        distance: f64,
        control: &mut impl FnMut(Interval) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let total = self.options.transient + self.options.intervals;
        if let Some(index) = self.done.checked_sub(self.options.transient) {
            // At most 1e9 intervals, so the product fits.
            let part = &mut self.parts[(index * PARTS / self.options.intervals) as usize % PARTS as usize];
            part.0 += (distance / self.options.separation).ln();
            part.1 += 1;
        }
        self.done += 1;
        let flow = control(Interval { done: self.done, total, exponent: self.exponent() });
        if self.done == total { ControlFlow::Break(()) } else { flow }
    }

    fn counted(&self) -> u64 {
        self.parts.iter().map(|(_, count)| count).sum()
    }

    fn exponent(&self) -> f64 {
        let sum: f64 = self.parts.iter().map(|(sum, _)| sum).sum();
        sum / (self.counted() as f64 * self.duration)
    }

    pub(super) fn finish(&self) -> Estimate {
        let exponent = self.exponent();
        let total = self.options.transient + self.options.intervals;
        let complete = self.done == total;
        let standard_error = if complete && self.options.intervals >= 2 * PARTS {
            let means = self.parts.iter().map(|(sum, count)| sum / (*count as f64 * self.duration));
            let squares: f64 = means.map(|mean| (mean - exponent) * (mean - exponent)).sum();
            (squares / (PARTS * (PARTS - 1)) as f64).sqrt()
        } else {
            f64::NAN
        };
        let end = if complete { RunEnd::Completed } else { RunEnd::Cancelled };
        Estimate { exponent, standard_error, intervals: self.counted(), end }
    }
}

/// Writes into `disturbed` a copy of `reference` at the given distance, in a direction without any
/// symmetry.
pub(super) fn disturb(reference: &[f64], disturbed: &mut [f64], separation: f64) {
    let mut generator = Generator::new(0);
    disturbed.fill_with(|| generator.standard_normal());
    let length = disturbed.iter().map(|x| x * x).sum::<f64>().sqrt();
    for (out, x) in disturbed.iter_mut().zip(reference) {
        *out = x + *out * (separation / length);
    }
}

/// Sets the distance back to `separation` along its direction; the distance before.
///
/// # Errors
/// [`LyapunovError::NotFinite`] or [`LyapunovError::Merged`].
pub(super) fn set_back(
    reference: &[f64],
    disturbed: &mut [f64],
    separation: f64,
    interval: u64,
) -> Result<f64, LyapunovError> {
    for values in [reference, &*disturbed] {
        if let Some(component) = values.iter().position(|value| !value.is_finite()) {
            return Err(LyapunovError::NotFinite { interval, component, value: values[component] });
        }
    }
    // Scaled by the largest component, so that no square over- or underflows.
    let largest = reference.iter().zip(&*disturbed).map(|(x, y)| (y - x).abs()).fold(0.0, f64::max);
    if largest == 0.0 {
        return Err(LyapunovError::Merged { interval });
    }
    if largest.is_infinite() {
        return Err(LyapunovError::NotFinite { interval, component: 0, value: largest });
    }
    let squares: f64 = reference.iter().zip(&*disturbed).map(|(x, y)| ((y - x) / largest).powi(2)).sum();
    let distance = largest * squares.sqrt();
    for (y, x) in disturbed.iter_mut().zip(reference) {
        *y = x + (*y - x) * (separation / distance);
    }
    if distance.is_finite() {
        return Ok(distance);
    }
    Err(LyapunovError::NotFinite { interval, component: 0, value: distance })
}
