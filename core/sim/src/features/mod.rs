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
mod temporal;
mod vector;

use ndarray::{ArrayView2, ArrayView3, Axis};

pub use boxes::{BoxDimension, BoxFit, BoxPoint, BoxScales, box_count, box_dimension, box_fit, box_sizes};
pub use change::{ChangeRates, change_rates};
pub use clusters::{Clusters, Connectivity, clusters};
pub use config::FeatureConfig;
pub use error::FeatureError;
pub(crate) use error::check_shape;
pub use temporal::{RunningSlope, TemporalAccumulator, TemporalFeatures, TemporalState};
pub use vector::{Features, NAMES, UNITS};

use crate::moments::Summary;
use crate::real::Real;
use crate::spec::Spec;

/// Below this standard deviation, in mV, skewness and kurtosis are 0.
const FLAT_DEVIATION_MV: f64 = 1e-10;
/// Millivolts in a volt.
const MV_PER_V: f64 = 1000.0;

/// The features of one field in volts, of any strides, in `f64` or `f32`. Of the temporal features
/// `T_stable` is absent and the others are 0. Needs at most two grids of `f64` as memory.
///
/// In the v4.1 mode cells that are NaN are inactive in every mask and make the statistics (`V_*`)
/// NaN, and `T_stable` is 0.
///
/// # Errors
/// [`FeatureError`] when the configuration is refused, the field is empty or too large, or a
/// cell is not finite; in the v4.1 mode when the field is not square instead of the last.
pub fn compute<T: Real>(field: ArrayView2<'_, T>, config: &FeatureConfig) -> Result<Features, FeatureError> {
    config.validate()?;
    check(field, config)?;
    Ok(combine(field, config, config.wrap.unwrap_or(false), TemporalFeatures::of_one_frame(config)))
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
        check(frame, config)?;
        accumulator.push(frame)?;
    }
    let last = history.index_axis(Axis(0), last);
    Ok(combine(last, config, config.wrap.unwrap_or(false), accumulator.finish()))
}

fn check<T: Real>(field: ArrayView2<'_, T>, config: &FeatureConfig) -> Result<(), FeatureError> {
    check_shape(field.nrows(), field.ncols(), config.compat)?;
    if config.compat.is_none() { error::check_finite(field) } else { Ok(()) }
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
    combine(field, config, config.wraps(spec.boundary_condition), temporal)
}

/// The static features of a field of allowed shape beside the given temporal ones. NaN cells are
/// inactive and make the statistics NaN.
fn combine<T: Real>(
    field: ArrayView2<'_, T>,
    config: &FeatureConfig,
    wrap: bool,
    temporal: TemporalFeatures,
) -> Features {
    let cells = field.len() as f64;
    let low_v = config.threshold_low_mv / MV_PER_V;
    let med_v = config.threshold_med_mv / MV_PER_V;
    let high_v = config.threshold_high_mv / MV_PER_V;
    let summary = Summary::of(field, MV_PER_V);
    let deviation = summary.deviation();
    let (skew, kurtosis) = if deviation <= FLAT_DEVIATION_MV {
        (0.0, 0.0)
    } else {
        (summary.third / deviation.powi(3), summary.fourth / deviation.powi(4) - 3.0)
    };
    let dimension = boxes::fit_active(field, |cell: T| cell.wide() > low_v, &config.box_scales()).dimension;
    let clusters_above = |threshold_v| clusters(field, threshold_v, config.connectivity, wrap);
    let low = clusters_above(low_v);
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
        n_clusters_med: clusters_above(med_v).count as f64,
        n_clusters_high: clusters_above(high_v).count as f64,
        max_cluster_size: low.largest as f64,
        cluster_size_std: low.size_deviation,
    }
}
