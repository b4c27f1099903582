//! Where the cursors of a spool are, in memory and on disk.
//!
//! The file has its full size from the beginning and is written in place, so that positions can move when the
//! disk is full, which is what frees it. It has two slots with a number and a checksum each; the older one
//! is overwritten, so that a torn write leaves the newer one.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::error::SpoolError;
use super::format::{Identity, Input};
use super::segment::UNFINISHED;

/// The file's name.
pub(super) const NAME: &str = "cursors";
/// The most cursors of one spool.
pub(super) const CURSORS_MAX: usize = 64;
/// The longest name of a cursor, bytes.
pub(super) const NAME_BYTES_MAX: usize = 64;

const SLOT_BYTES: usize = 8192;
const MAGIC: [u8; 8] = *b"mfncurs1";

/// A place in the log that is known to be the beginning of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) id: u64,
    pub(super) offset: u64,
}

/// What is known of one cursor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// Every record below is done with.
    pub(super) next_id: u64,
    /// Where to begin to look for it; only a hint.
    pub(super) mark: Mark,
}

/// All positions at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Positions {
    /// Every record below was durable.
    pub(super) durable_id: u64,
    pub(super) cursors: BTreeMap<String, Position>,
}

impl Positions {
    fn encode(&self, identity: Identity, sequence: u64) -> Vec<u8> {
        let mut slot = Vec::with_capacity(SLOT_BYTES);
        slot.extend_from_slice(&MAGIC);
        for number in [identity.0, sequence, self.durable_id, self.cursors.len() as u64] {
            slot.extend_from_slice(&number.to_le_bytes());
        }
        for (name, position) in &self.cursors {
            slot.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_le_bytes());
            slot.extend_from_slice(name.as_bytes());
            for number in [position.next_id, position.mark.id, position.mark.offset] {
                slot.extend_from_slice(&number.to_le_bytes());
            }
        }
        slot.resize(SLOT_BYTES - 4, 0);
        let sum = crc32fast::hash(&slot);
        slot.extend_from_slice(&sum.to_le_bytes());
        slot
    }

    fn decode(slot: &[u8], identity: Identity) -> Option<(u64, Self)> {
        let (content, sum) = slot.split_at_checked(SLOT_BYTES - 4)?;
        if crc32fast::hash(content) != Input(sum).u32()? {
            return None;
        }
        let mut input = Input(content);
        if input.take(8)? != MAGIC || input.u64()? != identity.0 {
            return None;
        }
        let (sequence, durable_id, count) = (input.u64()?, input.u64()?, input.u64()?);
        let mut positions = Self { durable_id, cursors: BTreeMap::new() };
        for _ in 0..count {
            let name = input.text()?;
            let next_id = input.u64()?;
            let mark = Mark { id: input.u64()?, offset: input.u64()? };
            positions.cursors.insert(name, Position { next_id, mark });
        }
        Some((sequence, positions))
    }
}

/// The file of the positions.
#[derive(Debug)]
pub(super) struct PositionsFile {
    path: PathBuf,
    file: File,
    identity: Identity,
    sequence: u64,
}

impl PositionsFile {
    /// Makes a file with these positions, durable under its name.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(super) fn create(
        disk: &dyn Disk,
        directory: &Path,
        identity: Identity,
        positions: &Positions,
    ) -> Result<Self, SpoolError> {
        let path = directory.join(NAME);
        let unfinished = path.with_extension(UNFINISHED);
        let make = || {
            let file = disk.create(&unfinished)?;
            // Both slots, with real bytes: blocks that are only reserved may need more when they are written.
            let slot = positions.encode(identity, 0);
            disk.write_at(&unfinished, &file, &slot, 0)?;
            disk.write_at(&unfinished, &file, &slot, SLOT_BYTES as u64)?;
            disk.sync_file(&unfinished, &file)?;
            disk.rename(&unfinished, &path)?;
            disk.sync_directory(directory)?;
            Ok(file)
        };
        let file = make().map_err(|error| SpoolError::disk(&path, "written", &error))?;
        Ok(Self { path, file, identity, sequence: 0 })
    }

    /// Opens the file and reads the newest positions; `None` where there is none.
    ///
    /// # Errors
    /// Foreign when neither slot can be read; those of the operating system.
    pub(super) fn open(
        directory: &Path,
        identity: Identity,
    ) -> Result<Option<(Self, Positions)>, SpoolError> {
        let path = directory.join(NAME);
        let disk_error = |error: io::Error| SpoolError::disk(&path, "read", &error);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(disk_error(error)),
        };
        let mut newest: Option<(u64, Positions)> = None;
        for slot in 0..2 {
            let mut bytes = vec![0; SLOT_BYTES];
            match file.read_exact_at(&mut bytes, slot * SLOT_BYTES as u64) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
                Err(error) => return Err(disk_error(error)),
            }
            if let Some(found) = Positions::decode(&bytes, identity)
                && newest.as_ref().is_none_or(|(sequence, _)| *sequence < found.0)
            {
                newest = Some(found);
            }
        }
        let Some((sequence, positions)) = newest else {
            return Err(SpoolError::Foreign {
                path,
                problem: "holds no readable cursor positions of this spool".to_owned(),
                fix: "restore the file, or remove it: all that is in the spool is then delivered again",
            });
        };
        Ok(Some((Self { path, file, identity, sequence }, positions)))
    }

    /// Makes positions durable in place of the older ones.
    ///
    /// # Errors
    /// Those of the operating system; the former positions can still be read. The same slot is written whole
    /// the next time, so that a later success is one.
    pub(super) fn write(&mut self, disk: &dyn Disk, positions: &Positions) -> Result<(), SpoolError> {
        let sequence = self.sequence + 1;
        let slot = positions.encode(self.identity, sequence);
        let offset = (sequence % 2) * SLOT_BYTES as u64;
        disk.write_at(&self.path, &self.file, &slot, offset)
            .and_then(|()| disk.sync_file(&self.path, &self.file))
            .map_err(|error| SpoolError::disk(&self.path, "written", &error))?;
        self.sequence = sequence;
        Ok(())
    }
}
