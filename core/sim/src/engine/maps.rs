//! Maps: a coefficient of its own for each cell.

use ndarray::ArrayView2;

use super::kernel::MapRows;
use crate::bounds::{Bound, MAP_TABLE};
use crate::error::{MapError, SpecFault};
use crate::real::Real;
use crate::spec::BoundaryCondition;

/// A coefficient that can differ from cell to cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coefficient {
    /// Diffusion coefficient of the potential, cells^2 per unit of time.
    Alpha,
    /// Diffusion coefficient of the activator, cells^2 per unit of time.
    DActivator,
    /// Diffusion coefficient of the inhibitor, cells^2 per unit of time.
    DInhibitor,
    /// Factor of the rate of the activator, 1 per unit of time.
    RActivator,
    /// Factor of the rate of the inhibitor, 1 per unit of time.
    RInhibitor,
}

impl Coefficient {
    /// All of them, in the order of a stored state.
    pub const ALL: [Self; 5] =
        [Self::Alpha, Self::DActivator, Self::DInhibitor, Self::RActivator, Self::RInhibitor];

    /// The name of the field of a specification that the map takes the place of.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.bound().field
    }

    /// The range of each cell; for a diffusion coefficient it holds for the coefficient times
    /// the time step (for `alpha`, with an eighth of the leak rate added).
    #[must_use]
    pub fn bound(self) -> &'static Bound {
        &MAP_TABLE[self as usize]
    }

    /// Checks a map, as it is given and in the precision of the run, and makes a copy of it, row by row.
    pub(crate) fn read<T: Real>(
        self,
        map: ArrayView2<'_, f64>,
        (rows, columns): (usize, usize),
        time_step: f64,
        leak_rate: f64,
    ) -> Result<Vec<T>, MapError> {
        if map.dim() != (rows, columns) {
            let (given_rows, given_columns) = map.dim();
            return Err(MapError::Shape { name: self.name(), given_rows, given_columns, rows, columns });
        }
        let limited = |value: f64| match self {
            Self::Alpha => time_step * (value + leak_rate / 8.0),
            Self::DActivator | Self::DInhibitor => time_step * value,
            Self::RActivator | Self::RInhibitor => value,
        };
        let fault = |value: f64| {
            // A sum with the leak may not hide a negative coefficient.
            let checked = if value < 0.0 { value } else { limited(value) };
            SpecFault::check(self.bound(), checked)
        };
        for ((row, column), &value) in map.indexed_iter() {
            // What the run keeps is checked too: single precision rounds a cell just below the end of the
            // range onto it, and a checkpoint of such a map could not be restored.
            let fault = fault(value).or_else(|| fault(T::of(value).wide()));
            if let Some(fault) = fault {
                return Err(MapError::Cell { row, column, value, fault });
            }
        }
        Ok(map.iter().map(|&value| T::of(value)).collect())
    }
}

/// The maps of a grid, each row with the cell that lies beside either end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Maps<T> {
    maps: [Option<Vec<T>>; 5],
}

impl<T> Default for Maps<T> {
    fn default() -> Self {
        Self { maps: [const { None }; 5] }
    }
}

impl<T: Real> Maps<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.maps.iter().all(Option::is_none)
    }

    pub(crate) fn has(&self, coefficient: Coefficient) -> bool {
        self.maps[coefficient as usize].is_some()
    }

    /// The coefficients, row by row.
    pub(crate) fn cells(&self, coefficient: Coefficient, columns: usize) -> Option<Vec<T>> {
        let map = self.maps[coefficient as usize].as_ref()?;
        let rows = map[..map.len() - SLACK].chunks_exact(columns + 2);
        Some(rows.flat_map(|row| &row[1..=columns]).copied().collect())
    }

    /// Takes a map of whole rows, or drops the one there is.
    pub(crate) fn set(
        &mut self,
        coefficient: Coefficient,
        map: Option<Vec<T>>,
        columns: usize,
        boundary: BoundaryCondition,
    ) {
        self.maps[coefficient as usize] = map.map(|cells| {
            let rows = cells.len() / columns;
            let mut closed = Vec::with_capacity(rows * (columns + 2) + SLACK);
            for row in cells.chunks_exact(columns) {
                let (first, last) = (row[0], row[columns - 1]);
                // Outside a grid that does not wrap lies a copy of the edge, so that the
                // coefficient of an outer face is that of the cell.
                let (left, right) =
                    if boundary == BoundaryCondition::Periodic { (last, first) } else { (first, last) };
                closed.push(left);
                closed.extend_from_slice(row);
                closed.push(right);
            }
            closed.resize(rows * (columns + 2) + SLACK, T::ZERO);
            closed
        });
    }

    /// The maps of diffusion coefficients around a row, from the column before `column` on.
    pub(super) fn diffusion_rows(
        &self,
        row: usize,
        column: usize,
        (rows, columns): (usize, usize),
        boundary: BoundaryCondition,
    ) -> [Option<MapRows<'_, T>>; 3] {
        let wraps = boundary == BoundaryCondition::Periodic;
        let above = if row > 0 {
            row - 1
        } else if wraps {
            rows - 1
        } else {
            row
        };
        let below = if row + 1 < rows {
            row + 1
        } else if wraps {
            0
        } else {
            row
        };
        [Coefficient::Alpha, Coefficient::DActivator, Coefficient::DInhibitor].map(|coefficient| {
            let map = self.maps[coefficient as usize].as_ref()?;
            let at = |row: usize| &map[row * (columns + 2) + column..];
            Some(MapRows { up: at(above), centre: at(row), down: at(below) })
        })
    }

    /// The maps of the factors of the rates in a row, from `column` on.
    pub(super) fn factor_rows(&self, row: usize, column: usize, columns: usize) -> [Option<&[T]>; 2] {
        [Coefficient::RActivator, Coefficient::RInhibitor].map(|coefficient| {
            self.maps[coefficient as usize].as_ref().map(|map| &map[row * (columns + 2) + column + 1..])
        })
    }
}

/// Numbers behind the last row, so that a whole register can be read there.
const SLACK: usize = 2 * super::scratch::MARGIN;
