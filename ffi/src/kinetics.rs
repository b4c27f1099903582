//! Kinetics: which reactions there are, and whether a specification can form patterns.
//!
//! mfn_turing_analyse() linearises a specification at a homogeneous steady state (Turing, 1952) and says what
//! grows there: the fastest wave, the unstable band, the waves that fit the grid. mfn_turing_growth() is its
//! dispersion relation. Nothing is simulated. Where a number does not exist it is NaN.

use std::ffi::{CString, c_char, c_double};
use std::sync::LazyLock;

use ::mfn_sim::kinetics::{
    AnalysisError, Kinetics, Linearization, Stability, SteadyState, TuringAnalysis, grid_symbol,
    parameter_name, spec_warnings, turing_analysis_of,
};
use ::mfn_sim::{PRESETS, Spec};

use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::error::{Failure, mfn_error, spec_faults};
use crate::guard;
use crate::owned::{c_text, give_string};
use crate::spec::{mfn_spec, read_spec, read_spec_json};
use crate::status::{MFN_END, MFN_INVALID, mfn_status};

/// All small perturbations decay.
pub const MFN_STABILITY_STABLE: i32 = 0;
/// None grows; the homogeneous one neither grows nor decays to first order.
pub const MFN_STABILITY_MARGINAL: i32 = 1;
/// Unstable in Turing's sense: waves grow, the homogeneous perturbation does not.
pub const MFN_STABILITY_TURING: i32 = 2;
/// The homogeneous perturbation grows and oscillates.
pub const MFN_STABILITY_HOPF: i32 = 3;
/// The homogeneous perturbation grows without oscillating.
pub const MFN_STABILITY_UNSTABLE: i32 = 4;

/// For mfn_turing_analyse(): the state that is unstable in Turing's sense and on which waves grow fastest, or
/// the first where there is none.
pub const MFN_STATE_MAIN: u32 = 0xffff_ffff;

/// A parameter of a kinetics. Set struct_size before the call. Texts are static.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_kinetics_parameter {
    /// sizeof(mfn_kinetics_parameter).
    pub struct_size: u32,
    /// 1 when min itself is allowed, else 0. max always is.
    pub min_inclusive: i32,
    /// Its name in JSON, such as "feed".
    pub name: *const c_char,
    /// What it means.
    pub meaning: *const c_char,
    /// Lower end of its range.
    pub min: c_double,
    /// Upper end of its range.
    pub max: c_double,
    /// Its value when it is left out.
    pub default_value: c_double,
}

/// What small perturbations of one homogeneous steady state do. Set struct_size before the call. Rates are in 1
/// per unit of time, lengths in cells; q is minus the eigenvalue of the Laplacian, k^2 for a wave in the plane.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_turing {
    /// sizeof(mfn_turing).
    pub struct_size: u32,
    /// One of the MFN_STABILITY_* constants.
    pub stability: i32,
    /// Steady states of the kinetics.
    pub state_count: u32,
    /// Index of this one.
    pub state: u32,
    /// Activator at the steady state.
    pub activator: c_double,
    /// Inhibitor at the steady state.
    pub inhibitor: c_double,
    /// Derivative of the activator's rate with respect to the activator.
    pub f_u: c_double,
    /// Derivative of the activator's rate with respect to the inhibitor.
    pub f_v: c_double,
    /// Derivative of the inhibitor's rate with respect to the activator.
    pub g_u: c_double,
    /// Derivative of the inhibitor's rate with respect to the inhibitor.
    pub g_v: c_double,
    /// Diffusion coefficient of the activator, cells^2 per unit of time.
    pub d_activator: c_double,
    /// Diffusion coefficient of the inhibitor, cells^2 per unit of time.
    pub d_inhibitor: c_double,
    /// Length of a step, units of time.
    pub time_step: c_double,
    /// d_inhibitor / d_activator above which waves grow; NaN when no ratio does it.
    pub critical_ratio: c_double,
    /// Lower end of the unstable band of q; NaN without a band.
    pub q_min: c_double,
    /// Upper end of the unstable band of q; NaN without a band.
    pub q_max: c_double,
    /// q of the mode that grows fastest, in [0, 8].
    pub fastest_q: c_double,
    /// Its growth rate; negative when all decay.
    pub fastest_growth_rate: c_double,
    /// Its wavelength; NaN when no wave grows.
    pub wavelength_cells: c_double,
    /// Growing waves that fit the grid.
    pub mode_count: u64,
}

