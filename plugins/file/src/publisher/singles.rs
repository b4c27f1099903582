//! One file for each record, which appears whole or not at all.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::series;
use crate::durable;

/// How often a file is written whose temporary name another instance removes.
const ATTEMPTS_MAX: usize = 3;

/// Tells the temporary names of two instances in one process apart.
static TEMPORARY_COUNT: AtomicU64 = AtomicU64::new(0);

/// A directory of record files.
#[derive(Debug)]
pub(crate) struct Singles {
    directory: PathBuf,
    prefix: String,
    fsync: bool,
    next: u64,
    is_name_new: bool,
}

impl Singles {
    /// Goes on behind the highest number, and removes what interrupted writes left.
    ///
    /// # Errors
    /// When the directory can not be listed.
    pub(crate) fn open(directory: PathBuf, prefix: String, fsync: bool) -> io::Result<Self> {
        remove_leftovers(&directory, &prefix)?;
        let next = series::numbers(&directory, &prefix, None)?.last().map_or(1, |last| last + 1);
        Ok(Self { directory, prefix, fsync, next, is_name_new: false })
    }

    /// Writes one file.
    ///
    /// # Errors
    /// Those of the operating system; then there is no file.
    pub(crate) fn write(&mut self, bytes: &[u8], extension: &str) -> io::Result<()> {
        let mut written = self.try_write(bytes, extension);
        for _ in 1..ATTEMPTS_MAX {
            match &written {
                // Another instance that was just opening took the file for a leftover before it was locked.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::WouldBlock) => {
                    written = self.try_write(bytes, extension);
                }
                _ => break,
            }
        }
        written
    }

    fn try_write(&mut self, bytes: &[u8], extension: &str) -> io::Result<()> {
        let count = TEMPORARY_COUNT.fetch_add(1, Ordering::Relaxed);
        let temporary = self.directory.join(format!(".{}-{}-{count}.tmp", self.prefix, std::process::id()));
        let written = self.write_temporary(&temporary, bytes).and_then(|file| {
            let named = self.give_name(&temporary, extension);
            drop(file);
            named
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn write_temporary(&self, temporary: &Path, bytes: &[u8]) -> io::Result<File> {
        let mut file = File::create(temporary)?;
        // Held until the name is final, so that no other instance takes it for a leftover.
        file.try_lock()?;
        file.write_all(bytes)?;
        if self.fsync {
            file.sync_all()?;
        }
        Ok(file)
    }

    fn give_name(&mut self, temporary: &Path, extension: &str) -> io::Result<()> {
        loop {
            let target = self.directory.join(series::name(&self.prefix, self.next, extension));
            self.next += 1;
            match durable::rename_new(temporary, &target) {
                Ok(()) => {
                    self.is_name_new = true;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes the names durable; the contents are already.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.fsync && self.is_name_new {
            durable::sync_directory(&self.directory)?;
        }
        self.is_name_new = false;
        Ok(())
    }
}

/// Removes temporary files that no living instance holds.
fn remove_leftovers(directory: &Path, prefix: &str) -> io::Result<()> {
    let begin = format!(".{prefix}-");
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(&begin) && name.ends_with(".tmp"));
        if is_ours
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}
