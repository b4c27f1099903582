//! `run_validation` of MFN 4.1.
//!
//! Sixteen samples: the final field of v4.1's second simulator gives the dimension of the cells above
//! -60 mV and mean, standard deviation and maximum in units of 10 mV; the target is the fixed sum
//! 0.5 dimension + 0.2 mean - 0.1 deviation of these inputs. Each sample is one token, so the
//! attention has nothing to choose from. `loss_start` and `loss_final` are those of the first and the last
//! batch. Weights and shuffling come from this library's own stream instead of torch's, so the
//! three losses differ from v4.1's; all other numbers are equal.

use std::ops::ControlFlow;

use ndarray::{Array2, Array3};

use super::training::train;
use super::{POTASSIUM_MOLAR, ValidationConfig, ValidationError, ValidationMetrics, ValidationReport, Work};
use crate::features::{BoxScales, box_dimension};
use crate::ifs::v4_1::generate_fractal_ifs;
use crate::learning::{Network, NetworkConfig};
use crate::membrane::constants::{BODY_TEMPERATURE_K, PhysicalConstants};
use crate::membrane::{MembraneConfig, nernst_v4_1};
use crate::model::{ModelParameters, simulate_mycelium_field};
use crate::rng::Generator;
use crate::spec::Compat;

const SAMPLES: u64 = 16;
const ACTIVE_V: f64 = -0.060;
const IFS_POINTS: u64 = 1000;
const IFS_TRANSFORMS: u64 = 4;

/// The samples of the cycle and what was seen while they were made.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Dimension, mean, deviation and maximum (10 mV) of each sample.
    pub x: Array2<f32>,
    /// The target of each.
    pub y: Vec<f32>,
    /// Lowest potential of all final fields, mV.
    pub pot_min_mv: f64,
    /// Highest potential of all final fields, mV.
    pub pot_max_mv: f64,
    /// Mean logarithm of the change of area, over the iterated function systems.
    pub lyapunov_mean: f64,
}

/// One simulation and one iterated function system, drawn from one stream.
struct Sample {
    field: Array2<f64>,
    growth_events: u64,
    dimension: f64,
    mean_log_area_change: f64,
}

fn sample(random: &mut Generator, config: &ValidationConfig) -> Result<Sample, ValidationError> {
    let parameters = ModelParameters {
        grid_size: config.grid_size,
        steps: config.steps,
        turing_enabled: config.turing_enabled,
        quantum_jitter: config.quantum_jitter,
        ..ModelParameters::default()
    };
    let run = simulate_mycelium_field(random, &parameters, &mut |_| ControlFlow::Continue(()))?;
    let mask = run.field.mapv(|potential| potential > ACTIVE_V);
    let dimension =
        box_dimension(mask.view(), &BoxScales { compat: Some(Compat::V4_1), ..BoxScales::default() })?
            .dimension;
    let mean_log_area_change = generate_fractal_ifs(random, IFS_POINTS, IFS_TRANSFORMS)?.mean_log_area_change;
    Ok(Sample { field: run.field, growth_events: run.growth_events, dimension, mean_log_area_change })
}

/// The samples that `config` and its seed give.
///
/// # Errors
/// [`ValidationError`].
pub fn dataset(config: &ValidationConfig) -> Result<Dataset, ValidationError> {
    config.validate()?;
    dataset_with(config, &mut Work { control: &mut |_| ControlFlow::Continue(()), done: 0, total: SAMPLES })
}

fn dataset_with(config: &ValidationConfig, work: &mut Work<'_, '_>) -> Result<Dataset, ValidationError> {
    let mut random = Generator::new(config.seed);
    let (mut inputs, mut y) = (Vec::new(), Vec::new());
    let (mut low, mut high, mut log_areas) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
    for _ in 0..SAMPLES {
        let sample = sample(&mut random, config)?;
        let field = &sample.field;
        let cells = field.len() as f64;
        let mean = field.sum() / cells;
        let variance = field.fold(0.0, |sum, value| sum + (value - mean) * (value - mean)) / cells;
        let [lowest, highest] =
            [f64::min, f64::max].map(|pick| field.iter().copied().reduce(pick).unwrap_or(mean));
        (low, high) = (low.min(lowest), high.max(highest));
        log_areas += sample.mean_log_area_change;
        let (mean, deviation) = (mean * 100.0, variance.sqrt() * 100.0);
        inputs.extend([sample.dimension, mean, deviation, highest * 100.0].map(|value| value as f32));
        y.push((0.5 * sample.dimension + 0.2 * mean - 0.1 * deviation) as f32);
        work.advance(1)?;
    }
    Ok(Dataset {
        x: Array2::from_shape_fn((y.len(), 4), |(row, column)| inputs[row * 4 + column]),
        y,
        pot_min_mv: low * 1000.0,
        pot_max_mv: high * 1000.0,
        lyapunov_mean: log_areas / SAMPLES as f64,
    })
}

pub(super) fn run(
    config: &ValidationConfig,
    control: &mut super::Control<'_>,
) -> Result<ValidationReport, ValidationError> {
    let mut work = Work { control, done: 0, total: SAMPLES + u64::from(config.epochs) + 1 };
    let data = dataset_with(config, &mut work)?;
    let network_config =
        NetworkConfig { use_sparse_attention: config.use_sparse_attention, ..NetworkConfig::default() };
    let mut network = Network::<f32>::new(&network_config, config.seed)?;
    let x = Array3::from_shape_fn((data.y.len(), 1, 4), |(row, _, column)| data.x[[row, column]]);
    let mut order = Generator::new(config.seed);
    let losses = train(&mut network, &x, &data.y, config, &mut order, &mut work)?;
    let loss = |loss: Option<&f64>| loss.copied().unwrap_or(f64::NAN);
    let (loss_start, loss_final) = (loss(losses.first()), loss(losses.last()));

    let example = sample(&mut Generator::new(config.seed.wrapping_add(1)), config)?;
    work.advance(1)?;
    let [outside, inside] = POTASSIUM_MOLAR;
    let potassium = nernst_v4_1(&MembraneConfig::default(), 1, outside, inside, BODY_TEMPERATURE_K)?;
    let rtfz_v = PhysicalConstants::V4_1.thermal_voltage(BODY_TEMPERATURE_K);
    Ok(ValidationReport {
        metrics: ValidationMetrics {
            loss_start,
            loss_final,
            loss_drop: loss_start - loss_final,
            pot_min_mv: data.pot_min_mv,
            pot_max_mv: data.pot_max_mv,
            example_fractal_dim: example.dimension,
            lyapunov_exponent: example.mean_log_area_change,
            lyapunov_mean: data.lyapunov_mean,
            growth_events: example.growth_events as f64,
            nernst_symbolic_mv: potassium.potential_v * 1000.0,
            nernst_numeric_mv: rtfz_v * (outside / inside).ln() * 1000.0,
            nernst_rtfz_mv: rtfz_v * 1000.0,
        },
        loss_constant: None,
    })
}
