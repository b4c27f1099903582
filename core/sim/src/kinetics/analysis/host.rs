//! The analysis of a host's kinetics: the steady state by Newton's method, the Jacobian by
//! central differences.

use super::{AnalysisError, ReactionDiffusion, SteadyState, TuringAnalysis};
use crate::kinetics::HostReaction;
use crate::kinetics::local::Matrix2;

/// Relative step of the differences: the cube root of the rounding unit, where the errors of
/// truncation and of rounding are equal.
const DIFFERENCE_STEP: f64 = 6.055e-6;
const NEWTON_STEPS: usize = 100;
/// Rates below this share of what a unit change causes count as zero.
const RATE_TOLERANCE: f64 = 1e-10;

/// Analyses a system whose rates the host computes, at the steady state to which Newton's method
/// leads from `start` (activator, inhibitor). The kinetics of `system` is not used, its factors
/// and coefficients are.
///
/// The derivatives are central differences, good to about nine digits.
///
/// # Errors
/// [`AnalysisError::System`] for a refused number, [`AnalysisError::NotConverged`] when the
/// search does not end at a steady state.
pub fn host_turing_analysis(
    reaction: &dyn HostReaction,
    start: (f64, f64),
    system: &ReactionDiffusion,
) -> Result<TuringAnalysis, AnalysisError> {
    system.validate()?;
    let (mut u, mut v) = start;
    for _ in 0..NEWTON_STEPS {
        let (f, g) = rates(reaction, u, v);
        let [[f_u, f_v], [g_u, g_v]] = jacobian(reaction, u, v);
        let scale = [f_u, f_v, g_u, g_v].iter().fold(0.0, |scale: f64, entry| scale.max(entry.abs()));
        let tolerance = RATE_TOLERANCE * scale * (1.0 + u.abs().max(v.abs()));
        if f.abs() <= tolerance && g.abs() <= tolerance && tolerance.is_finite() {
            let linear = system.linearized([[f_u, f_v], [g_u, g_v]]);
            return Ok(TuringAnalysis { system: *system, states: vec![SteadyState::new(u, v, linear)] });
        }
        let determinant = f_u * g_v - f_v * g_u;
        let (du, dv) = ((f * g_v - f_v * g) / determinant, (f_u * g - f * g_u) / determinant);
        // Halve the step until the rates shrink: keeps Newton's method from leaping away.
        let size = f.hypot(g);
        let shrinks = |share: &f64| {
            let (f, g) = rates(reaction, u - share * du, v - share * dv);
            f.hypot(g) < size
        };
        let Some(share) = (0..30).map(|halvings| 0.5f64.powi(halvings)).find(shrinks) else {
            break;
        };
        (u, v) = (u - share * du, v - share * dv);
    }
    let (f, g) = rates(reaction, u, v);
    Err(AnalysisError::NotConverged { activator: u, inhibitor: v, f, g })
}

fn rates(reaction: &dyn HostReaction, u: f64, v: f64) -> (f64, f64) {
    let (mut f, mut g) = ([f64::NAN], [f64::NAN]);
    match reaction.rates(&[u], &[v], &mut f, &mut g) {
        Ok(()) => (f[0], g[0]),
        // Not a number leads the search nowhere, and that is what it then reports.
        Err(_) => (f64::NAN, f64::NAN),
    }
}

fn jacobian(reaction: &dyn HostReaction, u: f64, v: f64) -> Matrix2 {
    let step = |value: f64| DIFFERENCE_STEP * value.abs().max(1.0);
    let (h, k) = (step(u), step(v));
    let ((f_right, g_right), (f_left, g_left)) = (rates(reaction, u + h, v), rates(reaction, u - h, v));
    let ((f_up, g_up), (f_down, g_down)) = (rates(reaction, u, v + k), rates(reaction, u, v - k));
    [
        [(f_right - f_left) / (2.0 * h), (f_up - f_down) / (2.0 * k)],
        [(g_right - g_left) / (2.0 * h), (g_up - g_down) / (2.0 * k)],
    ]
}
