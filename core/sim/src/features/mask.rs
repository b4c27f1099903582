//! Masks with 64 cells in a word: what every count over active cells is taken from.
//!
//! A mask of a grid is a sixty-fourth of it in memory and stays in cache, and a word says at once what 64 cells are.

use ndarray::ArrayView2;

use crate::moments::{for_each_row, widest_level};
use crate::real::Real;
use crate::simd::{DetectedLevel, LaneWork, Lanes, Vector, on_lanes};

/// Bits in a word.
pub(super) const WORD: usize = 64;

/// A grid of bits, row by row. Column c is bit c % 64 of word c / 64 of its row; the unused bits of the last word
/// of a row are 0.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    rows: usize,
    columns: usize,
    words_per_row: usize,
    words: Vec<u64>,
}

/// The smallest rectangle that holds the active cells: first row and column, rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Extent {
    /// The longer side.
    pub(super) fn side(&self) -> usize {
        self.rows.max(self.columns)
    }
}

impl Mask {
    /// Without rows yet, with room for `rows` rows of at least one column.
    pub(super) fn with_room(rows: usize, columns: usize) -> Self {
        let words_per_row = columns.div_ceil(WORD);
        Self { rows: 0, columns, words_per_row, words: Vec::with_capacity(rows * words_per_row) }
    }

    /// The cells above `threshold`, in the unit of the field. NaN is not above.
    pub(super) fn above<T: Real>(field: ArrayView2<'_, T>, threshold: f64) -> Self {
        let level = widest_level();
        let mut mask = Self::with_room(field.nrows(), field.ncols());
        for_each_row(field, |row| mask.push_above(level, row, threshold));
        mask
    }

    /// The cells that are true.
    pub(super) fn of(cells: ArrayView2<'_, bool>) -> Self {
        let mut mask = Self::with_room(cells.nrows(), cells.ncols());
        let mut copy = Vec::new();
        for row in cells.rows() {
            let row = row.as_slice().unwrap_or_else(|| {
                copy.clear();
                copy.extend(row.iter().copied());
                &copy
            });
            let words = mask.push_row().iter_mut();
            words.zip(row.chunks(WORD)).for_each(|(word, cells)| *word = bits_of(cells));
        }
        mask
    }

    /// Appends a row: the cells above `threshold`.
    pub(super) fn push_above(&mut self, level: DetectedLevel, row: &[f64], threshold: f64) {
        on_lanes(level, PackAbove { row, threshold, words: self.push_row() });
    }

    /// Appends a row of zeros and gives its words.
    fn push_row(&mut self) -> &mut [u64] {
        let start = self.words.len();
        self.words.resize(start + self.words_per_row, 0);
        self.rows += 1;
        &mut self.words[start..]
    }

    /// The active cells.
    pub(super) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Rows and columns.
    pub(super) fn dim(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The words of a row.
    pub(super) fn row(&self, row: usize) -> &[u64] {
        &self.words[row * self.words_per_row..][..self.words_per_row]
    }

    /// The words of every row, in order.
    pub(super) fn row_words(&self) -> impl DoubleEndedIterator<Item = &[u64]> + ExactSizeIterator {
        self.words.chunks_exact(self.words_per_row)
    }

    /// The smallest rectangle that holds the active cells; `None` when there is none.
    pub(super) fn extent(&self) -> Option<Extent> {
        let is_used = |row: &[u64]| row.iter().any(|&word| word != 0);
        let top = self.row_words().position(is_used)?;
        let bottom = self.row_words().rposition(is_used)?;
        let mut any = vec![0; self.words_per_row];
        for row in self.row_words() {
            any.iter_mut().zip(row).for_each(|(any, word)| *any |= word);
        }
        let first = any.iter().position(|&word| word != 0)?;
        let last = any.iter().rposition(|&word| word != 0)?;
        let left = first * WORD + any[first].trailing_zeros() as usize;
        let right = (last + 1) * WORD - 1 - any[last].leading_zeros() as usize;
        Some(Extent { row: top, column: left, rows: bottom - top + 1, columns: right - left + 1 })
    }
}

/// Packs the cells of a row that are above a threshold into words. On registers: for AVX-512 a plain loop over the
/// cells is compiled to gathers of cells 64 apart, which on Zen 5 take twice as long as all that follows.
struct PackAbove<'a> {
    row: &'a [f64],
    threshold: f64,
    words: &'a mut [u64],
}

