//! Sweeps: runs over a range of parameters, written as a dataset.
//!
//! A plan, in JSON, says what varies (a grid, a Latin hypercube, a Sobol sequence) and how many seeds each
//! configuration gets. mfn_sweep_write() computes the runs and writes one row for each to a Parquet or CSV file,
//! which appears when it is complete. What is done is kept beside it until then, so that a sweep that was stopped or
//! killed goes on where it was and leaves the same bytes.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::path::Path;

use ::mfn_dataset::{
    DatasetError, Existing, PlanError, Sweep, SweepEnd, SweepOptions, SweepPlan, SweepReport,
};
use ::mfn_sim::CancelToken;

use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::ensemble::{memory_limit, own_threads};
use crate::error::{self, Failure, Fault, mfn_error};
use crate::guard::{self, Exclusive, Handle, opaque};
use crate::owned::give_string;
use crate::status::{MFN_CANCELLED, MFN_INVALID, MFN_IO, mfn_status};

/// A checked plan: a numbered list of runs. Freed with mfn_sweep_free().
pub struct mfn_sweep(Handle<Planned>);

pub(crate) struct Planned {
    sweep: Sweep,
    cancel: CancelToken,
    writing: Exclusive<()>,
}

opaque! { mfn_sweep(Planned) as "sweep" = 71; }

/// Refuse a target that exists, or that an interrupted sweep has begun.
pub const MFN_SWEEP_REFUSE: i32 = 0;
/// Go on with an interrupted sweep; begin where there is none. A finished target is refused.
pub const MFN_SWEEP_RESUME: i32 = 1;
/// Throw an interrupted sweep away and replace a finished target.
pub const MFN_SWEEP_REPLACE: i32 = 2;

/// How a sweep is written; all fields but struct_size may be 0. None of them changes a byte of the dataset.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_sweep_options {
    /// sizeof(mfn_sweep_options).
    pub struct_size: u32,
    /// Threads that compute, at most 1024; 0: one for each core.
    pub threads: u32,
    /// The most memory of the runs that are computed at once, bytes; 0: no limit. A run that alone needs more fails.
    pub memory_bytes_max: u64,
    /// What to do with what is there: one of the MFN_SWEEP_* constants.
    pub existing: i32,
    /// 0.
    pub reserved: u32,
}

/// What was written. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_sweep_report {
    /// sizeof(mfn_sweep_report).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Runs of the sweep.
    pub runs: u64,
    /// Runs that were taken over from an interrupted sweep.
    pub resumed: u64,
    /// Runs with a result.
    pub succeeded: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Index of the first run that failed; -1 when there is none.
    pub first_failed: i64,
}

sized32! {
    mfn_sweep_options = 24;
    mfn_sweep_report = 48;
}

/// Hears of the progress of mfn_sweep_write() after each run, on the thread that called: runs that are done, those
/// taken over included, runs of the sweep, and runs of those done that failed. Return 0 to go on, anything else to
/// stop. It must return normally: no longjmp, no C++ exception.
pub type mfn_sweep_progress_fn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, done: u64, runs: u64, failed: u64) -> i32>;

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let failure = Self::from_error(MFN_INVALID, &error);
        let faults = error.faults.into_iter();
        failure.with_faults(
            faults.map(|fault| Fault { path: fault.path, message: fault.message, fix: fault.fix }).collect(),
        )
    }
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        let status = match error {
            DatasetError::Io { .. } | DatasetError::Busy { .. } => MFN_IO,
            _ => MFN_INVALID,
        };
        Self::from_error(status, &error)
    }
}

impl From<&SweepReport> for mfn_sweep_report {
    fn from(report: &SweepReport) -> Self {
        let first = report.failures.first().and_then(|(index, _)| i64::try_from(*index).ok());
        Self {
            struct_size: size_of::<Self>() as u32,
            reserved: 0,
            runs: report.runs,
            resumed: report.resumed,
            succeeded: report.succeeded,
            failed: report.failed,
            first_failed: first.unwrap_or(-1),
        }
    }
}

fn create(plan: SweepPlan, slot: Slot<*mut mfn_sweep>) -> Result<(), Failure> {
    let planned = Planned { sweep: plan.check()?, cancel: CancelToken::new(), writing: Exclusive::new(()) };
    slot.hand_over(guard::create(planned));
    Ok(())
}

/// Checks a plan and makes a sweep of it. plan_json is an object such as {"base": {"steps": 100}, "axes": [{"field":
/// "alpha", "min": 0.05, "max": 0.15, "points": 5}], "seeds_per_config": 3}. The error lists every fault of the
/// plan. The host owns *sweep and frees it with mfn_sweep_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_create(
    plan_json: *const c_char,
    sweep: *mut *mut mfn_sweep,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("sweep", sweep)?;
        let text = argument::text("plan_json", plan_json)?;
        let plan =
            serde_json::from_str(text).map_err(|error| Failure::invalid(format!("plan_json: {error}")))?;
        create(plan, slot)
    })
}

