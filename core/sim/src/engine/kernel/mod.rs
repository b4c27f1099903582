//! The row kernels: what happens to the cells of a row in one step.
//!
//! [`Coupled`] does diffusion, reaction, activation and clamping of all three fields in one loop
//! over registers; [`Alone`] does the potential where the other two stand still. The rare parts
//! (maps, noise, rates of a host) are branches that go the same way for a whole row. [`Plain`] is
//! for rows that have none of them but noise, and leaves to [`Mend`] the noise and what happens to
//! few cells. All ways do the same operations in the same order for each cell, and so give the
//! same bits.
//!
//! The loops are in methods and not in closures, which could not be forced into the function that
//! is compiled for a level.

mod alone;
mod cells;
mod copy;
mod coupled;
mod mend;
mod plain;
mod rows;
mod stencil;

pub(crate) use alone::Alone;
pub(crate) use copy::{CopyRows, Finish, Place};
pub(crate) use coupled::Coupled;
pub(crate) use mend::Mend;
pub(crate) use plain::Plain;

use std::ops::Range;

use crate::real::Real;
use crate::simd::{Copied, RowForm, too_short};

/// `value` moved into [`low`, `high`]; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp<T: Real>(value: T, low: T, high: T) -> T {
    let raised = if value < low { low } else { value };
    if raised > high { high } else { raised }
}

/// Cells of a row.
#[inline(always)]
pub(crate) fn part<T>(row: &[T], at: Range<usize>) -> &[T] {
    match row.get(at) {
        Some(part) => part,
        None => too_short(),
    }
}

/// The numbers of a step, in the type of the fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<T> {
    pub(crate) alpha: T,
    pub(crate) d_activator: T,
    pub(crate) d_inhibitor: T,
    pub(crate) threshold: T,
    /// What an activated cell gains in a step, V.
    pub(crate) gain: T,
    pub(crate) time_step: T,
    pub(crate) leak_rate: T,
}

/// What happened in a row or in steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Cells whose activator exceeded the threshold.
    pub(crate) activations: u64,
    /// Cells whose potential was changed by the clamp; a NaN cell counts.
    pub(crate) clamps: u64,
    /// Whether any of the last values is NaN or infinite.
    pub(crate) not_finite: bool,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.activations += other.activations;
        self.clamps += other.clamps;
        self.not_finite |= other.not_finite;
    }
}

/// Rows of one step that are computed by one call: for a narrow grid a call costs as much as a row. It is lent and not
/// given: a copy of what was written a moment before makes a processor wait.
#[derive(Debug)]
pub(crate) struct Batch<'a, T> {
    /// A ring of rows, each with all fields, one field after the other. A field has room for a whole register
    /// beside the cells that are computed.
    pub(crate) ring: &'a mut [T],
    /// Rows of the ring.
    pub(crate) slots: usize,
    /// Place in the ring of the row above the first one that is computed.
    pub(crate) above: usize,
    /// Place in the ring of the first new row: the same, or one that no row is computed from.
    pub(crate) new: usize,
    /// Rows to be computed.
    pub(crate) rows: usize,
    /// Whether a growth event took place in one of them or in a row beside them just before the step.
    pub(crate) beside_event: bool,
    /// What the rows have in common.
    pub(crate) span: Span,
}

/// The cells that are computed in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Cells from a row to the next.
    pub(crate) row_cells: usize,
    /// Cells from a field to the next.
    pub(crate) stride: usize,
    /// Place of the first cell that is kept.
    pub(crate) first: usize,
    /// Cells that are kept, and counted.
    pub(crate) cells: usize,
    /// Cells that are computed before and behind those, for the steps that follow: more of them may be, up to a
    /// whole register.
    pub(crate) beside: [usize; 2],
    /// Cells that are copied in a finished row, to where what lies beside the grid is read.
    pub(crate) copied: [Copied; 2],
    /// Whether the right neighbour is summed before the left one, as MFN 4.1 does on a
    /// Dirichlet grid.
    pub(crate) right_first: bool,
}

