//! The kernel of the potential alone.

use super::cells::Cells;
use super::stencil::{Diffusion, chunks_out};
use super::{Batch, Counts, Extras, Numbers, part_mut};
use crate::real::Real;
use crate::simd::{LaneWork, Lanes, Vector};

/// Diffusion, leak, noise and clamp of the potential alone; its rows are of one field.
pub(crate) struct Alone<'a, T> {
    /// One row if there are extras.
    pub(crate) batch: Batch<'a, T>,
    pub(crate) extras: &'a Extras<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) out: &'a mut [T],
}

/// [`Alone`] in the registers of a level.
struct AloneRow<'a, 'o, T, V: Vector<T>> {
    cells: &'o mut Cells<'a, T, V>,
    leaks: bool,
    v: Diffusion<'a, V, V::Chunk>,
    out: &'o mut [V::Chunk],
}

impl<T: Real, V: Vector<T>> AloneRow<'_, '_, T, V> {
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
        let Self { batch, extras, numbers: p, out } = self;
        let span = batch.span;
        let (whole, rest, vectors) = span.vectors(V::LANES);
        let mut cells = Cells::new(lanes, p, extras.noise, vectors);
        let alpha = lanes.splat(p.alpha);
        for index in 0..batch.rows {
            let (place, rows) = batch.row(index);
            let new = part_mut(out, place..place + batch.row_cells);
            let mut row = AloneRow::<T, V> {
                cells: &mut cells,
                leaks: p.leak_rate != T::ZERO,
                v: Diffusion::of::<T>(&rows, extras, 0, alpha, vectors),
                out: chunks_out::<T, V>(new, span.first, vectors),
            };
            for k in 0..vectors {
                row.cell(k, if k < whole { V::LANES } else { rest });
            }
        }
        cells.counts()
    }
}
