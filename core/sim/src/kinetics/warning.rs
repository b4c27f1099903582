//! What to say of a specification that is accepted but can not form the pattern its user expects.

use std::fmt;

use super::{AnalysisError, Kinetics, SteadyState, turing_analysis_of};
use crate::spec::{InitialCondition, Spec};

/// A pattern that has grown by less than this factor over a run is not told from the noise.
const GROWTH_MIN: f64 = 10.0;

/// Why a specification, though valid, forms no pattern, or not the one of its equations. Its text
/// says what was found; [`advice`](Self::advice) what to change.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SpecWarning {
    /// No small perturbation of any homogeneous steady state grows as a wave.
    NoPattern {
        /// The kinetics with its parameters, see [`Kinetics::described`].
        kinetics: String,
        /// Activator at the steady state that comes closest.
        activator: f64,
        /// Inhibitor there.
        inhibitor: f64,
        /// d_inhibitor / d_activator.
        ratio: f64,
        /// The ratio that an instability needs; `None` when none would do.
        critical_ratio: Option<f64>,
    },
    /// The system is unstable in Turing's sense, but the grid is too small for its waves.
    NoWaveFits {
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        columns: usize,
        /// Wavelength of the fastest wave, cells.
        wavelength_cells: f64,
    },
    /// The fastest wave hardly grows during the run.
    TooShort {
        /// Steps of the run.
        steps: u64,
        /// Steps in which the fastest wave grows by the factor 10.
        steps_needed: u64,
    },
    /// The step is too long: modes grow that decay in the equations.
    UnstableStep {
        /// The factor of the worst mode in one step.
        factor_per_step: f64,
        /// The time step.
        time_step: f64,
    },
    /// The kinetics has no homogeneous steady state.
    NoSteadyState {
        /// The kinetics with its parameters, see [`Kinetics::described`].
        kinetics: String,
    },
}

impl SpecWarning {
    /// What to do about it, as a sentence without a full stop.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::NoPattern { critical_ratio: Some(critical), .. } => format!(
                "raise d_inhibitor / d_activator above {critical:.4}, or start from the preset mycelium"
            ),
            Self::NoPattern { critical_ratio: None, .. } => {
                "no ratio of the diffusion coefficients helps: change the parameters of the kinetics, \
                 start from patches (initial_condition = seeded) or from the preset mycelium"
                    .to_owned()
            }
            Self::NoWaveFits { wavelength_cells, .. } => {
                format!("give the grid at least {:.0} cells along one side", wavelength_cells.ceil())
            }
            Self::TooShort { steps_needed, .. } => {
                format!("give steps = {} or more, or raise r_activator and r_inhibitor", 4 * steps_needed)
            }
            Self::UnstableStep { .. } => {
                "reduce time_step, d_inhibitor or the rates (r_activator, r_inhibitor)".to_owned()
            }
            Self::NoSteadyState { .. } => "change the parameters of the kinetics".to_owned(),
        }
    }
}

impl fmt::Display for SpecWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPattern { kinetics, activator, inhibitor, ratio, critical_ratio } => {
                write!(
                    f,
                    "no pattern forms: {kinetics} is not unstable in Turing's sense at its \
                     steady state ({activator:.4}, {inhibitor:.4}) with d_inhibitor / d_activator = {ratio:.4}"
                )?;
                match critical_ratio {
                    Some(critical) => write!(f, ", it would need more than {critical:.4}"),
                    None => Ok(()),
                }
            }
            Self::NoWaveFits { rows, columns, wavelength_cells } => write!(
                f,
                "no pattern forms: no growing wave fits a grid of {rows} x {columns} cells, the fastest is \
                 {wavelength_cells:.1} cells long"
            ),
            Self::TooShort { steps, steps_needed } => write!(
                f,
                "hardly a pattern forms in {steps} steps: the fastest wave needs {steps_needed} to grow by the \
                 factor 10"
            ),
            Self::UnstableStep { factor_per_step, time_step } => write!(
                f,
                "the time step {time_step} is too long: a mode that decays in the equations grows by the factor \
                 {factor_per_step:.4} in each step"
            ),
            Self::NoSteadyState { kinetics } => {
                write!(f, "{kinetics} has no homogeneous steady state to form a pattern on")
            }
        }
    }
}

/// The warnings of a specification, most severe first; empty when a pattern can be expected, when
/// Turing is off or the rates are the host's, and for a specification that is refused anyway.
///
/// The analysis is linear: a pattern that grows from patches ([`InitialCondition::Seeded`]) needs
/// no instability, so only the time step is judged then. Time grows with the rows of the grid.
#[must_use]
pub fn spec_warnings(spec: &Spec) -> Vec<SpecWarning> {
    if !spec.turing_enabled || spec.kinetics == Kinetics::Host {
        return Vec::new();
    }
    let seeded = spec.initial_condition == InitialCondition::Seeded;
    let analysis = match turing_analysis_of(spec) {
        Ok(analysis) => analysis,
        Err(AnalysisError::NoSteadyState { kinetics }) if !seeded => {
            return vec![SpecWarning::NoSteadyState { kinetics }];
        }
        Err(_) => return Vec::new(),
    };
    let mut warnings = Vec::new();
    let spurious =
        analysis.states().iter().map(|state| state.linear.spurious_growth_per_step()).fold(0.0, f64::max);
    if spurious > 0.0 {
        warnings
            .push(SpecWarning::UnstableStep { factor_per_step: spurious.exp(), time_step: spec.time_step });
    }
    if seeded {
        return warnings;
    }
    match analysis.turing_state() {
        Some(state) => warnings.extend(wave_warning(state, spec)),
        None => warnings.extend(analysis.main_state().map(|state| SpecWarning::NoPattern {
            kinetics: spec.kinetics.described(),
            activator: state.activator,
            inhibitor: state.inhibitor,
            ratio: spec.d_inhibitor / spec.d_activator,
            critical_ratio: state.linear.critical_ratio(),
        })),
    }
    warnings
}

/// What keeps the waves of a Turing-unstable state from forming a pattern on this grid in this
/// time.
fn wave_warning(state: &SteadyState, spec: &Spec) -> Option<SpecWarning> {
    let (rows, columns) = (spec.rows(), spec.cols());
    let wavelength_cells = state.wavelength_cells()?;
    let Some(fastest) = state.grid_modes(rows, columns, spec.boundary_condition).fastest else {
        return Some(SpecWarning::NoWaveFits { rows, columns, wavelength_cells });
    };
    let steps_needed = (GROWTH_MIN.ln() / fastest.growth_per_step).ceil();
    (steps_needed > spec.steps as f64)
        .then_some(SpecWarning::TooShort { steps: spec.steps, steps_needed: steps_needed as u64 })
}
