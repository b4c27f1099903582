//! Durable file operations: names that appear only whole, and never replace another.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, CWD, RenameFlags};

/// Makes the names of a directory durable.
///
/// # Errors
/// When the directory can not be opened or synchronised.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The directory that holds `path`; the working directory for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether a directory, or the nearest one above it that is there, lets this process make files.
///
/// # Errors
/// Those of the operating system.
pub(crate) fn check_writable(directory: &Path) -> io::Result<()> {
    let nearest = directory.ancestors().find(|path| path.exists()).unwrap_or(directory);
    Ok(rustix::fs::access(nearest, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Renames within one file system, and fails with [`ErrorKind::AlreadyExists`] where the new name is taken.
///
/// # Errors
/// Those of the operating system.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // File systems without the flag: a link can not replace a name either.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        Err(error) => Err(error.into()),
    }
}

/// Moves a file into a directory, under its own name or, where that is taken, with `-1`, `-2` …
/// before the extension. Works across file systems. Returns the new path.
///
/// # Errors
/// Those of the operating system; the file is then still at its old place.
pub(crate) fn move_into(file: &Path, directory: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
    let stem = file.file_stem().unwrap_or(name).to_os_string();
    for attempt in 0_u32..=u32::MAX {
        let mut candidate = stem.clone();
        if attempt > 0 {
            candidate.push(format!("-{attempt}"));
        }
        if let Some(extension) = file.extension() {
            candidate.push(".");
            candidate.push(extension);
        }
        let target = directory.join(candidate);
        let moved = match rename_new(file, &target) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => copy_new(file, directory, &target),
            other => other,
        };
        match moved {
            Ok(()) => {
                sync_directory(directory)?;
                return Ok(target);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(ErrorKind::AlreadyExists))
}

/// Copies to another file system, then removes the original.
fn copy_new(file: &Path, directory: &Path, target: &Path) -> io::Result<()> {
    let temporary = directory.join(format!(".mfn-move-{}.tmp", std::process::id()));
    let copied = fs::copy(file, &temporary)
        .and_then(|_| File::open(&temporary)?.sync_all())
        .and_then(|()| rename_new(&temporary, target));
    if copied.is_err() {
        // Nothing depends on the leftover: the next move overwrites it.
        let _ = fs::remove_file(&temporary);
        return copied;
    }
    fs::remove_file(file)
}
