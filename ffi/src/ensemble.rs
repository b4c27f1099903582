//! Ensembles: many runs over one pool of threads, with the results in order.
//!
//! mfn_ensemble_run() computes any number of specifications in bounded memory and gives each result to a callback,
//! in the order of the specifications, on the thread that called. Threads change no result. A run that fails is
//! reported in its place and does not end the others. Sweeps, further below, write such runs to files.

use std::ffi::{c_char, c_void};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use ::mfn_sim::ensemble::{Ensemble, EnsembleEnd, EnsembleError, RunFailure, RunRecord, Work};
use ::mfn_sim::{CancelToken, Simulation, Spec};

use ::mfn_runtime::codec::{self, Observation};

use crate::argument::{self, Slot, check, read_sized, sized32};
use crate::error::{Failure, mfn_error};
use crate::features::mfn_features;
use crate::guard::{self, Exclusive, Handle, opaque};
use crate::simulation::mfn_statistics;
use crate::spec::{mfn_spec, read_spec};
use crate::status::{MFN_CANCELLED, MFN_FATAL, MFN_INVALID, mfn_status};

/// The settings with which many specifications are run. Freed with mfn_ensemble_free().
pub struct mfn_ensemble(Handle<Held>);

pub(crate) struct Held {
    // Beside the lock, so that another thread can cancel while a call holds it.
    cancel: CancelToken,
    ensemble: Exclusive<Ensemble>,
}

opaque! { mfn_ensemble(Held) as "ensemble" = 70; }

/// The settings of an ensemble; all fields but struct_size may be 0. None of them changes a result.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_ensemble_options {
    /// sizeof(mfn_ensemble_options).
    pub struct_size: u32,
    /// Threads that compute, at most 1024; 0: one for each core.
    pub threads: u32,
    /// Runs that may be unfinished, or wait for one before them, at once, at most 65536; 0: four for each thread.
    pub window_runs: u64,
    /// The most memory of the runs that are computed at once, bytes; 0: no limit. A run that alone needs more fails.
    pub memory_bytes_max: u64,
}

sized32! { mfn_ensemble_options = 24; }

/// Hears of the result of run index, counted from 0, in order, on the thread that called. failure is NULL when the
/// run is complete; else it says why it is not, and features and statistics are NULL. All three are lent until the
/// function returns. Return 0 to go on, anything else to stop. It must not use the ensemble (such calls answer
/// MFN_INVALID), and must return normally: no longjmp, no C++ exception.
pub type mfn_ensemble_fn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        index: u64,
        features: *const mfn_features,
        statistics: *const mfn_statistics,
        failure: *const mfn_error,
    ) -> i32,
>;

impl From<EnsembleError> for Failure {
    fn from(error: EnsembleError) -> Self {
        Self::from_error(MFN_INVALID, &error)
    }
}

impl From<RunFailure> for Failure {
    fn from(failure: RunFailure) -> Self {
        match failure {
            RunFailure::Simulation(error) => error.into(),
            RunFailure::Defect { .. } => Self::from_error(MFN_FATAL, &failure),
            other => Self::from_error(MFN_INVALID, &other),
        }
    }
}

/// Threads of a pool of its own: the pool that rayon would make for the whole process is not made.
pub(crate) fn own_threads(threads: u32) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads as usize,
    }
}

/// A limit of memory, where 0 is none.
pub(crate) fn memory_limit(bytes: u64) -> u64 {
    if bytes == 0 { u64::MAX } else { bytes }
}

fn read_options(options: *const mfn_ensemble_options) -> Result<Ensemble, Failure> {
    let mut ensemble = Ensemble { threads: own_threads(0), ..Ensemble::default() };
    if options.is_null() {
        return Ok(ensemble);
    }
    let given = read_sized("options", options)?;
    ensemble.threads = own_threads(given.threads);
    ensemble.window_runs = usize::try_from(given.window_runs).unwrap_or(usize::MAX);
    ensemble.memory_bytes_max = memory_limit(given.memory_bytes_max);
    ensemble.check()?;
    Ok(ensemble)
}

/// Creates an ensemble. options may be NULL. The host owns *ensemble and frees it with mfn_ensemble_free().
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ensemble_create(
    options: *const mfn_ensemble_options,
    ensemble: *mut *mut mfn_ensemble,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("ensemble", ensemble)?;
        let made = read_options(options)?;
        let cancel = made.cancel.clone();
        slot.hand_over(guard::create(Held { cancel, ensemble: Exclusive::new(made) }));
        Ok(())
    })
}

/// The specifications of a host, and what is kept of each run.
struct Listed<'a, T>(&'a [T], fn(&T) -> Result<Spec, RunFailure>);

impl<T: Sync> Work for Listed<'_, T> {
    type Output = RunRecord;

    fn spec(&self, index: u64) -> Result<Spec, RunFailure> {
        let given = usize::try_from(index).ok().and_then(|index| self.0.get(index));
        let absent = || RunFailure::NoSpec { reason: format!("there is no index {index}") };
        given.ok_or_else(absent).and_then(self.1)
    }

    fn reduce(&self, _index: u64, simulation: &Simulation) -> RunRecord {
        RunRecord::of(simulation)
    }
}

