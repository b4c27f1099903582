//! A block of steps over a part of the grid: many steps while a row is in the cache.
//!
//! Row after row of the grid enters at level 0, and behind it the levels follow one row apart:
//! when row r has entered, level t can compute its row r - t from the rows around it of level
//! t - 1. Only the last level is written back. A lane (the rows of one thread) and a strip (a
//! range of columns) compute in the lower levels also what they need of their neighbours, so
//! that they depend on nothing but the grid before the block; a cell that is computed twice has
//! the same bits twice and is counted where it belongs.

use std::ops::Range;

use super::block::{BLOCK_STEPS_MAX, Block, Noise};
use super::chemistry::{Hosted, RowKernel};
use super::kernel::{Counts, Extras, Finish, Rows};
use super::maps::Maps;
use super::noise::FillNoise;
use super::scratch::{MARGIN, Parts, Scratch};
use super::strip::Strip;
use crate::features::RowSums;
use crate::kinetics::HostReactionError;
use crate::real::Real;
use crate::simd::{DetectedLevel, on_lanes, vectorised};
use crate::spec::BoundaryCondition;

/// What the steps of a block did, whether they are kept or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Swept {
    pub(crate) counts: Counts,
    /// The first failure of the host's kinetics: by lane, within it by strip, then by row.
    pub(crate) failure: Option<HostReactionError>,
}

impl Swept {
    pub(super) fn then(mut self, later: Self) -> Self {
        self.counts.add(later.counts);
        Self { counts: self.counts, failure: self.failure.or(later.failure) }
    }
}

/// What all lanes of a block read.
pub(super) struct Inputs<'a, T> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) boundary: BoundaryCondition,
    pub(super) fields: [&'a [T]; 3],
    pub(super) maps: &'a Maps<T>,
    pub(super) drawn: &'a [T],
    pub(super) block: &'a Block<'a, T>,
    /// Cells from a field to the next in a row of the buffers.
    pub(super) stride: usize,
    pub(super) strip_cols: usize,
    pub(super) level: DetectedLevel,
}

/// What a lane writes.
pub(super) struct Next<'a, T> {
    /// The new cells of its rows: potential, activator, inhibitor; the last two may be empty.
    pub(super) fields: [&'a mut [T]; 3],
    /// For each of its rows the sums of every step; empty if the block is not followed.
    pub(super) sums: &'a mut [RowSums],
}

impl<'a, T> Next<'a, T> {
    /// Takes so many cells and sums from the front, or all that are left.
    pub(super) fn split_off(&mut self, cells: usize, sums: usize) -> Self {
        fn front<'a, I>(rest: &mut &'a mut [I], length: usize) -> &'a mut [I] {
            rest.split_off_mut(..length.min(rest.len())).unwrap_or_default()
        }
        let [potential, activator, inhibitor] = &mut self.fields;
        Self {
            fields: [front(potential, cells), front(activator, cells), front(inhibitor, cells)],
            sums: front(&mut self.sums, sums),
        }
    }
}

/// The part of a block that one thread does.
pub(super) struct Lane<'s, T: Real> {
    pub(super) inputs: &'s Inputs<'s, T>,
    pub(super) kernel: &'s dyn RowKernel<T>,
    pub(super) hosted: Option<Hosted<'s, T>>,
    pub(super) rows: Range<usize>,
    pub(super) next: Next<'s, T>,
    pub(super) scratch: &'s mut Scratch<T>,
}

impl<T: Real> Lane<'_, T> {
    pub(super) fn run(self) -> Swept {
        let Self { inputs, kernel, hosted, rows, next, scratch } = self;
        let Inputs { columns, boundary, strip_cols, .. } = *inputs;
        let steps = inputs.block.spikes.len();
        let parts = scratch.parts();
        let plain = inputs.maps.is_empty() && parts.noise.is_empty() && hosted.is_none();
        let mut walk = Walk {
            plain,
            inputs,
            kernel,
            hosted,
            steps,
            lane: rows.start as isize..rows.end as isize,
            next,
            parts,
            spiked: [T::ZERO; BLOCK_STEPS_MAX],
            counts: Counts::default(),
        };
        for start in (0..columns).step_by(strip_cols) {
            let strip = Strip::of(start..columns.min(start + strip_cols), columns, boundary);
            if let Err(failure) = walk.strip(&strip) {
                return Swept { counts: walk.counts, failure: Some(failure) };
            }
        }
        Swept { counts: walk.counts, failure: None }
    }
}

