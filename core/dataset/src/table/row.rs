//! The row of one run.

use mfn_sim::dataset::{ColumnKind, V4_1_COLUMNS};
use mfn_sim::descriptors::{self, DescriptorConfig, Descriptors};
use mfn_sim::ensemble::{RunFailure, RunRecord};
use mfn_sim::{Simulation, features};
use serde_json::Value;

use super::{Cell, TableColumn, cell_of};
use crate::plan::Sweep;
use crate::plan::field_of;

/// Index of the column that says how a run ended.
pub(crate) const STATUS_COLUMN: usize = V4_1_COLUMNS.len() + 2;

/// What is kept of a run of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepRecord {
    /// Specification, features and statistics.
    pub run: RunRecord,
    /// The descriptors of the final field; `None` unless the plan asks for them.
    pub descriptors: Option<Descriptors>,
}

impl SweepRecord {
    /// The record of a complete run, with the descriptors where there is a configuration for them. A field that
    /// they refuse, which no stable run has, is left without.
    pub(crate) fn of(simulation: &Simulation, config: Option<&DescriptorConfig>) -> Self {
        let run = RunRecord::of(simulation);
        let descriptors =
            config.and_then(|config| descriptors::compute(simulation.field().view(), config).ok());
        Self { run, descriptors }
    }
}

/// What a specification, as JSON, calls a column; most have its name.
fn source_of(column: &str) -> &str {
    match column {
        "kinetics" => "kinetics.name",
        other => other,
    }
}

/// A setting as it was used: the sides of the grid also where `grid_size` stands for them.
fn setting_of<'a>(settings: &'a Value, column: &str) -> Option<&'a Value> {
    let given = field_of(settings, source_of(column));
    match column {
        "rows" | "cols" => given.filter(|value| !value.is_null()).or_else(|| field_of(settings, "grid_size")),
        _ => given,
    }
}

/// The row of run `index`. A failed run has its settings, its status and its error, and no results.
pub(crate) fn row_of(sweep: &Sweep, index: u64, result: &Result<SweepRecord, RunFailure>) -> Vec<Cell> {
    let settings = settings_of(sweep, index, result);
    let (config, replicate) = sweep.position(index);
    sweep
        .columns()
        .iter()
        .map(|column| match column.name.as_str() {
            "sim_id" => integer(index),
            "scenario_name" => Cell::Text(sweep.plan().name.clone()),
            "config_index" => integer(config),
            "replicate" => integer(replicate),
            "status" => Cell::Text(result.as_ref().map_or_else(RunFailure::kind, |_| "ok").to_owned()),
            "error" => result.as_ref().err().map_or(Cell::Null, |failure| Cell::Text(failure.to_string())),
            "spec" => settings.as_ref().map_or(Cell::Null, |settings| cell_of(settings, ColumnKind::Text)),
            name => settings
                .as_ref()
                .and_then(|settings| setting_of(settings, name))
                .map(|value| cell_of(value, column.kind))
                .or_else(|| Some(result_of(column, result.as_ref().ok()?)))
                .unwrap_or(Cell::Null),
        })
        .collect()
}

/// A number of the results: a feature, a descriptor, a counter or a summary number.
fn result_of(column: &TableColumn, record: &SweepRecord) -> Cell {
    let SweepRecord { run: RunRecord { features, statistics, .. }, descriptors } = record;
    match column.name.as_str() {
        "growth_events" => integer(statistics.growth_events),
        "turing_activations" => integer(statistics.turing_activations),
        "clamping_events" => integer(statistics.clamping_events),
        "steps_computed" => integer(statistics.steps_computed),
        "activator_mean" => Cell::Number(statistics.activator_mean),
        "inhibitor_mean" => Cell::Number(statistics.inhibitor_mean),
        name => named(name, &features::NAMES, &features.to_array())
            .or_else(|| named(name, &descriptors::NAMES, &descriptors.as_ref()?.to_array()))
            .map_or(Cell::Null, Cell::Number),
    }
}

/// The number of this name.
fn named(name: &str, names: &[&str], numbers: &[f64]) -> Option<f64> {
    names.iter().zip(numbers).find(|(known, _)| **known == name).map(|(_, number)| *number)
}

/// The complete specification of a run as JSON; that of a refused run as far as it can be read.
fn settings_of(sweep: &Sweep, index: u64, result: &Result<SweepRecord, RunFailure>) -> Option<Value> {
    match result {
        Ok(record) => serde_json::to_value(&record.run.spec).ok(),
        Err(_) => sweep.spec(index).ok().and_then(|spec| serde_json::to_value(&spec).ok()),
    }
}

/// Counts and seeds of a sweep are below 2^63.
fn integer(value: u64) -> Cell {
    i64::try_from(value).map_or(Cell::Null, Cell::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::FURTHER;

    /// Guards the place of the status, by which a resumed sweep counts its failures.
    #[test]
    fn the_status_is_where_it_is_looked_for() {
        assert_eq!(FURTHER[STATUS_COLUMN - V4_1_COLUMNS.len()].0, "status");
    }
}
