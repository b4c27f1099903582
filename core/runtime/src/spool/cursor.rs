//! A named reader of a spool that remembers where it is.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mfn_plugin::value::Record;

use super::error::SpoolError;
use super::format::HEADER_BYTES;
use super::positions::Mark;
use super::store::Store;
use super::walk::{Step, Walk};

/// How many places are remembered between what was read and what is committed.
const MARKS_MAX: usize = 64;

/// Reads the records of a [`Spool`](super::Spool) in order. There is one object for each name at a time. What was
/// read but not committed is read again after a restart; what is damaged is skipped and counted.
#[derive(Debug)]
pub struct Cursor {
    store: Arc<Store>,
    name: String,
    /// The next record to be read.
    next_id: u64,
    place: Option<Place>,
    marks: VecDeque<Mark>,
}

/// The segment that is being read.
#[derive(Debug)]
struct Place {
    target: Target,
    walk: Walk,
}

/// What a cursor needs to know of the segment it reads.
#[derive(Debug)]
struct Target {
    serial: u64,
    first_id: u64,
    path: std::path::PathBuf,
    bytes: u64,
    bound: u64,
}

impl Cursor {
    pub(super) fn new(store: Arc<Store>, name: String, next_id: u64, mark: Mark) -> Self {
        Self { store, name, next_id, place: None, marks: VecDeque::from([mark]) }
    }

