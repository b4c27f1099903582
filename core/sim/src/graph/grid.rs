//! Cells and their neighbours on a grid that may wrap.
//!
//! A pattern is joined over edges and corners (eight neighbours), its background over edges (four): only this pair
//! of adjacencies obeys the Jordan curve theorem on a square grid (Rosenfeld, 1970). What lies outside a
//! grid that does not wrap is background.

use super::GraphError;

/// Longest side of a grid, cells.
pub const SIDE_MAX_CELLS: usize = 65_536;
/// Most cells of a grid.
pub const CELLS_MAX: usize = 1 << 28;
/// Shortest axis that wraps. On a shorter one a cell would meet itself or the same neighbour on two sides, and the
/// neighbourhood of a cell would be no square of 3 x 3 different cells.
pub const WRAP_MIN_CELLS: usize = 4;

/// Steps to the eight neighbours, clockwise from the one above: (rows, columns). Even places share an edge.
pub(super) const STEPS: [(isize, isize); 8] =
    [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)];

/// Shape and topology of a grid. Cells are numbered row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) wrap_rows: bool,
    pub(super) wrap_cols: bool,
}

impl Grid {
    pub(super) fn new(rows: usize, cols: usize, wrap: bool) -> Result<Self, GraphError> {
        let side = 1..=SIDE_MAX_CELLS;
        if !side.contains(&rows) || !side.contains(&cols) || rows * cols > CELLS_MAX {
            return Err(GraphError::Shape { rows, cols });
        }
        let wraps = |length: usize| wrap && length >= WRAP_MIN_CELLS;
        Ok(Self { rows, cols, wrap_rows: wraps(rows), wrap_cols: wraps(cols) })
    }

    pub(super) fn cells(&self) -> usize {
        self.rows * self.cols
    }

    /// Row and column of a cell.
    pub(super) fn place(&self, cell: u32) -> (usize, usize) {
        (cell as usize / self.cols, cell as usize % self.cols)
    }

    /// The neighbour in a direction of [`STEPS`], if the grid has one there.
    pub(super) fn neighbour(&self, cell: u32, direction: usize) -> Option<u32> {
        let (row, col) = self.place(cell);
        let (down, right) = STEPS[direction];
        let row = moved(row, down, self.rows, self.wrap_rows)?;
        let col = moved(col, right, self.cols, self.wrap_cols)?;
        Some((row * self.cols + col) as u32)
    }

    /// Which of the eight neighbours are set, one bit for each direction of [`STEPS`].
    pub(super) fn code(&self, mask: &[u8], cell: u32) -> u8 {
        let (row, col) = self.place(cell);
        if row > 0 && row + 1 < self.rows && col > 0 && col + 1 < self.cols {
            let above = &mask[cell as usize - self.cols - 1..][..3];
            let here = &mask[cell as usize - 1..][..3];
            let below = &mask[cell as usize + self.cols - 1..][..3];
            return above[1]
                | above[2] << 1
                | here[2] << 2
                | below[2] << 3
                | below[1] << 4
                | below[0] << 5
                | here[0] << 6
                | above[0] << 7;
        }
        (0..8)
            .filter(|&direction| {
                self.neighbour(cell, direction).is_some_and(|other| mask[other as usize] != 0)
            })
            .fold(0, |code, direction| code | 1 << direction)
    }

    /// How far `to` lies from `from` along rows and columns, by the shorter way around.
    pub(super) fn offset(&self, from: u32, to: u32) -> (f64, f64) {
        let (from, to) = (self.place(from), self.place(to));
        let along = |from: usize, to: usize, length: usize, wraps: bool| {
            let direct = to as f64 - from as f64;
            let length = length as f64;
            if wraps && direct.abs() * 2.0 > length { direct - length.copysign(direct) } else { direct }
        };
        (along(from.0, to.0, self.rows, self.wrap_rows), along(from.1, to.1, self.cols, self.wrap_cols))
    }
}

fn moved(place: usize, step: isize, length: usize, wraps: bool) -> Option<usize> {
    match place.checked_add_signed(step) {
        Some(next) if next < length => Some(next),
        _ if !wraps => None,
        Some(_) => Some(0),
        None => Some(length - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the fast path of the inner cells against the one that goes neighbour by neighbour, on grids of
    /// every small shape.
    #[test]
    fn codes_are_the_neighbours() {
        for (rows, cols, wrap) in [(1, 1, true), (1, 7, true), (3, 5, false), (4, 4, true), (6, 5, true)] {
            let grid = Grid::new(rows, cols, wrap).unwrap();
            let mask: Vec<u8> = (0..grid.cells()).map(|cell| u8::from(cell * 7 % 5 < 2)).collect();
            for cell in 0..grid.cells() as u32 {
                let expected = (0..8).fold(0, |code, direction| {
                    let set = grid.neighbour(cell, direction).is_some_and(|other| mask[other as usize] != 0);
                    code | u8::from(set) << direction
                });
                assert_eq!(grid.code(&mask, cell), expected, "{rows} x {cols}, cell {cell}");
            }
        }
    }

    /// Guards every shape that must be refused, without an overflow.
    #[test]
    fn impossible_grids_are_refused() {
        for (rows, cols) in [(0, 4), (4, 0), (65_537, 1), (1, usize::MAX), (65_536, 4_097)] {
            assert!(Grid::new(rows, cols, true).is_err(), "{rows} x {cols}");
        }
        assert!(Grid::new(65_536, 4_096, true).is_ok());
    }

    /// Guards distances across the seam of a torus.
    #[test]
    fn offsets_take_the_shorter_way() {
        let grid = Grid::new(6, 10, true).unwrap();
        assert_eq!(grid.offset(0, 59), (-1.0, -1.0));
        let flat = Grid::new(6, 10, false).unwrap();
        assert_eq!(flat.offset(0, 59), (5.0, 9.0));
    }
}
