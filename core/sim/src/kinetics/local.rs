//! What every kinetics of the library tells about itself beyond its rates.

use crate::bounds::Bound;

/// The Jacobian of (f, g) with respect to (u, v), row by row: `[[f_u, f_v], [g_u, g_v]]`.
pub(crate) type Matrix2 = [[f64; 2]; 2];

/// Parameters, steady states and derivatives of the unscaled rates, in double precision.
pub(super) trait Local {
    /// Name in a specification.
    const NAME: &'static str;
    /// One row for each parameter.
    const BOUNDS: &'static [Bound];

    /// The value of each row of [`BOUNDS`](Self::BOUNDS), in its order.
    fn values(&self) -> Vec<f64>;

    /// All points (u, v) with f = g = 0 that are finite, the one on which patterns grow first.
    /// In closed form where there is one.
    fn steady_states(&self) -> Vec<(f64, f64)>;

    /// The derivatives at (u, v), in closed form.
    fn jacobian(&self, u: f64, v: f64) -> Matrix2;
}
