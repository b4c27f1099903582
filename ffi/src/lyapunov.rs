//! Lyapunov exponents: how fast nearby trajectories separate, for maps and equations of the host's own.
//!
//! The largest exponent is measured by two trajectories whose distance is set back again and again (Benettin and
//! others, 1980). Above 0 it means chaos, below 0 a stable state. Everything runs on the calling thread.

use std::cell::Cell;
use std::ffi::{c_double, c_void};
use std::ops::ControlFlow;

use ::mfn_sim::lyapunov::{
    Estimate, FlowStepping, Interval, LyapunovError, LyapunovOptions, SpectrumOptions, flow_exponent,
    kaplan_yorke_dimension, map_exponent, map_spectrum, simulation_exponent,
};
use ::mfn_sim::membrane::ode::AdaptiveStep;
use ::mfn_sim::{RunEnd, Simulation};

use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::error::{Failure, mfn_error, spec_faults};
use crate::guard;
use crate::membrane::{
    HostDerivative, MFN_ODE_DORMAND_PRINCE, MFN_ODE_EULER, MFN_ODE_RK4, method_refused, mfn_ode_fn, scheme,
};
use crate::simulation::{mfn_progress_fn, mfn_sim};
use crate::status::{MFN_CANCELLED, MFN_INVALID, MFN_UNSTABLE, mfn_status};

/// How an exponent is measured. Fill it with mfn_lyapunov_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_lyapunov_options {
    /// sizeof(mfn_lyapunov_options).
    pub struct_size: u32,
    /// How equations are integrated: one of MFN_ODE_*; not used for maps and simulations.
    pub method: i32,
    /// Distance to which the trajectories are set back, in the unit of the state.
    pub separation: c_double,
    /// Steps between two such moments.
    pub steps_per_interval: u64,
    /// Intervals before the ones that count.
    pub transient: u64,
    /// Intervals that count.
    pub intervals: u64,
    /// Time of the initial state of equations.
    pub time_start: c_double,
    /// Length of a step of equations; with Dormand-Prince the time that counts as one.
    pub time_step: c_double,
    /// Error of a step relative to the size of a component; Dormand-Prince only.
    pub relative_tolerance: c_double,
    /// Error of a step beside the relative one; Dormand-Prince only.
    pub absolute_tolerance: c_double,
}

/// A measured exponent. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_lyapunov_estimate {
    /// sizeof(mfn_lyapunov_estimate).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The largest Lyapunov exponent, 1 per unit of time; per step for maps.
    pub exponent: c_double,
    /// Its standard error, from the means of twenty parts; NaN for fewer than forty intervals.
    pub standard_error: c_double,
    /// Intervals that counted.
    pub intervals: u64,
}

sized32! {
    mfn_lyapunov_options = 72;
    mfn_lyapunov_estimate = 32;
}

/// A map: writes the image of a state of length components. Returns 0 to go on, anything else to stop with
/// MFN_CANCELLED. Called on the thread of the measurement. state and next are valid during the call only. It must
/// return normally: no longjmp, no C++ exception.
pub type mfn_map_fn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        state: *const c_double,
        next: *mut c_double,
        length: usize,
    ) -> i32,
>;

impl From<LyapunovError> for Failure {
    fn from(error: LyapunovError) -> Self {
        let status = match error {
            LyapunovError::NotFinite { .. } | LyapunovError::Merged { .. } => MFN_UNSTABLE,
            _ => MFN_INVALID,
        };
        let failure = Self::from_error(status, &error);
        match error {
            LyapunovError::Ode(ode) => ode.into(),
            LyapunovError::Simulation(simulation) => simulation.into(),
            LyapunovError::Options(spec) => failure.with_faults(spec_faults(&spec)),
            _ => failure,
        }
    }
}

fn options(given: &mfn_lyapunov_options) -> LyapunovOptions {
    LyapunovOptions {
        separation: given.separation,
        steps_per_interval: given.steps_per_interval,
        transient: given.transient,
        intervals: given.intervals,
    }
}

