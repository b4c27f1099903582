//! Simulation: one run of the model, from its specification to its fields.
//!
//! Create it from a mfn_spec or from JSON, step or run, look at the fields, free. A simulation starts no
//! thread and does no I/O unless it is asked to record a file.

use std::ffi::{c_char, c_double, c_void};
use std::ops::ControlFlow;

use ::mfn_sim::{CancelToken, Frame, RunEnd, Simulation, Spec, Statistics, record};

use crate::argument::{SizedSlot, Slot, sized32};
use crate::error::{Failure, mfn_error};
use crate::features::{self, mfn_feature_config, mfn_features};
use crate::field::{self, mfn_field_view};
use crate::guard::{self, Exclusive, Handle, opaque};
use crate::recording::Recorders;
use crate::spec::{mfn_spec, read_spec, read_spec_json};
use crate::status::{MFN_CANCELLED, mfn_status};

/// One run of the model. Freed with mfn_sim_free().
pub struct mfn_sim(Handle<Run>);

pub(crate) struct Run {
    // Beside the lock, so that another thread can cancel while a call holds it.
    cancel: CancelToken,
    pub(crate) simulation: Exclusive<Simulation>,
    pub(crate) recorders: Exclusive<Recorders>,
}

opaque! { mfn_sim(Run) as "sim" = 2; }

/// Counters and summary numbers of a run. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_statistics {
    /// sizeof(mfn_statistics).
    pub struct_size: u32,
    /// 1 when a step was discarded because of NaN, else 0.
    pub nan_detected: i32,
    /// 1 when a step was discarded because of infinite values, else 0.
    pub inf_detected: i32,
    /// 0.
    pub reserved: i32,
    /// Lowest potential, V.
    pub field_min_v: c_double,
    /// Highest potential, V.
    pub field_max_v: c_double,
    /// Mean potential, V.
    pub field_mean_v: c_double,
    /// Standard deviation of the potential, V.
    pub field_std_v: c_double,
    /// Mean of the activator.
    pub activator_mean: c_double,
    /// Mean of the inhibitor.
    pub inhibitor_mean: c_double,
    /// Steps done and kept.
    pub steps_computed: u64,
    /// Growth events in those steps.
    pub growth_events: u64,
    /// Cell activations in those steps.
    pub turing_activations: u64,
    /// Cells changed by the clamp of the potential in those steps.
    pub clamping_events: u64,
    /// Index of the discarded step, counted from 0; -1 when there was none.
    pub steps_to_instability: i64,
}

sized32! { mfn_statistics = 104; }

/// Hears of the progress of mfn_sim_run(), every few milliseconds and after the last step, on the thread
/// that called it. step counts from 1 to steps_total. Return 0 to go on, anything else to stop. It must
/// not use the simulation (such calls answer MFN_INVALID), and must return normally: no longjmp, no C++
/// exception.
pub type mfn_progress_fn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, step: u64, steps_total: u64) -> i32>;

impl From<&Statistics> for mfn_statistics {
    fn from(statistics: &Statistics) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            nan_detected: i32::from(statistics.nan_detected),
            inf_detected: i32::from(statistics.inf_detected),
            reserved: 0,
            field_min_v: statistics.field_min_v,
            field_max_v: statistics.field_max_v,
            field_mean_v: statistics.field_mean_v,
            field_std_v: statistics.field_std_v,
            activator_mean: statistics.activator_mean,
            inhibitor_mean: statistics.inhibitor_mean,
            steps_computed: statistics.steps_computed,
            growth_events: statistics.growth_events,
            turing_activations: statistics.turing_activations,
            clamping_events: statistics.clamping_events,
            steps_to_instability: statistics
                .steps_to_instability
                .and_then(|step| i64::try_from(step).ok())
                .unwrap_or(-1),
        }
    }
}

fn create(spec: Spec, sim: Slot<*mut mfn_sim>) -> Result<(), Failure> {
    hand_over(Simulation::new(spec)?, sim);
    Ok(())
}

/// Gives a simulation to the host.
pub(crate) fn hand_over(simulation: Simulation, sim: Slot<*mut mfn_sim>) {
    let cancel = simulation.cancel_token();
    let recorders = Exclusive::new(Recorders::default());
    sim.hand_over(guard::create(Run { cancel, simulation: Exclusive::new(simulation), recorders }));
}

/// Creates a simulation and draws its initial fields from the seed. The error lists every fault of the
/// specification. The host owns *sim and frees it with mfn_sim_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_create(
    spec: *const mfn_spec,
    sim: *mut *mut mfn_sim,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || create(read_spec(spec)?, Slot::required("sim", sim)?))
}

/// As mfn_sim_create(), from a JSON object as pipelines take it, such as {"grid_size": 128, "steps": 200}.
/// Absent fields take the defaults, unknown ones are refused. The host owns *sim and frees it with
/// mfn_sim_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_create_json(
    spec_json: *const c_char,
    sim: *mut *mut mfn_sim,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("sim", sim)?;
        create(read_spec_json(spec_json)?, slot)
    })
}

/// Reads back the specification of the run. spec belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_spec(
    sim: *const mfn_sim,
    spec: *mut mfn_spec,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        SizedSlot::new("spec", spec)?.write(&mfn_spec::from(run.simulation.read()?.spec()));
        Ok(())
    })
}

