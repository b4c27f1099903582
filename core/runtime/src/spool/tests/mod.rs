//! What the spool holds to, on real directories and on disks that fail on purpose.

mod basics;
mod crash_disk;
mod damage;
mod disk_full;
mod killed;
mod model;
mod poison;

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use mfn_plugin::value::Record;

use super::disk::Disk;
use super::{Cursor, Spool, SpoolOptions, SpoolReport};

/// Segments of 4 KiB, so that few records make many.
const SMALL: SpoolOptions = SpoolOptions { bytes_max: 1 << 20, segment_bytes_max: 4096 };

/// The record that belongs to an id: all of it follows from the number, so that any difference shows.
fn record(id: u64) -> Record {
    let text =
        |count: u64| (0..count).map(|at| char::from(b'a' + ((id + at) % 26) as u8)).collect::<String>();
    Record {
        id: format!("record-{id}"),
        key: (!id.is_multiple_of(3)).then(|| id.to_le_bytes().to_vec()),
        payload: (0..id * 37 % 301).map(|at| (id.wrapping_mul(31) ^ at) as u8).collect(),
        content_type: if id.is_multiple_of(2) { "application/json".to_owned() } else { String::new() },
        headers: (0..id % 4).map(|at| (text(at + 1), vec![at as u8; (id % 50) as usize])).collect(),
        timestamp_ms: (!id.is_multiple_of(5)).then_some(1_700_000_000_000 - id as i64),
        trace_parent: text(id % 7),
    }
}

/// A disk without fsync, for tests in which nothing crashes.
#[derive(Debug)]
struct QuickDisk;

impl Disk for QuickDisk {
    fn sync_file(&self, _: &Path, _: &File) -> io::Result<()> {
        Ok(())
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

fn open_quickly(directory: &Path) -> (Spool, SpoolReport) {
    Spool::open_on(directory, SMALL, Arc::new(QuickDisk)).unwrap()
}

/// Copies the files of a directory into another.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn open(directory: &Path) -> Spool {
    Spool::open(directory, SMALL).unwrap().0
}

/// Appends the records of the next ids, one by one.
fn append(spool: &Spool, count: u64) {
    for _ in 0..count {
        let next = spool.status().next_id;
        assert_eq!(spool.append(&[&record(next)]).unwrap(), next..next + 1);
    }
}

/// Everything that a cursor still has to read; every record must be the one of its id.
fn read_all(cursor: &mut Cursor) -> Vec<u64> {
    let mut ids = Vec::new();
    loop {
        let records = cursor.read(7, 3_000).unwrap();
        if records.is_empty() {
            return ids;
        }
        for (id, found) in records {
            assert_eq!(found, record(id));
            ids.push(id);
        }
    }
}
