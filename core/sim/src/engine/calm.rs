//! Blocks in which nothing can happen that the row kernel would have to watch for.
//!
//! Diffusion takes no cell beyond its neighbours, a growth event adds volts that are known before, and some kinetics move
//! the activator by no more than a known amount in a step. So the range of the values before a block often proves that no
//! potential reaches its clamp in it, no activator the threshold and no inhibitor its highest value; and mostly also that
//! neither of these falls below 0. Where only growth events can take a potential to its clamp, the batches of rows
//! beside them are watched and no others. Measured: a step is some 8 % faster where no cell is watched for the former, and another 5 % where
//! nothing is raised to 0.

use super::block::{Block, Noise};
use super::constants::{FIELD_MAX_V, FIELD_MIN_V};
use super::kernel::Numbers;
use crate::kinetics::RangeOfF;
use crate::real::Real;
use crate::simd::Vector;
use crate::spec::BoundaryCondition;

/// What values stay away from a limit at least: far more than the rounding of all steps of a block in single precision,
/// where a step moves a sum of a few numbers of at most 1 by some 10^-7.
const DISTANCE_MIN: f64 = 1e-4;
/// Numbers of the widest register.
const LANES_MAX: usize = 16;

/// The least and the greatest value of a field, in a register each until they are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<T> {
    lowest: [T; LANES_MAX],
    highest: [T; LANES_MAX],
}

impl<T: Real> Default for Seen<T> {
    fn default() -> Self {
        let [lowest, highest] = [f64::INFINITY, f64::NEG_INFINITY].map(|value| [T::of(value); LANES_MAX]);
        Self { lowest, highest }
    }
}

impl<T: Real> Seen<T> {
    /// The registers that see more values: the least and the greatest of each lane.
    #[inline(always)]
    pub(crate) fn registers<V: Vector<T>>(&mut self) -> [&mut V::Chunk; 2] {
        [&mut self.lowest, &mut self.highest].map(|values| &mut V::chunks_mut(values)[0])
    }

    /// Sees some values.
    pub(crate) fn all(&mut self, values: &[T]) {
        for &value in values {
            let (lowest, highest) = (&mut self.lowest[0], &mut self.highest[0]);
            *lowest = if value < *lowest { value } else { *lowest };
            *highest = if value > *highest { value } else { *highest };
        }
    }

    fn range(&self) -> FieldRange {
        let lowest = self.lowest.iter().fold(f64::INFINITY, |least, value| least.min(value.wide()));
        let highest = self.highest.iter().fold(f64::NEG_INFINITY, |most, value| most.max(value.wide()));
        FieldRange { lowest, highest }
    }
}

/// Between which values all cells of a field are, but those that are NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FieldRange {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
}

impl FieldRange {
    /// The same value everywhere.
    pub(super) fn at(value: f64) -> Self {
        Self { lowest: value, highest: value }
    }

    fn with(self, other: Self) -> Self {
        Self { lowest: self.lowest.min(other.lowest), highest: self.highest.max(other.highest) }
    }
}

/// Those of potential, activator and inhibitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ranges(pub(crate) [FieldRange; 3]);

impl Default for Ranges {
    /// Of no cell.
    fn default() -> Self {
        Self([FieldRange { lowest: f64::INFINITY, highest: f64::NEG_INFINITY }; 3])
    }
}

impl Ranges {
    pub(super) fn of<T: Real>(seen: &[Seen<T>; 3]) -> Self {
        Self(seen.each_ref().map(Seen::range))
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(std::array::from_fn(|field| self.0[field].with(other.0[field])))
    }
}

/// What is known of the cells before a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior {
    /// See [`Fields::are_tame`](super::grid::Fields::are_tame).
    pub(super) tame: bool,
    /// `None` where nobody has looked.
    pub(super) ranges: Option<Ranges>,
    pub(super) shape: (usize, usize),
    pub(super) boundary: BoundaryCondition,
}

/// What the cells of a row have to be watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Everything.
    All,
    /// An activator or inhibitor that falls below 0.
    Low,
    /// Nothing: no value reaches a limit.
    Nothing,
}

/// What the rows of a block have to be watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watched {
    /// Those in and beside which no growth event took place just before the step.
    pub(crate) elsewhere: Watch,
    /// The others.
    pub(crate) beside_event: Watch,
}

impl Watched {
    /// For everything.
    pub(crate) const ALL: Self = Self { elsewhere: Watch::All, beside_event: Watch::All };
}

