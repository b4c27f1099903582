//! The reaction-diffusion engine: a [`Simulation`] owns the fields, the random stream and the
//! counters of one run.

pub mod constants;
mod control;
mod kernel;
mod state;
mod statistics;
mod step;

use std::fmt;
use std::ops::ControlFlow;

use ndarray::ArrayView2;

pub use control::{CancelToken, Progress, RunEnd};
pub(crate) use kernel::{Row, clamp};
use state::{Fields, State};
pub use statistics::Statistics;
pub use step::{StepEvents, StepParameters, full_step};

use crate::error::{InitialFieldError, SimError};
use crate::features::{self, FeatureConfig, Features, TemporalAccumulator};
use crate::moments::Summary;
use crate::rng::Generator;
use crate::spec::Spec;
use constants::{INITIAL_MORPHOGEN_MAX, REST_DEVIATION_V, REST_MEAN_V};

/// One run of the model.
///
/// A simulation is plain data: it starts no thread, does no I/O and may be moved between
/// threads. Views of its fields are borrowed and end before the next step. Its memory depends
/// on the grid, not on the number of steps.
pub struct Simulation {
    spec: Spec,
    parameters: StepParameters,
    state: State,
    generator: Generator,
    counters: Counters,
    cancel: CancelToken,
    temporal: Option<Temporal>,
}

#[derive(Debug, Default)]
struct Counters {
    steps: u64,
    growth_events: u64,
    activations: u64,
    clamps: u64,
    nan_detected: bool,
    inf_detected: bool,
    unstable_step: Option<u64>,
}

struct Temporal {
    config: FeatureConfig,
    accumulator: TemporalAccumulator,
}