fn write(slot: SizedSlot<mfn_lyapunov_estimate>, estimate: &Estimate) {
    slot.write(&mfn_lyapunov_estimate {
        struct_size: 0,
        reserved: 0,
        exponent: estimate.exponent,
        standard_error: estimate.standard_error,
        intervals: estimate.intervals,
    });
}

/// Fills options with the defaults. struct_size is sizeof(mfn_lyapunov_options). options belongs to the host.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_lyapunov_options_init(
    options: *mut mfn_lyapunov_options,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let (defaults, adaptive) = (LyapunovOptions::default(), AdaptiveStep::default());
        SizedSlot::of_size("options", options, struct_size)?.write(&mfn_lyapunov_options {
            struct_size: 0,
            method: MFN_ODE_RK4,
            separation: defaults.separation,
            steps_per_interval: defaults.steps_per_interval,
            transient: defaults.transient,
            intervals: defaults.intervals,
            time_start: 0.0,
            time_step: 0.01,
            relative_tolerance: adaptive.relative_tolerance,
            absolute_tolerance: adaptive.absolute_tolerance,
        });
        Ok(())
    })
}

/// Measures the largest exponent of a map along the trajectory of a state of length components. MFN_UNSTABLE: the
/// trajectory became NaN or infinite, or both became the same; the error says in which interval. state and options
/// are read during the call only; estimate and user_data stay the host's. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_lyapunov_map(
    map: mfn_map_fn,
    user_data: *mut c_void,
    state: *const c_double,
    length: usize,
    options: *const mfn_lyapunov_options,
    estimate: *mut mfn_lyapunov_estimate,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("estimate", estimate)?;
        let given = read_sized("options", options)?;
        let stopped = Cell::new(false);
        let image = host_map("map", map, user_data, &stopped)?;
        let state = argument::array("state", state, length)?;
        let result = map_exponent(image, state, &self::options(&given), |_| flow(&stopped));
        write(slot, &outcome(&stopped, result)?);
        Ok(())
    })
}

/// A map of the host's that notes when it wishes to stop.
fn host_map(
    name: &str,
    map: mfn_map_fn,
    user_data: *mut c_void,
    stopped: &Cell<bool>,
) -> Result<impl Fn(&[f64], &mut [f64]), Failure> {
    let call = map.ok_or_else(|| Failure::invalid(format!("{name} is NULL: give a function")))?;
    Ok(move |state: &[f64], next: &mut [f64]| {
        if stopped.get() {
            // What is under way is finished without the host and dropped.
            return next.fill(0.0);
        }
        // SAFETY: the host gave a function of this type, to be called with its own user_data; the arrays have
        // the lengths that it was told.
        stopped.set(unsafe { call(user_data, state.as_ptr(), next.as_mut_ptr(), state.len()) } != 0);
    })
}

/// To be asked after every step.
fn flow(stopped: &Cell<bool>) -> ControlFlow<()> {
    if stopped.get() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// The result of the work, or the answer that the host stopped it.
fn outcome<T>(stopped: &Cell<bool>, result: Result<T, LyapunovError>) -> Result<T, Failure> {
    if stopped.get() { Err(Failure::answer(MFN_CANCELLED)) } else { Ok(result?) }
}

/// Measures all exponents of a map along the trajectory of a state of length components, at most 256, by its
/// derivatives (Eckmann and Ruelle, 1985). jacobian is told a state and writes length * length numbers, row by row:
/// number i * length + j is the change of component i with component j. transient steps are done before the steps
/// that count. exponents has room for length numbers: from the largest to the smallest, 1 per step, -INFINITY for
/// directions that a singular Jacobian annihilates. dimension, which may be NULL, becomes the dimension that they imply
/// (Kaplan and Yorke, 1979). MFN_CANCELLED: one of the functions stopped it. MFN_UNSTABLE: a component or a derivative
/// became NaN or infinite; the error says in which step. state is read during the call only; what is written and
/// user_data, which both functions get, stay the host's. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_lyapunov_spectrum(
    map: mfn_map_fn,
    jacobian: mfn_map_fn,
    user_data: *mut c_void,
    state: *const c_double,
    length: usize,
    transient: u64,
    steps: u64,
    exponents: *mut c_double,
    dimension: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slots = argument::slots("exponents", exponents, length)?;
        let dimension = Slot::optional("dimension", dimension)?;
        let stopped = Cell::new(false);
        let image = host_map("map", map, user_data, &stopped)?;
        let derivatives = host_map("jacobian", jacobian, user_data, &stopped)?;
        let state = argument::array("state", state, length)?;
        let options = SpectrumOptions { transient, steps };
        let result = map_spectrum(image, derivatives, state, &options, |_| flow(&stopped));
        let found = outcome(&stopped, result)?.exponents;
        if let Some(slot) = dimension {
            slot.write(kaplan_yorke_dimension(&found).unwrap_or(f64::NAN));
        }
        slots.zip(found).for_each(|(slot, exponent)| slot.write(exponent));
        Ok(())
    })
}

