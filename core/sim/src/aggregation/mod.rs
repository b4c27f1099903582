//! Robust aggregation of gradients: what many clients send becomes one gradient, although some of
//! them lie.
//!
//! [`krum`], [`multi_krum`], [`trimmed_mean`], [`coordinate_median`] and [`geometric_median`] each
//! survive up to f arbitrary clients when there are enough others; [`hierarchical_krum`] does so for
//! more clients than one table of distances holds. NaN and infinity are refused by the index of the
//! client. [`v4_1`] has MFN 4.1's functions with their faults.
//!
//! ```
//! use mfn_sim::aggregation::krum;
//! use ndarray::arr2;
//!
//! let gradients = arr2(&[[1.0, 2.0], [1.1, 2.0], [0.9, 2.1], [1.0, 1.9], [-50.0, 80.0]]);
//! let aggregate = krum(gradients.view(), 1)?;
//! assert_eq!(aggregate.selected, [0]);
//! assert_eq!(aggregate.value, [1.0, 2.0]);
//! # Ok::<(), mfn_sim::aggregation::AggregationError>(())
//! ```

mod coordinate;
mod distances;
mod error;
mod geometric_median;
mod gradients;
mod hierarchical;
mod krum;
mod pairs;
pub mod v4_1;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use coordinate::{coordinate_median, trimmed_mean};
pub use error::AggregationError;
pub use geometric_median::{Convergence, GeometricMedian, geometric_median};
pub use gradients::MAGNITUDE_MAX;
pub use hierarchical::{HierarchicalAggregation, HierarchicalKrum, hierarchical_krum};
pub use krum::{KRUM_CLIENTS_MAX, krum, multi_krum};

use crate::bounds::{Bound, closed, whole};

/// The bounds of the numeric settings of [`GeometricMedian`] and [`HierarchicalKrum`].
pub const SETTINGS_TABLE: [Bound; 7] = [
    closed("smoothing", (1e-12, 0.1), 1e-6, "1", "radius of smoothing as a part of the median distance"),
    closed(
        "tolerance",
        (1e-14, 1.0),
        1e-8,
        "1",
        "relative bound on the sum of distances that ends the iteration",
    ),
    whole(closed("iterations_max", (1.0, 1e5), 1000.0, "1", "most iterations")),
    whole(closed("num_clusters", (1.0, 65_536.0), 100.0, "1", "most clusters")),
    Bound {
        max_inclusive: false,
        ..closed("byzantine_fraction", (0.0, 0.5), 0.2, "1", "fraction of attackers among the clients")
    },
    Bound {
        min_inclusive: false,
        ..closed("sample_fraction", (0.0, 1.0), 0.1, "1", "fraction of the clients that is drawn")
    },
    closed("krum_weight", (0.0, 1.0), 0.7, "1", "weight of Krum beside the median of the winners"),
];

/// How gradients become one. In JSON an object with `name`, such as `{"name": "krum"}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// [`krum`].
    Krum,
    /// [`multi_krum`].
    MultiKrum {
        /// How many gradients are averaged; absent: n - f - 2.
        #[serde(default)]
        selected: Option<usize>,
    },
    /// [`trimmed_mean`].
    TrimmedMean,
    /// [`coordinate_median`].
    Median,
    /// [`geometric_median`].
    GeometricMedian(#[serde(default)] GeometricMedian),
}

/// One gradient made of many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aggregation {
    /// The aggregate, one number per coordinate, in the units of the gradients.
    pub value: Vec<f64>,
    /// The clients whose mean it is, ascending; empty for methods that select none.
    pub selected: Vec<usize>,
    /// The Krum score of every client, in squared units; empty for methods without scores. See [`krum`] for how exact.
    pub scores: Vec<f64>,
    /// How the iteration ended; only for the geometric median.
    pub convergence: Option<Convergence>,
}

impl Aggregation {
    pub(crate) fn plain(value: Vec<f64>) -> Self {
        Self { value, selected: Vec::new(), scores: Vec::new(), convergence: None }
    }
}

/// Aggregates gradients (one row per client) so that `byzantine` attackers are survived. The work is done in the
/// rayon pool that the caller runs in, else on the calling thread; the same bits for any number of threads.
///
/// # Errors
/// Those of the function that `method` names.
pub fn aggregate(
    gradients: ArrayView2<'_, f64>,
    method: &Method,
    byzantine: usize,
) -> Result<Aggregation, AggregationError> {
    match method {
        Method::Krum => krum(gradients, byzantine),
        Method::MultiKrum { selected } => multi_krum(gradients, byzantine, *selected),
        Method::TrimmedMean => trimmed_mean(gradients, byzantine),
        Method::Median => coordinate_median(gradients, byzantine),
        Method::GeometricMedian(settings) => geometric_median(gradients, byzantine, settings),
    }
}