impl LaneWork<f64> for PackAbove<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<f64>>(self, lanes: Lanes<V>) {
        let Self { row, threshold, words } = self;
        let (whole, rest) = row.as_chunks::<WORD>();
        for (word, cells) in words.iter_mut().zip(whole) {
            *word = bits_above(lanes, cells, threshold);
        }
        if let (Some(word), false) = (words.last_mut(), rest.is_empty()) {
            *word = bits_above(lanes, rest, threshold);
        }
    }
}

/// Which of at most [`WORD`] cells are above the threshold. By eights, the most lanes there are, so that
/// the loops are unrolled at every level.
#[inline(always)]
fn bits_above<V: Vector<f64>>(lanes: Lanes<V>, cells: &[f64], threshold: f64) -> u64 {
    let limit = lanes.splat(threshold);
    let (eights, rest) = cells.as_chunks::<8>();
    let mut bits = 0;
    for (index, eight) in eights.iter().enumerate() {
        let mut byte = 0;
        for (part, chunk) in V::chunks(eight).iter().enumerate() {
            byte |= V::bits(lanes.load(chunk).above(limit)) << (part * V::LANES);
        }
        bits |= byte << (8 * index);
    }
    for (index, &cell) in rest.iter().enumerate() {
        bits |= u64::from(cell > threshold) << (8 * eights.len() + index);
    }
    bits
}

/// Which of at most [`WORD`] cells are true.
fn bits_of(cells: &[bool]) -> u64 {
    // Moves the lowest bit of byte i to bit 56 + i; no two bits meet on the way.
    const LOWEST_BITS: u64 = 0x0102_0408_1020_4080;
    let (eights, rest) = cells.as_chunks::<8>();
    let mut bits = 0;
    for (index, eight) in eights.iter().enumerate() {
        let bytes = u64::from_le_bytes(eight.map(u8::from));
        bits |= (bytes.wrapping_mul(LOWEST_BITS) >> 56) << (8 * index);
    }
    for (index, &cell) in rest.iter().enumerate() {
        bits |= u64::from(cell) << (8 * eights.len() + index);
    }
    bits
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::simd::SimdLevel;

    /// Guards the packing at every level against the cells one by one, for rows of less than a word to several, with
    /// cells at the threshold and NaN.
    #[test]
    fn bits_are_the_cells() {
        for columns in 1..200 {
            let values = [0.5, 0.75, f64::NAN, 0.25, -0.5, 1.0, f64::INFINITY];
            let cells =
                Array2::from_shape_fn((3, columns), |(row, column)| values[(row + column * column) % 7]);
            let mut expected: Vec<u64> = vec![0; 3 * columns.div_ceil(WORD)];
            for ((row, column), _) in cells.indexed_iter().filter(|(_, cell)| **cell > 0.5) {
                expected[row * columns.div_ceil(WORD) + column / WORD] |= 1 << (column % WORD);
            }
            for level in SimdLevel::available() {
                let level = level.resolve().expect("available");
                let mut mask = Mask::with_room(3, columns);
                for row in cells.rows() {
                    mask.push_above(level, row.to_slice().expect("a row"), 0.5);
                }
                assert_eq!(mask.words, expected, "{columns} columns, {level:?}");
            }
            assert_eq!(Mask::of(cells.mapv(|cell| cell > 0.5).view()).words, expected);
            assert_eq!(Mask::above(cells.mapv(|cell| cell as f32).view(), 0.5).words, expected);
        }
    }
}
