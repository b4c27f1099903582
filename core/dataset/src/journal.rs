//! The journal: the rows that are complete, in the order of their index, safe from a kill at any moment.
//!
//! A file that only grows. It begins with a mark, a version and the hash of the sweep; each row has a length
//! and a checksum. A tail that is cut or damaged is taken off, and its rows are computed again. Numbers are kept
//! as their bits, so a row that was read back is the row that was written.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::error::DatasetError;
use crate::table::Cell;

const MARK: &[u8; 8] = b"MFNSWEEP";
const VERSION: u32 = 1;
/// Mark, version, hash.
const HEAD_BYTES: usize = 8 + 4 + 32;
/// Length and checksum of a row.
const FRAME_BYTES: usize = 4 + 8;
/// Longest row; far above any real one.
const ROW_BYTES_MAX: usize = 1 << 20;
/// How much work a failure of power may cost. A kill costs none of it.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// A journal that is being written.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    rows: u64,
    synced: Instant,
}

impl Journal {
    /// Opens the journal of a sweep and gives every row in it to `each`, in order. A new one is begun where
    /// there is none.
    pub(crate) fn open(
        path: &Path,
        hash: &[u8; 32],
        each: &mut dyn FnMut(Vec<Cell>),
    ) -> Result<Self, DatasetError> {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(DatasetError::io(path, "opened"))?;
        let written = file.metadata().map_err(DatasetError::io(path, "read"))?.len();
        let mut rows = 0;
        let good = if written < HEAD_BYTES as u64 {
            // Killed before it was begun: nothing is lost.
            file.set_len(0).map_err(DatasetError::io(path, "written"))?;
            let head = [&MARK[..], &VERSION.to_le_bytes(), hash].concat();
            file.write_all(&head).map_err(DatasetError::io(path, "written"))?;
            HEAD_BYTES as u64
        } else {
            let mut reader = Rows::open(path, hash)?;
            while let Some(row) = reader.next_row().map_err(DatasetError::io(path, "read"))? {
                each(row);
                rows += 1;
            }
            reader.good_bytes
        };
        file.set_len(good).map_err(DatasetError::io(path, "written"))?;
        file.seek(SeekFrom::Start(good)).map_err(DatasetError::io(path, "written"))?;
        Ok(Self { path: path.to_owned(), file, rows, synced: Instant::now() })
    }

