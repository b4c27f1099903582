//! Moments of a grid in one stable pass, with sums in a fixed order.
//!
//! The rows are cut, or put together, into blocks that stay in the nearest cache. A block is summed around its own
//! mean, with the correction of the two-pass algorithm (Chan, Golub and LeVeque, 1983) for what the mean was
//! rounded by; blocks are joined in pairs, pairs of pairs and so on (Pebay, 2008). So memory is read once,
//! an offset costs no digits, and the rounding error grows with the logarithm of the number of blocks.
//! The order of summation depends on the shape alone, never on strides, threads or vector registers.

use ndarray::{ArrayView2, s};

use crate::real::Real;
use crate::simd::{DetectedLevel, SimdLevel, Vectorised, vectorised};

/// Partial sums carried side by side within a row.
pub(crate) const LANES: usize = 8;
/// Cells of a block: 16 KiB, half of the smallest nearest cache in use.
const BLOCK_CELLS: usize = 2048;
/// A row of so many cells or more makes blocks of its own: to join them costs less than to copy it.
const LONG_ROW_CELLS: usize = 512;

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
    /// Whether the sum is finite. Then every cell is.
    pub(crate) sum_is_finite: bool,
}

impl Summary {
    /// Of the cells times `scale`. NaN in a cell makes every number NaN; so does an empty grid.
    pub(crate) fn of<T: Real>(cells: ArrayView2<'_, T>, scale: f64) -> Self {
        let mut moments = Moments::new(widest_level(), scale);
        for_each_row(cells, |row| moments.push(row));
        moments.finish()
    }

    /// Population standard deviation.
    pub(crate) fn deviation(&self) -> f64 {
        self.second.sqrt()
    }
}

/// The widest registers of this machine; they do not show in a result.
pub(crate) fn widest_level() -> DetectedLevel {
    SimdLevel::Auto.resolve().unwrap_or(DetectedLevel::BASELINE)
}

/// Sums of some cells.
#[derive(Debug, Clone, Copy)]
struct Part {
    count: f64,
    /// The plain sum, which says whether a cell is NaN or infinite.
    sum: f64,
    /// A number near the mean, and the sum of the distances from it: together the mean to more digits than one
    /// number has.
    centre: f64,
    rest: f64,
    /// Sums of the second to fourth power of the distances from the mean.
    second: f64,
    third: f64,
    fourth: f64,
}

impl Part {
    /// Of two parts together (Pebay, 2008, equations 2.1 and 2.7 to 2.9).
    fn join(self, other: Self) -> Self {
        let (a, b) = (self.count, other.count);
        let count = a + b;
        let between = other.centre - self.centre;
        let distance = between + (other.rest / b - self.rest / a);
        let step = distance / count;
        let square = distance * step * a * b;
        Self {
            count,
            sum: self.sum + other.sum,
            centre: self.centre,
            rest: self.rest + other.rest + b * between,
            second: self.second + other.second + square,
            third: self.third
                + other.third
                + square * step * (a - b)
                + 3.0 * step * (a * other.second - b * self.second),
            fourth: self.fourth
                + other.fourth
                + square * step * step * (a * a - a * b + b * b)
                + 6.0 * step * step * (a * a * other.second + b * b * self.second)
                + 4.0 * step * (a * other.third - b * self.third),
        }
    }

    fn mean(&self) -> f64 {
        if self.sum.is_finite() { self.centre + self.rest / self.count } else { self.sum / self.count }
    }
}

/// Moments of a stream of rows, in constant memory.
pub(crate) struct Moments {
    level: DetectedLevel,
    scale: f64,
    min: f64,
    max: f64,
    /// Blocks seen.
    blocks: u64,
    /// One part for each bit that is set in `blocks`, the largest first, as the digits of a binary counter.
    parts: Vec<Part>,
    /// Short rows that are no block yet.
    waiting: Vec<f64>,
}

impl Moments {
    /// Of the cells times `scale`.
    pub(crate) fn new(level: DetectedLevel, scale: f64) -> Self {
        let parts = Vec::with_capacity(u64::BITS as usize);
        Self {
            level,
            scale,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            blocks: 0,
            parts,
            waiting: Vec::new(),
        }
    }

