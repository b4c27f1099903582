//! What the tests share: plans, writing, and reading Parquet back with the reader of the `parquet` crate.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use mfn_dataset::{DatasetError, Sweep, SweepOptions, SweepPlan, SweepReport};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;

/// The plan of a JSON object.
pub(crate) fn plan(json: &Value) -> SweepPlan {
    serde_json::from_value(json.clone()).expect("a plan")
}

/// The sweep of a JSON object.
pub(crate) fn sweep(json: &Value) -> Sweep {
    plan(json).check().expect("a plan in order")
}

/// Writes without being stopped.
pub(crate) fn write(
    sweep: &Sweep,
    target: &Path,
    options: &SweepOptions,
) -> Result<SweepReport, DatasetError> {
    sweep.write(target, options, &mut |_| ControlFlow::Continue(()))
}

/// Opens a Parquet file.
pub(crate) fn reader(path: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).expect("a file")).expect("a Parquet file")
}

/// All rows of a Parquet file.
pub(crate) fn rows(path: &Path) -> Vec<Row> {
    reader(path).get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect()
}

/// A value of a row by the name of its column.
pub(crate) fn value<'a>(row: &'a Row, name: &str) -> &'a Field {
    row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field).expect(name)
}
