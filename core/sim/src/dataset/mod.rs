//! The datasets of MyceliumFractalNet 4.1: its four scenarios, its sampled configurations, the 28 columns of a
//! row and the summary of a column.
//!
//! They are here so that data made with libmfn can be put beside data made with MFN 4.1. Free sweeps over any
//! parameter are made with [`ensemble`](crate::ensemble); files are written by the crate `mfn-dataset`.

mod row;
mod sampler;
mod scenario;
mod summary;

pub use row::{Column, ColumnKind, DatasetRow, V4_1_COLUMNS};
pub use sampler::{ConfigRanges, ConfigSampler, RangesError, SampledConfig};
pub use scenario::{PRESET_NAMES, Scenario, ScenarioError};
pub use summary::{ColumnSummary, DatasetStats};
