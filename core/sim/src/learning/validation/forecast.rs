//! The default cycle: from the first half of a run, the network foretells how rough the field will be
//! at its end.
//!
//! Each sample is a run of the engine with v4.1's equations and its own alpha in [0.06, 0.24) and spike
//! probability in [0, 1). A sample has eight tokens, taken at eight equally spaced moments of the first
//! half: mean, standard deviation, lowest and highest potential. The target is the standard deviation
//! of the field after the last step. Inputs and target are scaled by mean and deviation of the 64
//! training samples; the loss is the mean squared error on 32 samples that are never trained on, so 1
//! is about the loss of a constant.

use std::ops::ControlFlow;

use ndarray::{Array3, s};

use super::training::train;
use super::{POTASSIUM_MOLAR, ValidationConfig, ValidationError, ValidationMetrics, ValidationReport, Work};
use crate::Spec;
use crate::engine::Simulation;
use crate::ifs::v4_1::generate_fractal_ifs;
use crate::learning::{Network, NetworkConfig};
use crate::membrane::constants::{BODY_TEMPERATURE_K, PhysicalConstants};
use crate::membrane::{Permeation, goldman, nernst};
use crate::parallel::map_range;
use crate::rng::Generator;

/// Samples that are trained on.
pub const TRAINING_SAMPLES: usize = 64;
/// Samples that are held out.
pub const HELD_OUT_SAMPLES: usize = 32;
/// Tokens of a sample.
pub const TOKENS: usize = 8;
/// Numbers in a token.
const TOKEN_NUMBERS: usize = 4;
/// Samples that are simulated at the same time.
const SAMPLES_AT_ONCE: usize = 8;
/// Maps applied to measure a Lyapunov exponent.
const EXPONENT_STEPS: u64 = 16_384;
const IFS_TRANSFORMS: u64 = 4;

/// One run, seen at eight moments and at its end.
struct Sample {
    tokens: [[f64; TOKEN_NUMBERS]; TOKENS],
    target: f64,
    low_v: f64,
    high_v: f64,
    exponent: f64,
}

fn simulate(seed: u64, config: &ValidationConfig) -> Result<Sample, ValidationError> {
    let mut random = Generator::new(seed);
    let spec = Spec {
        grid_size: config.grid_size,
        steps: config.steps,
        random_seed: random.next_u64(),
        alpha: random.uniform(0.06, 0.24),
        spike_probability: random.random(),
        turing_enabled: config.turing_enabled,
        quantum_jitter: config.quantum_jitter,
        ..Spec::v4_1()
    };
    let mut simulation = Simulation::new(spec)?;
    let mut tokens = [[0.0; TOKEN_NUMBERS]; TOKENS];
    for (moment, token) in tokens.iter_mut().enumerate() {
        let until = config.steps * (moment as u64 + 1) / (2 * TOKENS as u64);
        simulation.run(until - simulation.step_count(), &mut |_| ControlFlow::Continue(()))?;
        let now = simulation.statistics();
        *token = [now.field_mean_v, now.field_std_v, now.field_min_v, now.field_max_v];
    }
    simulation.run(config.steps - simulation.step_count(), &mut |_| ControlFlow::Continue(()))?;
    let end = simulation.statistics();
    Ok(Sample {
        tokens,
        target: end.field_std_v,
        low_v: end.field_min_v,
        high_v: end.field_max_v,
        exponent: exponent(&mut random)?,
    })
}

/// The largest Lyapunov exponent of a random iterated function system.
fn exponent(random: &mut Generator) -> Result<f64, ValidationError> {
    let system = generate_fractal_ifs(random, 1, IFS_TRANSFORMS)?.ifs()?;
    Ok(system.exponents(random.next_u64(), EXPONENT_STEPS)?.largest)
}

/// Mean and deviation, the latter 1 where all values agree.
fn scale(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
}

