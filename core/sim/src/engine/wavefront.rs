//! A block of steps over a part of the grid: many steps while a row is in the cache.
//!
//! Row after row of the grid enters at level 0, and behind it the levels follow one row apart:
//! when row r has entered, level t can compute its row r - t from the rows around it of level
//! t - 1. A batch of rows enters at once, and each level computes as many. Only
//! the last level is written back.
//!
//! A lane (the rows of one thread) begins and ends one row earlier in each level below the last, so that it never
//! needs a row of the lane before it, and of the lane behind it the first two rows of each level. Those every lane
//! keeps at its beginning and needs near its end, when the lane behind has long kept them; where it has not, because
//! its thread has other work, the lane [goes on](super::relay) later. A grid that wraps
//! is behind itself. So every row of every level is computed once. A strip (a range of columns) computes in the
//! lower levels also what it needs of its neighbours; a cell that is computed twice has the same bits twice and is
//! counted where it belongs.

mod transfer;

use std::ops::Range;

use super::block::{Block, Noise};
use super::calm::Seen;
use super::chemistry::{Hosted, RowKernel};
use super::kernel::{Batch, Span};
use super::lane::{Before, Inputs, LaneRows, Next};
use super::link::Kept;
use super::noise::FillNoise;
use super::scratch::{MARGIN, Parts};
use super::strip::{self, Strip};
use super::tiling::Reach;
use crate::features::RowSums;
use crate::kinetics::HostReactionError;
use crate::real::Real;
use crate::simd::{PastCaches, past_caches, vectorised};
use crate::spec::BoundaryCondition;

/// How a lane is tied to the one before it and the one behind it.
enum Tie<'k, T> {
    /// In no way.
    None,
    /// It keeps its first rows.
    Keeps(&'k mut Kept<T>),
    /// It needs what the lane behind has kept.
    Needs(&'k Kept<T>),
}

/// The part of a block that one thread does.
pub(super) struct Lane<'s, T: Real> {
    inputs: &'s Inputs<'s, T>,
    block: &'s Block<'s, T>,
    kernel: &'s dyn RowKernel<T>,
    hosted: Option<Hosted<'s, T>>,
    rows: LaneRows,
    before: Before<'s, T>,
    next: Next<'s, T>,
    parts: Parts<'s, T>,
    /// The levels that are computed.
    steps: usize,
    /// Fields that advance.
    fields: usize,
    /// There are no maps, no noise and no host's rates.
    plain: bool,
}

impl<'s, T: Real> Lane<'s, T> {
    pub(super) fn of(
        (inputs, block): (&'s Inputs<'s, T>, &'s Block<'s, T>),
        (kernel, hosted): (&'s dyn RowKernel<T>, Option<Hosted<'s, T>>),
        rows: LaneRows,
        (before, next): (Before<'s, T>, Next<'s, T>),
        parts: Parts<'s, T>,
    ) -> Self {
        let plain = inputs.maps.is_empty() && parts.noise.is_empty() && hosted.is_none();
        let (steps, fields) = (block.spikes.len(), kernel.fields());
        Self { inputs, block, kernel, hosted, rows, before, next, parts, steps, fields, plain }
    }

    /// Computes a strip of a block in which no lane needs another one.
    pub(super) fn whole(&mut self, strip: &Strip) {
        if self.parts.swept.failure.is_none() {
            self.parts.swept.failure = self.fronts(self.heads(), strip, Tie::None).err();
        }
    }

    /// Computes a strip until its first row of the last level would be written.
    pub(super) fn until_leaving(&mut self, strip: &Strip, kept: &mut Kept<T>) {
        if self.before.own {
            self.keep_first(kept);
        }
        self.part(self.heads().start..self.leaving(), strip, Tie::Keeps(kept));
    }

    /// From there on until what the lane before needs is kept.
    pub(super) fn until_kept(&mut self, strip: &Strip, kept: &mut Kept<T>) {
        if self.before.own {
            // Only the last block of a relay counts.
            *self.parts.seen = [Seen::default(); 3];
        }
        self.part(self.leaving()..self.keeping(), strip, Tie::Keeps(kept));
    }

    /// From there on as far as it goes without the lane behind.
    pub(super) fn until_parting(&mut self, strip: &Strip) {
        self.part(self.keeping()..self.parting(), strip, Tie::None);
    }

    /// Whether it needs another one for the rest.
    pub(super) fn has_one_behind(&self) -> bool {
        !self.rows.edges[1]
    }

    /// The rest, when the lane behind has kept its rows.
    pub(super) fn until_end(&mut self, strip: &Strip, kept: &Kept<T>) {
        self.part(self.parting()..self.heads().end, strip, Tie::Needs(kept));
    }

    /// One copy of it for the four that call it.
    #[inline(never)]
    fn part(&mut self, heads: Range<isize>, strip: &Strip, tie: Tie<'_, T>) {
        // A failure would be the host's, and its kinetics goes step by step, where nothing is kept.
        let _ = self.fronts(heads, strip, tie);
    }

