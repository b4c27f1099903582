//! The one table of bounds. Validation, error texts, documents and the other crates read it
//! here, so that no limit is written down twice.

use std::fmt;

/// What a value above the upper end of a range means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upper {
    /// An ordinary limit.
    Limit,
    /// The stability limit of the explicit scheme: with `dx = dt = 1` in two dimensions a
    /// diffusion number of 1/4 or more makes the highest grid mode grow
    /// (Courant, Friedrichs and Lewy, 1928).
    Stability,
}

/// One row of a table of bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Name of the field in the specification.
    pub field: &'static str,
    /// Lower end of the range.
    pub min: f64,
    /// Upper end of the range.
    pub max: f64,
    /// Whether `min` itself is allowed.
    pub min_inclusive: bool,
    /// Whether `max` itself is allowed.
    pub max_inclusive: bool,
    /// Unit of the value; `1` for a pure number.
    pub unit: &'static str,
    /// The value used when the field is absent; `None` when it is then worked out.
    pub default: Option<f64>,
    /// Whether only whole numbers are allowed.
    pub integer: bool,
    /// What lies beyond `max`.
    pub upper: Upper,
    /// What the value means.
    pub meaning: &'static str,
}

impl Bound {
    /// Whether `value` lies in the range. NaN never does.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        let above = if self.min_inclusive { value >= self.min } else { value > self.min };
        let below = if self.max_inclusive { value <= self.max } else { value < self.max };
        above && below
    }

    /// The same range without its lower end.
    pub(crate) const fn open_below(self) -> Self {
        Self { min_inclusive: false, ..self }
    }

    /// The row of [`TABLE`] for a field, or `None` for a field without bounds.
    #[must_use]
    pub fn of(field: &str) -> Option<&'static Bound> {
        TABLE.iter().find(|bound| bound.field == field)
    }
}

/// The range in mathematical notation, such as `[0.05, 0.25)`.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.min_inclusive { '[' } else { '(' };
        let close = if self.max_inclusive { ']' } else { ')' };
        write!(f, "{open}{}, {}{close}", self.min, self.max)
    }
}

pub(crate) const fn closed(
    field: &'static str,
    range: (f64, f64),
    default: f64,
    unit: &'static str,
    meaning: &'static str,
) -> Bound {
    Bound {
        field,
        min: range.0,
        max: range.1,
        min_inclusive: true,
        max_inclusive: true,
        unit,
        default: Some(default),
        integer: false,
        upper: Upper::Limit,
        meaning,
    }
}

pub(crate) const fn ranged(bound: Bound, min: f64, max: f64) -> Bound {
    Bound { min, max, ..bound }
}

pub(crate) const fn whole(bound: Bound) -> Bound {
    Bound { integer: true, ..bound }
}

/// Longest side of a field whose features are computed, cells.
pub const FIELD_SIDE_MAX_CELLS: usize = 16_384;

/// 2^64, the first whole number that does not fit a seed.
pub(crate) const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// Diffusion coefficients share unit and limit.
const fn diffusion(field: &'static str, min: f64, default: f64, meaning: &'static str) -> Bound {
    let unit = "cells^2/step";
    Bound {
        max_inclusive: false,
        upper: Upper::Stability,
        ..closed(field, (min, 0.25), default, unit, meaning)
    }
}

const D_ACTIVATOR: Bound = diffusion("d_activator", 0.01, 0.1, "diffusion coefficient of the activator");
const D_INHIBITOR: Bound = diffusion("d_inhibitor", 0.01, 0.05, "diffusion coefficient of the inhibitor");
const ALPHA: Bound = diffusion("alpha", 0.05, 0.18, "diffusion coefficient of the potential");
const R_ACTIVATOR: Bound =
    closed("r_activator", (0.001, 0.1), 0.01, "1/step", "reaction rate of the activator");