/// The specification and the step; not the cells.
impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("spec", &self.spec)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Simulation {
    /// Checks the specification and draws the initial fields from its seed: the potential
    /// from a normal distribution around -70 mV, then activator and inhibitor uniform in
    /// [0, 0.1), always in this order.
    ///
    /// # Errors
    /// [`SimError::Spec`] with every fault of the specification.
    pub fn new(spec: Spec) -> Result<Self, SimError> {
        spec.validate()?;
        let cells = spec.rows() * spec.cols();
        let mut generator = Generator::new(spec.random_seed);
        let mut fields =
            Fields { potential: vec![0.0; cells], activator: vec![0.0; cells], inhibitor: vec![0.0; cells] };
        generator.fill_normal(REST_MEAN_V, REST_DEVIATION_V, &mut fields.potential);
        generator.fill_uniform(0.0, INITIAL_MORPHOGEN_MAX, &mut fields.activator);
        generator.fill_uniform(0.0, INITIAL_MORPHOGEN_MAX, &mut fields.inhibitor);
        Ok(Self {
            parameters: StepParameters::from(&spec),
            state: State::new(spec.rows(), spec.cols(), fields),
            generator,
            counters: Counters::default(),
            cancel: CancelToken::new(),
            temporal: None,
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

    /// Replaces the initial potential, in volts, by a copy of `field` (any strides). The
    /// potential drawn at creation is dropped; activator, inhibitor and the random stream
    /// stay as they are, so the rest of the run draws the same numbers.
    ///
    /// # Errors
    /// [`SimError::InitialField`] when the shape differs from the grid, a cell is not finite,
    /// or a step was already done; the simulation is then unchanged.
    pub fn set_initial_field(&mut self, field: ArrayView2<'_, f64>) -> Result<(), SimError> {
        if self.counters.steps > 0 {
            return Err(InitialFieldError::Started { step_count: self.counters.steps }.into());
        }
        let (rows, columns) = (self.spec.rows(), self.spec.cols());
        let (given_rows, given_columns) = field.dim();
        if (given_rows, given_columns) != (rows, columns) {
            return Err(InitialFieldError::Shape { given_rows, given_columns, rows, columns }.into());
        }
        if let Some(((row, column), &value)) = field.indexed_iter().find(|(_, value)| !value.is_finite()) {
            return Err(InitialFieldError::NotFinite { row, column, value }.into());
        }
        let potential = &mut self.state.current_mut().potential;
        for (cell, &value) in potential.iter_mut().zip(field.iter()) {
            *cell = value;
        }
        Ok(())
    }

    /// Follows the run from here on, so that [`features`](Self::features) can give the
    /// features that need more than one field. Each finished step is one frame; the initial
    /// state is none, as in MFN 4.1. Costs two grids of memory and one pass per step. Calling
    /// it again starts over.
    ///
    /// # Errors
    /// [`SimError::Features`] when the configuration is refused.
    pub fn enable_temporal_features(&mut self, config: &FeatureConfig) -> Result<(), SimError> {
        self.temporal =
            Some(Temporal { config: config.clone(), accumulator: TemporalAccumulator::new(config)? });
        Ok(())
    }

    /// Does one step.
    ///
    /// # Errors
    /// [`SimError::Unstable`] when the step produced NaN and `check_stability` is on. The step
    /// is discarded: fields, counters of events and the random stream are as before it.
    pub fn step(&mut self) -> Result<(), SimError> {
        let stream_before = self.generator.clone();
        let events = self.state.advance(&self.parameters, &mut self.generator);
        if events.counts.nan && self.spec.check_stability {
            let error = self.instability();
            self.state.discard();
            self.generator = stream_before;
            return Err(error);
        }
        self.state.keep(&self.parameters);
        self.counters.steps += 1;
        self.counters.growth_events += u64::from(events.growth);
        self.counters.activations += events.counts.activations;
        self.counters.clamps += events.counts.clamps;
        if let Some(temporal) = &mut self.temporal {
            let frame = self.state.view(&self.state.current().potential);
            temporal.accumulator.push(frame)?;
        }
        Ok(())
    }

    /// Does up to `steps` more steps. `control` hears of progress every few milliseconds of
    /// work and after the last step, on the calling thread; when it breaks, or the
    /// [cancel token](Self::cancel_token) is set, the run ends between two steps.
    ///
    /// # Errors
    /// [`SimError::Unstable`] as [`step`](Self::step); the steps before it are kept.
    pub fn run(
        &mut self,
        steps: u64,
        control: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<RunEnd, SimError> {
        let interval = control::report_interval_steps(self.spec.rows() * self.spec.cols());
        for done in 1..=steps {
            if self.cancel.is_cancelled() {
                return Ok(RunEnd::Cancelled);
            }
            self.step()?;
            if done % interval == 0 || done == steps {
                let progress = Progress { step: done, steps_total: steps };
                if control(progress).is_break() && done < steps {
                    return Ok(RunEnd::Cancelled);
                }
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

    /// The membrane potential in volts, row-major and contiguous.
    #[must_use]
    pub fn field(&self) -> ArrayView2<'_, f64> {
        self.state.view(&self.state.current().potential)
    }

    /// The activator, in [0, 1], row-major and contiguous.
    #[must_use]
    pub fn activator(&self) -> ArrayView2<'_, f64> {
        self.state.view(&self.state.current().activator)
    }

    /// The inhibitor, in [0, 1], row-major and contiguous.
    #[must_use]
    pub fn inhibitor(&self) -> ArrayView2<'_, f64> {
        self.state.view(&self.state.current().inhibitor)
    }

    /// The metrics of the run so far. Costs a few passes over the fields.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let field = Summary::of(self.field(), 1.0);
        Statistics {
            field_min_v: field.min,
            field_max_v: field.max,
            field_mean_v: field.mean,
            field_std_v: field.deviation(),
            activator_mean: Summary::of(self.activator(), 1.0).mean,
            inhibitor_mean: Summary::of(self.inhibitor(), 1.0).mean,
            steps_computed: self.counters.steps,
            growth_events: self.counters.growth_events,
            turing_activations: self.counters.activations,
            nan_detected: self.counters.nan_detected,
            inf_detected: self.counters.inf_detected,
            clamping_events: self.counters.clamps,
            steps_to_instability: self.counters.unstable_step,
        }
    }

    /// The 18 features: of the current field and, if
    /// [`enable_temporal_features`](Self::enable_temporal_features) was called, of the frames
    /// since. Otherwise the four temporal features are 0, as for a single frame.
    #[must_use]
    pub fn features(&self) -> Features {
        match &self.temporal {
            Some(temporal) => {
                features::combine(self.field(), &temporal.config, temporal.accumulator.finish())
            }
            None => features::combine(self.field(), &FeatureConfig::default(), Default::default()),
        }
    }

    /// Describes the step just computed and not kept, and records it.
    fn instability(&mut self) -> SimError {
        let found = self.state.next().first_instability();
        let step = self.counters.steps;
        self.counters.nan_detected |= found.nan_count > 0;
        self.counters.inf_detected |= found.inf_count > 0;
        self.counters.unstable_step = Some(step);
        SimError::Unstable {
            step,
            field: found.field,
            nan_count: found.nan_count,
            inf_count: found.inf_count,
        }
    }
}
