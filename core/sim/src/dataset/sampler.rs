//! `ConfigSampler` of MFN 4.1: random configurations for the training of models.

use serde::{Deserialize, Serialize};

use crate::rng::Generator;
use crate::spec::Spec;

/// Where the sampled parameters lie. The defaults are those of MFN 4.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfigRanges {
    /// Grid sizes to choose from, each at least 4.
    pub grid_sizes: Vec<usize>,
    /// Fewest and most steps, both included; at least 1.
    pub steps: (u64, u64),
    /// Range of alpha, below 0.25.
    pub alpha: (f64, f64),
    /// Settings of `turing_enabled` to choose from.
    pub turing_values: Vec<bool>,
    /// Range of the spike probability, in [0, 1].
    pub spike_probability: (f64, f64),
    /// Range of the activation threshold, in [0, 1].
    pub turing_threshold: (f64, f64),
}

impl Default for ConfigRanges {
    fn default() -> Self {
        Self {
            grid_sizes: vec![32, 64],
            steps: (50, 200),
            alpha: (0.10, 0.20),
            turing_values: vec![true, false],
            spike_probability: (0.15, 0.35),
            turing_threshold: (0.65, 0.85),
        }
    }
}

/// A range that nothing can be sampled from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} = {given} is refused: give {allowed}")]
pub struct RangesError {
    /// The field of [`ConfigRanges`].
    pub field: &'static str,
    /// What it holds.
    pub given: String,
    /// What is allowed.
    pub allowed: &'static str,
}

impl ConfigRanges {
    /// Checks all ranges.
    ///
    /// # Errors
    /// [`RangesError`] for the first field that is empty, reversed, not finite or outside what it may hold.
    pub fn validate(&self) -> Result<(), RangesError> {
        let refuse = |field, given: String, allowed| Err(RangesError { field, given, allowed });
        if self.grid_sizes.is_empty() || self.grid_sizes.iter().any(|&side| side < 4) {
            return refuse("grid_sizes", format!("{:?}", self.grid_sizes), "sides of 4 cells or more");
        }
        if self.steps.0 < 1 || self.steps.1 < self.steps.0 || self.steps.1 == u64::MAX {
            return refuse("steps", format!("{:?}", self.steps), "fewest and most steps, 1 or more");
        }
        if self.turing_values.is_empty() {
            return refuse("turing_values", "[]".to_owned(), "true, false or both");
        }
        let within = |(low, high): (f64, f64), max: f64| low >= 0.0 && low <= high && high <= max;
        if !within(self.alpha, 0.25) || self.alpha.1 >= 0.25 {
            return refuse("alpha", format!("{:?}", self.alpha), "a range in [0, 0.25)");
        }
        if !within(self.spike_probability, 1.0) {
            return refuse("spike_probability", format!("{:?}", self.spike_probability), "a range in [0, 1]");
        }
        if !within(self.turing_threshold, 1.0) {
            return refuse("turing_threshold", format!("{:?}", self.turing_threshold), "a range in [0, 1]");
        }
        Ok(())
    }
}

/// One sampled configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampledConfig {
    /// Index of the configuration, from 0.
    pub sim_id: u64,
    /// Cells along each side of the grid.
    pub grid_size: usize,
    /// Steps of the run.
    pub steps: u64,
    /// Diffusion coefficient of the potential.
    pub alpha: f64,
    /// Whether activator and inhibitor advance.
    pub turing_enabled: bool,
    /// Probability of a growth event in a step.
    pub spike_probability: f64,
    /// Activator level above which a cell is activated.
    pub turing_threshold: f64,
    /// Seed of the run: base seed plus `sim_id`.
    pub random_seed: u64,
}

