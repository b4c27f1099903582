//! The columns that are computed together, and what lies beside them.

use std::ops::Range;

use super::scratch::MARGIN;
use crate::simd::Copied;
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
    /// Columns of the buffer behind those.
    pub(super) behind: usize,
    /// All columns of the buffer.
    pub(super) width: usize,
    /// Column of the grid that is the first of the buffer.
    first: usize,
    copied: [Copied; 2],
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
            let copied = copied(columns, [end; 2]);
            return Self { owned, before: 0, behind: 0, width: columns, first: 0, copied };
        }
        let edge = match boundary {
            BoundaryCondition::Periodic => {
                let width = owned.len() + 2 * HALO;
                // The halo can be wider than a narrow grid.
                let first = (owned.start + columns - HALO % columns) % columns;
                let copied = copied(width, [Beside::Unused; 2]);
                return Self { owned, before: HALO, behind: HALO, width, first, copied };
            }
            BoundaryCondition::Neumann => Beside::Itself,
            BoundaryCondition::Dirichlet => Beside::Zero,
        };
        let (before, behind) = (HALO.min(owned.start), HALO.min(columns - owned.end));
        let end = |at_edge: bool| if at_edge { edge } else { Beside::Unused };
        let ends = [end(owned.start == before), end(owned.end + behind == columns)];
        let (width, first) = (before + owned.len() + behind, owned.start - before);
        Self { owned, before, behind, width, first, copied: copied(width, ends) }
    }

    /// The stretches of a row of the grid that the buffer shows: place in the buffer, columns.
    pub(super) fn stretches(&self, columns: usize) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let Self { width, first: mut column, .. } = *self;
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

    /// What is copied in each field of a row that is finished, so that the cells beside its first and its last one
    /// hold what lies there. Each field begins at [`MARGIN`], before which no other cell is ever written.
    pub(super) fn copied(&self) -> [Copied; 2] {
        self.copied
    }
}

/// What is copied in a buffer so wide.
fn copied(width: usize, ends: [Beside; 2]) -> [Copied; 2] {
    const ZERO: usize = 0;
    let (first, last) = (MARGIN, MARGIN + width - 1);
    let [left, right] = [(first - 1, first, last), (last + 1, last, first)];
    let from = |end: Beside, (to, cell, other): (usize, usize, usize)| Copied {
        to,
        from: match end {
            Beside::Around => other,
            Beside::Itself => cell,
            Beside::Zero => ZERO,
            Beside::Unused => to,
        },
    };
    [from(ends[0], left), from(ends[1], right)]
}

/// Copies the cells of a row of so many fields, each of `stride` cells.
#[inline(always)]
pub(super) fn copy<T: Copy>(copied: [Copied; 2], row: &mut [T], stride: usize, fields: usize) {
    for field in row.chunks_exact_mut(stride).take(fields) {
        for Copied { from, to } in copied {
            field[to] = field[from];
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
