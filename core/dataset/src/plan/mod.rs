//! Plans: which runs a sweep has.
//!
//! A plan is what a user writes; [`SweepPlan::check`] finds everything that is wrong with it at once and gives
//! a [`Sweep`], which knows the specification of each of its runs by index without keeping them.

mod axis;
mod check;
mod preset;
mod sweep;

use mfn_sim::descriptors::DescriptorConfig;
use mfn_sim::ensemble::SeedRule;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use axis::{Axis, Scale};
pub use check::{PlanError, PlanFault};
pub use sweep::Sweep;

pub(crate) use sweep::field_of;

/// The most axes of a plan.
pub const AXES_MAX: usize = 32;

/// The most runs of a plan.
pub const RUNS_MAX: u64 = 10_000_000;

/// How the axes are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Every value of each axis with every value of the others, the last axis fastest.
    #[default]
    Grid,
    /// `count` points, one in each of `count` slices of each axis.
    LatinHypercube,
    /// The first `count` points of the Sobol sequence.
    Sobol,
    /// `count` configurations as the `ConfigSampler` of MFN 4.1 draws them; without axes.
    ConfigSampler,
}

/// Which columns are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ColumnSet {
    /// Those of MFN 4.1, then all further ones.
    #[default]
    #[serde(rename = "all")]
    All,
    /// Only the 28 of MFN 4.1.
    #[serde(rename = "v4.1")]
    V4_1,
}

/// What becomes of runs that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailedRows {
    /// They have a row with their settings, status and error, and empty results.
    #[default]
    Keep,
    /// They have no row, as in MFN 4.1.
    Skip,
}

/// A sweep as a user describes it. Absent fields take the defaults stated; unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepPlan {
    /// Name, in the column `scenario_name`; 1 to 256 bytes. Default `sweep`.
    #[serde(default = "default_name")]
    pub name: String,
    /// What all runs have in common: the fields of a specification, such as `preset`, `grid_size`, `steps`.
    #[serde(default)]
    pub base: Map<String, Value>,
    /// What varies. Without axes there is one configuration.
    #[serde(default)]
    pub axes: Vec<Axis>,
    /// How the axes are combined. Default `grid`.
    #[serde(default)]
    pub method: Method,
    /// Configurations. For a grid the product of the axes when absent; a larger number begins again, a
    /// smaller one ends early. The other methods need it.
    #[serde(default)]
    pub count: Option<u64>,
    /// Seed of the runs' seeds, below 2^63. Default 42.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Runs of each configuration, each with its own seed. Default 1.
    #[serde(default = "default_seeds_per_config")]
    pub seeds_per_config: u64,
    /// How runs get their seeds. Default `independent`.
    #[serde(default)]
    pub seed_rule: SeedRule,
    /// Seed of the design: for a Latin hypercube `seed` when absent, for Sobol a digital shift, and none
    /// when absent.
    #[serde(default)]
    pub design_seed: Option<u64>,
    /// Runs after which the sweep ends, should configurations be left. Absent: no limit.
    #[serde(default)]
    pub runs: Option<u64>,
    /// Which columns are written. Default `all`.
    #[serde(default)]
    pub columns: ColumnSet,
    /// What becomes of runs that failed. Default `keep`.
    #[serde(default)]
    pub failed_rows: FailedRows,
    /// Adds a column for each of the [descriptors](mfn_sim::descriptors) of the final field, computed with this
    /// configuration. Absent: none.
    // Left out where absent, so that plans without it keep their hash and their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<DescriptorConfig>,
}

impl Default for SweepPlan {
    fn default() -> Self {
        Self {
            name: default_name(),
            base: Map::new(),
            axes: Vec::new(),
            method: Method::default(),
            count: None,
            seed: default_seed(),
            seeds_per_config: default_seeds_per_config(),
            seed_rule: SeedRule::default(),
            design_seed: None,
            runs: None,
            columns: ColumnSet::default(),
            failed_rows: FailedRows::default(),
            descriptors: None,
        }
    }
}

fn default_name() -> String {
    "sweep".to_owned()
}

fn default_seed() -> u64 {
    42
}

fn default_seeds_per_config() -> u64 {
    1
}