/// The registers of a [`Span`].
#[derive(Debug, Clone, Copy)]
struct Registers {
    /// Those that are computed for the steps that follow; these, then all whose cells are kept; these and what is
    /// computed behind them.
    ends: [usize; 3],
    /// Kept cells of the last register that has some, if they do not fill it.
    rest: usize,
}

impl Registers {
    #[inline(always)]
    fn all(&self) -> usize {
        self.ends[2]
    }

    /// Kept cells of register `k`.
    #[inline(always)]
    fn counted(&self, k: usize, lanes: usize) -> usize {
        let [before, whole, _] = self.ends;
        if k < before || k > whole {
            0
        } else if k < whole {
            lanes
        } else {
            self.rest
        }
    }
}

impl Span {
    /// How the cells fall into registers. Those that are kept begin with one.
    #[inline(always)]
    fn registers(&self, lanes: usize) -> Registers {
        let [before, behind] = self.beside;
        let start = before.div_ceil(lanes);
        let kept = start + self.cells / lanes;
        Registers {
            ends: [start, kept, start + (self.cells + behind).div_ceil(lanes)],
            rest: self.cells % lanes,
        }
    }

    /// The form of the rows, for these registers.
    #[inline(always)]
    fn form(&self, registers: &Registers, lanes: usize) -> RowForm {
        let [start, _, end] = registers.ends;
        RowForm {
            row_cells: self.row_cells,
            stride: self.stride,
            first: self.first.saturating_sub(start * lanes),
            registers: end,
            right_first: self.right_first,
            copied: self.copied,
        }
    }
}

/// Places of the ring for a row that is computed, one row after the other.
#[derive(Debug, Clone, Copy)]
struct Places {
    up: usize,
    new: usize,
    slots: usize,
}

impl Places {
    #[inline(always)]
    fn of<T>(batch: &Batch<'_, T>) -> Self {
        Self { up: batch.above, new: batch.new, slots: batch.slots }
    }

    #[inline(always)]
    fn after(&self, slot: usize) -> usize {
        if slot + 1 < self.slots { slot + 1 } else { 0 }
    }

    /// The rows above, of and below the next row, and that which takes the new one.
    #[inline(always)]
    fn next(&mut self) -> [usize; 4] {
        let Self { up, new, .. } = *self;
        let centre = self.after(up);
        (self.up, self.new) = (centre, self.after(new));
        [up, centre, self.after(centre), new]
    }
}

/// Rows of a map of diffusion coefficients; the first number belongs to the cell left of the
/// first register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MapRows<'a, T> {
    pub(crate) up: &'a [T],
    pub(crate) centre: &'a [T],
    pub(crate) down: &'a [T],
}

/// What only some runs have. The slices begin with the first register.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extras<'a, T> {
    /// Diffusion coefficients of potential, activator, inhibitor.
    pub(crate) diffusion: [Option<MapRows<'a, T>>; 3],
    /// Factors of the two rates.
    pub(crate) factors: [Option<&'a [T]>; 2],
    /// Rates that were computed elsewhere.
    pub(crate) rates: Option<[&'a [T]; 2]>,
    /// Added to the potential, V.
    pub(crate) noise: Option<&'a [T]>,
}

impl<T: Copy> Extras<'_, T> {
    pub(crate) const NONE: Self = Self { diffusion: [None; 3], factors: [None; 2], rates: None, noise: None };

    /// Whether there is nothing but noise.
    pub(crate) fn are_noise_alone(&self) -> bool {
        let Self { diffusion, factors, rates, noise: _ } = self;
        diffusion.iter().all(Option::is_none) && factors.iter().all(Option::is_none) && rates.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the clamp: NaN stays, infinities and limits do not move wrongly.
    #[test]
    fn clamp_keeps_nan() {
        assert!(clamp(f64::NAN, 0.0, 1.0).is_nan());
        assert_eq!(clamp(f64::NEG_INFINITY, 0.0, 1.0), 0.0);
        assert_eq!([0.0, 0.5, 1.0, 2.0].map(|x| clamp(x, 0.0, 1.0)), [0.0, 0.5, 1.0, 1.0]);
    }
}