    /// The rows of a level that this lane computes.
    fn rows_of(&self, level: usize) -> Range<isize> {
        self.rows.below(self.steps - level)
    }

    /// The rows that begin a batch at level 0, until all rows of the last level are computed.
    fn heads(&self) -> Range<isize> {
        self.rows_of(0).start..self.rows.end + self.steps as isize
    }

    /// The first of them with rows of the last level.
    fn leaving(&self) -> isize {
        let batch_rows = self.inputs.batch_rows;
        self.heads().start + (2 * self.steps / batch_rows * batch_rows) as isize
    }

    /// The first of them that comes when what this lane keeps is there: row 1 of the last level but one comes so many
    /// rows after the first that enters.
    fn keeping(&self) -> isize {
        self.heads().start + (2 * self.steps).next_multiple_of(self.inputs.batch_rows) as isize
    }

    /// The first of them, after those, for which the lane behind may be needed.
    fn parting(&self) -> isize {
        let Range { start, end } = self.heads();
        if self.rows.edges[1] {
            return end;
        }
        // The first row of level 1 that is not this lane's comes with the batch that ends behind it, or the first that enters.
        let needed = if self.before.own { self.rows_of(0).end + 1 } else { self.rows_of(1).end + 2 }
            - self.inputs.batch_rows as isize;
        let rows = (needed - start).max(0) as usize;
        self.keeping().max(start + rows.next_multiple_of(self.inputs.batch_rows) as isize)
    }

    /// The rows of a level when `head` begins the batch at level 0.
    fn batch(&self, head: isize, level: usize) -> Range<isize> {
        let first = head - level as isize;
        first..first + self.inputs.batch_rows as isize
    }

    /// The rows of a level that the next one needs and that this lane does not compute.
    fn rows_behind(&self, level: usize) -> Range<isize> {
        let end = self.rows_of(level).end;
        end..end + if self.rows.edges[1] { 0 } else { Kept::<T>::ROWS }
    }

    /// The row of the grid that a row is.
    fn in_grid(&self, row: isize) -> usize {
        let rows = self.inputs.rows as isize;
        // Nearly always a row inside, for which a division would take longer than the rest.
        (if (0..rows).contains(&row) { row } else { row.rem_euclid(rows) }) as usize
    }

    /// Lets one batch of rows after the other enter, and takes every level as far as they allow.
    fn fronts(
        &mut self,
        heads: Range<isize>,
        strip: &Strip,
        tie: Tie<'_, T>,
    ) -> Result<(), HostReactionError> {
        if self.inputs.reach == Reach::Memory {
            past_caches(|past| self.sweep(heads, strip, tie, Some(past)))
        } else {
            self.sweep(heads, strip, tie, None)
        }
    }

    fn sweep(
        &mut self,
        heads: Range<isize>,
        strip: &Strip,
        mut tie: Tie<'_, T>,
        past: Option<&PastCaches>,
    ) -> Result<(), HostReactionError> {
        let (owned, behind) = (self.rows_of(0), self.rows_behind(0));
        let entering = owned.start..if self.before.own { owned.end } else { behind.end };
        for head in heads.step_by(self.inputs.batch_rows) {
            let batch = self.batch(head, 0);
            self.enter(shared(&batch, &entering), strip);
            if let Tie::Needs(kept) = &tie
                && self.before.own
            {
                self.take(0, head, strip, kept);
            }
            self.settle(0, shared(&batch, &(owned.start..behind.end)), strip);
            let later = shared(&self.batch(head + self.inputs.batch_rows as isize, 0), &entering);
            for level in 1..=self.steps {
                if self.inputs.reach != Reach::Near {
                    self.fetch(level, later.clone(), strip);
                }
                let rows = shared(&self.batch(head, level), &self.rows_of(level));
                if !rows.is_empty() {
                    self.compute(level, rows.clone(), strip)?;
                }
                // At once: the next level takes the places of these rows.
                match &mut tie {
                    _ if level == self.steps => self.leave(rows, strip, past),
                    Tie::None => {}
                    Tie::Keeps(kept) => self.keep(level, rows, strip, kept),
                    Tie::Needs(kept) => self.take(level, head, strip, kept),
                }
            }
        }
        Ok(())
    }

    /// Makes finished rows ready for the next step: the growth event.
    fn settle(&mut self, level: usize, rows: Range<isize>, strip: &Strip) {
        let Inputs { columns, stride, .. } = *self.inputs;
        let Some(spike) = self.block.spikes[level] else { return };
        let (row, all) = (spike.row as isize, self.inputs.rows as isize);
        // Rows around the edge of a grid that wraps are at most as far outside as it has rows; no batch
        // has a row twice.
        for row in [row - all, row, row + all] {
            if !rows.contains(&row) {
                continue;
            }
            let cells = self.parts.ring.row_mut(level, row);
            for (place, stretch) in strip.stretches(columns) {
                if stretch.contains(&spike.column) {
                    let cell = &mut cells[MARGIN + place + spike.column - stretch.start];
                    self.parts.spiked[level] = *cell;
                    *cell += T::of(spike.volts);
                }
            }
            strip::copy(strip.copied(), cells, stride, 1);
        }
    }

