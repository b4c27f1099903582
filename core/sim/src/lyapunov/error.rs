//! What the measurements refuse, and how one fails.

use super::spectrum::DIMENSION_MAX;
use crate::error::{SimError, SpecError};
use crate::membrane::ode::OdeError;

/// Errors of the measurement of Lyapunov exponents. What was given is unchanged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LyapunovError {
    /// A number of the options is refused.
    #[error("invalid options of the Lyapunov exponent: {0}")]
    Options(#[from] SpecError),
    /// The integrator refused its options or the state, or failed.
    #[error(transparent)]
    Ode(#[from] OdeError),
    /// A trajectory of a simulation failed.
    #[error(transparent)]
    Simulation(#[from] SimError),
    /// A simulation in single precision, whose rounding hides the separation.
    #[error("the simulation runs in f32, too coarse for two trajectories: give precision = f64")]
    Precision,
    /// A trajectory or a Jacobian is no longer finite.
    #[error(
        "component {component} became {value} in interval {interval}: start where the trajectory stays bounded"
    )]
    NotFinite {
        /// Index of the interval, from 0, those of the transient included.
        interval: u64,
        /// The first such component; of a Jacobian, row by row.
        component: usize,
        /// Its value.
        value: f64,
    },
    /// Both trajectories became the same to the last bit.
    #[error(
        "the trajectories merged in interval {interval}: distances shrink by more than rounding can show; \
         use shorter intervals or a larger separation"
    )]
    Merged {
        /// Index of the interval, from 0, those of the transient included.
        interval: u64,
    },
    /// Too many components for a spectrum.
    #[error("the map has {length} components: a spectrum takes 1 to {DIMENSION_MAX}")]
    Dimension {
        /// Components given.
        length: usize,
    },
}
