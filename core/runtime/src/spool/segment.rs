//! Segment files: their names, how one comes to be, and what opening one tells.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::error::SpoolError;
use super::format::{HEADER_BYTES, Header, HeaderFault, Identity, VERSION};

const EXTENSION: &str = "segment";
/// Files that were never finished have this ending.
pub(super) const UNFINISHED: &str = "new";

/// One file of the log. Its records end where those of the next segment begin.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// Tells apart two files that had the same name at different times.
    pub(super) serial: u64,
    pub(super) first_id: u64,
    pub(super) path: PathBuf,
    /// Size of the file.
    pub(super) bytes: u64,
}

/// The name of the segment that begins with a record. Names sort as their ids do.
pub(super) fn name(first_id: u64) -> String {
    format!("{first_id:020}.{EXTENSION}")
}

/// The first id that a file name tells, for segments.
pub(super) fn first_id(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let is_segment = path.extension()? == EXTENSION && stem.len() == 20;
    if is_segment && stem.bytes().all(|byte| byte.is_ascii_digit()) { stem.parse().ok() } else { None }
}

/// Makes a file with nothing but its header, durable under its name. It replaces one of the same name.
///
/// # Errors
/// Those of the operating system. A file of that name may then be there, durable or not; it has no records.
pub(super) fn create(disk: &dyn Disk, path: &Path, header: Header) -> io::Result<File> {
    let unfinished = path.with_extension(UNFINISHED);
    let made = disk.create(&unfinished).and_then(|file| {
        disk.write_at(&unfinished, &file, &header.encode(), 0)?;
        disk.sync_file(&unfinished, &file)?;
        disk.rename(&unfinished, path)?;
        Ok(file)
    });
    if made.is_err() {
        // What is left is removed by the next opening at the latest.
        let _ = disk.remove(&unfinished);
    }
    let file = made?;
    disk.sync_directory(path.parent().unwrap_or(Path::new(".")))?;
    Ok(file)
}

/// Opens a segment and compares its header with its name and its spool. `false` when the header is damaged,
/// which costs nothing because name and marker say the same.
///
/// # Errors
/// Foreign for a file of another spool or version; those of the operating system.
pub(super) fn open(
    path: &Path,
    first_id: u64,
    identity: Identity,
    writable: bool,
) -> Result<(File, bool), SpoolError> {
    let disk_error = |error: io::Error| SpoolError::disk(path, "opened", &error);
    let file = OpenOptions::new().read(true).write(writable).open(path).map_err(disk_error)?;
    let mut bytes = [0; HEADER_BYTES];
    let read = match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => Header::decode(&bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(HeaderFault::Damaged),
        Err(error) => return Err(disk_error(error)),
    };
    let foreign = |problem: String| SpoolError::Foreign {
        path: path.to_path_buf(),
        problem,
        fix: "move it out of the directory, or open the spool with the version that wrote it",
    };
    match read {
        Ok(header) if header == (Header { identity, first_id }) => Ok((file, true)),
        Ok(header) if header.identity != identity => Err(foreign("belongs to another spool".to_owned())),
        Ok(header) => Err(foreign(format!("was renamed: it begins with record {}", header.first_id))),
        Err(HeaderFault::Version(version)) => {
            Err(foreign(format!("has format {version}; this version reads format {VERSION}")))
        }
        Err(HeaderFault::Damaged) => Ok((file, false)),
    }
}
