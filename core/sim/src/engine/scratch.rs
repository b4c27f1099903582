//! The buffers of a lane: for every step of a block the three rows that the next step reads.
//!
//! They are what stays in the second-level cache while the grid itself is read and written once
//! for a whole block.

use super::block::BLOCK_STEPS_MAX;
use super::wavefront::Swept;
use crate::real::Real;

/// Cells before the first of a row: room for its left neighbour that keeps the row aligned.
pub(super) const MARGIN: usize = 16;
/// Bytes to which rows are aligned.
const ALIGNMENT_BYTES: usize = 64;
/// Rows whose distance is a multiple of this many bytes crowd each other out of the cache.
const ALIAS_BYTES: usize = 4096;

/// What the buffers have to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Needs {
    /// Steps of a block.
    pub(crate) steps: usize,
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

    fn ring_cells<T>(&self) -> usize {
        // Three rows for each step but the last, which has one to be copied from, and a row
        // of zeros.
        (3 * self.steps + 2) * self.fields * self.stride::<T>()
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
            noise: row(needs.noise),
            rates: [row(needs.host), row(needs.host)],
            wide: [wide(needs.host), wide(needs.host), wide(needs.host), wide(needs.host)],
            swept: Swept::default(),
        }
    }

    /// The buffers, apart.
    pub(super) fn parts(&mut self) -> Parts<'_, T> {
        let Self { cells, start, row_cells, noise, rates, wide, swept: _ } = self;
        let (zeros, cells) = cells[*start..].split_at_mut(*row_cells);
        Parts { zeros, ring: Ring { cells, row_cells: *row_cells }, noise, rates, wide }
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

/// Three rows of every level, one after the other, then the row of the last level.
pub(super) struct Ring<'a, T> {
    cells: &'a mut [T],
    row_cells: usize,
}

impl<T> Ring<'_, T> {
    fn place(&self, level: usize, row: isize) -> usize {
        (3 * level + row.rem_euclid(3) as usize) * self.row_cells
    }

    /// A row of a level that is not the last.
    pub(super) fn row(&self, level: usize, row: isize) -> &[T] {
        &self.cells[self.place(level, row)..][..self.row_cells]
    }

    /// A row of a level that is not the last.
    pub(super) fn row_mut(&mut self, level: usize, row: isize) -> &mut [T] {
        let place = self.place(level, row);
        &mut self.cells[place..][..self.row_cells]
    }

    /// The row of level `level`, the last one.
    pub(super) fn last(&self, level: usize) -> &[T] {
        &self.cells[3 * level * self.row_cells..][..self.row_cells]
    }

    /// Three rows of level `level` and the row `row` of the next level.
    pub(super) fn step(
        &mut self,
        level: usize,
        rows: [isize; 3],
        row: isize,
        next_is_last: bool,
    ) -> ([&[T]; 3], &mut [T]) {
        let places = rows.map(|row| self.place(level, row));
        let (below, next) = self.part(level, row, next_is_last);
        let row_cells = next.len();
        (places.map(|place| &below[place..][..row_cells]), next)
    }

    /// The row `row` of level `level` and of the next level.
    pub(super) fn pair(&mut self, level: usize, row: isize, next_is_last: bool) -> (&mut [T], &[T]) {
        let place = self.place(level, row);
        let (below, next) = self.part(level, row, next_is_last);
        (&mut below[place..][..next.len()], next)
    }

    /// All up to level `level`, and the row `row` of the next level.
    fn part(&mut self, level: usize, row: isize, next_is_last: bool) -> (&mut [T], &mut [T]) {
        let next = if next_is_last { 0 } else { row.rem_euclid(3) as usize * self.row_cells };
        let (below, above) = self.cells.split_at_mut(3 * (level + 1) * self.row_cells);
        (below, &mut above[next..][..self.row_cells])
    }
}
