//! Ensembles: many runs over one pool of threads, and the designs that spread them over parameters.
//!
//! [`Ensemble::run`] computes any number of specifications in bounded memory and hands over the results in the
//! order of their indices. Nothing that it hands over depends on the number of threads or on which run ended
//! first; a run that fails is reported under its index and does not end the others. [`design`] says where in
//! the unit cube the points of a sweep lie, [`SeedRule`] which seed each run gets.
//!
//! ```
//! use std::ops::ControlFlow;
//! use mfn_sim::Spec;
//! use mfn_sim::ensemble::{Ensemble, EnsembleEnd};
//!
//! let specs: Vec<Spec> =
//!     (0..4).map(|seed| Spec { grid_size: 16, steps: 10, random_seed: seed, ..Spec::default() }).collect();
//! let mut means = Vec::new();
//! let end = Ensemble::default().run_specs(&specs, &mut |index, result| {
//!     assert_eq!(index, means.len() as u64);
//!     means.push(result.map(|record| record.features.v_mean));
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!((end, means.len()), (EnsembleEnd::Completed, 4));
//! # Ok::<(), mfn_sim::ensemble::EnsembleError>(())
//! ```

pub mod design;
mod failure;
mod record;
mod runner;
mod seeds;

pub use failure::{EnsembleError, RunFailure};
pub use record::RunRecord;
pub use runner::{Ensemble, EnsembleEnd, Sink, THREADS_MAX, WINDOW_RUNS_MAX, Work, run_memory_bytes};
pub use seeds::{SEED_MAX, SeedRule};
