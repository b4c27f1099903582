//! The choice of the step length from the error of the steps before, and the test for stiffness.
//!
//! Both follow DOPRI5 (Hairer, Norsett and Wanner, 1993, II.4 and IV.2).

use super::OdeError;

/// Chooses step lengths from errors.
pub(super) struct Controller {
    /// Error of the last accepted step.
    error_before: f64,
    after_rejection: bool,
    not_finite_in_a_row: u32,
    stiff_steps: u32,
    quiet_steps: u32,
    accepted: u64,
}

impl Default for Controller {
    fn default() -> Self {
        Self {
            error_before: 1e-4,
            after_rejection: false,
            not_finite_in_a_row: 0,
            stiff_steps: 0,
            quiet_steps: 0,
            accepted: 0,
        }
    }
}

/// Share of the error of the step before in the choice of the next length.
const BETA: f64 = 0.04;
const EXPONENT: f64 = 0.2 - BETA * 0.75;
const SAFETY: f64 = 0.9;
const SHRINK_MAX: f64 = 5.0;
const GROWTH_MAX: f64 = 10.0;
/// Attempts with a fifth of the length each before a value that is not finite is reported.
const NOT_FINITE_ATTEMPTS: u32 = 12;
/// The test for stiffness begins after so many steps: shorter runs are cheap in any case.
const STIFFNESS_INTERVAL: u64 = 1000;
/// Boundary of the region of absolute stability along the real axis, in steps.
const STABILITY_BOUNDARY: f64 = 3.25;

impl Controller {
    pub(super) fn accepted(&mut self, h: f64, error: f64) -> f64 {
        let factor = error.powf(EXPONENT) / self.error_before.powf(BETA) / SAFETY;
        let next = h / factor.clamp(1.0 / GROWTH_MAX, SHRINK_MAX);
        self.error_before = error.max(1e-4);
        self.not_finite_in_a_row = 0;
        self.accepted += 1;
        if std::mem::take(&mut self.after_rejection) { next.min(h) } else { next }
    }

    pub(super) fn rejected(&mut self, h: f64, error: f64) -> f64 {
        self.after_rejection = true;
        h / (error.powf(EXPONENT) / SAFETY).min(SHRINK_MAX)
    }

    pub(super) fn not_finite(&mut self, h: f64, failure: &OdeError) -> Result<f64, OdeError> {
        self.after_rejection = true;
        self.not_finite_in_a_row += 1;
        if self.not_finite_in_a_row > NOT_FINITE_ATTEMPTS { Err(failure.clone()) } else { Ok(h / SHRINK_MAX) }
    }

    /// Estimates the dominant eigenvalue from the last two slopes of an accepted step; fifteen
    /// steps at the boundary of stability, without six quiet ones between, are stiffness.
    pub(super) fn check_stiffness(
        &mut self,
        h: f64,
        [before, after]: [(&[f64], &[f64]); 2],
        (step, time): (u64, f64),
    ) -> Result<(), OdeError> {
        if !self.accepted.is_multiple_of(STIFFNESS_INTERVAL) && self.stiff_steps == 0 {
            return Ok(());
        }
        let distance =
            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        let states = distance(after.0, before.0);
        let slopes = distance(after.1, before.1);
        if states > 0.0 && h * slopes / states > STABILITY_BOUNDARY {
            self.quiet_steps = 0;
            self.stiff_steps += 1;
            if self.stiff_steps == 15 {
                return Err(OdeError::TooStiff { step, time, step_size: h });
            }
        } else {
            self.quiet_steps += 1;
            if self.quiet_steps == 6 {
                self.stiff_steps = 0;
                self.quiet_steps = 0;
            }
        }
        Ok(())
    }
}
