//! The connector's memory on disk: an append-only file with a checksum for each line.
//!
//! A line that `kill -9` cut short is removed at the next start; a damaged line is skipped and counted.
//! A write or fsync that fails marks the file as doubtful, and the next write replaces it whole. The file
//! is locked while it is in use; the kernel gives the lock back however the process ends.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use mfn_plugin::{
    author::Result,
    value::{ErrorClass, PluginError},
};
use sha2::{Digest, Sha256};

use super::{
    ledger::{Entry, Ledger},
    lines::{Lines, Place},
};
use crate::durable;

const HEADER: &[u8] = b"mfn-file-journal 1\n";
/// A journal line is a few hundred bytes; only the lines settled out of order of one huge file make more.
const LINE_BYTES_MAX: usize = 64 << 20;
/// Below this size a journal is never rewritten.
const COMPACT_BYTES_MIN: u64 = 1 << 20;
/// A file's entries take about this much when the journal is rewritten.
const BYTES_PER_FILE: u64 = 256;

/// What was wrong with a journal when it was opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Bytes of a last line that was not finished.
    pub(crate) torn_bytes: u64,
    /// Lines whose checksum or content is wrong.
    pub(crate) corrupt_lines: u64,
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    /// Set after a failed write: what lies on disk is not known.
    doubtful: bool,
}

impl Journal {
    /// Opens or makes a journal and replays it into a ledger.
    ///
    /// # Errors
    /// Blocked where another instance has it or the file can not be reached; permanent where the file
    /// is something else.
    pub(crate) fn open(path: &Path) -> Result<(Self, Ledger, Damage)> {
        let what = format!("state_file {}", path.display());
        let io_error = |error: io::Error| PluginError::io(&what, &error);
        // The source's directory was read before, so a misspelt source is not made here.
        fs::create_dir_all(durable::parent(path)).map_err(io_error)?;
        let file = lock(path, &what)?;
        let mut ledger = Ledger::default();
        let mut damage = Damage::default();
        let size = file.metadata().map_err(io_error)?.len();
        let mut head = vec![0; HEADER.len().min(usize::try_from(size).unwrap_or(usize::MAX))];
        file.read_exact_at(&mut head, 0).map_err(io_error)?;
        if !HEADER.starts_with(&head) {
            return Err(PluginError::permanent(format!(
                "{what}: the file is not a journal of this plugin or of another version; move it away (files \
                 already read then come again) or name another state_file"
            )));
        }
        let mut journal = Self { path: path.to_path_buf(), file, length: 0, doubtful: false };
        if head.len() < HEADER.len() {
            journal.file.set_len(0).map_err(io_error)?;
            journal.file.write_all_at(HEADER, 0).map_err(io_error)?;
            journal.file.sync_all().map_err(io_error)?;
            durable::sync_directory(durable::parent(path)).map_err(io_error)?;
            journal.length = HEADER.len() as u64;
            return Ok((journal, ledger, damage));
        }
        let start = Place { number: 2, offset: HEADER.len() as u64 };
        let reader = journal.file.try_clone().map_err(io_error)?;
        let mut lines = Lines::from(reader, start, LINE_BYTES_MAX).map_err(io_error)?;
        journal.length = start.offset;
        while let Some(line) = lines.read().map_err(io_error)? {
            let end = lines.next_place().offset;
            let text = line.text.unwrap_or_default();
            if end - line.place.offset == text.len() as u64 {
                // No line end: the write was cut short.
                damage.torn_bytes = end - line.place.offset;
                break;
            }
            match decode(&text) {
                Some(entry) => ledger.apply(entry),
                None => damage.corrupt_lines += 1,
            }
            journal.length = end;
        }
        // What follows a last whole line is torn, whatever it is.
        damage.torn_bytes = size.saturating_sub(journal.length);
        if damage.torn_bytes > 0 {
            journal.file.set_len(journal.length).map_err(io_error)?;
        }
        Ok((journal, ledger, damage))
    }

