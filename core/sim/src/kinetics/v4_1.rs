//! The kinetics of MyceliumFractalNet 4.1: `f = u (1 - u) - v`, `g = u - v`, both clamped to
//! [0, 1].

use super::local::{Local, Matrix2};
use super::{RangeOfF, Reaction};
use crate::bounds::Bound;
use crate::real::{Real, Value};

/// MyceliumFractalNet 4.1: logistic growth of the activator, a linear inhibitor. Its only
/// steady state is (0, 0), which no diffusion makes unstable with the coefficients of that
/// version: it forms no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct V4_1;

/// `f = u * (1 - u) - v`, `g = u - v`.
impl<T: Real> Reaction<T> for V4_1 {
    const CLAMP: Option<(f64, f64)> = Some((0.0, 1.0));
    const RANGE_OF_F: Option<RangeOfF> = Some(|[u_low, u_high], [v_low, v_high]| {
        // It rises up to u = 1/2 and falls from there on.
        let growth = |u: f64| u * (1.0 - u);
        [growth(u_low).min(growth(u_high)) - v_high, growth(0.5_f64.max(u_low).min(u_high)) - v_low]
    });

    #[inline(always)]
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V) {
        (u * (u.fill(T::ONE) - u) - v, u - v)
    }
}

impl Local for V4_1 {
    const NAME: &'static str = "v4.1";
    const BOUNDS: &'static [Bound] = &[];

    fn values(&self) -> Vec<f64> {
        Vec::new()
    }

    fn steady_states(&self) -> Vec<(f64, f64)> {
        vec![(0.0, 0.0)]
    }

    fn jacobian(&self, u: f64, _v: f64) -> Matrix2 {
        [[1.0 - 2.0 * u, -1.0], [1.0, -1.0]]
    }
}
