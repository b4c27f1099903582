//! The Nernst potential: where the electrical force on an ion balances its concentration gradient.
//!
//! E = (R T / (z F)) ln(c_outside / c_inside) (Nernst, 1889). The functions without a suffix check
//! what they are given and take concentrations as they are. The `v4_1` functions are those of
//! MyceliumFractalNet 4.1: concentrations below a floor of 1e-6 mol/L are raised to it and
//! counted, which makes the resting calcium of a cell (1e-7 mol/L) wrong by 31 mV, and
//! temperatures are not checked.

use super::MembraneConfig;
use super::constants::PhysicalConstants;
use super::error::MembraneError;
use crate::bounds::{Bound, closed};
use crate::error::SpecFault;

/// Largest magnitude of a valence.
pub const VALENCE_MAX: i32 = 4;

/// The bounds of [`nernst`]. 100 mol/L is about twice the concentration of water in water.
pub const NERNST_TABLE: [Bound; 3] = [
    Bound {
        default: None,
        ..closed("outside_molar", (0.0, 100.0), 0.0, "mol/L", "concentration outside the cell").open_below()
    },
    Bound {
        default: None,
        ..closed("inside_molar", (0.0, 100.0), 0.0, "mol/L", "concentration inside the cell").open_below()
    },
    closed("temperature_k", (200.0, 400.0), 310.0, "K", "absolute temperature"),
];

/// The Nernst potential in volts of an ion with the given valence, with the constants of
/// [`PhysicalConstants::V4_1`].
///
/// `valence` is in -4..=4 without 0, concentrations in (0, 100] mol/L, the temperature in
/// [200, 400] K.
///
/// ```
/// use mfn_sim::membrane::nernst;
/// let potassium_v = nernst(1, 0.005, 0.140, 310.0)?;
/// assert!((potassium_v - -0.0890107).abs() < 1e-7);
/// # Ok::<(), mfn_sim::membrane::MembraneError>(())
/// ```
///
/// # Errors
/// [`MembraneError::Valence`] or [`MembraneError::Parameters`].
pub fn nernst(
    valence: i32,
    outside_molar: f64,
    inside_molar: f64,
    temperature_k: f64,
) -> Result<f64, MembraneError> {
    nernst_with(&PhysicalConstants::V4_1, valence, outside_molar, inside_molar, temperature_k)
}

/// As [`nernst`], with other constants.
///
/// # Errors
/// As [`nernst`].
pub fn nernst_with(
    constants: &PhysicalConstants,
    valence: i32,
    outside_molar: f64,
    inside_molar: f64,
    temperature_k: f64,
) -> Result<f64, MembraneError> {
    check_valence(valence)?;
    SpecFault::check_table(&NERNST_TABLE, |field| {
        Some(match field {
            "outside_molar" => outside_molar,
            "inside_molar" => inside_molar,
            _ => temperature_k,
        })
    })?;
    Ok(potential(constants, valence, ln_quotient(outside_molar, inside_molar), temperature_k))
}

/// The Nernst potentials of pairs of concentrations, written to `potentials_v`. The three slices
/// have one length; ranges as in [`nernst`].
///
/// # Errors
/// As [`nernst`], [`MembraneError::Length`], or [`MembraneError::Element`] with the first refused
/// element; nothing was written then.
pub fn nernst_array(
    valence: i32,
    outside_molar: &[f64],
    inside_molar: &[f64],
    temperature_k: f64,
    potentials_v: &mut [f64],
) -> Result<(), MembraneError> {
    check_valence(valence)?;
    check_lengths(outside_molar, inside_molar, potentials_v)?;
    let [outside_bound, inside_bound, temperature_bound] = &NERNST_TABLE;
    SpecFault::check_table(std::slice::from_ref(temperature_bound), |_| Some(temperature_k))?;
    for (index, (&outside, &inside)) in outside_molar.iter().zip(inside_molar).enumerate() {
        let fault = SpecFault::check(outside_bound, outside);
        if let Some(fault) = fault.or_else(|| SpecFault::check(inside_bound, inside)) {
            return Err(MembraneError::Element { index, fault });
        }
    }
    for ((v, &outside), &inside) in potentials_v.iter_mut().zip(outside_molar).zip(inside_molar) {
        *v = potential(&PhysicalConstants::V4_1, valence, ln_quotient(outside, inside), temperature_k);
    }
    Ok(())
}

