//! The table: which columns a dataset has, and the row that a run gives.
//!
//! The 28 columns of MFN 4.1 come first, in its order. Then comes what it left out: how the run ended, every
//! setting, the specification as a whole, the descriptors where the plan asks for them, and one column for each axis
//! that is not among them already.

mod row;

use mfn_sim::dataset::{ColumnKind, V4_1_COLUMNS};
use mfn_sim::descriptors;
use serde_json::Value;

pub use row::SweepRecord;
pub(crate) use row::{STATUS_COLUMN, row_of};

use crate::plan::{ColumnSet, SweepPlan};

/// Name and type of a column of a dataset. Every column may be empty in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// The name.
    pub name: String,
    /// The type.
    pub kind: ColumnKind,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A value of [`ColumnKind::Integer`].
    Integer(i64),
    /// A value of [`ColumnKind::Number`].
    Number(f64),
    /// A value of [`ColumnKind::Flag`].
    Flag(bool),
    /// A value of [`ColumnKind::Text`].
    Text(String),
}

/// The columns after those of MFN 4.1 that every sweep has, in the order in which `row_of` fills them.
const FURTHER: [(&str, ColumnKind); 27] = {
    use ColumnKind::{Flag, Integer, Number, Text};
    [
        ("config_index", Integer),
        ("replicate", Integer),
        ("status", Text),
        ("error", Text),
        ("rows", Integer),
        ("cols", Integer),
        ("precision", Text),
        ("rng", Text),
        ("kinetics", Text),
        ("initial_condition", Text),
        ("boundary_condition", Text),
        ("compat", Text),
        ("quantum_jitter", Flag),
        ("spike_probability", Number),
        ("turing_threshold", Number),
        ("jitter_var", Number),
        ("d_activator", Number),
        ("d_inhibitor", Number),
        ("r_activator", Number),
        ("r_inhibitor", Number),
        ("time_step", Number),
        ("leak_rate", Number),
        ("initial_noise", Number),
        ("steps_computed", Integer),
        ("activator_mean", Number),
        ("inhibitor_mean", Number),
        ("spec", Text),
    ]
};

/// All columns of a sweep, whichever of them are written.
pub(crate) fn columns_of(plan: &SweepPlan) -> Vec<TableColumn> {
    let described: &[&str] = if plan.descriptors.is_some() { &descriptors::NAMES } else { &[] };
    let described = described.iter().map(|name| (*name, ColumnKind::Number));
    let known = V4_1_COLUMNS.iter().map(|column| (column.name, column.kind)).chain(FURTHER).chain(described);
    let mut columns: Vec<TableColumn> =
        known.map(|(name, kind)| TableColumn { name: name.to_owned(), kind }).collect();
    for axis in &plan.axes {
        // A whole kinetics as an axis has its name in the column `kinetics` and its parameters in `spec`.
        if columns.iter().all(|column| column.name != axis.field) {
            columns.push(TableColumn { name: axis.field.clone(), kind: axis.kind() });
        }
    }
    columns
}

/// How many of the columns are written.
pub(crate) fn written_columns(columns: &[TableColumn], set: ColumnSet) -> usize {
    match set {
        ColumnSet::All => columns.len(),
        ColumnSet::V4_1 => V4_1_COLUMNS.len(),
    }
}

/// A value of a specification as a value of a column of the given type.
fn cell_of(value: &Value, kind: ColumnKind) -> Cell {
    let cell = match kind {
        ColumnKind::Integer => value.as_i64().map(Cell::Integer),
        ColumnKind::Number => value.as_f64().map(Cell::Number),
        ColumnKind::Flag => value.as_bool().map(Cell::Flag),
        ColumnKind::Text => match value {
            Value::Null => None,
            Value::String(text) => Some(Cell::Text(text.clone())),
            other => Some(Cell::Text(other.to_string())),
        },
    };
    cell.unwrap_or(Cell::Null)
}
