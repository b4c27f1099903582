//! The box counting of MFN 4.1, with its faults: sizes cut from a geometric series, one grid of
//! boxes from the top left, and cells beyond the last whole box ignored.

use ndarray::ArrayView2;

use super::{BoxPoint, BoxScales};
use crate::features::mask::{Mask, WORD};

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
    if size == 0 || size > mask.nrows() || size > mask.ncols() { 0 } else { occupied(&Mask::of(mask), size) }
}

fn occupied(mask: &Mask, size: usize) -> u64 {
    let (rows, columns) = mask.dim();
    let mut any_above = vec![0; columns.div_ceil(WORD)];
    let mut count = 0;
    for first_row in (0..rows / size * size).step_by(size) {
        any_above.fill(0);
        for row in first_row..first_row + size {
            any_above.iter_mut().zip(mask.row(row)).for_each(|(any, word)| *any |= word);
        }
        let columns = (0..columns / size * size).step_by(size);
        count += columns.map(|start| u64::from(any_bit(&any_above, start, start + size))).sum::<u64>();
    }
    count
}

/// Whether a bit from `start` to before `end` is set.
fn any_bit(words: &[u64], start: usize, end: usize) -> bool {
    let (first, last) = (start / WORD, (end - 1) / WORD);
    let from = u64::MAX << (start % WORD);
    let upto = u64::MAX >> (WORD - 1 - (end - 1) % WORD);
    if first == last {
        return words[first] & from & upto != 0;
    }
    words[first] & from != 0
        || words[last] & upto != 0
        || words[first + 1..last].iter().any(|&word| word != 0)
}

/// The sizes that MFN 4.1 counts, with the counts that are not 0, by ascending size.
pub(super) fn count(mask: &Mask, scales: &BoxScales) -> Vec<BoxPoint> {
    let side = mask.dim().0;
    let largest =
        scales.max_box_size.unwrap_or_else(|| default_largest(side, scales)).max(scales.min_box_size);
    box_sizes(scales.min_box_size, largest, scales.num_scales)
        .into_iter()
        .map(|size| BoxPoint { size: size as f64, count: occupied(mask, size) })
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
