//! Looking into a spool that may be in use: nothing is locked and nothing is changed.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mfn_plugin::value::Record;

use super::error::SpoolError;
use super::format::{HEADER_BYTES, Identity};
use super::walk::{Step, Walk};
use super::{recovery, segment};

/// Reads what lies in the directory of a spool. Records may be seen that are not durable yet, and records that are
/// removed meanwhile may be missing.
#[derive(Debug)]
pub struct SpoolView {
    directory: PathBuf,
    identity: Identity,
}

impl SpoolView {
    /// Looks for a spool in a directory.
    ///
    /// # Errors
    /// [`SpoolError::Disk`] when there is none, [`SpoolError::Foreign`] when it is of another version or damaged.
    pub fn open(directory: &Path) -> Result<Self, SpoolError> {
        let path = directory.join(recovery::MARKER);
        let file = File::open(&path).map_err(|error| SpoolError::disk(&path, "read", &error))?;
        let identity = recovery::read_marker(&path, &file)?;
        Ok(Self { directory: directory.to_path_buf(), identity })
    }

    /// Calls `each` with the whole records from an id on, in order, until it breaks. Memory is 256 KiB and one record.
    ///
    /// # Errors
    /// [`SpoolError::Disk`], [`SpoolError::Foreign`].
    pub fn read(
        &self,
        from: u64,
        mut each: impl FnMut(u64, Record) -> ControlFlow<()>,
    ) -> Result<(), SpoolError> {
        let segments = recovery::segments(&self.directory)?;
        for (index, (first_id, path)) in segments.iter().enumerate() {
            let bound = segments.get(index + 1).map_or(u64::MAX, |(next, _)| *next);
            // A file may be removed by its owner after it was listed.
            if bound <= from || !path.exists() {
                continue;
            }
            let disk_error = |error| SpoolError::disk(path, "read", &error);
            let (file, _) = segment::open(path, *first_id, self.identity, false)?;
            let bytes = file.metadata().map_err(disk_error)?.len();
            let mut walk = Walk::new(Arc::new(file), self.identity, HEADER_BYTES as u64, *first_id);
            loop {
                let frame = match walk.next(bytes, bound).map_err(disk_error)? {
                    Step::Frame(frame) => frame,
                    Step::Damaged(_) => continue,
                    Step::End => break,
                };
                if frame.id < from {
                    continue;
                }
                if let Some(record) = walk.record(frame).map_err(disk_error)?
                    && each(frame.id, record).is_break()
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
