//! Ordinary differential equations y' = f(t, y): fixed steps by Euler and RK4, adaptive steps by
//! Dormand and Prince.
//!
//! The derivative is a closure `f(time, state, slope)` that writes the slope of every component;
//! it is compiled into the integrator. A single equation is a state of one component. All
//! integrators work on a copy: the state given is written at the end, also after a cancel, and is
//! unchanged after an error.
//!
//! ```
//! use std::ops::ControlFlow;
//! use mfn_sim::membrane::ode::{AdaptiveStep, integrate_adaptive};
//!
//! let mut state = [1.0, 0.0];
//! let oscillator = |_t: f64, y: &[f64], slope: &mut [f64]| {
//!     slope[0] = y[1];
//!     slope[1] = -y[0];
//! };
//! let options = AdaptiveStep { time_end: std::f64::consts::TAU, ..AdaptiveStep::default() };
//! integrate_adaptive(oscillator, &mut state, &options, |_| ControlFlow::Continue(()))?;
//! assert!((state[0] - 1.0).abs() < 1e-5);
//! # Ok::<(), mfn_sim::membrane::ode::OdeError>(())
//! ```

mod adaptive;
mod controller;
mod error;
mod fixed;
mod stepper;
mod tableau;

pub use adaptive::{ADAPTIVE_TABLE, AdaptiveRun, AdaptiveStep, DenseStep, integrate_adaptive};
pub use error::OdeError;
pub use fixed::{Clamp, FIXED_TABLE, FixedRun, FixedStep, Moment, integrate_fixed};
use serde::{Deserialize, Serialize};
pub(crate) use stepper::FixedStepper;

pub use crate::engine::RunEnd;

/// Most components of a state. An integration holds at most ten arrays of the state's length.
pub const STATE_LENGTH_MAX: usize = 1 << 26;

/// A scheme with fixed steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Explicit Euler, order 1 (Euler, 1768).
    #[default]
    Euler,
    /// The classical Runge-Kutta scheme, order 4 (Kutta, 1901).
    Rk4,
}

/// Refuses states that are empty, too long or not finite.
pub(crate) fn check_state(state: &[f64]) -> Result<(), OdeError> {
    if state.is_empty() || state.len() > STATE_LENGTH_MAX {
        return Err(OdeError::StateLength { length: state.len() });
    }
    match state.iter().position(|value| !value.is_finite()) {
        Some(component) => Err(OdeError::InitialState { component, value: state[component] }),
        None => Ok(()),
    }
}
