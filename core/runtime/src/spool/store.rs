//! A log with its cursors: what keeps positions durable, and what may be removed.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::disk::Disk;
use super::error::SpoolError;
use super::frames::Frames;
use super::log::Log;
use super::positions::{CURSORS_MAX, Mark, NAME_BYTES_MAX, Position, Positions, PositionsFile};
use super::recovery::{self, Opened};
use super::{SpoolOptions, SpoolReport};

/// How long a commit may wait to be made durable together with others.
const COMMIT_DELAY: Duration = Duration::from_millis(250);

/// What a spool and its cursors share. The directory is theirs until the last of them is gone.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) log: Log,
    table: Arc<Table>,
    flusher: Option<JoinHandle<()>>,
}

/// The positions, in memory and on disk.
#[derive(Debug)]
struct Table {
    state: Mutex<TableState>,
    /// Told when there is something to make durable, and at the end.
    changed: Condvar,
    /// Held while positions are written, so that older ones never overwrite newer ones.
    file: Mutex<PositionsFile>,
    disk: Arc<dyn Disk>,
    /// Locked; the kernel gives the lock back however the process ends.
    _marker: File,
}

#[derive(Debug)]
struct TableState {
    positions: Positions,
    /// Names of the cursors that are given out.
    in_use: Vec<String>,
    /// Grows with each change.
    version: u64,
    durable_version: u64,
    stop: bool,
}

impl TableState {
    /// Notes that the positions are other than those on disk.
    fn touch(&mut self, changed: &Condvar) {
        if self.version == self.durable_version {
            changed.notify_all();
        }
        self.version += 1;
    }

    fn note_durable(&mut self, durable_id: u64, changed: &Condvar) {
        if durable_id > self.positions.durable_id {
            self.positions.durable_id = durable_id;
            self.touch(changed);
        }
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, TableState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the positions durable as they are now.
    fn write(&self) -> Result<(), SpoolError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, positions) = {
            let state = self.lock();
            if state.version == state.durable_version {
                return Ok(());
            }
            (state.version, state.positions.clone())
        };
        file.write(&*self.disk, &positions)?;
        self.lock().durable_version = version;
        Ok(())
    }

    /// Writes positions soon after they changed, until it is told to stop.
    fn flush_until_stopped(&self) {
        loop {
            let mut state = self.lock();
            while !state.stop && state.version == state.durable_version {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if !state.stop {
                // Others may come meanwhile, and share the write.
                let wait = self.changed.wait_timeout_while(state, COMMIT_DELAY, |state| !state.stop);
                state = wait.unwrap_or_else(PoisonError::into_inner).0;
            }
            let stop = state.stop;
            drop(state);
            // A failure keeps the change pending; the next round, a trim or a restart deals with it. Positions
            // that are too old are read again, never skipped.
            let _ = self.write();
            if stop {
                return;
            }
        }
    }
}

