//! Checkpoints in files: written whole or not at all, read with a bound.
//!
//! The format and what it holds are those of `mfn_sim::checkpoint`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use mfn_sim::Simulation;
use mfn_sim::checkpoint::{self, CheckpointError, HEADER_BYTES};

use crate::durable;

/// Why a checkpoint file can not be written or continued from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointFileError {
    /// The file can not be opened, read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// The name does not stand for a regular file.
    #[error("{path} is not a regular file: name a checkpoint that mfn wrote")]
    NotAFile {
        /// The file.
        path: String,
    },
    /// Its content is no checkpoint that can be continued from.
    #[error("{path}: {source}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: CheckpointError,
    },
}

/// Writes the checkpoint of a run, durably, replacing what is at `path`.
///
/// # Errors
/// [`CheckpointFileError::Io`]; what stood at `path` then still stands there.
pub fn save(path: &Path, simulation: &Simulation) -> Result<(), CheckpointFileError> {
    durable::write_whole(path, |writer| checkpoint::write(simulation, writer))
        .map_err(|source| CheckpointFileError::Io { path: path.display().to_string(), source })
}

/// The run of a checkpoint file.
///
/// # Errors
/// [`CheckpointFileError`] when the file can not be read or is refused by [`checkpoint::restore`].
pub fn load(path: &Path) -> Result<Simulation, CheckpointFileError> {
    let bytes = read(path)?;
    checkpoint::restore(&bytes)
        .map_err(|source| CheckpointFileError::Content { path: path.display().to_string(), source })
}

/// Reads the bytes of a file that has the length which its header names.
fn read(path: &Path) -> Result<Vec<u8>, CheckpointFileError> {
    let io = |source| CheckpointFileError::Io { path: path.display().to_string(), source };
    let content = |source| CheckpointFileError::Content { path: path.display().to_string(), source };
    // Looked at before it is opened: opening a pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(CheckpointFileError::NotAFile { path: path.display().to_string() });
    }
    let mut file = File::open(path).map_err(io)?;
    let have = file.metadata().map_err(io)?.len();
    let mut bytes = Vec::new();
    (&mut file).take(HEADER_BYTES as u64).read_to_end(&mut bytes).map_err(io)?;
    let need = checkpoint::declared_bytes(&bytes).map_err(content)?;
    if have < need {
        return Err(content(CheckpointError::Truncated { have, need }));
    }
    if have > need {
        return Err(content(CheckpointError::Trailing { extra: have - need }));
    }
    let rest = usize::try_from(need).unwrap_or(usize::MAX).saturating_sub(bytes.len());
    let no_memory = |_| io(io::Error::from(io::ErrorKind::OutOfMemory));
    bytes.try_reserve_exact(rest).map_err(no_memory)?;
    file.take(rest as u64).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use mfn_sim::Spec;

    use super::*;

    fn simulation() -> Simulation {
        let mut simulation = Simulation::new(Spec { grid_size: 8, ..Spec::default() }).unwrap();
        simulation.step().unwrap();
        simulation
    }

    // Guards the file against the bytes, and that a checkpoint is replaced by the next one.
    #[test]
    fn a_run_goes_on_from_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let mut run = simulation();
        save(&path, &run).unwrap();
        run.step().unwrap();
        save(&path, &run).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), checkpoint::encode(&run));
        assert_eq!(checkpoint::encode(&load(&path).unwrap()), checkpoint::encode(&run));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    // Guards against what may stand under the name: nothing, a directory, too little, too much, a lie about
    // the length that no memory holds.
    #[test]
    fn other_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        assert!(matches!(load(&path), Err(CheckpointFileError::Io { .. })));
        assert!(matches!(load(directory.path()), Err(CheckpointFileError::NotAFile { .. })));
        assert!(save(directory.path(), &simulation()).is_err());
        let bytes = checkpoint::encode(&simulation());
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            match load(&path).unwrap_err() {
                CheckpointFileError::Content { source, .. } => source,
                other => panic!("{other}"),
            }
        };
        assert!(matches!(refused(&bytes[..bytes.len() - 1]), CheckpointError::Truncated { .. }));
        assert!(matches!(refused(&bytes[..20]), CheckpointError::Truncated { .. }));
        assert!(matches!(refused(&[&bytes[..], b"x"].concat()), CheckpointError::Trailing { extra: 1 }));
        assert!(matches!(refused(b"text"), CheckpointError::Magic));
        let mut lie = bytes.clone();
        lie[16..24].copy_from_slice(&(1_u64 << 60).to_le_bytes());
        assert!(matches!(refused(&lie), CheckpointError::Checksum { section: "header", .. }));
        let sum = crc32fast::hash(&lie[..24]);
        lie[24..28].copy_from_slice(&sum.to_le_bytes());
        assert!(matches!(refused(&lie), CheckpointError::Truncated { need, .. } if need == 1 << 60));
    }
}
