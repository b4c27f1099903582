//! A library as bytes: read once, so that what is checked is what is loaded.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{Manifest, RefusalReason, refusal::Fault};

/// The longest library that is read, in bytes.
const LIBRARY_BYTES_MAX: u64 = 1 << 30;

/// A library's content and what lies beside it.
pub(crate) struct Source {
    /// Absolute, without links.
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    /// Lower-case hexadecimal.
    pub(crate) sha256: String,
    pub(crate) manifest: Option<Manifest>,
}

impl Source {
    /// Reads a library and its manifest.
    pub(crate) fn read(path: &Path) -> Result<Self, Fault> {
        // A bare name would be searched for in system folders later on; a link may change meanwhile.
        let path = path.canonicalize().map_err(|error| fault(&error, RefusalReason::NotFound))?;
        let unreadable = |error: io::Error| fault(&error, RefusalReason::NotASharedLibrary);
        let file = open_regular(&path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(LIBRARY_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LIBRARY_BYTES_MAX {
            return Err(Fault::new(RefusalReason::Unreadable, "it is longer than 1 GiB"));
        }
        let sha256 = format!("{:x}", Sha256::digest(&bytes));
        let manifest = Manifest::beside(&path)?;
        Ok(Self { path, bytes, sha256, manifest })
    }
}

/// A refusal for what the system said. `invalid` is the reason for input that makes no sense: a path with
/// a NUL where a path is followed, something that is no file where a file is opened.
fn fault(error: &io::Error, invalid: RefusalReason) -> Fault {
    let reason = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => RefusalReason::NotFound,
        // Links that point at each other, and names too long to exist, lead nowhere.
        _ if matches!(error.raw_os_error(), Some(libc::ELOOP | libc::ENAMETOOLONG)) => {
            RefusalReason::NotFound
        }
        ErrorKind::InvalidInput => invalid,
        _ => RefusalReason::Unreadable,
    };
    Fault::new(reason, error.to_string())
}

/// Opens a regular file. Something else (a FIFO would block the caller) is refused as
/// [`ErrorKind::InvalidInput`].
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    // Without O_NONBLOCK opening a FIFO waits for a writer; for regular files it has no effect.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else {
        "no regular file"
    };
    Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {what}")))
}
