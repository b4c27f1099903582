//! Parquet, as far as a table of numbers, flags and texts needs it.
//!
//! Written here because the `parquet` crate would add 1.3 MB to a libmfn that is to stay below 6 MiB; its reader, and
//! pyarrow, read these files in the tests. Source: Apache Parquet, `parquet.thrift` and "Encodings", format version
//! 1: every column optional, one plain data page for each column of a row group, compressed with Snappy. Row
//! groups have a fixed number of rows, so that the bytes depend on the rows alone and memory does not depend on their
//! number.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use mfn_sim::dataset::ColumnKind;

use super::TableWriter;
use super::thrift::{Encoder, Kind, varint};
use crate::error::DatasetError;
use crate::plan::Sweep;
use crate::table::{Cell, TableColumn};

/// Rows of a row group, all but the last.
const GROUP_ROWS: usize = 8192;

const MARK: &[u8; 4] = b"PAR1";

// The numbers of parquet.thrift.
const OPTIONAL: i32 = 1;
const UTF8: i32 = 0;
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const SNAPPY: i32 = 1;
const DATA_PAGE: i32 = 0;

fn physical(kind: ColumnKind) -> i32 {
    match kind {
        ColumnKind::Flag => 0,
        ColumnKind::Integer => 2,
        ColumnKind::Number => 5,
        ColumnKind::Text => 6,
    }
}

