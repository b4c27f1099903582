//! Which waves a grid of a given size and boundary can hold.

use std::f64::consts::{PI, TAU};

use super::linear::{Linearization, grid_symbol};
use crate::spec::BoundaryCondition;

/// A wave that fits the grid: an eigenfunction of the five-point Laplacian with its boundary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridMode {
    /// Number of periods (periodic) or half periods (Neumann, Dirichlet) from first to last row.
    pub row_index: usize,
    /// The same from first to last column.
    pub column_index: usize,
    /// Wavelength, cells; infinite for the homogeneous mode.
    pub wavelength_cells: f64,
    /// Logarithm of the factor of one step.
    pub growth_per_step: f64,
}

/// The growing waves of a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridModes {
    /// How many waves of the unstable band fit, counting each pair of indices once.
    pub unstable_count: u64,
    /// The one of them that grows fastest; `None` when none fits.
    pub fastest: Option<GridMode>,
}

/// The wavenumbers of one axis.
#[derive(Clone, Copy)]
struct Axis {
    first: usize,
    last: usize,
    spacing: f64,
}

impl Axis {
    /// `cells` is at least 1.
    fn new(cells: usize, boundary: BoundaryCondition) -> Self {
        let length = cells as f64;
        match boundary {
            BoundaryCondition::Periodic => Self { first: 0, last: cells / 2, spacing: TAU / length },
            BoundaryCondition::Neumann => Self { first: 0, last: cells - 1, spacing: PI / length },
            BoundaryCondition::Dirichlet => Self { first: 1, last: cells, spacing: PI / (length + 1.0) },
        }
    }

    fn wavenumber(&self, index: usize) -> f64 {
        index as f64 * self.spacing
    }

    /// q of the wave of an index, which grows with it.
    fn symbol(&self, index: usize) -> f64 {
        grid_symbol(self.wavenumber(index), 0.0)
    }

    /// The first index whose symbol is at least `q`; one past the last if there is none.
    fn at_least(&self, q: f64) -> usize {
        let (mut low, mut high) = (self.first, self.last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.symbol(middle) < q {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// The growing waves of a grid of `rows` x `columns`. Time grows with the rows and the logarithm
/// of the columns.
pub(super) fn grid_modes(
    linear: &Linearization,
    rows: usize,
    columns: usize,
    boundary: BoundaryCondition,
) -> GridModes {
    let mut modes = GridModes { unstable_count: 0, fastest: None };
    let Some(band) = linear.band().filter(|_| rows > 0 && columns > 0) else {
        return modes;
    };
    let (row_axis, column_axis) = (Axis::new(rows, boundary), Axis::new(columns, boundary));
    let fastest_q = linear.stationary_q().unwrap_or(0.0);
    for row_index in row_axis.first..=row_axis.last {
        let row_q = row_axis.symbol(row_index);
        if row_q >= band.q_max {
            break;
        }
        let inside = |column_index: usize| band.contains(row_q + column_axis.symbol(column_index));
        // The bisection is exact up to the rounding of q at both ends.
        let mut start = column_axis.at_least(band.q_min - row_q);
        while start <= column_axis.last && !inside(start) && row_q + column_axis.symbol(start) <= band.q_min {
            start += 1;
        }
        let mut end = column_axis.at_least(band.q_max - row_q);
        while end > start && !inside(end - 1) {
            end -= 1;
        }
        modes.unstable_count += end.saturating_sub(start) as u64;
        if start >= end {
            continue;
        }
        // The growth rises to the stationary q and falls after it: the best index is beside it,
        // or at the end of the band that is nearer.
        let near = column_axis.at_least(fastest_q - row_q);
        for column_index in [near.saturating_sub(1), near].map(|index| index.clamp(start, end - 1)) {
            let growth_per_step = linear.growth_per_step(row_q + column_axis.symbol(column_index));
            if modes.fastest.is_none_or(|best| growth_per_step > best.growth_per_step) {
                let k = row_axis.wavenumber(row_index).hypot(column_axis.wavenumber(column_index));
                modes.fastest =
                    Some(GridMode { row_index, column_index, wavelength_cells: TAU / k, growth_per_step });
            }
        }
    }
    modes
}
