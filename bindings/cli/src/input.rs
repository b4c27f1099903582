//! Reading a small document that the user names: a file or standard input, with a limit on its size.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
};

use crate::failure::Failure;

/// The most bytes of a document; far above any real specification.
const DOCUMENT_BYTES_MAX: u64 = 1 << 20;

/// What errors call the document.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = name(path);
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        std::io::stdin().lock().take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        open(path)?.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut bytes)
    };
    read.map_err(|error| {
        Failure::work(format!("{name} can not be read: {error}"), "check the file and the disk it lies on")
    })?;
    if bytes.len() as u64 > DOCUMENT_BYTES_MAX {
        return Err(Failure::usage(
            format!("{name} has more than {DOCUMENT_BYTES_MAX} bytes"),
            "name a document of at most 1 MiB",
        ));
    }
    Ok(bytes)
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Opens something that can be read, which a directory can not.
fn open(path: &Path) -> Result<File, Failure> {
    let refused = |error: std::io::Error| {
        let what = format!("{} can not be opened: {error}", path.display());
        match error.kind() {
            ErrorKind::NotFound => Failure::usage(what, "check the path; relative paths start here"),
            _ => Failure::work(what, "check that you may read the file"),
        }
    };
    let file = File::open(path).map_err(refused)?;
    if file.metadata().map_err(refused)?.is_dir() {
        return Err(Failure::usage(format!("{} is a directory", path.display()), "name a file"));
    }
    Ok(file)
}
