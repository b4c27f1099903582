//! A mask with 64 cells in a word, and the gliding boxes over it.
//!
//! One bit per cell makes the box counting of all offsets affordable: a step from boxes of side m
//! to boxes of side 2 m is two shifted ORs over the words.

use std::ops::Range;

use ndarray::ArrayView2;

/// Bits in a word.
const WORD: usize = 64;

/// A grid of bits, row by row, with room below and to the right for boxes that end beyond it. The
/// unused bits of the last word of a row are 0.
#[derive(Debug, Clone)]
pub(super) struct BitGrid {
    /// Rows and columns without the room.
    inner: (usize, usize),
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
    /// Of the cells for which `active` holds; `None` when there is none.
    pub(super) fn of<T: Copy>(cells: ArrayView2<'_, T>, active: impl Fn(T) -> bool) -> Option<Self> {
        let (mut top, mut bottom) = (None, 0);
        let (mut left, mut right) = (usize::MAX, 0);
        for (index, row) in cells.rows().into_iter().enumerate() {
            let Some(first) = row.iter().position(|&cell| active(cell)) else { continue };
            let last = row.iter().rposition(|&cell| active(cell)).unwrap_or(first);
            top = top.or(Some(index));
            bottom = index;
            left = left.min(first);
            right = right.max(last);
        }
        let top = top?;
        Some(Self { row: top, column: left, rows: bottom - top + 1, columns: right - left + 1 })
    }

    /// The longer side.
    pub(super) fn side(&self) -> usize {
        self.rows.max(self.columns)
    }
}

impl BitGrid {
    /// Of `rows` x `columns` zeros, for boxes of up to `box_size` bits on a side.
    pub(super) fn zeros(rows: usize, columns: usize, box_size: usize) -> Self {
        // A box that holds all rows is already complete at the last one: no more room is needed.
        let with_room = |length: usize| length + box_size.min(length) - 1;
        let inner = (rows, columns);
        let (rows, columns) = (with_room(rows), with_room(columns));
        let words_per_row = columns.div_ceil(WORD);
        Self { inner, rows, columns, words_per_row, words: vec![0; rows * words_per_row] }
    }

    pub(super) fn set(&mut self, row: usize, column: usize) {
        self.words[row * self.words_per_row + column / WORD] |= 1 << (column % WORD);
    }

    /// With every bit the OR of itself and its three neighbours `reach` rows up and columns to the
    /// left. If a bit said whether the box that ends there, of a side of at least `reach`, holds
    /// anything, it now says so of the box that is longer by `reach`.
    pub(super) fn extend_boxes(&mut self, reach: usize) {
        for row in self.words.chunks_exact_mut(self.words_per_row) {
            or_shifted_left(row, reach);
        }
        for row in (reach..self.rows).rev() {
            let (above, here) = self.words.split_at_mut(row * self.words_per_row);
            let above = &above[(row - reach) * self.words_per_row..][..self.words_per_row];
            for (word, &other) in here[..self.words_per_row].iter_mut().zip(above) {
                *word |= other;
            }
        }
        // The shift may have set bits beyond the last column.
        if !self.columns.is_multiple_of(WORD) {
            let used = (1 << (self.columns % WORD)) - 1;
            for row in self.words.chunks_exact_mut(self.words_per_row) {
                row[self.words_per_row - 1] &= used;
            }
        }
    }

    /// The smallest number of set bits over the lattices of spacing `size`: bits (row, column) with row = a and column = b modulo `size`, for all a and b below it.
    pub(super) fn fewest_on_a_lattice(&self, size: usize) -> u64 {
        let (row_offsets, column_offsets) = (offsets(self.inner.0, size), offsets(self.inner.1, size));
        let mut counts = vec![0_u64; size];
        let mut fewest = u64::MAX;
        for first in row_offsets {
            counts.fill(0);
            for row in (first..self.rows).step_by(size) {
                let words = &self.words[row * self.words_per_row..][..self.words_per_row];
                if WORD.is_multiple_of(size) {
                    count_in_words(words, &mut counts)
                } else {
                    count_bits(words, &mut counts)
                }
            }
            fewest = counts[column_offsets.clone()].iter().copied().fold(fewest, u64::min);
        }
        fewest
    }
}

/// The offsets of boxes of `size` along an axis of `length` bits that can give the fewest boxes:
/// where one box holds them all, any other place is no better.
fn offsets(length: usize, size: usize) -> Range<usize> {
    if size >= length { length - 1..length } else { 0..size }
}

/// ORs a row with itself moved `shift` bits towards higher columns.
fn or_shifted_left(row: &mut [u64], shift: usize) {
    let (words, bits) = (shift / WORD, shift % WORD);
    for index in (words..row.len()).rev() {
        let mut moved = row[index - words] << bits;
        if bits > 0 && index > words {
            moved |= row[index - words - 1] >> (WORD - bits);
        }
        row[index] |= moved;
    }
}

/// Adds the set bits by column modulo the number of counts, a divisor of 64.
fn count_in_words(words: &[u64], counts: &mut [u64]) {
    let comb = (0..WORD).step_by(counts.len()).fold(0_u64, |comb, bit| comb | 1 << bit);
    for (offset, count) in counts.iter_mut().enumerate() {
        let teeth = comb << offset;
        *count += words.iter().map(|word| u64::from((word & teeth).count_ones())).sum::<u64>();
    }
}

/// Adds the set bits by column modulo the number of counts.
fn count_bits(words: &[u64], counts: &mut [u64]) {
    let size = counts.len();
    for (index, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            let column = index * WORD + rest.trailing_zeros() as usize;
            counts[column % size] += 1;
            rest &= rest - 1;
        }
    }
}
