//! What the descriptors depend on beside the field.

use serde::{Deserialize, Serialize};

use crate::bounds::{Bound, closed, whole};
use crate::error::{SpecError, SpecFault};
use crate::features::Connectivity;

/// Threshold, topology and resolution of the descriptors. Absent fields take the defaults; unknown fields are
/// refused. The ranges are in [`DESCRIPTOR_TABLE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DescriptorConfig {
    /// A cell above it is part of the pattern, mV. For a field without unit that is not in volts give 1000
    /// times the threshold.
    pub threshold_mv: f64,
    /// Whether opposite edges of the grid touch, as in a periodic simulation, for lacunarity, perimeter and Euler
    /// number. Axes shorter than [`WRAP_MIN_CELLS`](crate::graph::WRAP_MIN_CELLS) never wrap.
    pub wrap: bool,
    /// Which cells of the pattern hang together, for the Euler number: 8 (over edges and corners; the background
    /// then hangs together over edges) or 4 (the reverse).
    pub connectivity: Connectivity,
    /// Smallest box of the dimensions, cells.
    pub min_box_size: usize,
    /// Largest box of the dimensions, cells; `None`: half the shorter side, or of a single row or column half its
    /// length.
    pub max_box_size: Option<usize>,
    /// Ratio of a box to the next smaller one. 2 gives dyadic boxes.
    pub box_ratio: usize,
    /// Bins of the histogram between the lowest and the highest value, for the entropy.
    pub histogram_bins: usize,
}

impl Default for DescriptorConfig {
    fn default() -> Self {
        Self {
            threshold_mv: -60.0,
            wrap: false,
            connectivity: Connectivity::Eight,
            min_box_size: 1,
            max_box_size: None,
            box_ratio: 2,
            histogram_bins: 64,
        }
    }
}

const fn count(
    field: &'static str,
    min: f64,
    default: f64,
    unit: &'static str,
    meaning: &'static str,
) -> Bound {
    whole(closed(field, (min, 65_536.0), default, unit, meaning))
}

/// The bounds of the numeric fields of a [`DescriptorConfig`].
pub const DESCRIPTOR_TABLE: [Bound; 5] = [
    closed("threshold_mv", (-1e6, 1e6), -60.0, "mV", "a cell above it is part of the pattern"),
    count("min_box_size", 1.0, 1.0, "cells", "smallest box of the dimensions"),
    Bound { default: None, ..count("max_box_size", 1.0, 1.0, "cells", "largest box of the dimensions") },
    count("box_ratio", 2.0, 2.0, "1", "ratio of a box to the next smaller one"),
    count("histogram_bins", 1.0, 64.0, "1", "bins between the lowest and the highest value"),
];

impl DescriptorConfig {
    /// Checks every field and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&DESCRIPTOR_TABLE, |field| {
            Some(match field {
                "threshold_mv" => self.threshold_mv,
                "min_box_size" => self.min_box_size as f64,
                "max_box_size" => self.max_box_size? as f64,
                "box_ratio" => self.box_ratio as f64,
                "histogram_bins" => self.histogram_bins as f64,
                _ => return None,
            })
        })
    }
}
