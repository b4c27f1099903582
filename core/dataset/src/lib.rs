//! Datasets of simulations: sweeps written to Parquet and CSV, resumable after a kill.
//!
//! A [`SweepPlan`] says which parameters vary and how; checked, it is a [`Sweep`], a numbered list of runs.
//! [`Sweep::write`] computes them and writes one row for each. What is done stands in a journal beside the
//! target, so that a sweep that was killed goes on where it was, and the file it leaves has the bytes of one
//! that was never interrupted. The target appears whole or not at all.
//!
//! ```
//! use mfn_dataset::{SweepEnd, SweepOptions, SweepPlan};
//! use std::ops::ControlFlow;
//!
//! let plan: SweepPlan = serde_json::from_str(
//!     r#"{"name": "alpha", "base": {"grid_size": 16, "steps": 10},
//!         "axes": [{"field": "alpha", "min": 0.06, "max": 0.12, "points": 3}], "seeds_per_config": 2}"#,
//! )?;
//! let sweep = plan.check()?;
//! assert_eq!(sweep.runs(), 6);
//! let folder = tempfile::tempdir()?;
//! let report = sweep.write(&folder.path().join("alpha.parquet"), &SweepOptions::default(), &mut |_| {
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!((report.end, report.succeeded), (SweepEnd::Completed, 6));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod format;
mod journal;
mod place;
mod plan;
mod table;
mod write;

pub use error::DatasetError;
pub use format::Format;
pub use mfn_sim::dataset::{ColumnKind, ColumnSummary, DatasetStats, PRESET_NAMES};
pub use mfn_sim::descriptors::DescriptorConfig;
pub use mfn_sim::ensemble::SeedRule;
pub use plan::{
    AXES_MAX, Axis, ColumnSet, FailedRows, Method, PlanError, PlanFault, RUNS_MAX, Scale, Sweep, SweepPlan,
};
pub use table::{Cell, SweepRecord, TableColumn};
pub use write::{Existing, SweepEnd, SweepOptions, SweepProgress, SweepReport};
