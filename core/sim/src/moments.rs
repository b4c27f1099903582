//! Moments of a grid in two passes, with sums in a fixed order.
//!
//! The order of summation depends on the shape alone, never on strides or threads, so that a
//! view and its copy give the same bits. Rows are summed on their own and then added up, which
//! keeps the rounding error near that of pairwise summation.

use ndarray::ArrayView2;

use crate::real::Real;

/// Partial sums carried side by side within a row.
const LANES: usize = 8;

/// Extremes, mean and central moments of all cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
    /// Means of the second, third and fourth power of the distance from the mean.
    pub(crate) second: f64,
    pub(crate) third: f64,
    pub(crate) fourth: f64,
}

impl Summary {
    /// Of the cells times `scale`. NaN in a cell makes every number NaN; so does an empty grid.
    pub(crate) fn of<T: Real>(cells: ArrayView2<'_, T>, scale: f64) -> Self {
        let count = cells.len() as f64;
        let [sum] = sum_rows(cells, |value| [value * scale]);
        let mean = sum / count;
        let [second, third, fourth] = sum_rows(cells, |value| {
            let distance = value * scale - mean;
            let square = distance * distance;
            [square, square * distance, square * square]
        })
        .map(|total| total / count);
        let (min, max) = extremes(cells, scale);
        Self { min, max, mean, second, third, fourth }
    }

    /// Population standard deviation.
    pub(crate) fn deviation(&self) -> f64 {
        self.second.sqrt()
    }
}

/// Smallest and largest cell times `scale`; NaN if any cell is NaN or there is none.
fn extremes<T: Real>(cells: ArrayView2<'_, T>, scale: f64) -> (f64, f64) {
    let mut lowest = [f64::INFINITY; LANES];
    let mut highest = [f64::NEG_INFINITY; LANES];
    let mut nan = cells.is_empty();
    for_each_row(cells, |row| {
        for chunk in row.chunks(LANES) {
            for ((low, high), &cell) in lowest.iter_mut().zip(&mut highest).zip(chunk) {
                let value = cell * scale;
                nan |= value.is_nan();
                *low = if value < *low { value } else { *low };
                *high = if value > *high { value } else { *high };
            }
        }
    });
    if nan {
        return (f64::NAN, f64::NAN);
    }
    (lowest.into_iter().fold(f64::INFINITY, f64::min), highest.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

/// Sums of `terms` over all cells: lanes within a row, then rows in order.
fn sum_rows<T: Real, const N: usize>(cells: ArrayView2<'_, T>, terms: impl Fn(f64) -> [f64; N]) -> [f64; N] {
    let mut totals = [0.0; N];
    for_each_row(cells, |row| {
        for (total, row_total) in totals.iter_mut().zip(sum_row(row, &terms)) {
            *total += row_total;
        }
    });
    totals
}

/// Sums of `terms` over a row.
#[inline]
pub(crate) fn sum_row<const N: usize>(row: &[f64], terms: impl Fn(f64) -> [f64; N]) -> [f64; N] {
    let mut lanes = [[0.0; LANES]; N];
    let mut chunks = row.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &value) in chunk.iter().enumerate() {
            for (sums, term) in lanes.iter_mut().zip(terms(value)) {
                sums[lane] += term;
            }
        }
    }
    for (lane, &value) in chunks.remainder().iter().enumerate() {
        for (sums, term) in lanes.iter_mut().zip(terms(value)) {
            sums[lane] += term;
        }
    }
    lanes.map(|lane| lane.iter().sum())
}

/// Shows every row as a slice of `f64`, in order. A row that is not contiguous or of another type is
/// copied first, which is exact.
pub(crate) fn for_each_row<T: Real>(cells: ArrayView2<'_, T>, mut visit: impl FnMut(&[f64])) {
    let mut copy = Vec::new();
    for row in cells.rows() {
        match row.as_slice().and_then(T::as_wide) {
            Some(row) => visit(row),
            None => {
                copy.clear();
                copy.extend(row.iter().map(|cell| cell.wide()));
                visit(&copy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// Guards the moments of a small grid worked out by hand, and the scale.
    #[test]
    fn moments_by_hand() {
        let summary = Summary::of(array![[1.0, 2.0], [3.0, 6.0]].view(), 2.0);
        assert_eq!((summary.min, summary.max, summary.mean), (2.0, 12.0, 6.0));
        assert_eq!((summary.second, summary.third, summary.fourth), (14.0, 36.0, 392.0));
    }

    /// Guards sums over rows longer and shorter than the lanes.
    #[test]
    fn every_cell_is_summed_once() {
        for columns in 0..20 {
            let row: Vec<f64> = (1..=columns).map(f64::from).collect();
            let expected = f64::from(columns * (columns + 1) / 2);
            assert_eq!(sum_row(&row, |value| [value, 1.0]), [expected, f64::from(columns)]);
        }
    }

    /// Guards NaN in any place, and the empty grid.
    #[test]
    fn nan_and_nothing_have_no_extremes() {
        let nan = Summary::of(array![[1.0, f64::NAN], [3.0, 4.0]].view(), 1.0);
        assert!(nan.min.is_nan() && nan.max.is_nan() && nan.mean.is_nan());
        assert!(Summary::of(ndarray::Array2::<f64>::zeros((0, 4)).view(), 1.0).max.is_nan());
    }
}
