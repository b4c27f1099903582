//! The electrical membrane: Nernst and GHK potentials, and the integration of membrane equations.
//!
//! [`nernst`] and [`goldman`] give the potentials at which one ion, or several at once, are in
//! balance. [`ode`] integrates equations of any number of variables by Euler, RK4 or an adaptive
//! Dormand-Prince pair; [`MembraneConfig`] is the integration of MyceliumFractalNet 4.1, with its
//! clamp and its checks. Potentials are in volts, concentrations in mol/L, temperatures in kelvin.

mod config;
pub mod constants;
mod error;
mod goldman;
mod nernst;
pub mod ode;

pub use config::{MEMBRANE_TABLE, MembraneConfig, MembraneRun};
pub use error::MembraneError;
pub use goldman::{GOLDMAN_TABLE, Permeation, goldman};
pub use nernst::{
    Clamped, NERNST_TABLE, VALENCE_MAX, nernst, nernst_array, nernst_array_v4_1, nernst_v4_1, nernst_with,
};
