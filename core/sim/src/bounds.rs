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

    /// The row of [`TABLE`], the table of the default mode, for a field, or `None` for a field without bounds.
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
pub const FIELD_SIDE_MAX_CELLS: usize = 65_536;

/// 2^64, the first whole number that does not fit a seed.
pub(crate) const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// Most cells of a grid.
pub const CELLS_MAX: usize = 1 << 28;

/// A diffusion coefficient whose limit holds for a time step of 1.
const fn diffusion(field: &'static str, min: f64, default: f64, meaning: &'static str) -> Bound {
    stability(closed(field, (min, 0.25), default, "cells^2/step", meaning))
}

const fn stability(bound: Bound) -> Bound {
    Bound { max_inclusive: false, upper: Upper::Stability, ..bound }
}

const fn with_default(bound: Bound, default: f64) -> Bound {
    Bound { default: Some(default), ..bound }
}

const fn without_default(bound: Bound) -> Bound {
    Bound { default: None, ..bound }
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
const GRID_SIZE: Bound =
    whole(closed("grid_size", (4.0, 1024.0), 64.0, "cells", "cells along each side of the square grid"));
const STEPS: Bound = whole(closed("steps", (0.0, 1e9), 64.0, "steps", "steps of a complete run"));
const RANDOM_SEED: Bound = Bound {
    max_inclusive: false,
    ..whole(closed("random_seed", (0.0, TWO_POW_64), 42.0, "1", "seed of the random stream"))
};

/// The bounds of MyceliumFractalNet 4.1, which hold with `compat = "v4.1"`, in the order in
/// which faults are reported.
pub const V4_1_TABLE: [Bound; 11] = [
    GRID_SIZE,
    STEPS,
    RANDOM_SEED,
    D_ACTIVATOR,
    D_INHIBITOR,
    ALPHA,
    R_ACTIVATOR,
    R_INHIBITOR,
    TURING_THRESHOLD,
    SPIKE_PROBABILITY,
    closed("jitter_var", (0.0, 0.01), 0.0005, "V^2", "variance of the noise added to each cell in each step"),
];

/// Coefficients alone have a wide range: their limit is that of the product with the time step.
const fn coefficient(field: &'static str, default: f64, unit: &'static str, meaning: &'static str) -> Bound {
    closed(field, (0.0, 1e6), default, unit, meaning)
}

const fn side(field: &'static str, meaning: &'static str) -> Bound {
    whole(closed(field, (1.0, 65_536.0), 128.0, "cells", meaning))
}

const AREA_PER_TIME: &str = "cells^2/time";

/// The bounds of every numeric field of a [`Spec`](crate::Spec) in the default mode, in the
/// order in which faults are reported. The defaults are those of the preset `mycelium`.
pub const TABLE: [Bound; 17] = [
    side("grid_size", "cells along each side of a square grid"),
    without_default(side("rows", "rows of the grid; absent: grid_size")),
    without_default(side("cols", "columns of the grid; absent: grid_size")),
    with_default(STEPS, 1000.0),
    RANDOM_SEED,
    coefficient("d_activator", 0.07, AREA_PER_TIME, "diffusion coefficient of the activator"),
    coefficient("d_inhibitor", 0.2, AREA_PER_TIME, "diffusion coefficient of the inhibitor"),
    coefficient("alpha", 0.1, AREA_PER_TIME, "diffusion coefficient of the potential"),
    coefficient("r_activator", 1.0, "1/time", "factor of the rate of the activator"),
    coefficient("r_inhibitor", 1.0, "1/time", "factor of the rate of the inhibitor"),
    with_default(ranged(TURING_THRESHOLD, -1e6, 1e6), 0.35),
    closed("spike_probability", (0.0, 1e6), 0.25, "1/time", "growth events per unit of time"),
    closed(
        "jitter_var",
        (0.0, 0.01),
        1e-8,
        "V^2/time",
        "variance of the noise of each cell per unit of time",
    ),
    closed(
        "initial_noise",
        (0.0, 1.0),
        0.01,
        "1",
        "standard deviation of the initial noise of activator and inhibitor",
    ),
    closed("time_step", (0.0, 1000.0), 1.0, "time", "time that passes in a step").open_below(),
    coefficient("leak_rate", 0.2, "1/time", "rate at which the potential relaxes to rest"),
    whole(closed("record_every", (0.0, 1e9), 0.0, "steps", "steps between two recorded frames; 0: none")),
];

/// The bound of the number of cells.
pub const CELLS_BOUND: Bound =
    without_default(whole(closed("rows * cols", (1.0, CELLS_MAX as f64), 0.0, "cells", "cells of the grid")));

/// What limits a step: products of coefficients with the time step. Below 1/4 no grid mode
/// grows by diffusion; a leak takes from that room, since it damps every mode as well.
pub const NUMBER_TABLE: [Bound; 4] = [
    number("time_step * d_activator", "diffusion number of the activator"),
    number("time_step * d_inhibitor", "diffusion number of the inhibitor"),
    number("time_step * (alpha + leak_rate / 8)", "diffusion number of the potential with its leak"),
    without_default(closed(
        "time_step * spike_probability",
        (0.0, 1.0),
        0.0,
        "1",
        "probability of a growth event in a step",
    )),
];

/// The ranges of the cells of a map, in the order of
/// [`Coefficient::ALL`](crate::Coefficient::ALL). Those of the diffusion coefficients hold for
/// the product with the time step.
pub const MAP_TABLE: [Bound; 5] = [
    number("alpha", "diffusion number of the potential with its leak"),
    number("d_activator", "diffusion number of the activator"),
    number("d_inhibitor", "diffusion number of the inhibitor"),
    coefficient("r_activator", 1.0, "1/time", "factor of the rate of the activator"),
    coefficient("r_inhibitor", 1.0, "1/time", "factor of the rate of the inhibitor"),
];

const fn number(field: &'static str, meaning: &'static str) -> Bound {
    without_default(stability(closed(field, (0.0, 0.25), 0.0, "cells^2", meaning)))
}

/// The choices of a specification that can be refused beside another; they have no range.
static CHOICES: [Bound; 9] = [
    choice("rows"),
    choice("cols"),
    choice("time_step"),
    choice("leak_rate"),
    choice("precision"),
    choice("rng"),
    choice("kinetics"),
    choice("initial_condition"),
    choice("compat"),
];

const fn choice(field: &'static str) -> Bound {
    without_default(closed(field, (f64::NEG_INFINITY, f64::INFINITY), 0.0, "1", "a choice"))
}

/// The row of a choice; that of `compat` for an unknown name.
pub(crate) fn choice_bound(field: &str) -> &'static Bound {
    CHOICES.iter().find(|bound| bound.field == field).unwrap_or(&CHOICES[CHOICES.len() - 1])
}
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
    meaning: "largest box of the box counting; absent: worked out from the field",
    ..MIN_BOX_SIZE
};
const NUM_SCALES: Bound = whole(closed("num_scales", (2.0, 64.0), 5.0, "1", "number of box sizes"));

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
    closed("stability_threshold_mv", (0.0, 1e6), 0.001, "mV", "size of the change of a quiet step"),
    whole(closed(
        "stability_window",
        (1.0, 1e9),
        10.0,
        "steps",
        "consecutive quiet steps that count as stable",
    )),
];
