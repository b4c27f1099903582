//! The kernel of all three fields.

use super::cells::Cells;
use super::stencil::{Diffusion, chunks, chunks_of, chunks_out, range_of};
use super::{Batch, Counts, Extras, Numbers, part_mut, too_short};
use crate::kinetics::Reaction;
use crate::real::Real;
use crate::simd::{LaneWork, Lanes, Vector};

/// One step of all three fields: diffusion of the potential, reaction and diffusion of activator
/// and inhibitor from their old values, activation, clamps. `PLAIN`: there are no extras and the
/// time step is 1; `LEAK`, which is for those alone: the potential relaxes to rest.
pub(crate) struct Coupled<'a, T, R, const PLAIN: bool, const LEAK: bool> {
    /// One row if there are extras.
    pub(crate) batch: Batch<'a, T>,
    pub(crate) extras: &'a Extras<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) reaction: &'a R,
    /// The buffer of the new rows.
    pub(crate) out: &'a mut [T],
}

/// [`Coupled`] in the registers of a level.
struct CoupledRow<'a, 'o, T, V: Vector<T>, R, const PLAIN: bool, const LEAK: bool> {
    cells: &'o mut Cells<'a, T, V>,
    reaction: R,
    v: Diffusion<'a, V, V::Chunk>,
    a: Diffusion<'a, V, V::Chunk>,
    i: Diffusion<'a, V, V::Chunk>,
    rates: Option<[&'a [V::Chunk]; 2]>,
    factors: [Option<&'a [V::Chunk]>; 2],
    range: Option<(V, V)>,
    leaks: bool,
    v_out: &'o mut [V::Chunk],
    a_out: &'o mut [V::Chunk],
    i_out: &'o mut [V::Chunk],
}

impl<T: Real, V: Vector<T>, R: Reaction<T>, const PLAIN: bool, const LEAK: bool>
    CoupledRow<'_, '_, T, V, R, PLAIN, LEAK>
{
    #[inline(always)]
    fn rates(&self, k: usize, a_old: V, i_old: V) -> (V, V) {
        if PLAIN {
            return self.reaction.rates(a_old, i_old);
        }
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

    /// A new activator or inhibitor in the range of the kinetics, if it has one.
    #[inline(always)]
    fn within(&self, value: V) -> V {
        match self.range {
            Some((low, high)) => value.raised_to(low).lowered_to(high),
            None => value,
        }
    }

    #[inline(always)]
    fn cell(&mut self, k: usize, counted: usize) {
        let lanes = self.cells.lanes;
        let v_old = lanes.load(&self.v.field.centre[k]);
        let a_old = lanes.load(&self.a.field.centre[k]);
        let i_old = lanes.load(&self.i.field.centre[k]);
        let (f, g) = self.rates(k, a_old, i_old);
        let a_change = self.a.at::<T, PLAIN>(lanes, k, a_old) + f;
        let i_change = self.i.at::<T, PLAIN>(lanes, k, i_old) + g;
        let a_new = a_old + self.cells.over_time::<PLAIN>(a_change);
        let i_new = i_old + self.cells.over_time::<PLAIN>(i_change);
        let diffusion = self.v.at::<T, PLAIN>(lanes, k, v_old);
        // Known at compile time in the plain kernels.
        let leaks = if PLAIN { LEAK } else { self.leaks };
        let diffused = self.cells.relaxed::<PLAIN>(v_old, diffusion, leaks);
        // The threshold is tested before the activator is clamped.
        let raised = self.cells.activated(a_new, diffused, counted);
        self.cells.potential::<PLAIN>(k, raised, counted).store(&mut self.v_out[k]);
        self.within(a_new).store(&mut self.a_out[k]);
        self.within(i_new).store(&mut self.i_out[k]);
    }
}

impl<T: Real, R: Reaction<T>, const PLAIN: bool, const LEAK: bool> LaneWork<T>
    for Coupled<'_, T, R, PLAIN, LEAK>
{
    type Output = Counts;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> Counts {
        let Self { batch, extras, numbers: p, reaction, out } = self;
        let span = batch.span;
        let (whole, rest, vectors) = span.vectors(V::LANES);
        let range = range_of::<T, V>(lanes, R::CLAMP);
        // What a plain row does not have is not looked for.
        let extras = if PLAIN { &Extras::NONE } else { extras };
        let mut cells = Cells::new(lanes, p, extras.noise, vectors);
        let coefficients = [lanes.splat(p.alpha), lanes.splat(p.d_activator), lanes.splat(p.d_inhibitor)];
        for index in 0..batch.rows {
            let (place, rows) = batch.row(index);
            let new = part_mut(out, place..place + batch.row_cells);
            let Some((v_out, others)) = new.split_at_mut_checked(span.stride) else { too_short() };
            let Some((a_out, i_out)) = others.split_at_mut_checked(span.stride) else { too_short() };
            let rates = extras.rates.map(|[f, g]| [chunks::<T, V>(f, vectors), chunks::<T, V>(g, vectors)]);
            let mut row = CoupledRow::<T, V, R, PLAIN, LEAK> {
                cells: &mut cells,
                reaction: reaction.clone(),
                v: Diffusion::of::<T>(&rows, extras, 0, coefficients[0], vectors),
                a: Diffusion::of::<T>(&rows, extras, 1, coefficients[1], vectors),
                i: Diffusion::of::<T>(&rows, extras, 2, coefficients[2], vectors),
                rates,
                factors: [
                    chunks_of::<T, V>(extras.factors[0], vectors),
                    chunks_of::<T, V>(extras.factors[1], vectors),
                ],
                range,
                leaks: p.leak_rate != T::ZERO,
                v_out: chunks_out::<T, V>(v_out, span.first, vectors),
                a_out: chunks_out::<T, V>(a_out, span.first, vectors),
                i_out: chunks_out::<T, V>(i_out, span.first, vectors),
            };
            if !PLAIN {
                // One copy of a long body.
                for k in 0..vectors {
                    row.cell(k, if k < whole { V::LANES } else { rest });
                }
                continue;
            }
            for k in 0..whole {
                row.cell(k, V::LANES);
            }
            if rest > 0 {
                row.cell(whole, rest);
            }
        }
        cells.counts()
    }
}
