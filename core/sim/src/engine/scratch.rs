//! The buffers of a lane: for every step of a block the rows that the next step reads.
//!
//! They are what stays in the second-level cache while the grid itself is read and written once
//! for a whole block.

use std::ops::Range;

use super::block::BLOCK_STEPS_MAX;
use super::wavefront::Swept;
use crate::real::Real;

/// Cells before the first of a row: room for its left neighbour that keeps the row aligned.
pub(super) const MARGIN: usize = 16;
/// Most rows that are computed at once.
pub(super) const BATCH_ROWS_MAX: usize = 14;
/// Bytes to which rows are aligned.
const ALIGNMENT_BYTES: usize = 64;
/// Rows whose distance is a multiple of this many bytes crowd each other out of the cache.
const ALIAS_BYTES: usize = 4096;

/// What the buffers have to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Needs {
    /// Steps of a block.
    pub(crate) steps: usize,
    /// Rows that are computed at once.
    pub(crate) batch_rows: usize,
    /// Fields that advance.
    pub(crate) fields: usize,
    /// Columns of a strip with what it needs on both sides.
    pub(crate) columns: usize,
    /// Noise is added.
    pub(crate) noise: bool,
    /// The rates come from the host.
    pub(crate) host: bool,
}

impl Needs {
    /// Cells from a field to the next: the columns, a margin, room for a whole register behind.
    pub(super) fn stride<T>(&self) -> usize {
        let stride = MARGIN + self.columns.next_multiple_of(MARGIN) + MARGIN;
        let aliased = (stride * size_of::<T>()).is_multiple_of(ALIAS_BYTES);
        stride + if aliased { MARGIN } else { 0 }
    }

    /// Rows of a level: those that are computed at once, and one on either side.
    pub(super) fn ring_rows(&self) -> usize {
        self.batch_rows + 2
    }

    fn ring_cells<T>(&self) -> usize {
        // The rows of each step and of the state before the first, and a row of zeros.
        (self.ring_rows() * (self.steps + 1) + 1) * self.fields * self.stride::<T>()
    }

    /// Bytes of the buffers of a lane.
    pub(crate) fn bytes<T>(&self) -> usize {
        let row = |needed: bool| if needed { self.stride::<T>() } else { 0 };
        let narrow = row(self.noise) + 2 * row(self.host);
        (self.ring_cells::<T>() + narrow) * size_of::<T>() + 4 * row(self.host) * 8 + ALIGNMENT_BYTES
    }
}

/// The buffers of a lane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch<T> {
    cells: Vec<T>,
    start: usize,
    row_cells: usize,
    ring_rows: usize,
    noise: Vec<T>,
    rates: [Vec<T>; 2],
    /// u, v, f and g in double precision for the host's kinetics.
    wide: [Vec<f64>; 4],
    /// What came of the lane, until those of all lanes are put together.
    pub(super) swept: Swept,
}

impl<T: Real> Scratch<T> {
    pub(super) fn new(needs: Needs) -> Self {
        debug_assert!(needs.steps <= BLOCK_STEPS_MAX);
        let stride = needs.stride::<T>();
        let row = |needed: bool| vec![T::ZERO; if needed { stride } else { 0 }];
        let wide = |needed: bool| vec![0.0; if needed { stride } else { 0 }];
        let cells = vec![T::ZERO; needs.ring_cells::<T>() + ALIGNMENT_BYTES / size_of::<T>()];
        let start = cells.as_ptr().align_offset(ALIGNMENT_BYTES).min(ALIGNMENT_BYTES / size_of::<T>());
        Self {
            cells,
            start,
            row_cells: needs.fields * stride,
            ring_rows: needs.ring_rows(),
            noise: row(needs.noise),
            rates: [row(needs.host), row(needs.host)],
            wide: [wide(needs.host), wide(needs.host), wide(needs.host), wide(needs.host)],
            swept: Swept::default(),
        }
    }

    /// The buffers, apart.
    pub(super) fn parts(&mut self) -> Parts<'_, T> {
        let Self { cells, start, row_cells, ring_rows, noise, rates, wide, swept: _ } = self;
        let (zeros, cells) = cells[*start..].split_at_mut(*row_cells);
        let ring = Ring { cells, row_cells: *row_cells, rows: *ring_rows as isize };
        Parts { zeros, ring, noise, rates, wide }
    }
}

/// The buffers, apart.
pub(super) struct Parts<'a, T> {
    pub(super) zeros: &'a [T],
    pub(super) ring: Ring<'a, T>,
    pub(super) noise: &'a mut [T],
    pub(super) rates: &'a mut [Vec<T>; 2],
    pub(super) wide: &'a mut [Vec<f64>; 4],
}

/// The rows of every level, one level after the other. A row takes the place of the one as many
/// rows before it as a level has.
pub(super) struct Ring<'a, T> {
    cells: &'a mut [T],
    row_cells: usize,
    /// Rows of a level.
    rows: isize,
}

impl<T> Ring<'_, T> {
    /// Cells of a row: all its fields.
    pub(super) fn row_cells(&self) -> usize {
        self.row_cells
    }

    /// Rows of a level.
    pub(super) fn slots(&self) -> usize {
        self.rows as usize
    }

    /// The place of a row among those of its level.
    pub(super) fn slot(&self, row: isize) -> usize {
        row.rem_euclid(self.rows) as usize
    }

    /// The first cell of a row in its level.
    fn place(&self, row: isize) -> usize {
        self.slot(row) * self.row_cells
    }

    fn level_cells(&self) -> usize {
        self.rows as usize * self.row_cells
    }

    /// A row of a level.
    pub(super) fn row(&self, level: usize, row: isize) -> &[T] {
        &self.cells[level * self.level_cells() + self.place(row)..][..self.row_cells]
    }

    /// A row of a level.
    pub(super) fn row_mut(&mut self, level: usize, row: isize) -> &mut [T] {
        let place = level * self.level_cells() + self.place(row);
        &mut self.cells[place..][..self.row_cells]
    }

    /// Does something with some rows of a level.
    pub(super) fn each(&mut self, level: usize, rows: &Range<isize>, mut work: impl FnMut(&mut [T])) {
        let (row_cells, level_cells) = (self.row_cells, self.slots() * self.row_cells);
        let mut place = self.place(rows.start);
        let first = level * self.level_cells();
        let cells = &mut self.cells[first..first + level_cells];
        for _ in rows.clone() {
            work(&mut cells[place..place + row_cells]);
            place += row_cells;
            place = if place < level_cells { place } else { 0 };
        }
    }

    /// All rows of a level and of the next one.
    pub(super) fn step(&mut self, level: usize) -> (&mut [T], &mut [T]) {
        let level_cells = self.level_cells();
        self.cells[level * level_cells..][..2 * level_cells].split_at_mut(level_cells)
    }

    /// The row `row` of level `level` and of the next level.
    pub(super) fn pair(&mut self, level: usize, row: isize) -> (&mut [T], &[T]) {
        let cells = self.place(row)..self.place(row) + self.row_cells;
        let (before, after) = self.step(level);
        (&mut before[cells.clone()], &after[cells])
    }
}
