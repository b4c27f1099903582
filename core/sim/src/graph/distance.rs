//! The exact Euclidean distance transform: for every cell of a pattern, how far the background is.
//!
//! Two sweeps along the columns, then the lower envelope of parabolas along each row (Meijster, Roerdink and
//! Hesselink, 2000; Felzenszwalb and Huttenlocher, 2012), in whole numbers throughout, so squared distances are exact.
//! The time is linear in the number of cells, the memory 4 bytes a cell beside the result.

use super::grid::Grid;
use crate::parallel::for_each_chunk_mut;

/// A distance along a column that no background cell is at. Its square is above every squared distance of a grid.
const NONE: u32 = 1 << 20;
/// Rows that share an envelope.
const PIECE_ROWS: usize = 16;

/// The squared distance from the centre of each cell to the nearest centre of a background cell, in cells; 0 on
/// the background. Outside a grid that does not wrap everything is background. At least one cell must be
/// background, or one axis not wrap.
pub(super) fn squared_distances(grid: &Grid, mask: &[u8]) -> Vec<u32> {
    let along_columns = column_distances(grid, mask);
    let mut squared = vec![0; mask.len()];
    for_each_chunk_mut(&mut squared, PIECE_ROWS * grid.cols, &|piece, squared| {
        let mut envelope = Envelope::new(grid);
        let distances = along_columns[piece * PIECE_ROWS * grid.cols..].chunks_exact(grid.cols);
        for (squared, distances) in squared.chunks_exact_mut(grid.cols).zip(distances) {
            envelope.row(distances, squared);
        }
    });
    squared
}

/// The distance to the nearest background cell of the same column.
fn column_distances(grid: &Grid, mask: &[u8]) -> Vec<u32> {
    let Grid { rows, cols, wrap_rows, .. } = *grid;
    let mut distances: Vec<u32> = mask.iter().map(|&set| if set == 0 { 0 } else { NONE }).collect();
    // On a ring a second sweep carries the distances over the seam.
    let sweeps = if wrap_rows { 2 } else { 1 };
    let outside = if wrap_rows { NONE } else { 0 };
    let mut near = vec![outside; cols];
    let mut visit = |row: usize, near: &mut [u32]| {
        for (distance, near) in distances[row * cols..][..cols].iter_mut().zip(near) {
            *near = (*near + 1).min(*distance).min(NONE);
            *distance = *near;
        }
    };
    for row in (0..sweeps).flat_map(|_| 0..rows) {
        visit(row, &mut near);
    }
    near.fill(outside);
    for row in (0..sweeps).flat_map(|_| (0..rows).rev()) {
        visit(row, &mut near);
    }
    distances
}

/// The lower envelope of the parabolas over one row, with room that is used again for the next row.
struct Envelope {
    cols: usize,
    wraps: bool,
    /// Columns whose parabola is part of the envelope, and the first column where it is.
    parts: Vec<(i64, i64)>,
}

impl Envelope {
    fn new(grid: &Grid) -> Self {
        Self { cols: grid.cols, wraps: grid.wrap_cols, parts: Vec::new() }
    }

    /// Squared distances of a row from the distances along the columns.
    fn row(&mut self, distances: &[u32], squared: &mut [u32]) {
        let cols = self.cols as i64;
        // A column beyond either end: background, or on a ring the cells of the other end. No nearest cell lies
        // more than half the ring away.
        let reach = if self.wraps { cols / 2 + 1 } else { 1 };
        let height = |column: i64| -> i64 {
            if (0..cols).contains(&column) {
                i64::from(distances[column as usize])
            } else if self.wraps {
                i64::from(distances[column.rem_euclid(cols) as usize])
            } else {
                0
            }
        };
        let value = |at: i64, column: i64| (at - column) * (at - column) + height(column) * height(column);
        self.parts.clear();
        for column in -reach..cols + reach {
            let mut start = -reach;
            while let Some(&(last, first)) = self.parts.last() {
                if value(first, last) > value(first, column) {
                    self.parts.pop();
                    continue;
                }
                // The first column at which the new parabola is lower than the last.
                let rise = column * column - last * last + height(column) * height(column)
                    - height(last) * height(last);
                start = rise.div_euclid(2 * (column - last)) + 1;
                break;
            }
            if start < cols + reach {
                self.parts.push((column, start));
            }
        }
        let mut part = 0;
        for (at, squared) in squared.iter_mut().enumerate() {
            let at = at as i64;
            while self.parts.get(part + 1).is_some_and(|&(_, first)| first <= at) {
                part += 1;
            }
            // At most 65536^2 / 4 + 4096^2 / 4: half of each axis of a ring.
            *squared = self.parts.get(part).map_or(0, |&(column, _)| value(at, column)) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The nearest background cell by looking at every cell of the grid and of its images, or outside.
    fn by_definition(grid: &Grid, mask: &[u8]) -> Vec<u32> {
        let (rows, cols) = (grid.rows as isize, grid.cols as isize);
        let is_background = |row: isize, col: isize| {
            let outside = |at: isize, length: isize, wraps: bool| !wraps && !(0..length).contains(&at);
            outside(row, rows, grid.wrap_rows)
                || outside(col, cols, grid.wrap_cols)
                || mask[(row.rem_euclid(rows) * cols + col.rem_euclid(cols)) as usize] == 0
        };
        let nearest = |row: isize, col: isize| {
            let around =
                (row - rows..=row + rows).flat_map(|r| (col - cols..=col + cols).map(move |c| (r, c)));
            around
                .filter(|&(r, c)| is_background(r, c))
                .map(|(r, c)| (r - row).pow(2) + (c - col).pow(2))
                .min()
                .unwrap() as u32
        };
        (0..rows).flat_map(|row| (0..cols).map(move |col| nearest(row, col))).collect()
    }

    proptest! {
        /// Guards exactness: the squared distance of every cell is the one of the definition, with and without
        /// wrapping, on grids of any small shape and any density.
        #[test]
        fn distances_are_exact(
            rows in 1usize..12, cols in 1usize..12, wrap: bool, density in 0.0f64..1.0,
            draws in proptest::collection::vec(0.0f64..1.0, 144),
        ) {
            let grid = Grid::new(rows, cols, wrap).unwrap();
            let mut mask: Vec<u8> = draws[..rows * cols].iter().map(|&draw| u8::from(draw < density)).collect();
            if grid.wrap_rows && grid.wrap_cols {
                mask[0] = 0;
            }
            prop_assert_eq!(squared_distances(&grid, &mask), by_definition(&grid, &mask));
        }
    }

    /// Guards the largest distances that there are against overflow: one background cell on the longest torus.
    #[test]
    fn long_grids_do_not_overflow() {
        let grid = Grid::new(4, 65_536, true).unwrap();
        let mut mask = vec![1; grid.cells()];
        mask[0] = 0;
        let squared = squared_distances(&grid, &mask);
        assert_eq!(squared[2 * 65_536 + 32_768], 32_768 * 32_768 + 4);
        assert_eq!(squared[65_535], 1);
    }
}
