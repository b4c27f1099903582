//! The GHK voltage equation: the potential of a membrane that several ions can cross.
//!
//! With a constant field in the membrane and monovalent ions, the currents add up to zero at
//!
//! V = (R T / F) ln( (sum P c_out over cations + sum P c_in over anions)
//!                 / (sum P c_in over cations + sum P c_out over anions) )
//!
//! (Goldman, 1943; Hodgkin and Katz, 1949). v4.1 names it in its documents and has no code for it.

use super::constants::PhysicalConstants;
use super::error::MembraneError;
use super::nernst::ln_quotient;
use crate::bounds::{Bound, closed};
use crate::error::SpecFault;

/// One kind of monovalent ion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permeation {
    /// 1 for a cation, -1 for an anion.
    pub valence: i32,
    /// Permeability in any unit, the same for all ions: only ratios matter. In [0, 1e12].
    pub permeability: f64,
    /// Concentration outside, mol/L, in [0, 100].
    pub outside_molar: f64,
    /// Concentration inside, mol/L, in [0, 100].
    pub inside_molar: f64,
}

const NO_DEFAULT: Bound = Bound {
    default: None,
    ..closed("permeability", (0.0, 1e12), 0.0, "1", "permeability, in a unit that all ions share")
};

/// The bounds of [`goldman`].
pub const GOLDMAN_TABLE: [Bound; 4] = [
    NO_DEFAULT,
    Bound {
        default: None,
        ..closed(
            "outside_molar",
            (0.0, 100.0),
            0.0,
            "mol/L",
            "concentration outside the cell, of a permeant ion",
        )
    },
    Bound {
        default: None,
        ..closed(
            "inside_molar",
            (0.0, 100.0),
            0.0,
            "mol/L",
            "concentration inside the cell, of a permeant ion",
        )
    },
    super::nernst::NERNST_TABLE[2],
];

/// The GHK potential in volts. With one permeant ion it is that ion's Nernst potential; with
/// several it lies between the lowest and the highest of theirs.
///
/// # Errors
/// [`MembraneError::Valence`] for a valence other than 1 and -1, [`MembraneError::Element`] for the
/// first refused number, [`MembraneError::Parameters`] for the temperature,
/// [`MembraneError::OneSided`] when the equation has no finite solution, for example without ions.
pub fn goldman(
    constants: &PhysicalConstants,
    ions: &[Permeation],
    temperature_k: f64,
) -> Result<f64, MembraneError> {
    let [permeability, outside, inside, temperature] = &GOLDMAN_TABLE;
    SpecFault::check_table(std::slice::from_ref(temperature), |_| Some(temperature_k))?;
    let (mut inward, mut outward) = (0.0, 0.0);
    for (index, ion) in ions.iter().enumerate() {
        let fault = SpecFault::check(permeability, ion.permeability)
            .or_else(|| SpecFault::check(outside, ion.outside_molar))
            .or_else(|| SpecFault::check(inside, ion.inside_molar));
        if let Some(fault) = fault {
            return Err(MembraneError::Element { index, fault });
        }
        // Positive charge moves inward with cations from outside and with anions from inside.
        let (source, sink) = match ion.valence {
            1 => (ion.outside_molar, ion.inside_molar),
            -1 => (ion.inside_molar, ion.outside_molar),
            value => {
                return Err(MembraneError::Valence {
                    value,
                    allowed: "1 or -1: the equation is for monovalent ions",
                });
            }
        };
        inward += ion.permeability * source;
        outward += ion.permeability * sink;
    }
    for (charge, direction) in [(inward, "positive charge inward"), (outward, "positive charge outward")] {
        if charge == 0.0 {
            return Err(MembraneError::OneSided { direction });
        }
    }
    Ok(constants.thermal_voltage(temperature_k) * ln_quotient(inward, outward))
}
