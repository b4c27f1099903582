//! Training on a fixed set of samples, in random order and in batches.

use ndarray::{Array3, Axis};

use super::{ValidationConfig, ValidationError, Work};
use crate::Real;
use crate::learning::Network;
use crate::rng::Generator;

/// Trains for the epochs of the configuration, each in a new random order. Gives the losses of all batches.
pub(super) fn train<T: Real>(
    network: &mut Network<T>,
    x: &Array3<T>,
    y: &[T],
    config: &ValidationConfig,
    random: &mut Generator,
    work: &mut Work<'_, '_>,
) -> Result<Vec<f64>, ValidationError> {
    let mut losses = Vec::new();
    for _ in 0..config.epochs {
        let order = random.choice_without_replacement(y.len() as u64, y.len()).unwrap_or_default();
        let order: Vec<usize> = order.into_iter().map(|sample| sample as usize).collect();
        for batch in order.chunks(config.batch_size) {
            let targets: Vec<T> = batch.iter().map(|&sample| y[sample]).collect();
            losses.push(network.train_step(x.select(Axis(0), batch).view(), &targets)?.wide());
        }
        work.advance(1)?;
    }
    Ok(losses)
}
