//! From cells to base cells: an extent of any side divided into a whole number of equal parts, on bits.
//!
//! A part is one or two cells wide. Cells of one part are ORed, and the bits that are left are moved together for
//! 64 columns at a time.

use super::bits::BitGrid;
use crate::features::mask::{Extent, Mask, WORD};

/// The base cells that hold an active cell, `parts` of them along the longer side of the extent, at least half as many
/// as it has cells, for boxes of up to `box_size` base cells.
pub(super) fn base_cells(mask: &Mask, extent: Extent, parts: usize, box_size: usize) -> BitGrid {
    let side = extent.side();
    let division = Division { side, parts };
    let mut base =
        BitGrid::zeros(division.parts_of(extent.rows), division.parts_of(extent.columns), box_size);
    let gathers = division.gathers(extent.columns);
    let mut line = vec![0; extent.columns.div_ceil(WORD)];
    for row in 0..extent.rows {
        copy_bits(mask.row(extent.row + row), extent.column, extent.columns, &mut line);
        let target = base.row_mut(division.part_of(row));
        if parts == side {
            target.iter_mut().zip(&line).for_each(|(target, word)| *target |= word);
        } else {
            gather_row(&gathers, &line, target);
        }
    }
    base
}

/// A side of so many cells divided into so many parts.
#[derive(Clone, Copy)]
struct Division {
    side: usize,
    parts: usize,
}

impl Division {
    /// The part in which the middle of a cell lies. The second half mirrors the first also where
    /// a middle lies between two parts.
    fn part_of(self, index: usize) -> usize {
        let Self { side, parts } = self;
        let first_half = |index: usize| (2 * index + 1) * parts / (2 * side);
        if 2 * index < side { first_half(index) } else { parts - 1 - first_half(side - 1 - index) }
    }

    /// The parts that the first cells take.
    fn parts_of(self, cells: usize) -> usize {
        self.part_of(cells - 1) + 1
    }

    /// How the words of a row of so many columns are gathered.
    fn gathers(self, columns: usize) -> Vec<Gather> {
        let joins_next =
            |column: usize| column + 1 < columns && self.part_of(column) == self.part_of(column + 1);
        let begins = |column: usize| column < columns && (column == 0 || !joins_next(column - 1));
        let word = |start: usize, bit: &dyn Fn(usize) -> bool| {
            (0..WORD).fold(0, |word, place| word | u64::from(bit(start + place)) << place)
        };
        (0..columns)
            .step_by(WORD)
            .map(|start| Gather::new(word(start, &begins), word(start, &joins_next)))
            .collect()
    }
}

/// Takes bits out of a word and moves them together at its low end (Warren, Hacker's Delight, 2012, section 7-4).
struct Gather {
    /// The bits that are taken: the first of each part.
    taken: u64,
    /// The bits that belong to the part of the next one.
    joined: u64,
    /// The bits that move by 1, 2, 4, ... places.
    moves: [u64; 6],
}

impl Gather {
    fn new(taken: u64, joined: u64) -> Self {
        let mut moves = [0; 6];
        let mut left = taken;
        // The bits that have an odd number of bits to pass on their right, halved in every round.
        let mut passed = !taken << 1;
        for (round, moved) in moves.iter_mut().enumerate() {
            let mut odd = passed;
            for doubling in 0..6 {
                odd ^= odd << (1 << doubling);
            }
            *moved = odd & left;
            left = (left ^ *moved) | *moved >> (1 << round);
            passed &= !odd;
        }
        Self { taken, joined, moves }
    }

    #[inline]
    fn apply(&self, word: u64, next: u64) -> u64 {
        let mut word = (word | ((word >> 1 | next << (WORD - 1)) & self.joined)) & self.taken;
        for (round, moved) in self.moves.iter().enumerate() {
            let bits = word & moved;
            word = (word ^ bits) | bits >> (1 << round);
        }
        word
    }
}

/// ORs the gathered bits of a row, one after the other, to the target.
fn gather_row(gathers: &[Gather], line: &[u64], target: &mut [u64]) {
    let mut column = 0;
    for (index, gather) in gathers.iter().enumerate() {
        let bits = gather.apply(line[index], line.get(index + 1).copied().unwrap_or(0));
        let (word, shift) = (column / WORD, column % WORD);
        target[word] |= bits << shift;
        let beyond = bits >> 1 >> (WORD - 1 - shift);
        if beyond != 0 {
            target[word + 1] |= beyond;
        }
        column += gather.taken.count_ones() as usize;
    }
}

/// Copies `count` bits that begin at `start`; the unused bits of the last word become 0.
fn copy_bits(from: &[u64], start: usize, count: usize, to: &mut [u64]) {
    let (first, shift) = (start / WORD, start % WORD);
    for (index, word) in to.iter_mut().enumerate() {
        let next = from.get(first + index + 1).copied().unwrap_or(0);
        // Shifted in two steps, so that no shift is as long as the word.
        *word = from[first + index] >> shift | next << 1 << (WORD - 1 - shift);
    }
    if let (Some(last), true) = (to.last_mut(), !count.is_multiple_of(WORD)) {
        *last &= (1 << (count % WORD)) - 1;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// Guards the gathering of bits against base cells set one by one, for every side up to 140 cells and some longer
    /// ones, for masks of several densities that do not begin at a word.
    #[test]
    fn base_cells_are_those_of_the_definition() {
        for side in (1..140_usize).chain([255, 256, 257, 500, 1023]) {
            let (rows, columns) = if side % 2 == 0 { (side, side / 2 + 1) } else { (3.min(side), side) };
            let parts = 1 << side.ilog2();
            for density in [2, 7] {
                let offset = side * density % 70;
                let inside = Array2::from_shape_fn((rows, columns), |(row, column)| {
                    let corner = row % (rows - 1).max(1) == 0 && column % (columns - 1).max(1) == 0;
                    corner || (row * row * 31 + column * column * 17 + row * column).is_multiple_of(density)
                });
                let mut cells = Array2::from_elem((rows + 2, columns + offset + 1), false);
                cells.slice_mut(ndarray::s![1..=rows, offset..offset + columns]).assign(&inside);
                let mask = Mask::of(cells.view());
                let extent = Extent { row: 1, column: offset, rows, columns };
                assert_eq!(mask.extent(), Some(extent));
                let mut found = base_cells(&mask, extent, parts, 1);
                let division = Division { side, parts };
                let mut expected = BitGrid::zeros(division.parts_of(rows), division.parts_of(columns), 1);
                for ((row, column), _) in inside.indexed_iter().filter(|(_, active)| **active) {
                    let column = division.part_of(column);
                    expected.row_mut(division.part_of(row))[column / WORD] |= 1 << (column % WORD);
                }
                for row in 0..division.parts_of(rows) {
                    assert_eq!(found.row_mut(row), expected.row_mut(row), "side {side}, row {row}");
                }
            }
        }
    }
}
