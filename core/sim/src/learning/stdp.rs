//! Spike-timing-dependent plasticity: a synapse grows when its input fires before its output and
//! shrinks when it fires after (Bi and Poo, 1998; Song, Miller and Abbott, 2000).

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::error::check_length;
use super::{LearningError, SETTINGS_TABLE};
use crate::Real;
use crate::error::SpecFault;

/// Largest exponent; MFN 4.1 clamps there.
const EXPONENT_MAX: f64 = 50.0;

/// How a weight is kept inside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightBounds {
    /// Additive: changes are parts of the whole range, and the weight is clipped (Song, Miller and
    /// Abbott, 2000). Weights gather at both ends.
    Hard,
    /// Multiplicative: changes are parts of what is left up to the bound (van Rossum, Bi and
    /// Turrigiano, 2000). Weights approach a bound and never pass it.
    Soft,
}

/// The rule for pairs of spikes.
///
/// With d = t_post - t_pre in seconds: potentiation `a_plus` exp(-d / `tau_plus_s`) for d > 0,
/// depression `a_minus` exp(d / `tau_minus_s`) for d < 0, nothing for d = 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stdp {
    /// Time constant of potentiation, [0.005, 0.1] s.
    pub tau_plus_s: f64,
    /// Time constant of depression, [0.005, 0.1] s.
    pub tau_minus_s: f64,
    /// Largest potentiation, [0.001, 0.1].
    pub a_plus: f64,
    /// Largest depression, [0.001, 0.1].
    pub a_minus: f64,
    /// Smallest weight.
    pub weight_min: f64,
    /// Largest weight.
    pub weight_max: f64,
    /// How weights are kept in that range.
    pub bounds: WeightBounds,
}

impl Default for Stdp {
    fn default() -> Self {
        Self {
            tau_plus_s: 0.02,
            tau_minus_s: 0.02,
            a_plus: 0.01,
            a_minus: 0.012,
            weight_min: 0.0,
            weight_max: 1.0,
            bounds: WeightBounds::Hard,
        }
    }
}