/// A result of v4.1's rule and how often the floor of concentrations was applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clamped {
    /// The potential, V.
    pub potential_v: f64,
    /// Clamping events: at most one for both concentrations together, as in v4.1.
    pub clamping_events: u64,
}

/// `compute_nernst_potential` of v4.1: the floor of `config` applies to both concentrations, the
/// temperature is not checked, and the valence is one of -2, -1, 1, 2.
///
/// # Errors
/// [`MembraneError::Valence`], [`MembraneError::Parameters`] for the configuration, or
/// [`MembraneError::NotFinite`] when the result is NaN or infinite.
pub fn nernst_v4_1(
    config: &MembraneConfig,
    valence: i32,
    outside_molar: f64,
    inside_molar: f64,
    temperature_k: f64,
) -> Result<Clamped, MembraneError> {
    let mut potential_v = [0.0];
    let clamps = nernst_array_v4_1(
        config,
        valence,
        &[outside_molar],
        &[inside_molar],
        temperature_k,
        &mut potential_v,
    )?;
    Ok(Clamped { potential_v: potential_v[0], clamping_events: clamps.min(1) })
}

/// `compute_nernst_potential_array` of v4.1. Returns the number of clamped elements of both
/// arrays; NaN counts as clamped.
///
/// # Errors
/// As [`nernst_v4_1`], or [`MembraneError::Length`]; nothing was written then.
pub fn nernst_array_v4_1(
    config: &MembraneConfig,
    valence: i32,
    outside_molar: &[f64],
    inside_molar: &[f64],
    temperature_k: f64,
    potentials_v: &mut [f64],
) -> Result<u64, MembraneError> {
    config.validate()?;
    if !matches!(valence, -2 | -1 | 1 | 2) {
        return Err(MembraneError::Valence { value: valence, allowed: "-2, -1, 1 or 2" });
    }
    check_lengths(outside_molar, inside_molar, potentials_v)?;
    // NumPy's maximum and Python's max both let NaN through.
    let floor = |c: f64| if c < config.ion_clamp_min { config.ion_clamp_min } else { c };
    let of = |(&outside, &inside): (&f64, &f64)| {
        potential(&PhysicalConstants::V4_1, valence, (floor(outside) / floor(inside)).ln(), temperature_k)
    };
    let pairs = || outside_molar.iter().zip(inside_molar);
    let count = |test: fn(f64) -> bool| pairs().filter(|&pair| test(of(pair))).count() as u64;
    let (nan_count, inf_count) = (count(f64::is_nan), count(f64::is_infinite));
    if nan_count > 0 || inf_count > 0 {
        return Err(MembraneError::NotFinite { nan_count, inf_count });
    }
    for (v, pair) in potentials_v.iter_mut().zip(pairs()) {
        *v = of(pair);
    }
    Ok(outside_molar.iter().chain(inside_molar).filter(|&&c| floor(c) != c).count() as u64)
}

/// The equation, in v4.1's order of operations; `logarithm` is ln(outside / inside).
fn potential(constants: &PhysicalConstants, valence: i32, logarithm: f64, temperature_k: f64) -> f64 {
    constants.gas_constant * temperature_k / (f64::from(valence) * constants.faraday) * logarithm
}

/// ln(a / b) for positive finite numbers, also where the quotient is not finite.
pub(super) fn ln_quotient(a: f64, b: f64) -> f64 {
    let quotient = a / b;
    if quotient.is_normal() { quotient.ln() } else { a.ln() - b.ln() }
}

fn check_valence(valence: i32) -> Result<(), MembraneError> {
    if valence == 0 || !(-VALENCE_MAX..=VALENCE_MAX).contains(&valence) {
        return Err(MembraneError::Valence {
            value: valence,
            allowed: "a whole number in [-4, 4] other than 0",
        });
    }
    Ok(())
}

fn check_lengths(outside: &[f64], inside: &[f64], potentials: &[f64]) -> Result<(), MembraneError> {
    if outside.len() == inside.len() && inside.len() == potentials.len() {
        return Ok(());
    }
    Err(MembraneError::Length { outside: outside.len(), inside: inside.len(), potentials: potentials.len() })
}
