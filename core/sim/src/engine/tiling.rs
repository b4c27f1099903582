//! How a grid is cut: lanes of rows for threads, strips of columns and blocks of steps for the
//! caches.

use std::ops::Range;

use super::block::BLOCK_STEPS_MAX;
use super::grid::Demands;
use super::scratch::{BATCH_ROWS_MAX, Needs, ring_rows};
use super::strip::HALO;
use crate::simd::cache_bytes;

/// Fewest cells of a lane that is cut without being asked for: a block of fewer is done before
/// another thread has woken up.
const LANE_CELLS_MIN: usize = 1 << 11;
/// Rows that stay in the first level in a strip of the width that is aimed at, above [`STRIP_COLS`], and the fewest that
/// are computed at once in any.
const STRIP_BATCH_ROWS: usize = 2;
/// Columns of a followed grid for each step of a block: the sums of a row and step are as large as
/// four cells, and so take no more memory than a plane.
const COLUMNS_PER_SUM: usize = 4;
/// Rows of a lane for each of those that are computed at once.
const ROWS_PER_BATCH: usize = 4;
/// Fewest columns that are aimed at. Strips of one width may be narrower.
const STRIP_COLS_MIN: usize = 16 * HALO;
/// Columns that are aimed at, if the second level holds them, where the first level is too small for as many. Measured:
/// what a strip computes beside itself then costs more than what has to come from the second level, which is to have room
/// for the rows of the grid that pass through, too. Whole rows have nothing beside them and pay as long as they fit.
const STRIP_COLS: usize = 48 * HALO;

/// What [`Tiling::of`] needs of an execution.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lanes {
    pub(crate) threads: usize,
    pub(crate) band_rows: usize,
    pub(crate) strip_cols: usize,
    pub(crate) block_steps: usize,
}

/// What [`Tiling::of`] needs of a grid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// The grid wraps.
    pub(crate) wraps: bool,
    pub(crate) demands: Demands,
    /// There are maps.
    pub(crate) mapped: bool,
    pub(crate) cell_bytes: usize,
}

/// How far away the planes of a grid are when a block begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Reach {
    /// So near that the processor fetches them in time.
    #[default]
    Near,
    /// In the third-level cache: rows are asked for ahead.
    Far,
    /// In memory: so they are too, and are written past the caches.
    Memory,
}

impl Reach {
    fn of(plane_bytes: usize) -> Self {
        let caches = cache_bytes();
        match plane_bytes {
            // Measured: where fetching ahead begins to pay.
            bytes if bytes <= 4 * caches.second => Self::Near,
            // A plane is read and another one is written.
            bytes if bytes <= caches.third / 2 => Self::Far,
            _ => Self::Memory,
        }
    }
}

/// How a grid is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tiling {
    pub(crate) lanes: usize,
    /// Rows by which the beginning of every lane but the first is moved down.
    shift: usize,
    /// The lanes of a grid that wraps move down by the steps of every block, so that each reads the rows that it wrote
    /// itself: a processor waits for what another one has written. Between the blocks of a run the planes [begin with the
    /// rows of the first lane](super::grid::Order), so that each also writes to the same memory.
    pub(crate) turns: bool,
    pub(crate) strip_cols: usize,
    pub(crate) block_steps: usize,
    pub(crate) reach: Reach,
    pub(crate) needs: Needs,
}

