//! Membrane: Nernst and GHK potentials, and the integration of equations of the host's own.
//!
//! mfn_ode_integrate() calls a derivative that the host writes, with fixed steps (Euler, RK4) or with steps that meet
//! a tolerance (Dormand-Prince 5(4)). Everything runs on the calling thread. Potentials are in volts, concentrations
//! in mol/L, temperatures in kelvin.

use std::cell::Cell;
use std::ffi::{c_double, c_void};
use std::ops::ControlFlow;

use ::mfn_sim::membrane::constants::PhysicalConstants;
use ::mfn_sim::membrane::ode::{
    AdaptiveStep, Clamp, FixedStep, OdeError, Scheme, integrate_adaptive, integrate_fixed,
};
use ::mfn_sim::membrane::{
    MembraneConfig, MembraneError, Permeation, goldman, nernst, nernst_array, nernst_array_v4_1,
};

use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::error::{Failure, mfn_error, spec_faults};
use crate::guard;
use crate::status::{MFN_CANCELLED, MFN_INVALID, MFN_UNSTABLE, mfn_status};

/// One kind of monovalent ion.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_permeation {
    /// 1 for a cation, -1 for an anion.
    pub valence: i32,
    /// 0.
    pub reserved: i32,
    /// Permeability in any unit that all ions share, at least 0.
    pub permeability: c_double,
    /// Concentration outside, mol/L.
    pub outside_molar: c_double,
    /// Concentration inside, mol/L.
    pub inside_molar: c_double,
}

/// Explicit Euler with fixed steps, order 1.
pub const MFN_ODE_EULER: i32 = 1;
/// The classical Runge-Kutta scheme with fixed steps, order 4.
pub const MFN_ODE_RK4: i32 = 2;
/// Dormand and Prince's pair of orders 5 and 4, with steps that meet the tolerances.
pub const MFN_ODE_DORMAND_PRINCE: i32 = 3;

/// How an equation is integrated. Fill it with mfn_ode_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_ode_options {
    /// sizeof(mfn_ode_options).
    pub struct_size: u32,
    /// MFN_ODE_EULER, MFN_ODE_RK4 or MFN_ODE_DORMAND_PRINCE.
    pub method: i32,
    /// Time of the initial state.
    pub time_start: c_double,
    /// Time of the final state, met exactly; Dormand-Prince only.
    pub time_end: c_double,
    /// Length of a step; Euler and RK4 only.
    pub time_step: c_double,
    /// Number of steps; Euler and RK4 only.
    pub steps: u64,
    /// Error of a step relative to the size of a component; Dormand-Prince only.
    pub relative_tolerance: c_double,
    /// Error of a step beside the relative one; Dormand-Prince only.
    pub absolute_tolerance: c_double,
    /// Length of the first step; 0: estimated. Dormand-Prince only.
    pub step_first: c_double,
    /// Longest step; 0: the whole interval. Dormand-Prince only.
    pub step_max: c_double,
    /// Most steps; Dormand-Prince only.
    pub steps_max: u64,
    /// 1: after each step every component is moved into clamp_min to clamp_max, else 0; Euler and RK4 only. With -0.15
    /// and 0.15 V, Euler or RK4 is the membrane engine of MyceliumFractalNet 4.1, bit for bit.
    pub clamp: i32,
    /// 1: go on when a component becomes NaN or infinite, else 0; Euler and RK4 only.
    pub allow_not_finite: i32,
    /// Lower limit of the clamp.
    pub clamp_min: c_double,
    /// Upper limit of the clamp.
    pub clamp_max: c_double,
}

/// What an integration did. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_ode_report {
    /// sizeof(mfn_ode_report).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Steps kept.
    pub accepted: u64,
    /// Steps repeated with a shorter length; 0 for fixed steps.
    pub rejected: u64,
    /// Calls of the derivative.
    pub evaluations: u64,
    /// Time of the state.
    pub time: c_double,
    /// Components changed by the clamp, added up over the steps.
    pub clamping_events: u64,
}

sized32! {
    mfn_ode_options = 80;
    mfn_ode_report = 40;
}

/// The derivative y' = f(time, state): writes the slope of each of the length components. Returns 0 to go on,
/// anything else to stop with MFN_CANCELLED. Called on the thread of the integration. state and slope are valid
/// during the call only. It must return normally: no longjmp, no C++ exception.
pub type mfn_ode_fn = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        time: c_double,
        state: *const c_double,
        slope: *mut c_double,
        length: usize,
    ) -> i32,
>;

impl From<OdeError> for Failure {
    fn from(error: OdeError) -> Self {
        let status = match error {
            OdeError::NotFinite { .. } | OdeError::TooStiff { .. } | OdeError::StepTooSmall { .. } => {
                MFN_UNSTABLE
            }
            _ => MFN_INVALID,
        };
        let failure = Self::from_error(status, &error);
        if let OdeError::Options(spec) = &error { failure.with_faults(spec_faults(spec)) } else { failure }
    }
}