/// As mfn_sweep_create(), with the plan of a dataset of MyceliumFractalNet 4.1: "small", "medium", "large" or
/// "benchmark". The host owns *sweep and frees it with mfn_sweep_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_create_preset(
    name: *const c_char,
    sweep: *mut *mut mfn_sweep,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("sweep", sweep)?;
        let plan = SweepPlan::preset(argument::text("name", name)?);
        create(plan.map_err(|error| Failure::from_error(MFN_INVALID, &error))?, slot)
    })
}

/// Runs of a sweep; 0 for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_runs(sweep: *const mfn_sweep) -> u64 {
    guard::read(sweep, 0, |planned| Some(planned.sweep.runs()))
}

/// The specification of run index as JSON, for example for mfn_sim_create_json(). The host owns *json and frees it
/// with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_spec_json(
    sweep: *const mfn_sweep,
    index: u64,
    json: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sweep, error, |planned| {
        let slot = Slot::required("json", json)?;
        let spec =
            planned.sweep.spec(index).map_err(|reason| Failure::invalid(format!("index: {reason}")))?;
        give_string(slot, error::json(&spec)?);
        Ok(())
    })
}

fn read_options(options: *const mfn_sweep_options) -> Result<SweepOptions, Failure> {
    let mut read = SweepOptions::default();
    read.ensemble.threads = own_threads(0);
    read.ensemble.memory_bytes_max = memory_limit(0);
    if options.is_null() {
        return Ok(read);
    }
    let given = read_sized("options", options)?;
    if given.reserved != 0 {
        return Err(Failure::invalid(format!("options.reserved = {}: leave it 0", given.reserved)));
    }
    read.ensemble.threads = own_threads(given.threads);
    read.ensemble.memory_bytes_max = memory_limit(given.memory_bytes_max);
    read.ensemble.check()?;
    read.existing = match given.existing {
        MFN_SWEEP_REFUSE => Existing::Refuse,
        MFN_SWEEP_RESUME => Existing::Resume,
        MFN_SWEEP_REPLACE => Existing::Replace,
        other => {
            let allowed = "give one of the MFN_SWEEP_* constants";
            return Err(Failure::invalid(format!("options.existing = {other}: {allowed}")));
        }
    };
    Ok(read)
}

/// Computes every run and writes the dataset to path, a name that ends in .parquet or .csv; the folders above it are
/// made. options, progress and report may be NULL. A run that fails is a row with its error and does not end the
/// sweep. MFN_CANCELLED: stopped by the callback or by mfn_sweep_cancel(); what is done is kept in PATH.partial
/// and MFN_SWEEP_RESUME goes on with it. MFN_IO: the system refused something, or another process writes the same
/// target. Blocks until done. user_data and report stay the host's. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_write(
    sweep: *mut mfn_sweep,
    path: *const c_char,
    options: *const mfn_sweep_options,
    progress: mfn_sweep_progress_fn,
    user_data: *mut c_void,
    report: *mut mfn_sweep_report,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sweep.cast_const(), error, |planned| {
        let slot = if report.is_null() { None } else { Some(SizedSlot::new("report", report)?) };
        let path = Path::new(argument::text("path", path)?);
        let mut options = read_options(options)?;
        options.ensemble.cancel = planned.cancel.clone();
        let _writing = planned.writing.write()?;
        let written = planned.sweep.write(path, &options, &mut |at| {
            let stop = progress.is_some_and(|tell| {
                // SAFETY: the host gave a function of this type, to be called with its own user_data.
                unsafe { tell(user_data, at.done, at.runs, at.failed) != 0 }
            });
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if written.end == SweepEnd::Cancelled {
            return Err(Failure::answer(MFN_CANCELLED));
        }
        if let Some(slot) = slot {
            slot.write(&mfn_sweep_report::from(&written));
        }
        Ok(())
    })
}

/// Stops a mfn_sweep_write() that is under way, or the next one, within milliseconds. Works while another thread is
/// inside a call with this handle; only mfn_sweep_free() must not have begun. Stays in force until
/// mfn_sweep_cancel_reset(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_cancel(sweep: *const mfn_sweep, error: *mut *mut mfn_error) -> mfn_status {
    guard::on(sweep, error, |planned| {
        planned.cancel.cancel();
        Ok(())
    })
}

/// Withdraws mfn_sweep_cancel(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_cancel_reset(
    sweep: *const mfn_sweep,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sweep, error, |planned| {
        planned.cancel.reset();
        Ok(())
    })
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with mfn_error_free().
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_last_error(sweep: *const mfn_sweep) -> *mut mfn_error {
    crate::error::last_of(sweep)
}

/// Frees a sweep. NULL is allowed. No other call with it may be under way. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sweep_free(sweep: *mut mfn_sweep) {
    guard::free(sweep);
}