    /// Takes the next row. Rows that are short are put together to blocks.
    pub(crate) fn push(&mut self, row: &[f64]) {
        if row.len() >= LONG_ROW_CELLS {
            row.chunks(BLOCK_CELLS).for_each(|cells| self.push_block(cells));
            return;
        }
        self.waiting.extend_from_slice(row);
        if self.waiting.len() + row.len() > BLOCK_CELLS {
            self.push_waiting();
        }
    }

    fn push_waiting(&mut self) {
        let cells = std::mem::take(&mut self.waiting);
        if !cells.is_empty() {
            self.push_block(&cells);
        }
        self.waiting = cells;
        self.waiting.clear();
    }

    fn push_block(&mut self, cells: &[f64]) {
        let (mut part, range) = vectorised(self.level, Block { cells, scale: self.scale });
        // A sum is NaN where a cell is, and where both infinities are.
        let has_nan = part.sum.is_nan() && cells.iter().any(|cell| cell.is_nan());
        let [low, high] = if has_nan { [f64::NAN; 2] } else { range };
        // Once NaN, always NaN.
        self.min = if low < self.min || has_nan { low } else { self.min };
        self.max = if high > self.max || has_nan { high } else { self.max };
        let mut joined = self.blocks;
        while joined & 1 == 1 {
            if let Some(left) = self.parts.pop() {
                part = left.join(part);
            }
            joined >>= 1;
        }
        self.parts.push(part);
        self.blocks += 1;
    }

    /// The moments of the rows so far; NaN when there was none.
    pub(crate) fn finish(mut self) -> Summary {
        self.push_waiting();
        let mut parts = self.parts.iter().rev().copied();
        let Some(last) = parts.next() else {
            return Summary {
                min: f64::NAN,
                max: f64::NAN,
                mean: f64::NAN,
                second: f64::NAN,
                third: f64::NAN,
                fourth: f64::NAN,
                sum_is_finite: false,
            };
        };
        let all = parts.fold(last, |right, left| left.join(right));
        Summary {
            min: self.min,
            max: self.max,
            mean: all.mean(),
            second: all.second / all.count,
            third: all.third / all.count,
            fourth: all.fourth / all.count,
            sum_is_finite: all.sum.is_finite(),
        }
    }
}

/// The sums and the range of one block, which is not empty.
struct Block<'a> {
    cells: &'a [f64],
    scale: f64,
}

impl Vectorised for Block<'_> {
    type Output = (Part, [f64; 2]);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self { cells, scale } = self;
        let count = cells.len() as f64;
        let mut range = [[f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]];
        let mut sums = [0.0; LANES];
        let mut chunks = cells.chunks_exact(LANES);
        for chunk in &mut chunks {
            add_values(&mut sums, &mut range, chunk, scale);
        }
        add_values(&mut sums, &mut range, chunks.remainder(), scale);
        let sum = total(sums);
        let centre = sum / count;
        let [first, second] = sum_powers::<false>(cells, scale, centre);
        let [third, fourth] = sum_powers::<true>(cells, scale, centre);
        // What the centre was rounded by.
        let error = first / count;
        let part = Part {
            count,
            sum,
            centre,
            rest: first,
            second: second - error * first,
            third: third - 3.0 * error * second + 2.0 * error * error * first,
            fourth: fourth - 4.0 * error * third + 6.0 * error * error * second
                - 3.0 * error * error * error * first,
        };
        let lowest = range[0].into_iter().fold(f64::INFINITY, f64::min);
        let highest = range[1].into_iter().fold(f64::NEG_INFINITY, f64::max);
        (part, [lowest, highest])
    }
}

#[inline(always)]
pub(crate) fn total(lanes: [f64; LANES]) -> f64 {
    lanes.iter().sum()
}

/// Adds up to one cell to each lane of the sums and of the lowest and highest values.
#[inline(always)]
fn add_values(sums: &mut [f64; LANES], range: &mut [[f64; LANES]; 2], cells: &[f64], scale: f64) {
    let [low, high] = range;
    for (lane, &cell) in cells.iter().enumerate().take(LANES) {
        let value = cell * scale;
        sums[lane] += value;
        low[lane] = if value < low[lane] { value } else { low[lane] };
        high[lane] = if value > high[lane] { value } else { high[lane] };
    }
}

/// The distance from the centre and its square, or its third and fourth power.
#[inline(always)]
fn powers<const HIGH: bool>(distance: f64) -> [f64; 2] {
    let square = distance * distance;
    if HIGH { [square * distance, square * square] } else { [distance, square] }
}

