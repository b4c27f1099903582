//! Looks for files: the scan is the truth about what there is.
//!
//! A file counts as found only when it is a regular file under a finished name, and as ripe only when it
//! has stopped changing, so a writer is never overtaken.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::config::{Settings, Source};

/// What tells two states of a file apart without reading it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    /// Bytes.
    pub(crate) size: u64,
    /// Seconds of the time of change since the Unix epoch.
    pub(crate) mtime_s: i64,
    /// Its nanoseconds.
    pub(crate) mtime_ns: i64,
    /// The file's number on its file system.
    pub(crate) inode: u64,
}

impl Fingerprint {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        Self {
            size: metadata.len(),
            mtime_s: metadata.mtime(),
            mtime_ns: metadata.mtime_nsec(),
            inode: metadata.ino(),
        }
    }

    /// The time of change in milliseconds since the Unix epoch.
    pub(crate) fn mtime_ms(&self) -> i64 {
        self.mtime_s.saturating_mul(1000).saturating_add(self.mtime_ns / 1_000_000)
    }
}

/// A file that may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) fingerprint: Fingerprint,
}

impl Found {
    /// Whether it is a named file that could not be looked at.
    pub(crate) fn is_missing(&self) -> bool {
        self.fingerprint == Fingerprint::default()
    }
}

/// What a scan brought.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Sorted by name.
    pub(crate) found: Vec<Found>,
    /// Names that fit but can not be taken, with the reason.
    pub(crate) skipped: Vec<(String, String)>,
}

impl Scan {
    /// Looks at everything that the settings name.
    ///
    /// # Errors
    /// When the directory can not be listed. A single file never fails the scan.
    pub(crate) fn run(settings: &Settings) -> io::Result<Self> {
        let mut scan = Self::default();
        match &settings.source {
            Source::Files(files) => {
                for (name, path) in files {
                    let before = scan.found.len();
                    scan.look(name.clone(), path, true);
                    if scan.found.len() == before && !settings.watch {
                        // It is expected: opening it will say what is wrong with it.
                        let fingerprint = Fingerprint::default();
                        scan.found.push(Found { name: name.clone(), path: path.clone(), fingerprint });
                    }
                }
            }
            Source::Directory { path, pattern, follow_links } => {
                for entry in fs::read_dir(path)? {
                    let entry = entry?;
                    let name = entry.file_name();
                    let path = entry.path();
                    if is_finished(&name)
                        && path != settings.state_file
                        && pattern.is_match(Path::new(&name))
                        && settings.format_of(&path).is_some()
                    {
                        scan.look(text_name(&name), &path, *follow_links);
                    }
                }
                scan.found.sort_by(|a, b| a.name.cmp(&b.name));
            }
        }
        Ok(scan)
    }

    fn look(&mut self, name: String, path: &Path, follow: bool) {
        let metadata = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
        match metadata {
            Ok(metadata) if metadata.is_file() => {
                let fingerprint = Fingerprint::of(&metadata);
                self.found.push(Found { name, path: path.to_path_buf(), fingerprint });
            }
            Ok(metadata) => self.skipped.push((name, format!("it is {}", kind_of(metadata.file_type())))),
            // Gone since the listing, or not there yet: nothing to tell.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.skipped.push((name, error.to_string())),
        }
    }
}

fn kind_of(file_type: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_symlink() {
        "a symbolic link and follow_links is off"
    } else if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Whether a name is not one that writers use for a file in the making.
fn is_finished(name: &OsStr) -> bool {
    let name = name.as_bytes();
    !name.starts_with(b".") && !name.ends_with(b".tmp") && !name.ends_with(b".part")
}

/// A name as text, different for different names. Bytes that are not UTF-8 appear as `\xNN`, a backslash
/// twice, and control characters as `\n` or `\u{1b}`: names end up on terminals and in logs.
pub(crate) fn text_name(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || c == '\\' {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        text.push_str(&chunk.invalid().escape_ascii().to_string());
    }
    text
}

/// Waits until files have stopped changing.
#[derive(Debug, Default)]
pub(crate) struct Ripening(HashMap<String, (Fingerprint, Instant)>);

impl Ripening {
    /// Splits off the files that stayed the same for `settle_time`; the others are watched further.
    pub(crate) fn ripe(&mut self, found: Vec<Found>, settle_time: Duration, now: Instant) -> Vec<Found> {
        if settle_time.is_zero() {
            return found;
        }
        let mut before = std::mem::take(&mut self.0);
        let mut ripe = Vec::new();
        for file in found {
            let since = match before.remove(&file.name) {
                Some((fingerprint, since)) if fingerprint == file.fingerprint => since,
                _ => now,
            };
            if now.duration_since(since) >= settle_time {
                ripe.push(file);
            } else {
                self.0.insert(file.name, (file.fingerprint, since));
            }
        }
        ripe
    }

    /// How many files are watched.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards terminals and logs against names with control characters, and files against being taken for
    /// one another: a name that spells out an escape is not the name that is escaped.
    #[test]
    fn names_become_harmless_and_distinct_text() {
        let text = |name: &[u8]| text_name(OsStr::from_bytes(name));
        assert_eq!(text("né 1.json".as_bytes()), "né 1.json");
        assert_eq!(text(b"a\nb\x1b[31m.json"), "a\\nb\\u{1b}[31m.json");
        assert_eq!(text(b"\xff.json"), "\\xff.json");
        assert_eq!(text(b"\\xff.json"), "\\\\xff.json");
    }
}
