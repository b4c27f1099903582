//! One affine map of the plane.

use serde::{Deserialize, Serialize};

/// Largest relative difference of the two singular values of a similarity.
const SIMILARITY_TOLERANCE: f64 = 1e-12;

/// The map (x, y) -> (a x + b y + e, c x + d y + f).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AffineMap {
    /// Weight of x in the new x.
    pub a: f64,
    /// Weight of y in the new x.
    pub b: f64,
    /// Weight of x in the new y.
    pub c: f64,
    /// Weight of y in the new y.
    pub d: f64,
    /// Shift of x.
    pub e: f64,
    /// Shift of y.
    pub f: f64,
}

impl AffineMap {
    /// The map with these coefficients, in the order a, b, c, d, e, f.
    #[must_use]
    pub const fn new([a, b, c, d, e, f]: [f64; 6]) -> Self {
        Self { a, b, c, d, e, f }
    }

    /// The coefficients in the order a, b, c, d, e, f.
    #[must_use]
    pub const fn coefficients(&self) -> [f64; 6] {
        [self.a, self.b, self.c, self.d, self.e, self.f]
    }

    /// The image of a point.
    #[inline]
    #[must_use]
    pub fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x + self.b * y + self.e, self.c * x + self.d * y + self.f]
    }

    /// The image of a direction: [`apply`](Self::apply) without the shift.
    #[inline]
    #[must_use]
    pub fn turn(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x + self.b * y, self.c * x + self.d * y]
    }

    /// a d - b c: how the map changes areas, with a sign for reflections.
    #[inline]
    #[must_use]
    pub fn determinant(&self) -> f64 {
        self.a * self.d - self.b * self.c
    }

    /// The largest and the smallest factor by which the map changes lengths.
    #[must_use]
    pub fn singular_values(&self) -> [f64; 2] {
        let [turning, mirroring] = self.halves();
        [turning + mirroring, (turning - mirroring).abs()]
    }

    /// The ratio of a similarity, which changes all lengths alike; `None` for other maps.
    #[must_use]
    pub fn similarity_ratio(&self) -> Option<f64> {
        let [turning, mirroring] = self.halves();
        let (larger, smaller) = (turning.max(mirroring), turning.min(mirroring));
        (smaller <= SIMILARITY_TOLERANCE * larger).then_some(larger)
    }

    /// The sizes of the two similarities, one with and one without a reflection, whose sum is the
    /// linear part of the map.
    fn halves(&self) -> [f64; 2] {
        let turning = (0.5 * (self.a + self.d)).hypot(0.5 * (self.c - self.b));
        let mirroring = (0.5 * (self.a - self.d)).hypot(0.5 * (self.c + self.b));
        [turning, mirroring]
    }

    /// The point that the map leaves in its place, if there is exactly one.
    #[must_use]
    pub fn fixed_point(&self) -> Option<[f64; 2]> {
        let determinant = (1.0 - self.a) * (1.0 - self.d) - self.b * self.c;
        let point = [
            ((1.0 - self.d) * self.e + self.b * self.f) / determinant,
            ((1.0 - self.a) * self.f + self.c * self.e) / determinant,
        ];
        point.iter().all(|coordinate| coordinate.is_finite()).then_some(point)
    }
}
