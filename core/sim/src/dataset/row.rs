//! One row of a dataset: the 28 columns of MFN 4.1, in its order and with its types.

use serde::{Deserialize, Serialize};

use crate::ensemble::RunRecord;
use crate::features::{Features, NAMES};

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// A signed 64-bit number.
    Integer,
    /// A double; NaN is a value.
    Number,
    /// True or false.
    Flag,
    /// UTF-8 text.
    Text,
}

/// Name and type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The name, as in files.
    pub name: &'static str,
    /// The type.
    pub kind: ColumnKind,
}

/// The columns of MFN 4.1. The 18 features are doubles also where they count something.
pub const V4_1_COLUMNS: [Column; 28] = {
    const fn column(name: &'static str, kind: ColumnKind) -> Column {
        Column { name, kind }
    }
    let mut columns = [column("", ColumnKind::Number); 28];
    columns[0] = column("sim_id", ColumnKind::Integer);
    columns[1] = column("scenario_name", ColumnKind::Text);
    columns[2] = column("grid_size", ColumnKind::Integer);
    columns[3] = column("steps", ColumnKind::Integer);
    columns[4] = column("alpha", ColumnKind::Number);
    columns[5] = column("turing_enabled", ColumnKind::Flag);
    columns[6] = column("random_seed", ColumnKind::Integer);
    let mut feature = 0;
    while feature < NAMES.len() {
        columns[7 + feature] = column(NAMES[feature], ColumnKind::Number);
        feature += 1;
    }
    columns[25] = column("growth_events", ColumnKind::Integer);
    columns[26] = column("turing_activations", ColumnKind::Integer);
    columns[27] = column("clamping_events", ColumnKind::Integer);
    columns
};

/// A row of a dataset of MFN 4.1. Its fields are the columns of [`V4_1_COLUMNS`]; units are those of
/// [`Spec`](crate::Spec), [`Features`] and [`Statistics`](crate::Statistics).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetRow {
    /// Index of the run, from 0.
    pub sim_id: u64,
    /// Name of the scenario.
    pub scenario_name: String,
    /// Cells along each side of the grid.
    pub grid_size: usize,
    /// Steps of the run.
    pub steps: u64,
    /// Diffusion coefficient of the potential.
    pub alpha: f64,
    /// Whether activator and inhibitor advanced.
    pub turing_enabled: bool,
    /// Seed of the run.
    pub random_seed: u64,
    /// The 18 features.
    #[serde(flatten)]
    pub features: Features,
    /// Growth events of the run.
    pub growth_events: u64,
    /// Cell activations of the run.
    pub turing_activations: u64,
    /// Cells changed by the clamp of the potential.
    pub clamping_events: u64,
}

impl DatasetRow {
    /// The row of a complete run.
    #[must_use]
    pub fn new(sim_id: u64, scenario_name: &str, record: &RunRecord) -> Self {
        let RunRecord { spec, features, statistics } = record;
        Self {
            sim_id,
            scenario_name: scenario_name.to_owned(),
            grid_size: spec.grid_size,
            steps: spec.steps,
            alpha: spec.alpha,
            turing_enabled: spec.turing_enabled,
            random_seed: spec.random_seed,
            features: *features,
            growth_events: statistics.growth_events,
            turing_activations: statistics.turing_activations,
            clamping_events: statistics.clamping_events,
        }
    }
}
