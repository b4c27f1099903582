//! What [`Plain`](super::Plain) leaves undone: activation, noise and clamp of the potential, the upper clamp of the
//! activator, and what is counted.

use super::cells::Cells;
use super::stencil::{chunks_mut, range_of};
use super::{Batch, Counts, Numbers, Places};
use crate::engine::strip;
use crate::real::Real;
use crate::simd::{LaneWork, Lanes, Vector};

/// Activates the potential of computed rows, adds noise and clamps it, and takes their activator down to its range: it is
/// not below that already, and the threshold is in it.
pub(crate) struct Mend<'a, 'b, T> {
    /// As it was computed.
    pub(crate) batch: &'a mut Batch<'b, T>,
    pub(crate) numbers: &'a Numbers<T>,
    /// Of one row, from the first register on.
    pub(crate) noise: Option<&'a [T]>,
    /// The range of the activator, if some may be above it.
    pub(crate) range: Option<(f64, f64)>,
}

impl<T: Real> LaneWork<T> for Mend<'_, '_, T> {
    type Output = Counts;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> Counts {
        let Self { batch, numbers, noise, range } = self;
        let range = range_of::<T, V>(lanes, range);
        let span = batch.span;
        let registers = span.registers(V::LANES);
        let first = span.form(&registers, V::LANES).first;
        let mut places = Places::of(batch);
        let mut cells = Cells::<T, V>::new(lanes, numbers, noise, registers.all());
        let [before, whole, all] = registers.ends;
        for _ in 0..batch.rows {
            let [.., new] = places.next();
            let row = &mut batch.ring[new * span.row_cells..][..span.row_cells];
            let (potential, activator) = row.split_at_mut(span.stride);
            let new = chunks_mut::<T, V>(&mut potential[first..], all);
            let computed = chunks_mut::<T, V>(&mut activator[first..], all);
            // Most registers are counted as a whole, which costs less.
            for k in before..whole {
                mend(&mut cells, &mut new[k], &computed[k], k, V::LANES);
            }
            for k in (0..before).chain(whole..all) {
                mend(&mut cells, &mut new[k], &computed[k], k, registers.counted(k, V::LANES));
            }
            if let Some((_, high)) = range {
                for activator in computed {
                    lanes.load(activator).lowered_to(high).store(activator);
                }
            }
            strip::copy(span.copied, row, span.stride, 2);
        }
        cells.counts()
    }
}

/// The potential of a register, of which the first `counted` cells count.
#[inline(always)]
fn mend<T: Real, V: Vector<T>>(
    cells: &mut Cells<'_, T, V>,
    potential: &mut V::Chunk,
    activator: &V::Chunk,
    k: usize,
    counted: usize,
) {
    let lanes = cells.lanes;
    let raised = cells.activated(lanes.load(activator), lanes.load(potential), counted);
    cells.potential(k, raised, counted).store(potential);
}
