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
    /// The value used when the field is absent.
    pub default: f64,
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

const fn closed(
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
        default,
        integer: false,
        upper: Upper::Limit,
        meaning,
    }
}

const fn whole(bound: Bound) -> Bound {
    Bound { integer: true, ..bound }
}

const fn below_stability_limit(bound: Bound) -> Bound {
    Bound { max_inclusive: false, upper: Upper::Stability, ..bound }
}

/// 2^64, the first whole number that does not fit a seed.
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// The bounds of every numeric field of a [`Spec`](crate::Spec), in the order in which faults
/// are reported.
pub const TABLE: [Bound; 11] = [
    whole(closed("grid_size", (4.0, 1024.0), 64.0, "cells", "cells along each side of the square grid")),
    whole(closed("steps", (0.0, 1e9), 64.0, "steps", "steps of a complete run")),
    Bound {
        max_inclusive: false,
        ..whole(closed("random_seed", (0.0, TWO_POW_64), 42.0, "1", "seed of the random stream"))
    },
    below_stability_limit(closed(
        "d_activator",
        (0.01, 0.25),
        0.1,
        "cells^2/step",
        "diffusion coefficient of the activator",
    )),
    below_stability_limit(closed(
        "d_inhibitor",
        (0.01, 0.25),
        0.05,
        "cells^2/step",
        "diffusion coefficient of the inhibitor",
    )),
    below_stability_limit(closed(
        "alpha",
        (0.05, 0.25),
        0.18,
        "cells^2/step",
        "diffusion coefficient of the potential",
    )),
    closed("r_activator", (0.001, 0.1), 0.01, "1/step", "reaction rate of the activator"),
    closed("r_inhibitor", (0.001, 0.1), 0.02, "1/step", "reaction rate of the inhibitor"),
    closed("turing_threshold", (0.5, 0.95), 0.75, "1", "activator level above which a cell is activated"),
    closed("spike_probability", (0.0, 1.0), 0.25, "1/step", "probability of one growth event in a step"),
    closed("jitter_var", (0.0, 0.01), 0.0005, "V^2", "variance of the noise added to each cell in each step"),
];

/// The bounds of the numeric fields of a [`FeatureConfig`](crate::FeatureConfig).
pub const FEATURE_TABLE: [Bound; 8] = [
    whole(closed("min_box_size", (1.0, 1e6), 2.0, "cells", "smallest box of the box counting")),
    whole(closed(
        "max_box_size",
        (1.0, 1e6),
        0.0,
        "cells",
        "largest box of the box counting; absent: derived from the grid",
    )),
    whole(closed("num_scales", (2.0, 64.0), 5.0, "1", "number of box sizes before duplicates are dropped")),
    closed("threshold_low_mv", (-1e6, 1e6), -60.0, "mV", "a cell above it is active"),
    closed("threshold_med_mv", (-1e6, 1e6), -50.0, "mV", "threshold of N_clusters_med"),
    closed("threshold_high_mv", (-1e6, 1e6), -40.0, "mV", "threshold of N_clusters_high"),
    closed(
        "stability_threshold_mv",
        (0.0, 1e6),
        0.001,
        "mV",
        "spatial deviation of the change below which a step is quiet",
    ),
    whole(closed(
        "stability_window",
        (1.0, 1e9),
        10.0,
        "steps",
        "number of consecutive quiet steps that count as stable",
    )),
];

/// The bounds of [`StepParameters`](crate::operators::StepParameters): wider than those of a
/// specification, as in MFN 4.1.
pub const STEP_TABLE: [Bound; 8] = [
    below_stability_limit(closed(
        "alpha",
        (0.0, 0.25),
        0.18,
        "cells^2/step",
        "diffusion coefficient of the potential",
    )),
    below_stability_limit(closed(
        "d_activator",
        (0.0, 0.25),
        0.1,
        "cells^2/step",
        "diffusion coefficient of the activator",
    )),
    below_stability_limit(closed(
        "d_inhibitor",
        (0.0, 0.25),
        0.05,
        "cells^2/step",
        "diffusion coefficient of the inhibitor",
    )),
    closed("r_activator", (0.0, 1e6), 0.01, "1/step", "reaction rate of the activator"),
    closed("r_inhibitor", (0.0, 1e6), 0.02, "1/step", "reaction rate of the inhibitor"),
    closed("turing_threshold", (0.0, 1.0), 0.75, "1", "activator level above which a cell is activated"),
    closed("spike_probability", (0.0, 1.0), 0.25, "1/step", "probability of one growth event in a step"),
    closed("noise_deviation_v", (0.0, 1.0), 0.0, "V", "standard deviation of the noise added to each cell"),
];