impl SampledConfig {
    /// `base` with the sampled parameters. MFN 4.1 uses its own defaults as the base.
    #[must_use]
    pub fn spec(&self, base: &Spec) -> Spec {
        Spec {
            grid_size: self.grid_size,
            steps: self.steps,
            alpha: self.alpha,
            turing_enabled: self.turing_enabled,
            spike_probability: self.spike_probability,
            turing_threshold: self.turing_threshold,
            random_seed: self.random_seed,
            ..base.clone()
        }
    }
}

/// An endless sequence of configurations, equal to the one that MFN 4.1 draws from `default_rng(base_seed)`.
#[derive(Debug, Clone)]
pub struct ConfigSampler {
    ranges: ConfigRanges,
    base_seed: u64,
    generator: Generator,
    next: u64,
}

impl ConfigSampler {
    /// A sampler at its beginning.
    ///
    /// # Errors
    /// [`RangesError`] when nothing can be sampled from the ranges.
    pub fn new(ranges: ConfigRanges, base_seed: u64) -> Result<Self, RangesError> {
        ranges.validate()?;
        Ok(Self { ranges, base_seed, generator: Generator::new(base_seed), next: 0 })
    }

    /// An element of a list that is not empty, as `choice(list)`.
    fn choose<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let index = self.generator.integer_below(list.len() as u64) as usize;
        list.get(index).copied().unwrap_or_default()
    }
}

impl Iterator for ConfigSampler {
    type Item = SampledConfig;

    fn next(&mut self) -> Option<SampledConfig> {
        // The order of the draws is part of the result.
        let ranges = self.ranges.clone();
        let grid_size = self.choose(&ranges.grid_sizes);
        let (fewest, most) = ranges.steps;
        let steps = fewest + self.generator.integer_below(most - fewest + 1);
        let alpha = self.generator.uniform(ranges.alpha.0, ranges.alpha.1);
        let turing_enabled = self.choose(&ranges.turing_values);
        let (low, high) = ranges.spike_probability;
        let spike_probability = self.generator.uniform(low, high);
        let (low, high) = ranges.turing_threshold;
        let turing_threshold = self.generator.uniform(low, high);
        let sim_id = self.next;
        self.next += 1;
        let random_seed = self.base_seed.wrapping_add(sim_id);
        Some(SampledConfig {
            sim_id,
            grid_size,
            steps,
            alpha,
            turing_enabled,
            spike_probability,
            turing_threshold,
            random_seed,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range() -> impl Strategy<Value = (f64, f64)> {
        prop_oneof![(0.0..0.3_f64, 0.0..0.3_f64), (any::<f64>(), any::<f64>())]
    }

    proptest! {
        /// Guards the ranges over everything that they can hold: configurations inside them, or a typed error that
        /// names the field.
        #[test]
        fn any_ranges_are_sampled_or_refused(
            grid_sizes in prop::collection::vec(prop_oneof![0_usize..9, any::<usize>()], 0..3),
            steps in prop_oneof![(1_u64..9, 1_u64..9), any::<(u64, u64)>()],
            turing_values in prop::collection::vec(any::<bool>(), 0..3),
            alpha in range(), spike_probability in range(), turing_threshold in range(), seed: u64,
        ) {
            let ranges =
                ConfigRanges { grid_sizes, steps, alpha, turing_values, spike_probability, turing_threshold };
            match ConfigSampler::new(ranges.clone(), seed) {
                Ok(sampler) => for config in sampler.take(20) {
                    prop_assert!(ranges.grid_sizes.contains(&config.grid_size));
                    prop_assert!((ranges.steps.0..=ranges.steps.1).contains(&config.steps));
                    prop_assert!((ranges.alpha.0..=ranges.alpha.1).contains(&config.alpha) && config.alpha < 0.25);
                    prop_assert!(ranges.turing_values.contains(&config.turing_enabled));
                    prop_assert!((0.0..=1.0).contains(&config.spike_probability));
                    prop_assert!((0.0..=1.0).contains(&config.turing_threshold));
                },
                Err(error) => prop_assert!(error.to_string().starts_with(error.field)),
            }
        }
    }
}
