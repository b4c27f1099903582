//! The second simulator of MyceliumFractalNet 4.1 (`simulate_mycelium_field`), for comparison.
//!
//! v4.1 has two simulators that mean the same model. Its REST service and its validation used
//! this one, its streams and data sets the engine. They agree in the potential as long as no
//! cell is activated and the reaction is on; they differ in three things, which are kept here so
//! that numbers of either origin can be reproduced:
//!
//! - activator and inhibitor are drawn only when the reaction is on, so that without it every
//!   later draw differs;
//! - the change of a morphogen is one sum, `a + (D L(a) + r (...))`, and the inhibitor already
//!   sees the new activator;
//! - nothing is checked: alpha may exceed the stability limit of the scheme (the clamp then
//!   carries the run), and a grid may have one cell.
//!
//! New work uses [`Simulation`](crate::Simulation).

use std::ops::ControlFlow;

use ndarray::{Array2, Zip};

use crate::bounds::{Bound, closed, whole};
use crate::engine::constants::{
    ACTIVATION_GAIN_V, FIELD_MAX_V, FIELD_MIN_V, INITIAL_MORPHOGEN_MAX, REST_DEVIATION_V, REST_MEAN_V,
    SPIKE_DEVIATION_V, SPIKE_MEAN_V,
};
use crate::engine::{Progress, RunEnd};
use crate::error::{SpecError, SpecFault};
use crate::operators::{self, OperatorError};
use crate::rng::Generator;
use crate::spec::BoundaryCondition;

/// Diffusion coefficient of the activator, cells^2 per step.
const D_ACTIVATOR: f64 = 0.1;
/// Diffusion coefficient of the inhibitor, cells^2 per step.
const D_INHIBITOR: f64 = 0.05;
/// Reaction rate of the activator, 1 per step.
const R_ACTIVATOR: f64 = 0.01;
/// Reaction rate of the inhibitor, 1 per step.
const R_INHIBITOR: f64 = 0.02;

/// The bounds of [`ModelParameters`]. v4.1 has none; these keep memory and numbers finite and
/// take in all that its REST service accepted.
pub const MODEL_TABLE: [Bound; 6] = [
    whole(closed("grid_size", (1.0, 1024.0), 64.0, "cells", "cells along each side of the square grid")),
    whole(closed("steps", (0.0, 1e9), 64.0, "steps", "steps of the run")),
    closed(
        "alpha",
        (0.0, 1.0),
        0.18,
        "cells^2/step",
        "diffusion coefficient of the potential, stable below 0.25",
    ),
    closed("spike_probability", (0.0, 1.0), 0.25, "1/step", "probability of one growth event in a step"),
    // Below 1, so that it makes no difference whether the activator is clamped before the test.
    Bound {
        max_inclusive: false,
        ..closed("turing_threshold", (0.0, 1.0), 0.75, "1", "activator level above which a cell is activated")
    },
    closed("jitter_var", (0.0, 1.0), 0.0005, "V^2", "variance of the noise added to each cell in each step"),
];

/// The arguments of `simulate_mycelium_field`, with its defaults. Ranges: [`MODEL_TABLE`].
#[derive(Debug, Clone, PartialEq)]
pub struct ModelParameters {
    /// Cells along each side of the square, periodic grid.
    pub grid_size: usize,
    /// Steps of the run.
    pub steps: u64,
    /// Diffusion coefficient of the potential, cells^2 per step. From 0.25 on the scheme is
    /// unstable and only the clamp bounds the field; v4.1 allowed that.
    pub alpha: f64,
    /// Probability of one growth event in a step.
    pub spike_probability: f64,
    /// Whether activator and inhibitor are drawn and advance.
    pub turing_enabled: bool,
    /// Activator level above which a cell is activated.
    pub turing_threshold: f64,
    /// Whether noise is added to each cell in each step.
    pub quantum_jitter: bool,
    /// Variance of that noise, V^2.
    pub jitter_var: f64,
}

impl Default for ModelParameters {
    fn default() -> Self {
        Self {
            grid_size: 64,
            steps: 64,
            alpha: 0.18,
            spike_probability: 0.25,
            turing_enabled: true,
            turing_threshold: 0.75,
            quantum_jitter: false,
            jitter_var: 0.0005,
        }
    }
}

