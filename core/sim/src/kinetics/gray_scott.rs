//! Gray-Scott kinetics: an autocatalyst that feeds on a substrate (Gray and Scott, 1985;
//! Pearson, 1993).

use serde::{Deserialize, Serialize};

use super::Reaction;
use super::local::{Local, Matrix2};
use crate::bounds::{Bound, closed};
use crate::real::{Real, Value};

/// Gray-Scott in Pearson's form (J. E. Pearson, Science 261, 189, 1993):
/// `f = u^2 v - (F + k) u`, `g = F (1 - v) - u^2 v`.
///
/// The activator u is the autocatalyst, which Pearson calls V; the inhibitor v is the substrate
/// that it uses up, which Pearson calls U. The substrate diffuses faster.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrayScott<T = f64> {
    /// F: rate at which substrate flows in and everything flows out.
    pub feed: T,
    /// k: rate at which the autocatalyst decays.
    pub kill: T,
}

impl<T: Real> Default for GrayScott<T> {
    fn default() -> Self {
        Self { feed: T::of(0.06), kill: T::of(0.062) }
    }
}

impl GrayScott {
    pub(super) fn cast<T: Real>(&self) -> GrayScott<T> {
        GrayScott { feed: T::of(self.feed), kill: T::of(self.kill) }
    }
}

/// `c = (u * u) * v`, `f = c - (feed + kill) * u`, `g = feed * (1 - v) - c`.
impl<T: Real> Reaction<T> for GrayScott<T> {
    const CLAMP: Option<(f64, f64)> = None;

    #[inline(always)]
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V) {
        let conversion = u * u * v;
        let (feed, loss) = (u.fill(self.feed), u.fill(self.feed + self.kill));
        (conversion - loss * u, feed * (v.fill(T::ONE) - v) - conversion)
    }
}

impl Local for GrayScott {
    const NAME: &'static str = "gray-scott";
    const BOUNDS: &'static [Bound] = &[
        closed("kinetics.feed", (0.0, 1.0), 0.06, "1", "F: inflow of substrate and outflow of everything"),
        closed("kinetics.kill", (0.0, 1.0), 0.062, "1", "k: decay of the autocatalyst"),
    ];

    fn values(&self) -> Vec<f64> {
        vec![self.feed, self.kill]
    }

    /// With s = F + k: (0, 1), and u = F (1 ± sqrt(1 - 4 s^2 / F)) / (2 s), v = s / u when
    /// F >= 4 s^2. The upper branch comes first.
    fn steady_states(&self) -> Vec<(f64, f64)> {
        let (feed, loss) = (self.feed, self.feed + self.kill);
        let mut states = Vec::new();
        let root = 1.0 - 4.0 * loss * loss / feed;
        if root >= 0.0 && loss > 0.0 {
            let upper = feed * (1.0 + root.sqrt()) / (2.0 * loss);
            states.push((upper, loss / upper));
            if root > 0.0 {
                // The product of the two roots is F; this form does not cancel.
                let lower = feed / upper;
                states.push((lower, loss / lower));
            }
        }
        states.push((0.0, 1.0));
        states
    }

    fn jacobian(&self, u: f64, v: f64) -> Matrix2 {
        let Self { feed, kill } = self;
        [[2.0 * u * v - (feed + kill), u * u], [-2.0 * u * v, -feed - u * u]]
    }
}
