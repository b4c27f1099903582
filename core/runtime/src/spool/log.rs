//! The end of the log where records are written: appending, making durable, and what happens when the disk
//! fails.
//!
//! Records that are not durable yet are also kept in memory. After a failed fsync the kernel may have
//! dropped what it could not write and call the file clean, so the file is never trusted again: its
//! remaining records are written from memory into a new segment, and only that one's fsync counts.

use std::collections::VecDeque;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;
use super::error::SpoolError;
use super::format::{HEADER_BYTES, Header, Identity};
use super::frames::Frames;
use super::ids::Damage;
use super::segment::{self, Segment};

/// The most that is kept in memory because it is not durable. An append beyond it waits for an fsync.
const PENDING_BYTES_MAX: u64 = 16 << 20;
/// How often one `sync` begins a new segment because the last one failed.
const SYNC_ATTEMPTS_MAX: u32 = 2;

/// The log of one directory. Any thread may append and sync.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) directory: PathBuf,
    pub(super) identity: Identity,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) bytes_max: u64,
    pub(super) segment_bytes_max: u64,
    state: Mutex<State>,
    /// Told when records became durable or an fsync ended.
    changed: Condvar,
}

/// What is in the log.
#[derive(Debug, Default)]
pub(super) struct State {
    /// In the order of their ids.
    pub(super) segments: VecDeque<Segment>,
    /// The file of the last segment, when records may be appended to it.
    pub(super) active: Option<Arc<File>>,
    /// Written but not durable, in order; each with the id after its last record.
    pub(super) pending: VecDeque<(u64, Vec<u8>)>,
    pub(super) next_id: u64,
    /// Every record below is durable.
    pub(super) durable_id: u64,
    /// A thread is inside fsync, without the lock.
    pub(super) syncing: bool,
    pub(super) serials: u64,
    pub(super) damage: Damage,
    /// Files that were given up after a failed write or fsync.
    pub(super) poisoned: u64,
}

impl State {
    /// Sizes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    pub(super) fn pending_bytes(&self) -> u64 {
        self.pending.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// The id after the last record of a segment that can be read.
    pub(super) fn bound(&self, index: usize) -> u64 {
        self.segments.get(index + 1).map_or(self.durable_id, |next| next.first_id.min(self.durable_id))
    }

    fn poison(&mut self) {
        self.active = None;
        self.poisoned += 1;
    }

    fn is_durable_below(&mut self, id: u64) {
        self.durable_id = self.durable_id.max(id);
        while self.pending.front().is_some_and(|(end, _)| *end <= self.durable_id) {
            self.pending.pop_front();
        }
    }
}

impl Log {
    pub(super) fn new(
        directory: PathBuf,
        identity: Identity,
        disk: Arc<dyn Disk>,
        [bytes_max, segment_bytes_max]: [u64; 2],
        state: State,
    ) -> Self {
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Self { directory, identity, disk, bytes_max, segment_bytes_max, state, changed }
    }

