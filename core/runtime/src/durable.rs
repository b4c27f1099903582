//! Files that appear whole under their name or not at all, and names that outlive a loss of power.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The directory that holds `path`; the working directory for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Renames within a directory and makes the new name durable.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    sync_directory(parent(to))
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Writes a file under another name in the same directory, makes it durable, and renames it. Where that
/// fails, what stood at `path` still stands there.
pub(crate) fn write_whole(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mfn-").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As for any new file; the mask of the process still applies.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut hidden = builder.tempfile_in(parent(path))?;
    let mut writer = BufWriter::with_capacity(1 << 16, hidden.as_file_mut());
    content(&mut writer)?;
    writer.flush()?;
    drop(writer);
    hidden.as_file().sync_all()?;
    hidden.persist(path).map_err(|error| error.error)?;
    sync_directory(parent(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Guards that a failure while writing leaves the old file and nothing beside it, and a success the new
    // one and nothing beside it.
    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept");
        std::fs::write(&path, "old").unwrap();
        let failed = write_whole(&path, |writer| {
            writer.write_all(&[0; 1 << 18])?;
            Err(io::Error::other("full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "full");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        write_whole(&path, |writer| writer.write_all(b"new")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write_whole(&directory.path().join("none/kept"), |_| Ok(())).is_err());
    }
}
