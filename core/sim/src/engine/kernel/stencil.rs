//! The neighbours of the cells of a row in registers, and the diffusion terms from them.

use super::{Extras, MapRows, Rows, Span, part, part_mut};
use crate::real::Real;
use crate::simd::{Lanes, Vector};

/// The registers of a field in a row, with the neighbours of its cells.
pub(super) struct Stencil<'a, C> {
    up: &'a [C],
    down: &'a [C],
    first: &'a [C],
    second: &'a [C],
    pub(super) centre: &'a [C],
}

impl<'a, C> Stencil<'a, C> {
    #[inline(always)]
    pub(super) fn of<T: Real, V: Vector<T, Chunk = C>>(
        rows: &Rows<'a, T>,
        field: usize,
        vectors: usize,
    ) -> Self {
        let start = field * rows.span.stride + rows.span.first;
        let end = start + vectors * V::LANES;
        // One look at the length serves three slices.
        let centre = part(rows.centre, start - 1..end + 1);
        let left = chunks::<T, V>(centre, vectors);
        let right = chunks::<T, V>(part(centre, 2..centre.len()), vectors);
        let (first, second) = if rows.span.right_first { (right, left) } else { (left, right) };
        Self {
            up: chunks::<T, V>(part(rows.up, start..end), vectors),
            down: chunks::<T, V>(part(rows.down, start..end), vectors),
            first,
            second,
            centre: chunks::<T, V>(part(centre, 1..centre.len()), vectors),
        }
    }

    /// The five-point Laplacian with unit spacing, in the order of summation of MFN 4.1.
    #[inline(always)]
    pub(super) fn laplacian<T: Real, V: Vector<T, Chunk = C>>(
        &self,
        lanes: Lanes<V>,
        k: usize,
        centre: V,
    ) -> V {
        let up_and_down = lanes.load(&self.up[k]) + lanes.load(&self.down[k]);
        let neighbours = (up_and_down + lanes.load(&self.first[k])) + lanes.load(&self.second[k]);
        neighbours - lanes.splat(T::of(4.0)) * centre
    }

    /// The divergence of the flux D grad u, where `self` is u and `map` is D. The coefficient of
    /// a face is the mean of the cells beside it, and the flux out of a cell is bit for bit the
    /// flux into its neighbour: nothing is lost between two cells.
    #[inline(always)]
    pub(super) fn flux_divergence<T: Real, V: Vector<T, Chunk = C>>(
        &self,
        lanes: Lanes<V>,
        k: usize,
        here: V,
        map: &Self,
    ) -> V {
        let from = Face { half: lanes.splat(T::of(0.5)), here, d_here: lanes.load(&map.centre[k]) };
        let up = from.flux::<T>(lanes.load(&map.up[k]), lanes.load(&self.up[k]));
        let down = from.flux::<T>(lanes.load(&map.down[k]), lanes.load(&self.down[k]));
        let first = from.flux::<T>(lanes.load(&map.first[k]), lanes.load(&self.first[k]));
        let second = from.flux::<T>(lanes.load(&map.second[k]), lanes.load(&self.second[k]));
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

/// The diffusion term of a field: a coefficient for all cells or one for each.
pub(super) struct Diffusion<'a, V, C> {
    pub(super) field: Stencil<'a, C>,
    coefficient: V,
    map: Option<Stencil<'a, C>>,
}

impl<'a, V, C> Diffusion<'a, V, C> {
    #[inline(always)]
    pub(super) fn of<T: Real>(
        rows: &Rows<'a, T>,
        extras: &Extras<'a, T>,
        field: usize,
        coefficient: V,
        vectors: usize,
    ) -> Self
    where
        V: Vector<T, Chunk = C>,
    {
        let map = match extras.diffusion[field] {
            Some(MapRows { up, centre, down }) => {
                let rows = Rows { up, centre, down, span: Span { stride: 0, first: 1, ..rows.span } };
                Some(Stencil::of::<T, V>(&rows, 0, vectors))
            }
            None => None,
        };
        Self { field: Stencil::of::<T, V>(rows, field, vectors), coefficient, map }
    }

    #[inline(always)]
    pub(super) fn at<T: Real, const PLAIN: bool>(&self, lanes: Lanes<V>, k: usize, centre: V) -> V
    where
        V: Vector<T, Chunk = C>,
    {
        match &self.map {
            Some(map) if !PLAIN => self.field.flux_divergence(lanes, k, centre, map),
            _ => self.coefficient * self.field.laplacian(lanes, k, centre),
        }
    }
}

/// The registers of a row of single numbers.
#[inline(always)]
pub(super) fn chunks<T: Real, V: Vector<T>>(row: &[T], vectors: usize) -> &[V::Chunk] {
    part(V::chunks(part(row, 0..vectors * V::LANES)), 0..vectors)
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

/// The registers of a row of new cells.
#[inline(always)]
pub(super) fn chunks_out<T: Real, V: Vector<T>>(
    out: &mut [T],
    first: usize,
    vectors: usize,
) -> &mut [V::Chunk] {
    part_mut(V::chunks_mut(part_mut(out, first..first + vectors * V::LANES)), 0..vectors)
}
