//! The reaction-diffusion engine: a [`Simulation`] owns the fields, the random numbers and the
//! counters of one run.

pub mod constants;
mod control;
mod execution;
mod grid;
mod initial;
mod input;
mod kernel;
mod maps;
mod output;
mod planes;
mod random;
mod state;
mod statistics;
mod stencil;
mod step;
mod sweep;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use ndarray::ArrayView2;

pub use control::{CancelToken, Frame, Observer, Progress, RunEnd};
pub use execution::{Execution, ExecutionError, THREADS_MAX};
pub(crate) use kernel::clamp;
pub use maps::Coefficient;
use planes::{Planes, on_grid};
pub use state::{FieldPlanes, SimulationState, StateError};
pub use statistics::{RunCounters, Statistics};
pub(crate) use stencil::Row;
pub use step::{StepEvents, StepParameters, full_step};

use crate::error::SimError;
use crate::features::TemporalAccumulator;
use crate::kinetics::{HostReaction, Kinetics};
use crate::spec::Spec;
use execution::Executor;
use random::Randomness;
use sweep::{Step, Swept};

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

    /// Does one step.
    ///
    /// # Errors
    /// [`SimError::Unstable`] when the step produced NaN or infinite values and
    /// `check_stability` is on, [`SimError::HostReaction`] when the host's kinetics failed or is
    /// missing. The step is discarded: fields, counters of events and the random stream are as
    /// before it.
    pub fn step(&mut self) -> Result<(), SimError> {
        let random_before = self.random.clone();
        let (growth, swept) = self.compute();
        if let Some(error) = self.refusal(&swept) {
            on_grid!(&mut self.planes, grid => grid.discard());
            self.random = random_before;
            return Err(error);
        }
        on_grid!(&mut self.planes, grid => grid.keep());
        self.counters.steps += 1;
        self.counters.growth_events += u64::from(growth);
        self.counters.activations += swept.counts.activations;
        self.counters.clamps += swept.counts.clamps;
        if let Some(temporal) = &mut self.temporal {
            on_grid!(&self.planes, grid => temporal.push(grid.view(&grid.current().potential)))?;
        }
        Ok(())
    }

    /// Computes the next fields; whether they are kept is not decided here.
    fn compute(&mut self) -> (bool, Swept) {
        let spec = &self.spec;
        let step = self.counters.steps;
        let probability = spec.time_step * spec.spike_probability;
        let spike = self.random.spike(step, probability, (spec.rows(), spec.cols()));
        let deviation = spec.quantum_jitter.then(|| (spec.time_step * spec.jitter_var).sqrt());
        let host = self.host.as_deref();
        let swept = on_grid!(&mut self.planes, grid => {
            grid.add_spike(spike);
            let noise = self.random.noise(step, deviation, grid.noise_mut());
            let step = Step {
                numbers: kernel::Numbers::of(spec),
                kinetics: spec.kinetics,
                factors: [spec.r_activator, spec.r_inhibitor],
                host,
                noise,
            };
            grid.advance(&step, &self.executor)
        });
        (spike.is_some(), swept)
    }

    /// Why the step just computed is not kept, and records it.
    fn refusal(&mut self, swept: &Swept) -> Option<SimError> {
        let step = self.counters.steps;
        if let Some(failure) = &swept.failure {
            return Some(SimError::HostReaction { step, failure: failure.clone() });
        }
        if !(swept.counts.not_finite && self.spec.check_stability) {
            return None;
        }
        let found = on_grid!(&self.planes, grid => grid.instability());
        self.counters.nan_detected |= found.nan_count > 0;
        self.counters.inf_detected |= found.inf_count > 0;
        self.counters.unstable_step = Some(step);
        Some(SimError::Unstable {
            step,
            field: found.field,
            nan_count: found.nan_count,
            inf_count: found.inf_count,
        })
    }

    /// Does up to `steps` more steps. `control` hears of progress every few milliseconds of
    /// work and after the last step, on the calling thread; when it breaks, or the
    /// [cancel token](Self::cancel_token) is set, the run ends between two steps.
    ///
    /// # Errors
    /// As [`step`](Self::step); the steps before it are kept.
    pub fn run(
        &mut self,
        steps: u64,
        control: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<RunEnd, SimError> {
        self.run_with(steps, &mut control::ProgressOnly(control))
    }

    /// As [`run`](Self::run), with an observer that also sees a frame after every
    /// `record_every` steps of the specification.
    ///
    /// # Errors
    /// As [`step`](Self::step); the steps before it are kept.
    pub fn run_with(&mut self, steps: u64, observer: &mut dyn Observer) -> Result<RunEnd, SimError> {
        let interval = control::report_interval_steps(self.spec.rows() * self.spec.cols());
        let every = self.spec.record_every;
        for done in 1..=steps {
            if self.cancel.is_cancelled() {
                return Ok(RunEnd::Cancelled);
            }
            self.step()?;
            let mut flow = ControlFlow::Continue(());
            if every > 0 && self.counters.steps.is_multiple_of(every) {
                flow = observer.frame(Frame { step: self.counters.steps, simulation: self });
            }
            if done % interval == 0 || done == steps {
                let heard = observer.progress(Progress { step: done, steps_total: steps });
                flow = if heard.is_break() { heard } else { flow };
            }
            if flow.is_break() && done < steps {
                return Ok(RunEnd::Cancelled);
            }
        }
        Ok(RunEnd::Completed)
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
