//! Thinning: a pattern reduced to lines of one cell that keep its pieces and holes.
//!
//! Cells go in the order of their distance from the background (distance-ordered homotopic thinning; Pudney, 1998),
//! so the lines end up in the middle, and only when they are simple, so the shape is kept by construction. Within
//! one distance the cells that are open to the north, south, west and east take turns (Rosenfeld, 1975), so that no side
//! is preferred. Each cell is looked at once, and once more for each neighbour that goes, so the time is linear in the
//! cells. The fast parallel algorithm of Zhang and Suen (1984) is not used: it deletes squares of 2 x 2
//! and leaves diagonals of two cells.
//!
//! What keeps a branch from being eaten from its end: a cell with at most one neighbour left stays when it lies on a
//! ridge of the distance, that is, when the distance rises by less than [`RIDGE_SLOPE_MAX`] per unit of length
//! towards every neighbour. Towards the middle of a round blob it rises by 1, along the bisector of a right angle by
//! 0.71, along a band not at all.

use super::grid::Grid;
use super::order::sort_by_key;
use super::simple::SIMPLE;

/// The steepest rise of the distance along a ridge: just below sin 45 degrees, so that right angles grow no branch.
const RIDGE_SLOPE_MAX: f64 = 0.7;
/// The turns within one distance: north, south, west, east.
const TURNS: [usize; 4] = [0, 4, 6, 2];

/// Thins a pattern in place, given its squared distances from the background.
pub(super) fn thin(grid: &Grid, mask: &mut [u8], squared: &[u32]) {
    let mut order: Vec<u32> = Vec::with_capacity(mask.iter().filter(|&&set| set != 0).count());
    order.extend((0..squared.len() as u32).filter(|&cell| squared[cell as usize] != 0));
    let mut peel = Peel::new(*grid);
    sort_by_key(&mut order, &mut peel.next, |cell| squared[cell as usize]);
    let mut cells = Vec::new();
    for level in order.chunk_by(|&left, &right| squared[left as usize] == squared[right as usize]) {
        let Some(&first) = level.first() else { continue };
        let distance = squared[first as usize];
        cells.clear();
        cells.extend_from_slice(level);
        peel.run(
            mask,
            &mut cells,
            |cell| squared[cell as usize] <= distance,
            |cell| is_on_ridge(grid, squared, cell),
        );
    }
}

/// Takes off what became simple among some cells of a skeleton and those around them. Free ends stay.
pub(super) fn thin_again(grid: &Grid, mask: &mut [u8], mut cells: Vec<u32>) {
    Peel::new(*grid).run(mask, &mut cells, |_| true, |_| true);
}

/// Whether the distance rises slowly from a cell to each of its neighbours.
fn is_on_ridge(grid: &Grid, squared: &[u32], cell: u32) -> bool {
    let distance = f64::from(squared[cell as usize]).sqrt();
    (0..8).all(|direction| {
        let step = if direction % 2 == 0 { 1.0 } else { std::f64::consts::SQRT_2 };
        grid.neighbour(cell, direction)
            .is_none_or(|other| f64::from(squared[other as usize]).sqrt() - distance < RIDGE_SLOPE_MAX * step)
    })
}

/// Removes simple cells, turn by turn, until none is left among those that it was given or came upon.
struct Peel {
    grid: Grid,
    taking: Vec<u32>,
    next: Vec<u32>,
}

impl Peel {
    fn new(grid: Grid) -> Self {
        Self { grid, taking: Vec::new(), next: Vec::new() }
    }

    /// Peels `cells` and, whenever a neighbour of a cell is gone, that cell once more if it `is_due`. An end
    /// that `is_kept` stays.
    fn run(
        &mut self,
        mask: &mut [u8],
        cells: &mut Vec<u32>,
        is_due: impl Fn(u32) -> bool,
        is_kept: impl Fn(u32) -> bool,
    ) {
        let grid = self.grid;
        while !cells.is_empty() {
            self.next.clear();
            for turn in TURNS {
                self.taking.clear();
                // Ends are judged by how the turn began: a side that goes as a whole has no ends.
                self.taking.extend(cells.iter().copied().filter(|&cell| {
                    mask[cell as usize] != 0 && {
                        let code = grid.code(mask, cell);
                        code >> turn & 1 == 0
                            && SIMPLE[usize::from(code)]
                            && (code.count_ones() > 1 || !is_kept(cell))
                    }
                }));
                for &cell in &self.taking {
                    if !SIMPLE[usize::from(grid.code(mask, cell))] {
                        continue;
                    }
                    mask[cell as usize] = 0;
                    let around = (0..8).filter_map(|direction| grid.neighbour(cell, direction));
                    self.next.extend(around.filter(|&other| mask[other as usize] != 0 && is_due(other)));
                }
            }
            sort_by_key(&mut self.next, &mut self.taking, |cell| cell);
            self.next.dedup();
            std::mem::swap(cells, &mut self.next);
        }
    }
}