impl Tiling {
    /// Cuts a grid of at least one cell.
    pub(crate) fn of(shape: &Shape, asked: Lanes) -> Self {
        let Shape { rows, columns, demands, .. } = *shape;
        let lanes = lanes_of(rows, columns, asked);
        let lane_rows = rows / lanes;
        let linked = shape.wraps || lanes > 1;
        let fields = if demands.turing { 3 } else { 1 };
        let row_bytes = fields * shape.cell_bytes;
        let caches = cache_bytes();
        // Rows of all fields of so many columns, or columns of so many rows, that the second level holds.
        let cached = |cells: usize| caches.second / 5 * 4 / row_bytes / cells;
        // Rows of a batch that stay in the first level while all steps pass over them, beside the two each step keeps.
        let passed = |cells: usize| caches.first / 8 * 5 / row_bytes / cells;
        // These are computed over whole rows.
        let whole = shape.mapped || demands.followed;
        let strip_cols = match asked.strip_cols {
            _ if whole => columns,
            0 => {
                // Columns of which the second level holds all steps.
                let cached = cached(ring_rows(BLOCK_STEPS_MAX, STRIP_BATCH_ROWS)).max(STRIP_COLS_MIN);
                let widest = passed(STRIP_BATCH_ROWS).max(STRIP_COLS).min(cached);
                // Strips of about one width, which are not much narrower than that.
                let strips = if columns <= cached { 1 } else { columns.div_ceil(widest) };
                columns.div_ceil(strips).next_multiple_of(HALO).min(columns)
            }
            asked => asked.min(columns).next_multiple_of(HALO).min(columns),
        };
        // A part of the lane, or as many as leave a block all of its steps.
        let of_lane = (lane_rows / ROWS_PER_BATCH).max(lane_rows.saturating_sub(2 * BLOCK_STEPS_MAX));
        // Every call costs, and has to bring the two rows that each step keeps from the second level. Measured: whole rows pay
        // even where they do not stay in the first level; in strips, which are wider, longer batches gain nothing.
        let of_caches = if strip_cols < columns {
            passed(strip_cols).max(STRIP_BATCH_ROWS)
        } else {
            let room = cached(strip_cols).saturating_sub(ring_rows(BLOCK_STEPS_MAX, 0));
            passed(strip_cols).max(room)
        };
        let batch_rows = match of_caches.min(of_lane).clamp(1, BATCH_ROWS_MAX) {
            1 => 1,
            // Two are computed at once.
            rows => rows / 2 * 2,
        };
        // A lane that others need keeps its first rows before it needs theirs, and all of them its own.
        let steps_linked = |batch_rows: usize| {
            if linked && shape.wraps {
                // It keeps them in the first `2 * block_steps` rows that enter, and needs theirs in the batch after the last
                // that is whole.
                lane_rows / batch_rows * batch_rows / 2
            } else if linked {
                lane_rows.saturating_sub(batch_rows).saturating_mul(2) / 5
            } else {
                BLOCK_STEPS_MAX
            }
        };
        // A host's callback and numbers drawn in sequence go step by step.
        let one_by_one = demands.host || demands.noise_plane;
        let block_steps = match asked.block_steps {
            _ if one_by_one => 1,
            0 => {
                let cached = cached(strip_cols).saturating_sub(batch_rows) / 2;
                let summed = if demands.followed { columns / COLUMNS_PER_SUM } else { BLOCK_STEPS_MAX };
                cached.min(summed).min(steps_linked(batch_rows))
            }
            asked => asked.min(steps_linked(1)),
        };
        let block_steps = block_steps.clamp(1, BLOCK_STEPS_MAX);
        let linked = linked && block_steps > 1;
        let shift = if linked && !shape.wraps { block_steps / 2 } else { 0 };
        // As many as leave room for the steps.
        let fits = |rows: usize| match linked {
            true if shape.wraps => lane_rows / rows * rows >= 2 * block_steps,
            true => lane_rows >= shift + 2 * block_steps + rows,
            false => true,
        };
        let batch_rows = (1..=batch_rows).rev().find(|&rows| fits(rows)).unwrap_or(1);
        // The rows that are summed up are in order.
        let turns = linked && shape.wraps && lanes > 1 && !demands.followed;
        let needs = Needs {
            steps: block_steps,
            batch_rows,
            fields,
            columns: if strip_cols < columns { strip_cols + 2 * HALO } else { columns },
            noise: demands.noise,
            host: demands.host,
            linked,
            relayed: turns && strip_cols == columns,
        };
        let plane_bytes = row_bytes.saturating_mul(rows).saturating_mul(columns);
        let reach = Reach::of(plane_bytes);
        Self { lanes, shift, turns, strip_cols, block_steps, reach, needs }
    }

    /// The rows of a lane. Where a grid does not wrap, a lane has more rows in the lower levels than the one behind it,
    /// which begins further down to make up for it.
    pub(crate) fn rows_of(&self, lane: usize, rows: usize) -> Range<usize> {
        let start = |lane: usize| match lane {
            0 => 0,
            _ if lane == self.lanes => rows,
            _ => lane * rows / self.lanes + self.shift,
        };
        start(lane)..start(lane + 1)
    }
}

/// Lanes of a grid.
fn lanes_of(rows: usize, columns: usize, asked: Lanes) -> usize {
    let least_rows = if asked.band_rows == 0 { LANE_CELLS_MIN.div_ceil(columns) } else { asked.band_rows };
    asked.threads.max(1).min(rows.div_ceil(least_rows.clamp(1, rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the cutting: every row in one lane, no lane without rows or with too few for its steps, no more lanes
    /// than threads, strips that begin at whole registers, also for the extreme shapes.
    #[test]
    fn lanes_cover_the_rows() {
        for (rows, columns) in [(1, 1), (1, 65_536), (65_536, 1), (7, 3), (100, 100), (4096, 4096)] {
            for threads in [1, 2, 8, 1024] {
                for (band_rows, strip_cols, block_steps) in
                    [(0, 0, 0), (1, 1, 1), (3, 7, 5), (usize::MAX, usize::MAX, usize::MAX)]
                {
                    for wraps in [false, true] {
                        let demands = Demands { turing: true, ..Demands::default() };
                        let shape = Shape { rows, columns, wraps, demands, mapped: false, cell_bytes: 8 };
                        let tiling =
                            Tiling::of(&shape, Lanes { threads, band_rows, strip_cols, block_steps });
                        assert!(tiling.lanes >= 1 && tiling.lanes <= threads);
                        assert!((1..=columns).contains(&tiling.strip_cols));
                        assert!(tiling.strip_cols == columns || tiling.strip_cols.is_multiple_of(HALO));
                        assert!((1..=BLOCK_STEPS_MAX).contains(&tiling.block_steps));
                        let mut next = 0;
                        for lane in 0..tiling.lanes {
                            let lane = tiling.rows_of(lane, rows);
                            assert!(lane.start == next && !lane.is_empty(), "{tiling:?}");
                            next = lane.end;
                        }
                        assert_eq!(next, rows, "{tiling:?}");
                        // What a lane keeps for others is there before it needs what others keep for it.
                        let Needs { steps, batch_rows, linked, .. } = tiling.needs;
                        let lane_rows = rows / tiling.lanes;
                        let room =
                            if wraps { lane_rows / batch_rows * batch_rows } else { lane_rows - batch_rows };
                        assert!(!linked || tiling.shift + 2 * steps <= room, "{tiling:?}");
                        assert!(linked || steps == 1 || (tiling.lanes == 1 && !wraps), "{tiling:?}");
                    }
                }
            }
        }
    }
}
