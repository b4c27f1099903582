//! Recording: a frame after every record_every steps of a specification, to the newest of a ring, a file or
//! a function of the host.
//!
//! Frames are those after the steps k, 2k, 3k of the run, in whatever calls it is done; mfn_sim_run() records
//! them, mfn_sim_step() does not. A ring, a file and a function can be there at once. The memory of a ring is
//! reserved when it is made; a file takes none that grows.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::path::Path;

use ::mfn_runtime::npy::NpyError;
use ::mfn_runtime::npy::stack::StackError;
use ::mfn_runtime::recording::FileRecorder;
use ::mfn_sim::record::{FrameRing, Plane, PlaneSet, RecordError};
use ::mfn_sim::{Frame, Simulation};

use crate::argument::{self, Slot};
use crate::error::{Failure, mfn_error};
use crate::field::mfn_field_view;
use crate::guard;
use crate::simulation::mfn_sim;
use crate::status::{MFN_INVALID, MFN_IO, mfn_status};

/// The membrane potential, volts.
pub const MFN_PLANE_FIELD: u32 = 1;
/// The activator.
pub const MFN_PLANE_ACTIVATOR: u32 = 2;
/// The inhibitor.
pub const MFN_PLANE_INHIBITOR: u32 = 4;

/// Hears of the frames of mfn_sim_run(), on the thread that called it. step counts the steps since the start
/// of the run. The views live until it returns. Return 0 to go on, anything else to stop after this step. It
/// must not use the simulation (such calls answer MFN_INVALID), and must return normally: no longjmp, no C++
/// exception.
pub type mfn_frame_fn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        step: u64,
        field: *const mfn_field_view,
        activator: *const mfn_field_view,
        inhibitor: *const mfn_field_view,
    ) -> i32,
>;

/// What follows a run.
#[derive(Default)]
pub(crate) struct Recorders {
    ring: Option<FrameRing>,
    file: Option<FileRecorder>,
    callback: Option<Callback>,
}

/// A function of the host with its data.
struct Callback {
    function: unsafe extern "C" fn(
        *mut c_void,
        u64,
        *const mfn_field_view,
        *const mfn_field_view,
        *const mfn_field_view,
    ) -> i32,
    user_data: *mut c_void,
}

// SAFETY: the pointer is only handed back to the host's function, on the thread that runs the simulation; the
// header says so.
unsafe impl Send for Callback {}
// SAFETY: as above; nothing is read through a shared reference.
unsafe impl Sync for Callback {}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::from_error(MFN_INVALID, &error)
    }
}

impl From<StackError> for Failure {
    fn from(error: StackError) -> Self {
        let io = matches!(error, StackError::File(NpyError::Io { .. }) | StackError::Failed { .. });
        Self::from_error(if io { MFN_IO } else { MFN_INVALID }, &error)
    }
}

impl Recorders {
    /// Gives a frame to all of them.
    pub(crate) fn record(&mut self, frame: &Frame<'_>) -> Result<ControlFlow<()>, Failure> {
        if let Some(ring) = &mut self.ring {
            ring.record(frame)?;
        }
        if let Some(file) = &mut self.file {
            file.record(frame)?;
        }
        let stop = self.callback.as_ref().is_some_and(|callback| callback.call(frame));
        Ok(if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

impl Callback {
    /// Whether the host wants to stop.
    fn call(&self, frame: &Frame<'_>) -> bool {
        let planes = Plane::ALL.map(|plane| plane.of(frame.simulation));
        let views = planes.each_ref().map(|plane| mfn_field_view::lend(plane.view()));
        let [field, activator, inhibitor] = views.each_ref().map(|view| &raw const *view);
        // SAFETY: the host gave a function of this type, to be called with its own user_data; the views and
        // what they show live until it returns.
        unsafe { (self.function)(self.user_data, frame.step, field, activator, inhibitor) != 0 }
    }
}

fn planes(bits: u32) -> Result<PlaneSet, Failure> {
    let known = [MFN_PLANE_FIELD, MFN_PLANE_ACTIVATOR, MFN_PLANE_INHIBITOR];
    if bits & !known.iter().sum::<u32>() != 0 {
        return Err(Failure::invalid(format!("planes = {bits}: add up MFN_PLANE_* constants")));
    }
    let chosen = known.into_iter().zip(Plane::ALL).filter(|(bit, _)| bits & bit != 0).map(|(_, plane)| plane);
    Ok(PlaneSet::new(&chosen.collect::<Vec<_>>())?)
}

fn one_plane(bits: u32) -> Result<Plane, Failure> {
    let set = planes(bits)?;
    let one = if set.count() == 1 { set.iter().next() } else { None };
    one.ok_or_else(|| Failure::invalid(format!("plane = {bits}: give one of the MFN_PLANE_* constants")))
}

fn check_records(simulation: &Simulation) -> Result<(), Failure> {
    if simulation.spec().record_every > 0 {
        return Ok(());
    }
    Err(Failure::invalid("record_every of the specification is 0: give a number of steps there"))
}

/// Keeps the newest frames of the run, at most capacity of them, in a new ring of the simulation; what an
/// earlier one kept is gone. planes is a sum of MFN_PLANE_* constants. Reserves capacity * (planes * rows *
/// cols + 1) * 8 bytes at once; MFN_INVALID where they are not to be had. Nothing changes hands.
/// [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_record_ring(
    sim: *mut mfn_sim,
    capacity: usize,
    planes: u32,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let mut recorders = run.recorders.write()?;
        let simulation = run.simulation.read()?;
        check_records(&simulation)?;
        let (rows, cols) = (simulation.spec().rows(), simulation.spec().cols());
        recorders.ring = Some(FrameRing::new(capacity, rows, cols, self::planes(planes)?)?);
        Ok(())
    })
}