    /// Computes rows of a level from the level before.
    fn compute(&mut self, level: usize, rows: Range<isize>, strip: &Strip) -> Result<(), HostReactionError> {
        self.bound(level - 1, &rows);
        if self.plain && self.next.sums[0].is_empty() {
            self.cells(level, rows.clone(), strip);
        } else {
            for row in rows.clone() {
                self.prepare(level, row, strip)?;
                self.cells(level, row..row + 1, strip);
                // The row of the step before is gone when the next one is computed.
                if !self.next.sums[0].is_empty() {
                    self.sum_up(level, row);
                }
            }
        }
        if level < self.steps {
            self.settle(level, rows, strip);
        }
        Ok(())
    }

    /// Writes what lies above the first and below the last row of a bounded grid, where `rows` need it.
    fn bound(&mut self, level: usize, rows: &Range<isize>) {
        let ring = &mut self.parts.ring;
        let [above, below] = self.rows.edges;
        for (edge, row, outside) in [
            (above && rows.start == 0, rows.start, rows.start - 1),
            (below && rows.end == self.rows.end, rows.end - 1, rows.end),
        ] {
            match self.inputs.boundary {
                _ if !edge => {}
                BoundaryCondition::Dirichlet => ring.row_mut(level, outside).fill(T::ZERO),
                _ => ring.copy(level, row, outside),
            }
        }
    }

    /// Fills the buffers with the noise and the host's rates of a row.
    fn prepare(&mut self, level: usize, row: isize, strip: &Strip) -> Result<(), HostReactionError> {
        let Inputs { columns, stride, .. } = *self.inputs;
        let block = self.block;
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
            let [f, g] = &mut *self.parts.rates;
            hosted.rates([a, i], [f, g], self.parts.wide)?;
        }
        Ok(())
    }

    /// Computes the cells of rows of a level; of one row if there are extras.
    fn cells(&mut self, level: usize, rows: Range<isize>, strip: &Strip) {
        let Inputs { stride, boundary, level: simd, .. } = *self.inputs;
        let later = self.steps - level;
        // Extras begin where a register of any width can.
        let reach = if self.plain || later == 0 { later } else { usize::MAX };
        let beside = [strip.before.min(reach), strip.behind.min(reach)];
        let in_grid = if self.plain { 0 } else { self.in_grid(rows.start) };
        let beside_event = self.block.spikes[level - 1]
            .is_some_and(|spike| (rows.start - 1..=rows.end).any(|row| self.in_grid(row) == spike.row));
        let Parts { ring, noise, rates, swept, .. } = &mut self.parts;
        let above = ring.slot(level - 1, rows.start - 1);
        let span = Span {
            row_cells: ring.row_cells(),
            stride,
            first: MARGIN + strip.before,
            cells: strip.owned.len(),
            beside,
            copied: strip.copied(),
            right_first: boundary == BoundaryCondition::Dirichlet,
        };
        let slots = ring.rows();
        let rows = rows.len();
        let mut batch = Batch { ring: ring.cells(), slots, above, new: above, rows, beside_event, span };
        let counts = if self.plain {
            self.kernel.rows(simd, &mut batch, None)
        } else {
            let rates = self.hosted.map(|_| &**rates);
            let extras = self.inputs.extras(in_grid, strip.before - beside[0], rates, noise);
            self.kernel.rows(simd, &mut batch, Some(&extras))
        };
        swept.counts.add(counts);
    }

    /// Sums up a finished row of a step, and the change that led to it.
    fn sum_up(&mut self, level: usize, row: isize) {
        let Inputs { columns, level: simd, .. } = *self.inputs;
        let cells = MARGIN..MARGIN + columns;
        // The change is from the step before, not from the growth event that followed it.
        let spike = self.block.spikes[level - 1].filter(|spike| spike.row == self.in_grid(row));
        let (before, after) = self.parts.ring.pair(level, row);
        let spiked = spike.map(|spike| {
            let place = MARGIN + spike.column;
            (place, std::mem::replace(&mut before[place], self.parts.spiked[level - 1]))
        });
        let sums = RowSums::of(simd, &after[cells.clone()], &before[cells]);
        if let Some((place, value)) = spiked {
            before[place] = value;
        }
        let index = (row - self.rows_of(level).start) as usize;
        self.next.sums[level - 1][index] = sums;
    }
}

/// The rows that are in both.
fn shared(one: &Range<isize>, other: &Range<isize>) -> Range<isize> {
    one.start.max(other.start)..one.end.min(other.end)
}
