//! What is kept of a run when its fields are gone: specification, features, statistics.

use crate::engine::{Simulation, Statistics};
use crate::features::Features;
use crate::spec::Spec;

/// The result of one complete run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// What was run.
    pub spec: Spec,
    /// The 18 features, those of the run's history included.
    pub features: Features,
    /// Counters and summary numbers.
    pub statistics: Statistics,
}

impl RunRecord {
    /// The record of a simulation as it stands.
    #[must_use]
    pub fn of(simulation: &Simulation) -> Self {
        Self {
            spec: simulation.spec().clone(),
            features: simulation.features(),
            statistics: simulation.statistics(),
        }
    }
}
