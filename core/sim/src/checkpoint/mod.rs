//! The state of a run as bytes, and back.
//!
//! A checkpoint holds everything that decides how a run goes on: [`restore`] in another process, on another
//! number of threads, gives the bits that the run would have had without the interruption. The format is
//! versioned and every part has a checksum; `docs/numerics/recording.md` describes each byte.
//!
//! ```
//! use mfn_sim::{Simulation, Spec, checkpoint};
//!
//! let mut simulation = Simulation::new(Spec { grid_size: 16, ..Spec::default() })?;
//! simulation.step()?;
//! let bytes = checkpoint::encode(&simulation);
//! let mut restored = checkpoint::restore(&bytes)?;
//! simulation.step()?;
//! restored.step()?;
//! assert_eq!(checkpoint::encode(&simulation), checkpoint::encode(&restored));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod container;
mod error;
mod sections;

use std::io::{self, Write};

pub use error::CheckpointError;

use crate::engine::{Simulation, SimulationState};

/// Bytes at the beginning of a checkpoint that name its length; see [`declared_bytes`].
pub const HEADER_BYTES: usize = container::HEADER_BYTES as usize;

/// The checkpoint of a run between two steps. The same state gives the same bytes.
///
/// Takes a copy of the state beside the bytes; [`write()`] does without the bytes.
#[must_use]
pub fn encode(simulation: &Simulation) -> Vec<u8> {
    encode_state(&simulation.state())
}

/// As [`encode`], for a state.
#[must_use]
pub fn encode_state(state: &SimulationState) -> Vec<u8> {
    let sections = sections::of(state);
    let mut bytes = Vec::with_capacity(usize::try_from(container::encoded_bytes(&sections)).unwrap_or(0));
    // A vector takes everything.
    let written = container::write(&sections, &mut bytes);
    debug_assert!(written.is_ok());
    bytes
}

/// Writes the checkpoint of a run, in pieces of at most 32 KiB.
///
/// # Errors
/// Those of the writer; what it got is then no checkpoint.
pub fn write(simulation: &Simulation, writer: &mut dyn Write) -> io::Result<()> {
    let state = simulation.state();
    container::write(&sections::of(&state), writer)
}

/// The length of the checkpoint that begins with these bytes, at least [`HEADER_BYTES`] of them: what a
/// reader has to compare with the size of a file before it takes memory for it.
///
/// # Errors
/// [`CheckpointError`] when they do not begin a checkpoint that this version reads.
pub fn declared_bytes(start: &[u8]) -> Result<u64, CheckpointError> {
    container::read_header(start).map(|(_, length)| length)
}

/// The state in a checkpoint. It has the form of a state; whether it is one of a run is decided by
/// [`Simulation::from_state`].
///
/// # Errors
/// [`CheckpointError`] for bytes that are no checkpoint, are damaged, or of a newer version.
pub fn decode(bytes: &[u8]) -> Result<SimulationState, CheckpointError> {
    sections::read(bytes)
}

/// The run of a checkpoint, which goes on as it would have without the interruption. It computes on the
/// calling thread, has a new cancel token and no recorders.
///
/// A run whose kinetics are the host's [lacks its reaction](Simulation::lacks_host_reaction) until the host
/// gives it [again](Simulation::set_host_reaction); a step before that is refused. Only the same rates give
/// the same bits.
///
/// # Errors
/// As [`decode`]; [`CheckpointError::Spec`] or [`CheckpointError::State`] when the state is not that of a
/// run.
pub fn restore(bytes: &[u8]) -> Result<Simulation, CheckpointError> {
    Ok(Simulation::from_state(decode(bytes)?)?)
}
