//! What the network of a field depends on beside the field.

use serde::{Deserialize, Serialize};

use crate::bounds::{Bound, closed, whole};
use crate::error::{SpecError, SpecFault};

/// Threshold, topology and pruning of a network. Absent fields take the defaults; unknown fields are refused.
/// The ranges are in [`NETWORK_TABLE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// A cell above it is part of the pattern, mV. For a field without unit that is not in volts give 1000
    /// times the threshold.
    pub threshold_mv: f64,
    /// Whether opposite edges of the grid touch, as in a periodic simulation. Axes shorter than
    /// [`WRAP_MIN_CELLS`](super::WRAP_MIN_CELLS) never wrap.
    pub wrap: bool,
    /// Branches with a free end that are shorter than this are taken off, cells.
    pub prune_length_cells: f64,
    /// Branches with a free end that are shorter than this many radii of the pattern at their inner end are taken
    /// off: they are bumps of the outline and not branches of the network.
    pub prune_radii: f64,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self { threshold_mv: -60.0, wrap: false, prune_length_cells: 0.0, prune_radii: 1.5 }
    }
}

/// The bounds of the numeric fields of a [`NetworkConfig`].
pub const NETWORK_TABLE: [Bound; 3] = [
    closed("threshold_mv", (-1e6, 1e6), -60.0, "mV", "a cell above it is part of the pattern"),
    closed("prune_length_cells", (0.0, 1e6), 0.0, "cells", "shorter branches with a free end are taken off"),
    closed(
        "prune_radii",
        (0.0, 1e3),
        1.5,
        "1",
        "branches with a free end shorter than so many radii are taken off",
    ),
];

impl NetworkConfig {
    /// Checks every field and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value that is NaN, infinite or out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&NETWORK_TABLE, |field| {
            Some(match field {
                "threshold_mv" => self.threshold_mv,
                "prune_length_cells" => self.prune_length_cells,
                "prune_radii" => self.prune_radii,
                _ => return None,
            })
        })
    }
}

/// How much work the robustness figures may cost. Absent fields take the defaults; unknown fields are refused.
/// The ranges are in [`ROBUSTNESS_TABLE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RobustnessConfig {
    /// Sources of shortest paths at most. A graph with more nodes is sampled: that many different sources are
    /// drawn, and the results scaled up (Brandes and Pich, 2007).
    pub sources_max: u64,
    /// Trials of random removal that are averaged.
    pub trials: u64,
    /// How often the order of an adaptive attack by betweenness is worked out anew, at most. With fewer than
    /// there are nodes, a batch of nodes goes at a time.
    pub recomputations_max: u64,
    /// Seed of the sources drawn and of the random removals.
    pub random_seed: u64,
}

impl Default for RobustnessConfig {
    fn default() -> Self {
        Self { sources_max: 1024, trials: 100, recomputations_max: 64, random_seed: 42 }
    }
}

/// The bounds of the numeric fields of a [`RobustnessConfig`]; a seed has none.
pub const ROBUSTNESS_TABLE: [Bound; 3] = [
    whole(closed("sources_max", (1.0, 1e9), 1024.0, "nodes", "sources of shortest paths at most")),
    whole(closed("trials", (1.0, 1e5), 100.0, "1", "trials of random removal")),
    whole(closed(
        "recomputations_max",
        (1.0, 1e9),
        64.0,
        "1",
        "new orders of an adaptive attack by betweenness at most",
    )),
];

impl RobustnessConfig {
    /// Checks every field and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&ROBUSTNESS_TABLE, |field| {
            Some(match field {
                "sources_max" => self.sources_max as f64,
                "trials" => self.trials as f64,
                "recomputations_max" => self.recomputations_max as f64,
                _ => return None,
            })
        })
    }
}
