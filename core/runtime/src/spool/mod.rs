//! The spool: a durable queue on disk in front of publishers. What it has made durable is delivered even if
//! the process, the machine or a target dies first.
//!
//! One directory is one log: records are appended in order, get ids that only grow, and are read by named
//! cursors, one per publisher, each at its own pace. Space is freed when every cursor is past it.
//!
//! What it holds to:
//! - [`Spool::sync`] returns after fsync. A failed fsync is never repeated on the same file: what it should
//!   have kept is written again, from memory, to a new one.
//! - A refused append leaves nothing behind, and an append is refused before anything is written when the
//!   limit is reached. A full disk refuses; when there is room again the spool goes on by itself.
//! - Damage costs the damaged records only. They are skipped and counted, each once. What a crash left
//!   unfinished at the end is cut off. A directory that is something else is refused, not begun anew.
//! - A crash makes cursors read again what was not committed durably; it never makes them skip.
//! - Memory does not depend on what the spool holds: some 100 bytes per segment, 256 KiB per cursor, and at most 16 MiB,
//!   or one append, of what is not durable yet.
//!
//! After a loss of power, records that were never reported durable may be counted as damaged when later ones
//! of them reached the disk; of what was reported durable the count is exact.

mod cursor;
mod disk;
mod error;
mod format;
mod frames;
mod ids;
mod log;
mod positions;
mod recovery;
mod segment;
mod store;
#[cfg(test)]
mod tests;
mod view;
mod walk;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use mfn_plugin::value::{Record, RecordView};

pub use cursor::Cursor;
pub use error::SpoolError;
pub(crate) use ids::IdRanges;
pub use view::SpoolView;

use disk::{Disk, SystemDisk};
use format::HEADER_BYTES;
use frames::Frames;
use store::Store;
use walk::{Step, Walk};

/// The most bytes that one append may take, whatever the limits are.
const APPEND_BYTES_MAX: u64 = 1 << 30;
const SEGMENT_BYTES_MIN: u64 = 4096;
const SEGMENTS_MIN: u64 = 4;
const SEGMENT_BYTES_DEFAULT: u64 = 64 << 20;

/// Limits of a spool. They may differ from those of the last opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolOptions {
    /// The most bytes of all segments together; at least four segments. Beside them lie about 20 KiB.
    pub bytes_max: u64,
    /// Size at which a new segment is begun, at least 4 KiB. An append is never split, so a segment can be larger by one.
    pub segment_bytes_max: u64,
}

impl SpoolOptions {
    /// A spool of so many bytes at most, with segments of a sixteenth of it, 64 MiB at most.
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        let segment_bytes_max = (bytes_max / 16).clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_DEFAULT);
        Self { bytes_max, segment_bytes_max }
    }

    /// The checked limits: `bytes_max` and `segment_bytes_max`.
    fn limits(self) -> Result<[u64; 2], SpoolError> {
        if self.segment_bytes_max < SEGMENT_BYTES_MIN {
            return Err(SpoolError::Option {
                field: "segment_bytes_max",
                value: self.segment_bytes_max.to_string(),
                allowed: "at least 4096 bytes are",
            });
        }
        if self.bytes_max / SEGMENTS_MIN < self.segment_bytes_max {
            return Err(SpoolError::Option {
                field: "bytes_max",
                value: self.bytes_max.to_string(),
                allowed: "at least four times segment_bytes_max is, and 16 KiB",
            });
        }
        Ok([self.bytes_max, self.segment_bytes_max])
    }
}

/// What was found when a spool was opened or verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpoolReport {
    /// Id of the oldest record.
    pub first_id: u64,
    /// Id that the next record gets.
    pub next_id: u64,
    /// Records between the two that are not known to be damaged. Opening reads the last segment only;
    /// [`Spool::verify`] reads all.
    pub records: u64,
    /// Sizes of all segments.
    pub bytes: u64,
    /// How many segments there are.
    pub segments: usize,
    /// Records that are lost because their bytes are damaged or gone.
    pub damaged: u64,
    /// Bytes at the end that were never finished and were cut off.
    pub truncated_bytes: u64,
    /// Segments with a damaged header. That costs no record.
    pub damaged_headers: u64,
    /// The file of the cursors was gone: all of them begin with the oldest record.
    pub cursors_missing: bool,
}

/// What a spool holds at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolStatus {
    /// Id of the oldest record.
    pub first_id: u64,
    /// Id that the next record gets.
    pub next_id: u64,
    /// Every record below is durable, and can be read.
    pub durable_id: u64,
    /// Sizes of all segments.
    pub bytes: u64,
    /// The most that they may be.
    pub bytes_max: u64,
    /// How many segments there are.
    pub segments: usize,
    /// Records found damaged since the spool was opened, each counted once.
    pub damaged: u64,
    /// Files given up since the spool was opened because an fsync, or taking back a write, failed.
    pub poisoned_files: u64,
}

/// A durable queue of records in one directory. All calls may come from several threads at once.
#[derive(Debug)]
pub struct Spool {
    store: Arc<Store>,
}

impl Spool {
    /// Opens the spool of a directory, or makes one where there is nothing or an empty directory. Files are readable by
    /// their owner only, and so is a directory that is made. The spool belongs to this object and its
    /// cursors until they are gone.
    ///
    /// # Errors
    /// [`SpoolError::Busy`] when another has it, [`SpoolError::Foreign`] for anything that is not a spool of this
    /// version, [`SpoolError::Option`], [`SpoolError::Disk`].
    pub fn open(directory: &Path, options: SpoolOptions) -> Result<(Self, SpoolReport), SpoolError> {
        Self::open_on(directory, options, Arc::new(SystemDisk))
    }

