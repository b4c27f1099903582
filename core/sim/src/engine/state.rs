//! The complete state of a run as plain data, from which it goes on with the same bits.

use ndarray::ArrayView2;

use super::execution::{Execution, Executor};
use super::grid::{Fields, Grid};
use super::maps::Coefficient;
use super::planes::{Planes, on_grid};
use super::random::Randomness;
use super::statistics::COUNT_MAX;
use super::{CancelToken, RunCounters, Simulation};
use crate::error::SimError;
use crate::features::{self, FeatureError, TemporalAccumulator, TemporalState};
use crate::rng::{Generator, GeneratorPosition};
use crate::simd::Aligned;
use crate::spec::{Precision, RngKind, Spec};

/// The three fields of a run in its precision, each row by row: potential (volts), activator,
/// inhibitor.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldPlanes {
    /// Double precision.
    F64([Vec<f64>; 3]),
    /// Single precision.
    F32([Vec<f32>; 3]),
}

/// Everything that decides how a run goes on. The kinetics of a host is code and is not in it;
/// threads, tiles and registers never matter and are not either.
#[derive(Debug, Clone)]
pub struct SimulationState {
    /// The specification.
    pub spec: Spec,
    /// The current fields.
    pub fields: FieldPlanes,
    /// The maps in the order of [`Coefficient::ALL`], row by row.
    pub maps: [Option<Vec<f64>>; 5],
    /// The counters.
    pub counters: RunCounters,
    /// How far the stream of `rng = pcg64` is drawn; `None` for Philox, which has no state.
    pub pcg64: Option<GeneratorPosition>,
    /// The temporal features so far, if the run is followed.
    pub temporal: Option<TemporalState>,
}

/// Why a state is not that of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A field or map has another number of cells than the grid.
    #[error("{name} has {given} cells, the grid of the state has {cells}: the state is damaged")]
    Cells {
        /// The field or map.
        name: &'static str,
        /// Cells given.
        given: usize,
        /// Cells of the grid.
        cells: usize,
    },
    /// The fields are not in the precision of the specification.
    #[error(
        "the fields are not in {precision}, the precision of the state's specification: the state is damaged"
    )]
    Precision {
        /// The precision of the specification.
        precision: &'static str,
    },
    /// The position of the random stream is missing, or there is one where there is no stream.
    #[error("the position of the random stream does not go with rng = {rng}: the state is damaged")]
    Stream {
        /// The kind of random numbers of the specification.
        rng: &'static str,
    },
    /// A counter is beyond what a run can have counted.
    #[error("{name} = {value} is more than {max}, the most that a run can have: the state is damaged")]
    Count {
        /// What is counted.
        name: &'static str,
        /// The number given.
        value: u64,
        /// The largest number that is accepted.
        max: u64,
    },
    /// The frame that the temporal features saw last is not the potential of the state.
    #[error("the last frame of the temporal features is not the field: the state is damaged")]
    LastFrame,
}

impl StateError {
    pub(crate) fn check_count(name: &'static str, value: u64, max: u64) -> Result<(), Self> {
        if value > max { Err(Self::Count { name, value, max }) } else { Ok(()) }
    }
}

impl Simulation {
    /// A copy of the state, between two steps.
    #[must_use]
    pub fn state(&self) -> SimulationState {
        SimulationState {
            spec: self.spec.clone(),
            fields: match &self.planes {
                Planes::F64(grid) => FieldPlanes::F64(grid.current().to_arrays()),
                Planes::F32(grid) => FieldPlanes::F32(grid.current().to_arrays()),
            },
            maps: Coefficient::ALL.map(|coefficient| self.map(coefficient)),
            counters: self.counters,
            pcg64: match &self.random {
                Randomness::Sequence(generator) => Some(generator.position()),
                Randomness::Counter { .. } => None,
            },
            temporal: self.temporal.as_ref().map(
                |temporal| on_grid!(&self.planes, grid => temporal.state_with(&grid.current().potential)),
            ),
        }
    }

