//! A block of steps over a part of the grid: many steps while a row is in the cache.
//!
//! Row after row of the grid enters at level 0, and behind it the levels follow one row apart:
//! when row r has entered, level t can compute its row r - t from the rows around it of level
//! t - 1. Of a narrow grid a batch of rows enters at once, and each level computes as many. Only
//! the last level is written back. A lane (the rows of one thread) and a strip (a
//! range of columns) compute in the lower levels also what they need of their neighbours, so
//! that they depend on nothing but the grid before the block; a cell that is computed twice has
//! the same bits twice and is counted where it belongs.

use std::ops::Range;

use super::block::{BLOCK_STEPS_MAX, Block, Noise};
use super::chemistry::{Hosted, RowKernel};
use super::kernel::{Batch, Counts, Extras, Finish, Outside, Span};
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
    /// Rows that are computed at once.
    pub(super) batch_rows: usize,
    pub(super) level: DetectedLevel,
}

impl<'a, T: Real> Inputs<'a, T> {
    /// What a row of the grid has beside the fields, from a place of the buffers on.
    fn extras<'p>(
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
        let batch = self.inputs.batch_rows as isize;
        for head in (entering.start..self.lane.end + self.steps as isize).step_by(batch as usize) {
            let mut front = head..head + batch;
            let rows = shared(&front, entering);
            for row in rows.clone() {
                self.enter(row, strip);
            }
            self.settle(0, rows, strip);
            for (level, rows) in (1..).zip(&computed[..self.steps]) {
                front = front.start - 1..front.end - 1;
                let rows = shared(&front, rows);
                if !rows.is_empty() {
                    self.compute(level, rows, strip)?;
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
    }

    /// Makes finished rows ready for the next step: what lies beside them, the growth event.
    fn settle(&mut self, level: usize, rows: Range<isize>, strip: &Strip) {
        let Inputs { columns, stride, .. } = *self.inputs;
        let fields = self.kernel.fields();
        self.parts.ring.each(level, &rows, |cells| strip.close(cells, stride, fields));
        let Some(spike) = self.inputs.block.spikes[level] else { return };
        for row in rows {
            if self.in_grid(row) != spike.row {
                continue;
            }
            let cells = self.parts.ring.row_mut(level, row);
            for (place, stretch) in strip.stretches(columns) {
                if stretch.contains(&spike.column) {
                    let cell = &mut cells[MARGIN + place + spike.column - stretch.start];
                    self.spiked[level] = *cell;
                    *cell += T::of(spike.volts);
                }
            }
            strip.close(cells, stride, fields);
        }
    }

    /// Computes rows of a level from the level before.
    fn compute(&mut self, level: usize, rows: Range<isize>, strip: &Strip) -> Result<(), HostReactionError> {
        if self.plain {
            let Range { start, end } = self.lane;
            for part in
                [rows.start..rows.end.min(start), shared(&rows, &self.lane), rows.start.max(end)..rows.end]
            {
                if !part.is_empty() {
                    self.stretches(level, part, strip);
                }
            }
        } else {
            for row in rows.clone() {
                self.prepare(level, row, strip)?;
                self.stretches(level, row..row + 1, strip);
            }
        }
        if !self.next.sums.is_empty() {
            for row in shared(&rows, &self.lane) {
                self.sum_up(level, row);
            }
        }
        if level < self.steps {
            self.settle(level, rows, strip);
        } else {
            for row in rows {
                self.leave(row, strip);
            }
        }
        Ok(())
    }

    /// Computes all cells of rows of a level that are either all kept or all computed for others.
    fn stretches(&mut self, level: usize, rows: Range<isize>, strip: &Strip) {
        let kept = strip.kept();
        let last = level == self.steps;
        if !last {
            self.cells(level, rows.clone(), 0..kept.start);
        }
        let counts = self.cells(level, rows.clone(), kept.clone());
        if self.lane.contains(&rows.start) {
            self.counts.add(counts);
        }
        if !last {
            self.cells(level, rows, kept.end..strip.width);
        }
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

    /// Computes the cells at `columns` of the buffer in rows of a level; in one row if there are extras.
    fn cells(&mut self, level: usize, rows: Range<isize>, columns: Range<usize>) -> Counts {
        if columns.is_empty() {
            return Counts::default();
        }
        let Inputs { stride, boundary, level: simd, .. } = *self.inputs;
        let outside = |at_edge: bool| match boundary {
            BoundaryCondition::Neumann if at_edge => Outside::Itself,
            BoundaryCondition::Dirichlet if at_edge => Outside::Zeros,
            _ => Outside::Row,
        };
        let (above, below) = (outside(rows.start == 0), outside(rows.end == self.inputs.rows as isize));
        let in_grid = self.in_grid(rows.start);
        let Parts { zeros, ring, noise, rates, .. } = &mut self.parts;
        let extras = (!self.plain).then(|| {
            let rates = self.hosted.map(|_| &**rates);
            self.inputs.extras(in_grid, columns.start, rates, noise)
        });
        let (row_cells, slots, slot) = (ring.row_cells(), ring.slots(), ring.slot(rows.start));
        let (before, out) = ring.step(level - 1);
        let batch = Batch {
            before,
            zeros,
            row_cells,
            slots,
            slot,
            rows: rows.len(),
            above,
            below,
            span: Span {
                stride,
                first: MARGIN + columns.start,
                cells: columns.len(),
                right_first: boundary == BoundaryCondition::Dirichlet,
            },
        };
        self.kernel.rows(simd, batch, extras.as_ref(), out)
    }

    /// Sums up a finished row of a step, and the change that led to it.
    fn sum_up(&mut self, level: usize, row: isize) {
        let Inputs { columns, block, level: simd, .. } = *self.inputs;
        let cells = MARGIN..MARGIN + columns;
        // The change is from the step before, not from the growth event that followed it.
        let spike = block.spikes[level - 1].filter(|spike| spike.row as isize == row);
        let (before, after) = self.parts.ring.pair(level - 1, row);
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
        let from = &self.parts.ring.row(self.steps, row)[MARGIN + strip.before..];
        let [potential, activator, inhibitor] = &mut self.next.fields;
        let others = if self.kernel.fields() > 1 { target.clone() } else { 0..0 };
        let to = [&mut potential[target], &mut activator[others.clone()], &mut inhibitor[others]];
        self.counts.not_finite |= on_lanes(simd, Finish { from, stride, to });
    }
}

/// The rows that are in both.
fn shared(one: &Range<isize>, other: &Range<isize>) -> Range<isize> {
    one.start.max(other.start)..one.end.min(other.end)
}
