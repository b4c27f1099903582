//! The scenarios of MFN 4.1 as plans.

use mfn_sim::dataset::{Scenario, ScenarioError};
use mfn_sim::ensemble::SeedRule;
use serde_json::{Map, Value, json};

use super::{Axis, ColumnSet, FailedRows, SweepPlan};

impl SweepPlan {
    /// A scenario of MFN 4.1 as a plan: its runs, its 28 columns, its seeds, failed runs left out.
    #[must_use]
    pub fn of_scenario(scenario: &Scenario) -> Self {
        let base: Map<String, Value> = [
            ("compat", json!("v4.1")),
            ("grid_size", json!(scenario.grid_size)),
            ("steps", json!(scenario.steps)),
            ("turing_enabled", json!(scenario.turing_enabled)),
        ]
        .into_iter()
        .map(|(field, value)| (field.to_owned(), value))
        .collect();
        let values = scenario.alpha_values.iter().map(|alpha| json!(alpha)).collect();
        Self {
            name: scenario.name.clone(),
            base,
            axes: vec![Axis { field: "alpha".to_owned(), values, ..Axis::default() }],
            count: Some(scenario.num_samples.div_ceil(scenario.seeds_per_config.max(1))),
            runs: Some(scenario.num_samples),
            seed: scenario.base_seed,
            seeds_per_config: scenario.seeds_per_config,
            seed_rule: SeedRule::Sequential,
            columns: ColumnSet::V4_1,
            failed_rows: FailedRows::Skip,
            ..Self::default()
        }
    }

    /// A scenario of MFN 4.1 by name: `small`, `medium`, `large` or `benchmark`.
    ///
    /// # Errors
    /// [`ScenarioError::Unknown`] for another name.
    pub fn preset(name: &str) -> Result<Self, ScenarioError> {
        Scenario::preset(name).map(|scenario| Self::of_scenario(&scenario))
    }
}
