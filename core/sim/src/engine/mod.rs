//! The reaction-diffusion engine: a [`Simulation`] owns the fields, the random numbers and the
//! counters of one run.

mod block;
mod calm;
mod chemistry;
pub mod constants;
mod control;
mod execution;
mod grid;
mod initial;
mod input;
mod kernel;
mod lane;
mod link;
mod maps;
mod noise;
mod output;
mod planes;
mod probe;
mod random;
mod relay;
mod run;
mod scratch;
mod state;
mod statistics;
mod stencil;
mod step;
mod strip;
mod team;
mod tiling;
mod wavefront;

use std::fmt;
use std::sync::Arc;

use ndarray::ArrayView2;

pub use control::{CancelToken, Frame, Observer, Progress, RunEnd};
pub use execution::{Execution, ExecutionError, THREADS_MAX};
pub(crate) use kernel::clamp;
pub use maps::Coefficient;
use planes::Planes;
pub use probe::KernelProbe;
pub use state::{FieldPlanes, SimulationState, StateError};
pub(crate) use statistics::COUNT_MAX;
pub use statistics::{RunCounters, Statistics};
pub(crate) use stencil::Row;
pub use step::{StepEvents, StepParameters, full_step};

use crate::error::SimError;
use crate::features::TemporalAccumulator;
use crate::kinetics::{HostReaction, Kinetics};
use crate::spec::Spec;
use execution::Executor;
use random::Randomness;

/// One run of the model.
///
/// A simulation does no I/O and may be moved between threads; unless
/// [`set_execution`](Self::set_execution) says otherwise it computes on the thread that calls
/// it. Views of its fields are borrowed and end before the next step. Its memory depends on the
/// grid, not on the number of steps ([`Spec::memory_bytes`]).
pub struct Simulation {
    spec: Spec,
    planes: Planes,
    random: Randomness,
    counters: RunCounters,
    cancel: CancelToken,
    temporal: Option<TemporalAccumulator>,
    host: Option<Arc<dyn HostReaction>>,
    executor: Executor,
}

/// The specification and the counters; not the cells.
impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("spec", &self.spec)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Simulation {
    /// Checks the specification and makes the initial fields from its seed.
    ///
    /// # Errors
    /// [`SimError::Spec`] with every fault of the specification, [`SimError::Memory`] when the
    /// grid does not fit into the address space.
    pub fn new(spec: Spec) -> Result<Self, SimError> {
        spec.validate()?;
        let bytes = spec.memory_bytes();
        if bytes > isize::MAX as u64 {
            return Err(SimError::Memory { bytes });
        }
        let executor = Executor::new(Execution::default())?;
        let mut random = Randomness::new(&spec);
        Ok(Self {
            planes: Planes::initial(&spec, &mut random, executor.lanes()),
            random,
            counters: RunCounters::default(),
            cancel: CancelToken::new(),
            temporal: None,
            host: None,
            executor,
            spec,
        })
    }

    /// As [`new`](Self::new), then [`set_initial_field`](Self::set_initial_field).
    ///
    /// # Errors
    /// [`SimError::Spec`] or [`SimError::InitialField`].
    pub fn with_initial_field(spec: Spec, field: ArrayView2<'_, f64>) -> Result<Self, SimError> {
        let mut simulation = Self::new(spec)?;
        simulation.set_initial_field(field)?;
        Ok(simulation)
    }

    /// A token with which any thread can stop [`run`](Self::run).
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// The specification of this run.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Steps done and kept.
    #[must_use]
    pub fn step_count(&self) -> u64 {
        self.counters.steps
    }

    /// Whether the rates come from a [`HostReaction`] that was not given yet.
    #[must_use]
    pub fn lacks_host_reaction(&self) -> bool {
        self.spec.kinetics == Kinetics::Host && self.host.is_none()
    }
}
