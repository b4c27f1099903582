//! Parquet by the column writers of the `parquet` crate, without Arrow.
//!
//! Every column is optional, as in files that pandas writes. Row groups have a fixed number of rows, so that the
//! bytes depend on the rows alone and memory does not depend on their number.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mfn_sim::dataset::ColumnKind;
use parquet::basic::{Compression, LogicalType, Repetition, Type};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type as SchemaType, TypePtr};

use super::TableWriter;
use crate::error::DatasetError;
use crate::plan::Sweep;
use crate::table::{Cell, TableColumn};

/// Rows of a row group, all but the last.
const GROUP_ROWS: usize = 8192;

pub(super) struct Writer {
    path: PathBuf,
    columns: Vec<TableColumn>,
    /// The cells of the row group that is being filled, column by column.
    group: Vec<Vec<Cell>>,
    rows: usize,
    parquet: SerializedFileWriter<File>,
}

impl Writer {
    pub(super) fn new(
        file: File,
        path: &Path,
        sweep: &Sweep,
        columns: &[TableColumn],
    ) -> Result<Self, DatasetError> {
        let made = schema(columns)
            .and_then(|schema| SerializedFileWriter::new(file, schema, Arc::new(properties(sweep))));
        let parquet = made.map_err(|error| refused(path, error))?;
        let group = columns.iter().map(|_| Vec::new()).collect();
        Ok(Self { path: path.to_owned(), columns: columns.to_vec(), group, rows: 0, parquet })
    }

    fn end_group(&mut self) -> Result<(), DatasetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let written = self.parquet.next_row_group().and_then(|mut group| {
            for (column, cells) in self.columns.iter().zip(&mut self.group) {
                write_column(&mut group, column.kind, cells)?;
                cells.clear();
            }
            group.close()
        });
        self.rows = 0;
        written.map(drop).map_err(|error| refused(&self.path, error))
    }
}

impl TableWriter for Writer {
    fn push(&mut self, row: &[Cell]) -> Result<(), DatasetError> {
        for (column, cell) in self.group.iter_mut().zip(row) {
            column.push(cell.clone());
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS { self.end_group() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), DatasetError> {
        self.end_group()?;
        let Self { path, parquet, .. } = *self;
        let file = parquet.into_inner().map_err(|error| refused(&path, error))?;
        file.sync_all().map_err(DatasetError::io(&path, "made durable"))
    }
}

fn refused(path: &Path, error: ParquetError) -> DatasetError {
    DatasetError::io(path, "written")(io::Error::other(error))
}

fn schema(columns: &[TableColumn]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|column| {
        let (physical, logical) = match column.kind {
            ColumnKind::Integer => (Type::INT64, None),
            ColumnKind::Number => (Type::DOUBLE, None),
            ColumnKind::Flag => (Type::BOOLEAN, None),
            ColumnKind::Text => (Type::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = SchemaType::primitive_type_builder(&column.name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(field))
    });
    let fields = fields.collect::<Result<Vec<_>, ParquetError>>()?;
    Ok(Arc::new(SchemaType::group_type_builder("schema").with_fields(fields).build()?))
}

fn properties(sweep: &Sweep) -> WriterProperties {
    let hash: String = sweep.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    let version = env!("CARGO_PKG_VERSION");
    // A plan that was read can be written.
    let plan = serde_json::to_string(sweep.plan()).unwrap_or_default();
    let entry = |key: &str, value: String| KeyValue { key: key.to_owned(), value: Some(value) };
    WriterProperties::builder()
        .set_created_by(format!("libmfn version {version}"))
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(vec![
            entry("mfn_version", version.to_owned()),
            entry("mfn_plan", plan),
            entry("mfn_plan_sha256", hash),
        ]))
        .build()
}

fn write_column(
    group: &mut SerializedRowGroupWriter<'_, File>,
    kind: ColumnKind,
    cells: &[Cell],
) -> Result<(), ParquetError> {
    match kind {
        ColumnKind::Integer => write_typed::<Int64Type>(group, cells, |cell| match cell {
            Cell::Integer(value) => Some(*value),
            _ => None,
        }),
        ColumnKind::Number => write_typed::<DoubleType>(group, cells, |cell| match cell {
            Cell::Number(value) => Some(*value),
            _ => None,
        }),
        ColumnKind::Flag => write_typed::<BoolType>(group, cells, |cell| match cell {
            Cell::Flag(value) => Some(*value),
            _ => None,
        }),
        ColumnKind::Text => write_typed::<ByteArrayType>(group, cells, |cell| match cell {
            Cell::Text(text) => Some(ByteArray::from(text.as_str())),
            _ => None,
        }),
    }
}

/// Writes the next column: the values that are there, and for each cell whether it has one.
fn write_typed<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    cells: &[Cell],
    value_of: impl Fn(&Cell) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns than the table".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    let optional: Vec<Option<T::T>> = cells.iter().map(value_of).collect();
    let levels: Vec<i16> = optional.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = optional.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}
