//! Lyapunov exponents of maps, flows and simulations.
//!
//! A Lyapunov exponent is the mean rate at which two nearby trajectories separate: above 0 for
//! chaos, below 0 for a stable fixed point. [`map_exponent`], [`flow_exponent`] and
//! [`simulation_exponent`] measure the largest one by following two trajectories and setting their
//! distance back again and again (Benettin, Galgani, Giorgilli and Strelcyn, 1980);
//! [`map_spectrum`] gives all exponents of a map whose Jacobian is known.
//!
//! v4.1 calls two other numbers by this name: the mean logarithm of the step-to-step change
//! ([`mean_log_step_change`](crate::features::ChangeRates::mean_log_step_change)) and the mean
//! logarithm of an area change
//! ([`mean_log_area_change`](crate::ifs::v4_1::Generated::mean_log_area_change)). They keep their
//! true names.
//!
//! ```
//! use std::ops::ControlFlow;
//! use mfn_sim::lyapunov::{LyapunovOptions, map_exponent};
//!
//! let logistic = |x: &[f64], next: &mut [f64]| next[0] = 4.0 * x[0] * (1.0 - x[0]);
//! let options = LyapunovOptions { intervals: 20_000, ..LyapunovOptions::default() };
//! let estimate = map_exponent(logistic, &[0.3], &options, |_| ControlFlow::Continue(()))?;
//! assert!((estimate.exponent - 2f64.ln()).abs() < 0.01);
//! # Ok::<(), mfn_sim::lyapunov::LyapunovError>(())
//! ```

mod error;
mod flow;
mod map;
mod separation;
mod simulation;
mod spectrum;

pub use error::LyapunovError;
pub use flow::{FlowStepping, flow_exponent};
pub use map::map_exponent;
pub use separation::{Estimate, Interval, LYAPUNOV_TABLE, LyapunovOptions};
pub use simulation::simulation_exponent;
pub use spectrum::{
    DIMENSION_MAX, SPECTRUM_TABLE, Spectrum, SpectrumOptions, kaplan_yorke_dimension, map_spectrum,
};
