//! How fast a history changes.
//!
//! MFN 4.1 calls the mean logarithm of the step-to-step change a Lyapunov exponent. It is none:
//! it depends on the unit of the field and on the grid, and a field that halves in each step
//! can have a positive value. It is kept under the name of what it is.

use ndarray::{ArrayView3, Axis, Zip};

use super::error::FeatureError;
use crate::operators;

/// Changes of this Euclidean size or less are left out of the logarithm.
const CHANGE_MIN: f64 = 1e-10;

/// Rates of change of a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangeRates {
    /// Mean of ln |V(t+1) - V(t)| over the steps, divided by the time step, where |.| is the
    /// Euclidean norm over all cells; 0 when no step changes anything.
    pub mean_log_step_change: f64,
    /// Mean absolute change of a cell per unit of time.
    pub mean_change_rate: f64,
    /// Largest absolute change of a cell per unit of time.
    pub max_change_rate: f64,
    /// Population standard deviation of the last frame.
    pub final_std: f64,
}

/// The rates of change of a history: frames of any shape, time first, `time_step` apart. The
/// results are in the unit of the field.
///
/// # Errors
/// [`FeatureError::NoFrames`], [`FeatureError::Empty`], or [`FeatureError::TimeStep`] when the
/// time step is not a positive finite number.
pub fn change_rates(history: ArrayView3<'_, f64>, time_step: f64) -> Result<ChangeRates, FeatureError> {
    if !(time_step.is_finite() && time_step > 0.0) {
        return Err(FeatureError::TimeStep { value: time_step });
    }
    let (frames, rows, columns) = history.dim();
    let last = frames.checked_sub(1).ok_or(FeatureError::NoFrames)?;
    if rows == 0 || columns == 0 {
        return Err(FeatureError::Empty { rows, columns });
    }
    let mut log_sum = 0.0;
    let mut log_count = 0u64;
    let mut change_sum = 0.0;
    let mut change_max: f64 = 0.0;
    for step in 0..last {
        let (before, after) = (history.index_axis(Axis(0), step), history.index_axis(Axis(0), step + 1));
        let mut squares = 0.0;
        let mut changes = 0.0;
        Zip::from(before).and(after).for_each(|&before, &after| {
            let change = (after - before).abs();
            squares += change * change;
            changes += change;
            change_max = change_max.max(change);
        });
        let norm = f64::sqrt(squares);
        if norm > CHANGE_MIN {
            log_sum += norm.ln();
            log_count += 1;
        }
        change_sum += changes;
    }
    let mean_of = |sum: f64, count: f64| if count > 0.0 { sum / count } else { 0.0 };
    let changed_cells = last as f64 * rows as f64 * columns as f64;
    Ok(ChangeRates {
        mean_log_step_change: mean_of(log_sum, log_count as f64) / time_step,
        mean_change_rate: mean_of(change_sum, changed_cells) / time_step,
        max_change_rate: change_max / time_step,
        final_std: operators::statistics(history.index_axis(Axis(0), last)).std,
    })
}