pub(super) struct Writer {
    path: PathBuf,
    columns: Vec<TableColumn>,
    metadata: Vec<(&'static str, String)>,
    /// The cells of the row group that is being filled, column by column.
    group: Vec<Vec<Cell>>,
    groups: Vec<Group>,
    file: BufWriter<File>,
    /// Bytes written so far.
    offset: i64,
}

/// A row group that is written.
struct Group {
    rows: i64,
    chunks: Vec<Chunk>,
}

/// One column of a row group that is written. Sizes include the head of the page.
struct Chunk {
    offset: i64,
    plain_bytes: i64,
    stored_bytes: i64,
}

impl Writer {
    pub(super) fn new(
        file: File,
        path: &Path,
        sweep: &Sweep,
        columns: &[TableColumn],
    ) -> Result<Self, DatasetError> {
        let hash = sweep.hash().iter().map(|byte| format!("{byte:02x}")).collect();
        // A plan that was read can be written.
        let plan = serde_json::to_string(sweep.plan()).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut writer = Self {
            path: path.to_owned(),
            columns: columns.to_vec(),
            metadata: vec![("mfn_version", version), ("mfn_plan", plan), ("mfn_plan_sha256", hash)],
            group: columns.iter().map(|_| Vec::new()).collect(),
            groups: Vec::new(),
            file: BufWriter::new(file),
            offset: 0,
        };
        writer.write(MARK)?;
        Ok(writer)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DatasetError> {
        self.file.write_all(bytes).map_err(DatasetError::io(&self.path, "written"))?;
        self.offset += bytes.len() as i64;
        Ok(())
    }

    fn group_rows(&self) -> usize {
        self.group.first().map_or(0, Vec::len)
    }

    fn end_group(&mut self) -> Result<(), DatasetError> {
        let rows = self.group_rows();
        if rows == 0 {
            return Ok(());
        }
        let mut chunks = Vec::with_capacity(self.columns.len());
        for index in 0..self.columns.len() {
            let Some(cells) = self.group.get_mut(index).map(std::mem::take) else { continue };
            chunks.push(self.write_chunk(&cells)?);
        }
        self.groups.push(Group { rows: rows as i64, chunks });
        Ok(())
    }

    fn write_chunk(&mut self, cells: &[Cell]) -> Result<Chunk, DatasetError> {
        let page = page_of(cells);
        let stored = snap::raw::Encoder::new().compress_vec(&page);
        let stored =
            stored.map_err(|error| DatasetError::io(&self.path, "written")(io::Error::other(error)))?;
        let (Ok(plain_len), Ok(stored_len)) = (i32::try_from(page.len()), i32::try_from(stored.len())) else {
            let source = io::Error::other("a row group has more than 2 GiB of text");
            return Err(DatasetError::io(&self.path, "written")(source));
        };
        let head = Encoder::encode(|head| {
            head.i32(1, DATA_PAGE);
            head.i32(2, plain_len);
            head.i32(3, stored_len);
            head.structure(5, |data| {
                data.i32(1, cells.len() as i32);
                data.i32(2, PLAIN);
                data.i32(3, RLE);
                data.i32(4, RLE);
            });
        });
        let chunk = Chunk {
            offset: self.offset,
            plain_bytes: (head.len() + page.len()) as i64,
            stored_bytes: (head.len() + stored.len()) as i64,
        };
        self.write(&head)?;
        self.write(&stored)?;
        Ok(chunk)
    }

    /// Schema, places of the columns, metadata.
    fn footer(&self) -> Vec<u8> {
        // The root comes first and has no type.
        let elements: Vec<Option<&TableColumn>> =
            std::iter::once(None).chain(self.columns.iter().map(Some)).collect();
        Encoder::encode(|file| {
            file.i32(1, 1);
            file.list(2, Kind::Struct, &elements, |file, column| {
                file.element(|element| match column {
                    None => {
                        element.text(4, "schema");
                        element.i32(5, self.columns.len() as i32);
                    }
                    Some(column) => {
                        element.i32(1, physical(column.kind));
                        element.i32(3, OPTIONAL);
                        element.text(4, &column.name);
                        if column.kind == ColumnKind::Text {
                            element.i32(6, UTF8);
                            // The same as a logical type: a union whose first choice, an empty struct, is text.
                            element.structure(10, |logical| logical.structure(1, |_| ()));
                        }
                    }
                });
            });
            file.i64(3, self.groups.iter().map(|group| group.rows).sum());
            file.list(4, Kind::Struct, &self.groups, |file, group| {
                file.element(|element| self.describe_group(element, group));
            });
            file.list(5, Kind::Struct, &self.metadata, |file, (key, value)| {
                file.element(|element| {
                    element.text(1, key);
                    element.text(2, value);
                });
            });
            file.text(6, &format!("libmfn version {}", env!("CARGO_PKG_VERSION")));
        })
    }

    fn describe_group(&self, element: &mut Encoder, group: &Group) {
        let chunks: Vec<(&TableColumn, &Chunk)> = self.columns.iter().zip(&group.chunks).collect();
        element.list(1, Kind::Struct, &chunks, |element, (column, chunk)| {
            element.element(|element| {
                element.i64(2, chunk.offset);
                element.structure(3, |data| {
                    data.i32(1, physical(column.kind));
                    data.list(2, Kind::I32, &[PLAIN, RLE], |data, encoding| {
                        data.number(i64::from(*encoding));
                    });
                    data.list(3, Kind::Binary, &[&column.name], |data, name| data.text_element(name));
                    data.i32(4, SNAPPY);
                    data.i64(5, group.rows);
                    data.i64(6, chunk.plain_bytes);
                    data.i64(7, chunk.stored_bytes);
                    data.i64(9, chunk.offset);
                });
            });
        });
        element.i64(2, group.chunks.iter().map(|chunk| chunk.plain_bytes).sum());
        element.i64(3, group.rows);
    }
}

impl TableWriter for Writer {
    fn push(&mut self, row: &[Cell]) -> Result<(), DatasetError> {
        for (column, cell) in self.group.iter_mut().zip(row) {
            column.push(cell.clone());
        }
        if self.group_rows() >= GROUP_ROWS { self.end_group() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), DatasetError> {
        self.end_group()?;
        let footer = self.footer();
        self.write(&footer)?;
        self.write(&(footer.len() as u32).to_le_bytes())?;
        self.write(MARK)?;
        let Self { path, file, .. } = *self;
        let file =
            file.into_inner().map_err(|error| DatasetError::io(&path, "written")(error.into_error()))?;
        file.sync_all().map_err(DatasetError::io(&path, "made durable"))
    }
}

/// The content of a data page: which cells have a value, then the values, one after the other.
fn page_of(cells: &[Cell]) -> Vec<u8> {
    let mut levels = Vec::new();
    for run in cells.chunk_by(|a, b| is_value(a) == is_value(b)) {
        // A run of one level: twice its length, then the level.
        varint(&mut levels, (run.len() as u64) << 1);
        levels.push(u8::from(run.first().is_some_and(is_value)));
    }
    let mut page = (levels.len() as u32).to_le_bytes().to_vec();
    page.extend(levels);
    // Flags are packed, eight to a byte, the first in the lowest bit.
    let mut flags = 0_usize;
    for cell in cells {
        match cell {
            Cell::Null => {}
            Cell::Integer(value) => page.extend(value.to_le_bytes()),
            Cell::Number(value) => page.extend(value.to_le_bytes()),
            Cell::Flag(value) => {
                if flags.is_multiple_of(8) {
                    page.push(0);
                }
                if let Some(last) = page.last_mut() {
                    *last |= u8::from(*value) << (flags % 8);
                }
                flags += 1;
            }
            Cell::Text(text) => {
                page.extend((text.len() as u32).to_le_bytes());
                page.extend(text.as_bytes());
            }
        }
    }
    page
}

fn is_value(cell: &Cell) -> bool {
    !matches!(cell, Cell::Null)
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use proptest::prelude::*;

    use super::*;
    use crate::plan::SweepPlan;

    fn cell(kind: ColumnKind) -> BoxedStrategy<Cell> {
        let value = match kind {
            ColumnKind::Integer => any::<i64>().prop_map(Cell::Integer).boxed(),
            ColumnKind::Number => any::<f64>().prop_map(Cell::Number).boxed(),
            ColumnKind::Flag => any::<bool>().prop_map(Cell::Flag).boxed(),
            ColumnKind::Text => ".{0,12}".prop_map(Cell::Text).boxed(),
        };
        prop_oneof![1 => Just(Cell::Null), 3 => value].boxed()
    }

    const KINDS: [ColumnKind; 4] =
        [ColumnKind::Integer, ColumnKind::Number, ColumnKind::Flag, ColumnKind::Text];

    /// Up to 20 columns, because a list of 15 and more has another head.
    fn table() -> impl Strategy<Value = (Vec<ColumnKind>, Vec<Vec<Cell>>)> {
        prop::collection::vec(prop::sample::select(KINDS.to_vec()), 1..20).prop_flat_map(|kinds| {
            let row: Vec<_> = kinds.iter().map(|kind| cell(*kind)).collect();
            (Just(kinds), prop::collection::vec(row, 0..40))
        })
    }

    fn is_same(field: &Field, cell: &Cell) -> bool {
        match (field, cell) {
            (Field::Null, Cell::Null) => true,
            (Field::Long(a), Cell::Integer(b)) => a == b,
            (Field::Double(a), Cell::Number(b)) => a.to_bits() == b.to_bits(),
            (Field::Bool(a), Cell::Flag(b)) => a == b,
            (Field::Str(a), Cell::Text(b)) => a == b,
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Guards the format against the reader of the `parquet` crate: any table comes back as it was, bit for bit.
        #[test]
        fn any_table_is_read_back((kinds, rows) in table()) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("any.parquet");
            let columns: Vec<TableColumn> = kinds
                .iter()
                .enumerate()
                .map(|(index, kind)| TableColumn { name: format!("column {index}"), kind: *kind })
                .collect();
            let sweep = SweepPlan::default().check().expect("the default plan");
            let file = File::create(&path).expect("space");
            let mut writer = Box::new(Writer::new(file, &path, &sweep, &columns).expect("space"));
            rows.iter().for_each(|row| writer.push(row).expect("space"));
            writer.finish().expect("space");

            let reader = SerializedFileReader::new(File::open(&path).expect("a file")).expect("a Parquet file");
            let read: Vec<_> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
            prop_assert_eq!(read.len(), rows.len());
            for (read, row) in read.iter().zip(&rows) {
                for ((name, field), (cell, column)) in read.get_column_iter().zip(row.iter().zip(&columns)) {
                    prop_assert_eq!(name, &column.name);
                    prop_assert!(is_same(field, cell), "{name}: {field:?} is not {cell:?}");
                }
            }
        }
    }
}
