//! What a simulation gives: fields, statistics, features.

use ndarray::{ArrayView2, CowArray, Ix2};

use super::planes::{Which, on_grid};
use super::{Coefficient, Execution, RunCounters, Simulation, Statistics};
use crate::features::{self, Features};
use crate::moments::Summary;
use crate::real::Real;

impl Simulation {
    /// The membrane potential in volts, row-major and contiguous: borrowed, or for a run in
    /// single precision a copy widened without loss.
    #[must_use]
    pub fn field(&self) -> CowArray<'_, f64, Ix2> {
        self.planes.widened(Which::Potential)
    }

    /// The activator, as [`field`](Self::field). In [0, 1] for the kinetics of v4.1.
    #[must_use]
    pub fn activator(&self) -> CowArray<'_, f64, Ix2> {
        self.planes.widened(Which::Activator)
    }

    /// The inhibitor, as [`field`](Self::field). In [0, 1] for the kinetics of v4.1.
    #[must_use]
    pub fn inhibitor(&self) -> CowArray<'_, f64, Ix2> {
        self.planes.widened(Which::Inhibitor)
    }

    /// The membrane potential of a run in single precision, where it lies; `None` for one in
    /// double precision.
    #[must_use]
    pub fn field_f32(&self) -> Option<ArrayView2<'_, f32>> {
        self.planes.single(Which::Potential)
    }

    /// The activator, as [`field_f32`](Self::field_f32).
    #[must_use]
    pub fn activator_f32(&self) -> Option<ArrayView2<'_, f32>> {
        self.planes.single(Which::Activator)
    }

    /// The inhibitor, as [`field_f32`](Self::field_f32).
    #[must_use]
    pub fn inhibitor_f32(&self) -> Option<ArrayView2<'_, f32>> {
        self.planes.single(Which::Inhibitor)
    }

    /// The map of a coefficient, row by row in double precision; `None` where there is none.
    #[must_use]
    pub fn map(&self, coefficient: Coefficient) -> Option<Vec<f64>> {
        on_grid!(&self.planes, grid => {
            grid.map(coefficient).map(|cells| cells.into_iter().map(Real::wide).collect())
        })
    }

    /// How steps are carried out: what was worked out where an [`Execution`] was given 0.
    /// `threads` is how many have work, `band_rows` the rows of each at least, but for up to half a block of steps
    /// that a grid with edges moves them by.
    #[must_use]
    pub fn execution_used(&self) -> Execution {
        let tiling = on_grid!(&self.planes, grid => grid.tiling());
        Execution {
            threads: tiling.lanes,
            band_rows: self.spec.rows() / tiling.lanes,
            strip_cols: tiling.strip_cols,
            block_steps: tiling.block_steps,
            simd: self.simd_level(),
        }
    }

    /// The counters of the run so far.
    #[must_use]
    pub fn counters(&self) -> RunCounters {
        self.counters
    }

    /// The metrics of the run so far. Costs a few passes over the fields.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let field = Summary::of(self.field().view(), 1.0);
        let RunCounters {
            steps,
            growth_events,
            activations,
            clamps,
            nan_detected,
            inf_detected,
            unstable_step,
        } = self.counters;
        Statistics {
            field_min_v: field.min,
            field_max_v: field.max,
            field_mean_v: field.mean,
            field_std_v: field.deviation(),
            activator_mean: Summary::of(self.activator().view(), 1.0).mean,
            inhibitor_mean: Summary::of(self.inhibitor().view(), 1.0).mean,
            steps_computed: steps,
            growth_events,
            turing_activations: activations,
            nan_detected,
            inf_detected,
            clamping_events: clamps,
            steps_to_instability: unstable_step,
        }
    }

    /// The 18 features: of the current field and, if
    /// [`enable_temporal_features`](Self::enable_temporal_features) was called, of the frames
    /// since. Otherwise with the defaults of the specification's mode, and the temporal features of a
    /// single frame. NaN cells, which only a run without `check_stability` can have, are inactive and
    /// make the statistics NaN.
    #[must_use]
    pub fn features(&self) -> Features {
        let field = self.field();
        features::of_run(field.view(), &self.spec, self.temporal.as_ref())
    }
}
