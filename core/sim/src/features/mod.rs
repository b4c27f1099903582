//! The 18 features: a field, or a run, reduced to the numbers that leave the program.
//!
//! Names, order and units are those of MyceliumFractalNet 4.1; the definitions are right by default,
//! and those of 4.1 with `FeatureConfig::v4_1()`. Fourteen features describe one field; `dV_mean`, `dV_max`,
//! `T_stable` and `E_trend` describe its history.

mod boxes;
mod change;
mod clusters;
mod config;
mod error;
mod forest;
mod mask;
mod row_sums;
mod temporal;
mod vector;

use ndarray::{ArrayView2, ArrayView3, Axis};

pub use boxes::{BoxDimension, BoxFit, BoxPoint, BoxScales, box_count, box_dimension, box_fit, box_sizes};
pub use change::{ChangeRates, change_rates};
pub use clusters::{Clusters, Connectivity, clusters};
pub use config::FeatureConfig;
pub use error::FeatureError;
pub(crate) use error::check_shape;
pub(crate) use row_sums::{FrameSums, RowSums};
pub use temporal::{RunningSlope, TemporalAccumulator, TemporalFeatures, TemporalState};
pub use vector::{Features, NAMES, UNITS};

use self::mask::Mask;
use crate::moments::{Moments, Summary, for_each_row, widest_level};
use crate::real::Real;
use crate::spec::Spec;

/// Below this standard deviation, in mV, skewness and kurtosis are 0.
const FLAT_DEVIATION_MV: f64 = 1e-10;
/// Millivolts in a volt.
const MV_PER_V: f64 = 1000.0;

/// The features of one field in volts, of any strides, in `f64` or `f32`. Of the temporal features
/// `T_stable` is absent and the others are 0. A field of at least 64 columns is read once, and needs at most four times
/// its bytes as memory, usually a tenth.
///
/// In the v4.1 mode cells that are NaN are inactive in every mask and make the statistics (`V_*`)
/// NaN, and `T_stable` is 0.
///
/// # Errors
/// [`FeatureError`] when the configuration is refused, the field is empty or too large, or a
/// cell is not finite; in the v4.1 mode when the field is not square instead of the last.
pub fn compute<T: Real>(field: ArrayView2<'_, T>, config: &FeatureConfig) -> Result<Features, FeatureError> {
    config.validate()?;
    check_shape(field.nrows(), field.ncols(), config.compat)?;
    let scan = Scan::of(field, config);
    scan.check(field, config)?;
    Ok(combine(&scan, config, config.wrap.unwrap_or(false), TemporalFeatures::of_one_frame(config)))
}

/// The features of a history: frames in volts, time first. The last frame gives the static
/// features.
///
/// # Errors
/// As [`compute`], and [`FeatureError::NoFrames`] for an empty history.
pub fn compute_history<T: Real>(
    history: ArrayView3<'_, T>,
    config: &FeatureConfig,
) -> Result<Features, FeatureError> {
    let mut accumulator = TemporalAccumulator::new(config)?;
    let last = history.dim().0.checked_sub(1).ok_or(FeatureError::NoFrames)?;
    for frame in history.axis_iter(Axis(0)) {
        check_shape(frame.nrows(), frame.ncols(), config.compat)?;
        if config.compat.is_none() {
            error::check_finite(frame)?;
        }
        accumulator.push(frame)?;
    }
    let scan = Scan::of(history.index_axis(Axis(0), last), config);
    Ok(combine(&scan, config, config.wrap.unwrap_or(false), accumulator.finish()))
}

/// What one pass over a field gives: its moments in mV and its cells above each of the thresholds.
struct Scan {
    summary: Summary,
    low: Mask,
    med: Mask,
    high: Mask,
}

impl Scan {
    fn of<T: Real>(field: ArrayView2<'_, T>, config: &FeatureConfig) -> Self {
        let level = widest_level();
        let [low_v, med_v, high_v] =
            [config.threshold_low_mv, config.threshold_med_mv, config.threshold_high_mv]
                .map(|mv| mv / MV_PER_V);
        let mut moments = Moments::new(level, MV_PER_V);
        let [mut low, mut med, mut high] = [(); 3].map(|()| Mask::with_room(field.nrows(), field.ncols()));
        // A row stays in cache for all four.
        for_each_row(field, |row| {
            moments.push(row);
            low.push_above(level, row, low_v);
            med.push_above(level, row, med_v);
            high.push_above(level, row, high_v);
        });
        Self { summary: moments.finish(), low, med, high }
    }

    /// Refuses cells that are not finite, except in the v4.1 mode.
    fn check<T: Real>(&self, field: ArrayView2<'_, T>, config: &FeatureConfig) -> Result<(), FeatureError> {
        if config.compat.is_some() || self.summary.sum_is_finite {
            Ok(())
        } else {
            error::check_finite(field)
        }
    }
}

/// The features of a run: of its field, and of the frames that were accumulated, if any were.
pub(crate) fn of_run<T: Real>(
    field: ArrayView2<'_, T>,
    spec: &Spec,
    temporal: Option<&TemporalAccumulator>,
) -> Features {
    let of_mode = FeatureConfig::of_mode(spec.compat);
    let config = temporal.map_or(&of_mode, TemporalAccumulator::config);
    let temporal =
        temporal.map_or_else(|| TemporalFeatures::of_one_frame(config), TemporalAccumulator::finish);
    combine(&Scan::of(field, config), config, config.wraps(spec.boundary_condition), temporal)
}

/// The static features of a field of allowed shape beside the given temporal ones. NaN cells are
/// inactive and make the statistics NaN.
fn combine(scan: &Scan, config: &FeatureConfig, wrap: bool, temporal: TemporalFeatures) -> Features {
    let summary = scan.summary;
    let cells = scan.low.dim().0 as f64 * scan.low.dim().1 as f64;
    let deviation = summary.deviation();
    let (skew, kurtosis) = if deviation <= FLAT_DEVIATION_MV {
        (0.0, 0.0)
    } else {
        (summary.third / deviation.powi(3), summary.fourth / deviation.powi(4) - 3.0)
    };
    let dimension = boxes::fit_mask(&scan.low, &config.box_scales()).dimension;
    let low = clusters::of_mask(&scan.low, config.connectivity, wrap);
    let count = |mask| clusters::count(mask, config.connectivity, wrap) as f64;
    Features {
        d_box: dimension.dimension,
        d_r2: dimension.r_squared.clamp(0.0, 1.0),
        v_min: summary.min,
        v_max: summary.max,
        v_mean: summary.mean,
        v_std: deviation,
        v_skew: skew,
        v_kurt: kurtosis,
        dv_mean: temporal.dv_mean,
        dv_max: temporal.dv_max,
        t_stable: temporal.t_stable,
        e_trend: temporal.e_trend,
        f_active: low.cells as f64 / cells,
        n_clusters_low: low.count as f64,
        n_clusters_med: count(&scan.med),
        n_clusters_high: count(&scan.high),
        max_cluster_size: low.largest as f64,
        cluster_size_std: low.size_deviation,
    }
}