    /// The state. A thread that panicked with it can not have left it half-changed: nothing in here panics.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something may have become durable.
    pub(super) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        timeout: std::time::Duration,
    ) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0
    }

    fn wait_for_sync<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so many more bytes can be taken now.
    fn check_room(&self, state: &State, needed: u64) -> Result<(), SpoolError> {
        let bytes = state.bytes();
        if bytes + needed + HEADER_BYTES as u64 <= self.bytes_max {
            return Ok(());
        }
        let directory = self.directory.clone();
        Err(SpoolError::Full { directory, bytes, needed, bytes_max: self.bytes_max })
    }

    /// Writes frames behind all others and gives them their ids. They are durable after the next
    /// [`Log::sync`].
    pub(super) fn append(&self, mut frames: Frames) -> Result<Range<u64>, SpoolError> {
        let needed = frames.bytes();
        let mut state = self.lock();
        if frames.is_empty() {
            return Ok(state.next_id..state.next_id);
        }
        loop {
            self.check_room(&state, needed)?;
            let pending = state.pending_bytes();
            if pending > 0 && pending + needed > PENDING_BYTES_MAX {
                drop(state);
                self.sync()?;
                state = self.lock();
                continue;
            }
            let is_full = state.segments.back().is_some_and(|last| {
                state.next_id > last.first_id && last.bytes + needed > self.segment_bytes_max
            });
            let is_ready = state.active.is_some() && !is_full;
            if !is_ready && state.syncing {
                // Two threads in fsync of one file could not tell whose failure it is.
                state = self.wait_for_sync(state);
                continue;
            }
            if state.active.is_some() && is_full {
                self.seal(&mut state);
                continue;
            }
            self.ensure_active(&mut state)?;
            return self.write(&mut state, &mut frames);
        }
    }

    fn write(&self, state: &mut State, frames: &mut Frames) -> Result<Range<u64>, SpoolError> {
        let ids = state.next_id..state.next_id + frames.len() as u64;
        let bytes = frames.finish(ids.start, self.identity);
        let (Some(file), Some(last)) = (state.active.clone(), state.segments.back_mut()) else {
            return Ok(ids.start..ids.start);
        };
        if let Err(error) = self.disk.write_at(&last.path, &file, &bytes, last.bytes) {
            let refused = SpoolError::disk(&last.path, "written", &error);
            if self.disk.set_len(&last.path, &file, last.bytes).is_err() {
                state.poison();
            }
            return Err(refused);
        }
        last.bytes += bytes.len() as u64;
        state.pending.push_back((ids.end, bytes));
        state.next_id = ids.end;
        Ok(ids)
    }

    /// Makes all of the active segment durable and ends it. Where that fails the file is given up; its
    /// records are still in memory.
    fn seal(&self, state: &mut State) {
        if let (Some(file), Some(last)) = (state.active.take(), state.segments.back()) {
            match self.disk.sync_file(&last.path, &file) {
                Ok(()) => state.is_durable_below(state.next_id),
                Err(_) => state.poison(),
            }
            self.changed.notify_all();
        }
    }

    /// Begins a segment where there is none to append to, with what the last one could not make durable.
    fn ensure_active(&self, state: &mut State) -> Result<(), SpoolError> {
        if state.active.is_some() {
            return Ok(());
        }
        let first_id = state.durable_id;
        let path = self.directory.join(segment::name(first_id));
        let header = Header { identity: self.identity, first_id };
        let disk_error = |error| SpoolError::disk(&path, "written", &error);
        // A segment without a durable record has the same name and is replaced.
        let file = segment::create(&*self.disk, &path, header).map_err(disk_error)?;
        let mut bytes = HEADER_BYTES as u64;
        let mut written = Ok(());
        for (_, chunk) in &state.pending {
            written = self.disk.write_at(&path, &file, chunk, bytes);
            if written.is_err() {
                break;
            }
            bytes += chunk.len() as u64;
        }
        if state.segments.back().is_some_and(|last| last.first_id == first_id) {
            state.segments.pop_back();
        }
        state.serials += 1;
        let serial = state.serials;
        state.segments.push_back(Segment { serial, first_id, path: path.clone(), bytes });
        // Half of it is written: nothing may be appended, and the next attempt replaces it.
        written.map_err(disk_error)?;
        state.active = Some(Arc::new(file));
        Ok(())
    }

    /// Makes everything durable that was appended before. Several callers share one fsync.
    pub(super) fn sync(&self) -> Result<u64, SpoolError> {
        let mut state = self.lock();
        let target = state.next_id;
        let mut attempt = 0;
        while state.durable_id < target {
            if state.syncing {
                state = self.wait_for_sync(state);
                continue;
            }
            attempt += 1;
            self.ensure_active(&mut state)?;
            let (Some(file), Some(last)) = (state.active.clone(), state.segments.back()) else { continue };
            let (path, end) = (last.path.clone(), state.next_id);
            state.syncing = true;
            drop(state);
            let synced = self.disk.sync_file(&path, &file);
            state = self.lock();
            state.syncing = false;
            self.changed.notify_all();
            match synced {
                Ok(()) => state.is_durable_below(end),
                Err(error) => {
                    state.poison();
                    if attempt == SYNC_ATTEMPTS_MAX {
                        return Err(SpoolError::disk(&path, "made durable", &error));
                    }
                }
            }
        }
        Ok(state.durable_id)
    }

    /// Whether [`Log::remove_below`] would find anything.
    pub(super) fn has_below(&self, id: u64) -> bool {
        let state = self.lock();
        state.segments.iter().enumerate().any(|(index, _)| self.is_removable(&state, index, id))
    }

    /// A segment can go when all of it is below an id. The last one goes when nothing is left to read in it and it is
    /// worth a new one.
    fn is_removable(&self, state: &State, index: usize, id: u64) -> bool {
        let Some(segment) = state.segments.get(index) else { return false };
        match state.segments.get(index + 1) {
            Some(next) => next.first_id <= id,
            None => {
                let is_done = id >= state.next_id && state.durable_id == state.next_id && !state.syncing;
                is_done && segment.bytes >= self.segment_bytes_max / 4
            }
        }
    }

    /// Removes the segments that are wholly below an id and says how many bytes that freed. That the ids were given
    /// out must be durable elsewhere.
    pub(super) fn remove_below(&self, id: u64) -> Result<u64, SpoolError> {
        let mut state = self.lock();
        let mut freed = 0;
        while self.is_removable(&state, 0, id) {
            let Some(segment) = state.segments.front() else { break };
            match self.disk.remove(&segment.path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(SpoolError::disk(&segment.path, "removed", &error)),
            }
            freed += segment.bytes;
            state.segments.pop_front();
            if state.segments.is_empty() {
                state.active = None;
            }
        }
        let first_id = state.segments.front().map_or(state.next_id, |segment| segment.first_id);
        state.damage.forget_below(first_id);
        drop(state);
        if freed > 0 {
            let synced = self.disk.sync_directory(&self.directory);
            synced.map_err(|error| SpoolError::disk(&self.directory, "made durable", &error))?;
        }
        Ok(freed)
    }
}
