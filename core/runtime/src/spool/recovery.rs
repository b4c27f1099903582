//! Opening a directory: whose it is, what is in it, and where writing goes on.
//!
//! Only the last segment is read. The others were durable before the next was begun, so their ids follow from
//! the names of the files, and what is damaged in them is found when it is read.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SpoolReport;
use super::disk::Disk;
use super::error::SpoolError;
use super::format::{HEADER_BYTES, Header, HeaderFault, Identity, VERSION};
use super::log::State;
use super::positions::{Positions, PositionsFile};
use super::segment::{self, Segment, UNFINISHED};
use super::walk::{Step, Walk};
use crate::durable;

/// The file that makes a directory a spool, and whose lock says that it is in use.
pub(super) const MARKER: &str = "mfn-spool";
/// The id of the first record of all.
const FIRST_ID: u64 = 1;

/// What was found in a directory.
pub(super) struct Opened {
    /// Locked as long as it is open.
    pub(super) marker: File,
    pub(super) identity: Identity,
    pub(super) state: State,
    pub(super) positions: Positions,
    pub(super) positions_file: PositionsFile,
    pub(super) report: SpoolReport,
}

/// Opens or makes a spool.
///
/// # Errors
/// Busy, Foreign or Disk; nothing was changed then, but for an empty directory that may have been made.
pub(super) fn open(directory: &Path, disk: &dyn Disk) -> Result<Opened, SpoolError> {
    let (marker, identity) = open_marker(directory, disk)?;
    let mut report = SpoolReport::default();
    let mut state = State { next_id: FIRST_ID, ..State::default() };
    let mut last = None;
    for (first_id, path) in list(directory, disk)? {
        let (file, whole) = segment::open(&path, first_id, identity, true)?;
        let bytes = file.metadata().map_err(|error| SpoolError::disk(&path, "read", &error))?.len();
        report.damaged_headers += u64::from(!whole);
        state.serials += 1;
        state.segments.push_back(Segment { serial: state.serials, first_id, path, bytes });
        last = Some(Arc::new(file));
    }
    if let (Some(file), Some(segment)) = (last, state.segments.back_mut()) {
        let end = recover_last(segment, &file, identity, disk, &mut report)?;
        for lost in end.damaged {
            state.damage.add(lost);
        }
        state.next_id = end.next_id;
        state.active = end.continues.then_some(file);
    }
    let known = PositionsFile::open(directory, identity)?;
    report.cursors_missing = known.is_none() && !state.segments.is_empty();
    let (positions_file, positions) = match known {
        Some(known) => known,
        None => {
            let positions = Positions { durable_id: state.next_id, ..Positions::default() };
            (PositionsFile::create(disk, directory, identity, &positions)?, positions)
        }
    };
    // Ids that were durable or done with are never given out again.
    let used = positions.cursors.values().map(|position| position.next_id).chain([positions.durable_id]);
    let next_id = used.fold(state.next_id, u64::max);
    if next_id > state.next_id {
        if !state.segments.is_empty() {
            state.damage.add(state.next_id..next_id);
        }
        state.active = None;
        state.next_id = next_id;
    }
    state.durable_id = state.next_id;
    report.first_id = state.segments.front().map_or(state.next_id, |first| first.first_id);
    report.next_id = state.next_id;
    report.damaged = state.damage.records();
    report.records = state.next_id - report.first_id - report.damaged;
    report.bytes = state.bytes();
    report.segments = state.segments.len();
    Ok(Opened { marker, identity, state, positions, positions_file, report })
}

/// Opens the marker and locks it, or makes a spool of an empty directory.
fn open_marker(directory: &Path, disk: &dyn Disk) -> Result<(File, Identity), SpoolError> {
    let made = make_directory(directory).map_err(|error| SpoolError::disk(directory, "made", &error))?;
    let path = directory.join(MARKER);
    let disk_error = |error: io::Error| SpoolError::disk(&path, "opened", &error);
    let is_new = made || !path.try_exists().map_err(disk_error)?;
    if is_new && !made {
        refuse_strangers(directory)?;
    }
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(is_new).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(disk_error)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(SpoolError::Busy { directory: directory.to_path_buf() }),
        Err(TryLockError::Error(error)) => return Err(disk_error(error)),
    }
    if file.metadata().map_err(disk_error)?.len() == 0 {
        // New, or the process that made it ended before it wrote anything.
        refuse_strangers(directory)?;
        let identity = Identity(RandomState::new().hash_one(std::process::id()));
        let header = Header { identity, first_id: 0 };
        disk.write_at(&path, &file, &header.encode(), 0)
            .and_then(|()| disk.sync_file(&path, &file))
            .and_then(|()| disk.sync_directory(directory))
            .map_err(disk_error)?;
        return Ok((file, identity));
    }
    let identity = read_marker(&path, &file)?;
    Ok((file, identity))
}

