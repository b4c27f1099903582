//! Linear stability analysis: can a system form patterns, at which wavelength, how fast.
//!
//! Turing (Phil. Trans. R. Soc. B 237, 37, 1952) showed that diffusion can make a stable
//! homogeneous state unstable. [`turing_analysis`] finds the homogeneous steady states of a
//! system, linearises it there and gives the dispersion relation, both of the equations and of
//! the scheme that solves them, so that a pattern that does not appear is explained before the
//! run and one that appears can be checked against theory.

mod host;
mod linear;
mod modes;

pub use host::host_turing_analysis;
pub use linear::{Band, Eigenvalue, GRID_SYMBOL_MAX, Linearization, grid_symbol};
pub use modes::{GridMode, GridModes};

use std::f64::consts::TAU;

use super::Kinetics;
use super::local::Matrix2;
use crate::bounds::{Bound, closed};
use crate::error::{SpecError, SpecFault};
use crate::spec::{BoundaryCondition, Spec};

/// A reaction-diffusion system of two species with uniform coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReactionDiffusion {
    /// The reaction.
    pub kinetics: Kinetics,
    /// Factor of the activator's rate, 1 per unit of time.
    pub r_activator: f64,
    /// Factor of the inhibitor's rate, 1 per unit of time.
    pub r_inhibitor: f64,
    /// Diffusion coefficient of the activator, cells^2 per unit of time.
    pub d_activator: f64,
    /// Diffusion coefficient of the inhibitor, cells^2 per unit of time.
    pub d_inhibitor: f64,
    /// Length of an Euler step, units of time.
    pub time_step: f64,
}

/// The bounds of the numbers of a [`ReactionDiffusion`]; those of its kinetics come on top. They
/// are wider than those of a specification: the analysis needs no stable step.
pub const SYSTEM_TABLE: [Bound; 5] = [
    closed("r_activator", (0.0, 1e6), 1.0, "1/time", "factor of the activator's rate").open_below(),
    closed("r_inhibitor", (0.0, 1e6), 1.0, "1/time", "factor of the inhibitor's rate").open_below(),
    closed("d_activator", (0.0, 1e6), 0.1, "cells^2/time", "diffusion coefficient of the activator"),
    closed("d_inhibitor", (0.0, 1e6), 0.2, "cells^2/time", "diffusion coefficient of the inhibitor"),
    closed("time_step", (0.0, 1e6), 1.0, "time", "length of an Euler step").open_below(),
];

impl From<&Spec> for ReactionDiffusion {
    fn from(spec: &Spec) -> Self {
        Self {
            kinetics: spec.kinetics,
            r_activator: spec.r_activator,
            r_inhibitor: spec.r_inhibitor,
            d_activator: spec.d_activator,
            d_inhibitor: spec.d_inhibitor,
            time_step: spec.time_step,
        }
    }
}

impl ReactionDiffusion {
    /// Checks every number and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&SYSTEM_TABLE, |field| {
            Some(match field {
                "r_activator" => self.r_activator,
                "r_inhibitor" => self.r_inhibitor,
                "d_activator" => self.d_activator,
                "d_inhibitor" => self.d_inhibitor,
                _ => self.time_step,
            })
        })?;
        self.kinetics.validate()
    }

    /// The system at a steady state whose unscaled Jacobian is known.
    fn linearized(&self, jacobian: Matrix2) -> Linearization {
        let [[f_u, f_v], [g_u, g_v]] = jacobian;
        let (a, i) = (self.r_activator, self.r_inhibitor);
        Linearization {
            jacobian: [[a * f_u, a * f_v], [i * g_u, i * g_v]],
            d_activator: self.d_activator,
            d_inhibitor: self.d_inhibitor,
            time_step: self.time_step,
        }
    }
}

/// What small perturbations of a homogeneous steady state do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stability {
    /// All decay.
    Stable,
    /// None grows; the homogeneous one neither grows nor decays to first order.
    Marginal,
    /// Unstable in Turing's sense: homogeneous ones do not grow, waves of some band do.
    Turing,
    /// Homogeneous ones grow and oscillate.
    Hopf,
    /// Homogeneous ones grow without oscillating: the system leaves for another state.
    Unstable,
}

impl Stability {
    /// The name used in documents and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Marginal => "marginal",
            Self::Turing => "turing",
            Self::Hopf => "hopf",
            Self::Unstable => "unstable",
        }
    }
}

/// A homogeneous steady state and what grows on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SteadyState {
    /// Activator.
    pub activator: f64,
    /// Inhibitor.
    pub inhibitor: f64,
    /// The system linearised here.
    pub linear: Linearization,
    /// What small perturbations do.
    pub stability: Stability,
    /// The modes that grow without oscillating.
    pub band: Option<Band>,
    /// q of the mode that grows fastest, see [`Linearization::fastest_q`].
    pub fastest_q: f64,
}

/// A real part below this share of the Jacobian's entries is rounding.
const MARGINAL_SHARE: f64 = 1e-12;

