//! Descriptors of a pattern beyond the 18 features: how its mass is spread over scales, its shape, its wavelength
//! and how evenly its values are used.
//!
//! A pattern is the set of cells above a threshold. Two fields with the same mean and the same box-counting
//! dimension can still differ in all of this, so these numbers tell patterns apart that the features do not.
//!
//! [`compute`] runs on the calling thread and gives the same bits every time. Beside the field it takes at most
//! [`memory_bytes`].
//!
//! ```
//! use mfn_sim::descriptors::{DescriptorConfig, compute};
//! use ndarray::Array2;
//!
//! // A square of 4 x 4 cells at 0 V on a ground of -80 mV.
//! let inside = |(row, col)| (2..6).contains(&row) && (2..6).contains(&col);
//! let field = Array2::from_shape_fn((8, 8), |at| if inside(at) { 0.0 } else { -0.080 });
//! let descriptors = compute(field.view(), &DescriptorConfig::default())?;
//! assert_eq!((descriptors.area, descriptors.perimeter, descriptors.euler), (16.0, 16.0, 1.0));
//! # Ok::<(), mfn_sim::descriptors::DescriptorError>(())
//! ```

mod config;
mod entropy;
mod error;
mod lacunarity;
mod minkowski;
mod occupancy;
mod pattern;
mod spectrum;
mod values;

use ndarray::ArrayView2;

pub use config::{DESCRIPTOR_TABLE, DescriptorConfig};
pub use error::DescriptorError;
pub use values::{Descriptors, LACUNARITY_SIZES_CELLS, NAMES, UNITS};

use crate::graph::{CELLS_MAX, SIDE_MAX_CELLS};
use pattern::Pattern;

/// The descriptors of one field in volts, of any strides, with 1 to
/// [`SIDE_MAX_CELLS`] cells on a side and at most
/// [`CELLS_MAX`] in all. A descriptor that the field has not is NaN; [`Descriptors`] says
/// when.
///
/// # Errors
/// [`DescriptorError`] when the configuration or the shape is refused, or a cell is not finite.
pub fn compute(
    field: ArrayView2<'_, f64>,
    config: &DescriptorConfig,
) -> Result<Descriptors, DescriptorError> {
    config.validate()?;
    let (rows, cols) = field.dim();
    let side = 1..=SIDE_MAX_CELLS;
    if !side.contains(&rows) || !side.contains(&cols) || rows * cols > CELLS_MAX {
        return Err(DescriptorError::Shape { rows, cols });
    }
    let range = Range::of(field)?;
    let pattern = Pattern::above(field, config);
    let dimensions = occupancy::dimensions(&pattern, &occupancy::box_sizes(rows, cols, config));
    let lacunarity = LACUNARITY_SIZES_CELLS.map(|size| lacunarity::lacunarity(&pattern, size));
    let shape = minkowski::functionals(&pattern, config.connectivity);
    // The spectrum needs the most memory, and the pattern no longer.
    drop(pattern);
    Ok(Descriptors {
        d_information: dimensions.information.slope,
        d_information_r2: dimensions.information.r_squared,
        d_correlation: dimensions.correlation.slope,
        d_correlation_r2: dimensions.correlation.r_squared,
        lacunarity,
        area: shape.area as f64,
        perimeter: shape.perimeter as f64,
        euler: shape.euler as f64,
        wavelength: spectrum::wavelength_cells(field, range),
        entropy: entropy::entropy_bits(field, range, config.histogram_bins),
    })
}

/// The most memory that [`compute`] takes beside a field of this shape, bytes: 8 per cell, 16 per row, and 250 per
/// cell of the longer side. Also defined for a shape that would be refused.
#[must_use]
pub fn memory_bytes(rows: usize, cols: usize) -> u64 {
    let (rows, cols) = (rows as u64, cols as u64);
    let lines = rows.saturating_mul(16).saturating_add(rows.max(cols).saturating_mul(250));
    rows.saturating_mul(cols).saturating_mul(8).saturating_add(lines)
}

/// The lowest value of a field and how far the highest lies above it, both halved: the difference of two finite
/// numbers may be infinite, that of their halves is not.
#[derive(Debug, Clone, Copy)]
struct Range {
    half_low: f64,
    half_span: f64,
}

impl Range {
    fn of(field: ArrayView2<'_, f64>) -> Result<Self, DescriptorError> {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for ((row, col), &value) in field.indexed_iter() {
            if !value.is_finite() {
                return Err(DescriptorError::NotFinite { row, col, value });
            }
            low = low.min(value);
            high = high.max(value);
        }
        Ok(Self { half_low: 0.5 * low, half_span: 0.5 * high - 0.5 * low })
    }

    fn is_flat(self) -> bool {
        self.half_span == 0.0
    }

    /// Where a value lies between the lowest (0) and the highest (1) of a field that is not flat.
    fn place(self, value: f64) -> f64 {
        (0.5 * value - self.half_low) / self.half_span
    }
}
