//! The formats of a dataset. Equal rows give equal bytes: no time, no machine and no order of threads is in them.

mod csv;
mod parquet;
mod thrift;

use std::fs::File;
use std::path::Path;

use crate::error::DatasetError;
use crate::plan::Sweep;
use crate::table::{Cell, TableColumn};

/// The format of a dataset, known by the extension of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet, `.parquet`.
    Parquet,
    /// Comma-separated values with a header line, `.csv`.
    Csv,
}

impl Format {
    /// The format of a file name.
    ///
    /// # Errors
    /// [`DatasetError::Extension`] for a name that ends neither in `.parquet` nor in `.csv`.
    pub fn of(path: &Path) -> Result<Self, DatasetError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "parquet" => Ok(Self::Parquet),
            "csv" => Ok(Self::Csv),
            _ => Err(DatasetError::Extension { path: path.to_owned() }),
        }
    }

    /// A writer of this format.
    pub(crate) fn writer(
        self,
        file: File,
        path: &Path,
        sweep: &Sweep,
        columns: &[TableColumn],
    ) -> Result<Box<dyn TableWriter>, DatasetError> {
        Ok(match self {
            Self::Parquet => Box::new(parquet::Writer::new(file, path, sweep, columns)?),
            Self::Csv => Box::new(csv::Writer::new(file, path, columns)?),
        })
    }
}

/// Takes rows and makes a durable file of them.
pub(crate) trait TableWriter {
    /// Adds a row with one cell for each column.
    fn push(&mut self, row: &[Cell]) -> Result<(), DatasetError>;

    /// Ends the file and makes it durable.
    fn finish(self: Box<Self>) -> Result<(), DatasetError>;
}
