//! A disk that forgets: what a machine has after it lost its power, page by page, and an fsync that fails.
//!
//! It does everything on the real disk too. Beside that it keeps what fsync has made durable. A crash
//! gives a directory with that, with any subset of the pages written since, and with any of the names that no
//! fsync of the directory has settled. After a failed fsync its pages count as clean, as Linux has it: a later
//! fsync succeeds without having written them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::spool::disk::{Disk, SystemDisk};

const PAGE: usize = 4096;

/// Numbers from a seed (splitmix64).
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end.max(1)
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// One file: as programs see it, as the platter has it, and which pages differ because they wait.
#[derive(Debug, Default, Clone)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Memory {
    files: Vec<Content>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    failing: BTreeMap<&'static str, u32>,
    struck: u32,
}

#[derive(Debug, Default)]
pub(super) struct CrashDisk(Mutex<Memory>);

impl CrashDisk {
    /// The disk of a directory whose content is all durable.
    pub(super) fn of(directory: &Path) -> Self {
        let mut memory = Memory::default();
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            memory.known(&path);
        }
        memory.durable_names = memory.names.clone();
        Self(Mutex::new(memory))
    }

    /// Lets the next calls of one operation fail.
    pub(super) fn fail(&self, operation: &'static str, times: u32) {
        self.0.lock().unwrap().failing.insert(operation, times);
    }

    /// How many calls have failed.
    pub(super) fn struck(&self) -> u32 {
        self.0.lock().unwrap().struck
    }

    /// Writes into an empty directory what a loss of power now would have left.
    pub(super) fn crash(&self, dice: &mut Dice, to: &Path) {
        let memory = self.0.lock().unwrap();
        let paths: BTreeSet<&PathBuf> = memory.names.keys().chain(memory.durable_names.keys()).collect();
        for path in paths {
            let which = if dice.coin() { &memory.names } else { &memory.durable_names };
            if let Some(&file) = which.get(path) {
                fs::write(to.join(path.file_name().unwrap()), memory.files[file].after_crash(dice)).unwrap();
            }
        }
    }

    fn failure(&self, operation: &'static str) -> io::Result<()> {
        let mut memory = self.0.lock().unwrap();
        match memory.failing.get_mut(operation) {
            Some(times) if *times > 0 => {
                *times -= 1;
                memory.struck += 1;
                Err(io::Error::from_raw_os_error(5))
            }
            _ => Ok(()),
        }
    }
}

impl Memory {
    /// The file of a name; one that was not made here is durable as it is.
    fn known(&mut self, path: &Path) -> usize {
        if let Some(&file) = self.names.get(path) {
            return file;
        }
        let now = fs::read(path).unwrap();
        self.files.push(Content { durable: now.clone(), now, dirty: BTreeSet::new() });
        self.names.insert(path.to_path_buf(), self.files.len() - 1);
        self.files.len() - 1
    }
}

impl Content {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.now.len() < end {
            self.now.resize(end, 0);
        }
        self.now[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / PAGE..end.div_ceil(PAGE));
    }

    fn sync(&mut self, succeeds: bool) {
        let pages = std::mem::take(&mut self.dirty);
        if succeeds {
            self.durable.resize(self.now.len(), 0);
            pages.into_iter().for_each(|page| copy_page(&self.now, &mut self.durable, page));
        }
    }

    fn after_crash(&self, dice: &mut Dice) -> Vec<u8> {
        let mut left = self.durable.clone();
        let length = match dice.below(3) {
            0 => self.now.len(),
            1 => self.durable.len(),
            _ => {
                let (low, high) =
                    (self.now.len().min(self.durable.len()), self.now.len().max(self.durable.len()));
                low + dice.below((high - low) as u64 + 1) as usize
            }
        };
        // A file is never shorter than what an fsync has promised, unless it was cut since.
        left.resize(length.max(self.durable.len().min(self.now.len())), 0);
        for &page in &self.dirty {
            if dice.coin() {
                copy_page(&self.now, &mut left, page);
            }
        }
        left
    }
}

fn copy_page(from: &[u8], to: &mut [u8], page: usize) {
    let end = ((page + 1) * PAGE).min(from.len()).min(to.len());
    if page * PAGE < end {
        to[page * PAGE..end].copy_from_slice(&from[page * PAGE..end]);
    }
}

impl Disk for CrashDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.failure("create")?;
        let mut memory = self.0.lock().unwrap();
        memory.files.push(Content::default());
        let file = memory.files.len() - 1;
        memory.names.insert(path.to_path_buf(), file);
        SystemDisk.create(path)
    }

    fn write_at(&self, path: &Path, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let failure = self.failure("write");
        // Where it fails, some of it was written all the same.
        let written = if failure.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        let mut memory = self.0.lock().unwrap();
        let known = memory.known(path);
        memory.files[known].write(written, offset as usize);
        SystemDisk.write_at(path, file, written, offset)?;
        failure
    }

    fn set_len(&self, path: &Path, file: &File, bytes: u64) -> io::Result<()> {
        self.failure("set_len")?;
        let mut memory = self.0.lock().unwrap();
        let known = memory.known(path);
        let content = &mut memory.files[known];
        content.now.resize(bytes as usize, 0);
        content.dirty.insert(bytes as usize / PAGE);
        SystemDisk.set_len(path, file, bytes)
    }

    fn sync_file(&self, path: &Path, file: &File) -> io::Result<()> {
        let failure = self.failure("sync");
        let mut memory = self.0.lock().unwrap();
        let known = memory.known(path);
        memory.files[known].sync(failure.is_ok());
        failure.and_then(|()| SystemDisk.sync_file(path, file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.failure("rename")?;
        let mut memory = self.0.lock().unwrap();
        let known = memory.known(from);
        memory.names.remove(from);
        memory.names.insert(to.to_path_buf(), known);
        SystemDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.failure("remove")?;
        self.0.lock().unwrap().names.remove(path);
        SystemDisk.remove(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.failure("sync_directory")?;
        let mut memory = self.0.lock().unwrap();
        memory.durable_names = memory.names.clone();
        SystemDisk.sync_directory(directory)
    }
}
