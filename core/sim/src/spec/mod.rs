//! The specification of a run: everything that decides its result.
//!
//! Two equal specifications (and initial fields, maps and host kinetics) give the same bits on
//! every machine of one architecture family, whatever the threads, tiles and vector registers.

mod choices;
mod presets;
mod reading;
mod validation;

use serde::Serialize;

pub use choices::{BoundaryCondition, Compat, InitialCondition, Precision, RngKind};
pub use presets::PRESETS;

use crate::kinetics::Kinetics;

/// Parameters of a run.
///
/// Read from JSON or another format, absent fields take their values from the mode: from
/// [`Spec::v4_1`] when `compat` is `"v4.1"`, else from the preset that `preset` names, else
/// from [`Spec::default`]. Unknown fields are refused. The ranges are in
/// [`bounds::TABLE`](crate::bounds::TABLE), and for compat v4.1 in
/// [`bounds::V4_1_TABLE`](crate::bounds::V4_1_TABLE).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// Cells along each side of a square grid; [`rows`](Self::rows) and [`cols`](Self::cols)
    /// take its place where they are given.
    pub grid_size: usize,
    /// Rows of the grid, if they differ from `grid_size`.
    pub rows: Option<usize>,
    /// Columns of the grid, if they differ from `grid_size`.
    pub cols: Option<usize>,
    /// Steps of a complete run.
    pub steps: u64,
    /// Seed of the random numbers.
    pub random_seed: u64,
    /// Diffusion coefficient of the potential, cells^2 per unit of time.
    pub alpha: f64,
    /// Probability of a growth event (a spike of about 20 mV in one cell) per unit of time:
    /// `spike_probability * time_step` in a step.
    pub spike_probability: f64,
    /// Whether activator and inhibitor advance and act on the potential.
    pub turing_enabled: bool,
    /// Activator level above which a cell gains 5 mV per unit of time.
    pub turing_threshold: f64,
    /// Whether normal noise is added to the potential of every cell in every step.
    pub quantum_jitter: bool,
    /// Variance of that noise, V^2 per unit of time: `jitter_var * time_step` in a step.
    pub jitter_var: f64,
    /// Diffusion coefficient of the activator, cells^2 per unit of time.
    pub d_activator: f64,
    /// Diffusion coefficient of the inhibitor, cells^2 per unit of time.
    pub d_inhibitor: f64,
    /// Factor of the rate of the activator, 1 per unit of time.
    pub r_activator: f64,
    /// Factor of the rate of the inhibitor, 1 per unit of time.
    pub r_inhibitor: f64,
    /// What lies outside the grid, for all three fields.
    pub boundary_condition: BoundaryCondition,
    /// Whether a step that produces NaN or infinite values is discarded with an error. When
    /// off, such values stay in the fields.
    pub check_stability: bool,
    /// The floating-point type of the fields.
    pub precision: Precision,
    /// Where random numbers come from.
    pub rng: RngKind,
    /// The local equations of activator and inhibitor.
    pub kinetics: Kinetics,
    /// What the fields are before the first step.
    pub initial_condition: InitialCondition,
    /// Standard deviation of the noise of [`InitialCondition::Steady`] and
    /// [`InitialCondition::Seeded`] on activator and inhibitor.
    pub initial_noise: f64,
    /// Time that passes in a step.
    pub time_step: f64,
    /// Rate at which the potential relaxes to rest (-70 mV), 1 per unit of time.
    pub leak_rate: f64,
    /// Steps between two recorded frames; 0 records none.
    pub record_every: u64,
    /// Which system's results are reproduced; `None`: libmfn's own.
    pub compat: Option<Compat>,
}

impl Spec {
    /// Rows of the grid.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.unwrap_or(self.grid_size)
    }

    /// Columns of the grid.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols.unwrap_or(self.grid_size)
    }

    /// Cells times steps: the cost of a complete run, for callers that limit it. Also defined
    /// for a specification that [`validate`](Self::validate) refuses.
    #[must_use]
    pub fn cell_steps(&self) -> u128 {
        (self.rows() as u128).saturating_mul(self.cols() as u128).saturating_mul(u128::from(self.steps))
    }
}
