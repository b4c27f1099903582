//! The membrane integration of MyceliumFractalNet 4.1: one equation of V alone for many cells,
//! clamped after every step.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::error::MembraneError;
use super::ode::{Clamp, FixedStep, Scheme, integrate_fixed};
use crate::bounds::{Bound, closed};
use crate::error::SpecFault;

/// The bounds of [`MembraneConfig`], those of v4.1 (which has no upper end for `ion_clamp_min`).
pub const MEMBRANE_TABLE: [Bound; 5] = [
    closed("temperature_k", (273.0, 320.0), 310.0, "K", "absolute temperature"),
    closed("ion_clamp_min", (0.0, 100.0), 1e-6, "mol/L", "concentration to which lower ones are raised")
        .open_below(),
    closed("dt", (1e-7, 1e-2), 1e-4, "s", "time step"),
    closed("potential_min_v", (-0.150, 0.150), -0.150, "V", "lowest potential after a step"),
    closed("potential_max_v", (-0.150, 0.150), 0.150, "V", "highest potential after a step"),
];

/// `MembraneConfig` of v4.1, under its names. Ranges: [`MEMBRANE_TABLE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MembraneConfig {
    /// Absolute temperature, K.
    pub temperature_k: f64,
    /// Concentration to which lower ones are raised, mol/L.
    pub ion_clamp_min: f64,
    /// Time step, s.
    pub dt: f64,
    /// Lowest potential after a step, V; below `potential_max_v`.
    pub potential_min_v: f64,
    /// Highest potential after a step, V.
    pub potential_max_v: f64,
    /// How a step is computed.
    pub integration_scheme: Scheme,
    /// Whether a NaN or an infinite potential ends the integration.
    pub check_stability: bool,
}

impl Default for MembraneConfig {
    fn default() -> Self {
        let [temperature_k, ion_clamp_min, dt, potential_min_v, potential_max_v] =
            MEMBRANE_TABLE.each_ref().map(|bound| bound.default.unwrap_or_default());
        Self {
            temperature_k,
            ion_clamp_min,
            dt,
            potential_min_v,
            potential_max_v,
            integration_scheme: Scheme::Euler,
            check_stability: true,
        }
    }
}

/// What an integration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembraneRun {
    /// Steps done.
    pub steps: u64,
    /// Cells changed by the clamp, added up over the steps. NaN counts as changed.
    pub clamping_events: u64,
}

impl MembraneConfig {
    /// Checks every number and reports every fault at once.
    ///
    /// # Errors
    /// [`MembraneError::Parameters`] or [`MembraneError::PotentialRange`].
    pub fn validate(&self) -> Result<(), MembraneError> {
        SpecFault::check_table(&MEMBRANE_TABLE, |field| {
            Some(match field {
                "temperature_k" => self.temperature_k,
                "ion_clamp_min" => self.ion_clamp_min,
                "dt" => self.dt,
                "potential_min_v" => self.potential_min_v,
                _ => self.potential_max_v,
            })
        })?;
        if self.potential_min_v < self.potential_max_v {
            return Ok(());
        }
        Err(MembraneError::PotentialRange { min: self.potential_min_v, max: self.potential_max_v })
    }

    /// `integrate_ode` of v4.1: `steps` steps of dV/dt = `slope`(V) for each cell of
    /// `potentials_v` (V, V/s), each followed by the clamp when `clamp` is set.
    ///
    /// # Errors
    /// A refused configuration, or [`MembraneError::Ode`]; the potentials are then unchanged.
    pub fn integrate(
        &self,
        potentials_v: &mut [f64],
        mut slope: impl FnMut(f64) -> f64,
        steps: u64,
        clamp: bool,
    ) -> Result<MembraneRun, MembraneError> {
        self.validate()?;
        let options = FixedStep {
            scheme: self.integration_scheme,
            time_start: 0.0,
            time_step: self.dt,
            steps,
            clamp: clamp.then_some(Clamp { min: self.potential_min_v, max: self.potential_max_v }),
            check_finite: self.check_stability,
        };
        let each_cell = |_: f64, cells: &[f64], slopes: &mut [f64]| {
            for (slope_out, &v) in slopes.iter_mut().zip(cells) {
                *slope_out = slope(v);
            }
        };
        let run = integrate_fixed(each_cell, potentials_v, &options, |_| ControlFlow::Continue(()))?;
        Ok(MembraneRun { steps: run.steps, clamping_events: run.clamping_events })
    }
}
