//! The box counting of MFN 4.1, with its faults: sizes cut from a geometric series, one grid of
//! boxes from the top left, and cells beyond the last whole box ignored.

use ndarray::ArrayView2;

use super::{BoxPoint, BoxScales};

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
    occupied(mask, |active| active, size)
}

fn occupied<T: Copy>(cells: ArrayView2<'_, T>, active: impl Fn(T) -> bool, size: usize) -> u64 {
    let (rows, columns) = cells.dim();
    if size == 0 {
        return 0;
    }
    let covered = columns / size * size;
    let mut any_above = vec![false; covered];
    let mut count = 0;
    for first_row in (0..rows / size * size).step_by(size) {
        any_above.fill(false);
        for row in first_row..first_row + size {
            for (any, &cell) in any_above.iter_mut().zip(cells.row(row)) {
                *any |= active(cell);
            }
        }
        count += any_above.chunks_exact(size).filter(|columns| columns.contains(&true)).count() as u64;
    }
    count
}

/// The sizes that MFN 4.1 counts, with the counts that are not 0, by ascending size.
pub(super) fn count<T: Copy>(
    cells: ArrayView2<'_, T>,
    active: impl Fn(T) -> bool,
    scales: &BoxScales,
) -> Vec<BoxPoint> {
    let side = cells.nrows();
    let largest =
        scales.max_box_size.unwrap_or_else(|| default_largest(side, scales)).max(scales.min_box_size);
    box_sizes(scales.min_box_size, largest, scales.num_scales)
        .into_iter()
        .map(|size| BoxPoint { size: size as f64, count: occupied(cells, &active, size) })
        .filter(|point| point.count > 0)
        .collect()
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
