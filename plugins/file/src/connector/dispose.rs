//! Moves or deletes files whose settlement is on disk.

use std::{fs, io, path::Path};

use super::{config::Settings, scan::Fingerprint};
use crate::durable;

/// What was done with a settled file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposal {
    /// It stays, as configured.
    Kept,
    /// It left its place, or was not there any more.
    Gone,
    /// Another file has its name now; that one was not touched.
    Replaced,
}

/// Does with a settled file what the settings say.
///
/// # Errors
/// Those of the operating system; the file is then still there and may be tried again.
pub(crate) fn dispose(
    settings: &Settings,
    path: &Path,
    fingerprint: &Fingerprint,
    rejected: u64,
) -> io::Result<Disposal> {
    let rejected_to = settings.rejected_to.as_deref().filter(|_| rejected > 0);
    let target = rejected_to.or(settings.move_to.as_deref());
    if target.is_none() && !settings.delete {
        return Ok(Disposal::Kept);
    }
    match fs::metadata(path) {
        Ok(metadata) if Fingerprint::of(&metadata) == *fingerprint => {}
        Ok(_) => return Ok(Disposal::Replaced),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Disposal::Gone),
        Err(error) => return Err(error),
    }
    match target {
        Some(directory) => durable::move_into(path, directory).map(drop)?,
        None => fs::remove_file(path)?,
    }
    Ok(Disposal::Gone)
}