sized32! {
    mfn_kinetics_parameter = 48;
    mfn_turing = 144;
}

struct Texts {
    kinetics: Vec<(CString, Vec<Parameter>)>,
    presets: Vec<CString>,
}

struct Parameter {
    name: CString,
    meaning: CString,
    min: f64,
    max: f64,
    min_inclusive: bool,
    default_value: f64,
}

/// The texts with their NUL, made once, so that they are static in C as well.
static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts {
    kinetics: Kinetics::NAMES.into_iter().filter_map(Kinetics::by_name).map(described).collect(),
    presets: PRESETS.iter().map(|(name, _)| c_text((*name).to_owned())).collect(),
});

fn described(kinetics: Kinetics) -> (CString, Vec<Parameter>) {
    let parameters = kinetics
        .bounds()
        .iter()
        .zip(kinetics.values())
        .map(|(bound, default_value)| Parameter {
            name: c_text(parameter_name(bound).to_owned()),
            meaning: c_text(bound.meaning.to_owned()),
            min: bound.min,
            max: bound.max,
            min_inclusive: bound.min_inclusive,
            default_value,
        })
        .collect();
    (c_text(kinetics.name().to_owned()), parameters)
}

/// The name of a kinetics, such as "gray-scott"; NULL beyond the last. The text is static. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_kinetics_name(index: usize) -> *const c_char {
    guard::value(std::ptr::null(), || {
        TEXTS.kinetics.get(index).map_or(std::ptr::null(), |(name, _)| name.as_ptr())
    })
}

/// A parameter of a kinetics, both by index from 0; MFN_END beyond the last of either. parameter belongs to the
/// host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_kinetics_parameter_get(
    kinetics: usize,
    index: usize,
    parameter: *mut mfn_kinetics_parameter,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("parameter", parameter)?;
        let Some(found) = TEXTS.kinetics.get(kinetics).and_then(|(_, parameters)| parameters.get(index))
        else {
            return Err(Failure::answer(MFN_END));
        };
        slot.write(&mfn_kinetics_parameter {
            struct_size: 0,
            min_inclusive: i32::from(found.min_inclusive),
            name: found.name.as_ptr(),
            meaning: found.meaning.as_ptr(),
            min: found.min,
            max: found.max,
            default_value: found.default_value,
        });
        Ok(())
    })
}

/// The name of a preset, such as "mycelium", which a specification in JSON can start from
/// ({"preset": "mycelium"}); NULL beyond the last. The text is static. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_preset_name(index: usize) -> *const c_char {
    guard::value(std::ptr::null(), || TEXTS.presets.get(index).map_or(std::ptr::null(), |name| name.as_ptr()))
}

impl From<AnalysisError> for Failure {
    fn from(error: AnalysisError) -> Self {
        let failure = Self::from_error(MFN_INVALID, &error);
        if let AnalysisError::System(spec) = &error {
            failure.with_faults(spec_faults(spec))
        } else {
            failure
        }
    }
}

fn analyse(spec: &Spec, state: u32, turing: *mut mfn_turing) -> Result<(), Failure> {
    let slot = SizedSlot::new("turing", turing)?;
    write_state(slot, &turing_analysis_of(spec)?, spec, state)
}

/// Writes what was found at one of the steady states of a specification.
pub(crate) fn write_state(
    slot: SizedSlot<mfn_turing>,
    analysis: &TuringAnalysis,
    spec: &Spec,
    state: u32,
) -> Result<(), Failure> {
    let states = analysis.states();
    let main = analysis.main_state().and_then(|main| states.iter().position(|state| state == main));
    let index = if state == MFN_STATE_MAIN { main.unwrap_or(0) } else { state as usize };
    let Some(found) = states.get(index) else {
        return Err(Failure::invalid(format!(
            "state = {state}: {} has {} steady states, give an index below or MFN_STATE_MAIN",
            spec.kinetics.name(),
            states.len()
        )));
    };
    slot.write(&mfn_turing {
        state_count: states.len() as u32,
        state: index as u32,
        mode_count: found.grid_modes(spec.rows(), spec.cols(), spec.boundary_condition).unstable_count,
        ..mfn_turing::from(found)
    });
    Ok(())
}

