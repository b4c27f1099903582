//! One step of three fields that the host owns.
//!
//! [`Simulation`](crate::Simulation) keeps its fields itself; [`full_step`] is the same step
//! for arrays from elsewhere, of any shape, with wider bounds.

use ndarray::Array2;

use super::block::{Block, Noise};
use super::constants::ACTIVATION_GAIN_V;
use super::execution::Executor;
use super::grid::{Demands, Fields, Grid, Order, Spike};
use super::kernel::Numbers;
use super::random::Randomness;
use crate::bounds::STEP_TABLE;
use crate::error::{SpecError, SpecFault};
use crate::kinetics::Kinetics;
use crate::operators::{OperatorError, check_field};
use crate::rng::Generator;
use crate::simd::Aligned;
use crate::spec::{BoundaryCondition, Spec};

/// The numbers that decide a step. Their ranges are in
/// [`bounds::STEP_TABLE`](crate::bounds::STEP_TABLE).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepParameters {
    /// Diffusion coefficient of the potential, cells^2 per step.
    pub alpha: f64,
    /// Diffusion coefficient of the activator, cells^2 per step.
    pub d_activator: f64,
    /// Diffusion coefficient of the inhibitor, cells^2 per step.
    pub d_inhibitor: f64,
    /// Reaction rate of the activator, 1 per step.
    pub r_activator: f64,
    /// Reaction rate of the inhibitor, 1 per step.
    pub r_inhibitor: f64,
    /// Activator level above which a cell is activated.
    pub turing_threshold: f64,
    /// Whether activator and inhibitor advance and act on the potential.
    pub turing_enabled: bool,
    /// Probability of one growth event.
    pub spike_probability: f64,
    /// Standard deviation of the noise of each cell, V; `None` for no noise and no draws.
    pub noise_deviation_v: Option<f64>,
    /// What lies outside the grid.
    pub boundary_condition: BoundaryCondition,
}

impl From<&Spec> for StepParameters {
    fn from(spec: &Spec) -> Self {
        Self {
            alpha: spec.alpha,
            d_activator: spec.d_activator,
            d_inhibitor: spec.d_inhibitor,
            r_activator: spec.r_activator,
            r_inhibitor: spec.r_inhibitor,
            turing_threshold: spec.turing_threshold,
            turing_enabled: spec.turing_enabled,
            spike_probability: spec.spike_probability,
            noise_deviation_v: spec.quantum_jitter.then(|| spec.jitter_var.sqrt()),
            boundary_condition: spec.boundary_condition,
        }
    }
}

impl StepParameters {
    /// Checks every number and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&STEP_TABLE, |field| match field {
            "alpha" => Some(self.alpha),
            "d_activator" => Some(self.d_activator),
            "d_inhibitor" => Some(self.d_inhibitor),
            "r_activator" => Some(self.r_activator),
            "r_inhibitor" => Some(self.r_inhibitor),
            "turing_threshold" => Some(self.turing_threshold),
            "spike_probability" => Some(self.spike_probability),
            "noise_deviation_v" => self.noise_deviation_v,
            _ => None,
        })
    }
}

impl StepParameters {
    /// The same for the grid: the kinetics of MFN 4.1, a time step of 1 and no leak.
    fn block<'a>(&self, noise: Noise, spikes: &'a [Option<Spike>]) -> Block<'a, f64> {
        Block {
            numbers: Numbers {
                alpha: self.alpha,
                d_activator: self.d_activator,
                d_inhibitor: self.d_inhibitor,
                threshold: self.turing_threshold,
                gain: ACTIVATION_GAIN_V,
                time_step: 1.0,
                leak_rate: 0.0,
            },
            kinetics: Kinetics::V4_1,
            factors: [self.r_activator, self.r_inhibitor],
            host: None,
            noise,
            spikes,
            followed: false,
        }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepEvents {
    /// Whether a growth event took place.
    pub growth_event: bool,
    /// Cells whose activator exceeded the threshold.
    pub turing_activations: u64,
    /// Cells whose potential was changed by the clamp.
    pub clamping_events: u64,
}

/// Does one step in place: growth event, diffusion, reaction, noise, clamp.
///
/// `potential` is in volts. All three fields have one shape and at least one cell.
///
/// # Errors
/// [`OperatorError`] when a parameter, a shape or a cell is refused, or
/// [`OperatorError::Unstable`] when a new value is NaN. Fields and stream are then unchanged.
pub fn full_step(
    potential: &mut Array2<f64>,
    activator: &mut Array2<f64>,
    inhibitor: &mut Array2<f64>,
    parameters: &StepParameters,
    generator: &mut Generator,
) -> Result<StepEvents, OperatorError> {
    parameters.validate()?;
    let (rows, columns) = potential.dim();
    for (name, field) in [("field", &*potential), ("activator", &*activator), ("inhibitor", &*inhibitor)] {
        check_field(name, field.view(), Some((rows, columns)))?;
    }
    let cells = |field: &Array2<f64>| {
        let mut cells = Aligned::zeros(field.len());
        cells.iter_mut().zip(field).for_each(|(cell, &value)| *cell = value);
        cells
    };
    let fields =
        Fields { potential: cells(potential), activator: cells(activator), inhibitor: cells(inhibitor) };
    let executor = Executor::here();
    let demands = Demands {
        turing: parameters.turing_enabled,
        noise: parameters.noise_deviation_v.is_some(),
        noise_plane: parameters.noise_deviation_v.is_some(),
        ..Demands::default()
    };
    let mut grid =
        Grid::new((rows, columns), parameters.boundary_condition, demands, fields, executor.lanes());
    let mut random = Randomness::Sequence(generator.clone());
    let spike = random.spike(0, parameters.spike_probability, (rows, columns));
    let noise = random.noise(0, parameters.noise_deviation_v, grid.noise_mut());
    let swept = grid.advance(&parameters.block(noise, &[spike]), Order::OfGrid, &executor);
    if swept.counts.not_finite {
        return Err(OperatorError::Unstable(grid.instability()));
    }
    grid.keep();
    if let Randomness::Sequence(stream) = random {
        *generator = stream;
    }
    let kept = grid.current();
    for (field, values) in
        [(potential, &kept.potential), (activator, &kept.activator), (inhibitor, &kept.inhibitor)]
    {
        for (cell, &value) in field.iter_mut().zip(values.iter()) {
            *cell = value;
        }
    }
    Ok(StepEvents {
        growth_event: spike.is_some(),
        turing_activations: swept.counts.activations,
        clamping_events: swept.counts.clamps,
    })
}