/// Sums of [`powers`]. The compiler turns a loop with two sums into vectors and one with four not.
#[inline(always)]
fn sum_powers<const HIGH: bool>(cells: &[f64], scale: f64, centre: f64) -> [f64; 2] {
    let [mut odd, mut even] = [[0.0; LANES]; 2];
    let mut chunks = cells.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &cell) in chunk.iter().enumerate() {
            let terms = powers::<HIGH>(cell * scale - centre);
            odd[lane] += terms[0];
            even[lane] += terms[1];
        }
    }
    for (lane, &cell) in chunks.remainder().iter().enumerate() {
        let terms = powers::<HIGH>(cell * scale - centre);
        odd[lane] += terms[0];
        even[lane] += terms[1];
    }
    [odd, even].map(total)
}

/// Shows every row as a slice of `f64`, in order. Rows that are not contiguous or of another type are
/// copied first, which is exact; of a grid that is stored by columns several at once, so that each line of the cache is
/// read once.
pub(crate) fn for_each_row<T: Real>(cells: ArrayView2<'_, T>, mut visit: impl FnMut(&[f64])) {
    let (rows, columns) = cells.dim();
    let mut copy = Vec::new();
    let mut first = 0;
    while first < rows {
        if let Some(row) = cells.row(first).as_slice() {
            first += 1;
            match T::as_wide(row) {
                Some(row) => visit(row),
                None => {
                    copy.clear();
                    copy.extend(row.iter().map(|cell| cell.wide()));
                    visit(&copy);
                }
            }
            continue;
        }
        let together = LANES.min(rows - first);
        copy.resize(together * columns, 0.0);
        for (column, cells) in cells.slice(s![first..first + together, ..]).columns().into_iter().enumerate()
        {
            for (row, cell) in cells.iter().enumerate() {
                copy[row * columns + column] = cell.wide();
            }
        }
        copy.chunks_exact(columns).for_each(&mut visit);
        first += together;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    /// Guards the moments of a small grid worked out by hand, and the scale.
    #[test]
    fn moments_by_hand() {
        let summary = Summary::of(array![[1.0, 2.0], [3.0, 6.0]].view(), 2.0);
        assert_eq!((summary.min, summary.max, summary.mean), (2.0, 12.0, 6.0));
        assert_eq!((summary.second, summary.third, summary.fourth), (14.0, 36.0, 392.0));
    }

    /// Guards the claim that the registers do not show in a result, for rows of every remainder and of several blocks.
    #[test]
    fn registers_do_not_show() {
        for columns in (1..40).chain([2047, 2048, 2049, 5000]) {
            let cells = Array2::from_shape_fn((7, columns), |(row, column)| {
                -0.06 + 0.01 * ((row * 97 + column * 31) as f64).sin()
            });
            let of_level = |level: SimdLevel| {
                let mut moments = Moments::new(level.resolve().expect("available"), 1000.0);
                cells.rows().into_iter().for_each(|row| moments.push(row.to_slice().expect("a row")));
                let Summary { min, max, mean, second, third, fourth, .. } = moments.finish();
                [min, max, mean, second, third, fourth].map(f64::to_bits)
            };
            for level in SimdLevel::available() {
                assert_eq!(of_level(level), of_level(SimdLevel::Baseline), "{columns} columns, {level:?}");
            }
        }
    }

    /// Guards the digits of the moments under an offset a million times the deviation, which would cost sums of
    /// powers all of them: cells at -1 and 2, in thirds, have the moments 2, 2 and 6.
    #[test]
    fn an_offset_costs_no_digits() {
        for offset in [0.0, 1e6, -1e9] {
            let cells = Array2::from_shape_fn((300, 700), |(row, column)| {
                offset + if (row + column) % 3 == 0 { 2.0 } else { -1.0 }
            });
            let summary = Summary::of(cells.view(), 1.0);
            assert!(
                (summary.mean - offset).abs() <= 1e-16 * offset.abs() + 1e-15,
                "{} for {offset}",
                summary.mean
            );
            assert_eq!((summary.min, summary.max), (offset - 1.0, offset + 2.0));
            for (found, expected) in [(summary.second, 2.0), (summary.third, 2.0), (summary.fourth, 6.0)] {
                assert!((found - expected).abs() < 1e-13 * expected, "{offset}: {found} for {expected}");
            }
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
