//! The diffusion terms of the cells of a row in registers.

use super::{MapRows, part};
use crate::real::Real;
use crate::simd::{Lanes, Neighbours, Vector, too_short};

/// The five-point Laplacian with unit spacing of a field, in the order of summation of MFN 4.1.
#[inline(always)]
pub(super) fn laplacian<T: Real, V: Vector<T>, const FIELDS: usize>(
    lanes: Lanes<V>,
    around: &Neighbours<V, FIELDS>,
    field: usize,
) -> V {
    let up_and_down = around.up[field] + around.down[field];
    let neighbours = (up_and_down + around.first[field]) + around.second[field];
    neighbours - lanes.splat(T::of(4.0)) * around.centre[field]
}

/// The registers of a map of diffusion coefficients in a row, with those of the neighbours.
pub(super) struct Map<'a, C> {
    up: &'a [C],
    down: &'a [C],
    first: &'a [C],
    second: &'a [C],
    centre: &'a [C],
}

impl<'a, C> Map<'a, C> {
    #[inline(always)]
    pub(super) fn of<T: Real, V: Vector<T, Chunk = C>>(
        rows: Option<MapRows<'a, T>>,
        right_first: bool,
        vectors: usize,
    ) -> Option<Self> {
        let MapRows { up, centre, down } = rows?;
        let end = vectors * V::LANES;
        let left = chunks::<T, V>(centre, vectors);
        let right = chunks::<T, V>(part(centre, 2..end + 2), vectors);
        let (first, second) = if right_first { (right, left) } else { (left, right) };
        Some(Self {
            up: chunks::<T, V>(part(up, 1..end + 1), vectors),
            down: chunks::<T, V>(part(down, 1..end + 1), vectors),
            first,
            second,
            centre: chunks::<T, V>(part(centre, 1..end + 1), vectors),
        })
    }

    /// The divergence of the flux D grad u, where `around` has u and `self` is D. The coefficient of
    /// a face is the mean of the cells beside it, and the flux out of a cell is bit for bit the
    /// flux into its neighbour: nothing is lost between two cells.
    #[inline(always)]
    pub(super) fn flux_divergence<T: Real, V: Vector<T, Chunk = C>, const FIELDS: usize>(
        &self,
        lanes: Lanes<V>,
        around: &Neighbours<V, FIELDS>,
        field: usize,
        k: usize,
    ) -> V {
        let here = around.centre[field];
        let from = Face { half: lanes.splat(T::of(0.5)), here, d_here: lanes.load(&self.centre[k]) };
        let up = from.flux::<T>(lanes.load(&self.up[k]), around.up[field]);
        let down = from.flux::<T>(lanes.load(&self.down[k]), around.down[field]);
        let first = from.flux::<T>(lanes.load(&self.first[k]), around.first[field]);
        let second = from.flux::<T>(lanes.load(&self.second[k]), around.second[field]);
        ((up + down) + first) + second
    }
}

/// One side of the faces of cells.
pub(super) struct Face<V> {
    half: V,
    here: V,
    d_here: V,
}

impl<V> Face<V> {
    #[inline(always)]
    pub(super) fn flux<T>(&self, d_there: V, there: V) -> V
    where
        V: Vector<T>,
    {
        (self.half * (self.d_here + d_there)) * (there - self.here)
    }
}

/// The registers of a row of single numbers.
#[inline(always)]
pub(super) fn chunks<T: Real, V: Vector<T>>(row: &[T], vectors: usize) -> &[V::Chunk] {
    part(V::chunks(part(row, 0..vectors * V::LANES)), 0..vectors)
}

/// The same, to be written.
#[inline(always)]
pub(super) fn chunks_mut<T: Real, V: Vector<T>>(row: &mut [T], vectors: usize) -> &mut [V::Chunk] {
    match V::chunks_mut(row).get_mut(..vectors) {
        Some(chunks) => chunks,
        None => too_short(),
    }
}

/// The same, if there is one.
#[inline(always)]
#[allow(clippy::manual_map, reason = "a closure could not be forced into the function of a level")]
pub(super) fn chunks_of<T: Real, V: Vector<T>>(row: Option<&[T]>, vectors: usize) -> Option<&[V::Chunk]> {
    match row {
        Some(row) => Some(chunks::<T, V>(row, vectors)),
        None => None,
    }
}

/// A range in registers, if there is one.
#[inline(always)]
#[allow(clippy::manual_map, reason = "as above")]
pub(super) fn range_of<T: Real, V: Vector<T>>(lanes: Lanes<V>, range: Option<(f64, f64)>) -> Option<(V, V)> {
    match range {
        Some((low, high)) => Some((lanes.splat(T::of(low)), lanes.splat(T::of(high)))),
        None => None,
    }
}
