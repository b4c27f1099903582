//! The largest exponent of a map x -> f(x).

use std::ops::ControlFlow;

use super::separation::{Accumulator, disturb, set_back};
use super::{Estimate, Interval, LyapunovError, LyapunovOptions};
use crate::membrane::ode::check_state;

/// The largest Lyapunov exponent, 1 per step, of the map that `map(x, next)` computes, along the
/// trajectory of `state`. `control` is asked after every interval. Memory: four arrays of the
/// state's length.
///
/// # Errors
/// [`LyapunovError::Options`], [`LyapunovError::Ode`] for a state that is refused,
/// [`LyapunovError::NotFinite`] or [`LyapunovError::Merged`].
pub fn map_exponent(
    mut map: impl FnMut(&[f64], &mut [f64]),
    state: &[f64],
    options: &LyapunovOptions,
    mut control: impl FnMut(Interval) -> ControlFlow<()>,
) -> Result<Estimate, LyapunovError> {
    options.validate()?;
    check_state(state)?;
    let mut reference = state.to_vec();
    let mut disturbed = vec![0.0; state.len()];
    let mut next = vec![0.0; state.len()];
    disturb(&reference, &mut disturbed, options.separation);
    let mut accumulator = Accumulator::new(options, options.steps_per_interval as f64);
    loop {
        for trajectory in [&mut reference, &mut disturbed] {
            for _ in 0..options.steps_per_interval {
                map(trajectory, &mut next);
                std::mem::swap(trajectory, &mut next);
            }
        }
        let interval = accumulator.interval();
        let distance = set_back(&reference, &mut disturbed, options.separation, interval)?;
        if accumulator.push(distance, &mut control).is_break() {
            return Ok(accumulator.finish());
        }
    }
}
