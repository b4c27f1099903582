//! The gliding boxes over a mask of bits.
//!
//! One bit for each cell makes the box counting of all offsets affordable: a step from boxes of side m
//! to boxes of side 2 m is two shifted ORs over the words, and the counts of a lattice are added up for 64 columns
//! at a time.

use std::ops::Range;

use crate::features::mask::WORD;
use crate::simd::{DetectedLevel, Vectorised, vectorised};

/// Words that are added up bit by bit before they are counted: as many as three bits can say.
const GROUP: usize = 7;

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

    /// The words of a row.
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [u64] {
        &mut self.words[row * self.words_per_row..][..self.words_per_row]
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
    pub(super) fn fewest_on_a_lattice(&self, level: DetectedLevel, size: usize) -> u64 {
        let (row_offsets, column_offsets) = (offsets(self.inner.0, size), offsets(self.inner.1, size));
        // Where the spacing divides a word, all words of a row count alike.
        let places = if WORD.is_multiple_of(size) { WORD } else { self.words_per_row * WORD };
        let mut counts = vec![0; places];
        let mut fewest = u64::MAX;
        for first in row_offsets {
            counts.fill(0);
            vectorised(level, CountBits { grid: self, first, step: size, counts: &mut counts });
            for offset in column_offsets.clone() {
                let boxes = counts[offset..].iter().step_by(size).map(|&count| u64::from(count)).sum();
                fewest = fewest.min(boxes);
            }
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

/// Adds the set bits of every `step`th row by column, or, with 64 counts, by column modulo 64.
struct CountBits<'a> {
    grid: &'a BitGrid,
    first: usize,
    step: usize,
    counts: &'a mut [u32],
}

impl Vectorised for CountBits<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { grid, first, step, counts } = self;
        let rows = grid.words.chunks_exact(grid.words_per_row).skip(first).step_by(step);
        if let Ok(counts) = <&mut [u32; WORD]>::try_from(&mut *counts) {
            for row in rows {
                for words in row.chunks(GROUP) {
                    add_bits(counts, words);
                }
            }
        } else {
            for (word, counts) in counts.as_chunks_mut::<WORD>().0.iter_mut().enumerate() {
                let mut group = [0; GROUP];
                let mut filled = 0;
                for row in rows.clone() {
                    group[filled] = row[word];
                    filled += 1;
                    if filled == GROUP {
                        add_bits(counts, &group);
                        filled = 0;
                    }
                }
                add_bits(counts, &group[..filled]);
            }
        }
    }
}

/// Adds every bit of up to [`GROUP`] words to its count.
#[inline(always)]
fn add_bits(counts: &mut [u32; WORD], words: &[u64]) {
    if let &[a, b, c, d, e, f, g] = words {
        let (ones, first) = add_words(a, b, c);
        let (ones, second) = add_words(ones, d, e);
        let (ones, third) = add_words(ones, f, g);
        let (twos, fours) = add_words(first, second, third);
        add_word(counts, ones, 0);
        add_word(counts, twos, 1);
        add_word(counts, fours, 2);
    } else {
        for &word in words {
            add_word(counts, word, 0);
        }
    }
}

/// The sum of three bits in every place: its low and its high bit.
#[inline(always)]
fn add_words(a: u64, b: u64, c: u64) -> (u64, u64) {
    let differ = a ^ b;
    (differ ^ c, (a & b) | (differ & c))
}

/// Adds every bit of a word to its count, 2^`weight` times.
#[inline(always)]
fn add_word(counts: &mut [u32; WORD], word: u64, weight: u32) {
    let (low, high) = counts.split_at_mut(WORD / 2);
    for (half, counts) in [(word as u32, low), ((word >> 32) as u32, high)] {
        for (place, count) in counts.iter_mut().enumerate() {
            *count += (half >> place & 1) << weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::SimdLevel;

    /// Guards the counts of a lattice at every level against bits looked at one by one, for spacings that divide a word and
    /// others, on grids of less than a word of columns to several.
    #[test]
    fn lattices_are_counted_bit_by_bit() {
        for (rows, columns) in [(1, 1), (9, 30), (40, 64), (70, 131), (3, 400)] {
            for size in [1, 2, 3, 8, 9, 27, 64, 81, 128] {
                let mut grid = BitGrid::zeros(rows, columns, size);
                let (all_rows, all_columns) = (grid.rows, grid.columns);
                let is_set =
                    |row: usize, column: usize| (row * row * 7 + column * column * 3 + row * column) % 5 < 2;
                for row in 0..all_rows {
                    for column in (0..all_columns).filter(|&column| is_set(row, column)) {
                        grid.row_mut(row)[column / WORD] |= 1 << (column % WORD);
                    }
                }
                let fewest = offsets(rows, size)
                    .flat_map(|a| offsets(columns, size).map(move |b| (a, b)))
                    .map(|(a, b)| {
                        let rows = (a..all_rows).step_by(size);
                        rows.map(|row| (b..all_columns).step_by(size).filter(|&c| is_set(row, c)).count())
                            .sum()
                    })
                    .min();
                for level in SimdLevel::available() {
                    let found = grid.fewest_on_a_lattice(level.resolve().expect("available"), size) as usize;
                    assert_eq!(Some(found), fewest, "{rows} x {columns}, spacing {size}, {level:?}");
                }
            }
        }
    }
}