    /// Rows in the journal.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds the next row. When this returns a kill can not take it away.
    pub(crate) fn push(&mut self, row: &[Cell]) -> Result<(), DatasetError> {
        let content = encode(row);
        if content.len() > ROW_BYTES_MAX {
            let source = io::Error::other(format!("a row of {} bytes is too long", content.len()));
            return Err(DatasetError::Io { path: self.path.clone(), action: "written", source });
        }
        let length = (content.len() as u32).to_le_bytes();
        let frame = [&length[..], &checksum(self.rows, &content), &content].concat();
        // In one call, so that a kill leaves at most one cut row.
        self.file.write_all(&frame).map_err(DatasetError::io(&self.path, "written"))?;
        self.rows += 1;
        if self.synced.elapsed() >= SYNC_INTERVAL {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes the rows safe from a failure of power as well.
    pub(crate) fn sync(&mut self) -> Result<(), DatasetError> {
        self.file.sync_data().map_err(DatasetError::io(&self.path, "made durable"))?;
        self.synced = Instant::now();
        Ok(())
    }
}

/// The rows of a journal, read in order.
pub(crate) struct Rows {
    reader: BufReader<File>,
    next: u64,
    /// Bytes up to the end of the last good row.
    good_bytes: u64,
}

impl Rows {
    /// Opens a journal for reading.
    pub(crate) fn open(path: &Path, hash: &[u8; 32]) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(DatasetError::io(path, "opened"))?;
        let mut reader = BufReader::new(file);
        let mut head = [0; HEAD_BYTES];
        reader.read_exact(&mut head).map_err(DatasetError::io(path, "read"))?;
        let (mark, rest) = head.split_at(MARK.len());
        let (version, begun_with) = rest.split_at(4);
        let no_journal = |reason| Err(DatasetError::NoJournal { path: path.to_owned(), reason });
        if mark != MARK {
            return no_journal("it does not begin with MFNSWEEP");
        }
        if version != VERSION.to_le_bytes() {
            return no_journal("it has another version");
        }
        if begun_with != hash {
            return Err(DatasetError::OtherPlan { path: path.to_owned() });
        }
        Ok(Self { reader, next: 0, good_bytes: HEAD_BYTES as u64 })
    }

    /// The next good row; `None` at the end, or where the journal is cut or damaged.
    pub(crate) fn next_row(&mut self) -> io::Result<Option<Vec<Cell>>> {
        let mut frame = [0; FRAME_BYTES];
        if !fill(&mut self.reader, &mut frame)? {
            return Ok(None);
        }
        let (length, wanted) = frame.split_at(4);
        let length = length.iter().rev().fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
        if length > ROW_BYTES_MAX {
            return Ok(None);
        }
        let mut content = vec![0; length];
        if !fill(&mut self.reader, &mut content)? || checksum(self.next, &content) != *wanted {
            return Ok(None);
        }
        let row = decode(&content);
        if row.is_some() {
            self.next += 1;
            self.good_bytes += (FRAME_BYTES + length) as u64;
        }
        Ok(row)
    }
}

/// Fills a buffer; false when the file ends before.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Of the row and its place, so that a row can not stand at another one.
fn checksum(index: u64, content: &[u8]) -> [u8; 8] {
    let digest = Sha256::new().chain_update(index.to_le_bytes()).chain_update(content).finalize();
    let mut first = [0; 8];
    first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    first
}

fn encode(row: &[Cell]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(row.len() * 9);
    for cell in row {
        match cell {
            Cell::Null => bytes.push(0),
            Cell::Integer(value) => {
                bytes.push(1);
                bytes.extend(value.to_le_bytes());
            }
            Cell::Number(value) => {
                bytes.push(2);
                bytes.extend(value.to_bits().to_le_bytes());
            }
            Cell::Flag(value) => bytes.push(if *value { 4 } else { 3 }),
            Cell::Text(text) => {
                bytes.push(5);
                bytes.extend((text.len() as u32).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
        }
    }
    bytes
}

/// The row of bytes that `encode` made; `None` for others.
fn decode(mut bytes: &[u8]) -> Option<Vec<Cell>> {
    let mut row = Vec::new();
    while let Some((&tag, rest)) = bytes.split_first() {
        bytes = rest;
        row.push(match tag {
            0 => Cell::Null,
            1 => Cell::Integer(i64::from_le_bytes(take(&mut bytes)?)),
            2 => Cell::Number(f64::from_bits(u64::from_le_bytes(take(&mut bytes)?))),
            3 | 4 => Cell::Flag(tag == 4),
            5 => {
                let length = u32::from_le_bytes(take(&mut bytes)?) as usize;
                let (text, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Cell::Text(String::from_utf8(text.to_vec()).ok()?)
            }
            _ => return None,
        });
    }
    Some(row)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: [u8; 32] = [7; 32];

    fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Integer),
            any::<u64>().prop_map(|bits| Cell::Number(f64::from_bits(bits))),
            any::<bool>().prop_map(Cell::Flag),
            ".{0,20}".prop_map(Cell::Text),
        ]
    }

    /// Rows as bytes, because NaN differs from itself.
    fn read(path: &Path) -> Vec<Vec<u8>> {
        let mut rows = Vec::new();
        Journal::open(path, &HASH, &mut |row| rows.push(encode(&row))).expect("a journal");
        rows
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Guards resuming: however the file is cut or damaged, what is read back is a beginning of what was
        /// written, bit for bit, and complete up to the damage; the next rows then follow without a gap.
        #[test]
        fn a_damaged_journal_keeps_its_good_beginning(
            rows in prop::collection::vec(prop::collection::vec(cell(), 0..8), 1..8),
            place in 0.0..1.0_f64, cut: bool,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("journal");
            let mut ends = Vec::new();
            let mut journal = Journal::open(&path, &HASH, &mut |_| ()).expect("a new journal");
            for row in &rows {
                journal.push(row).expect("space");
                ends.push(std::fs::metadata(&path).expect("a file").len());
            }
            drop(journal);
            let whole = std::fs::read(&path).expect("a file");
            let offset = HEAD_BYTES + (place * (whole.len() - HEAD_BYTES) as f64) as usize;
            let mut damaged = whole.clone();
            if cut { damaged.truncate(offset) } else { damaged[offset] ^= 0x10 }
            std::fs::write(&path, &damaged).expect("space");

            let encoded: Vec<_> = rows.iter().map(|row| encode(row)).collect();
            let good = ends.iter().filter(|end| **end <= offset as u64).count();
            prop_assert_eq!(read(&path), &encoded[..good]);

            let mut journal = Journal::open(&path, &HASH, &mut |_| ()).expect("a journal");
            prop_assert_eq!(journal.rows(), good as u64);
            rows[good..].iter().for_each(|row| journal.push(row).expect("space"));
            drop(journal);
            prop_assert_eq!(std::fs::read(&path).expect("a file"), whole);
        }

        /// Guards against a panic or a large allocation for arbitrary bytes.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("journal");
            let mut content = [&MARK[..], &VERSION.to_le_bytes(), &HASH].concat();
            content.extend(&bytes);
            std::fs::write(&path, &content).expect("space");
            prop_assert!(Journal::open(&path, &HASH, &mut |_| ()).is_ok());
            std::fs::write(&path, &bytes).expect("space");
            let opened = Journal::open(&path, &HASH, &mut |_| ());
            prop_assert_eq!(opened.is_ok(), bytes.len() < HEAD_BYTES);
            let _ = decode(&bytes);
        }
    }

    /// Guards the rows of one plan against being continued with another.
    #[test]
    fn another_plan_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        drop(Journal::open(&path, &HASH, &mut |_| ()).expect("a new journal"));
        let refused = Journal::open(&path, &[8; 32], &mut |_| ()).err();
        assert!(matches!(refused, Some(DatasetError::OtherPlan { .. })), "{refused:?}");
    }
}