    /// Appends entries in one write; with `durable` they are on disk when this returns. `ledger` is the
    /// memory without them.
    ///
    /// # Errors
    /// Classified by the cause. The entries then do not count, and a later call starts a new file.
    pub(crate) fn append(&mut self, entries: &[Entry], durable: bool, ledger: &Ledger) -> Result<()> {
        let what = format!("state_file {}", self.path.display());
        if self.doubtful || self.wants_compaction(ledger) {
            self.rewrite(ledger).map_err(|error| PluginError::io(&what, &error))?;
        }
        let mut bytes = Vec::new();
        for entry in entries {
            encode(entry, &mut bytes).map_err(|error| PluginError::io(&what, &error))?;
        }
        let written = self
            .file
            .write_all_at(&bytes, self.length)
            .and_then(|()| if durable { self.file.sync_data() } else { Ok(()) });
        if let Err(error) = written {
            self.doubtful = true;
            return Err(PluginError::io(&what, &error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn wants_compaction(&self, ledger: &Ledger) -> bool {
        self.length > COMPACT_BYTES_MIN.max(4 * BYTES_PER_FILE * ledger.len() as u64)
    }

    /// Replaces the file by the shortest one with the same meaning.
    fn rewrite(&mut self, ledger: &Ledger) -> io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".tmp");
        let temporary = self.path.with_file_name(name);
        let mut writer = BufWriter::new(File::create(&temporary)?);
        writer.write_all(HEADER)?;
        let mut line = Vec::new();
        let mut length = HEADER.len() as u64;
        for entry in ledger.entries() {
            line.clear();
            encode(&entry, &mut line)?;
            writer.write_all(&line)?;
            length += line.len() as u64;
        }
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.try_lock()?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        durable::sync_directory(durable::parent(&self.path))?;
        // `File::create` gives a file that can not be read, which is all that appending needs.
        self.file = file;
        self.length = length;
        self.doubtful = false;
        Ok(())
    }
}

/// Opens a file and locks it, sure that the path still names it.
fn lock(path: &Path, what: &str) -> Result<File> {
    const ATTEMPTS_MAX: usize = 10;
    let io_error = |error: io::Error| PluginError::io(what, &error);
    for _ in 0..ATTEMPTS_MAX {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => break,
            Err(fs::TryLockError::Error(error)) => return Err(io_error(error)),
        }
        // A rewrite by the instance that had it may have put another file there meanwhile.
        let here = file.metadata().map_err(io_error)?;
        match fs::metadata(path) {
            Ok(there) if there.ino() == here.ino() && there.dev() == here.dev() => return Ok(file),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(error)),
        }
    }
    let fix = "another instance uses it; stop that one or set state_file to another path";
    Err(PluginError::new(ErrorClass::Blocked, format!("{what}: {fix}")))
}

fn checksum(json: &[u8]) -> [u8; 16] {
    let mut hex = [0; 16];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(Sha256::digest(json)) {
        pair.copy_from_slice(format!("{byte:02x}").as_bytes());
    }
    hex
}

fn encode(entry: &Entry, bytes: &mut Vec<u8>) -> io::Result<()> {
    let json = serde_json::to_vec(entry)?;
    bytes.extend_from_slice(&checksum(&json));
    bytes.push(b' ');
    bytes.extend_from_slice(&json);
    bytes.push(b'\n');
    Ok(())
}

fn decode(line: &[u8]) -> Option<Entry> {
    let (sum, rest) = line.split_at_checked(16)?;
    let json = rest.strip_prefix(b" ")?;
    if checksum(json) == sum { serde_json::from_slice(json).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::scan::Fingerprint;

    fn take(f: u64, name: &str) -> Entry {
        let fingerprint = Fingerprint { size: f, mtime_s: -1, mtime_ns: 5, inode: 7 };
        Entry::Take { f, name: name.into(), fingerprint, digest: "d".into(), suffix: "@\n".into() }
    }

    fn write(journal: &mut Journal, ledger: &mut Ledger, entry: Entry) {
        journal.append(std::slice::from_ref(&entry), false, ledger).unwrap();
        ledger.apply(entry);
    }

    /// Guards the size and the meaning: a journal of many settlements of one file stays near its limit, and
    /// what is read back is what was in memory, before and after the rewrites.
    #[test]
    fn a_rewritten_journal_means_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, mut ledger, _) = Journal::open(&path).unwrap();
        for f in 1..=3 {
            write(&mut journal, &mut ledger, take(f, &format!("\"{f}\"")));
        }
        write(&mut journal, &mut ledger, Entry::Done { f: 1, rejected: 2 });
        write(&mut journal, &mut ledger, Entry::Gone { f: 1 });
        for line in 1..=20_000 {
            let above = vec![line * 2 + 3];
            let entry = Entry::Settle { f: 2, through: line, offset: line * 10, above, rejected: 1 };
            write(&mut journal, &mut ledger, entry);
        }
        let length = fs::metadata(&path).unwrap().len();
        assert_eq!(length, journal.length);
        assert!(length < 3 * COMPACT_BYTES_MIN, "{length} bytes");
        drop(journal);
        let (_, read, damage) = Journal::open(&path).unwrap();
        assert_eq!(damage, Damage::default());
        assert!(read.entries().eq(ledger.entries()));
        assert_eq!(read.find("\"2\"").unwrap().1.through, 20_000);
        assert_eq!(read.next_number(), 4);
    }

    /// Guards a failed write: what lies on disk is not trusted, the next write replaces it, and nothing that
    /// was acknowledged is lost.
    #[test]
    fn a_doubtful_journal_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, mut ledger, _) = Journal::open(&path).unwrap();
        write(&mut journal, &mut ledger, take(1, "a"));
        let writable = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
        let refused = [take(2, "b")];
        journal.append(&refused, true, &ledger).unwrap_err();
        // Half of what was refused reached the disk.
        writable.write_all_at(b"0123456789abcdef {\"t\":", journal.length).unwrap();
        write(&mut journal, &mut ledger, take(2, "c"));
        drop((journal, writable));
        let (_, read, damage) = Journal::open(&path).unwrap();
        assert_eq!(damage, Damage::default());
        assert!(read.entries().eq(ledger.entries()));
    }
}