impl Stdp {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearningError::Settings`] or [`LearningError::WeightRange`].
    pub fn validate(&self) -> Result<(), LearningError> {
        SpecFault::check_table(&SETTINGS_TABLE, |field| match field {
            "tau_plus_s" => Some(self.tau_plus_s),
            "tau_minus_s" => Some(self.tau_minus_s),
            "a_plus" => Some(self.a_plus),
            "a_minus" => Some(self.a_minus),
            "weight_min" => Some(self.weight_min),
            "weight_max" => Some(self.weight_max),
            _ => None,
        })?;
        if self.weight_min >= self.weight_max {
            return Err(LearningError::WeightRange { min: self.weight_min, max: self.weight_max });
        }
        Ok(())
    }

    /// Changes the weights by one spike of each neuron in each trial, averaged over the trials.
    ///
    /// `pre_times_s` is trials x inputs, `post_times_s` trials x outputs, `weights` inputs x
    /// outputs. A time of NaN says that the neuron was silent in that trial. Weights must lie in
    /// [`weight_min`, `weight_max`] and do so afterwards.
    ///
    /// # Errors
    /// [`LearningError`] for settings, shapes, infinite times or weights outside their range;
    /// the weights are unchanged then.
    pub fn update<T: Real>(
        &self,
        pre_times_s: ArrayView2<'_, T>,
        post_times_s: ArrayView2<'_, T>,
        mut weights: ArrayViewMut2<'_, T>,
    ) -> Result<(), LearningError> {
        self.validate()?;
        let trials = check_times(pre_times_s, post_times_s)?;
        check_length("weights", "rows", weights.nrows(), pre_times_s.ncols())?;
        check_length("weights", "columns", weights.ncols(), post_times_s.ncols())?;
        self.check_weights(weights.view())?;
        for ((input, output), weight) in weights.indexed_iter_mut() {
            let (mut growth, mut loss) = (0.0, 0.0);
            for trial in 0..trials {
                let interval = post_times_s[[trial, output]] - pre_times_s[[trial, input]];
                let change = self.pair(interval);
                if change > T::ZERO {
                    growth += change.wide();
                } else {
                    loss -= change.wide();
                }
            }
            *weight = self.changed(*weight, growth / trials as f64, loss / trials as f64);
        }
        Ok(())
    }

    /// `compute_weight_update` of MFN 4.1: the mean change of every pair over the trials, inputs x
    /// outputs, whatever the weights are. A time of NaN gives no change.
    ///
    /// # Errors
    /// [`LearningError`] for settings, shapes or infinite times.
    pub fn weight_change_v4_1<T: Real>(
        &self,
        pre_times_s: ArrayView2<'_, T>,
        post_times_s: ArrayView2<'_, T>,
    ) -> Result<Array2<T>, LearningError> {
        self.validate()?;
        let trials = check_times(pre_times_s, post_times_s)?;
        Ok(Array2::from_shape_fn((pre_times_s.ncols(), post_times_s.ncols()), |(input, output)| {
            let change = |trial| self.pair(post_times_s[[trial, output]] - pre_times_s[[trial, input]]);
            (0..trials).map(change).sum::<T>() / T::of(trials as f64)
        }))
    }

    /// The change of one pair of spikes, positive or negative, as a part of the range.
    fn pair<T: Real>(&self, interval_s: T) -> T {
        let part = |amplitude: f64, exponent: T| {
            let exponent = exponent.wide().clamp(-EXPONENT_MAX, EXPONENT_MAX);
            T::of(amplitude) * T::of(exponent.exp())
        };
        if interval_s > T::ZERO {
            part(self.a_plus, -interval_s / T::of(self.tau_plus_s))
        } else if interval_s < T::ZERO {
            -part(self.a_minus, interval_s / T::of(self.tau_minus_s))
        } else {
            T::ZERO
        }
    }

    /// A weight after growth and loss, both not negative.
    pub(super) fn changed<T: Real>(&self, weight: T, growth: f64, loss: f64) -> T {
        let (min, max, old) = (self.weight_min, self.weight_max, weight.wide());
        let new = match self.bounds {
            WeightBounds::Hard => old + (max - min) * (growth - loss),
            WeightBounds::Soft => old + (max - old) * growth.min(1.0) - (old - min) * loss.min(1.0),
        };
        // Rounding to a narrower type must not leave the range either.
        let new = T::of(new.clamp(min, max));
        if new.wide() < min || new.wide() > max { weight } else { new }
    }

    pub(super) fn check_weights<T: Real>(&self, weights: ArrayView2<'_, T>) -> Result<(), LearningError> {
        let range = self.weight_min..=self.weight_max;
        match weights.iter().enumerate().find(|(_, weight)| !range.contains(&weight.wide())) {
            Some((index, weight)) => Err(LearningError::WeightOutOfRange {
                index,
                value: weight.wide(),
                min: self.weight_min,
                max: self.weight_max,
            }),
            None => Ok(()),
        }
    }
}

/// Accepts at least one trial of the same number on both sides, without infinite times.
fn check_times<T: Real>(pre: ArrayView2<'_, T>, post: ArrayView2<'_, T>) -> Result<usize, LearningError> {
    if pre.nrows() == 0 {
        return Err(LearningError::Empty { what: "pre_times_s", unit: "trial" });
    }
    check_length("post_times_s", "trials", post.nrows(), pre.nrows())?;
    for (what, times) in [("pre_times_s", pre), ("post_times_s", post)] {
        if let Some((index, time)) =
            times.iter().enumerate().find(|(_, time)| !time.is_finite() && !time.is_nan())
        {
            return Err(LearningError::NotFinite { what, index, value: time.wide() });
        }
    }
    Ok(pre.nrows())
}