    /// The run of a state, which goes on with the bits that it would have had without the
    /// interruption. It computes on the calling thread; a host's kinetics must be given again.
    ///
    /// # Errors
    /// [`SimError::Spec`], [`SimError::Map`] or [`SimError::State`] when the state is not that
    /// of a run.
    pub fn from_state(state: SimulationState) -> Result<Self, SimError> {
        let SimulationState { spec, fields, maps, counters, pcg64, temporal } = state;
        spec.validate()?;
        counters.check()?;
        let executor = Executor::new(Execution::default())?;
        let lanes = executor.lanes();
        let planes = match (fields, spec.precision) {
            (FieldPlanes::F64(fields), Precision::F64) => {
                Planes::F64(Grid::of(&spec, Fields::from_arrays(fields, &spec)?, lanes))
            }
            (FieldPlanes::F32(fields), Precision::F32) => {
                Planes::F32(Grid::of(&spec, Fields::from_arrays(fields, &spec)?, lanes))
            }
            _ => return Err(StateError::Precision { precision: spec.precision.name() }.into()),
        };
        let random = match (spec.rng, pcg64) {
            (RngKind::Pcg64, Some(position)) => {
                StateError::check_count("random numbers drawn", position.drawn, COUNT_MAX)?;
                Randomness::Sequence(Generator::at(spec.random_seed, position))
            }
            (RngKind::Philox, None) => Randomness::new(&spec),
            _ => return Err(StateError::Stream { rng: spec.rng.name() }.into()),
        };
        let shape = (spec.rows(), spec.cols());
        let temporal = temporal.map(|state| follow(state, shape, counters.steps, &planes)).transpose()?;
        let cancel = CancelToken::new();
        let mut simulation =
            Self { spec, planes, random, counters, cancel, temporal: None, host: None, executor };
        simulation.follow(temporal);
        for (coefficient, map) in Coefficient::ALL.into_iter().zip(maps) {
            let Some(map) = map else { continue };
            let view = ArrayView2::from_shape(shape, &map).map_err(|_| StateError::Cells {
                name: coefficient.name(),
                given: map.len(),
                cells: shape.0 * shape.1,
            })?;
            simulation.set_map(coefficient, Some(view))?;
        }
        Ok(simulation)
    }
}

impl<T: crate::real::Real> Fields<T> {
    fn to_arrays(&self) -> [Vec<T>; 3] {
        [&self.potential, &self.activator, &self.inhibitor].map(|field| field.to_vec())
    }

    fn from_arrays(fields: [Vec<T>; 3], spec: &Spec) -> Result<Self, StateError> {
        let cells = spec.rows() * spec.cols();
        for (name, field) in ["field", "activator", "inhibitor"].into_iter().zip(&fields) {
            if field.len() != cells {
                return Err(StateError::Cells { name, given: field.len(), cells });
            }
        }
        let [potential, activator, inhibitor] = fields.map(|field| Aligned::from(&*field));
        Ok(Self { potential, activator, inhibitor })
    }
}

/// Takes up the temporal features of a run after `steps` steps.
fn follow(
    state: TemporalState,
    shape: (usize, usize),
    steps: u64,
    planes: &Planes,
) -> Result<TemporalAccumulator, SimError> {
    let (rows, columns) = (state.rows, state.cols);
    if state.frames > 0 && (rows, columns) != shape {
        let (expected_rows, expected_columns) = shape;
        return Err(FeatureError::FrameShape { rows, columns, expected_rows, expected_columns }.into());
    }
    StateError::check_count("frames", state.frames, steps)?;
    features::check_shape(shape.0, shape.1, state.config.compat)?;
    let mut temporal = TemporalAccumulator::from_state(state)?;
    // The run goes on from its own field, which must be what the features saw.
    if !on_grid!(planes, grid => temporal.saw_last(&grid.current().potential)) {
        return Err(StateError::LastFrame.into());
    }
    temporal.forget_last();
    Ok(temporal)
}
