//! The kernel of the potential alone.

use super::cells::Cells;
use super::rows::RowWork;
use super::stencil::{Map, laplacian};
use super::{Batch, Counts, Extras, Numbers, Registers};
use crate::real::Real;
use crate::simd::{Around, LaneWork, Lanes, Vector};

/// Diffusion, leak, noise and clamp of the potential alone; its rows are of one field.
pub(crate) struct Alone<'a, 'b, T> {
    /// One row if there are extras.
    pub(crate) batch: &'a mut Batch<'b, T>,
    pub(crate) extras: &'a Extras<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
}

/// What [`Alone`] needs in every row, in the registers of a level.
struct AloneRows<'a, T, V: Vector<T>> {
    cells: Cells<'a, T, V>,
    leaks: bool,
    alpha: V,
    map: Option<Map<'a, V::Chunk>>,
}

impl<T: Real, V: Vector<T>> RowWork<T, V, 1> for AloneRows<'_, T, V> {
    #[inline(always)]
    fn row(&mut self, around: &mut Around<'_, T, V, 1>, registers: &Registers) {
        let lanes = self.cells.lanes;
        for k in 0..registers.all() {
            let cells = around.read(lanes, k);
            let diffusion = match &self.map {
                Some(map) => map.flux_divergence::<T, V, 1>(lanes, &cells, 0, k),
                None => self.alpha * laplacian::<T, V, 1>(lanes, &cells, 0),
            };
            let diffused = self.cells.relaxed(cells.centre[0], diffusion, self.leaks);
            let counted = registers.counted(k, V::LANES);
            around.write(k, [self.cells.potential(k, diffused, counted)]);
        }
    }
}

impl<T: Real> LaneWork<T> for Alone<'_, '_, T> {
    type Output = Counts;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> Counts {
        let Self { batch, extras, numbers: p } = self;
        let span = batch.span;
        let registers = span.registers(V::LANES);
        let mut rows = AloneRows::<T, V> {
            cells: Cells::new(lanes, p, extras.noise, registers.all()),
            leaks: p.leak_rate != T::ZERO,
            alpha: lanes.splat(p.alpha),
            map: Map::of::<T, V>(extras.diffusion[0], span.right_first, registers.all()),
        };
        rows.rows(batch, &registers);
        rows.cells.counts()
    }
}
