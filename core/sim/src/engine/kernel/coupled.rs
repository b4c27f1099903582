//! The kernel of all three fields.

use super::cells::Cells;
use super::rows::RowWork;
use super::stencil::{Map, chunks, chunks_of, laplacian, range_of};
use super::{Batch, Counts, Extras, Numbers, Registers};
use crate::kinetics::Reaction;
use crate::real::Real;
use crate::simd::{Around, LaneWork, Lanes, Neighbours, Vector};

/// One step of all three fields: diffusion of the potential, reaction and diffusion of activator
/// and inhibitor from their old values, activation, clamps.
pub(crate) struct Coupled<'a, 'b, T, R> {
    /// One row if there are extras.
    pub(crate) batch: &'a mut Batch<'b, T>,
    pub(crate) extras: &'a Extras<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) reaction: &'a R,
}

/// What [`Coupled`] needs in every row, in the registers of a level.
struct CoupledRows<'a, T, V: Vector<T>, R> {
    cells: Cells<'a, T, V>,
    reaction: R,
    coefficients: [V; 3],
    maps: [Option<Map<'a, V::Chunk>>; 3],
    rates: Option<[&'a [V::Chunk]; 2]>,
    factors: [Option<&'a [V::Chunk]>; 2],
    range: Option<(V, V)>,
    leaks: bool,
}

impl<T: Real, V: Vector<T>, R: Reaction<T>> CoupledRows<'_, T, V, R> {
    #[inline(always)]
    fn rates(&self, k: usize, a_old: V, i_old: V) -> (V, V) {
        let lanes = self.cells.lanes;
        let (mut f, mut g) = match self.rates {
            Some([f, g]) => (lanes.load(&f[k]), lanes.load(&g[k])),
            None => self.reaction.rates(a_old, i_old),
        };
        if let Some(factor) = self.factors[0] {
            f = lanes.load(&factor[k]) * f;
        }
        if let Some(factor) = self.factors[1] {
            g = lanes.load(&factor[k]) * g;
        }
        (f, g)
    }

    /// The diffusion term of a field: a coefficient for all cells or one for each.
    #[inline(always)]
    fn diffusion(&self, around: &Neighbours<V, 3>, field: usize, k: usize) -> V {
        let lanes = self.cells.lanes;
        match &self.maps[field] {
            Some(map) => map.flux_divergence::<T, V, 3>(lanes, around, field, k),
            None => self.coefficients[field] * laplacian::<T, V, 3>(lanes, around, field),
        }
    }

    /// A new activator or inhibitor in the range of the kinetics, if it has one.
    #[inline(always)]
    fn within(&self, value: V) -> V {
        match self.range {
            Some((low, high)) => value.raised_to(low).lowered_to(high),
            None => value,
        }
    }
}

impl<T: Real, V: Vector<T>, R: Reaction<T>> RowWork<T, V, 3> for CoupledRows<'_, T, V, R> {
    #[inline(always)]
    fn row(&mut self, around: &mut Around<'_, T, V, 3>, registers: &Registers) {
        for k in 0..registers.all() {
            let counted = registers.counted(k, V::LANES);
            let cells = around.read(self.cells.lanes, k);
            let [v_old, a_old, i_old] = cells.centre;
            let (f, g) = self.rates(k, a_old, i_old);
            let a_change = self.diffusion(&cells, 1, k) + f;
            let i_change = self.diffusion(&cells, 2, k) + g;
            let a_new = a_old + self.cells.over_time(a_change);
            let i_new = i_old + self.cells.over_time(i_change);
            let diffusion = self.diffusion(&cells, 0, k);
            let diffused = self.cells.relaxed(v_old, diffusion, self.leaks);
            // The threshold is tested before the activator is clamped.
            let raised = self.cells.activated(a_new, diffused, counted);
            let v_new = self.cells.potential(k, raised, counted);
            around.write(k, [v_new, self.within(a_new), self.within(i_new)]);
        }
    }
}

impl<T: Real, R: Reaction<T>> LaneWork<T> for Coupled<'_, '_, T, R> {
    type Output = Counts;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> Counts {
        let Self { batch, extras, numbers: p, reaction } = self;
        let span = batch.span;
        let registers = span.registers(V::LANES);
        let vectors = registers.all();
        let mut rows = CoupledRows::<T, V, R> {
            cells: Cells::new(lanes, p, extras.noise, vectors),
            reaction: reaction.clone(),
            coefficients: [lanes.splat(p.alpha), lanes.splat(p.d_activator), lanes.splat(p.d_inhibitor)],
            maps: [
                Map::of::<T, V>(extras.diffusion[0], span.right_first, vectors),
                Map::of::<T, V>(extras.diffusion[1], span.right_first, vectors),
                Map::of::<T, V>(extras.diffusion[2], span.right_first, vectors),
            ],
            rates: extras.rates.map(|[f, g]| [chunks::<T, V>(f, vectors), chunks::<T, V>(g, vectors)]),
            factors: [
                chunks_of::<T, V>(extras.factors[0], vectors),
                chunks_of::<T, V>(extras.factors[1], vectors),
            ],
            range: range_of::<T, V>(lanes, R::CLAMP),
            leaks: p.leak_rate != T::ZERO,
        };
        rows.rows(batch, &registers);
        rows.cells.counts()
    }
}
