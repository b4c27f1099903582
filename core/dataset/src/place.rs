//! The places of a sweep: its target, the partial folder beside it, and the lock that keeps others out.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::DatasetError;

/// The partial folder of a target, locked. Another process gets it only when this one has ended, in whatever way.
pub(crate) struct Place {
    target: PathBuf,
    folder: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// How often a lock that was removed meanwhile is tried again.
const ATTEMPTS_MAX: u32 = 100;

impl Place {
    /// Makes the partial folder where it is missing, and locks it.
    pub(crate) fn take(target: &Path) -> Result<Self, DatasetError> {
        if target.is_dir() || target.file_name().is_none() {
            return Err(DatasetError::Extension { path: target.to_owned() });
        }
        let mut name: OsString = target.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let folder = target.with_file_name(name);
        let busy = || DatasetError::Busy { path: target.to_owned() };
        for _ in 0..ATTEMPTS_MAX {
            fs::create_dir_all(&folder).map_err(DatasetError::io(&folder, "made"))?;
            let path = folder.join("lock");
            let lock = match OpenOptions::new().write(true).create(true).truncate(false).open(&path) {
                Ok(lock) => lock,
                // Another process has just finished and removed the folder.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(DatasetError::io(&path, "opened")(error)),
            };
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(busy()),
                Err(TryLockError::Error(error)) => return Err(DatasetError::io(&path, "locked")(error)),
            }
            // A lock that another process removed meanwhile would keep nobody out.
            if is_same(&lock, &path).map_err(DatasetError::io(&path, "read"))? {
                return Ok(Self { target: target.to_owned(), folder, _lock: lock });
            }
        }
        Err(busy())
    }

    /// The target.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The partial folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join("journal")
    }

    /// The content on its way to the target.
    pub(crate) fn content(&self) -> PathBuf {
        self.folder.join("content")
    }

    /// Throws away what an interrupted sweep left.
    pub(crate) fn clear(&self) -> Result<(), DatasetError> {
        for path in [self.journal(), self.content()] {
            remove(&path).map_err(DatasetError::io(&path, "removed"))?;
        }
        Ok(())
    }

    /// Puts the finished content under the target's name, durably, and removes the partial folder.
    pub(crate) fn publish(self) -> Result<(), DatasetError> {
        let content = self.content();
        fs::rename(&content, &self.target).map_err(DatasetError::io(&self.target, "written"))?;
        let parent = match self.target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let synced = File::open(parent).and_then(|parent| parent.sync_all());
        synced.map_err(DatasetError::io(parent, "made durable"))?;
        self.clear()?;
        self.leave()
    }

    /// Removes the lock and the folder, unless something is in it.
    pub(crate) fn leave(self) -> Result<(), DatasetError> {
        if !self.journal().exists() && !self.content().exists() {
            let lock = self.folder.join("lock");
            remove(&lock).map_err(DatasetError::io(&lock, "removed"))?;
            // Another process may have put its lock there in this moment; then the folder is its own.
            let _ = fs::remove_dir(&self.folder);
        }
        Ok(())
    }
}

/// Removes a file; one that is not there is removed.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether an open file is still the one under its name.
#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((open.dev(), open.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere an open file can not be removed.
#[cfg(not(unix))]
fn is_same(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}
