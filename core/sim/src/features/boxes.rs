//! The box-counting dimension, with the box sizes of MFN 4.1.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::error::{FeatureError, check_shape};
use crate::bounds::BOX_TABLE;
use crate::error::{SpecError, SpecFault};

/// Which boxes are counted. The ranges are in [`bounds::BOX_TABLE`](crate::bounds::BOX_TABLE).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BoxScales {
    /// Smallest box, cells.
    pub min_box_size: usize,
    /// Largest box, cells; `None`: half the side of the grid, or less when doubling the
    /// smallest box does not reach it in `num_scales` terms.
    pub max_box_size: Option<usize>,
    /// Number of box sizes before duplicates are dropped. One size gives no slope, so the
    /// dimension is then 0.
    pub num_scales: usize,
}

impl Default for BoxScales {
    fn default() -> Self {
        Self { min_box_size: 2, max_box_size: None, num_scales: 5 }
    }
}

impl BoxScales {
    /// Checks every field and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&BOX_TABLE, |field| match field {
            "min_box_size" => Some(self.min_box_size as f64),
            "max_box_size" => self.max_box_size.map(|size| size as f64),
            "num_scales" => Some(self.num_scales as f64),
            _ => None,
        })
    }
}

/// A fitted dimension.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BoxDimension {
    /// Slope of ln(count) over ln(1 / size); 0 when fewer than two sizes count anything.
    pub dimension: f64,
    /// Coefficient of determination of the fit; 0 when the counts do not vary.
    pub r_squared: f64,
}

/// The box sizes of MFN 4.1: a geometric series from `smallest` to `largest` with `scales`
/// terms, cut to whole numbers, without duplicates, in ascending order.
///
/// Cutting instead of rounding is a fault of MFN 4.1 that is kept here: the floating-point
/// series gives 7.999999999999999 where 8 is meant, and the size becomes 7.
#[must_use]
pub fn box_sizes(smallest: usize, largest: usize, scales: usize) -> Vec<usize> {
    let (start, stop) = (smallest as f64, largest as f64);
    let (log_start, log_stop) = (start.log10(), stop.log10());
    let step = (log_stop - log_start) / scales.saturating_sub(1) as f64;
    let mut sizes: Vec<usize> = (0..scales)
        .map(|index| {
            if index == 0 {
                smallest
            } else if index + 1 == scales {
                largest
            } else {
                10f64.powf(index as f64 * step + log_start) as usize
            }
        })
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Boxes of `size` x `size` cells with at least one active cell, over the part of the grid
/// that whole boxes cover from the top left; cells beyond it are ignored, as in MFN 4.1. 0 for
/// a size of 0 or beyond the grid.
#[must_use]
pub fn box_count(mask: ArrayView2<'_, bool>, size: usize) -> u64 {
    let (rows, columns) = mask.dim();
    if size == 0 {
        return 0;
    }
    let covered = columns / size * size;
    let mut any_above = vec![false; covered];
    let mut count = 0;
    for first_row in (0..rows / size * size).step_by(size) {
        any_above.fill(false);
        for row in first_row..first_row + size {
            for (any, &active) in any_above.iter_mut().zip(mask.row(row)) {
                *any |= active;
            }
        }
        count += any_above.chunks_exact(size).filter(|columns| columns.contains(&true)).count() as u64;
    }
    count
}

/// The box-counting dimension of a square mask with the given boxes.
///
/// # Errors
/// [`FeatureError`] when the scales are refused or the mask is empty, not square or too
/// large.
pub fn box_dimension(mask: ArrayView2<'_, bool>, scales: &BoxScales) -> Result<BoxDimension, FeatureError> {
    scales.validate()?;
    check_shape(mask.nrows(), mask.ncols())?;
    Ok(fit(mask, scales))
}

/// The dimension of the cells of a checked field above `threshold`.
pub(super) fn dimension_above(
    field: ArrayView2<'_, f64>,
    threshold: f64,
    scales: &BoxScales,
) -> BoxDimension {
    fit(field.mapv(|value| value > threshold).view(), scales)
}

fn fit(mask: ArrayView2<'_, bool>, scales: &BoxScales) -> BoxDimension {
    let side = mask.nrows();
    let largest =
        scales.max_box_size.unwrap_or_else(|| default_largest(side, scales)).max(scales.min_box_size);
    let points: Vec<(f64, f64)> = box_sizes(scales.min_box_size, largest, scales.num_scales)
        .into_iter()
        .map(|size| (size, box_count(mask, size)))
        .filter(|&(_, count)| count > 0)
        .map(|(size, count)| ((1.0 / size as f64).ln(), (count as f64).ln()))
        .collect();
    fit_line(&points)
}

/// Half the side, or less when the scales do not reach that far by doubling.
fn default_largest(side: usize, scales: &BoxScales) -> usize {
    let half = if side >= 4 { side / 2 } else { side };
    let doublings = u32::try_from(scales.num_scales.saturating_sub(1)).unwrap_or(u32::MAX);
    let reached = 2usize
        .checked_pow(doublings)
        .and_then(|factor| scales.min_box_size.checked_mul(factor))
        .unwrap_or(usize::MAX);
    reached.min(half)
}

/// Least squares through the points.
fn fit_line(points: &[(f64, f64)]) -> BoxDimension {
    if points.len() < 2 {
        return BoxDimension::default();
    }
    let count = points.len() as f64;
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / count;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / count;
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let slope = covariance / variance;
    let intercept = mean_y - slope * mean_x;
    let residual: f64 = points.iter().map(|(x, y)| (y - (slope * x + intercept)).powi(2)).sum();
    let total: f64 = points.iter().map(|(_, y)| (y - mean_y).powi(2)).sum();
    BoxDimension { dimension: slope, r_squared: if total > 0.0 { 1.0 - residual / total } else { 0.0 } }
}
