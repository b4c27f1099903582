//! Gierer-Meinhardt kinetics: local self-activation with long-range inhibition, the theory of
//! biological pattern formation in its original form.

use serde::{Deserialize, Serialize};

use super::Reaction;
use super::local::{Local, Matrix2};
use crate::bounds::{Bound, closed};
use crate::real::{Real, Value};

/// Gierer and Meinhardt (Kybernetik 12, 30, 1972), with saturation:
/// `f = s - m u + u^2 / (v (1 + K u^2))`, `g = u^2 - n v`.
///
/// Without saturation the pattern is spots, with it stripes and labyrinths. The inhibitor
/// divides: a cell with v = 0 makes the step unstable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GiererMeinhardt<T = f64> {
    /// s: basic production of the activator.
    pub source: T,
    /// m: decay of the activator.
    pub decay_activator: T,
    /// n: decay of the inhibitor.
    pub decay_inhibitor: T,
    /// K: saturation of the self-activation; 0 for none.
    pub saturation: T,
}

impl<T: Real> Default for GiererMeinhardt<T> {
    fn default() -> Self {
        Self { source: T::of(0.1), decay_activator: T::ONE, decay_inhibitor: T::of(1.5), saturation: T::ZERO }
    }
}

impl GiererMeinhardt {
    pub(super) fn cast<T: Real>(&self) -> GiererMeinhardt<T> {
        GiererMeinhardt {
            source: T::of(self.source),
            decay_activator: T::of(self.decay_activator),
            decay_inhibitor: T::of(self.decay_inhibitor),
            saturation: T::of(self.saturation),
        }
    }
}

/// `w = u * u`, `f = (s - m * u) + w / (v * (1 + K * w))`, `g = w - n * v`.
impl<T: Real> Reaction<T> for GiererMeinhardt<T> {
    const CLAMP: Option<(f64, f64)> = None;

    #[inline(always)]
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V) {
        let square = u * u;
        let activation = square / (v * (u.fill(T::ONE) + u.fill(self.saturation) * square));
        let f = u.fill(self.source) - u.fill(self.decay_activator) * u + activation;
        (f, square - v.fill(self.decay_inhibitor) * v)
    }
}

impl Local for GiererMeinhardt {
    const NAME: &'static str = "gierer-meinhardt";
    const BOUNDS: &'static [Bound] = &[
        closed("kinetics.source", (0.0, 10.0), 0.1, "1", "basic production of the activator"),
        closed("kinetics.decay_activator", (0.0, 10.0), 1.0, "1", "decay of the activator").open_below(),
        closed("kinetics.decay_inhibitor", (0.0, 10.0), 1.5, "1", "decay of the inhibitor").open_below(),
        closed("kinetics.saturation", (0.0, 10.0), 0.0, "1", "saturation of the self-activation"),
    ];

    fn values(&self) -> Vec<f64> {
        vec![self.source, self.decay_activator, self.decay_inhibitor, self.saturation]
    }

    /// v = u^2 / n, and u is the one root above s / m of (m u - s) (1 + K u^2) = n: the left
    /// side grows with u. Without saturation u = (s + n) / m, which is also an upper bound with
    /// it; from there Newton's method descends to the root without overshooting, because the
    /// left side is convex.
    fn steady_states(&self) -> Vec<(f64, f64)> {
        let Self { source: s, decay_activator: m, decay_inhibitor: n, saturation } = *self;
        let mut u = (s + n) / m;
        for _ in 0..NEWTON_STEPS {
            let (excess, limit) = (m * u - s, 1.0 + saturation * u * u);
            let slope = m * limit + excess * 2.0 * saturation * u;
            let next = u - (excess * limit - n) / slope;
            if next.is_nan() || next >= u {
                break;
            }
            u = next;
        }
        let v = u * u / n;
        if u.is_finite() && v.is_finite() && v > 0.0 { vec![(u, v)] } else { Vec::new() }
    }

    fn jacobian(&self, u: f64, v: f64) -> Matrix2 {
        let limit = 1.0 + self.saturation * u * u;
        let f_u = 2.0 * u / (v * limit * limit) - self.decay_activator;
        [[f_u, -u * u / (v * v * limit)], [2.0 * u, -self.decay_inhibitor]]
    }
}

/// Far above what quadratic convergence needs from any admissible start.
const NEWTON_STEPS: usize = 200;
