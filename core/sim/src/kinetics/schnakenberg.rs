//! Schnakenberg kinetics: the simplest chemical system with a limit cycle and a Turing
//! instability.

use serde::{Deserialize, Serialize};

use super::Reaction;
use super::local::{Local, Matrix2};
use crate::bounds::{Bound, closed};
use crate::real::{Real, Value};

/// Schnakenberg (J. Theor. Biol. 81, 389, 1979): `f = a - u + u^2 v`, `g = b - u^2 v`. The
/// activator u uses up the substrate v.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schnakenberg<T = f64> {
    /// Supply of the activator.
    pub a: T,
    /// Supply of the substrate.
    pub b: T,
}

impl<T: Real> Default for Schnakenberg<T> {
    fn default() -> Self {
        Self { a: T::of(0.1), b: T::of(0.9) }
    }
}

impl Schnakenberg {
    pub(super) fn cast<T: Real>(&self) -> Schnakenberg<T> {
        Schnakenberg { a: T::of(self.a), b: T::of(self.b) }
    }
}

/// `c = (u * u) * v`, `f = (a - u) + c`, `g = b - c`.
impl<T: Real> Reaction<T> for Schnakenberg<T> {
    const CLAMP: Option<(f64, f64)> = None;

    #[inline(always)]
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V) {
        let conversion = u * u * v;
        (u.fill(self.a) - u + conversion, u.fill(self.b) - conversion)
    }
}

impl Local for Schnakenberg {
    const NAME: &'static str = "schnakenberg";
    const BOUNDS: &'static [Bound] = &[
        closed("kinetics.a", (0.0, 10.0), 0.1, "1", "supply of the activator"),
        closed("kinetics.b", (0.0, 10.0), 0.9, "1", "supply of the substrate"),
    ];

    fn values(&self) -> Vec<f64> {
        vec![self.a, self.b]
    }

    /// u = a + b, v = b / (a + b)^2; none when both supplies are 0.
    fn steady_states(&self) -> Vec<(f64, f64)> {
        let u = self.a + self.b;
        let v = self.b / (u * u);
        if v.is_finite() { vec![(u, v)] } else { Vec::new() }
    }

    fn jacobian(&self, u: f64, v: f64) -> Matrix2 {
        [[2.0 * u * v - 1.0, u * u], [-2.0 * u * v, -u * u]]
    }
}
