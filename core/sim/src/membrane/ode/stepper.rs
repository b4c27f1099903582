//! One fixed step of Euler or RK4 with its working memory.
//!
//! The order of operations is that of MyceliumFractalNet 4.1.

use super::Scheme;

/// Working memory of a scheme for states of one length.
#[derive(Debug, Clone)]
pub(crate) struct FixedStepper {
    scheme: Scheme,
    slopes: [Vec<f64>; 4],
    stage: Vec<f64>,
}

impl FixedStepper {
    pub(crate) fn new(scheme: Scheme, length: usize) -> Self {
        let used =
            |index: usize| if scheme == Scheme::Rk4 || index == 0 { vec![0.0; length] } else { Vec::new() };
        Self {
            scheme,
            slopes: std::array::from_fn(used),
            stage: if scheme == Scheme::Rk4 { vec![0.0; length] } else { Vec::new() },
        }
    }

    /// Replaces `state` at `time` by the state at `time + h`.
    #[inline]
    pub(crate) fn advance<F>(&mut self, derivative: &mut F, time: f64, h: f64, state: &mut [f64])
    where
        F: FnMut(f64, &[f64], &mut [f64]),
    {
        let [k1, k2, k3, k4] = &mut self.slopes;
        derivative(time, state, k1);
        match self.scheme {
            Scheme::Euler => {
                for (y, k) in state.iter_mut().zip(&*k1) {
                    *y += h * k;
                }
            }
            Scheme::Rk4 => {
                let middle = time + 0.5 * h;
                offset(&mut self.stage, state, 0.5 * h, k1);
                derivative(middle, &self.stage, k2);
                offset(&mut self.stage, state, 0.5 * h, k2);
                derivative(middle, &self.stage, k3);
                offset(&mut self.stage, state, h, k3);
                derivative(time + h, &self.stage, k4);
                let sixth = h / 6.0;
                for ((((y, k1), k2), k3), k4) in state.iter_mut().zip(&*k1).zip(&*k2).zip(&*k3).zip(&*k4) {
                    *y += sixth * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
                }
            }
        }
    }
}

/// `stage = state + h * slope`.
fn offset(stage: &mut [f64], state: &[f64], h: f64, slope: &[f64]) {
    for ((out, y), k) in stage.iter_mut().zip(state).zip(slope) {
        *out = y + h * k;
    }
}