const R_INHIBITOR: Bound =
    closed("r_inhibitor", (0.001, 0.1), 0.02, "1/step", "reaction rate of the inhibitor");
const TURING_THRESHOLD: Bound =
    closed("turing_threshold", (0.5, 0.95), 0.75, "1", "activator level above which a cell is activated");
const SPIKE_PROBABILITY: Bound =
    closed("spike_probability", (0.0, 1.0), 0.25, "1/step", "probability of one growth event in a step");

/// The bounds of every numeric field of a [`Spec`](crate::Spec), in the order in which faults
/// are reported.
pub const TABLE: [Bound; 11] = [
    whole(closed("grid_size", (4.0, 1024.0), 64.0, "cells", "cells along each side of the square grid")),
    whole(closed("steps", (0.0, 1e9), 64.0, "steps", "steps of a complete run")),
    Bound {
        max_inclusive: false,
        ..whole(closed("random_seed", (0.0, TWO_POW_64), 42.0, "1", "seed of the random stream"))
    },
    D_ACTIVATOR,
    D_INHIBITOR,
    ALPHA,
    R_ACTIVATOR,
    R_INHIBITOR,
    TURING_THRESHOLD,
    SPIKE_PROBABILITY,
    closed("jitter_var", (0.0, 0.01), 0.0005, "V^2", "variance of the noise added to each cell in each step"),
];

/// The bounds of [`StepParameters`](crate::operators::StepParameters): wider than those of a
/// specification.
pub const STEP_TABLE: [Bound; 8] = [
    ranged(ALPHA, 0.0, 0.25),
    ranged(D_ACTIVATOR, 0.0, 0.25),
    ranged(D_INHIBITOR, 0.0, 0.25),
    ranged(R_ACTIVATOR, 0.0, 1e6),
    ranged(R_INHIBITOR, 0.0, 1e6),
    // Below 1, so that it makes no difference whether the activator is clamped before the test.
    Bound { max_inclusive: false, ..ranged(TURING_THRESHOLD, 0.0, 1.0) },
    SPIKE_PROBABILITY,
    Bound {
        default: None,
        ..closed("noise_deviation_v", (0.0, 1.0), 0.0, "V", "standard deviation of the noise of each cell")
    },
];

const MIN_BOX_SIZE: Bound =
    whole(closed("min_box_size", (1.0, 1e6), 2.0, "cells", "smallest box of the box counting"));
const MAX_BOX_SIZE: Bound = Bound {
    field: "max_box_size",
    default: None,
    meaning: "largest box of the box counting; absent: worked out from the grid",
    ..MIN_BOX_SIZE
};
const NUM_SCALES: Bound =
    whole(closed("num_scales", (2.0, 64.0), 5.0, "1", "number of box sizes before duplicates are dropped"));

/// The bounds of [`BoxScales`](crate::features::BoxScales).
pub const BOX_TABLE: [Bound; 3] = [MIN_BOX_SIZE, MAX_BOX_SIZE, ranged(NUM_SCALES, 1.0, 64.0)];

/// The bounds of the numeric fields of a [`FeatureConfig`](crate::FeatureConfig).
pub const FEATURE_TABLE: [Bound; 8] = [
    MIN_BOX_SIZE,
    MAX_BOX_SIZE,
    NUM_SCALES,
    closed("threshold_low_mv", (-1e6, 1e6), -60.0, "mV", "a cell above it is active"),
    closed("threshold_med_mv", (-1e6, 1e6), -50.0, "mV", "threshold of N_clusters_med"),
    closed("threshold_high_mv", (-1e6, 1e6), -40.0, "mV", "threshold of N_clusters_high"),
    closed("stability_threshold_mv", (0.0, 1e6), 0.001, "mV", "deviation of the change of a quiet step"),
    whole(closed(
        "stability_window",
        (1.0, 1e9),
        10.0,
        "steps",
        "consecutive quiet steps that count as stable",
    )),
];
