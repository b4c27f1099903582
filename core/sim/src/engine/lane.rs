//! The rows of a lane, what it reads, what it writes, and what came of it.

use std::ops::Range;

use super::block::BLOCK_STEPS_MAX;
use super::calm::Ranges;
use super::kernel::{Counts, Extras};
use super::maps::Maps;
use super::tiling::Reach;
use crate::features::RowSums;
use crate::kinetics::HostReactionError;
use crate::real::Real;
use crate::simd::DetectedLevel;
use crate::spec::BoundaryCondition;

/// What the steps of a block did, whether they are kept or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Swept {
    /// The steps that can be kept.
    pub(crate) steps: usize,
    pub(crate) counts: Counts,
    /// Those of the new cells.
    pub(crate) ranges: Ranges,
    /// The first failure of the host's kinetics: by lane, within it by strip, then by row.
    pub(crate) failure: Option<HostReactionError>,
}

impl Swept {
    pub(super) fn then(mut self, later: Self) -> Self {
        self.counts.add(later.counts);
        Self {
            steps: self.steps,
            counts: self.counts,
            ranges: self.ranges.with(later.ranges),
            failure: self.failure.or(later.failure),
        }
    }
}

/// What all lanes read.
pub(super) struct Inputs<'a, T> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) boundary: BoundaryCondition,
    pub(super) maps: &'a Maps<T>,
    pub(super) drawn: &'a [T],
    /// Cells from a field to the next in a row of the buffers.
    pub(super) stride: usize,
    /// Rows that are computed at once.
    pub(super) batch_rows: usize,
    pub(super) reach: Reach,
    pub(super) level: DetectedLevel,
}

impl<'a, T: Real> Inputs<'a, T> {
    /// What a row of the grid has beside the fields, from a place of the buffers on.
    pub(super) fn extras<'p>(
        &self,
        row: usize,
        place: usize,
        rates: Option<&'p [Vec<T>; 2]>,
        noise: &'p [T],
    ) -> Extras<'p, T>
    where
        'a: 'p,
    {
        let Self { rows, columns, boundary, maps, .. } = *self;
        Extras {
            // A grid with maps has one strip, so that places are columns.
            diffusion: maps.diffusion_rows(row, place, (rows, columns), boundary),
            factors: maps.factor_rows(row, place, columns),
            rates: rates.map(|[f, g]| [&f[..], &g[..]]),
            noise: (!noise.is_empty()).then(|| &noise[place..]),
        }
    }
}

/// The fields that a lane reads.
#[derive(Clone, Copy)]
pub(super) struct Before<'a, T> {
    /// Potential, activator, inhibitor.
    pub(super) fields: [&'a [T]; 3],
    /// The row of the grid with which they begin; the others follow in their order.
    pub(super) first_row: usize,
    /// They are the rows of the lane alone.
    pub(super) own: bool,
}

/// What a lane writes.
pub(super) struct Next<'a, T> {
    /// The new cells of its rows: potential, activator, inhibitor; the last two may be empty. Those of a lane that goes
    /// around the edge of the grid are in two parts, of the others one part is empty.
    pub(super) fields: [[&'a mut [T]; 2]; 3],
    /// For each step the sums of its rows; empty if the block is not followed.
    pub(super) sums: [&'a mut [RowSums]; BLOCK_STEPS_MAX],
}

impl<'a, T> Next<'a, T> {
    /// The same for a while.
    pub(super) fn reborrow(&mut self) -> Next<'_, T> {
        Next {
            fields: self.fields.each_mut().map(|parts| parts.each_mut().map(|part| &mut **part)),
            sums: self.sums.each_mut().map(|sums| &mut **sums),
        }
    }

    /// Takes so many cells from the front, and sums of so many rows of each step, or all that are left.
    pub(super) fn split_off(&mut self, cells: usize, rows: impl Fn(usize) -> usize) -> Self {
        let fields = self.fields.each_mut().map(|[first, last]| {
            let first = front(first, cells);
            let last = front(last, cells - first.len());
            [first, last]
        });
        // Blocks are seldom followed.
        let sums =
            if self.sums[0].is_empty() { Default::default() } else { front_sums(&mut self.sums, &rows) };
        Self { fields, sums }
    }
}

/// Takes so many items from the front, or all that are left.
pub(super) fn front<'a, I>(rest: &mut &'a mut [I], length: usize) -> &'a mut [I] {
    rest.split_off_mut(..length.min(rest.len())).unwrap_or_default()
}

/// The sums of each step of a block, each of which has `rows`; none unless the block is followed.
pub(super) fn sums_of(
    sums: &mut [RowSums],
    rows: usize,
    followed: bool,
) -> [&mut [RowSums]; BLOCK_STEPS_MAX] {
    if !followed {
        return Default::default();
    }
    let mut levels = sums.chunks_exact_mut(rows);
    std::array::from_fn(|_| levels.next().unwrap_or_default())
}

/// Takes sums of so many rows of each step, which are counted from 1.
fn front_sums<'a>(
    sums: &mut [&'a mut [RowSums]; BLOCK_STEPS_MAX],
    rows: &dyn Fn(usize) -> usize,
) -> [&'a mut [RowSums]; BLOCK_STEPS_MAX] {
    let mut levels = 1..;
    sums.each_mut().map(|sums| front(sums, levels.next().map_or(0, rows)))
}

/// The rows of a lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct LaneRows {
    /// Its rows of the last level.
    pub(super) start: isize,
    pub(super) end: isize,
    /// There is nothing above its first row, or below its last one.
    pub(super) edges: [bool; 2],
}

impl LaneRows {
    /// The rows of the last level that are `rows` of a grid with `all` rows before the lanes are turned.
    pub(super) fn of(rows: Range<usize>, turned: usize, all: usize, boundary: BoundaryCondition) -> Self {
        let bounded = boundary != BoundaryCondition::Periodic;
        let edges = [bounded && rows.start == 0, bounded && rows.end == all];
        let start = (rows.start + turned) % all;
        Self { start: start as isize, end: (start + rows.len()) as isize, edges }
    }

    /// The rows of a level that lies so many below the last; of a grid that wraps they may be above its first one.
    pub(super) fn below(&self, levels: usize) -> Range<isize> {
        let [start, end] = [(self.start, self.edges[0]), (self.end, self.edges[1])]
            .map(|(row, edge)| if edge { row } else { row - levels as isize });
        start..end
    }
}
