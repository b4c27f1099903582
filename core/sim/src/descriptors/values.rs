//! The descriptors of a field: 13 numbers, their names, units and order.

use serde::{Serialize, Serializer};

/// Sides of the gliding boxes of the lacunarity, cells.
pub const LACUNARITY_SIZES_CELLS: [usize; 4] = [2, 4, 8, 16];

/// Names of the descriptors in the order of [`Descriptors::to_array`].
pub const NAMES: [&str; 13] = [
    "D_information",
    "D_information_r2",
    "D_correlation",
    "D_correlation_r2",
    "lacunarity_2",
    "lacunarity_4",
    "lacunarity_8",
    "lacunarity_16",
    "area",
    "perimeter",
    "euler",
    "wavelength",
    "entropy",
];

/// Units of the descriptors in the same order; `1` for a pure number.
pub const UNITS: [&str; 13] =
    ["1", "1", "1", "1", "1", "1", "1", "1", "cells^2", "cells", "1", "cells", "bit"];

/// The descriptors of one field.
///
/// Serialized under [`NAMES`]; NaN is written as null, since JSON has no NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Descriptors {
    /// Information dimension D1 of the pattern; NaN without a pattern or with fewer than two box sizes.
    pub d_information: f64,
    /// Coefficient of determination of its fit; 0 when the information does not vary with the boxes.
    pub d_information_r2: f64,
    /// Correlation dimension D2 of the pattern; NaN without a pattern or with fewer than two box sizes.
    pub d_correlation: f64,
    /// Coefficient of determination of its fit; 0 when the sum does not vary with the boxes.
    pub d_correlation_r2: f64,
    /// Lacunarity for the boxes of [`LACUNARITY_SIZES_CELLS`]: 1 where all boxes hold the same mass. NaN without
    /// a pattern, or when the box does not fit into the grid.
    pub lacunarity: [f64; 4],
    /// Cells of the pattern, cells^2.
    pub area: f64,
    /// Length of the edges between the pattern and its background, cells. Beyond the edge of a grid that does not
    /// wrap is background.
    pub perimeter: f64,
    /// Pieces of the pattern less its holes; on a grid that wraps, the Euler number on the torus.
    pub euler: f64,
    /// Wavelength at the peak of the power spectrum, cells; NaN for a flat field.
    pub wavelength: f64,
    /// Entropy of the histogram of the field, bit; 0 for a flat field.
    pub entropy: f64,
}

impl Descriptors {
    /// The values in the order of [`NAMES`].
    #[must_use]
    pub fn to_array(&self) -> [f64; 13] {
        let [lacunarity_2, lacunarity_4, lacunarity_8, lacunarity_16] = self.lacunarity;
        [
            self.d_information,
            self.d_information_r2,
            self.d_correlation,
            self.d_correlation_r2,
            lacunarity_2,
            lacunarity_4,
            lacunarity_8,
            lacunarity_16,
            self.area,
            self.perimeter,
            self.euler,
            self.wavelength,
            self.entropy,
        ]
    }
}

impl Serialize for Descriptors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let finite = self.to_array().map(|value| value.is_finite().then_some(value));
        serializer.collect_map(NAMES.iter().zip(finite))
    }
}