    fn open_on(
        directory: &Path,
        options: SpoolOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<(Self, SpoolReport), SpoolError> {
        let (store, report) = Store::open(directory, options, disk)?;
        Ok((Self { store }, report))
    }

    /// Appends records and gives their ids. They can be read, and survive, after the next [`Spool::sync`].
    ///
    /// # Errors
    /// [`SpoolError::Full`] and [`SpoolError::Disk`] may pass; [`SpoolError::TooLarge`] does not. None of the records is
    /// in the spool then, and no id was used.
    pub fn append(&self, records: &[&Record]) -> Result<Range<u64>, SpoolError> {
        self.append_views(&records.iter().map(|record| record.view()).collect::<Vec<_>>())
    }

    /// [`append`](Self::append) for records that are lent.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_views(&self, records: &[RecordView<'_>]) -> Result<Range<u64>, SpoolError> {
        let bytes = records.iter().map(format::frame_bytes).fold(0, u64::saturating_add);
        let log = &self.store.log;
        let allowed = (log.bytes_max - 2 * HEADER_BYTES as u64).min(APPEND_BYTES_MAX);
        if bytes > allowed {
            return Err(SpoolError::TooLarge { directory: log.directory.clone(), bytes, allowed });
        }
        self.store.append(|| Frames::encode(records))
    }

    /// Makes durable everything that was appended before, and returns an id below which everything is. Threads that
    /// call it at the same time share one fsync.
    ///
    /// # Errors
    /// [`SpoolError::Disk`]. The records are still there, in memory; a later call tries again.
    pub fn sync(&self) -> Result<u64, SpoolError> {
        self.store.log.sync()
    }

    /// The cursor of a name: where it was, or at the oldest record when the name is new.
    ///
    /// # Errors
    /// [`SpoolError::Cursor`] when it is given out already, the name is not of 1 to 64 bytes, or there are 64 others.
    pub fn cursor(&self, name: &str) -> Result<Cursor, SpoolError> {
        let position = self.store.acquire(name)?;
        Ok(Cursor::new(Arc::clone(&self.store), name.to_owned(), position.next_id, position.mark))
    }

    /// The names of all cursors, also of those that nobody has now, and the ids below which they are done.
    #[must_use]
    pub fn cursors(&self) -> Vec<(String, u64)> {
        self.store.positions()
    }

    /// Forgets a cursor, so that it holds back no space. Unknown names are passed over.
    ///
    /// # Errors
    /// [`SpoolError::Cursor`] while it is given out; [`SpoolError::Disk`].
    pub fn remove_cursor(&self, name: &str) -> Result<(), SpoolError> {
        self.store.remove(name)
    }

    /// Makes the positions of all cursors durable now.
    ///
    /// # Errors
    /// [`SpoolError::Disk`]. The positions will be tried again; a crash before that reads again.
    pub fn sync_cursors(&self) -> Result<(), SpoolError> {
        self.store.write_positions()
    }

    /// Removes the segments that every cursor is done with, and returns the bytes that this freed. Without
    /// cursors nothing is removed.
    ///
    /// # Errors
    /// [`SpoolError::Disk`]. What is not removed is tried again the next time.
    pub fn trim(&self) -> Result<u64, SpoolError> {
        self.store.trim()
    }

    /// What the spool holds at the moment.
    #[must_use]
    pub fn status(&self) -> SpoolStatus {
        let state = self.store.log.lock();
        SpoolStatus {
            first_id: state.segments.front().map_or(state.next_id, |first| first.first_id),
            next_id: state.next_id,
            durable_id: state.durable_id,
            bytes: state.bytes(),
            bytes_max: self.store.log.bytes_max,
            segments: state.segments.len(),
            damaged: state.damage.records(),
            poisoned_files: state.poisoned,
        }
    }

    /// Reads everything that is durable and counts what is damaged. Nobody is held up; memory is 256 KiB.
    ///
    /// # Errors
    /// [`SpoolError::Disk`].
    pub fn verify(&self) -> Result<SpoolReport, SpoolError> {
        let (segments, status) = {
            let state = self.store.log.lock();
            let bounds = (0..state.segments.len()).map(|index| state.bound(index));
            let segments: Vec<_> = state.segments.iter().cloned().zip(bounds).collect();
            drop(state);
            (segments, self.status())
        };
        let mut report =
            SpoolReport { segments: segments.len(), bytes: status.bytes, ..SpoolReport::default() };
        report.next_id = segments.last().map_or(status.durable_id, |(_, bound)| *bound);
        report.first_id = segments.first().map_or(report.next_id, |(first, _)| first.first_id);
        for (segment, bound) in segments {
            let disk_error = |error| SpoolError::disk(&segment.path, "read", &error);
            let identity = self.store.log.identity;
            let (file, whole) = segment::open(&segment.path, segment.first_id, identity, false)?;
            report.damaged_headers += u64::from(!whole);
            let mut walk = Walk::new(Arc::new(file), identity, HEADER_BYTES as u64, segment.first_id);
            loop {
                let lost = match walk.next(segment.bytes, bound).map_err(disk_error)? {
                    Step::Frame(_) => {
                        report.records += 1;
                        continue;
                    }
                    Step::Damaged(lost) => lost,
                    Step::End if walk.expected() < bound => {
                        let lost = walk.expected()..bound;
                        report.damaged += lost.end - lost.start;
                        self.store.log.lock().damage.add(lost);
                        break;
                    }
                    Step::End => break,
                };
                report.damaged += lost.end - lost.start;
                self.store.log.lock().damage.add(lost);
            }
        }
        Ok(report)
    }
}
