//! Masks with 64 cells in a word: what every count over active cells is taken from.
//!
//! A mask of a grid is a sixty-fourth of it in memory and stays in cache, and a word says at once what 64 cells are.

use ndarray::ArrayView2;

use crate::moments::{for_each_row, widest_level};
use crate::real::Real;
use crate::simd::{DetectedLevel, Vectorised, vectorised};

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
        let level = widest_level();
        let mut mask = Self::with_room(cells.nrows(), cells.ncols());
        let mut copy = Vec::new();
        for row in cells.rows() {
            let row = row.as_slice().unwrap_or_else(|| {
                copy.clear();
                copy.extend(row.iter().copied());
                &copy
            });
            mask.push(level, row, |cell| cell);
        }
        mask
    }

    /// Appends a row: the cells above `threshold`.
    pub(super) fn push_above(&mut self, level: DetectedLevel, row: &[f64], threshold: f64) {
        self.push(level, row, |cell| cell > threshold);
    }

    fn push<T: Copy>(&mut self, level: DetectedLevel, row: &[T], active: impl Fn(T) -> bool) {
        let start = self.words.len();
        self.words.resize(start + self.words_per_row, 0);
        vectorised(level, Pack { cells: row, active, words: &mut self.words[start..] });
        self.rows += 1;
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

/// Packs a row of cells into words.
struct Pack<'a, T, F> {
    cells: &'a [T],
    active: F,
    words: &'a mut [u64],
}

impl<T: Copy, F: Fn(T) -> bool> Vectorised for Pack<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { cells, active, words } = self;
        let chunks = cells.chunks_exact(WORD);
        let rest = chunks.remainder();
        for (word, cells) in words.iter_mut().zip(chunks) {
            for byte in 0..WORD / 8 {
                let mut bits = 0;
                for bit in 0..8 {
                    bits |= u8::from(active(cells[8 * byte + bit])) << bit;
                }
                *word |= u64::from(bits) << (8 * byte);
            }
        }
        if let (Some(word), false) = (words.last_mut(), rest.is_empty()) {
            for (bit, &cell) in rest.iter().enumerate() {
                *word |= u64::from(active(cell)) << bit;
            }
        }
    }
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
