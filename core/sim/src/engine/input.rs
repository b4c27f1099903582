//! What a host gives to a simulation: fields, maps, kinetics, threads.

use std::sync::Arc;

use ndarray::ArrayView2;
use rayon::ThreadPool;

use super::Simulation;
use super::execution::{Execution, Executor};
use super::maps::Coefficient;
use super::planes::{Which, on_grid};
use crate::error::{InitialFieldError, SimError};
use crate::features::{self, FeatureConfig, TemporalAccumulator};
use crate::kinetics::{HostReaction, Kinetics};
use crate::real::Real;
use crate::simd::SimdLevel;

/// Copies a field into cells that are as many, or changes none.
fn fill<T: Real>(cells: &mut [T], field: ArrayView2<'_, f64>) -> Result<(), InitialFieldError> {
    // A number beyond single precision would become infinite.
    let bad = |(_, value): &(_, &f64)| !T::of(**value).is_finite();
    if let Some(((row, column), &value)) = field.indexed_iter().find(bad) {
        return Err(InitialFieldError::NotFinite { row, column, value });
    }
    for (cell, &value) in cells.iter_mut().zip(field.iter()) {
        *cell = T::of(value);
    }
    Ok(())
}

impl Simulation {
    /// Replaces the initial potential, in volts, by a copy of `field` (any strides). The
    /// potential made at creation is dropped; activator, inhibitor and the random numbers
    /// stay as they are, so the rest of the run draws the same numbers.
    ///
    /// # Errors
    /// [`SimError::InitialField`] when the shape differs from the grid, a cell is not finite in
    /// the precision of the run, or a step was already done; the simulation is then unchanged.
    pub fn set_initial_field(&mut self, field: ArrayView2<'_, f64>) -> Result<(), SimError> {
        self.set_initial(Which::Potential, field)
    }

    /// Replaces the initial activator, as [`set_initial_field`](Self::set_initial_field) does
    /// the potential.
    ///
    /// # Errors
    /// As [`set_initial_field`](Self::set_initial_field).
    pub fn set_initial_activator(&mut self, activator: ArrayView2<'_, f64>) -> Result<(), SimError> {
        self.set_initial(Which::Activator, activator)
    }

    /// Replaces the initial inhibitor, as [`set_initial_field`](Self::set_initial_field) does
    /// the potential.
    ///
    /// # Errors
    /// As [`set_initial_field`](Self::set_initial_field).
    pub fn set_initial_inhibitor(&mut self, inhibitor: ArrayView2<'_, f64>) -> Result<(), SimError> {
        self.set_initial(Which::Inhibitor, inhibitor)
    }

    fn set_initial(&mut self, which: Which, field: ArrayView2<'_, f64>) -> Result<(), SimError> {
        if self.counters.steps > 0 {
            return Err(InitialFieldError::Started { step_count: self.counters.steps }.into());
        }
        let (rows, columns) = (self.spec.rows(), self.spec.cols());
        let (given_rows, given_columns) = field.dim();
        if (given_rows, given_columns) != (rows, columns) {
            return Err(InitialFieldError::Shape { given_rows, given_columns, rows, columns }.into());
        }
        on_grid!(&mut self.planes, grid => {
            let cells = grid.current_mut().get_mut(which);
            fill(cells, field)?;
        });
        Ok(())
    }

    /// Gives every cell a coefficient of its own from the next step on, or takes the map back.
    /// `map` has the shape of the grid and any strides; it is copied. Diffusion with a map is in
    /// flux form, which conserves the amount of what diffuses.
    ///
    /// # Errors
    /// [`SimError::Map`] when the shape differs from the grid or a cell is out of range, as it is
    /// given or in the precision of the run; the simulation is then unchanged.
    pub fn set_map(
        &mut self,
        coefficient: Coefficient,
        map: Option<ArrayView2<'_, f64>>,
    ) -> Result<(), SimError> {
        let shape = (self.spec.rows(), self.spec.cols());
        on_grid!(&mut self.planes, grid => {
            let read = |map| coefficient.read(map, shape, self.spec.time_step, self.spec.leak_rate);
            let map = map.map(read).transpose()?;
            grid.set_map(coefficient, map);
        });
        Ok(())
    }

    /// Gives the rates of a specification whose kinetics is `host`.
    ///
    /// # Errors
    /// [`SimError::NoHostKinetics`] when the specification names another kinetics.
    pub fn set_host_reaction(&mut self, host: Arc<dyn HostReaction>) -> Result<(), SimError> {
        if self.spec.kinetics != Kinetics::Host {
            return Err(SimError::NoHostKinetics { kinetics: self.spec.kinetics.name() });
        }
        self.host = Some(host);
        Ok(())
    }

    /// Says how steps are carried out from the next one on. It never changes a bit of the
    /// result. Starts the threads asked for; they end with the simulation.
    ///
    /// # Errors
    /// [`SimError::Execution`] when the machine has no such instructions or the threads cannot
    /// be started; the simulation keeps the execution it has.
    pub fn set_execution(&mut self, execution: Execution) -> Result<(), SimError> {
        self.take_executor(Executor::new(execution)?);
        Ok(())
    }

    /// Computes on a pool of the host's from the next step on; the other settings stay.
    pub fn set_pool(&mut self, pool: Arc<ThreadPool>) {
        self.take_executor(self.executor.on_pool(pool));
    }

    fn take_executor(&mut self, executor: Executor) {
        self.executor = executor;
        on_grid!(&mut self.planes, grid => grid.retile(self.executor.lanes()));
    }

    /// The vector instructions that steps use; never [`SimdLevel::Auto`].
    #[must_use]
    pub fn simd_level(&self) -> SimdLevel {
        self.executor.level().level()
    }

    /// How steps are carried out.
    #[must_use]
    pub fn execution(&self) -> Execution {
        self.executor.settings()
    }

    /// Follows the run from here on, so that [`features`](Self::features) can give the
    /// features that need more than one field. Each finished step is one frame; the initial
    /// state is none, as in MFN 4.1. The sums are taken while a row is in the cache, and the frame
    /// before is that of the run itself, so that no memory grows with the grid. Calling it
    /// again starts over.
    ///
    /// # Errors
    /// [`SimError::Features`] when the configuration or the shape of the grid is refused.
    pub fn enable_temporal_features(&mut self, config: &FeatureConfig) -> Result<(), SimError> {
        let accumulator = TemporalAccumulator::new(config)?;
        // A grid that the features do not take is refused here and not at the first step.
        features::check_shape(self.spec.rows(), self.spec.cols(), config.compat)?;
        self.follow(Some(accumulator));
        Ok(())
    }

    pub(super) fn follow(&mut self, temporal: Option<TemporalAccumulator>) {
        on_grid!(&mut self.planes, grid => grid.follow(temporal.is_some()));
        self.temporal = temporal;
    }
}
