//! The buffers of a lane: for every step of a block the rows that the next step reads.
//!
//! They are what stays in the second-level cache while the grid itself is read and written once
//! for a whole block. All steps share one ring of rows: a new row takes the place of the row above it of the step
//! before, which nothing needs any more. So the ring has two rows for each step and those that are computed at
//! once, and a row is written where its line is in the first-level cache already.

use std::ops::Range;

use super::block::BLOCK_STEPS_MAX;
use super::calm::{Ranges, Seen};
use super::lane::Swept;
use super::relay::Leg;
use crate::real::Real;
use crate::simd::Aligned;

/// Cells before the first of a row: room for its left neighbour that keeps the row aligned.
pub(super) const MARGIN: usize = 16;
/// Most rows that are computed at once.
pub(super) const BATCH_ROWS_MAX: usize = 32;
/// A ring of more bytes is in a large page: small ones lie anywhere and crowd each other out of the second-level cache.
const SMALL_PAGES_BYTES: usize = 1 << 18;
/// What lies between the rings of two lanes at least: a processor fetches also what is behind the cells that it reads,
/// up to the end of a page, and so would take them from the one that writes them.
const APART_BYTES: usize = 2 * ALIAS_BYTES;
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
    /// A lane needs rows of the one behind it, or of its own beginning.
    pub(crate) linked: bool,
    /// It may go on to the next block when others have not ended theirs.
    pub(crate) relayed: bool,
}

/// Rows of a ring: two of each step, and those that are computed at once.
pub(super) const fn ring_rows(steps: usize, batch_rows: usize) -> usize {
    2 * steps + batch_rows
}

impl Needs {
    /// Cells from a field to the next: the columns, a margin, room for a whole register behind.
    pub(super) fn stride<T>(&self) -> usize {
        let stride = MARGIN + self.columns.next_multiple_of(MARGIN) + MARGIN;
        let aliased = (stride * size_of::<T>()).is_multiple_of(ALIAS_BYTES);
        stride + if aliased { MARGIN } else { 0 }
    }

    /// Cells of the ring of a lane.
    fn ring_cells<T>(&self) -> usize {
        ring_rows(self.steps, self.batch_rows) * self.fields * self.stride::<T>()
    }

    /// The same and what is between two.
    fn room_cells<T>(&self) -> usize {
        self.ring_cells::<T>() + APART_BYTES / size_of::<T>()
    }

    /// Rows that a lane keeps for the lane before it: two of each level but the last.
    pub(super) fn kept_rows(&self) -> usize {
        if self.linked { 2 * self.steps } else { 0 }
    }

    /// How often it does so, for one block after the other.
    pub(super) fn kept_blocks(&self) -> usize {
        if self.relayed { 2 } else { 1 }
    }

    /// Cells from a field to the next in a kept row: the columns alone. What is beside them would have to be brought
    /// from the other processor too, and where columns are few that is half as much again.
    pub(super) fn kept_stride(&self) -> usize {
        self.columns.next_multiple_of(MARGIN)
    }

    /// Bytes of the buffers of a lane.
    pub(crate) fn bytes<T>(&self) -> usize {
        let row = |needed: bool| if needed { self.stride::<T>() } else { 0 };
        let narrow = row(self.noise) + 2 * row(self.host);
        let kept =
            self.kept_blocks() * Aligned::<T>::bytes(self.kept_rows() * self.fields * self.kept_stride());
        let ring = self.room_cells::<T>();
        let ring_bytes = if self.large_page::<T>() {
            Aligned::<T>::large_page_bytes(ring)
        } else {
            Aligned::<T>::bytes(ring)
        };
        ring_bytes + kept + narrow * size_of::<T>() + 4 * row(self.host) * 8
    }

    fn large_page<T>(&self) -> bool {
        self.ring_cells::<T>() * size_of::<T>() > SMALL_PAGES_BYTES
    }
}

/// The buffers of all lanes.
#[derive(Debug)]
pub(crate) struct Buffers<T> {
    /// One ring after the other: a large page has room for some of them.
    rings: Aligned<T>,
    /// Cells from a ring to the next.
    room_cells: usize,
    ring_cells: usize,
    row_cells: usize,
    lanes: Vec<Scratch<T>>,
}

/// What a lane has beside its ring.
#[derive(Debug)]
struct Scratch<T> {
    noise: Vec<T>,
    rates: [Vec<T>; 2],
    /// u, v, f and g in double precision for the host's kinetics.
    wide: [Vec<f64>; 4],
    /// For each step the potential of the cell of the growth event, before it.
    spiked: [T; BLOCK_STEPS_MAX],
    /// The values that were written, of each field.
    seen: [Seen<T>; 3],
    /// What came of the lane beside that, until those of all lanes are put together.
    swept: Swept,
    /// How far it has come in a relay.
    leg: Leg,
}

