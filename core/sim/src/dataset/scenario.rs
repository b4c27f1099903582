//! The scenarios of MFN 4.1: named datasets of a fixed grid, a few values of alpha and many seeds.

use serde::{Deserialize, Serialize};

use crate::spec::Spec;

/// The names under which MFN 4.1 knows its scenarios.
pub const PRESET_NAMES: [&str; 4] = ["small", "medium", "large", "benchmark"];

/// A dataset as MFN 4.1 describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name, as in the column `scenario_name`.
    pub name: String,
    /// `scientific`, `features` or `benchmark`. A label: it changes no number.
    pub scenario_type: String,
    /// Cells along each side of the grid.
    pub grid_size: usize,
    /// Steps of each run.
    pub steps: u64,
    /// Runs.
    pub num_samples: u64,
    /// Runs after which the next alpha is taken. Each of them has its own seed.
    pub seeds_per_config: u64,
    /// Seed of the first run; the next runs have the next seeds.
    pub base_seed: u64,
    /// Values of alpha, taken in turn.
    pub alpha_values: Vec<f64>,
    /// Whether activator and inhibitor advance.
    pub turing_enabled: bool,
    /// `parquet` or `csv`.
    pub output_format: String,
    /// Where MFN 4.1 puts it, below its root directory.
    pub output_dir: String,
    /// What it is for.
    pub description: String,
}

/// A scenario that gives no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// No scenario has this name.
    #[error("there is no scenario {name:?}: give one of small, medium, large, benchmark")]
    Unknown {
        /// The name given.
        name: String,
    },
    /// A list or count that must not be empty.
    #[error("{field} of scenario {name:?} is empty: give at least one")]
    Empty {
        /// The scenario.
        name: String,
        /// The field.
        field: &'static str,
    },
}

impl Scenario {
    /// A scenario of MFN 4.1 by name.
    ///
    /// # Errors
    /// [`ScenarioError::Unknown`] for a name that is not one of [`PRESET_NAMES`].
    pub fn preset(name: &str) -> Result<Self, ScenarioError> {
        let scenario =
            |name: &str, kind: &str, grid: usize, counts: (u64, u64, u64), alphas: &[f64], text: &str| {
                let (steps, num_samples, seeds_per_config) = counts;
                Self {
                    name: name.to_owned(),
                    scenario_type: kind.to_owned(),
                    grid_size: grid,
                    steps,
                    num_samples,
                    seeds_per_config,
                    base_seed: 42,
                    alpha_values: alphas.to_vec(),
                    turing_enabled: true,
                    output_format: "parquet".to_owned(),
                    output_dir: format!("scenarios/{name}"),
                    description: text.to_owned(),
                }
            };
        Ok(match name {
            "small" => scenario(
                "scientific_small",
                "scientific",
                32,
                (50, 10, 2),
                &[0.15],
                "Small scientific scenario for quick validation (Nernst/Turing/STDP).",
            ),
            "medium" => scenario(
                "features_medium",
                "features",
                64,
                (100, 100, 3),
                &[0.10, 0.15, 0.20],
                "Medium feature-generation scenario for ML training.",
            ),
            "large" => scenario(
                "features_large",
                "features",
                128,
                (200, 500, 5),
                &[0.08, 0.12, 0.16, 0.20],
                "Large feature-generation scenario for production ML.",
            ),
            "benchmark" => scenario(
                "benchmark_small",
                "benchmark",
                32,
                (32, 5, 1),
                &[0.15],
                "Small benchmark scenario for performance testing.",
            ),
            other => return Err(ScenarioError::Unknown { name: other.to_owned() }),
        })
    }

    /// The specifications of all runs, in the order of `sim_id`: `base` with the scenario's settings, alpha
    /// number `(sim_id / seeds_per_config) mod count` and seed `base_seed + sim_id`.
    ///
    /// # Errors
    /// [`ScenarioError::Empty`] when there is no alpha or `seeds_per_config` is 0.
    pub fn specs<'a>(&'a self, base: &'a Spec) -> Result<impl Iterator<Item = Spec> + 'a, ScenarioError> {
        let empty = |field| ScenarioError::Empty { name: self.name.clone(), field };
        if self.alpha_values.is_empty() {
            return Err(empty("alpha_values"));
        }
        if self.seeds_per_config == 0 {
            return Err(empty("seeds_per_config"));
        }
        let alphas = self.alpha_values.iter().cycle();
        let repeated = alphas.flat_map(|&alpha| (0..self.seeds_per_config).map(move |_| alpha));
        Ok((0..self.num_samples).zip(repeated).map(|(sim_id, alpha)| Spec {
            grid_size: self.grid_size,
            steps: self.steps,
            alpha,
            turing_enabled: self.turing_enabled,
            random_seed: self.base_seed.wrapping_add(sim_id),
            ..base.clone()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards which alpha a run gets: two runs of each, then the next, then from the beginning.
    #[test]
    fn alpha_changes_after_its_seeds() {
        let scenario = Scenario {
            num_samples: 7,
            seeds_per_config: 2,
            alpha_values: vec![0.1, 0.2],
            ..Scenario::preset("small").expect("a preset")
        };
        let base = Spec::default();
        let runs: Vec<_> =
            scenario.specs(&base).expect("runs").map(|spec| (spec.alpha, spec.random_seed)).collect();
        let alphas = [0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.2];
        let wanted: Vec<_> = alphas.into_iter().zip(42..).collect();
        assert_eq!(runs, wanted);
    }

    /// Guards against an endless search for an alpha that is not there.
    #[test]
    fn empty_scenarios_are_refused() {
        let base = Spec::default();
        for (field, seeds_per_config, alpha_values) in
            [("alpha_values", 1, vec![]), ("seeds_per_config", 0, vec![0.1])]
        {
            let small = Scenario::preset("small").expect("a preset");
            let scenario = Scenario { seeds_per_config, alpha_values, ..small };
            let Err(error) = scenario.specs(&base).map(|_| ()) else { panic!("{field} must be refused") };
            assert!(error.to_string().contains(field), "{error}");
        }
        assert!(Scenario::preset("huge").is_err());
    }
}