/// Runs and reports.
fn run<W: Work<Output = RunRecord>>(
    held: &Held,
    work: &W,
    indices: Range<u64>,
    report: mfn_ensemble_fn,
    user_data: *mut c_void,
) -> Result<(), Failure> {
    let report = report.ok_or_else(|| Failure::invalid("result is NULL: give a function"))?;
    let end = held.ensemble.write()?.run(work, indices, &mut |index, result| {
        let (record, failure) = match result {
            Ok(record) => (Some(record), None),
            Err(failure) => {
                let details = Arc::new(Failure::from(failure).into_details());
                (None, Some(guard::create::<mfn_error>(details)))
            }
        };
        let features = record.as_ref().map(|record| mfn_features::from(&record.features));
        let statistics = record.as_ref().map(|record| mfn_statistics::from(&record.statistics));
        let features = features.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let statistics = statistics.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let failure = failure.as_deref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the host gave a function of this type, to be called with its own user_data; what the pointers
        // point to lives until it returns.
        let answer = unsafe { report(user_data, index, features, statistics, failure) };
        if answer == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    match end {
        EnsembleEnd::Completed => Ok(()),
        EnsembleEnd::Cancelled => Err(Failure::answer(MFN_CANCELLED)),
    }
}

/// Runs count specifications that lie in a row, as many bytes apart as struct_size of the first says, each from its
/// beginning to its end, and gives each result to the function. MFN_CANCELLED: stopped by it or by
/// mfn_ensemble_cancel(). Blocks until no run is under way. specs and user_data stay the host's.
/// [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ensemble_run(
    ensemble: *mut mfn_ensemble,
    specs: *const mfn_spec,
    count: usize,
    result: mfn_ensemble_fn,
    user_data: *mut c_void,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(ensemble.cast_const(), error, |held| {
        let specs = read_specs(specs, count)?;
        let indices = 0..specs.len() as u64;
        run(held, &Listed(&specs, |spec: &Spec| Ok(spec.clone())), indices, result, user_data)
    })
}

/// Reads all before the first is run, so that an argument that is wrong changes nothing.
fn read_specs(specs: *const mfn_spec, count: usize) -> Result<Vec<Spec>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    check("specs", specs)?;
    // SAFETY: not NULL and aligned; every version of the struct begins with its size.
    let stride = unsafe { specs.cast::<u32>().read() } as usize;
    if !stride.is_multiple_of(align_of::<mfn_spec>()) {
        return Err(Failure::invalid(format!("specs: struct_size = {stride}: set it to sizeof(mfn_spec)")));
    }
    if count.checked_mul(stride.max(size_of::<mfn_spec>())).is_none_or(|bytes| bytes > isize::MAX as usize) {
        return Err(Failure::invalid(format!("specs has {count} elements: more than memory can hold")));
    }
    (0..count)
        .map(|index| {
            // Inside the row of `count` structs, as the caller promises.
            let spec = specs.wrapping_byte_add(index * stride);
            let about = |failure: Failure| failure.about(&format!("specs[{index}]"));
            // SAFETY: as above, for this element.
            let size = unsafe { spec.cast::<u32>().read() } as usize;
            if size != stride {
                let message = format!("struct_size = {size}, that of specs[0] is {stride}: make them equal");
                return Err(about(Failure::invalid(message)));
            }
            read_spec(spec).map_err(about)
        })
        .collect()
}

/// As mfn_ensemble_run(), from count JSON objects as mfn_sim_create_json() takes them. One that can not be read is
/// a failed run. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ensemble_run_json(
    ensemble: *mut mfn_ensemble,
    specs_json: *const *const c_char,
    count: usize,
    result: mfn_ensemble_fn,
    user_data: *mut c_void,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(ensemble.cast_const(), error, |held| {
        let texts = argument::array("specs_json", specs_json, count)?;
        let texts = texts
            .iter()
            .enumerate()
            .map(|(index, text)| argument::text(&format!("specs_json[{index}]"), *text));
        let texts = texts.collect::<Result<Vec<&str>, Failure>>()?;
        let indices = 0..texts.len() as u64;
        run(held, &Listed(&texts, |text: &&str| decoded(text)), indices, result, user_data)
    })
}

fn decoded(text: &str) -> Result<Spec, RunFailure> {
    match codec::decode(codec::JSON, text.as_bytes()) {
        Ok(Observation::Simulation(spec)) => Ok(*spec),
        Ok(Observation::Field(_)) => Err(RunFailure::NoSpec { reason: "give a JSON object".to_owned() }),
        Err(error) => Err(RunFailure::NoSpec { reason: error.to_string() }),
    }
}

/// Stops a run of the ensemble that is under way, or the next one, within milliseconds. Works while another thread is
/// inside a call with this handle; only mfn_ensemble_free() must not have begun. Stays in force until
/// mfn_ensemble_cancel_reset(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ensemble_cancel(
    ensemble: *const mfn_ensemble,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(ensemble, error, |held| {
        held.cancel.cancel();
        Ok(())
    })
}

/// Withdraws mfn_ensemble_cancel(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ensemble_cancel_reset(
    ensemble: *const mfn_ensemble,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(ensemble, error, |held| {
        held.cancel.reset();
        Ok(())
    })
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with mfn_error_free().
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ensemble_last_error(ensemble: *const mfn_ensemble) -> *mut mfn_error {
    crate::error::last_of(ensemble)
}

/// Frees an ensemble. NULL is allowed. No other call with it may be under way. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ensemble_free(ensemble: *mut mfn_ensemble) {
    guard::free(ensemble);
}
