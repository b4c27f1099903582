//! Pipelines: connectors, simulation, publishers and transports, running.

mod outcome;
mod status;

pub(crate) use outcome::OutcomeRing;
pub use outcome::{OUTCOMES_MAX, Outcome, OutcomeStatus};
pub use status::{
    ActiveRequest, CheckReport, CheckedComponent, ComponentEndpoint, ComponentStatus, DrainReport,
    PipelineState, PipelineStatus,
};
