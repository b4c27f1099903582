//! How rows are copied: into a block, between lanes, and checked out of it.

use std::ops::Range;

use crate::engine::calm::Seen;
use crate::real::Real;
use crate::simd::{DetectedLevel, LaneWork, Lanes, PastCaches, Vector, cells_to_line, on_lanes};

/// Copies the same cells of some planes or fields, each to its field of a row. The function of the C library takes a way
/// that is slow for as few cells as those of a row.
pub(crate) struct CopyRow<'a, T> {
    pub(crate) planes: &'a [&'a [T]],
    /// The cells, in each plane.
    pub(crate) from: Range<usize>,
    pub(crate) to: &'a mut [T],
    /// Cells from a field to the next.
    pub(crate) stride: usize,
}

impl<T: Real> CopyRow<'_, T> {
    /// Copies them with the registers of a level. One function for all who copy: the ways of all levels are in it.
    #[inline(never)]
    pub(crate) fn on(self, level: DetectedLevel) {
        on_lanes(level, self);
    }
}

impl<T: Real> LaneWork<T> for CopyRow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) {
        let Self { planes, from, to, stride } = self;
        let whole = from.len() / V::LANES * V::LANES;
        for (plane, to) in planes.iter().zip(to.chunks_mut(stride)) {
            let (from, to) = (&plane[from.start..from.end], &mut to[..from.len()]);
            for (source, target) in V::chunks(&from[..whole]).iter().zip(V::chunks_mut(&mut to[..whole])) {
                lanes.load(source).store(target);
            }
            to[whole..].copy_from_slice(&from[whole..]);
        }
    }
}

/// Copies the finished cells of a row to their planes, sees their range and tells whether one of them is NaN or infinite.
pub(crate) struct Finish<'a, 'n, T> {
    pub(crate) from: &'a [T],
    /// Cells from a field to the next.
    pub(crate) stride: usize,
    /// Where those of each field go, as many as there are places.
    pub(crate) to: &'a mut [&'n mut [T]],
    /// For each field at least.
    pub(crate) seen: &'a mut [Seen<T>],
    /// They go there past the caches.
    pub(crate) past: Option<&'a PastCaches>,
}

impl<T: Real> LaneWork<T> for Finish<'_, '_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> bool {
        let Self { from, stride, to, seen, past } = self;
        // 0 times NaN or infinity is NaN, and stays it in a sum.
        let zero = lanes.splat(T::ZERO);
        let (mut sum, mut sum_of_single) = (zero, T::ZERO);
        for ((from, to), seen) in from.chunks(stride).zip(to).zip(seen) {
            // Whole lines go past the caches.
            let before = if past.is_some() { cells_to_line(to).min(to.len()) } else { 0 };
            let whole = before + (to.len() - before) / V::LANES * V::LANES;
            for single in [0..before, whole..to.len()] {
                if !single.is_empty() {
                    sum_of_single += zeros_of_single(&from[single.clone()], &mut to[single], seen);
                }
            }
            let (from, to) = (&from[before..whole], &mut to[before..whole]);
            let kept = seen.registers::<V>();
            let [mut lowest, mut highest] = [lanes.load(kept[0]), lanes.load(kept[1])];
            for (source, target) in V::chunks(from).iter().zip(V::chunks_mut(to)) {
                let value = lanes.load(source);
                sum = sum + value * zero;
                lowest = lowest.lowered_to(value);
                highest = highest.raised_to(value);
                match past {
                    Some(past) => value.store_past(past, target),
                    None => value.store(target),
                }
            }
            lowest.store(kept[0]);
            highest.store(kept[1]);
        }
        let not_finite = sum.differs(zero);
        !sum_of_single.is_finite() || V::total(V::counted(V::no_tally(lanes), not_finite)) > 0
    }
}

/// Copies the few cells that fill no register, and sums up 0 times each. Not compiled for every level: it is seldom called.
#[inline(never)]
fn zeros_of_single<T: Real>(from: &[T], to: &mut [T], seen: &mut Seen<T>) -> T {
    to.copy_from_slice(from);
    seen.all(from);
    from.iter().fold(T::ZERO, |sum, &cell| sum + T::ZERO * cell)
}