impl SteadyState {
    fn new(activator: f64, inhibitor: f64, linear: Linearization) -> Self {
        let band = linear.band();
        let homogeneous = linear.eigenvalues(0.0)[0];
        let scale = linear.jacobian.iter().flatten().fold(0.0, |scale: f64, entry| scale.max(entry.abs()));
        let margin = MARGINAL_SHARE * scale;
        let stability = if homogeneous.real > margin {
            if homogeneous.imaginary == 0.0 { Stability::Unstable } else { Stability::Hopf }
        } else if band
            .is_some_and(|band| band.q_max > band.q_min && linear.growth(linear.fastest_q()) > margin)
        {
            Stability::Turing
        } else if homogeneous.real < -margin {
            Stability::Stable
        } else {
            Stability::Marginal
        };
        Self { activator, inhibitor, linear, stability, band, fastest_q: linear.fastest_q() }
    }

    /// Growth rate of the fastest mode, 1 per unit of time; negative when all decay.
    #[must_use]
    pub fn fastest_growth_rate(&self) -> f64 {
        // Adding 0 turns a negative zero into a positive one.
        self.linear.growth(self.fastest_q) + 0.0
    }

    /// Wavelength of the fastest mode in the plane, cells: `2 pi / sqrt(q)`. `None` when no wave
    /// grows, or none faster than the homogeneous mode.
    #[must_use]
    pub fn wavelength_cells(&self) -> Option<f64> {
        (self.band.is_some() && self.fastest_q > 0.0 && self.fastest_growth_rate() > 0.0)
            .then(|| TAU / self.fastest_q.sqrt())
    }

    /// The growing waves that a grid of `rows` x `columns` can hold. Time grows with `rows`.
    #[must_use]
    pub fn grid_modes(&self, rows: usize, columns: usize, boundary: BoundaryCondition) -> GridModes {
        modes::grid_modes(&self.linear, rows, columns, boundary)
    }
}

/// The stability of every homogeneous steady state of a system.
#[derive(Debug, Clone, PartialEq)]
pub struct TuringAnalysis {
    /// What was analysed.
    pub system: ReactionDiffusion,
    states: Vec<SteadyState>,
}

impl TuringAnalysis {
    /// The steady states; never empty.
    #[must_use]
    pub fn states(&self) -> &[SteadyState] {
        &self.states
    }

    /// The state from which a pattern grows: the one that is unstable in Turing's sense and on
    /// which waves grow fastest. `None` when there is none.
    #[must_use]
    pub fn turing_state(&self) -> Option<&SteadyState> {
        self.states
            .iter()
            .filter(|state| state.stability == Stability::Turing)
            .max_by(|a, b| a.fastest_growth_rate().total_cmp(&b.fastest_growth_rate()))
    }

    /// The state to report when only one is: the Turing-unstable one, else the first.
    #[must_use]
    pub fn main_state(&self) -> Option<&SteadyState> {
        self.turing_state().or_else(|| self.states.first())
    }

    /// Whether some steady state is unstable in Turing's sense.
    #[must_use]
    pub fn is_turing_unstable(&self) -> bool {
        self.turing_state().is_some()
    }
}

/// Why there is no analysis.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// A number is refused.
    #[error("invalid system: {0}")]
    System(#[from] SpecError),
    /// The rates vanish nowhere that double precision can hold.
    #[error("{kinetics} has no homogeneous steady state: change its parameters")]
    NoSteadyState {
        /// The kinetics with its parameters, see [`Kinetics::described`].
        kinetics: String,
    },
    /// The rates of a host kinetics are not in the specification.
    #[error("the rates of kinetics host are a callback: give it to the analysis, with a point to start from")]
    HostRates,
    /// Newton's method found no steady state of a host kinetics.
    #[error(
        "no steady state of the host's rates found from ({activator}, {inhibitor}): \
         the rates there are ({f}, {g}); start closer to one"
    )]
    NotConverged {
        /// Where the search ended: activator.
        activator: f64,
        /// Where the search ended: inhibitor.
        inhibitor: f64,
        /// Rate of the activator there.
        f: f64,
        /// Rate of the inhibitor there.
        g: f64,
    },
}

/// Analyses a system whose kinetics is one of the library's.
///
/// # Errors
/// [`AnalysisError::System`] for a refused number, [`AnalysisError::NoSteadyState`],
/// [`AnalysisError::HostRates`] for [`Kinetics::Host`], for which there is
/// [`host_turing_analysis`].
pub fn turing_analysis(system: &ReactionDiffusion) -> Result<TuringAnalysis, AnalysisError> {
    system.validate()?;
    if system.kinetics == Kinetics::Host {
        return Err(AnalysisError::HostRates);
    }
    let states: Vec<SteadyState> = system
        .kinetics
        .steady_states()
        .into_iter()
        .filter_map(|(u, v)| Some((u, v, system.linearized(system.kinetics.jacobian(u, v)?))))
        .filter(|(_, _, linear)| linear.jacobian.iter().flatten().all(|entry| entry.is_finite()))
        .map(|(u, v, linear)| SteadyState::new(u, v, linear))
        .collect();
    if states.is_empty() {
        return Err(AnalysisError::NoSteadyState { kinetics: system.kinetics.described() });
    }
    Ok(TuringAnalysis { system: *system, states })
}

/// Analyses the system of a specification, which may be of any mode.
///
/// # Errors
/// Those of [`turing_analysis`], and [`AnalysisError::System`] for every other refused number of
/// the specification.
pub fn turing_analysis_of(spec: &Spec) -> Result<TuringAnalysis, AnalysisError> {
    spec.validate()?;
    turing_analysis(&ReactionDiffusion::from(spec))
}
