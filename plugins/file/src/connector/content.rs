//! Reads files without trusting them: bounded, never blocking on what is not a file.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::lines::Place;

const CHUNK_BYTES: usize = 256 * 1024;
/// How much of either end of a file above the limit goes into its digest.
const SAMPLE_BYTES: u64 = 1 << 20;

/// Opens a regular file. A FIFO that took its place since the scan does not block.
///
/// # Errors
/// Those of the operating system; [`ErrorKind::InvalidInput`] for what is not a regular file.
pub(crate) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

/// Reads a whole file of at most `bytes_max`; `None` for a larger one.
///
/// # Errors
/// Those of reading.
pub(crate) fn read_whole(file: &mut File, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
}

/// What tells two contents apart, and how many line ends there are where all of it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Hexadecimal SHA-256 of the content; above the limit of its length and its two ends.
    pub(crate) digest: String,
    /// Line ends.
    pub(crate) lines: Option<u64>,
}

impl Summary {
    /// Of bytes in memory.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self { digest: hex(&Sha256::digest(bytes)), lines: None }
    }

    /// Of a file.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn of_file(file: &File, size: u64, whole_bytes_max: u64) -> io::Result<Self> {
        let mut digest = Sha256::new();
        if size <= whole_bytes_max {
            let lines = feed(file, &mut digest, 0, size)?;
            return Ok(Self { digest: hex(&digest.finalize()), lines: Some(lines) });
        }
        digest.update(size.to_le_bytes());
        feed(file, &mut digest, 0, SAMPLE_BYTES)?;
        feed(file, &mut digest, size.saturating_sub(SAMPLE_BYTES), SAMPLE_BYTES)?;
        Ok(Self { digest: hex(&digest.finalize()), lines: None })
    }

    /// What the ids of a changed file carry after its name.
    pub(crate) fn suffix(&self) -> String {
        format!("@{}", self.digest.get(..12).unwrap_or_default())
    }
}

/// Feeds at most `length` bytes from `offset` to the digest and counts the line ends.
fn feed(file: &File, digest: &mut Sha256, mut offset: u64, length: u64) -> io::Result<u64> {
    let end = offset.saturating_add(length);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut lines = 0;
    while offset < end {
        let wanted = usize::try_from(end - offset).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let Some(room) = chunk.get_mut(..wanted) else { break };
        let read = match file.read_at(room, offset) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = room.get(..read).unwrap_or_default();
        digest.update(bytes);
        lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        offset += read as u64;
    }
    Ok(lines)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with a text as such, if anything.
pub(crate) fn text_fault(bytes: &[u8], place: Place) -> Option<String> {
    let error = std::str::from_utf8(bytes).err()?;
    let at = error.valid_up_to();
    Some(match place.number {
        0 => format!("the file is not UTF-8 at byte {at}; save it as UTF-8"),
        line => format!("line {line} is not UTF-8 at its byte {at}; save the file as UTF-8"),
    })
}
