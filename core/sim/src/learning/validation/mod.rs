//! The validation cycle: simulated fields become samples, a network learns from them, and a dozen
//! numbers say whether all parts together work.
//!
//! The default trains on sequences of several tokens, so that the attention attends, and measures the
//! loss before and after on samples that are held out (see [`forecast`]). With `compat` = v4.1 it is
//! `run_validation` of MFN 4.1 (see [`v4_1`]). Both give the same twelve numbers under the same names.

pub mod forecast;
mod training;
pub mod v4_1;

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::LearningError;
use crate::bounds::{Bound, closed, whole};
use crate::engine::Progress;
use crate::error::{SimError, SpecError, SpecFault};
use crate::ifs::IfsError;
use crate::membrane::MembraneError;
use crate::model::ModelError;
use crate::spec::Compat;

/// Concentrations of potassium outside and inside a cell, mol/L, as in MFN 4.1.
const POTASSIUM_MOLAR: [f64; 2] = [0.005, 0.140];

/// The bounds of the numeric fields of a [`ValidationConfig`].
pub const VALIDATION_TABLE: [Bound; 4] = [
    whole(closed("epochs", (1.0, 100.0), 30.0, "1", "passes over the training samples")),
    whole(closed("batch_size", (1.0, 64.0), 4.0, "1", "samples of one step of training")),
    whole(closed("grid_size", (8.0, 256.0), 64.0, "cells", "cells along each side of the simulated grids")),
    whole(closed("steps", (1.0, 1000.0), 64.0, "steps", "steps of each simulation")),
];

/// Settings of [`run_validation`]. Ranges: [`VALIDATION_TABLE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidationConfig {
    /// Seed of everything that is random.
    pub seed: u64,
    /// Passes over the training samples.
    pub epochs: u32,
    /// Samples of one step of training.
    pub batch_size: usize,
    /// Cells along each side of the simulated grids; the default cycle needs at least 16 steps.
    pub grid_size: usize,
    /// Steps of each simulation.
    pub steps: u64,
    /// Whether activator and inhibitor take part.
    pub turing_enabled: bool,
    /// Whether noise is added to each cell in each step.
    pub quantum_jitter: bool,
    /// Whether the network has an attention layer.
    pub use_sparse_attention: bool,
    /// v4.1, or absent for the default cycle.
    pub compat: Option<Compat>,
}

impl Default for ValidationConfig {
    fn default() -> Self {
        Self {
            seed: 42,
            epochs: 30,
            batch_size: 4,
            grid_size: 64,
            steps: 64,
            turing_enabled: true,
            quantum_jitter: false,
            use_sparse_attention: true,
            compat: None,
        }
    }
}

impl ValidationConfig {
    /// The defaults of MFN 4.1: one epoch.
    #[must_use]
    pub fn v4_1() -> Self {
        Self { epochs: 1, compat: Some(Compat::V4_1), ..Self::default() }
    }

    /// Checks every number and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&VALIDATION_TABLE, |field| match field {
            "epochs" => Some(f64::from(self.epochs)),
            "batch_size" => Some(self.batch_size as f64),
            "grid_size" => Some(self.grid_size as f64),
            "steps" => Some(self.steps as f64),
            _ => None,
        })
    }
}

/// The twelve numbers of a validation, under the names of MFN 4.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationMetrics {
    /// Mean squared error at the beginning: of the held-out samples; v4.1: of the first batch.
    pub loss_start: f64,
    /// Mean squared error at the end: of the held-out samples; v4.1: of the last batch, which holds
    /// other samples than the first.
    pub loss_final: f64,
    /// `loss_start` - `loss_final`.
    pub loss_drop: f64,
    /// Lowest potential of the final fields of all samples, mV.
    #[serde(rename = "pot_min_mV")]
    pub pot_min_mv: f64,
    /// Highest potential of the final fields of all samples, mV.
    #[serde(rename = "pot_max_mV")]
    pub pot_max_mv: f64,
    /// Box-counting dimension of the active cells of an example run.
    pub example_fractal_dim: f64,
    /// Largest Lyapunov exponent of the iterated function system of the example; v4.1: its mean
    /// logarithm of the change of area, which is the sum of both exponents.
    pub lyapunov_exponent: f64,
    /// The mean of the same number over the samples.
    pub lyapunov_mean: f64,
    /// Growth events of the example run.
    pub growth_events: f64,
    /// Nernst potential of potassium (5 and 140 mmol/L, 310 K), mV.
    #[serde(rename = "nernst_symbolic_mV")]
    pub nernst_symbolic_mv: f64,
    /// The same potential by the GHK equation with potassium alone; v4.1: by the same formula.
    #[serde(rename = "nernst_numeric_mV")]
    pub nernst_numeric_mv: f64,
    /// R T / F at 310 K, mV. (MFN 4.1 states 58.17 mV, which is another quantity.)
    #[serde(rename = "nernst_rtfz_mV")]
    pub nernst_rtfz_mv: f64,
}

/// The twelve numbers, and what they are to be compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValidationReport {
    /// The twelve numbers.
    #[serde(flatten)]
    pub metrics: ValidationMetrics,
    /// Loss of the best constant on the held-out samples: predicting the mean of the training samples.
    /// A network that learned something is below it. Absent for v4.1, which holds no samples out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_constant: Option<f64>,
}

/// Why a validation ended without its numbers.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidationError {
    /// A setting is refused.
    #[error("invalid validation settings: {0}")]
    Settings(#[from] SpecError),
    /// The caller ended it.
    #[error("the validation was cancelled")]
    Cancelled,
    /// The default cycle looks at eight moments of the first half of a run.
    #[error("steps = {steps} is too few for eight moments in the first half: give at least 16")]
    Steps {
        /// The steps given.
        steps: u64,
    },
    /// A simulation failed.
    #[error(transparent)]
    Simulation(#[from] SimError),
    /// A simulation of v4.1's second simulator failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The features of a field failed.
    #[error(transparent)]
    Features(#[from] crate::features::FeatureError),
    /// An iterated function system failed.
    #[error(transparent)]
    Ifs(#[from] IfsError),
    /// The membrane potential failed.
    #[error(transparent)]
    Membrane(#[from] MembraneError),
    /// The training failed.
    #[error(transparent)]
    Learning(#[from] LearningError),
}

/// Hears of the progress after every simulation and every pass over the samples, and may end it.
pub type Control<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// Runs the cycle that `config.compat` names. Memory: the grids of the simulations under way, and
/// a network of 32 hidden numbers. The default cycle simulates up to eight samples at a time in the rayon pool
/// that the caller runs in, else one by one on the calling thread, which also hears of the progress. Two runs
/// with equal settings give the same bits on any number of threads.
///
/// # Errors
/// [`ValidationError`].
pub fn run_validation(
    config: &ValidationConfig,
    control: &mut Control<'_>,
) -> Result<ValidationReport, ValidationError> {
    config.validate()?;
    match config.compat {
        Some(Compat::V4_1) => v4_1::run(config, control),
        None => forecast::run(config, control),
    }
}

/// Counts pieces of work and asks whether to go on.
struct Work<'a, 'b> {
    control: &'a mut Control<'b>,
    done: u64,
    total: u64,
}

impl Work<'_, '_> {
    fn advance(&mut self, pieces: u64) -> Result<(), ValidationError> {
        self.done += pieces;
        match (self.control)(Progress { step: self.done, steps_total: self.total }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ValidationError::Cancelled),
        }
    }
}