impl From<&SteadyState> for mfn_turing {
    fn from(state: &SteadyState) -> Self {
        let [[f_u, f_v], [g_u, g_v]] = state.linear.jacobian;
        Self {
            struct_size: 0,
            stability: match state.stability {
                Stability::Marginal => MFN_STABILITY_MARGINAL,
                Stability::Turing => MFN_STABILITY_TURING,
                Stability::Hopf => MFN_STABILITY_HOPF,
                Stability::Unstable => MFN_STABILITY_UNSTABLE,
                _ => MFN_STABILITY_STABLE,
            },
            state_count: 0,
            state: 0,
            activator: state.activator,
            inhibitor: state.inhibitor,
            f_u,
            f_v,
            g_u,
            g_v,
            d_activator: state.linear.d_activator,
            d_inhibitor: state.linear.d_inhibitor,
            time_step: state.linear.time_step,
            critical_ratio: state.linear.critical_ratio().unwrap_or(f64::NAN),
            q_min: state.band.map_or(f64::NAN, |band| band.q_min),
            q_max: state.band.map_or(f64::NAN, |band| band.q_max),
            fastest_q: state.fastest_q,
            fastest_growth_rate: state.fastest_growth_rate(),
            wavelength_cells: state.wavelength_cells().unwrap_or(f64::NAN),
            mode_count: 0,
        }
    }
}

/// Analyses the linear stability of a specification at one of its steady states: an index from 0, or
/// MFN_STATE_MAIN. turing belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_turing_analyse(
    spec: *const mfn_spec,
    state: u32,
    turing: *mut mfn_turing,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || analyse(&read_spec(spec)?, state, turing))
}

/// As mfn_turing_analyse(), of a specification in JSON. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_turing_analyse_json(
    spec_json: *const c_char,
    state: u32,
    turing: *mut mfn_turing,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || analyse(&read_spec_json(spec_json)?, state, turing))
}

/// The dispersion relation at count wavenumbers, radians per cell, from the derivatives, coefficients and step
/// in turing. growth_rates gets the growth rate of the equations in the plane; growth_per_step, which may be NULL,
/// the logarithm of the factor per step of the scheme for a wave along the rows or columns of the grid. Each has
/// room for count numbers. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_turing_growth(
    turing: *const mfn_turing,
    wavenumbers: *const c_double,
    count: usize,
    growth_rates: *mut c_double,
    growth_per_step: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let given = read_sized("turing", turing)?;
        let linear = Linearization {
            jacobian: [[given.f_u, given.f_v], [given.g_u, given.g_v]],
            d_activator: given.d_activator,
            d_inhibitor: given.d_inhibitor,
            time_step: given.time_step,
        };
        let wavenumbers = argument::array("wavenumbers", wavenumbers, count)?;
        if count == 0 {
            return Ok(());
        }
        let rates = argument::slots("growth_rates", growth_rates, count)?;
        let steps = if growth_per_step.is_null() {
            None
        } else {
            Some(argument::slots("growth_per_step", growth_per_step, count)?)
        };
        let values: Vec<(f64, f64)> = wavenumbers
            .iter()
            .map(|&k| (linear.growth_rate(k), linear.growth_per_step(grid_symbol(k, 0.0))))
            .collect();
        for (slot, (rate, _)) in rates.zip(&values) {
            slot.write(*rate);
        }
        for (slot, (_, step)) in steps.into_iter().flatten().zip(&values) {
            slot.write(*step);
        }
        Ok(())
    })
}

/// What to say of a specification in JSON that is valid but can not form the pattern of its equations: one line for
/// each warning with what was found and what to change; empty when there is none. The host owns *warnings and
/// frees it with mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_spec_warnings_json(
    spec_json: *const c_char,
    warnings: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("warnings", warnings)?;
        let spec = read_spec_json(spec_json)?;
        let lines = spec_warnings(&spec);
        let lines = lines.iter().map(|warning| format!("{warning}: {}\n", warning.advice()));
        give_string(slot, lines.collect());
        Ok(())
    })
}
