//! The box-counting dimension: how the number of boxes that cover the active cells grows when the
//! boxes shrink.
//!
//! The default mode takes the fewest boxes over all offsets and sides that halve, so that a
//! filled square has dimension 2 whatever its size. MFN 4.1's counting is a mode of its own.

mod bits;
mod cover;
mod divide;
mod fit;
mod v4_1;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::error::{FeatureError, check_shape};
use super::mask::Mask;
use crate::bounds::BOX_TABLE;
use crate::error::{SpecError, SpecFault};
use crate::spec::Compat;
pub use v4_1::{box_count, box_sizes};

/// Which boxes are counted. The ranges are in [`bounds::BOX_TABLE`](crate::bounds::BOX_TABLE).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BoxScales {
    /// `None`: the fewest boxes over all offsets, sides that halve. `Some`: the counting of MFN
    /// 4.1.
    pub compat: Option<Compat>,
    /// Smallest box, cells.
    pub min_box_size: usize,
    /// Largest box, cells; `None`: half the longer side of the rectangle that holds the active
    /// cells. In the v4.1 mode half the side of the grid, or less when doubling the
    /// smallest box does not reach it in `num_scales` terms.
    pub max_box_size: Option<usize>,
    /// Number of box sizes, from the smallest on; in the v4.1 mode before duplicates are dropped.
    /// One size gives no slope, so the dimension is then 0.
    pub num_scales: usize,
}

impl Default for BoxScales {
    fn default() -> Self {
        Self { compat: None, min_box_size: 2, max_box_size: None, num_scales: 5 }
    }
}

impl BoxScales {
    /// Checks every field and reports every fault at once.
    ///
    /// # Errors
    /// [`SpecError`] with one fault for each value out of its range.
    pub fn validate(&self) -> Result<(), SpecError> {
        SpecFault::check_table(&BOX_TABLE, |field| match field {
            "min_box_size" => Some(self.min_box_size as f64),
            "max_box_size" => self.max_box_size.map(|size| size as f64),
            "num_scales" => Some(self.num_scales as f64),
            _ => None,
        })
    }
}

/// A fitted dimension.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BoxDimension {
    /// Slope of ln(count) over ln(1 / size); 0 when fewer than two sizes count anything. In the
    /// default mode inside [0, 2].
    pub dimension: f64,
    /// Coefficient of determination of the fit; 0 when the counts do not vary.
    pub r_squared: f64,
    /// 95 % confidence interval of the slope (least squares, Student's t); in the default mode
    /// cut to [0, 2]. `None` with fewer than three sizes. Counts of nested boxes are not
    /// independent, so it says how straight the points lie, not how another sample would fall.
    pub interval: Option<[f64; 2]>,
}

/// One point of the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxPoint {
    /// Side of the boxes, cells; need not be a whole number.
    pub size: f64,
    /// Boxes that hold an active cell.
    pub count: u64,
}

impl BoxPoint {
    /// The point as it is fitted and drawn: (ln(1 / size), ln(count)).
    #[must_use]
    pub fn logs(&self) -> (f64, f64) {
        ((1.0 / self.size).ln(), (self.count as f64).ln())
    }
}

/// A dimension with the points it was fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxFit {
    /// The slope and how well it fits.
    pub dimension: BoxDimension,
    /// The fitted ln(count) of boxes of one cell: ln(count) = intercept + dimension ln(1 / size).
    pub intercept: f64,
    /// The counts by ascending size; empty when no cell is active.
    pub points: Vec<BoxPoint>,
}

/// The box-counting dimension of a mask. Costs one pass over the mask and, in the default mode,
/// about 4 bits of memory for each cell.
///
/// # Errors
/// [`FeatureError`] when the scales are refused or the mask is empty, too large, or, in the v4.1
/// mode, not square.
pub fn box_dimension(mask: ArrayView2<'_, bool>, scales: &BoxScales) -> Result<BoxDimension, FeatureError> {
    box_fit(mask, scales).map(|fit| fit.dimension)
}

/// The box-counting dimension of a mask with the points of the fit, for figures.
///
/// # Errors
/// As [`box_dimension`].
pub fn box_fit(mask: ArrayView2<'_, bool>, scales: &BoxScales) -> Result<BoxFit, FeatureError> {
    scales.validate()?;
    check_shape(mask.nrows(), mask.ncols(), scales.compat)?;
    Ok(fit_mask(&Mask::of(mask), scales))
}

/// The fit to the cells of a checked mask.
pub(super) fn fit_mask(mask: &Mask, scales: &BoxScales) -> BoxFit {
    if scales.compat.is_some() {
        return fit::line(v4_1::count(mask, scales));
    }
    let mut fit = fit::line(cover::count(mask, scales));
    // The counts keep the slope inside; this takes off the rounding of the logarithms.
    let dimension = &mut fit.dimension;
    dimension.dimension = dimension.dimension.clamp(0.0, 2.0);
    dimension.r_squared = dimension.r_squared.clamp(0.0, 1.0);
    dimension.interval = dimension.interval.map(|ends| ends.map(|end| end.clamp(0.0, 2.0)));
    fit
}
