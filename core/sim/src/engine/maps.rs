//! Maps: a coefficient of its own for each cell.

use ndarray::ArrayView2;

use crate::bounds::{Bound, MAP_TABLE};
use crate::error::{MapError, SpecFault};
use crate::real::Real;

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

/// The maps of a grid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Maps<T> {
    maps: [Option<Vec<T>>; 5],
}

impl<T> Default for Maps<T> {
    fn default() -> Self {
        Self { maps: [const { None }; 5] }
    }
}

impl<T> Maps<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.maps.iter().all(Option::is_none)
    }

    pub(crate) fn get(&self, coefficient: Coefficient) -> Option<&[T]> {
        self.maps[coefficient as usize].as_deref()
    }

    pub(crate) fn set(&mut self, coefficient: Coefficient, map: Option<Vec<T>>) {
        self.maps[coefficient as usize] = map;
    }
}