/// Measures the largest exponent of equations along the trajectory of a state of length components. MFN_UNSTABLE:
/// as mfn_lyapunov_map() and mfn_ode_integrate(). state and options are read during the call only; estimate and
/// user_data stay the host's. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_lyapunov_flow(
    derivative: mfn_ode_fn,
    user_data: *mut c_void,
    state: *const c_double,
    length: usize,
    options: *const mfn_lyapunov_options,
    estimate: *mut mfn_lyapunov_estimate,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("estimate", estimate)?;
        let given = read_sized("options", options)?;
        let host = HostDerivative::new(derivative, user_data)?;
        let state = argument::array("state", state, length)?;
        let stepping = match given.method {
            MFN_ODE_EULER | MFN_ODE_RK4 => {
                FlowStepping::Fixed { scheme: scheme(given.method), time_step: given.time_step }
            }
            MFN_ODE_DORMAND_PRINCE => FlowStepping::Adaptive {
                duration: given.time_step,
                relative_tolerance: given.relative_tolerance,
                absolute_tolerance: given.absolute_tolerance,
            },
            other => return Err(method_refused(other)),
        };
        let slopes = |time: f64, state: &[f64], slope: &mut [f64]| host.evaluate(time, state, slope);
        let options = self::options(&given);
        let result = flow_exponent(slopes, state, given.time_start, stepping, &options, |_| host.flow());
        write(slot, &host.outcome(result)?);
        Ok(())
    })
}

/// Measures the largest exponent of a simulation from its current state on, 1 per unit of time, by two copies that
/// see the same random numbers; the simulation is not changed. options may be NULL for the defaults. progress
/// hears of intervals and may stop the measurement (MFN_CANCELLED); it may be NULL. MFN_UNSTABLE: as mfn_sim_step()
/// and mfn_lyapunov_map(). Needs f64 and no kinetics of the host's. estimate and user_data stay the host's.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_sim_lyapunov(
    sim: *const mfn_sim,
    options: *const mfn_lyapunov_options,
    progress: mfn_progress_fn,
    user_data: *mut c_void,
    estimate: *mut mfn_lyapunov_estimate,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(sim, error, |run| {
        let slot = SizedSlot::new("estimate", estimate)?;
        let options = match options.is_null() {
            true => LyapunovOptions::default(),
            false => self::options(&read_sized("options", options)?),
        };
        let control = |now: Interval| {
            let stop = progress.is_some_and(|report| {
                // SAFETY: the host gave a function of this type, to be called with its own user_data.
                unsafe { report(user_data, now.done, now.total) != 0 }
            });
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // A copy, so that the handle is free while the measurement takes its time.
        let copy = Simulation::from_state(run.simulation.read()?.state())?;
        let measured = simulation_exponent(&copy, &options, control)?;
        if measured.end == RunEnd::Cancelled {
            return Err(Failure::answer(MFN_CANCELLED));
        }
        write(slot, &measured);
        Ok(())
    })
}
