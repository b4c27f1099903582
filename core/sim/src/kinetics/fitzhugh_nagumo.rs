//! FitzHugh-Nagumo kinetics: an excitable membrane reduced to two variables.

use serde::{Deserialize, Serialize};

use super::Reaction;
use super::local::{Local, Matrix2};
use crate::bounds::{Bound, closed};
use crate::real::{Real, Value};

/// FitzHugh (Biophys. J. 1, 445, 1961) and Nagumo, Arimoto and Yoshizawa (Proc. IRE 50, 2061,
/// 1962): `f = u - u^3 / 3 - v + I`, `g = e (u + a - b v)`.
///
/// u is the fast, self-enhancing variable and v the recovery. A recovery that is fast (e b > 1)
/// and diffuses fast gives patterns instead of pulses: a labyrinth at a = I = 0, where the two
/// signs of u are equal, spots where they are not.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FitzHughNagumo<T = f64> {
    /// e: rate of the recovery relative to the excitation.
    pub epsilon: T,
    /// a: offset of the recovery.
    pub a: T,
    /// b: decay of the recovery.
    pub b: T,
    /// I: constant current.
    pub current: T,
}

impl<T: Real> Default for FitzHughNagumo<T> {
    fn default() -> Self {
        Self { epsilon: T::of(2.0), a: T::ZERO, b: T::of(0.7), current: T::ZERO }
    }
}

impl FitzHughNagumo {
    pub(super) fn cast<T: Real>(&self) -> FitzHughNagumo<T> {
        FitzHughNagumo {
            epsilon: T::of(self.epsilon),
            a: T::of(self.a),
            b: T::of(self.b),
            current: T::of(self.current),
        }
    }
}

/// `f = ((u - (1/3) * ((u * u) * u)) - v) + I`, `g = e * ((u + a) - b * v)`; 1/3 is the nearest
/// value of the type.
impl<T: Real> Reaction<T> for FitzHughNagumo<T> {
    const CLAMP: Option<(f64, f64)> = None;

    #[inline(always)]
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V) {
        let third = u.fill(T::of(1.0 / 3.0));
        let g = u.fill(self.epsilon) * (u + u.fill(self.a) - v.fill(self.b) * v);
        (u - third * (u * u * u) - v + u.fill(self.current), g)
    }
}

impl Local for FitzHughNagumo {
    const NAME: &'static str = "fitzhugh-nagumo";
    const BOUNDS: &'static [Bound] = &[
        closed("kinetics.epsilon", (0.0, 100.0), 2.0, "1", "rate of the recovery").open_below(),
        closed("kinetics.a", (-10.0, 10.0), 0.0, "1", "offset of the recovery"),
        closed("kinetics.b", (0.0, 10.0), 0.7, "1", "decay of the recovery"),
        closed("kinetics.current", (-10.0, 10.0), 0.0, "1", "constant current"),
    ];

    fn values(&self) -> Vec<f64> {
        vec![self.epsilon, self.a, self.b, self.current]
    }

    /// b = 0: u = -a. Otherwise v = (u + a) / b, and u is a root of
    /// b u^3 + 3 (1 - b) u + 3 (a - b I) = 0: one root or three, the one of least size first.
    fn steady_states(&self) -> Vec<(f64, f64)> {
        let Self { a, b, current, .. } = *self;
        let recovery = |u: f64| if b > 0.0 { (u + a) / b } else { u - u * u * u / 3.0 + current };
        let mut roots = if b > 0.0 {
            depressed_cubic_roots(3.0 * (1.0 - b) / b, 3.0 * (a / b - current))
        } else {
            vec![-a]
        };
        roots.sort_by(|x, y| x.abs().total_cmp(&y.abs()));
        roots.into_iter().map(|u| (u, recovery(u))).filter(|(u, v)| u.is_finite() && v.is_finite()).collect()
    }

    fn jacobian(&self, u: f64, _v: f64) -> Matrix2 {
        [[1.0 - u * u, -1.0], [self.epsilon, -self.epsilon * self.b]]
    }
}

/// The real roots of x^3 + p x + q, by Cardano's formula (one root) or Viete's (three), each
/// polished by one step of Newton's method.
fn depressed_cubic_roots(p: f64, q: f64) -> Vec<f64> {
    let discriminant = (q / 2.0) * (q / 2.0) + (p / 3.0) * (p / 3.0) * (p / 3.0);
    let raw = if discriminant > 0.0 {
        // The larger of the two cube roots: the sum inside does not cancel.
        let large = -(q.abs() / 2.0 + discriminant.sqrt()).cbrt() * if q < 0.0 { -1.0 } else { 1.0 };
        vec![large - p / (3.0 * large)]
    } else if p < 0.0 {
        let radius = 2.0 * (-p / 3.0).sqrt();
        let angle = ((3.0 * q / (p * radius)).clamp(-1.0, 1.0)).acos() / 3.0;
        (0..3).map(|k| radius * (angle - std::f64::consts::TAU * f64::from(k) / 3.0).cos()).collect()
    } else {
        vec![0.0]
    };
    raw.into_iter()
        .map(|x| {
            let slope = 3.0 * x * x + p;
            let polished = x - (x * x * x + p * x + q) / slope;
            if slope.abs() > 1e-6 && polished.is_finite() { polished } else { x }
        })
        .collect()
}
