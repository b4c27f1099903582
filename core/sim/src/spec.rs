//! The specification of a run: everything that decides its result.
//!
//! Two equal specifications (and initial fields) give the same bits on every machine of one
//! architecture family.

use serde::{Deserialize, Serialize};

use crate::bounds::TABLE;
use crate::error::{SpecError, SpecFault};

/// What lies outside the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BoundaryCondition {
    /// The grid is a torus: the left neighbour of the first column is the last column.
    #[default]
    Periodic,
    /// No flux: outside an edge cell lies a copy of it.
    Neumann,
    /// Zero outside: 0 V for the potential, 0 for activator and inhibitor.
    Dirichlet,
}

impl BoundaryCondition {
    /// The name used in specifications.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Neumann => "neumann",
            Self::Dirichlet => "dirichlet",
        }
    }
}

/// Which system's results are reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Compat {
    /// MyceliumFractalNet 4.1: its equations, order of operations and random streams.
    #[default]
    #[serde(rename = "v4.1")]
    V4_1,
}

/// Parameters of a run. Absent fields take the defaults of MyceliumFractalNet 4.1; unknown
/// fields are refused. The ranges are in [`bounds::TABLE`](crate::bounds::TABLE).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// Cells along each side of the square grid.
    pub grid_size: usize,
    /// Steps of a complete run.
    pub steps: u64,
    /// Seed of the random stream (NumPy's `default_rng`).
    pub random_seed: u64,
    /// Diffusion coefficient of the potential, cells^2 per step.
    pub alpha: f64,
    /// Probability of one growth event (a spike of about 20 mV in one cell) in a step.
    pub spike_probability: f64,
    /// Whether activator and inhibitor advance and act on the potential.
    pub turing_enabled: bool,
    /// Activator level above which a cell gains 5 mV in a step.
    pub turing_threshold: f64,
    /// Whether normal noise is added to every cell in every step.
    pub quantum_jitter: bool,
    /// Variance of that noise, V^2 per step.
    pub jitter_var: f64,
    /// Diffusion coefficient of the activator, cells^2 per step.
    pub d_activator: f64,
    /// Diffusion coefficient of the inhibitor, cells^2 per step.
    pub d_inhibitor: f64,
    /// Reaction rate of the activator, 1 per step.
    pub r_activator: f64,
    /// Reaction rate of the inhibitor, 1 per step.
    pub r_inhibitor: f64,
    /// What lies outside the grid, for all three fields.
    pub boundary_condition: BoundaryCondition,
    /// Whether a step that produces NaN or infinite values is discarded with an error. When
    /// off, such values stay in the fields.
    pub check_stability: bool,
    /// Which system's results are reproduced.
    pub compat: Compat,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            grid_size: 64,
            steps: 64,
            random_seed: 42,
            alpha: 0.18,
            spike_probability: 0.25,
            turing_enabled: true,
            turing_threshold: 0.75,
            quantum_jitter: false,
            jitter_var: 0.0005,
            d_activator: 0.1,
            d_inhibitor: 0.05,
            r_activator: 0.01,
            r_inhibitor: 0.02,
            boundary_condition: BoundaryCondition::Periodic,
            check_stability: true,
            compat: Compat::V4_1,
        }
    }
}

impl Spec {
    /// Checks every field and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&TABLE, |field| self.value_of(field))
    }

    /// The numeric value of a field of the table of bounds.
    fn value_of(&self, field: &str) -> Option<f64> {
        Some(match field {
            "grid_size" => self.grid_size as f64,
            "steps" => self.steps as f64,
            "d_activator" => self.d_activator,
            "d_inhibitor" => self.d_inhibitor,
            "alpha" => self.alpha,
            "r_activator" => self.r_activator,
            "r_inhibitor" => self.r_inhibitor,
            "turing_threshold" => self.turing_threshold,
            "spike_probability" => self.spike_probability,
            "jitter_var" => self.jitter_var,
            // Every u64 is a seed; its row is there for the other crates and the documents.
            _ => return None,
        })
    }

    /// Rows of the grid.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.grid_size
    }

    /// Columns of the grid.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.grid_size
    }

    /// Cells times steps: the cost of a complete run, for callers that limit it. Also defined
    /// for a specification that [`validate`](Self::validate) refuses.
    #[must_use]
    pub fn cell_steps(&self) -> u128 {
        (self.rows() as u128).saturating_mul(self.cols() as u128).saturating_mul(u128::from(self.steps))
    }
}