impl From<MembraneError> for Failure {
    fn from(error: MembraneError) -> Self {
        let failure = Self::from_error(MFN_INVALID, &error);
        match error {
            MembraneError::Ode(ode) => ode.into(),
            MembraneError::Parameters(spec) => failure.with_faults(spec_faults(&spec)),
            _ => failure,
        }
    }
}

/// The derivative of a host, with the wish to stop that it may utter.
pub(crate) struct HostDerivative {
    call: unsafe extern "C" fn(*mut c_void, c_double, *const c_double, *mut c_double, usize) -> i32,
    user_data: *mut c_void,
    stopped: Cell<bool>,
    evaluations: Cell<u64>,
}

impl HostDerivative {
    pub(crate) fn new(derivative: mfn_ode_fn, user_data: *mut c_void) -> Result<Self, Failure> {
        let call = derivative.ok_or_else(|| Failure::invalid("derivative is NULL: give a function"))?;
        Ok(Self { call, user_data, stopped: Cell::new(false), evaluations: Cell::new(0) })
    }

    pub(crate) fn evaluate(&self, time: f64, state: &[f64], slope: &mut [f64]) {
        if self.stopped.get() {
            // The step under way is finished without the host and dropped.
            return slope.fill(0.0);
        }
        self.evaluations.set(self.evaluations.get() + 1);
        // SAFETY: the host gave a function of this type, to be called with its own user_data; both arrays have
        // `length` elements.
        let answer =
            unsafe { (self.call)(self.user_data, time, state.as_ptr(), slope.as_mut_ptr(), state.len()) };
        self.stopped.set(answer != 0);
    }

    /// To be asked after every step.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.stopped.get() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The result of the work, or the answer that the host stopped it.
    pub(crate) fn outcome<T, E>(&self, result: Result<T, E>) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        if self.stopped.get() { Err(Failure::answer(MFN_CANCELLED)) } else { Ok(result?) }
    }
}

/// The Nernst potential of an ion in volts. valence is in -4..4 without 0, concentrations in (0, 100] mol/L, the
/// temperature in [200, 400] K. potential_v belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_nernst(
    valence: i32,
    outside_molar: c_double,
    inside_molar: c_double,
    temperature_k: c_double,
    potential_v: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("potential_v", potential_v)?;
        slot.write(nernst(valence, outside_molar, inside_molar, temperature_k)?);
        Ok(())
    })
}

/// The Nernst potentials of count pairs of concentrations, with ranges as in mfn_nernst(). The error names the
/// first refused element; nothing is written then. All arrays belong to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_nernst_array(
    valence: i32,
    outside_molar: *const c_double,
    inside_molar: *const c_double,
    count: usize,
    temperature_k: c_double,
    potentials_v: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slots = argument::slots("potentials_v", potentials_v, count)?;
        let outside = argument::array("outside_molar", outside_molar, count)?;
        let inside = argument::array("inside_molar", inside_molar, count)?;
        let mut potentials = vec![0.0; count];
        nernst_array(valence, outside, inside, temperature_k, &mut potentials)?;
        slots.zip(potentials).for_each(|(slot, potential)| slot.write(potential));
        Ok(())
    })
}

/// The Nernst potentials that MyceliumFractalNet 4.1 computes: concentrations below ion_clamp_min (0 to 100 mol/L,
/// v4.1: 1e-6) are raised to it, temperatures are not checked, and the valence is -2, -1, 1 or 2. The resting calcium
/// of a cell, 1e-7 mol/L, comes out wrong by 31 mV: new work uses mfn_nernst_array(). clamping_events, which may be
/// NULL, becomes the number of concentrations raised. All arrays belong to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_nernst_array_v4_1(
    valence: i32,
    outside_molar: *const c_double,
    inside_molar: *const c_double,
    count: usize,
    temperature_k: c_double,
    ion_clamp_min: c_double,
    potentials_v: *mut c_double,
    clamping_events: *mut u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slots = argument::slots("potentials_v", potentials_v, count)?;
        let events = Slot::optional("clamping_events", clamping_events)?;
        let outside = argument::array("outside_molar", outside_molar, count)?;
        let inside = argument::array("inside_molar", inside_molar, count)?;
        let config = MembraneConfig { ion_clamp_min, ..MembraneConfig::default() };
        let mut potentials = vec![0.0; count];
        let raised = nernst_array_v4_1(&config, valence, outside, inside, temperature_k, &mut potentials)?;
        slots.zip(potentials).for_each(|(slot, potential)| slot.write(potential));
        if let Some(slot) = events {
            slot.write(raised);
        }
        Ok(())
    })
}

/// The GHK potential in volts of a membrane that count kinds of monovalent ions can cross (Goldman, 1943; Hodgkin
/// and Katz, 1949). ions is read during the call only; potential_v belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ghk(
    ions: *const mfn_permeation,
    count: usize,
    temperature_k: c_double,
    potential_v: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("potential_v", potential_v)?;
        let ions: Vec<Permeation> = argument::array("ions", ions, count)?
            .iter()
            .map(|ion| Permeation {
                valence: ion.valence,
                permeability: ion.permeability,
                outside_molar: ion.outside_molar,
                inside_molar: ion.inside_molar,
            })
            .collect();
        slot.write(goldman(&PhysicalConstants::V4_1, &ions, temperature_k)?);
        Ok(())
    })
}