impl ModelParameters {
    /// Checks every number and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&MODEL_TABLE, |field| match field {
            "grid_size" => Some(self.grid_size as f64),
            "steps" => Some(self.steps as f64),
            "alpha" => Some(self.alpha),
            "spike_probability" => Some(self.spike_probability),
            "turing_threshold" => Some(self.turing_threshold),
            "jitter_var" => Some(self.jitter_var),
            _ => None,
        })
    }
}

/// What `simulate_mycelium_field` returns.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRun {
    /// The potential after the last step done, V.
    pub field: Array2<f64>,
    /// Growth events so far.
    pub growth_events: u64,
    /// Whether all steps were done.
    pub end: RunEnd,
}

/// Why a run was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A parameter is refused.
    #[error("invalid model parameters: {0}")]
    Parameters(#[from] SpecError),
    /// A field went wrong. With parameters in their ranges every field is clamped, so this
    /// would be a defect.
    #[error(transparent)]
    Operator(#[from] OperatorError),
}

/// Runs v4.1's second simulator, bit for bit. The random numbers are drawn from `generator`,
/// which afterwards stands where NumPy's would. `control` is asked after every step and may end
/// the run. Memory: seven grids.
///
/// # Errors
/// [`ModelError::Parameters`]; nothing was drawn then.
pub fn simulate_mycelium_field(
    generator: &mut Generator,
    parameters: &ModelParameters,
    control: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<ModelRun, ModelError> {
    parameters.validate()?;
    let shape = (parameters.grid_size, parameters.grid_size);
    let mut field = Array2::from_shape_simple_fn(shape, || generator.normal(REST_MEAN_V, REST_DEVIATION_V));
    let mut morphogens = parameters.turing_enabled.then(|| Morphogens::draw(shape, generator));
    let mut growth_events = 0;
    for done in 1..=parameters.steps {
        if generator.random() < parameters.spike_probability {
            let row = generator.integer_below(parameters.grid_size as u64) as usize;
            let column = generator.integer_below(parameters.grid_size as u64) as usize;
            field[[row, column]] += generator.normal(SPIKE_MEAN_V, SPIKE_DEVIATION_V);
            growth_events += 1;
        }
        let curvature = operators::laplacian(field.view(), BoundaryCondition::Periodic)?;
        field.zip_mut_with(&curvature, |v, l| *v += parameters.alpha * l);
        if let Some(morphogens) = &mut morphogens {
            morphogens.advance(&mut field, parameters.turing_threshold)?;
        }
        if parameters.quantum_jitter {
            let deviation_v = parameters.jitter_var.sqrt();
            field.mapv_inplace(|v| v + generator.normal(0.0, deviation_v));
        }
        field.mapv_inplace(|v| v.clamp(FIELD_MIN_V, FIELD_MAX_V));
        let stop = control(Progress { step: done, steps_total: parameters.steps }).is_break();
        if stop && done < parameters.steps {
            return Ok(ModelRun { field, growth_events, end: RunEnd::Cancelled });
        }
    }
    Ok(ModelRun { field, growth_events, end: RunEnd::Completed })
}

struct Morphogens {
    activator: Array2<f64>,
    inhibitor: Array2<f64>,
}

impl Morphogens {
    fn draw(shape: (usize, usize), generator: &mut Generator) -> Self {
        let mut draw =
            || Array2::from_shape_simple_fn(shape, || generator.uniform(0.0, INITIAL_MORPHOGEN_MAX));
        let activator = draw();
        Self { activator, inhibitor: draw() }
    }

    /// Advances both, the activator first, and lifts the potential of activated cells.
    fn advance(&mut self, field: &mut Array2<f64>, threshold: f64) -> Result<(), OperatorError> {
        let laplacian = |grid: &Array2<f64>| operators::laplacian(grid.view(), BoundaryCondition::Periodic);
        let (a_curvature, i_curvature) = (laplacian(&self.activator)?, laplacian(&self.inhibitor)?);
        Zip::from(field)
            .and(&mut self.activator)
            .and(&mut self.inhibitor)
            .and(&a_curvature)
            .and(&i_curvature)
            .for_each(|v, a, i, a_l, i_l| {
                *a += D_ACTIVATOR * a_l + R_ACTIVATOR * (*a * (1.0 - *a) - *i);
                *i += D_INHIBITOR * i_l + R_INHIBITOR * (*a - *i);
                if *a > threshold {
                    *v += ACTIVATION_GAIN_V;
                }
                *a = a.clamp(0.0, 1.0);
                *i = i.clamp(0.0, 1.0);
            });
        Ok(())
    }
}
