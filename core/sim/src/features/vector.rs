//! The feature vector: 18 numbers, their names, units and order.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names of the features in the order of [`Features::to_array`].
pub const NAMES: [&str; 18] = [
    "D_box",
    "D_r2",
    "V_min",
    "V_max",
    "V_mean",
    "V_std",
    "V_skew",
    "V_kurt",
    "dV_mean",
    "dV_max",
    "T_stable",
    "E_trend",
    "f_active",
    "N_clusters_low",
    "N_clusters_med",
    "N_clusters_high",
    "max_cluster_size",
    "cluster_size_std",
];

/// Units of the features in the same order; `1` for a pure number.
pub const UNITS: [&str; 18] = [
    "1",
    "1",
    "mV",
    "mV",
    "mV",
    "mV",
    "1",
    "1",
    "mV",
    "mV",
    "steps",
    "mV^2/step",
    "1",
    "1",
    "1",
    "1",
    "cells",
    "cells",
];

/// The 18 features.
///
/// Serialized under the names of MFN 4.1. A value that is not finite is written as null (JSON
/// has no NaN), and null is read as NaN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// Box-counting dimension of the active cells.
    #[serde(rename = "D_box", with = "nullable")]
    pub d_box: f64,
    /// Coefficient of determination of its fit.
    #[serde(rename = "D_r2", with = "nullable")]
    pub d_r2: f64,
    /// Lowest potential, mV.
    #[serde(rename = "V_min", with = "nullable")]
    pub v_min: f64,
    /// Highest potential, mV.
    #[serde(rename = "V_max", with = "nullable")]
    pub v_max: f64,
    /// Mean potential, mV.
    #[serde(rename = "V_mean", with = "nullable")]
    pub v_mean: f64,
    /// Population standard deviation of the potential, mV.
    #[serde(rename = "V_std", with = "nullable")]
    pub v_std: f64,
    /// Skewness of the potential; 0 for a flat field.
    #[serde(rename = "V_skew", with = "nullable")]
    pub v_skew: f64,
    /// Excess kurtosis of the potential; 0 for a flat field.
    #[serde(rename = "V_kurt", with = "nullable")]
    pub v_kurt: f64,
    /// Mean absolute change of a cell from frame to frame, mV.
    #[serde(rename = "dV_mean", with = "nullable")]
    pub dv_mean: f64,
    /// Largest absolute change of a cell from frame to frame, mV.
    #[serde(rename = "dV_max", with = "nullable")]
    pub dv_max: f64,
    /// Frame at which the run became quiet, counted from 1, steps; `None` if it did not. In the v4.1 mode
    /// always a number: the number of frames if it did not.
    #[serde(rename = "T_stable")]
    pub t_stable: Option<f64>,
    /// Least-squares slope of the sum of squared potentials over the frames, mV^2/step.
    #[serde(rename = "E_trend", with = "nullable")]
    pub e_trend: f64,
    /// Fraction of active cells.
    #[serde(with = "nullable")]
    pub f_active: f64,
    /// Clusters above the low threshold.
    #[serde(rename = "N_clusters_low", with = "nullable")]
    pub n_clusters_low: f64,
    /// Clusters above the medium threshold.
    #[serde(rename = "N_clusters_med", with = "nullable")]
    pub n_clusters_med: f64,
    /// Clusters above the high threshold.
    #[serde(rename = "N_clusters_high", with = "nullable")]
    pub n_clusters_high: f64,
    /// Cells of the largest cluster above the low threshold, cells.
    #[serde(with = "nullable")]
    pub max_cluster_size: f64,
    /// Population standard deviation of the sizes of those clusters; 0 for fewer than two, cells.
    #[serde(with = "nullable")]
    pub cluster_size_std: f64,
}

impl Features {
    /// The values in the order of [`NAMES`]; NaN for what is not there.
    #[must_use]
    pub fn to_array(&self) -> [f64; 18] {
        [
            self.d_box,
            self.d_r2,
            self.v_min,
            self.v_max,
            self.v_mean,
            self.v_std,
            self.v_skew,
            self.v_kurt,
            self.dv_mean,
            self.dv_max,
            self.t_stable.unwrap_or(f64::NAN),
            self.e_trend,
            self.f_active,
            self.n_clusters_low,
            self.n_clusters_med,
            self.n_clusters_high,
            self.max_cluster_size,
            self.cluster_size_std,
        ]
    }
}

/// A number as itself, anything else as null.
mod nullable {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}
