//! A checked plan: the numbered list of its runs.

use mfn_sim::Spec;
use mfn_sim::dataset::{ConfigRanges, ConfigSampler, SampledConfig};
use mfn_sim::ensemble::design::{DesignError, LatinHypercube, SobolSequence, grid_indices};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::check::{PlanError, PlanFault};
use super::{Method, SweepPlan};
use crate::table::{TableColumn, columns_of};

/// A checked plan. It gives the specification of every run by its index; equal plans give equal runs.
#[derive(Debug, Clone)]
pub struct Sweep {
    plan: SweepPlan,
    /// The base with every field written out.
    base: Value,
    design: Design,
    runs: u64,
    columns: Vec<TableColumn>,
    hash: [u8; 32],
}

/// Where the configurations come from.
#[derive(Debug, Clone)]
enum Design {
    /// The number of values on each axis.
    Grid(Vec<u64>),
    Latin(LatinHypercube),
    Sobol(SobolSequence),
    Sampled(Vec<SampledConfig>),
}

impl Sweep {
    /// For a plan whose parts are checked.
    pub(super) fn new(plan: SweepPlan, base: Spec, runs: u64) -> Result<Self, PlanError> {
        let refused = |path: &str, message: String| PlanError {
            faults: vec![PlanFault { path: path.to_owned(), message, fix: "change the plan".to_owned() }],
        };
        let unwritable = |error: serde_json::Error| refused("base", error.to_string());
        let design = Design::of(&plan).map_err(|message| refused("method", message))?;
        let columns = columns_of(&plan);
        let base = serde_json::to_value(&base).map_err(unwritable)?;
        let hash = hash_of(&plan, &base, &columns).map_err(unwritable)?;
        Ok(Self { plan, base, design, runs, columns, hash })
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &SweepPlan {
        &self.plan
    }

    /// Number of runs, at least 1.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// All columns of the table. Which of them are written is a setting of the plan.
    #[must_use]
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// SHA-256 of everything that decides the rows: the plan, the specification behind it, the columns and
    /// the version of libmfn.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Configuration and replicate of a run.
    #[must_use]
    pub fn position(&self, index: u64) -> (u64, u64) {
        let replicates = self.plan.seeds_per_config.max(1);
        (index / replicates, index % replicates)
    }

    /// The specification of run `index`. It is not validated: where axes meet it may be refused.
    ///
    /// # Errors
    /// A text that says why there is none.
    pub fn spec(&self, index: u64) -> Result<Spec, String> {
        if index >= self.runs {
            return Err(format!("there are {} runs, not one with index {index}", self.runs));
        }
        serde_json::from_value(self.document(index)?).map_err(|error| error.to_string())
    }

    /// The specification of run `index` as JSON, every field written out.
    pub(super) fn document(&self, index: u64) -> Result<Value, String> {
        let mut document = self.base.clone();
        let (config, replicate) = self.position(index);
        let seed = self.plan.seed_rule.seed(self.plan.seed, index, replicate);
        set_field(&mut document, "random_seed", json!(seed))?;
        for (axis, value) in self.plan.axes.iter().zip(self.values(config)) {
            set_field(&mut document, &axis.field, value)?;
        }
        if let Design::Sampled(configs) = &self.design {
            let sampled = configs.get(config as usize).ok_or("the sampler has no such configuration")?;
            let sampled = serde_json::to_value(sampled).map_err(|error| error.to_string())?;
            for (field, value) in sampled.as_object().into_iter().flatten() {
                if field != "sim_id" {
                    set_field(&mut document, field, value.clone())?;
                }
            }
        }
        Ok(document)
    }

    /// The values of the axes in a configuration.
    fn values(&self, config: u64) -> Vec<Value> {
        let axes = self.plan.axes.iter();
        let designed =
            |point: Vec<f64>| axes.clone().zip(point).map(|(axis, place)| axis.design_value(place)).collect();
        match &self.design {
            Design::Grid(sides) => {
                axes.zip(grid_indices(config, sides)).map(|(axis, index)| axis.grid_value(index)).collect()
            }
            Design::Latin(design) => designed(design.point(config)),
            Design::Sobol(design) => designed(design.point(config)),
            Design::Sampled(_) => Vec::new(),
        }
    }
}

impl Design {
    fn of(plan: &SweepPlan) -> Result<Self, String> {
        let axes = plan.axes.len();
        let count = plan.count.unwrap_or(1);
        let text = |error: DesignError| error.to_string();
        Ok(match plan.method {
            Method::Grid => Self::Grid(plan.axes.iter().map(super::Axis::grid_points).collect()),
            Method::LatinHypercube => {
                let seed = plan.design_seed.unwrap_or(plan.seed);
                Self::Latin(LatinHypercube::new(axes, count, seed).map_err(text)?)
            }
            Method::Sobol => Self::Sobol(SobolSequence::new(axes, plan.design_seed).map_err(text)?),
            Method::ConfigSampler => {
                let seed = plan.design_seed.unwrap_or(plan.seed);
                let sampler = ConfigSampler::new(ConfigRanges::default(), seed);
                let sampler = sampler.map_err(|error| error.to_string())?;
                Self::Sampled(sampler.take(count as usize).collect())
            }
        })
    }
}

fn hash_of(plan: &SweepPlan, base: &Value, columns: &[TableColumn]) -> Result<[u8; 32], serde_json::Error> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let content = json!({
        "plan": serde_json::to_value(plan)?,
        "base": base,
        "columns": names,
        "version": env!("CARGO_PKG_VERSION"),
    });
    // serde_json keeps objects sorted, so equal content gives equal bytes.
    Ok(Sha256::digest(serde_json::to_vec(&content)?).into())
}

/// The value at a path of names with dots.
pub(crate) fn field_of<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(document, |value, name| match value {
        Value::Object(object) => object.get(name),
        // A kinetics without parameters is written as its name alone.
        Value::String(_) if name == "name" => Some(value),
        _ => None,
    })
}

/// Sets the value at a path of names with dots.
pub(super) fn set_field(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let mut place = document;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        if let Value::String(only) = place {
            let mut object = Map::new();
            object.insert("name".to_owned(), Value::String(std::mem::take(only)));
            *place = Value::Object(object);
        }
        let Value::Object(object) = place else {
            return Err(format!("{path} is no field of the specification"));
        };
        if names.peek().is_none() {
            object.insert(name.to_owned(), value);
            return Ok(());
        }
        place = object.get_mut(name).ok_or_else(|| format!("{path} is no field of the specification"))?;
    }
    Ok(())
}