struct Walk<'s, T: Real> {
    /// There are no maps, no noise and no host's rates.
    plain: bool,
    inputs: &'s Inputs<'s, T>,
    kernel: &'s dyn RowKernel<T>,
    hosted: Option<Hosted<'s, T>>,
    steps: usize,
    /// The rows that are kept.
    lane: Range<isize>,
    next: Next<'s, T>,
    parts: Parts<'s, T>,
    /// For each level the potential of the cell of the growth event, before it.
    spiked: [T; BLOCK_STEPS_MAX],
    counts: Counts,
}

impl<T: Real> Walk<'_, T> {
    /// The rows that a level has; beyond the grid where it wraps.
    fn rows_of(&self, level: usize) -> Range<isize> {
        let margin = (self.steps - level) as isize;
        let (start, end) = (self.lane.start - margin, self.lane.end + margin);
        match self.inputs.boundary {
            BoundaryCondition::Periodic => start..end,
            _ => start.max(0)..end.min(self.inputs.rows as isize),
        }
    }

    /// The row of the grid that a row is.
    fn in_grid(&self, row: isize) -> usize {
        let rows = self.inputs.rows as isize;
        // Nearly always a row inside, for which a division would take longer than the rest.
        (if (0..rows).contains(&row) { row } else { row.rem_euclid(rows) }) as usize
    }

    fn strip(&mut self, strip: &Strip) -> Result<(), HostReactionError> {
        let mut rows = [const { 0..0 }; BLOCK_STEPS_MAX + 1];
        for (level, rows) in rows.iter_mut().enumerate().take(self.steps + 1) {
            *rows = self.rows_of(level);
        }
        let [entering, computed @ ..] = &rows;
        for head in entering.start..self.lane.end + self.steps as isize {
            if entering.contains(&head) {
                self.enter(head, strip);
            }
            let mut row = head;
            for (level, rows) in (1..).zip(&computed[..self.steps]) {
                row -= 1;
                if rows.contains(&row) {
                    self.compute(level, row, strip)?;
                }
            }
        }
        Ok(())
    }

    /// Copies a row of the grid to level 0.
    fn enter(&mut self, row: isize, strip: &Strip) {
        let Inputs { columns, fields, stride, .. } = *self.inputs;
        let source = self.in_grid(row) * columns;
        let target = self.parts.ring.row_mut(0, row);
        for (index, field) in fields.iter().take(self.kernel.fields()).enumerate() {
            let start = index * stride + MARGIN;
            for (place, stretch) in strip.stretches(columns) {
                target[start + place..start + place + stretch.len()]
                    .copy_from_slice(&field[source + stretch.start..source + stretch.end]);
            }
        }
        self.settle(0, row, strip);
    }

    /// Makes a finished row ready for the next step: the growth event, what lies beside it.
    fn settle(&mut self, level: usize, row: isize, strip: &Strip) {
        let Inputs { columns, stride, .. } = *self.inputs;
        let spike = self.inputs.block.spikes[level].filter(|spike| spike.row == self.in_grid(row));
        let cells = self.parts.ring.row_mut(level, row);
        if let Some(spike) = spike {
            for (place, stretch) in strip.stretches(columns) {
                if stretch.contains(&spike.column) {
                    let cell = &mut cells[MARGIN + place + spike.column - stretch.start];
                    self.spiked[level] = *cell;
                    *cell += T::of(spike.volts);
                }
            }
        }
        strip.close(cells, stride);
    }

    /// Computes a row of a level from the level before.
    fn compute(&mut self, level: usize, row: isize, strip: &Strip) -> Result<(), HostReactionError> {
        self.prepare(level, row, strip)?;
        let kept = strip.kept();
        let last = level == self.steps;
        if !last {
            self.cells(level, row, 0..kept.start);
        }
        let counts = self.cells(level, row, kept.clone());
        if !last {
            self.cells(level, row, kept.end..strip.width());
        }
        if self.lane.contains(&row) {
            self.counts.add(counts);
            if !self.next.sums.is_empty() {
                self.sum_up(level, row);
            }
        }
        if last {
            self.leave(row, strip)
        } else {
            self.settle(level, row, strip)
        }
        Ok(())
    }

    /// Fills the buffers with the noise and the host's rates of a row.
    fn prepare(&mut self, level: usize, row: isize, strip: &Strip) -> Result<(), HostReactionError> {
        let Inputs { columns, stride, block, .. } = *self.inputs;
        if !matches!(block.noise, Noise::Absent) {
            let row_start = self.in_grid(row) * columns;
            for (place, stretch) in strip.stretches(columns) {
                let cells = row_start + stretch.start..row_start + stretch.end;
                let out = &mut self.parts.noise[place..place + stretch.len()];
                match block.noise.counter(level - 1) {
                    None => out.copy_from_slice(&self.inputs.drawn[cells]),
                    Some((philox, deviation)) => {
                        let first_cell = cells.start as u64;
                        vectorised(self.inputs.level, FillNoise { philox, deviation, first_cell, out });
                    }
                }
            }
        }
        if let Some(hosted) = self.hosted {
            let (start, cells) = (MARGIN + strip.before, strip.owned.len());
            let row = self.parts.ring.row(level - 1, row);
            let [a, i] = [1, 2].map(|field| &row[field * stride + start..field * stride + start + cells]);
            hosted.rates([a, i], self.parts.rates, self.parts.wide)?;
        }
        Ok(())
    }

    /// Computes the cells at `places` of the buffer in a row of a level.
    fn cells(&mut self, level: usize, row: isize, places: Range<usize>) -> Counts {
        if places.is_empty() {
            return Counts::default();
        }
        let Inputs { rows, stride, boundary, level: simd, .. } = *self.inputs;
        let (first, last) = (row == 0, row + 1 == rows as isize);
        let (mut above, mut below) = (row - 1, row + 1);
        let (mut none_above, mut none_below) = (false, false);
        match boundary {
            BoundaryCondition::Periodic => {}
            BoundaryCondition::Neumann => {
                above = if first { row } else { above };
                below = if last { row } else { below };
            }
            BoundaryCondition::Dirichlet => (none_above, none_below) = (first, last),
        }
        let in_grid = self.in_grid(row);
        let ([up, centre, down], out) =
            self.parts.ring.step(level - 1, [above, row, below], row, level == self.steps);
        let zeros = self.parts.zeros;
        let extras = (!self.plain).then(|| {
            let Inputs { maps, columns, .. } = *self.inputs;
            Extras {
                // A grid with maps has one strip, so that places are columns.
                diffusion: maps.diffusion_rows(in_grid, places.start, (rows, columns), boundary),
                factors: maps.factor_rows(in_grid, places.start, columns),
                rates: self.hosted.map(|_| {
                    let [f, g] = &*self.parts.rates;
                    [&f[..], &g[..]]
                }),
                noise: (!self.parts.noise.is_empty()).then(|| &self.parts.noise[places.start..]),
            }
        });
        let rows = Rows {
            up: if none_above { zeros } else { up },
            centre,
            down: if none_below { zeros } else { down },
            stride,
            first: MARGIN + places.start,
            cells: places.len(),
            right_first: boundary == BoundaryCondition::Dirichlet,
        };
        self.kernel.row(simd, rows, extras.as_ref(), out)
    }

    /// Sums up a finished row of a step, and the change that led to it.
    fn sum_up(&mut self, level: usize, row: isize) {
        let Inputs { columns, block, level: simd, .. } = *self.inputs;
        let cells = MARGIN..MARGIN + columns;
        // The change is from the step before, not from the growth event that followed it.
        let spike = block.spikes[level - 1].filter(|spike| spike.row as isize == row);
        let (before, after) = self.parts.ring.pair(level - 1, row, level == self.steps);
        let spiked = spike.map(|spike| {
            let place = MARGIN + spike.column;
            (place, std::mem::replace(&mut before[place], self.spiked[level - 1]))
        });
        let sums = RowSums::of(simd, &after[cells.clone()], &before[cells]);
        if let Some((place, value)) = spiked {
            before[place] = value;
        }
        self.next.sums[(row - self.lane.start) as usize * self.steps + level - 1] = sums;
    }

    /// Copies a row of the last level to the grid.
    fn leave(&mut self, row: isize, strip: &Strip) {
        let Inputs { columns, stride, level: simd, .. } = *self.inputs;
        let start = (row - self.lane.start) as usize * columns;
        let target = start + strip.owned.start..start + strip.owned.end;
        let from = self.parts.ring.last(self.steps);
        for (index, field) in self.next.fields.iter_mut().take(self.kernel.fields()).enumerate() {
            let from = &from[index * stride + MARGIN + strip.before..];
            let to = &mut field[target.clone()];
            self.counts.not_finite |= on_lanes(simd, Finish { from, to });
        }
    }
}
