//! How rows come into the buffers of a lane, go from lane to lane, and leave for the grid.
//!
//! As many at once as lie one behind the other on both sides: for short rows a call costs as much as the cells.

use std::ops::Range;

use super::{Lane, shared};
use crate::engine::kernel::{CopyRows, Finish, Place};
use crate::engine::lane::Inputs;
use crate::engine::link::Kept;
use crate::engine::scratch::{MARGIN, Parts};
use crate::engine::strip::{self, Strip};
use crate::real::Real;
use crate::simd::{PastCaches, on_lanes, prefetch};

impl<T: Real> Lane<'_, T> {
    /// The first of some rows of a level: as many as follow each other in the ring, at most `most`.
    fn run(&self, level: usize, rows: &Range<isize>, most: usize) -> Range<isize> {
        let ring = &self.parts.ring;
        let in_ring = ring.rows() - ring.slot(level, rows.start);
        rows.start..rows.end.min(rows.start + in_ring.min(most) as isize)
    }

    /// The place of a row among those of the planes that are read.
    fn in_planes(&self, row: isize) -> usize {
        self.in_grid(row - self.before.first_row as isize)
    }

    /// Where a row of a level is in the ring, and the one behind it.
    fn place(&self, level: usize, row: isize) -> Place {
        let pitch = self.parts.ring.row_cells();
        Place { first: self.parts.ring.slot(level, row) * pitch + MARGIN, pitch }
    }

    /// Copies rows of the grid to level 0.
    pub(super) fn enter(&mut self, mut rows: Range<isize>, strip: &Strip) {
        let Inputs { columns, stride, level, .. } = *self.inputs;
        while !rows.is_empty() {
            let row = self.in_planes(rows.start);
            let run = self.run(0, &rows, self.inputs.rows - row);
            let source = row * columns;
            let target = self.place(0, run.start);
            for (place, stretch) in strip.stretches(columns) {
                CopyRows {
                    planes: &self.before.fields[..self.fields],
                    from: Place { first: source + stretch.start, pitch: columns },
                    to: self.parts.ring.cells(),
                    at: Place { first: target.first + place, ..target },
                    stride,
                    rows: run.len(),
                    cells: stretch.len(),
                }
                .on(level);
            }
            for row in run.clone() {
                strip::copy(strip.copied(), self.parts.ring.row_mut(0, row), stride, self.fields);
            }
            rows.start = run.end;
        }
    }

    /// Copies rows of the last level to the grid.
    pub(super) fn leave(&mut self, mut rows: Range<isize>, strip: &Strip, past: Option<&PastCaches>) {
        let Inputs { columns, stride, level: simd, .. } = *self.inputs;
        while !rows.is_empty() {
            let row = (rows.start - self.rows.start) as usize;
            // Where a lane goes around the end of the planes, its second part begins.
            let first_rows = self.next.fields[0][0].len() / columns;
            let (part, row, most) =
                if row < first_rows { (0, row, first_rows - row) } else { (1, row - first_rows, rows.len()) };
            let run = self.run(self.steps, &rows, most);
            let from = self.place(self.steps, run.start);
            let start = row * columns + strip.owned.start;
            let Parts { ring, seen, swept, .. } = &mut self.parts;
            // A field that stands still has no cells here.
            let mut to =
                self.next.fields.each_mut().map(|parts| parts[part].get_mut(start..).unwrap_or_default());
            let finish = Finish {
                from: ring.cells(),
                at: Place { first: from.first + strip.before, ..from },
                stride,
                to: &mut to[..self.fields],
                pitch: columns,
                rows: run.len(),
                cells: strip.owned.len(),
                seen: &mut seen[..],
                past,
            };
            swept.counts.not_finite |= on_lanes(simd, finish);
            rows.start = run.end;
        }
    }

    /// Keeps those of the computed rows that the lane before needs.
    pub(super) fn keep(&mut self, level: usize, rows: Range<isize>, strip: &Strip, kept: &mut Kept<T>) {
        let first = self.rows_of(level).start;
        let mut rows = shared(&rows, &(first..first + Kept::<T>::ROWS));
        while !rows.is_empty() {
            let run = self.run(level, &rows, rows.len());
            let from = self.place(level, run.start);
            let planes = fields_of(self.parts.ring.cells(), self.inputs.stride);
            let stride = kept.stride();
            let at = kept.place(level, run.start - first);
            CopyRows {
                planes: &planes[..self.fields],
                from,
                to: kept.cells_mut(),
                at,
                stride,
                rows: run.len(),
                cells: strip.width,
            }
            .on(self.inputs.level);
            *kept.spiked_mut(level) = self.parts.spiked[level];
            rows.start = run.end;
        }
    }

    /// Keeps the rows of the first level that the lane before needs.
    pub(super) fn keep_first(&self, kept: &mut Kept<T>) {
        let Inputs { columns, level, .. } = *self.inputs;
        let (stride, at) = (kept.stride(), kept.place(0, 0));
        CopyRows {
            planes: &self.before.fields[..self.fields],
            from: Place { first: 0, pitch: columns },
            to: kept.cells_mut(),
            at,
            stride,
            rows: Kept::<T>::ROWS as usize,
            cells: columns,
        }
        .on(level);
    }

    /// Copies rows that the lane behind has kept.
    pub(super) fn take(&mut self, level: usize, head: isize, strip: &Strip, kept: &Kept<T>) {
        let stride = self.inputs.stride;
        let behind = self.rows_behind(level);
        let mut rows = shared(&self.batch(head, level), &behind);
        while !rows.is_empty() {
            let run = self.run(level, &rows, rows.len());
            let at = self.place(level, run.start);
            let planes = fields_of(kept.cells(), kept.stride());
            CopyRows {
                planes: &planes[..self.fields],
                from: kept.place(level, run.start - behind.start),
                to: self.parts.ring.cells(),
                at,
                stride,
                rows: run.len(),
                cells: strip.width,
            }
            .on(self.inputs.level);
            for row in run.clone() {
                strip::copy(strip.copied(), self.parts.ring.row_mut(level, row), stride, self.fields);
                if self.block.spikes[level].is_some_and(|spike| spike.row == self.in_grid(row)) {
                    self.parts.spiked[level] = kept.spiked(level);
                }
            }
            rows.start = run.end;
        }
    }

    /// Asks for a part of the rows that enter next, so that memory is at work while all levels are computed.
    pub(super) fn fetch(&self, level: usize, rows: Range<isize>, strip: &Strip) {
        let columns = self.inputs.columns;
        let [from, to] = [level - 1, level].map(|level| strip.width * level / self.steps);
        for (place, stretch) in strip.stretches(columns) {
            // What is beside the columns that are kept is as far away as they are.
            let [from, to] =
                [from, to].map(|end| stretch.start + end.saturating_sub(place).min(stretch.len()));
            for row in rows.clone() {
                let row = self.in_planes(row) * columns;
                for field in self.before.fields.iter().take(self.fields) {
                    prefetch(&field[row + from..row + to]);
                }
            }
        }
    }
}

/// Rows from their first field, second and third on, as many as there are.
fn fields_of<T>(rows: &[T], stride: usize) -> [&[T]; 3] {
    std::array::from_fn(|field| rows.get(field * stride..).unwrap_or_default())
}
