//! Minkowski functionals of the pattern: area, perimeter and Euler number (Michielsen and De Raedt, 2001).
//!
//! By Hadwiger's theorem every additive measure of shape in the plane that is continuous and does not depend on
//! place and direction is a combination of these three. A cell is a square with four edges and four corners.
//! With 8 neighbours the pattern is the union of closed squares: edges and corners of its cells belong to it. With
//! 4 it is the union of open ones: an edge belongs to it when both its cells do, a corner when all four do. The
//! Euler number is corners - edges + squares. The two are dual: on a torus the number of a pattern with 8 neighbours
//! is minus that of its background with 4.

use super::pattern::Pattern;
use crate::features::Connectivity;

/// The three functionals.
pub(super) struct Functionals {
    /// Cells of the pattern.
    pub(super) area: i64,
    /// Edges between a cell of the pattern and one of the background, or the outside.
    pub(super) perimeter: i64,
    /// Euler number.
    pub(super) euler: i64,
}

/// Counts at every corner of the grid the corner itself and the edges to its right and below it, so that each is
/// counted once.
pub(super) fn functionals(pattern: &Pattern, connectivity: Connectivity) -> Functionals {
    let (rows, cols) = (pattern.rows, pattern.cols);
    let corners = |length: usize, wraps: bool| if wraps { length } else { length + 1 };
    let col_corners = corners(cols, pattern.wrap_cols);
    let (mut squares, mut edges_any, mut edges_all) = (0i64, 0i64, 0i64);
    let (mut corners_any, mut corners_all) = (0i64, 0i64);
    let mut above = vec![0u8; cols + 2];
    let mut below = above.clone();
    if pattern.wrap_rows {
        fill(&mut above, pattern, rows - 1);
    }
    for row in 0..corners(rows, pattern.wrap_rows) {
        if row < rows {
            fill(&mut below, pattern, row);
        } else {
            below.fill(0);
        }
        for (up, down) in above.windows(2).zip(below.windows(2)).take(col_corners) {
            let (up_left, up_right, left, cell) = (up[0], up[1], down[0], down[1]);
            squares += i64::from(cell);
            edges_any += i64::from(cell | up_right) + i64::from(cell | left);
            edges_all += i64::from(cell & up_right) + i64::from(cell & left);
            corners_any += i64::from(up_left | up_right | left | cell);
            corners_all += i64::from(up_left & up_right & left & cell);
        }
        std::mem::swap(&mut above, &mut below);
    }
    Functionals {
        area: squares,
        perimeter: edges_any - edges_all,
        euler: match connectivity {
            Connectivity::Eight => corners_any - edges_any + squares,
            Connectivity::Four => corners_all - edges_all + squares,
        },
    }
}

/// A row with the cell to its left before it and the outside after it.
fn fill(line: &mut [u8], pattern: &Pattern, row: usize) {
    let (cells, last) = (pattern.row(row), pattern.cols - 1);
    line[0] = if pattern.wrap_cols { cells[last] } else { 0 };
    line[1..=pattern.cols].copy_from_slice(cells);
}
