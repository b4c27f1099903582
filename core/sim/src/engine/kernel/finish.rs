//! What is done with a row that is finished.

use crate::real::Real;
use crate::simd::{LaneWork, Lanes, Vector};

/// Copies the finished cells of all fields of a row and tells whether one of them is NaN or
/// infinite.
pub(crate) struct Finish<'a, T> {
    /// The fields of the row, one after the other, from the first finished cell on.
    pub(crate) from: &'a [T],
    /// Cells from a field to the next.
    pub(crate) stride: usize,
    /// Where they go.
    pub(crate) to: [&'a mut [T]; 3],
}

impl<T: Real> LaneWork<T> for Finish<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> bool {
        let zero = lanes.splat(T::ZERO);
        // 0 times NaN or infinity is NaN, and stays it in the sum.
        let mut sum = zero;
        let mut rest_not_finite = false;
        let mut from = self.from;
        for to in self.to {
            let n = to.len();
            if n == 0 {
                continue;
            }
            let (cells, later) = from.split_at(self.stride.min(from.len()));
            let whole = n / V::LANES * V::LANES;
            let (sources, targets) = (V::chunks(&cells[..whole]), V::chunks_mut(&mut to[..whole]));
            for (source, target) in sources.iter().zip(targets) {
                let value = lanes.load(source);
                sum = sum + value * zero;
                value.store(target);
            }
            for (source, target) in cells[whole..n].iter().zip(&mut to[whole..]) {
                rest_not_finite |= !source.is_finite();
                *target = *source;
            }
            from = later;
        }
        rest_not_finite | (V::total(V::counted(V::no_tally(lanes), sum.differs(zero))) > 0)
    }
}