/// Records one plane of the run, an MFN_PLANE_* constant, into the file path: an NPY array of shape (frames,
/// rows, cols), <f8 or, for a run in single precision, <f4. Until mfn_sim_record_finish() the frames are in
/// path with ".partial" behind it. resume 0 begins anew; 1 continues the partial file that a process left,
/// behind the frames of the steps that this simulation has done. MFN_IO: the file can not be written.
/// Nothing changes hands. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_record_file(
    sim: *mut mfn_sim,
    path: *const c_char,
    plane: u32,
    resume: i32,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let path = Path::new(argument::text("path", path)?);
        let plane = one_plane(plane)?;
        let resume = argument::flag("resume", resume)?;
        let mut recorders = run.recorders.write()?;
        let simulation = run.simulation.read()?;
        check_records(&simulation)?;
        if recorders.file.is_some() {
            return Err(Failure::invalid("a file is recorded already: call mfn_sim_record_finish() first"));
        }
        let spec = simulation.spec();
        recorders.file = Some(if resume {
            FileRecorder::resume(path, spec, plane, simulation.step_count() / spec.record_every)?
        } else {
            FileRecorder::create(path, spec, plane)?
        });
        Ok(())
    })
}

/// Gives the frames of the run to a function of the host; NULL takes it back. user_data stays the host's and
/// must live until then. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_record_callback(
    sim: *mut mfn_sim,
    on_frame: mfn_frame_fn,
    user_data: *mut c_void,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let mut recorders = run.recorders.write()?;
        if on_frame.is_some() {
            let simulation = run.simulation.read()?;
            check_records(&simulation)?;
        }
        recorders.callback = on_frame.map(|function| Callback { function, user_data });
        Ok(())
    })
}

/// Makes the frames recorded so far durable in the partial file, before a checkpoint that counts on them.
/// MFN_IO: that fails. MFN_INVALID: no file is recorded. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_record_sync(sim: *mut mfn_sim, error: *mut *mut mfn_error) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let mut recorders = run.recorders.write()?;
        let file = recorders.file.as_mut().ok_or_else(no_file)?;
        Ok(file.sync()?)
    })
}

/// Completes the recorded file: it has its name, replacing what stood there, and is whole. Without this call
/// the partial file is left. MFN_IO: that fails; the partial file is left. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_record_finish(sim: *mut mfn_sim, error: *mut *mut mfn_error) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let file = run.recorders.write()?.file.take().ok_or_else(no_file)?;
        file.finish()?;
        Ok(())
    })
}

fn no_file() -> Failure {
    Failure::invalid("no file is recorded: call mfn_sim_record_file() first")
}

/// Frames that the ring keeps; 0 without a ring. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_record_count(sim: *const mfn_sim) -> usize {
    guard::read(sim, 0, |run| Some(run.recorders.read().ok()?.ring.as_ref()?.len()))
}

/// Frames that the ring dropped because newer ones came; 0 without a ring. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_record_dropped(sim: *const mfn_sim) -> u64 {
    guard::read(sim, 0, |run| Some(run.recorders.read().ok()?.ring.as_ref()?.dropped()))
}

/// Lends a plane of a frame that the ring keeps. index counts from 0, the oldest; step becomes the steps that
/// the run had done. The view lives until the next call with this handle that is not const. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_record_frame(
    sim: *const mfn_sim,
    index: usize,
    plane: u32,
    step: *mut u64,
    view: *mut mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let (step, view) = (Slot::required("step", step)?, Slot::required("view", view)?);
        let wanted = one_plane(plane)?;
        let recorders = run.recorders.read()?;
        let ring = recorders.ring.as_ref();
        let ring =
            ring.ok_or_else(|| Failure::invalid("there is no ring: call mfn_sim_record_ring() first"))?;
        let frame = ring.frame(index).ok_or_else(|| {
            Failure::invalid(format!("index = {index}, the ring keeps {} frames: give less", ring.len()))
        })?;
        let cells = frame
            .plane(wanted)
            .ok_or_else(|| Failure::invalid(format!("plane = {plane} is not in the ring's planes")))?;
        view.write(mfn_field_view::lend(cells));
        step.write(frame.step());
        Ok(())
    })
}
