//! The 18 features: a field, or a run, reduced to the numbers that leave the program.
//!
//! Names, order, units and definitions are those of MyceliumFractalNet 4.1. Fourteen features
//! describe one field; `dV_mean`, `dV_max`, `T_stable` and `E_trend` describe its history and
//! are 0 for a single field.

mod boxes;
mod change;
mod clusters;
mod config;
mod error;
mod temporal;
mod vector;

use ndarray::{ArrayView2, ArrayView3, Axis};

pub use boxes::{BoxDimension, BoxScales, box_count, box_dimension, box_sizes};
pub use change::{ChangeRates, change_rates};
pub use clusters::{Clusters, Connectivity, clusters};
pub use config::FeatureConfig;
pub use error::FeatureError;
pub use temporal::{RunningSlope, TemporalAccumulator, TemporalFeatures, TemporalState};
pub use vector::{Features, NAMES, UNITS};

use crate::moments::Summary;

/// Below this standard deviation, in mV, skewness and kurtosis are 0.
const FLAT_DEVIATION_MV: f64 = 1e-10;
/// Millivolts in a volt.
const MV_PER_V: f64 = 1000.0;

/// The features of one field in volts, of any strides.
///
/// Cells that are NaN are inactive in every mask and make the statistics (`V_*`) NaN.
///
/// # Errors
/// [`FeatureError`] when the configuration is refused or the field is empty, not square, or too
/// large.
pub fn compute(field: ArrayView2<'_, f64>, config: &FeatureConfig) -> Result<Features, FeatureError> {
    config.validate()?;
    error::check_shape(field.nrows(), field.ncols())?;
    Ok(combine(field, config, TemporalFeatures::default()))
}

/// The features of a history: frames in volts, time first. The last frame gives the static
/// features.
///
/// # Errors
/// As [`compute`], and [`FeatureError::NoFrames`] for an empty history.
pub fn compute_history(
    history: ArrayView3<'_, f64>,
    config: &FeatureConfig,
) -> Result<Features, FeatureError> {
    config.validate()?;
    let (frames, rows, columns) = history.dim();
    let last = frames.checked_sub(1).ok_or(FeatureError::NoFrames)?;
    error::check_shape(rows, columns)?;
    let mut accumulator = TemporalAccumulator::new(config)?;
    for frame in history.axis_iter(Axis(0)) {
        accumulator.push(frame)?;
    }
    Ok(combine(history.index_axis(Axis(0), last), config, accumulator.finish()))
}

/// The static features of a checked field beside the given temporal ones.
pub(crate) fn combine(
    field: ArrayView2<'_, f64>,
    config: &FeatureConfig,
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
    let dimension = boxes::dimension_above(field, low_v, &config.box_scales());
    let low = clusters(field, low_v, config.connectivity);
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
        n_clusters_med: clusters(field, med_v, config.connectivity).count as f64,
        n_clusters_high: clusters(field, high_v, config.connectivity).count as f64,
        max_cluster_size: low.largest as f64,
        cluster_size_std: low.size_deviation,
    }
}