impl<T: Real> Buffers<T> {
    /// Buffers of so many lanes.
    pub(super) fn new(needs: Needs, lanes: usize) -> Self {
        debug_assert!(needs.steps <= BLOCK_STEPS_MAX);
        let stride = needs.stride::<T>();
        let row = |needed: bool| vec![T::ZERO; if needed { stride } else { 0 }];
        let wide = |needed: bool| vec![0.0; if needed { stride } else { 0 }];
        let cells = lanes * needs.room_cells::<T>();
        Self {
            rings: if needs.large_page::<T>() {
                Aligned::in_large_pages(cells)
            } else {
                Aligned::zeros(cells)
            },
            room_cells: needs.room_cells::<T>(),
            ring_cells: needs.ring_cells::<T>(),
            row_cells: needs.fields * stride,
            lanes: std::iter::repeat_with(|| Scratch {
                noise: row(needs.noise),
                rates: [row(needs.host), row(needs.host)],
                wide: [wide(needs.host), wide(needs.host), wide(needs.host), wide(needs.host)],
                spiked: [T::ZERO; BLOCK_STEPS_MAX],
                seen: [Seen::default(); 3],
                swept: Swept::default(),
                leg: Leg::default(),
            })
            .take(lanes)
            .collect(),
        }
    }

    /// Those of each lane, apart.
    pub(super) fn lanes(&mut self) -> impl Iterator<Item = (Parts<'_, T>, &mut Leg)> {
        let Self { rings, room_cells, ring_cells, row_cells, lanes } = self;
        let rows = (*ring_cells / (*row_cells).max(1)) as isize;
        lanes.iter_mut().zip(rings.chunks_exact_mut(*room_cells)).map(move |(lane, room)| {
            let Scratch { noise, rates, wide, spiked, seen, swept, leg } = lane;
            let ring = Ring { cells: &mut room[..*ring_cells], row_cells: *row_cells, rows };
            (Parts { ring, noise, rates, wide, spiked, seen, swept }, leg)
        })
    }

    /// What came of each lane beside its cells, and how far it is in a relay.
    pub(super) fn legs(&mut self) -> impl Iterator<Item = (&mut Swept, &mut Leg)> {
        self.lanes.iter_mut().map(|lane| (&mut lane.swept, &mut lane.leg))
    }

    /// Forgets what came of the lanes.
    pub(super) fn clear(&mut self) {
        for Scratch { seen, swept, leg, .. } in &mut self.lanes {
            (*seen, *swept, *leg) = Default::default();
        }
    }

    /// What came of each lane, which is forgotten here.
    pub(super) fn take_swept(&mut self) -> impl Iterator<Item = Swept> {
        self.lanes.iter_mut().map(|lane| {
            let ranges = Ranges::of(&std::mem::take(&mut lane.seen));
            Swept { ranges, ..std::mem::take(&mut lane.swept) }
        })
    }
}

/// The buffers of a lane, apart.
pub(super) struct Parts<'a, T> {
    pub(super) ring: Ring<'a, T>,
    pub(super) noise: &'a mut [T],
    pub(super) rates: &'a mut [Vec<T>; 2],
    pub(super) wide: &'a mut [Vec<f64>; 4],
    pub(super) spiked: &'a mut [T; BLOCK_STEPS_MAX],
    pub(super) seen: &'a mut [Seen<T>; 3],
    pub(super) swept: &'a mut Swept,
}

impl<T> Parts<'_, T> {
    /// The same for a while.
    pub(super) fn reborrow(&mut self) -> Parts<'_, T> {
        let Self { ring: Ring { cells, row_cells, rows }, noise, rates, wide, spiked, seen, swept } = self;
        let ring = Ring { cells, row_cells: *row_cells, rows: *rows };
        Parts { ring, noise, rates, wide, spiked, seen, swept }
    }
}

/// The rows of all levels. A row of a level takes the place of the row before it of the level before.
pub(super) struct Ring<'a, T> {
    cells: &'a mut [T],
    row_cells: usize,
    rows: isize,
}

impl<T: Copy> Ring<'_, T> {
    /// Cells of a row: all its fields.
    pub(super) fn row_cells(&self) -> usize {
        self.row_cells
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows as usize
    }

    /// All rows.
    pub(super) fn cells(&mut self) -> &mut [T] {
        self.cells
    }

    /// The place of a row of a level among all rows.
    pub(super) fn slot(&self, level: usize, row: isize) -> usize {
        (row - level as isize).rem_euclid(self.rows) as usize
    }

    fn cells_of(&self, level: usize, row: isize) -> Range<usize> {
        let start = self.slot(level, row) * self.row_cells;
        start..start + self.row_cells
    }

    /// A row of a level.
    pub(super) fn row(&self, level: usize, row: isize) -> &[T] {
        &self.cells[self.cells_of(level, row)]
    }

    /// A row of a level.
    pub(super) fn row_mut(&mut self, level: usize, row: isize) -> &mut [T] {
        let cells = self.cells_of(level, row);
        &mut self.cells[cells]
    }

    /// Makes a row of a level the same as another one of it.
    pub(super) fn copy(&mut self, level: usize, from: isize, to: isize) {
        let to = self.cells_of(level, to).start;
        self.cells.copy_within(self.cells_of(level, from), to);
    }

    /// The row `row` of a level and of the level before, which are beside each other.
    pub(super) fn pair(&mut self, level: usize, row: isize) -> (&mut [T], &[T]) {
        let (before, after) = (self.cells_of(level - 1, row), self.cells_of(level, row));
        if before.start > after.start {
            let (low, high) = self.cells.split_at_mut(before.start);
            (&mut high[..before.len()], &low[after])
        } else {
            let (low, high) = self.cells.split_at_mut(after.start);
            (&mut low[before], &high[..after.len()])
        }
    }
}
