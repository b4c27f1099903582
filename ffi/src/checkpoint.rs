//! Checkpoints: the state of a run as bytes or in a file, from which any process continues it.
//!
//! A restored simulation goes on with the bits that the run would have had without the interruption. It has
//! no recorders and is not cancelled. A run whose kinetics are the host's must be given them again before its
//! next step.

use std::ffi::c_char;
use std::path::Path;

use ::mfn_runtime::checkpoint::{CheckpointFileError, load, save};
use ::mfn_sim::checkpoint::{CheckpointError, encode, restore};

use crate::argument::{self, Slot};
use crate::error::{Failure, mfn_error};
use crate::guard;
use crate::owned::{give_bytes, mfn_bytes};
use crate::simulation::{hand_over, mfn_sim};
use crate::status::{MFN_INVALID, MFN_IO, mfn_status};

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        Self::from_error(MFN_INVALID, &error)
    }
}

impl From<CheckpointFileError> for Failure {
    fn from(error: CheckpointFileError) -> Self {
        let status = if matches!(error, CheckpointFileError::Io { .. }) { MFN_IO } else { MFN_INVALID };
        Self::from_error(status, &error)
    }
}

/// Writes the state of a run into a file, whole and durably, replacing what is there. MFN_IO: it can not be
/// written; what was there is still there. Takes a copy of the state meanwhile. Nothing changes hands.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_checkpoint_write(
    sim: *const mfn_sim,
    path: *const c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let path = argument::text("path", path)?;
        let simulation = run.simulation.read()?;
        Ok(save(Path::new(path), &simulation)?)
    })
}

/// Gives the state of a run as bytes; the same state gives the same bytes. The host owns bytes and frees them
/// with mfn_bytes_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_checkpoint_bytes(
    sim: *const mfn_sim,
    bytes: *mut mfn_bytes,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let slot = Slot::required("bytes", bytes)?;
        let simulation = run.simulation.read()?;
        give_bytes(slot, encode(&simulation));
        Ok(())
    })
}

/// Makes the simulation whose state mfn_sim_checkpoint_write() wrote. MFN_IO: the file can not be read.
/// MFN_INVALID: it is no checkpoint, is damaged, or of a newer version. The host owns *sim and frees it with
/// mfn_sim_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_restore(
    path: *const c_char,
    sim: *mut *mut mfn_sim,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("sim", sim)?;
        hand_over(load(Path::new(argument::text("path", path)?))?, slot);
        Ok(())
    })
}

/// As mfn_sim_restore(), from bytes. They stay the host's. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_restore_bytes(
    data: *const u8,
    len: usize,
    sim: *mut *mut mfn_sim,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("sim", sim)?;
        hand_over(restore(argument::array("data", data, len)?)?, slot);
        Ok(())
    })
}
