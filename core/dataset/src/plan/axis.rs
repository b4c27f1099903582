//! An axis: one field of the specification and the values it takes.

use mfn_sim::bounds::Bound;
use mfn_sim::dataset::ColumnKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::PlanFault;

/// How a range is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal differences.
    #[default]
    Linear,
    /// Equal ratios; the range must be above 0.
    Log,
}

/// One field and the values it takes: either a range or a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The field, such as `alpha`, `boundary_condition` or `kinetics.feed`.
    pub field: String,
    /// Lower end of a range.
    #[serde(default)]
    pub min: Option<f64>,
    /// Upper end of a range, included.
    #[serde(default)]
    pub max: Option<f64>,
    /// How the range is divided. Default `linear`.
    #[serde(default)]
    pub scale: Scale,
    /// Values that a grid takes of the range, both ends included.
    #[serde(default)]
    pub points: Option<u64>,
    /// The values of a list, of any type that the field has.
    #[serde(default)]
    pub values: Vec<Value>,
}

/// The most values of an axis, listed or of a grid.
const VALUES_MAX: u64 = 1_000_000;

/// Whole numbers up to here are exact as doubles.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

impl Axis {
    /// Adds what is wrong with the axis alone. `path` is its place in the plan.
    pub(super) fn check(&self, path: &str, is_grid: bool, faults: &mut Vec<PlanFault>) {
        let mut fault = |field: &str, message: String, fix: &str| {
            faults.push(PlanFault { path: format!("{path}.{field}"), message, fix: fix.to_owned() });
        };
        if self.field.is_empty() || self.field.split('.').any(str::is_empty) {
            let message = format!("{:?} is no field", self.field);
            fault("field", message, "name a field of the specification, such as alpha or kinetics.feed");
        }
        if matches!(self.field.as_str(), "preset" | "compat") {
            let message = format!("{} decides what the other fields mean", self.field);
            fault("field", message, "set it in base, and make a sweep for each");
        }
        if !self.values.is_empty() {
            if self.min.is_some() || self.max.is_some() || self.points.is_some() {
                fault("values", "both values and a range are given".to_owned(), "leave one of them out");
            }
            if self.values.len() as u64 > VALUES_MAX {
                let message = format!("{} values are too many", self.values.len());
                fault("values", message, "give at most 1000000");
            }
            return;
        }
        let (Some(min), Some(max)) = (self.min, self.max) else {
            let fix = "give min and max, or a list of values";
            return fault("values", "there is neither a range nor a list".to_owned(), fix);
        };
        if !(min.is_finite() && max.is_finite() && min <= max) {
            return fault("min", format!("[{min}, {max}] is no range"), "give finite numbers, min <= max");
        }
        if self.scale == Scale::Log && min <= 0.0 {
            fault("scale", format!("{min} has no logarithm"), "give min > 0 or the scale linear");
        }
        let is_whole = |x: f64| x.fract() == 0.0 && x.abs() <= WHOLE_MAX;
        if self.is_integer() && !(is_whole(min) && is_whole(max)) {
            let message = format!("[{min}, {max}] of a whole number");
            fault("min", message, "give whole numbers of at most 2^53");
        }
        match self.points {
            None if is_grid => {
                fault("points", "a grid has to know how many".to_owned(), "give points, 1 to 1000000");
            }
            Some(points) if !(1..=VALUES_MAX).contains(&points) => {
                fault("points", format!("{points} points"), "give 1 to 1000000");
            }
            Some(points) if self.is_integer() && points as f64 > max - min + 1.0 => {
                let message = format!("[{min}, {max}] has fewer than {points} whole numbers");
                fault("points", message, "give fewer points or a wider range");
            }
            _ => {}
        }
    }

    /// Whether the field holds whole numbers.
    fn is_integer(&self) -> bool {
        Bound::of(&self.field).is_some_and(|bound| bound.integer)
    }

    /// The type of the axis as a column.
    pub(crate) fn kind(&self) -> ColumnKind {
        let all = |is: fn(&Value) -> bool| !self.values.is_empty() && self.values.iter().all(is);
        if all(Value::is_boolean) {
            ColumnKind::Flag
        } else if all(Value::is_i64) || (self.values.is_empty() && self.is_integer()) {
            ColumnKind::Integer
        } else if all(Value::is_number) || self.values.is_empty() {
            ColumnKind::Number
        } else {
            ColumnKind::Text
        }
    }

    /// Values that a grid has on this axis.
    pub(super) fn grid_points(&self) -> u64 {
        if self.values.is_empty() { self.points.unwrap_or(1) } else { self.values.len() as u64 }
    }

    /// Value number `index` of a grid.
    pub(super) fn grid_value(&self, index: u64) -> Value {
        if !self.values.is_empty() {
            return self.listed(index);
        }
        let last = self.grid_points().saturating_sub(1);
        let place = if last == 0 { 0.0 } else { index as f64 / last as f64 };
        let value = self.at(place);
        self.number(if self.is_integer() { value.round() } else { value })
    }

    /// The value at a coordinate in [0, 1) of a design.
    pub(super) fn design_value(&self, place: f64) -> Value {
        if !self.values.is_empty() {
            return self.listed((place * self.values.len() as f64) as u64);
        }
        if !self.is_integer() {
            return self.number(self.at(place));
        }
        // Each whole number of the range has an equal share of the axis, or on a logarithmic one a share
        // in proportion to the logarithm of its step.
        let (min, max) = self.range();
        let value = match self.scale {
            Scale::Linear => min + place * (max - min + 1.0),
            Scale::Log => min * ((max + 1.0) / min).powf(place),
        };
        self.number(value.floor().clamp(min, max))
    }

    /// The ends of the axis, or all its listed values: what a plan is tried with.
    pub(super) fn extremes(&self) -> Vec<Value> {
        if self.values.is_empty() {
            vec![self.grid_value(0), self.number(self.range().1)]
        } else {
            self.values.clone()
        }
    }

    fn listed(&self, index: u64) -> Value {
        let index = (index as usize).min(self.values.len().saturating_sub(1));
        self.values.get(index).cloned().unwrap_or(Value::Null)
    }

    fn range(&self) -> (f64, f64) {
        (self.min.unwrap_or(0.0), self.max.unwrap_or(0.0))
    }

    /// The place of a range between its ends, which are met exactly.
    fn at(&self, place: f64) -> f64 {
        let (min, max) = self.range();
        if place >= 1.0 {
            return max;
        }
        let value = match self.scale {
            Scale::Linear => min + place * (max - min),
            Scale::Log => min * (max / min).powf(place),
        };
        value.clamp(min, max)
    }

    fn number(&self, value: f64) -> Value {
        if self.is_integer() { Value::from(value as i64) } else { Value::from(value) }
    }
}
