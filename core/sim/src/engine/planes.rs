//! The grid of a run in the precision of its specification, and the memory that it takes.

use ndarray::{ArrayView2, CowArray, Ix2};

use super::grid::{Demands, Fields, Grid};
use super::initial;
use super::kernel::Numbers;
use super::random::Randomness;
use super::tiling::{Lanes, Shape, Tiling};
use crate::features::RowSums;
use crate::kinetics::Kinetics;
use crate::real::Real;
use crate::spec::{BoundaryCondition, Precision, RngKind, Spec};

/// A grid of one of the two types.
#[derive(Debug)]
pub(crate) enum Planes {
    /// Double precision.
    F64(Grid<f64>),
    /// Single precision.
    F32(Grid<f32>),
}

/// The same expression for both precisions.
macro_rules! on_grid {
    ($planes:expr, $grid:ident => $body:expr) => {
        match $planes {
            $crate::engine::planes::Planes::F64($grid) => $body,
            $crate::engine::planes::Planes::F32($grid) => $body,
        }
    };
}
pub(crate) use on_grid;

/// One of the three fields.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    Potential,
    Activator,
    Inhibitor,
}

impl<T: Real> Fields<T> {
    pub(crate) fn get(&self, which: Which) -> &[T] {
        match which {
            Which::Potential => &self.potential,
            Which::Activator => &self.activator,
            Which::Inhibitor => &self.inhibitor,
        }
    }

    pub(crate) fn get_mut(&mut self, which: Which) -> &mut [T] {
        match which {
            Which::Potential => &mut self.potential,
            Which::Activator => &mut self.activator,
            Which::Inhibitor => &mut self.inhibitor,
        }
    }
}

impl Planes {
    /// The initial fields of a validated specification.
    pub(crate) fn initial(spec: &Spec, random: &mut Randomness, lanes: Lanes) -> Self {
        match spec.precision {
            Precision::F64 => Self::F64(Grid::of(spec, initial::fields(spec, random), lanes)),
            Precision::F32 => Self::F32(Grid::of(spec, initial::fields(spec, random), lanes)),
        }
    }

    /// A field in double precision: borrowed if it is kept so, else widened, which is exact.
    pub(crate) fn widened(&self, which: Which) -> CowArray<'_, f64, Ix2> {
        match self {
            Self::F64(grid) => CowArray::from(grid.view(grid.current().get(which))),
            Self::F32(grid) => CowArray::from(grid.view(grid.current().get(which)).mapv(f64::from)),
        }
    }

    /// A field in single precision; `None` when it is kept in double precision.
    pub(crate) fn single(&self, which: Which) -> Option<ArrayView2<'_, f32>> {
        match self {
            Self::F64(_) => None,
            Self::F32(grid) => Some(grid.view(grid.current().get(which))),
        }
    }
}

impl<T: Real> Grid<T> {
    /// The grid of a validated specification with the given fields.
    pub(crate) fn of(spec: &Spec, fields: Fields<T>, lanes: Lanes) -> Self {
        Self::new((spec.rows(), spec.cols()), spec.boundary_condition, Demands::of(spec), fields, lanes)
    }
}

impl Demands {
    fn of(spec: &Spec) -> Self {
        Self {
            turing: spec.turing_enabled,
            noise: spec.quantum_jitter,
            noise_plane: spec.quantum_jitter && spec.rng == RngKind::Pcg64,
            host: spec.turing_enabled && spec.kinetics == Kinetics::Host,
            followed: false,
        }
    }
}

impl<T: Real> Numbers<T> {
    pub(super) fn of(spec: &Spec) -> Self {
        Self {
            alpha: T::of(spec.alpha),
            d_activator: T::of(spec.d_activator),
            d_inhibitor: T::of(spec.d_inhibitor),
            threshold: T::of(spec.turing_threshold),
            gain: T::of(spec.time_step * super::constants::ACTIVATION_GAIN_V),
            time_step: T::of(spec.time_step),
            leak_rate: T::of(spec.leak_rate),
        }
    }
}

/// Bytes for what does not grow with the grid.
const FIXED_BYTES: u64 = 4096;

impl Spec {
    /// The memory that a simulation of this specification holds on its calling thread, bytes,
    /// without features, maps, recording and threads of its own. Its buffers depend on the caches of the machine: about
    /// four fifths of the second level at most, and again as much where a lane keeps rows for another one. Beyond a
    /// quarter MiB the former are in large pages of 2 MiB where the system has them, and are counted so. A map is one
    /// more plane of the precision, with two columns more, and with maps rows are not cut into strips: the buffers
    /// are then at least three rows of all fields. Also defined for a specification that
    /// [`validate`](Self::validate) refuses.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes_of(Demands::of(self))
    }

    /// As [`memory_bytes`](Self::memory_bytes), of a run that is followed by the
    /// [temporal features](crate::Simulation::enable_temporal_features): with their sums for each row
    /// and step of a block, and buffers for whole rows.
    #[must_use]
    pub fn followed_memory_bytes(&self) -> u64 {
        self.memory_bytes_of(Demands { followed: true, ..Demands::of(self) })
    }

    fn memory_bytes_of(&self, demands: Demands) -> u64 {
        let cell = match self.precision {
            Precision::F64 => 8,
            Precision::F32 => 4,
        };
        let planes = if demands.turing { 6 } else { 4 } + u64::from(demands.noise_plane);
        let (rows, columns) = (self.rows().max(1), self.cols().max(1));
        // No machine has room for more, and the buffers do not depend on it.
        let most = 1 << 32;
        let shape = Shape {
            rows: rows.min(most),
            columns: columns.min(most),
            wraps: self.boundary_condition == BoundaryCondition::Periodic,
            demands,
            mapped: false,
            cell_bytes: cell as usize,
        };
        let needs = Tiling::of(&shape, Lanes::default()).needs;
        let buffers = match self.precision {
            Precision::F64 => needs.bytes::<f64>(),
            Precision::F32 => needs.bytes::<f32>(),
        };
        let sums = if demands.followed { needs.steps * size_of::<RowSums>() } else { 0 };
        (rows as u64)
            .saturating_mul(columns as u64)
            .saturating_mul(planes * cell)
            .saturating_add((rows as u64).saturating_mul(sums as u64))
            .saturating_add(buffers as u64)
            .saturating_add(FIXED_BYTES)
    }
}
