//! Lacunarity: how unevenly the mass of the pattern is spread, by gliding box (Allain and Cloitre, 1991).
//!
//! A box glides over every place of the grid where it fits, on an axis that wraps over every place. With the mass m
//! of the pattern in the box, the lacunarity is the mean of m^2 over the square of the mean of m. It is 1 when all
//! boxes hold the same mass and grows with the gaps.

use super::pattern::Pattern;

/// The lacunarity for boxes of `size` x `size` cells; NaN when the box does not fit or there is no pattern. The
/// sums are exact, so that only the last division rounds.
pub(super) fn lacunarity(pattern: &Pattern, size: usize) -> f64 {
    let (rows, cols) = (pattern.rows, pattern.cols);
    if size > rows.min(cols) {
        return f64::NAN;
    }
    let places = |length: usize, wraps: bool| if wraps { length } else { length - size + 1 };
    let (row_places, col_places) = (places(rows, pattern.wrap_rows), places(cols, pattern.wrap_cols));
    // The mass of each column within the rows that the box covers.
    let mut columns = vec![0u64; cols];
    for row in 0..size {
        for (sum, &cell) in columns.iter_mut().zip(pattern.row(row)) {
            *sum += u64::from(cell);
        }
    }
    let (mut first, mut second) = (0u64, 0u128);
    for row in 0..row_places {
        let mut mass: u64 = columns[..size].iter().sum();
        for col in 0..col_places {
            first += mass;
            second += u128::from(mass * mass);
            mass = mass - columns[col] + columns[(col + size) % cols];
        }
        let (leaving, entering) = (pattern.row(row), pattern.row((row + size) % rows));
        for ((sum, &out), &new) in columns.iter_mut().zip(leaving).zip(entering) {
            *sum = *sum - u64::from(out) + u64::from(new);
        }
    }
    let boxes = (row_places * col_places) as f64;
    // 0 / 0 without a pattern.
    boxes * (second as f64 / first as f64) / first as f64
}
