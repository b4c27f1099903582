//! A row with its neighbours: where the cells around a cell are, for each boundary, and the
//! five-point operators on them.
//!
//! The order of the floating-point operations is part of the result. Nothing here may be
//! reordered, and no fused multiply-add may be used.

use std::ops::Range;

use crate::real::Real;
use crate::spec::BoundaryCondition;

/// A row with the two rows beside it and what lies beyond its ends.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a, T> {
    up: &'a [T],
    centre: &'a [T],
    down: &'a [T],
    /// What lies left of the first and right of the last cell.
    ends: [T; 2],
    /// Whether the right neighbour is summed before the left one, as MFN 4.1 does on a
    /// Dirichlet grid.
    right_first: bool,
}

impl<'a, T: Real> Row<'a, T> {
    /// Row `row` of a grid with `columns` columns. `zeros` is a row of zeros, used outside a
    /// Dirichlet grid. `row` must be inside the grid.
    #[inline(always)]
    pub(crate) fn of(
        cells: &'a [T],
        columns: usize,
        row: usize,
        zeros: &'a [T],
        boundary: BoundaryCondition,
    ) -> Self {
        let rows = cells.len() / columns;
        let at = |index: usize| &cells[index * columns..(index + 1) * columns];
        let centre = at(row);
        let outside = |across: usize| match boundary {
            BoundaryCondition::Periodic => at(across),
            BoundaryCondition::Neumann => centre,
            BoundaryCondition::Dirichlet => zeros,
        };
        let (first, last) = (centre[0], centre[columns - 1]);
        Self {
            up: if row > 0 { at(row - 1) } else { outside(rows - 1) },
            centre,
            down: if row + 1 < rows { at(row + 1) } else { outside(0) },
            ends: match boundary {
                BoundaryCondition::Periodic => [last, first],
                BoundaryCondition::Neumann => [first, last],
                BoundaryCondition::Dirichlet => [T::ZERO; 2],
            },
            right_first: boundary == BoundaryCondition::Dirichlet,
        }
    }

    /// The cells `at` with their neighbours. `left` and `right` are the cells beside them.
    #[inline(always)]
    fn window(&'a self, at: Range<usize>, left: &'a [T], right: &'a [T]) -> Window<'a, T> {
        let (first, second) = if self.right_first { (right, left) } else { (left, right) };
        Window {
            up: &self.up[at.clone()],
            down: &self.down[at.clone()],
            first,
            second,
            centre: &self.centre[at],
        }
    }

    /// The columns `strip` in three parts: the first cell of the row alone, the cells between,
    /// and the last cell of the row alone. Only these two have a neighbour outside the row, so
    /// that the loop between them has no branch. A part may be empty; a row of one cell has
    /// only the first part. An empty part lies within the strip as well.
    #[inline(always)]
    pub(crate) fn windows(&'a self, strip: Range<usize>) -> [(Range<usize>, Window<'a, T>); 3] {
        let n = self.centre.len();
        let row = self.centre;
        let inner_from = strip.start.clamp(1, n);
        let inner_to = strip.end.min(n - 1).max(inner_from);
        let inner = if inner_from < inner_to { inner_from..inner_to } else { inner_from..inner_from };
        let first = strip.start..if strip.start == 0 { 1 } else { strip.start };
        let last = if strip.end == n && n > 1 { n - 1 } else { strip.end }..strip.end;
        let none = &row[..0];
        let right_of_first = if n > 1 { &row[1..2] } else { &self.ends[1..2] };
        let (left, right) = if inner.is_empty() {
            (none, none)
        } else {
            (&row[inner.start - 1..inner.end - 1], &row[inner.start + 1..inner.end + 1])
        };
        let left_of_last = if n > 1 { &row[n - 2..n - 1] } else { none };
        [
            (first.clone(), self.window(first, &self.ends[0..1], right_of_first)),
            (inner.clone(), self.window(inner, left, right)),
            (last.clone(), self.window(last, left_of_last, &self.ends[1..2])),
        ]
    }
}

/// A run of cells of one row with their four neighbours; the slices have one length, or a
/// length of 1 beside an empty centre.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a, T> {
    up: &'a [T],
    down: &'a [T],
    first: &'a [T],
    second: &'a [T],
    pub(crate) centre: &'a [T],
}

impl<'a, T: Real> Window<'a, T> {
    /// The five-point Laplacian with unit spacing, in the order of summation of MFN 4.1.
    #[inline(always)]
    pub(crate) fn laplacian(&self, j: usize) -> T {
        let neighbours = ((self.up[j] + self.down[j]) + self.first[j]) + self.second[j];
        neighbours - T::of(4.0) * self.centre[j]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the cutting of rows: for every length and strip each cell is covered once, in
    /// order, with slices long enough.
    #[test]
    fn windows_cover_a_strip_once() {
        for columns in 1..9 {
            let cells: Vec<f64> = (0..3 * columns).map(|cell| cell as f64).collect();
            let zeros = vec![0.0; columns];
            let row = Row::of(&cells, columns, 1, &zeros, BoundaryCondition::Periodic);
            for start in 0..columns {
                for end in start + 1..=columns {
                    let covered: Vec<usize> = row
                        .windows(start..end)
                        .into_iter()
                        .flat_map(|(at, window)| {
                            assert_eq!(window.centre.len(), at.len());
                            at
                        })
                        .collect();
                    assert_eq!(covered, (start..end).collect::<Vec<_>>());
                }
            }
        }
    }
}
