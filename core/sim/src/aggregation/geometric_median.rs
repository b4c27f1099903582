//! The geometric median: the point with the smallest sum of distances to all gradients.
//!
//! Weiszfeld's iteration (1937), smoothed as by Pillutla, Kakade and Harchaoui (2022): a distance r
//! below nu counts as r^2 / (2 nu) + nu / 2. The smoothed sum F is convex, so the result comes with
//! a proven bound. With g = |grad F(x)| / n and the minimum x*: n |x - x*| <= F(x) + F(x*) <= 2 F(x),
//! hence F(x) - F(x*) <= |grad F(x)| |x - x*| <= 2 g F(x).

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::coordinate;
use super::distances::squared_distance;
use super::gradients::Gradients;
use super::{Aggregation, AggregationError, SETTINGS_TABLE};
use crate::error::SpecFault;
use crate::parallel::{for_each_chunk_mut, map_chunks};

/// Coordinates that one task moves.
const BLOCK: usize = 1024;

/// Settings of the [`geometric_median`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeometricMedian {
    /// nu, as a part of the median distance of the gradients from the start. In [1e-12, 0.1].
    pub smoothing: f64,
    /// The iteration ends when the relative bound on the sum of distances is at most this.
    /// In [1e-14, 1].
    pub tolerance: f64,
    /// The most iterations. In [1, 100000].
    pub iterations_max: usize,
}

impl Default for GeometricMedian {
    fn default() -> Self {
        Self { smoothing: 1e-6, tolerance: 1e-8, iterations_max: 1000 }
    }
}

/// How an iteration ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Convergence {
    /// Whether the bound is within the tolerance.
    pub converged: bool,
    /// Steps done.
    pub iterations: usize,
    /// The (smoothed) sum of distances exceeds the smallest possible one by at most this part.
    pub relative_gap_max: f64,
}

/// The geometric median. An aggregate that did not converge is returned with its bound.
///
/// Starts from the coordinate-wise median. When more than half of the clients agree on one
/// gradient it is the result, exactly. `gradients` has one row per client and one column per
/// coordinate; `byzantine` is only checked against their number. Memory: 3 rows. Work: 3 n d
/// per iteration, in the rayon pool that the caller runs in, else on the calling thread; the same bits for
/// any number of threads.
///
/// # Errors
/// As [`trimmed_mean`](super::trimmed_mean), and [`AggregationError::Settings`].
pub fn geometric_median(
    gradients: ArrayView2<'_, f64>,
    byzantine: usize,
    settings: &GeometricMedian,
) -> Result<Aggregation, AggregationError> {
    SpecFault::check_table(&SETTINGS_TABLE, |field| match field {
        "smoothing" => Some(settings.smoothing),
        "tolerance" => Some(settings.tolerance),
        "iterations_max" => Some(settings.iterations_max as f64),
        _ => None,
    })?;
    let gradients = Gradients::check(gradients)?;
    gradients.require(byzantine, 1, "the geometric median", "n >= 2f + 1")?;
    let clients = gradients.clients();
    let mut point = coordinate::median(&gradients);
    let mut distances = distances_from(&gradients, &point);
    let mut sorted = distances.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let scale = sorted[clients / 2];
    if scale == 0.0 {
        let convergence = Convergence { converged: true, iterations: 0, relative_gap_max: 0.0 };
        return Ok(Aggregation { convergence: Some(convergence), ..Aggregation::plain(point) });
    }
    let smallest = settings.smoothing * scale;
    let mut iterations = 0;
    loop {
        let weights: Vec<f64> = distances.iter().map(|distance| 1.0 / distance.max(smallest)).collect();
        let total: f64 = weights.iter().sum();
        let step = mean_offset(&gradients, &point, &weights, total);
        let length = step.iter().map(|part| part * part).sum::<f64>().sqrt();
        let relative_gap_max = 2.0 * length * total / clients as f64;
        let converged = relative_gap_max <= settings.tolerance;
        if converged || iterations >= settings.iterations_max {
            let convergence = Convergence { converged, iterations, relative_gap_max };
            return Ok(Aggregation { convergence: Some(convergence), ..Aggregation::plain(point) });
        }
        for (value, part) in point.iter_mut().zip(&step) {
            *value += part;
        }
        distances = distances_from(&gradients, &point);
        iterations += 1;
    }
}

fn distances_from(gradients: &Gradients<'_>, point: &[f64]) -> Vec<f64> {
    map_chunks(gradients.flat(), point.len(), &|row| squared_distance(row, point).sqrt())
}

/// The weighted mean of the gradients as seen from the point.
fn mean_offset(gradients: &Gradients<'_>, point: &[f64], weights: &[f64], total: f64) -> Vec<f64> {
    let mut offset = vec![0.0; point.len()];
    for_each_chunk_mut(&mut offset, BLOCK, &|index, offset| {
        let first = index * BLOCK;
        for (client, weight) in weights.iter().enumerate() {
            let row = &gradients.row(client)[first..first + offset.len()];
            for ((sum, value), centre) in offset.iter_mut().zip(row).zip(&point[first..]) {
                *sum += weight * (value - centre);
            }
        }
        for sum in offset {
            *sum /= total;
        }
    });
    offset
}
