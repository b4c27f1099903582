//! The kernel of the potential alone.

use super::cells::Cells;
use super::stencil::{Diffusion, chunks_out};
use super::{Counts, Extras, Numbers, Rows};
use crate::real::Real;
use crate::simd::{LaneWork, Lanes, Vector};

/// Diffusion, leak, noise and clamp of the potential alone; its rows are those of one field.
pub(crate) struct Alone<'a, T> {
    pub(crate) rows: Rows<'a, T>,
    pub(crate) extras: &'a Extras<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) out: &'a mut [T],
}

/// [`Alone`] in the registers of a level.
struct AloneRow<'a, T, V: Vector<T>> {
    cells: Cells<'a, T, V>,
    leaks: bool,
    v: Diffusion<'a, V, V::Chunk>,
    out: &'a mut [V::Chunk],
}

impl<T: Real, V: Vector<T>> AloneRow<'_, T, V> {
    #[inline(always)]
    fn cell(&mut self, k: usize, counted: usize) {
        let v_old = self.cells.lanes.load(&self.v.field.centre[k]);
        let diffusion = self.v.at::<T, false>(self.cells.lanes, k, v_old);
        let diffused = self.cells.relaxed::<false>(v_old, diffusion, self.leaks);
        self.cells.potential::<false>(k, diffused, counted).store(&mut self.out[k]);
    }
}

impl<T: Real> LaneWork<T> for Alone<'_, T> {
    type Output = Counts;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> Counts {
        let Self { rows, extras, numbers: p, out } = self;
        let (whole, rest) = (rows.cells / V::LANES, rows.cells % V::LANES);
        let vectors = whole + usize::from(rest > 0);
        let mut row = AloneRow::<T, V> {
            cells: Cells::new(lanes, p, extras.noise, vectors),
            leaks: p.leak_rate != T::ZERO,
            v: Diffusion::of::<T>(&rows, extras, 0, lanes.splat(p.alpha), vectors),
            out: chunks_out::<T, V>(out, rows.first, vectors),
        };
        for k in 0..vectors {
            row.cell(k, if k < whole { V::LANES } else { rest });
        }
        row.cells.counts()
    }
}
