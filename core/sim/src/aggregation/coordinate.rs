//! Aggregation coordinate by coordinate: trimmed mean and median (Yin, Chen, Kannan and
//! Bartlett, 2018).

use ndarray::ArrayView2;

use super::gradients::Gradients;
use super::{Aggregation, AggregationError};
use crate::parallel::for_each_chunk_mut;

/// Numbers that a task holds at a time, unless one coordinate alone has more.
const TASK_NUMBERS: usize = 1 << 16;
const RULE: &str = "n >= 2f + 1";

/// The trimmed mean: in every coordinate the mean without the `byzantine` smallest and the
/// `byzantine` largest values. With `byzantine` = 0 it is the plain mean, which one attacker moves
/// anywhere.
///
/// `gradients` has one row per client and one column per coordinate. Values are added in
/// ascending order. Memory: up to 64 columns per thread. Work: n d log n, in the rayon pool that the
/// caller runs in, else on the calling thread; the same bits for any number of threads.
///
/// # Errors
/// [`AggregationError`] for no gradients, a coordinate that is NaN, infinite or beyond
/// [`MAGNITUDE_MAX`](super::MAGNITUDE_MAX), or fewer than 2f + 1 clients.
pub fn trimmed_mean(
    gradients: ArrayView2<'_, f64>,
    byzantine: usize,
) -> Result<Aggregation, AggregationError> {
    let gradients = Gradients::check(gradients)?;
    gradients.require(byzantine, 1, "the trimmed mean", RULE)?;
    Ok(Aggregation::plain(by_coordinate(&gradients, |sorted| {
        let kept = &sorted[byzantine..sorted.len() - byzantine];
        kept.iter().sum::<f64>() / kept.len() as f64
    })))
}

/// The median of every coordinate; of an even number of clients the mean of the two in the middle.
///
/// `byzantine` is only checked against the number of clients. Otherwise as [`trimmed_mean`].
///
/// # Errors
/// As [`trimmed_mean`].
pub fn coordinate_median(
    gradients: ArrayView2<'_, f64>,
    byzantine: usize,
) -> Result<Aggregation, AggregationError> {
    let gradients = Gradients::check(gradients)?;
    gradients.require(byzantine, 1, "the median", RULE)?;
    Ok(Aggregation::plain(median(&gradients)))
}

pub(crate) fn median(gradients: &Gradients<'_>) -> Vec<f64> {
    by_coordinate(gradients, median_of_sorted)
}

/// The median of sorted numbers; 0 of none.
pub(crate) fn median_of_sorted(sorted: &[f64]) -> f64 {
    let count = sorted.len();
    match (sorted.get(count.saturating_sub(1) / 2), sorted.get(count / 2)) {
        (Some(low), Some(high)) => low + (high - low) * 0.5,
        _ => 0.0,
    }
}

/// Applies a function to the sorted values of every coordinate.
fn by_coordinate(gradients: &Gradients<'_>, of_sorted: impl Fn(&[f64]) -> f64 + Sync) -> Vec<f64> {
    let clients = gradients.clients();
    // Neighbouring coordinates share cache lines, so several are gathered at once.
    let block = (TASK_NUMBERS / clients).clamp(1, 64);
    let mut values = vec![0.0; gradients.coordinates()];
    for_each_chunk_mut(&mut values, block, &|index, values| {
        let width = values.len();
        let mut columns = vec![0.0; width * clients];
        for client in 0..clients {
            let row = &gradients.row(client)[index * block..index * block + width];
            for (column, value) in row.iter().enumerate() {
                columns[column * clients + client] = *value;
            }
        }
        for (value, column) in values.iter_mut().zip(columns.chunks_exact_mut(clients)) {
            column.sort_unstable_by(f64::total_cmp);
            *value = of_sorted(column);
        }
    });
    values
}
