//! The noise of a stretch of cells.

use crate::real::Real;
use crate::rng::Philox;
use crate::simd::Vectorised;

/// Normal noise for the cells from `first_cell` on.
pub(super) struct FillNoise<'a, T> {
    pub(super) philox: Philox,
    /// V.
    pub(super) deviation: f64,
    pub(super) first_cell: u64,
    pub(super) out: &'a mut [T],
}

impl<T: Real> Vectorised for FillNoise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.philox.fill_normal(self.first_cell, self.deviation, self.out);
    }
}
