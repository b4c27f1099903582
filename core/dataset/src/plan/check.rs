//! Checking a plan: everything that is wrong with it, at once.

use std::fmt;

use mfn_sim::Spec;
use mfn_sim::ensemble::SEED_MAX;
use mfn_sim::ensemble::design::LATIN_POINTS_MAX;
use serde_json::Value;

use super::sweep::{Sweep, set_field};
use super::{AXES_MAX, ColumnSet, Method, RUNS_MAX, SweepPlan};

/// The most faults that a check lists.
const FAULTS_MAX: usize = 64;

/// Longest name, bytes.
const NAME_BYTES_MAX: usize = 256;

/// The most configurations of the sampler, whose draws are kept in memory.
const SAMPLED_MAX: u64 = 1 << 20;

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    /// Where, such as `axes[1].min`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.path, self.message, self.fix)
    }
}

/// Everything that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PlanError {
    /// The faults; never empty, at most 64.
    pub faults: Vec<PlanFault>,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        write!(f, "the plan is refused: {}", texts.join("; "))
    }
}

/// Faults as they are found.
#[derive(Default)]
struct Faults(Vec<PlanFault>);

impl Faults {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) {
        self.0.push(PlanFault { path: path.into(), message: message.into(), fix: fix.into() });
    }

    fn end(mut self) -> Result<(), PlanError> {
        self.0.truncate(FAULTS_MAX);
        if self.0.is_empty() { Ok(()) } else { Err(PlanError { faults: self.0 }) }
    }
}

impl SweepPlan {
    /// Checks the plan and makes it a sweep.
    ///
    /// Each axis is tried with its ends, or all its values, beside the first values of the others. What
    /// only goes wrong where several axes meet becomes the failure of those runs.
    ///
    /// # Errors
    /// [`PlanError`] with every fault.
    pub fn check(self) -> Result<Sweep, PlanError> {
        let mut faults = Faults::default();
        self.check_numbers(&mut faults);
        self.check_axes(&mut faults);
        self.check_descriptors(&mut faults);
        let configs = self.check_count(&mut faults);
        let base = self.check_base(&mut faults);
        faults.end()?;
        let base = base.unwrap_or_default();
        let runs = configs.saturating_mul(self.seeds_per_config).min(self.runs.unwrap_or(u64::MAX));
        let sweep = Sweep::new(self, base, runs)?;
        sweep.try_axes()?;
        Ok(sweep)
    }

    fn check_numbers(&self, faults: &mut Faults) {
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX {
            let message = format!("the name has {} bytes", self.name.len());
            faults.add("name", message, "give 1 to 256 bytes");
        }
        if self.seed > SEED_MAX {
            faults.add("seed", format!("{} is too large", self.seed), format!("give 0 to {SEED_MAX}"));
        }
        if self.seeds_per_config == 0 || self.seeds_per_config > RUNS_MAX {
            let message = format!("{} runs of each configuration", self.seeds_per_config);
            faults.add("seeds_per_config", message, format!("give 1 to {RUNS_MAX}"));
        }
        if self.runs == Some(0) {
            faults.add("runs", "no runs", "give 1 or more, or leave it out");
        }
    }