    /// The cursor's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id after the last record that was read or skipped. Committing it says that all of them are done with.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// The id below which everything is committed.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.store.position(&self.name).next_id
    }

    /// Reads the next durable records, in the order of their ids: at most `records_max` with at most `bytes_max` bytes of
    /// encoded records together, but one whatever its size. Empty when there is none yet. Ids may have gaps
    /// where records are damaged. Uses about 256 KiB beside the records.
    ///
    /// # Errors
    /// [`SpoolError::Disk`]; the cursor is then where it was.
    pub fn read(&mut self, records_max: usize, bytes_max: u64) -> Result<Vec<(u64, Record)>, SpoolError> {
        let (start, mut records, mut bytes) = (self.next_id, Vec::new(), 0);
        self.thin_marks();
        while records.len() < records_max {
            match self.read_one(bytes_max.saturating_sub(bytes), records.is_empty()) {
                Ok(Some(Read { id, record, size })) => {
                    bytes += size;
                    records.push((id, record));
                }
                Ok(None) => break,
                Err(error) => {
                    self.seek(start);
                    return Err(error);
                }
            }
        }
        if records.is_empty() && self.next_id > start && self.committed() == start {
            // All that was between is gone, and nobody is busy with anything before it.
            self.store.commit(&self.name, self.next_id, self.mark_below(self.next_id));
        }
        Ok(records)
    }

    /// Waits until there may be something to read, at most for `timeout`. `false` when there is nothing yet.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut state = self.store.log.lock();
        while state.durable_id <= self.next_id {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.store.log.wait(state, left);
        }
        true
    }

    /// Says that every record below `next_id` is done with. This only notes it: it is durable within a second, and
    /// with [`Spool::sync_cursors`](super::Spool::sync_cursors), a trim, or the spool's end. A position
    /// that is already behind the cursor changes nothing.
    ///
    /// # Errors
    /// [`SpoolError::Cursor`] for records that were not read yet.
    pub fn commit(&self, next_id: u64) -> Result<(), SpoolError> {
        if next_id > self.next_id {
            return Err(SpoolError::Cursor {
                name: self.name.clone(),
                problem: format!(
                    "can not be committed at {next_id}, it has read below {} only; read first",
                    self.next_id
                ),
            });
        }
        self.store.commit(&self.name, next_id, self.mark_below(next_id));
        Ok(())
    }

    /// Goes back to the first record that is not committed.
    pub fn rewind(&mut self) {
        self.seek(self.committed());
    }

    /// Goes past records without reading them, for who knows otherwise that they are done with.
    pub(crate) fn skip_to(&mut self, id: u64) {
        if id > self.next_id {
            self.seek(id);
        }
    }

    fn seek(&mut self, id: u64) {
        self.next_id = id;
        self.place = None;
        self.marks.retain(|mark| mark.id <= id);
    }

    /// Keeps the places that a commit may need, with growing distances when they are many.
    fn thin_marks(&mut self) {
        let committed = self.committed();
        while self.marks.get(1).is_some_and(|mark| mark.id <= committed) {
            self.marks.pop_front();
        }
        if self.marks.len() > MARKS_MAX {
            let mut index = 0;
            self.marks.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    fn mark_below(&self, id: u64) -> Mark {
        self.marks.iter().rev().find(|mark| mark.id <= id).copied().unwrap_or_default()
    }

    /// The next whole record, unless it has more than `bytes_left` bytes and need not be taken.
    fn read_one(&mut self, bytes_left: u64, must_take: bool) -> Result<Option<Read>, SpoolError> {
        loop {
            if !self.enter()? {
                return Ok(None);
            }
            let Some(Place { target, walk }) = &mut self.place else { return Ok(None) };
            let (bytes, bound) = (target.bytes, target.bound);
            let disk_error = |error| SpoolError::disk(&target.path, "read", &error);
            match walk.next(bytes, bound).map_err(disk_error)? {
                Step::Frame(frame) if frame.id < self.next_id => {}
                Step::Frame(frame) => {
                    let size = u64::from(frame.body_bytes);
                    if size > bytes_left && !must_take {
                        walk.back_to(frame);
                        return Ok(None);
                    }
                    let record = walk.record(frame).map_err(disk_error)?;
                    if must_take {
                        self.marks.push_back(Mark { id: frame.id, offset: frame.offset });
                    }
                    self.next_id = frame.id + 1;
                    match record {
                        Some(record) => return Ok(Some(Read { id: frame.id, record, size })),
                        None => self.lost(frame.id..frame.id + 1),
                    }
                }
                Step::Damaged(lost) => self.lost(lost.start..lost.end.min(bound)),
                Step::End => self.lost(self.next_id..bound),
            }
        }
    }

    /// Counts records that are gone and goes past them.
    fn lost(&mut self, ids: std::ops::Range<u64>) {
        let ids = ids.start.max(self.next_id)..ids.end;
        if !ids.is_empty() {
            self.next_id = ids.end;
            self.store.log.lock().damage.add(ids);
        }
    }

    /// The segment with the next durable record.
    fn target(&mut self) -> Option<Target> {
        let state = self.store.log.lock();
        if state.durable_id <= self.next_id {
            return None;
        }
        let first_id = state.segments.front()?.first_id;
        // What was trimmed was done with.
        self.next_id = self.next_id.max(first_id);
        let index =
            state.segments.partition_point(|segment| segment.first_id <= self.next_id).checked_sub(1)?;
        let segment = state.segments.get(index)?;
        Some(Target {
            serial: segment.serial,
            first_id: segment.first_id,
            path: segment.path.clone(),
            bytes: segment.bytes,
            bound: state.bound(index),
        })
    }

    /// Makes `place` that of the next record. `false` when there is no durable one yet.
    fn enter(&mut self) -> Result<bool, SpoolError> {
        if self.place.as_ref().is_some_and(|place| self.next_id < place.target.bound) {
            return Ok(true);
        }
        let Some(target) = self.target() else { return Ok(false) };
        match &mut self.place {
            Some(place) if place.target.serial == target.serial => place.target = target,
            _ => {
                let walk =
                    self.walk_in(&target).map_err(|error| SpoolError::disk(&target.path, "read", &error))?;
                self.place = Some(Place { target, walk });
            }
        }
        Ok(true)
    }

    /// A walk that begins at the best known place before the next record.
    fn walk_in(&self, target: &Target) -> io::Result<Walk> {
        let (file, identity) = (Arc::new(File::open(&target.path)?), self.store.log.identity);
        let mark = self.mark_below(self.next_id);
        if mark.id > target.first_id && mark.offset > HEADER_BYTES as u64 {
            let mut walk = Walk::new(Arc::clone(&file), identity, mark.offset, mark.id);
            if walk.is_at_frame(target.bytes)? {
                return Ok(walk);
            }
        }
        Ok(Walk::new(file, identity, HEADER_BYTES as u64, target.first_id))
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.store.release(&self.name);
    }
}

/// One record that was read.
struct Read {
    id: u64,
    record: Record,
    size: u64,
}