/// Less than a quarter by far more than what rounding adds to a Laplacian in single precision.
pub(super) const MEAN_ALPHA_MAX: f64 = 0.25 * (1.0 - 1.0 / 65_536.0);

impl Prior {
    /// What can happen in the steps of a block: whether a potential or an inhibitor reaches a limit of its range from within
    /// or an activator the threshold, 0 or 1, where the range of f (see
    /// [`Reaction::RANGE_OF_F`](crate::kinetics::Reaction::RANGE_OF_F)) and the factors of f and g are given.
    ///
    /// A potential within its limits, at them too, is left so by diffusion also as it is rounded: what four cells add up to
    /// is at most four times the limit, which is such a sum itself, and rounding keeps the order of numbers. So where it may
    /// leave them it does so in the step after a growth event, in the cells beside it, and is back after the clamp.
    pub(super) fn watch<T: Real>(
        &self,
        block: &Block<'_, T>,
        range_of_f: RangeOfF,
        [r_activator, r_inhibitor]: [f64; 2],
    ) -> Watched {
        let Some(Ranges(all)) = self.ranges else { return Watched::ALL };
        let [_, activator, inhibitor] = all;
        let Numbers { alpha, d_activator, d_inhibitor, threshold, time_step, leak_rate, .. } = block.numbers;
        let is_alone =
            time_step == T::ONE && leak_rate == T::ZERO && matches!(block.noise, Noise::Absent) && self.tame;
        // A cell becomes a mean of itself, its neighbours and, if it is of an inhibitor, its activator.
        let is_mean = |coefficient: T, factor: f64| {
            let share = 4.0 * coefficient.wide() + factor;
            coefficient >= T::ZERO && factor >= 0.0 && share <= 1.0
        };
        let are_means = is_mean(alpha, 0.0) && is_mean(d_activator, 0.0) && is_mean(d_inhibitor, r_inhibitor);
        if !is_alone || !are_means {
            return Watched::ALL;
        }
        let [fallen, risen] = [-1.0, 1.0].map(|sign| {
            let volts = block.spikes.iter().flatten().map(|spike| (sign * spike.volts).max(0.0));
            self.share_left(alpha.wide()) * volts.sum::<f64>()
        });
        // Zeros lie around a Dirichlet grid.
        let [potential, mut a, mut i] = match self.boundary {
            BoundaryCondition::Dirichlet => all.map(|range| range.with(FieldRange::at(0.0))),
            _ => all,
        };
        // Those of each step, from those of the one before.
        let mut stays_above_0 = true;
        for _ in block.spikes {
            let [fall, rise] = range_of_f([a.lowest, a.highest], [i.lowest, i.highest]);
            i = i.with(a);
            a = a.with(FieldRange {
                lowest: a.lowest + r_activator * fall,
                highest: a.highest + r_activator * rise,
            });
            stays_above_0 &= a.lowest.min(i.lowest) > DISTANCE_MIN;
        }
        let is_far = potential.lowest - fallen > FIELD_MIN_V + DISTANCE_MIN
            && potential.highest + risen < FIELD_MAX_V - DISTANCE_MIN;
        // In the type of the fields.
        let [least, most] = [FIELD_MIN_V, FIELD_MAX_V].map(|limit| T::of(limit).wide());
        let is_left_within =
            least <= potential.lowest && potential.highest <= most && alpha.wide() <= MEAN_ALPHA_MAX;
        let is_calm = activator.lowest >= 0.0
            && inhibitor.lowest >= 0.0
            && r_activator >= 0.0
            && a.highest < threshold.wide().min(1.0) - DISTANCE_MIN
            && i.highest < 1.0 - DISTANCE_MIN;
        let calm = match (is_calm, stays_above_0) {
            (false, _) => Watch::All,
            (true, false) => Watch::Low,
            (true, true) => Watch::Nothing,
        };
        Watched {
            elsewhere: if is_far || is_left_within { calm } else { Watch::All },
            beside_event: if is_far { calm } else { Watch::All },
        }
    }

    /// What is left in any cell of the volts of a growth event after one step, and so after more of them: a later one
    /// takes means of that.
    fn share_left(&self, alpha: f64) -> f64 {
        let (rows, columns) = self.shape;
        if rows.min(columns) < 3 {
            // A cell is its own neighbour, or twice the same one's.
            return 1.0;
        }
        // A corner of a Neumann grid is its own neighbour twice.
        let own = if self.boundary == BoundaryCondition::Neumann { 2.0 } else { 4.0 };
        (1.0 - own * alpha).max(alpha)
    }
}
