//! The group commit of the spool, after `append` and `sync` of `core/runtime/src/spool/log.rs`: several threads share
//! one fsync, nobody returns before what it wrote is durable, and an fsync that failed is never asked again for the same
//! file.

use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
use loom::thread;

/// A mistake to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// None: as the spool does it.
    None,
    /// Whoever waits for the fsync of another thread is not told that it has ended.
    NobodyIsTold,
    /// The end of what becomes durable is read after the fsync instead of before it.
    EndReadLate,
    /// A file is used on after its fsync failed.
    FailedFileUsedOn,
}

#[derive(Default)]
struct State {
    next_id: u64,
    durable_id: u64,
    syncing: bool,
    /// The file in use; its records begin at what was durable when it was made.
    file: Option<u32>,
    files: u32,
}

/// The disk: how far each file was written when it was last synchronised, and which failed.
#[derive(Default)]
struct Disk {
    on_disk: u64,
    failed: Vec<u32>,
}

struct Log {
    state: Mutex<State>,
    changed: Condvar,
    disk: Mutex<Disk>,
    first_sync_fails: bool,
    fault: Fault,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with the lock")
    }

    fn append(&self) -> u64 {
        let mut state = self.lock();
        while state.file.is_none() && state.syncing {
            state = self.changed.wait(state).expect("nothing panics with the lock");
        }
        Self::ensure_file(&mut state);
        state.next_id += 1;
        state.next_id
    }

    fn ensure_file(state: &mut State) -> u32 {
        if state.file.is_none() {
            state.files += 1;
            state.file = Some(state.files);
        }
        state.files
    }

    /// What the kernel does: all that was written when it begins is durable, or the file is lost.
    fn fsync(&self, file: u32, written: u64) -> bool {
        let mut disk = self.disk.lock().expect("nothing panics with the lock");
        assert!(!disk.failed.contains(&file), "a file was synchronised again after it had failed");
        if self.first_sync_fails && file == 1 {
            disk.failed.push(file);
            return false;
        }
        disk.on_disk = disk.on_disk.max(written);
        true
    }

    fn sync(&self) -> u64 {
        let mut state = self.lock();
        let target = state.next_id;
        while state.durable_id < target {
            if state.syncing {
                state = self.changed.wait(state).expect("nothing panics with the lock");
                continue;
            }
            let file = Self::ensure_file(&mut state);
            let end = state.next_id;
            state.syncing = true;
            drop(state);
            let synced = self.fsync(file, end);
            state = self.lock();
            state.syncing = false;
            if self.fault != Fault::NobodyIsTold {
                self.changed.notify_all();
            }
            if synced {
                let end = if self.fault == Fault::EndReadLate { state.next_id } else { end };
                state.durable_id = state.durable_id.max(end);
            } else if self.fault != Fault::FailedFileUsedOn {
                state.file = None;
            }
        }
        state.durable_id
    }
}

/// Two threads append and synchronise; the first file may fail.
///
/// # Panics
/// Where an order of steps answers before what was appended is on the disk.
pub fn who_returns_is_durable(first_sync_fails: bool, fault: Fault) {
    let log = Arc::new(Log {
        state: Mutex::default(),
        changed: Condvar::new(),
        disk: Mutex::default(),
        first_sync_fails,
        fault,
    });
    let work = |log: &Log| {
        let mine = log.append();
        assert!(log.sync() >= mine);
        let disk = log.disk.lock().expect("nothing panics with the lock");
        assert!(disk.on_disk >= mine, "an append was called durable that is not on the disk");
    };
    let other = Arc::clone(&log);
    let worker = thread::spawn(move || work(&other));
    work(&log);
    worker.join().expect("the worker does not panic");
}
