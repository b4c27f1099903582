//! The graph of cells: every cell of a skeleton with its links, found again by its number in logarithmic time of a
//! row.

use super::grid::Grid;
use super::simple::LINKS;

/// The cells of a skeleton in order, and the directions in which each is linked to others.
pub(super) struct CellGraph {
    grid: Grid,
    /// Numbers on the grid, ascending.
    pub(super) cells: Vec<u32>,
    links: Vec<u8>,
    /// Where the cells of each row begin; one more than there are rows.
    row_starts: Vec<u32>,
}

impl CellGraph {
    /// Of the cells that are set among `candidates`, which ascend.
    pub(super) fn new(grid: &Grid, mask: &[u8], candidates: impl Iterator<Item = u32>) -> Self {
        let cells: Vec<u32> = candidates.filter(|&cell| mask[cell as usize] != 0).collect();
        let links = cells.iter().map(|&cell| LINKS[usize::from(grid.code(mask, cell))]).collect();
        let mut row_starts = vec![0; grid.rows + 1];
        for &cell in &cells {
            row_starts[grid.place(cell).0 + 1] += 1;
        }
        for row in 0..grid.rows {
            row_starts[row + 1] += row_starts[row];
        }
        Self { grid: *grid, cells, links, row_starts }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn degree(&self, index: usize) -> u32 {
        self.links[index].count_ones()
    }

    /// The linked cells, by index, with the direction to each.
    pub(super) fn linked(&self, index: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let links = self.links[index];
        (0..8).filter(move |direction| links >> direction & 1 == 1).filter_map(move |direction| {
            let other = self.grid.neighbour(self.cells[index], direction)?;
            Some((direction, self.index_of(other)?))
        })
    }

    fn index_of(&self, cell: u32) -> Option<usize> {
        let row = self.grid.place(cell).0;
        let start = self.row_starts[row] as usize;
        let row_cells = &self.cells[start..self.row_starts[row + 1] as usize];
        row_cells.binary_search(&cell).ok().map(|position| start + position)
    }
}