impl Store {
    pub(super) fn open(
        directory: &Path,
        options: SpoolOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<(Arc<Self>, SpoolReport), SpoolError> {
        let limits = options.limits()?;
        let Opened { marker, identity, state, positions, positions_file, report } =
            recovery::open(directory, &*disk)?;
        let table = Arc::new(Table {
            state: Mutex::new(TableState {
                positions,
                in_use: Vec::new(),
                version: 0,
                durable_version: 0,
                stop: false,
            }),
            changed: Condvar::new(),
            file: Mutex::new(positions_file),
            disk: Arc::clone(&disk),
            _marker: marker,
        });
        let log = Log::new(directory.to_path_buf(), identity, disk, limits, state);
        let flushed = Arc::clone(&table);
        let thread = std::thread::Builder::new().name("mfn-spool".to_owned());
        let flusher = thread
            .spawn(move || flushed.flush_until_stopped())
            .map_err(|error| SpoolError::disk(directory, "given a thread", &error))?;
        let store = Arc::new(Self { log, table, flusher: Some(flusher) });
        store.trim()?;
        Ok((store, report))
    }

    /// Appends, and makes room first where that is possible.
    pub(super) fn append(&self, frames: impl Fn() -> Frames) -> Result<std::ops::Range<u64>, SpoolError> {
        match self.log.append(frames()) {
            Err(SpoolError::Full { .. }) if self.trim()? > 0 => self.log.append(frames()),
            done => done,
        }
    }

    pub(super) fn position(&self, name: &str) -> Position {
        self.table.lock().positions.cursors.get(name).copied().unwrap_or_default()
    }

    /// Every cursor that is known, given out or not.
    pub(super) fn positions(&self) -> Vec<(String, u64)> {
        let state = self.table.lock();
        state.positions.cursors.iter().map(|(name, position)| (name.clone(), position.next_id)).collect()
    }

    /// Gives a cursor out; a new one begins with the oldest record.
    pub(super) fn acquire(&self, name: &str) -> Result<Position, SpoolError> {
        let refused = |problem: String| SpoolError::Cursor { name: name.to_owned(), problem };
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(refused(format!(
                "has a name of {} bytes; 1 to {NAME_BYTES_MAX} are allowed",
                name.len()
            )));
        }
        let oldest = {
            let log = self.log.lock();
            log.segments.front().map_or(log.next_id, |segment| segment.first_id)
        };
        let mut state = self.table.lock();
        if state.in_use.iter().any(|used| used == name) {
            return Err(refused("is in use; drop the other one first".to_owned()));
        }
        let position = match state.positions.cursors.get(name) {
            Some(position) => *position,
            None if state.positions.cursors.len() == CURSORS_MAX => {
                return Err(refused(format!(
                    "would be more than the {CURSORS_MAX} cursors that a spool has; remove one"
                )));
            }
            None => {
                let position = Position { next_id: oldest, mark: Mark::default() };
                state.positions.cursors.insert(name.to_owned(), position);
                state.touch(&self.table.changed);
                position
            }
        };
        state.in_use.push(name.to_owned());
        Ok(position)
    }

    pub(super) fn release(&self, name: &str) {
        self.table.lock().in_use.retain(|used| used != name);
    }

    /// Forgets a cursor that is not given out, for good.
    pub(super) fn remove(&self, name: &str) -> Result<(), SpoolError> {
        {
            let mut state = self.table.lock();
            if state.in_use.iter().any(|used| used == name) {
                let problem = "is in use and can not be removed; drop it first".to_owned();
                return Err(SpoolError::Cursor { name: name.to_owned(), problem });
            }
            if state.positions.cursors.remove(name).is_none() {
                return Ok(());
            }
            state.touch(&self.table.changed);
        }
        self.table.write()
    }

    pub(super) fn commit(&self, name: &str, next_id: u64, mark: Mark) {
        let durable_id = self.log.lock().durable_id;
        let mut state = self.table.lock();
        let Some(position) = state.positions.cursors.get_mut(name) else { return };
        if next_id > position.next_id {
            *position = Position { next_id, mark };
            state.positions.durable_id = state.positions.durable_id.max(durable_id);
            state.touch(&self.table.changed);
        }
    }

    /// Makes all positions durable, and what is known of the log's end.
    pub(super) fn write_positions(&self) -> Result<(), SpoolError> {
        let durable_id = self.log.lock().durable_id;
        self.table.lock().note_durable(durable_id, &self.table.changed);
        self.table.write()
    }

    /// Removes the segments that every cursor is done with and says how many bytes that freed.
    pub(super) fn trim(&self) -> Result<u64, SpoolError> {
        let Some(done) = self.table.lock().positions.cursors.values().map(|position| position.next_id).min()
        else {
            return Ok(0);
        };
        if !self.log.has_below(done) {
            return Ok(0);
        }
        // The ids in the files that go are known from nowhere else afterwards.
        self.write_positions()?;
        self.log.remove_below(done)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // What was appended and not synced was promised to nobody; it is kept where that is possible.
        let _ = self.log.sync();
        let durable_id = self.log.lock().durable_id;
        {
            let mut state = self.table.lock();
            state.note_durable(durable_id, &self.table.changed);
            state.stop = true;
        }
        self.table.changed.notify_all();
        if let Some(flusher) = self.flusher.take() {
            // The thread can not panic, and writes once more before it ends.
            let _ = flusher.join();
        }
    }
}
