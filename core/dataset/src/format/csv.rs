//! CSV as pandas writes and reads it: a header line, `True` and `False`, nothing where there is no value.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::TableWriter;
use crate::error::DatasetError;
use crate::table::{Cell, TableColumn};

pub(super) struct Writer {
    path: PathBuf,
    csv: csv::Writer<BufWriter<File>>,
}

impl Writer {
    pub(super) fn new(file: File, path: &Path, columns: &[TableColumn]) -> Result<Self, DatasetError> {
        let mut writer = Self { path: path.to_owned(), csv: csv::Writer::from_writer(BufWriter::new(file)) };
        writer.write(columns.iter().map(|column| column.name.clone()))?;
        Ok(writer)
    }

    fn write(&mut self, fields: impl Iterator<Item = String>) -> Result<(), DatasetError> {
        let written = self.csv.write_record(fields.map(String::into_bytes));
        written.map_err(|error| DatasetError::io(&self.path, "written")(error.into()))
    }
}

/// The shortest text that reads back as the same number, with a point or an exponent, as Python's `repr`.
fn field(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Integer(value) => value.to_string(),
        Cell::Number(value) if value.is_nan() => "nan".to_owned(),
        Cell::Number(value) => format!("{value:?}"),
        Cell::Flag(true) => "True".to_owned(),
        Cell::Flag(false) => "False".to_owned(),
        Cell::Text(text) => text.clone(),
    }
}

impl TableWriter for Writer {
    fn push(&mut self, row: &[Cell]) -> Result<(), DatasetError> {
        self.write(row.iter().map(field))
    }

    fn finish(self: Box<Self>) -> Result<(), DatasetError> {
        let Self { path, csv } = *self;
        let ended = csv.into_inner().map_err(|error| error.into_error());
        let synced = ended.and_then(|mut writer| {
            writer.flush()?;
            writer.get_ref().sync_all()
        });
        synced.map_err(DatasetError::io(&path, "written"))
    }
}