/// Fills options with the defaults: Dormand-Prince from 0 to 1. struct_size is sizeof(mfn_ode_options).
/// options belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ode_options_init(
    options: *mut mfn_ode_options,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let (adaptive, fixed) = (AdaptiveStep::default(), FixedStep::default());
        let membrane = MembraneConfig::default();
        SizedSlot::of_size("options", options, struct_size)?.write(&mfn_ode_options {
            struct_size: 0,
            method: MFN_ODE_DORMAND_PRINCE,
            time_start: adaptive.time_start,
            time_end: adaptive.time_end,
            time_step: fixed.time_step,
            steps: fixed.steps,
            relative_tolerance: adaptive.relative_tolerance,
            absolute_tolerance: adaptive.absolute_tolerance,
            step_first: 0.0,
            step_max: 0.0,
            steps_max: adaptive.steps_max,
            clamp: 0,
            allow_not_finite: 0,
            clamp_min: membrane.potential_min_v,
            clamp_max: membrane.potential_max_v,
        });
        Ok(())
    })
}

/// Integrates length equations from the state given to the end of the options, and replaces the state. report may
/// be NULL. MFN_CANCELLED: the derivative stopped it. MFN_UNSTABLE: a component became NaN or infinite, the equations
/// are stiff, or no step is short enough; the error says where. In both cases, and for MFN_INVALID, state and report
/// are as before. state and user_data stay the host's. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ode_integrate(
    derivative: mfn_ode_fn,
    user_data: *mut c_void,
    state: *mut c_double,
    length: usize,
    options: *const mfn_ode_options,
    report: *mut mfn_ode_report,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let host = HostDerivative::new(derivative, user_data)?;
        let report = if report.is_null() { None } else { Some(SizedSlot::new("report", report)?) };
        let options = read_sized("options", options)?;
        let slots = argument::slots("state", state, length)?;
        let mut values = argument::array("state", state.cast_const(), length)?.to_vec();
        let done = integrate(&host, &mut values, &options)?;
        slots.zip(values).for_each(|(slot, value)| slot.write(value));
        if let Some(report) = report {
            report.write(&done);
        }
        Ok(())
    })
}

fn integrate(
    host: &HostDerivative,
    state: &mut [f64],
    options: &mfn_ode_options,
) -> Result<mfn_ode_report, Failure> {
    let derivative = |time: f64, state: &[f64], slope: &mut [f64]| host.evaluate(time, state, slope);
    let clamp = argument::flag("options.clamp", options.clamp)?;
    let allow_not_finite = argument::flag("options.allow_not_finite", options.allow_not_finite)?;
    let (accepted, rejected, time, clamping_events) = match options.method {
        MFN_ODE_EULER | MFN_ODE_RK4 => {
            let fixed = FixedStep {
                scheme: scheme(options.method),
                time_start: options.time_start,
                time_step: options.time_step,
                steps: options.steps,
                clamp: clamp.then_some(Clamp { min: options.clamp_min, max: options.clamp_max }),
                check_finite: !allow_not_finite,
            };
            let run = host.outcome(integrate_fixed(derivative, state, &fixed, |_| host.flow()))?;
            (run.steps, 0, run.time, run.clamping_events)
        }
        MFN_ODE_DORMAND_PRINCE if clamp || allow_not_finite => {
            return Err(Failure::invalid(
                "options.clamp and options.allow_not_finite are for fixed steps: give 0, or MFN_ODE_EULER or MFN_ODE_RK4",
            ));
        }
        MFN_ODE_DORMAND_PRINCE => {
            let adaptive = AdaptiveStep {
                time_start: options.time_start,
                time_end: options.time_end,
                relative_tolerance: options.relative_tolerance,
                absolute_tolerance: options.absolute_tolerance,
                step_first: Some(options.step_first).filter(|step| *step != 0.0),
                step_max: Some(options.step_max).filter(|step| *step != 0.0),
                steps_max: options.steps_max,
            };
            let run = host.outcome(integrate_adaptive(derivative, state, &adaptive, |_| host.flow()))?;
            (run.accepted, run.rejected, run.time, 0)
        }
        other => return Err(method_refused(other)),
    };
    let evaluations = host.evaluations.get();
    Ok(mfn_ode_report { struct_size: 0, reserved: 0, accepted, rejected, evaluations, time, clamping_events })
}

/// The scheme of a method with fixed steps.
pub(crate) fn scheme(method: i32) -> Scheme {
    if method == MFN_ODE_EULER { Scheme::Euler } else { Scheme::Rk4 }
}

pub(crate) fn method_refused(method: i32) -> Failure {
    Failure::invalid(format!(
        "options.method = {method}: give MFN_ODE_EULER, MFN_ODE_RK4 or MFN_ODE_DORMAND_PRINCE"
    ))
}
