//! How rows are copied: into a block, between lanes, and checked out of it.

use std::ops::Range;

use crate::real::Real;
use crate::simd::{LaneWork, Lanes, PastCaches, Vector, cells_to_line};

/// Copies the same cells of some planes, each to its field of a row.
pub(crate) struct CopyPlanes<'a, T> {
    pub(crate) planes: &'a [&'a [T]],
    /// The cells, in each plane.
    pub(crate) from: Range<usize>,
    pub(crate) to: &'a mut [T],
    /// Cells from a field to the next.
    pub(crate) stride: usize,
}

impl<T: Real> LaneWork<T> for CopyPlanes<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) {
        let Self { planes, from, to, stride } = self;
        for (plane, to) in planes.iter().zip(to.chunks_mut(stride)) {
            copy::<T, V>(lanes, &plane[from.start..from.end], &mut to[..from.len()]);
        }
    }
}

/// Copies the first `cells` of each field of a row.
pub(crate) struct CopyFields<'a, T> {
    pub(crate) from: &'a [T],
    pub(crate) to: &'a mut [T],
    /// Cells from a field to the next, in both.
    pub(crate) strides: [usize; 2],
    pub(crate) cells: usize,
}

impl<T: Real> LaneWork<T> for CopyFields<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) {
        let Self { from, to, strides, cells } = self;
        for (from, to) in from.chunks(strides[0]).zip(to.chunks_mut(strides[1])) {
            copy::<T, V>(lanes, &from[..cells], &mut to[..cells]);
        }
    }
}

/// The function of the C library takes a way that is slow for as few cells as those of a row.
#[inline(always)]
fn copy<T: Real, V: Vector<T>>(lanes: Lanes<V>, from: &[T], to: &mut [T]) {
    let whole = from.len().min(to.len()) / V::LANES * V::LANES;
    for (source, target) in V::chunks(&from[..whole]).iter().zip(V::chunks_mut(&mut to[..whole])) {
        lanes.load(source).store(target);
    }
    for (source, target) in from[whole..].iter().zip(&mut to[whole..]) {
        *target = *source;
    }
}

/// Copies the finished cells of a row to their planes and tells whether one of them is NaN or infinite.
pub(crate) struct Finish<'a, 'n, T> {
    pub(crate) from: &'a [T],
    /// Cells from a field to the next.
    pub(crate) stride: usize,
    /// Where those of each field go, as many as there are places.
    pub(crate) to: &'a mut [&'n mut [T]],
    /// They go there past the caches.
    pub(crate) past: Option<&'a PastCaches>,
}

/// Copies cells and adds 0 times each to a sum. 0 times NaN or infinity is NaN, and stays it in the sum.
struct Checked<T, V> {
    lanes: Lanes<V>,
    zero: V,
    sum: V,
    sum_of_single: T,
}

impl<T: Real, V: Vector<T>> Checked<T, V> {
    #[inline(always)]
    fn singly(&mut self, from: &[T], to: &mut [T]) {
        for (source, target) in from.iter().zip(to) {
            self.sum_of_single += T::ZERO * *source;
            *target = *source;
        }
    }

    #[inline(always)]
    fn by_registers(&mut self, from: &[T], to: &mut [T], past: Option<&PastCaches>) {
        let whole = from.len().min(to.len()) / V::LANES * V::LANES;
        for (source, target) in V::chunks(&from[..whole]).iter().zip(V::chunks_mut(&mut to[..whole])) {
            let value = self.lanes.load(source);
            self.sum = self.sum + value * self.zero;
            match past {
                Some(past) => value.store_past(past, target),
                None => value.store(target),
            }
        }
        self.singly(&from[whole..], &mut to[whole..]);
    }
}

impl<T: Real> LaneWork<T> for Finish<'_, '_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> bool {
        let zero = lanes.splat(T::ZERO);
        let mut checked = Checked { lanes, zero, sum: zero, sum_of_single: T::ZERO };
        let Self { from, stride, to, past } = self;
        for (from, to) in from.chunks(stride).zip(to) {
            let from = &from[..to.len()];
            // Whole lines go past the caches.
            let before = if past.is_some() { cells_to_line(to).min(to.len()) } else { 0 };
            let (first, from) = from.split_at(before);
            let (to_first, to) = to.split_at_mut(before);
            checked.singly(first, to_first);
            checked.by_registers(from, to, past);
        }
        let not_finite = checked.sum.differs(zero);
        !checked.sum_of_single.is_finite() || V::total(V::counted(V::no_tally(lanes), not_finite)) > 0
    }
}