/// The identity that a marker tells.
///
/// # Errors
/// Foreign for what is no marker of this version; those of the operating system.
pub(super) fn read_marker(path: &Path, file: &File) -> Result<Identity, SpoolError> {
    let disk_error = |error: io::Error| SpoolError::disk(path, "read", &error);
    let mut bytes = [0; HEADER_BYTES];
    if file.metadata().map_err(disk_error)?.len() == HEADER_BYTES as u64 {
        file.read_exact_at(&mut bytes, 0).map_err(disk_error)?;
    }
    let foreign = |problem: String, fix| SpoolError::Foreign { path: path.to_path_buf(), problem, fix };
    match Header::decode(&bytes) {
        Ok(header) => Ok(header.identity),
        Err(HeaderFault::Version(version)) => Err(foreign(
            format!("has format {version}; this version reads format {VERSION}"),
            "open the spool with the version that wrote it, or name another directory",
        )),
        Err(HeaderFault::Damaged) => Err(foreign(
            "is damaged or was not written by this program".to_owned(),
            "restore the file from a backup, or name another directory",
        )),
    }
}

/// Makes the directory and those above it; `false` when it is there.
fn make_directory(directory: &Path) -> io::Result<bool> {
    if directory.is_dir() {
        return Ok(false);
    }
    let parent = durable::parent(directory);
    fs::create_dir_all(parent)?;
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => return Ok(false),
        Err(error) => return Err(error),
    }
    File::open(parent)?.sync_all()?;
    Ok(true)
}

/// A directory that holds anything else is not made a spool.
fn refuse_strangers(directory: &Path) -> Result<(), SpoolError> {
    let disk_error = |error: io::Error| SpoolError::disk(directory, "read", &error);
    for entry in fs::read_dir(directory).map_err(disk_error)? {
        let name = entry.map_err(disk_error)?.file_name();
        if name != MARKER {
            return Err(SpoolError::Foreign {
                path: directory.to_path_buf(),
                problem: format!("is no spool: it has no file {MARKER}, but {name:?}"),
                fix: "name an empty directory, or one that is not there yet",
            });
        }
    }
    Ok(())
}

/// The segments in the order of their ids. Files that were never finished are removed.
fn list(directory: &Path, disk: &dyn Disk) -> Result<Vec<(u64, PathBuf)>, SpoolError> {
    for path in paths(directory)? {
        if path.extension().is_some_and(|extension| extension == UNFINISHED) {
            disk.remove(&path).map_err(|error| SpoolError::disk(&path, "removed", &error))?;
        }
    }
    segments(directory)
}

/// The segments in the order of their ids.
///
/// # Errors
/// Those of the operating system.
pub(super) fn segments(directory: &Path) -> Result<Vec<(u64, PathBuf)>, SpoolError> {
    let paths = paths(directory)?.into_iter();
    let mut segments: Vec<_> = paths.filter_map(|path| Some((segment::first_id(&path)?, path))).collect();
    segments.sort_unstable();
    Ok(segments)
}

fn paths(directory: &Path) -> Result<Vec<PathBuf>, SpoolError> {
    let entries = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>());
    entries.map_err(|error| SpoolError::disk(directory, "read", &error))
}

/// What the last segment says.
struct End {
    next_id: u64,
    damaged: Vec<std::ops::Range<u64>>,
    /// Whether records may be appended to the file.
    continues: bool,
}

/// Reads the last segment, cuts off what was never finished, and makes the rest durable.
fn recover_last(
    segment: &mut Segment,
    file: &Arc<File>,
    identity: Identity,
    disk: &dyn Disk,
    report: &mut SpoolReport,
) -> Result<End, SpoolError> {
    let disk_error = |operation, error: io::Error| SpoolError::disk(&segment.path, operation, &error);
    let mut walk = Walk::new(Arc::clone(file), identity, HEADER_BYTES as u64, segment.first_id);
    let mut damaged = Vec::new();
    loop {
        match walk.next(segment.bytes, u64::MAX).map_err(|error| disk_error("read", error))? {
            Step::Frame(_) => {}
            Step::Damaged(lost) => damaged.push(lost),
            Step::End => break,
        }
    }
    let end = walk.offset();
    // Shorter than its header: nothing can be appended to it.
    let continues = segment.bytes >= HEADER_BYTES as u64;
    if segment.bytes > end {
        report.truncated_bytes = segment.bytes - end;
        disk.set_len(&segment.path, file, end).map_err(|error| disk_error("cut", error))?;
    }
    // What a process that was killed has written may be in memory only.
    disk.sync_file(&segment.path, file).map_err(|error| disk_error("made durable", error))?;
    segment.bytes = segment.bytes.min(end);
    Ok(End { next_id: walk.expected(), damaged, continues })
}