/// Replaces the initial potential, before the first step, by a copy of a field in volts that has the shape
/// of the grid. The rest of the run draws the same random numbers. The field stays the host's.
/// [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_set_initial_field(
    sim: *mut mfn_sim,
    field: *const mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let field = field::borrow("field", field)?;
        Ok(run.simulation.write()?.set_initial_field(field)?)
    })
}

/// Follows the run from here on, so that mfn_sim_features() also gives the features that describe a run.
/// config may be NULL for the defaults. Costs two grids of memory and one pass a step. config stays the
/// host's. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_follow_features(
    sim: *mut mfn_sim,
    config: *const mfn_feature_config,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let config = features::config("config", config)?;
        Ok(run.simulation.write()?.enable_temporal_features(&config)?)
    })
}

/// Does one step. MFN_UNSTABLE: the step was discarded and the state is the one before it. Views lent
/// before end. Nothing changes hands. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_step(sim: *mut mfn_sim, error: *mut *mut mfn_error) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| Ok(run.simulation.write()?.step()?))
}

/// Does steps more steps. progress may be NULL. MFN_CANCELLED: stopped between two steps by the callback
/// or by mfn_sim_cancel(); it can go on. MFN_UNSTABLE: as mfn_sim_step(). Blocks until done. Views lent
/// before end. user_data stays the host's. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_run(
    sim: *mut mfn_sim,
    steps: u64,
    progress: mfn_progress_fn,
    user_data: *mut c_void,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim.cast_const(), error, |run| {
        let mut recorders = run.recorders.write()?;
        let mut simulation = run.simulation.write()?;
        let on_frame = &mut |frame: Frame<'_>| recorders.record(&frame);
        let end = record::run::<Failure>(&mut simulation, steps, on_frame, &mut |now| {
            let stop = progress.is_some_and(|report| {
                // SAFETY: the host gave a function of this type, to be called with its own user_data.
                unsafe { report(user_data, now.step, now.steps_total) != 0 }
            });
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        match end {
            RunEnd::Completed => Ok(()),
            RunEnd::Cancelled => Err(Failure::answer(MFN_CANCELLED)),
        }
    })
}

/// Stops a mfn_sim_run() that is under way, or the next one, before its next step. Works while another
/// thread is inside a call with this handle; only mfn_sim_free() must not have begun. Stays in force until
/// mfn_sim_cancel_reset(), so that a request that comes early is not lost. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_cancel(sim: *const mfn_sim, error: *mut *mut mfn_error) -> mfn_status {
    guard::on(sim, error, |run| {
        run.cancel.cancel();
        Ok(())
    })
}

/// Withdraws mfn_sim_cancel(), so that the run can go on. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_cancel_reset(sim: *const mfn_sim, error: *mut *mut mfn_error) -> mfn_status {
    guard::on(sim, error, |run| {
        run.cancel.reset();
        Ok(())
    })
}

/// Steps done and kept; 0 for a handle that is NULL or in use. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_step_count(sim: *const mfn_sim) -> u64 {
    guard::read(sim, 0, |run| Some(run.simulation.read().ok()?.step_count()))
}

/// Lends the membrane potential in volts. The view lives until the next call with this handle that is not
/// const. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_field(
    sim: *const mfn_sim,
    view: *mut mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let slot = Slot::required("view", view)?;
        slot.write(mfn_field_view::lend_in_place(&run.simulation.read()?.field())?);
        Ok(())
    })
}

/// Lends the activator, 0 to 1. The view lives until the next call with this handle that is not const.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_activator(
    sim: *const mfn_sim,
    view: *mut mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let slot = Slot::required("view", view)?;
        slot.write(mfn_field_view::lend_in_place(&run.simulation.read()?.activator())?);
        Ok(())
    })
}

/// Lends the inhibitor, 0 to 1. The view lives until the next call with this handle that is not const.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_inhibitor(
    sim: *const mfn_sim,
    view: *mut mfn_field_view,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let slot = Slot::required("view", view)?;
        slot.write(mfn_field_view::lend_in_place(&run.simulation.read()?.inhibitor())?);
        Ok(())
    })
}

/// Computes the statistics of the run so far. statistics belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_statistics(
    sim: *const mfn_sim,
    statistics: *mut mfn_statistics,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let slot = SizedSlot::new("statistics", statistics)?;
        slot.write(&mfn_statistics::from(&run.simulation.read()?.statistics()));
        Ok(())
    })
}

/// Computes the features of the current field and, after mfn_sim_follow_features(), of the run. features
/// belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_features(
    sim: *const mfn_sim,
    features: *mut mfn_features,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let slot = SizedSlot::new("features", features)?;
        slot.write(&mfn_features::from(&run.simulation.read()?.features()));
        Ok(())
    })
}

/// The last failure of a call with this handle, or NULL. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_last_error(sim: *const mfn_sim) -> *mut mfn_error {
    crate::error::last_of(sim)
}

/// Frees a simulation and the views it lent. NULL is allowed. No other call with it may be under way.
/// [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_free(sim: *mut mfn_sim) {
    guard::free(sim);
}
