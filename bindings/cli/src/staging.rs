//! Result files that appear whole or not at all.
//!
//! Files are written into a hidden directory beside their places, made durable, and moved into place when
//! all are complete. Whatever ends the command before, no half file stands under a final name, and the
//! hidden directory (and an output directory made for it) is removed.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::failure::Failure;

/// Files on their way into an output directory.
pub(crate) struct Staging {
    out: PathBuf,
    /// Directories made for `out`, outermost first, to be taken back if nothing is published.
    made: Vec<PathBuf>,
    /// `None` once published.
    hidden: Option<TempDir>,
    names: Vec<&'static str>,
}

impl Staging {
    /// Makes the output directory where it is missing and proves that it can be written to, before any
    /// work is done for it.
    pub(crate) fn begin(out: &Path) -> Result<Self, Failure> {
        if out.exists() && !out.is_dir() {
            return Err(Failure::usage(
                format!("--out {} is not a directory", out.display()),
                "name a directory; it is made where it is missing",
            ));
        }
        let mut made: Vec<PathBuf> = out
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .map(Path::to_owned)
            .collect();
        made.reverse();
        let mut staging = Self { out: out.to_owned(), made, hidden: None, names: Vec::new() };
        fs::create_dir_all(out).map_err(|error| Failure::writing(out, error))?;
        let hidden = tempfile::Builder::new().prefix(".mfn-").tempdir_in(out);
        staging.hidden = Some(hidden.map_err(|error| Failure::writing(out, error))?);
        Ok(staging)
    }

    /// Writes one file; later files are published later.
    pub(crate) fn write(&mut self, name: &'static str, content: &[u8]) -> Result<(), Failure> {
        self.write_with(name, |file| file.write_all(content))
    }

    /// The same, with a file that is written piece by piece.
    pub(crate) fn write_with(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let hidden = self.hidden.as_ref().map_or(&*self.out, TempDir::path).join(name);
        write_durably(&hidden, write).map_err(|error| Failure::writing(&self.out.join(name), error))?;
        self.names.push(name);
        Ok(())
    }

    /// Moves all files into place, in the order in which they were written.
    ///
    /// The last file of an earlier result is removed first: where the last file stands, all files beside
    /// it belong to it.
    pub(crate) fn publish(mut self) -> Result<Vec<PathBuf>, Failure> {
        let Some(hidden) = self.hidden.take() else { return Ok(Vec::new()) };
        if let Some(last) = self.names.last().map(|name| self.out.join(name)) {
            match fs::remove_file(&last) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Failure::writing(&last, error));
                }
                _ => {}
            }
        }
        let mut places = Vec::new();
        for name in &self.names {
            let place = self.out.join(name);
            fs::rename(hidden.path().join(name), &place).map_err(|error| Failure::writing(&place, error))?;
            places.push(place);
        }
        self.made.clear();
        Ok(places)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        self.hidden = None;
        for directory in self.made.iter().rev() {
            // Somebody else may have put a file there meanwhile; then it stays.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Writes a single file whole or not at all.
pub(crate) fn write_whole(place: &Path, content: &[u8]) -> Result<(), Failure> {
    let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::Builder::new().prefix(".mfn-").tempdir_in(parent).and_then(|hidden| {
        let path = hidden.path().join("content");
        write_durably(&path, |file| file.write_all(content))?;
        fs::rename(&path, place)
    });
    written.map_err(|error| Failure::writing(place, error))
}

fn write_durably(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::create(path)?;
    write(&mut file)?;
    file.sync_all()
}