    fn check_axes(&self, faults: &mut Faults) {
        if self.axes.len() > AXES_MAX {
            let message = format!("{} axes are too many", self.axes.len());
            faults.add("axes", message, format!("give at most {AXES_MAX}"));
        }
        if self.method == Method::ConfigSampler && !self.axes.is_empty() {
            faults.add("axes", "the method config-sampler has its own", "leave the axes out");
        }
        if self.method == Method::ConfigSampler && self.seeds_per_config != 1 {
            let message = "the method config-sampler gives each configuration one seed";
            faults.add("seeds_per_config", message, "give 1");
        }
        for (index, axis) in self.axes.iter().enumerate() {
            axis.check(&format!("axes[{index}]"), self.method == Method::Grid, &mut faults.0);
            let covers = |outer: &str, inner: &str| {
                inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let clash = self
                .axes
                .iter()
                .take(index)
                .find(|other| covers(&other.field, &axis.field) || covers(&axis.field, &other.field));
            if let Some(other) = clash {
                let message = format!("{} and {} set the same field", other.field, axis.field);
                faults.add(format!("axes[{index}].field"), message, "keep one of them");
            }
        }
    }

    fn check_descriptors(&self, faults: &mut Faults) {
        let Some(config) = &self.descriptors else { return };
        for fault in config.validate().err().iter().flat_map(|error| error.faults()) {
            faults.add(format!("descriptors.{}", fault.field()), fault.to_string(), fault.advice());
        }
        if self.columns == ColumnSet::V4_1 {
            let message = "the columns of v4.1 have none";
            faults.add("descriptors", message, "leave it out, or set columns = \"all\"");
        }
    }

    /// The number of configurations, once it is in order.
    fn check_count(&self, faults: &mut Faults) -> u64 {
        let product = || {
            self.axes.iter().fold(1_u64, |product, axis| product.saturating_mul(axis.grid_points().max(1)))
        };
        let count = match (self.method, self.count) {
            (Method::Grid, None) => product(),
            (_, Some(count)) => count,
            (_, None) => {
                faults.add("count", "this method has to know how many", "give the number of configurations");
                return 0;
            }
        };
        let most = match self.method {
            Method::LatinHypercube => LATIN_POINTS_MAX as u64,
            Method::ConfigSampler => SAMPLED_MAX,
            Method::Grid | Method::Sobol => RUNS_MAX,
        };
        if count == 0 || count > most {
            faults.add("count", format!("{count} configurations"), format!("give 1 to {most}"));
        }
        let is_designed = matches!(self.method, Method::LatinHypercube | Method::Sobol);
        if is_designed && self.axes.is_empty() {
            faults.add("axes", "this method needs something that varies", "give at least one axis");
        }
        let runs = count.saturating_mul(self.seeds_per_config).min(self.runs.unwrap_or(u64::MAX));
        if runs > RUNS_MAX {
            faults.add("count", format!("{runs} runs are too many"), format!("plan at most {RUNS_MAX} runs"));
        }
        count
    }

    /// The specification that all runs begin with.
    fn check_base(&self, faults: &mut Faults) -> Option<Spec> {
        if self.base.contains_key("random_seed") {
            faults.add("base.random_seed", "runs get their seeds from the plan", "set seed instead");
        }
        match serde_json::from_value::<Spec>(Value::Object(self.base.clone())) {
            Ok(spec) => Some(spec),
            Err(error) => {
                faults.add("base", error.to_string(), "give fields of a specification");
                None
            }
        }
    }
}

impl Sweep {
    /// Tries each axis beside the first values of the others.
    fn try_axes(&self) -> Result<(), PlanError> {
        let mut faults = Faults::default();
        let first = match self.document(0) {
            Ok(first) => first,
            Err(message) => {
                faults.add("axes", message, "name fields that the specification has");
                return faults.end();
            }
        };
        try_spec("base", &first, &mut faults);
        // What the base has wrong would come again with every axis.
        if faults.0.is_empty() {
            for (index, axis) in self.plan().axes.iter().enumerate() {
                for value in axis.extremes() {
                    let path = format!("axes[{index}] ({} = {value})", axis.field);
                    let mut tried = first.clone();
                    match set_field(&mut tried, &axis.field, value) {
                        Ok(()) => try_spec(&path, &tried, &mut faults),
                        Err(message) => {
                            faults.add(path, message, "name a field that the specification has");
                        }
                    }
                    if faults.0.len() >= FAULTS_MAX {
                        return faults.end();
                    }
                }
            }
        }
        faults.end()
    }
}

fn try_spec(path: &str, document: &Value, faults: &mut Faults) {
    let spec = match serde_json::from_value::<Spec>(document.clone()) {
        Ok(spec) => spec,
        Err(error) => return faults.add(path, error.to_string(), "give a value that the field can have"),
    };
    if spec.random_seed > SEED_MAX {
        faults.add(path, format!("random_seed = {}", spec.random_seed), format!("give 0 to {SEED_MAX}"));
    }
    if let Err(error) = spec.validate() {
        for fault in error.faults() {
            faults.add(path, fault.to_string(), fault.advice());
        }
    }
}
