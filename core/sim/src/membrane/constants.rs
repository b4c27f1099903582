//! Physical constants, with their units.

/// The two constants of the Nernst and GHK equations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhysicalConstants {
    /// Molar gas constant R, J/(mol K).
    pub gas_constant: f64,
    /// Faraday constant F, C/mol.
    pub faraday: f64,
}

impl PhysicalConstants {
    /// The constants of MyceliumFractalNet 4.1, used unless others are asked for: R rounded to
    /// four digits, which is 5.6e-5 below the exact value and moves a potential of 89 mV by
    /// 0.005 mV.
    pub const V4_1: Self = Self { gas_constant: 8.314, faraday: 96_485.332_12 };

    /// The exact constants of the SI since 2019 (CODATA 2018), as closely as `f64` holds them:
    /// R = k N_A and F = e N_A.
    pub const CODATA_2018: Self = Self { gas_constant: 8.314_462_618_153_24, faraday: 96_485.332_123_310_02 };

    /// R T / F, V: 26.7 mV at 310 K.
    #[must_use]
    pub fn thermal_voltage(&self, temperature_k: f64) -> f64 {
        self.gas_constant * temperature_k / self.faraday
    }
}

/// Body temperature of v4.1's examples, K.
pub const BODY_TEMPERATURE_K: f64 = 310.0;
