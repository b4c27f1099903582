//! How rows are copied: into a block, between lanes, and checked out of it.

use std::ops::Range;

use crate::engine::calm::Seen;
use crate::real::Real;
use crate::simd::{DetectedLevel, LaneWork, Lanes, PastCaches, Vector, cells_to_line, on_lanes};

/// Cells of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The first cell of the first row.
    pub(crate) first: usize,
    /// Cells from a row to the next.
    pub(crate) pitch: usize,
}

impl Place {
    /// So many cells of row `row`.
    #[inline(always)]
    fn of_row(&self, row: usize, cells: usize) -> Range<usize> {
        let start = self.first + row * self.pitch;
        start..start + cells
    }
}

/// Copies the same cells of some planes or fields, each to its field. The function of the C library takes a way
/// that is slow for as few cells as those of a row.
pub(crate) struct CopyRows<'a, T> {
    pub(crate) planes: &'a [&'a [T]],
    /// The cells, in each plane.
    pub(crate) from: Place,
    pub(crate) to: &'a mut [T],
    /// Where those of the first plane go.
    pub(crate) at: Place,
    /// Cells from a field to the next, there.
    pub(crate) stride: usize,
    pub(crate) rows: usize,
    /// In each row.
    pub(crate) cells: usize,
}

impl<T: Real> CopyRows<'_, T> {
    /// Copies them with the registers of a level. One function for all who copy: the ways of all levels are in it.
    #[inline(never)]
    pub(crate) fn on(self, level: DetectedLevel) {
        on_lanes(level, self);
    }
}

impl<T: Real> LaneWork<T> for CopyRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) {
        let Self { planes, from, to, at, stride, rows, cells } = self;
        let whole = cells / V::LANES * V::LANES;
        for (field, plane) in planes.iter().enumerate() {
            let at = Place { first: at.first + field * stride, ..at };
            for row in 0..rows {
                let (from, to) = (&plane[from.of_row(row, cells)], &mut to[at.of_row(row, cells)]);
                for (source, target) in V::chunks(&from[..whole]).iter().zip(V::chunks_mut(&mut to[..whole]))
                {
                    lanes.load(source).store(target);
                }
                if whole < cells {
                    to[whole..].copy_from_slice(&from[whole..]);
                }
            }
        }
    }
}

/// Copies the finished cells of rows to their planes, sees their range and tells whether one of them is NaN or infinite.
pub(crate) struct Finish<'a, 'n, T> {
    pub(crate) from: &'a [T],
    /// The cells of the first field.
    pub(crate) at: Place,
    /// Cells from a field to the next.
    pub(crate) stride: usize,
    /// Where those of each field go, as many as there are places.
    pub(crate) to: &'a mut [&'n mut [T]],
    /// Cells from a row to the next, there.
    pub(crate) pitch: usize,
    pub(crate) rows: usize,
    /// In each row.
    pub(crate) cells: usize,
    /// For each field at least.
    pub(crate) seen: &'a mut [Seen<T>],
    /// They go there past the caches.
    pub(crate) past: Option<&'a PastCaches>,
}

impl<T: Real> LaneWork<T> for Finish<'_, '_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> bool {
        let Self { from, at, stride, to, pitch, rows, cells, seen, past } = self;
        // 0 times NaN or infinity is NaN, and stays it in a sum.
        let zero = lanes.splat(T::ZERO);
        let (mut sum, mut sum_of_single) = (zero, T::ZERO);
        for ((field, to), seen) in to.iter_mut().enumerate().zip(seen) {
            let at = Place { first: at.first + field * stride, ..at };
            let [mut low, mut high] = seen.registers::<V>().map(|values| lanes.load(values));
            for row in 0..rows {
                let from = &from[at.of_row(row, cells)];
                let to = &mut to[Place { first: 0, pitch }.of_row(row, cells)];
                // Whole lines go past the caches.
                let before = if past.is_some() { cells_to_line(to).min(cells) } else { 0 };
                let whole = before + (cells - before) / V::LANES * V::LANES;
                for single in [0..before, whole..cells] {
                    if !single.is_empty() {
                        sum_of_single += zeros_of_single(&from[single.clone()], &mut to[single], seen);
                    }
                }
                let (from, to) = (&from[before..whole], &mut to[before..whole]);
                for (source, target) in V::chunks(from).iter().zip(V::chunks_mut(to)) {
                    let value = lanes.load(source);
                    sum = sum + value * zero;
                    low = low.lowered_to(value);
                    high = high.raised_to(value);
                    match past {
                        Some(past) => value.store_past(past, target),
                        None => value.store(target),
                    }
                }
            }
            // Single cells may have been seen meanwhile.
            let [lowest, highest] = seen.registers::<V>();
            low.lowered_to(lanes.load(lowest)).store(lowest);
            high.raised_to(lanes.load(highest)).store(highest);
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
