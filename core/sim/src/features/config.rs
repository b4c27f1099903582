//! What the features depend on beside the field.

use serde::{Deserialize, Serialize};

use super::boxes::BoxScales;
use super::clusters::Connectivity;
use crate::bounds::FEATURE_TABLE;
use crate::error::{SpecError, SpecFault};
use crate::spec::{BoundaryCondition, Compat};

/// Thresholds and scales of the features. Absent fields take their defaults; unknown fields are
/// refused. The ranges are in [`bounds::FEATURE_TABLE`](crate::bounds::FEATURE_TABLE).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureConfig {
    /// `None`: the right definitions. `Some`: those of MyceliumFractalNet 4.1 with their faults
    /// (box sizes, no wrap unless `wrap` says so, NaN cells accepted, square fields only, `T_stable` always a number).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compat: Option<Compat>,
    /// Smallest box of the box counting, cells.
    pub min_box_size: usize,
    /// Largest box of the box counting, cells; `None`: derived from the active cells, or from the
    /// grid in the v4.1 mode.
    pub max_box_size: Option<usize>,
    /// Number of box sizes; in the v4.1 mode before duplicates are dropped.
    pub num_scales: usize,
    /// Threshold of the active mask (`D_box`, `f_active`, `N_clusters_low`, cluster sizes), mV.
    pub threshold_low_mv: f64,
    /// Threshold of `N_clusters_med`, mV.
    pub threshold_med_mv: f64,
    /// Threshold of `N_clusters_high`, mV.
    pub threshold_high_mv: f64,
    /// A step is quiet when the root mean square of the change is below this, mV; in the v4.1 mode
    /// the spatial standard deviation of the absolute change.
    pub stability_threshold_mv: f64,
    /// Consecutive quiet steps that count as stable.
    pub stability_window: u64,
    /// Which cells are neighbours in a cluster: 4 or 8.
    pub connectivity: Connectivity,
    /// Whether clusters go on across the edges of the grid. `None`: as the grid does, so in a
    /// simulation with the periodic boundary; not in the v4.1 mode, and not in a lone field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap: Option<bool>,
}

impl Default for FeatureConfig {
    fn default() -> Self {
        Self {
            compat: None,
            min_box_size: 2,
            max_box_size: None,
            num_scales: 5,
            threshold_low_mv: -60.0,
            threshold_med_mv: -50.0,
            threshold_high_mv: -40.0,
            stability_threshold_mv: 0.001,
            stability_window: 10,
            connectivity: Connectivity::Four,
            wrap: None,
        }
    }
}

impl FeatureConfig {
    /// The features of MyceliumFractalNet 4.1, with its thresholds and its faults.
    #[must_use]
    pub fn v4_1() -> Self {
        Self::of_mode(Some(Compat::V4_1))
    }

    /// The defaults of a mode, such as the `compat` of a specification.
    #[must_use]
    pub fn of_mode(compat: Option<Compat>) -> Self {
        Self { compat, ..Self::default() }
    }

    /// Whether clusters go on across the edges of a grid with the given boundary.
    #[must_use]
    pub fn wraps(&self, boundary: BoundaryCondition) -> bool {
        self.wrap.unwrap_or(self.compat.is_none() && boundary == BoundaryCondition::Periodic)
    }

    /// Checks every field and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&FEATURE_TABLE, |field| self.value_of(field))
    }

    /// The part that the box counting needs.
    #[must_use]
    pub fn box_scales(&self) -> BoxScales {
        BoxScales {
            compat: self.compat,
            min_box_size: self.min_box_size,
            max_box_size: self.max_box_size,
            num_scales: self.num_scales,
        }
    }

    fn value_of(&self, field: &str) -> Option<f64> {
        Some(match field {
            "min_box_size" => self.min_box_size as f64,
            "max_box_size" => self.max_box_size? as f64,
            "num_scales" => self.num_scales as f64,
            "threshold_low_mv" => self.threshold_low_mv,
            "threshold_med_mv" => self.threshold_med_mv,
            "threshold_high_mv" => self.threshold_high_mv,
            "stability_threshold_mv" => self.stability_threshold_mv,
            "stability_window" => self.stability_window as f64,
            _ => return None,
        })
    }
}
