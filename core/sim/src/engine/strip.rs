//! The columns that are computed together, and what lies beside them.

use std::ops::Range;

use super::scratch::MARGIN;
use crate::real::Real;
use crate::spec::BoundaryCondition;

/// Columns before and behind a strip that the lower levels of a block compute for it: as many
/// as a block has steps at most, and whole registers, so that the kept columns stay aligned.
pub(super) const HALO: usize = super::block::BLOCK_STEPS_MAX;

/// A range of columns as a buffer shows it.
pub(super) struct Strip {
    /// The columns that are kept.
    pub(super) owned: Range<usize>,
    /// Columns of the buffer before those; beyond the grid where it wraps.
    pub(super) before: usize,
    /// All columns of the buffer.
    pub(super) width: usize,
    ends: [Beside; 2],
}

/// What lies beside the first and beside the last column of a buffer.
#[derive(Clone, Copy, PartialEq)]
enum Beside {
    /// The other end of the row.
    Around,
    /// The same cell once more.
    Itself,
    /// Zero.
    Zero,
    /// A cell that nothing kept depends on.
    Unused,
}

impl Strip {
    /// A strip of a grid with `columns` columns. It begins at a multiple of [`HALO`].
    pub(super) fn of(owned: Range<usize>, columns: usize, boundary: BoundaryCondition) -> Self {
        if owned.len() == columns {
            let end = match boundary {
                BoundaryCondition::Periodic => Beside::Around,
                BoundaryCondition::Neumann => Beside::Itself,
                BoundaryCondition::Dirichlet => Beside::Zero,
            };
            return Self { owned, before: 0, width: columns, ends: [end; 2] };
        }
        let edge = match boundary {
            BoundaryCondition::Periodic => {
                let width = owned.len() + 2 * HALO;
                return Self { owned, before: HALO, width, ends: [Beside::Unused; 2] };
            }
            BoundaryCondition::Neumann => Beside::Itself,
            BoundaryCondition::Dirichlet => Beside::Zero,
        };
        let (before, behind) = (HALO.min(owned.start), HALO.min(columns - owned.end));
        let end = |at_edge: bool| if at_edge { edge } else { Beside::Unused };
        let ends = [end(owned.start == before), end(owned.end + behind == columns)];
        let width = before + owned.len() + behind;
        Self { owned, before, width, ends }
    }

    /// Places of the buffer that are kept.
    pub(super) fn kept(&self) -> Range<usize> {
        self.before..self.before + self.owned.len()
    }

    /// The stretches of a row of the grid that the buffer shows: place in the buffer, columns.
    pub(super) fn stretches(&self, columns: usize) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let width = self.width;
        // `before` can be more than the columns of a narrow grid.
        let mut column = (self.owned.start + columns - self.before % columns) % columns;
        let mut place = 0;
        std::iter::from_fn(move || {
            if place >= width {
                return None;
            }
            let length = (width - place).min(columns - column);
            let stretch = (place, column..column + length);
            place += length;
            column = 0;
            Some(stretch)
        })
    }

    /// Writes what lies beside the first and the last cell of a row of so many fields. `stride` is
    /// from a field to the next; each begins at [`MARGIN`].
    #[inline]
    pub(super) fn close<T: Real>(&self, cells: &mut [T], stride: usize, fields: usize) {
        let width = self.width;
        let [left, right] = self.ends;
        for field in 0..fields {
            let start = field * stride + MARGIN - 1;
            let field = &mut cells[start..start + width + 2];
            let (first, last) = (field[1], field[width]);
            if let Some(value) = left.value(first, last) {
                field[0] = value;
            }
            if let Some(value) = right.value(last, first) {
                field[width + 1] = value;
            }
        }
    }
}

impl Beside {
    /// What to write beside a cell, given that at the other end of the row.
    fn value<T: Real>(self, cell: T, other: T) -> Option<T> {
        match self {
            Self::Around => Some(other),
            Self::Itself => Some(cell),
            Self::Zero => Some(T::ZERO),
            Self::Unused => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the cutting of rows: for every width and strip the buffer shows the columns of
    /// the grid in order, around its end as often as it takes.
    #[test]
    fn stretches_show_the_row() {
        for columns in 1..70 {
            for start in (0..columns).step_by(HALO) {
                for end in [columns.min(start + HALO), columns] {
                    for boundary in [
                        BoundaryCondition::Periodic,
                        BoundaryCondition::Neumann,
                        BoundaryCondition::Dirichlet,
                    ] {
                        let strip = Strip::of(start..end, columns, boundary);
                        let shown: Vec<usize> = strip
                            .stretches(columns)
                            .flat_map(|(place, stretch)| {
                                assert!(place < strip.width);
                                stretch
                            })
                            .collect();
                        let first = start as isize - strip.before as isize;
                        let expected: Vec<usize> = (0..strip.width as isize)
                            .map(|place| (first + place).rem_euclid(columns as isize) as usize)
                            .collect();
                        assert_eq!(shown, expected, "{start}..{end} of {columns}");
                    }
                }
            }
        }
    }
}
