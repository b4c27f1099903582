//! The row of one run.

use mfn_sim::dataset::{ColumnKind, V4_1_COLUMNS};
use mfn_sim::ensemble::{RunFailure, RunRecord};
use serde_json::Value;

use super::{Cell, TableColumn, cell_of};
use crate::plan::Sweep;
use crate::plan::field_of;

/// Index of the column that says how a run ended.
pub(crate) const STATUS_COLUMN: usize = V4_1_COLUMNS.len() + 2;

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
pub(crate) fn row_of(sweep: &Sweep, index: u64, result: &Result<RunRecord, RunFailure>) -> Vec<Cell> {
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

/// A number of the results: a feature, a counter or a summary number.
fn result_of(column: &TableColumn, record: &RunRecord) -> Cell {
    let RunRecord { features, statistics, .. } = record;
    match column.name.as_str() {
        "growth_events" => integer(statistics.growth_events),
        "turing_activations" => integer(statistics.turing_activations),
        "clamping_events" => integer(statistics.clamping_events),
        "steps_computed" => integer(statistics.steps_computed),
        "activator_mean" => Cell::Number(statistics.activator_mean),
        "inhibitor_mean" => Cell::Number(statistics.inhibitor_mean),
        name => {
            let position = mfn_sim::features::NAMES.iter().position(|known| *known == name);
            position
                .and_then(|position| features.to_array().get(position).copied())
                .map_or(Cell::Null, Cell::Number)
        }
    }
}

/// The complete specification of a run as JSON; that of a refused run as far as it can be read.
fn settings_of(sweep: &Sweep, index: u64, result: &Result<RunRecord, RunFailure>) -> Option<Value> {
    match result {
        Ok(record) => serde_json::to_value(&record.spec).ok(),
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
