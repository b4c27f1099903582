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

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the range of f: no f of a box lies outside of it, and both its ends are taken.
    #[test]
    fn the_range_of_f_is_that_of_a_box() {
        let range_of_f = <V4_1 as Reaction<f64>>::RANGE_OF_F.unwrap_or(|_, _| [0.0; 2]);
        let places = || (0..=20).map(|place| f64::from(place) / 20.0);
        for u in [[0.0, 0.3], [0.3, 0.6], [0.4, 1.0], [0.7, 0.9], [0.5, 0.5]] {
            for v in [[0.0, 0.2], [0.1, 1.0]] {
                let between = |[low, high]: [f64; 2], place: f64| low + place * (high - low);
                let [least, most] = range_of_f(u, v);
                let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
                for (u, v) in places().flat_map(|p| places().map(move |q| (between(u, p), between(v, q)))) {
                    let (f, _) = Reaction::<f64>::rates(&V4_1, u, v);
                    (low, high) = (low.min(f), high.max(f));
                }
                assert!(least <= low + 1e-12 && high <= most + 1e-12, "{u:?} {v:?}");
                // The vertex lies between two places.
                assert!(low - least < 1e-12 && most - high < 1e-3, "{u:?} {v:?}");
            }
        }
    }
}
