//! Checkpoints: bytes as they come, and bytes whose lengths and checksums were put right.

use mfn_sim::checkpoint;
use mfn_sim::{SimError, Simulation};

/// Bytes of the header.
const HEADER_BYTES: usize = 32;
/// Bytes of a section before its content.
const SECTION_HEAD_BYTES: usize = 16;
/// Bytes of a section behind its content.
const SECTION_TAIL_BYTES: usize = 8;
/// The most cells whose simulation takes a step here.
const CELLS_MAX: usize = 64 * 64;

/// Bytes that may be a checkpoint.
///
/// Holds for every input, as it is and with its checksums put right, so that what lies behind them is
/// reached: it is refused with a message, or it is a simulation whose cells are no more than the bytes that
/// are there, whose own checkpoint has the same numbers, and which takes a step or refuses it as unstable.
pub fn checkpoint(bytes: &[u8]) {
    restored(bytes);
    restored(&resealed(bytes));
}

fn restored(bytes: &[u8]) {
    let mut simulation = match checkpoint::restore(bytes) {
        Ok(simulation) => simulation,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let (rows, columns) = simulation.field().dim();
    assert!(rows * columns * 4 * 3 <= bytes.len(), "{rows} x {columns} cells out of {} bytes", bytes.len());
    let written = checkpoint::encode(&simulation);
    let again = checkpoint::restore(&written).expect("what was written can be read");
    assert_eq!(checkpoint::encode(&again), written);
    assert_eq!(again.spec(), simulation.spec());
    assert!(numbers(&written) == numbers(bytes), "other bytes for the same state");
    if rows * columns <= CELLS_MAX {
        step(&mut simulation);
    }
}

/// The sections that are no text: text can be written in several ways, numbers can not.
fn numbers(bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut start = HEADER_BYTES;
    while let Some(end) = section_end(bytes, start) {
        if !matches!(&bytes[start..start + 4], b"SPEC" | b"FEAT") {
            found.push(&bytes[start..end]);
        }
        start = end + SECTION_TAIL_BYTES;
    }
    found
}

fn step(simulation: &mut Simulation) {
    let before = simulation.step_count();
    match simulation.step() {
        Ok(()) => assert_eq!(simulation.step_count(), before + 1),
        Err(SimError::Unstable { step, .. }) => assert_eq!(step, before),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The same bytes with the magic, version, lengths and checksums that a writer would have given them.
fn resealed(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = bytes.to_vec();
    if sealed.len() < HEADER_BYTES {
        return sealed;
    }
    let mut sections = 0_u32;
    let mut start = HEADER_BYTES;
    while let Some(end) = section_end(&sealed, start) {
        sealed[start + 4..start + 8].fill(0);
        let sum = crc32fast::hash(&sealed[start..end]);
        sealed[end..end + 4].copy_from_slice(&sum.to_le_bytes());
        sealed[end + 4..end + SECTION_TAIL_BYTES].fill(0);
        sections += 1;
        start = end + SECTION_TAIL_BYTES;
    }
    sealed.truncate(start);
    let length = sealed.len() as u64;
    sealed[..8].copy_from_slice(b"\x89MFNCP\r\n");
    sealed[8..12].copy_from_slice(&1_u32.to_le_bytes());
    sealed[12..16].copy_from_slice(&sections.to_le_bytes());
    sealed[16..24].copy_from_slice(&length.to_le_bytes());
    let sum = crc32fast::hash(&sealed[..24]);
    sealed[24..28].copy_from_slice(&sum.to_le_bytes());
    sealed[28..32].fill(0);
    sealed
}

/// Where the content and padding of the section at `start` end, if all of it is there.
fn section_end(bytes: &[u8], start: usize) -> Option<usize> {
    let length = bytes.get(start + 8..start + SECTION_HEAD_BYTES)?;
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let end = start.checked_add(SECTION_HEAD_BYTES)?.checked_add(length.checked_next_multiple_of(8)?)?;
    bytes.get(..end.checked_add(SECTION_TAIL_BYTES)?)?;
    Some(end)
}
