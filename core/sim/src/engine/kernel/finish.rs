//! What is done with a row that is finished.

use crate::real::Real;
use crate::simd::{LaneWork, Lanes, Vector};

/// Copies finished cells and tells whether one of them is NaN or infinite.
pub(crate) struct Finish<'a, T> {
    pub(crate) from: &'a [T],
    pub(crate) to: &'a mut [T],
}

impl<T: Real> LaneWork<T> for Finish<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> bool {
        let n = self.to.len();
        let from = &self.from[..n];
        let whole = n / V::LANES * V::LANES;
        let (sources, targets) = (V::chunks(&from[..whole]), V::chunks_mut(&mut self.to[..whole]));
        let zero = lanes.splat(T::ZERO);
        // 0 times NaN or infinity is NaN, and stays it in the sum.
        let mut sum = zero;
        for (source, target) in sources.iter().zip(targets) {
            let value = lanes.load(source);
            sum = sum + value * zero;
            value.store(target);
        }
        let mut not_finite = V::total(V::counted(V::no_tally(lanes), sum.differs(zero))) > 0;
        for (source, target) in from[whole..].iter().zip(&mut self.to[whole..]) {
            not_finite |= !source.is_finite();
            *target = *source;
        }
        not_finite
    }
}
