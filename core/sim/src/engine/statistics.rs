//! The counters and summary numbers of a run, under the names of MFN 4.1.

use serde::{Deserialize, Serialize};

use super::state::StateError;

/// Counts of a state are at most this, so that none overflows in a run that goes on from it.
pub(crate) const COUNT_MAX: u64 = 1 << 62;

/// What happened in a run so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunCounters {
    /// Steps done and kept.
    pub steps: u64,
    /// Growth events in those steps.
    pub growth_events: u64,
    /// Cell activations in those steps.
    pub activations: u64,
    /// Cells changed by the clamp of the potential in those steps.
    pub clamps: u64,
    /// Whether a step was discarded because of NaN.
    pub nan_detected: bool,
    /// Whether a step was discarded because of infinite values.
    pub inf_detected: bool,
    /// Index of the last discarded step, counted from 0.
    pub unstable_step: Option<u64>,
}

impl RunCounters {
    /// Whether a run can have counted this and go on.
    pub(crate) fn check(&self) -> Result<(), StateError> {
        let Self { steps, growth_events, activations, clamps, unstable_step, .. } = *self;
        for (name, value, max) in [
            ("steps", steps, COUNT_MAX),
            ("growth_events", growth_events, steps),
            ("activations", activations, COUNT_MAX),
            ("clamps", clamps, COUNT_MAX),
            ("unstable_step", unstable_step.unwrap_or(0), steps),
        ] {
            StateError::check_count(name, value, max)?;
        }
        Ok(())
    }
}

/// The 13 metrics of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Lowest potential of the current field, V.
    pub field_min_v: f64,
    /// Highest potential of the current field, V.
    pub field_max_v: f64,
    /// Mean potential of the current field, V.
    pub field_mean_v: f64,
    /// Population standard deviation of the current field, V.
    pub field_std_v: f64,
    /// Mean of the activator.
    pub activator_mean: f64,
    /// Mean of the inhibitor.
    pub inhibitor_mean: f64,
    /// Steps done and kept.
    pub steps_computed: u64,
    /// Growth events in those steps.
    pub growth_events: u64,
    /// Cell activations in those steps.
    pub turing_activations: u64,
    /// Whether a step was discarded because of NaN.
    pub nan_detected: bool,
    /// Whether a step was discarded because of infinite values.
    pub inf_detected: bool,
    /// Cells changed by the clamp of the potential in those steps.
    pub clamping_events: u64,
    /// Index of the discarded step, counted from 0, if there was one.
    pub steps_to_instability: Option<u64>,
}