pub(super) fn run(
    config: &ValidationConfig,
    control: &mut super::Control<'_>,
) -> Result<ValidationReport, ValidationError> {
    if config.steps < 2 * TOKENS as u64 {
        return Err(ValidationError::Steps { steps: config.steps });
    }
    let count = TRAINING_SAMPLES + HELD_OUT_SAMPLES;
    let mut work = Work { control, done: 0, total: count as u64 + u64::from(config.epochs) + 1 };
    let mut random = Generator::new(config.seed);
    let seeds: Vec<u64> = (0..count).map(|_| random.next_u64()).collect();
    let mut samples = Vec::with_capacity(count);
    for seeds in seeds.chunks(SAMPLES_AT_ONCE) {
        for sample in map_range(0..seeds.len(), &|index| simulate(seeds[index], config)) {
            samples.push(sample?);
        }
        work.advance(seeds.len() as u64)?;
    }

    let training = &samples[..TRAINING_SAMPLES];
    let scales: Vec<(f64, f64)> = (0..TOKEN_NUMBERS)
        .map(|place| scale(training.iter().flat_map(|sample| &sample.tokens).map(move |token| token[place])))
        .collect();
    let (mean, deviation) = scale(training.iter().map(|sample| sample.target));
    let x = Array3::from_shape_fn((count, TOKENS, TOKEN_NUMBERS), |(sample, token, place)| {
        (samples[sample].tokens[token][place] - scales[place].0) / scales[place].1
    });
    let y: Vec<f64> = samples.iter().map(|sample| (sample.target - mean) / deviation).collect();
    let (learned, held_out) = y.split_at(TRAINING_SAMPLES);
    let unseen = x.slice(s![TRAINING_SAMPLES.., .., ..]);

    let network_config = NetworkConfig {
        use_sparse_attention: config.use_sparse_attention,
        num_heads: 4,
        ..NetworkConfig::default()
    };
    let mut network = Network::<f64>::new(&network_config, random.next_u64())?;
    let (loss_start, _) = network.loss_and_gradient(unseen, held_out)?;
    let seen = x.slice(s![..TRAINING_SAMPLES, .., ..]).to_owned();
    train(&mut network, &seen, learned, config, &mut random, &mut work)?;
    let (loss_final, _) = network.loss_and_gradient(unseen, held_out)?;
    // The mean of the training targets is 0 after scaling.
    let loss_constant = held_out.iter().map(|y| y * y).sum::<f64>() / HELD_OUT_SAMPLES as f64;

    let mut example = Simulation::new(Spec { random_seed: config.seed.wrapping_add(1), ..Spec::default() })?;
    let steps = example.spec().steps;
    example.run(steps, &mut |_| ControlFlow::Continue(()))?;
    work.advance(1)?;
    let constants = PhysicalConstants::V4_1;
    let [outside_molar, inside_molar] = POTASSIUM_MOLAR;
    let potassium = Permeation { valence: 1, permeability: 1.0, outside_molar, inside_molar };
    Ok(ValidationReport {
        metrics: ValidationMetrics {
            loss_start,
            loss_final,
            loss_drop: loss_start - loss_final,
            pot_min_mv: samples.iter().fold(f64::INFINITY, |low, sample| low.min(sample.low_v)) * 1000.0,
            pot_max_mv: samples.iter().fold(f64::NEG_INFINITY, |high, sample| high.max(sample.high_v))
                * 1000.0,
            example_fractal_dim: example.features().d_box,
            lyapunov_exponent: exponent(&mut Generator::new(config.seed.wrapping_add(1)))?,
            lyapunov_mean: samples.iter().map(|sample| sample.exponent).sum::<f64>() / count as f64,
            growth_events: example.statistics().growth_events as f64,
            nernst_symbolic_mv: nernst(1, outside_molar, inside_molar, BODY_TEMPERATURE_K)? * 1000.0,
            nernst_numeric_mv: goldman(&constants, &[potassium], BODY_TEMPERATURE_K)? * 1000.0,
            nernst_rtfz_mv: constants.thermal_voltage(BODY_TEMPERATURE_K) * 1000.0,
        },
        loss_constant: Some(loss_constant),
    })
}
