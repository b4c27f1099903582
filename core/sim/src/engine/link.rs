//! What a lane keeps for the lane before it, and how the two find out about each other.
//!
//! Nothing here waits for a thread that may never run: a lane that does not find what it needs leaves the rest of its
//! work to be done when the others have come as far as they can.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::block::BLOCK_STEPS_MAX;
use super::kernel::Place;
use super::scratch::Needs;
use super::team::comes;
use crate::real::Real;
use crate::simd::Aligned;

/// The first two rows of a lane of every level but the last, which the lane before it needs: it computes rows of a level
/// until one short of where it ends in the level before. Those of the first level are in the planes, and kept for a lane
/// that sees of them [its own rows alone](super::lane::Before::own).
#[derive(Debug)]
pub(super) struct Kept<T> {
    cells: Aligned<T>,
    stride: usize,
    row_cells: usize,
    spiked: [T; BLOCK_STEPS_MAX],
}

impl<T: Real> Kept<T> {
    /// Rows of each level.
    pub(super) const ROWS: isize = 2;

    pub(super) fn new(needs: Needs) -> Self {
        let stride = needs.kept_stride();
        let row_cells = needs.fields * stride;
        let cells = Aligned::zeros(needs.kept_rows() * row_cells);
        Self { cells, stride, row_cells, spiked: [T::ZERO; BLOCK_STEPS_MAX] }
    }

    /// Where row `index` of a level is, and the one behind it.
    pub(super) fn place(&self, level: usize, index: isize) -> Place {
        let row = level * Self::ROWS as usize + index as usize;
        Place { first: row * self.row_cells, pitch: self.row_cells }
    }

    /// Cells from a field of a row to the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// All rows.
    pub(super) fn cells(&self) -> &[T] {
        &self.cells
    }

    /// All rows.
    pub(super) fn cells_mut(&mut self) -> &mut [T] {
        &mut self.cells
    }

    /// What the growth event of a level has replaced.
    pub(super) fn spiked(&self, level: usize) -> T {
        self.spiked[level]
    }

    /// The same.
    pub(super) fn spiked_mut(&mut self, level: usize) -> &mut T {
        &mut self.spiked[level]
    }
}

/// A lane as the lane before it sees it: in cache lines that no other one writes.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Link<T> {
    /// Those of even and of odd blocks, or the same of all.
    kept: Vec<Mutex<Kept<T>>>,
    /// Blocks of which the lane has kept its rows.
    blocks: AtomicUsize,
}

impl<T: Real> Link<T> {
    pub(super) fn new(needs: Needs) -> Self {
        let kept =
            std::iter::repeat_with(|| Mutex::new(Kept::new(needs))).take(needs.kept_blocks()).collect();
        Self { kept, blocks: 0.into() }
    }

    /// Before a relay.
    pub(super) fn start(&mut self) {
        self.blocks = 0.into();
    }

    /// The rows of a block, which the lane keeps or the lane before needs: never both at once, as nobody waits for them here.
    pub(super) fn kept(&self, block: usize) -> MutexGuard<'_, Kept<T>> {
        // A lane that panics ends the relay.
        self.kept[block % self.kept.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lane has kept its rows of so many blocks.
    pub(super) fn keep(&self, blocks: usize) {
        self.blocks.store(blocks, Ordering::Release);
    }

    /// Whether the lane has kept its rows of a block; waits a moment for it if `others` can run meanwhile.
    pub(super) fn has_kept(&self, block: usize, others: bool) -> bool {
        comes(others, || self.blocks.load(Ordering::Acquire) > block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against waiting for a lane that has not begun, and against going on before it has kept its rows.
    #[test]
    fn a_lane_that_has_not_begun_is_not_waited_for() {
        let mut link =
            Link::<f64>::new(Needs { steps: 2, fields: 1, columns: 1, linked: true, ..Needs::default() });
        for _ in 0..2 {
            link.start();
            for block in 0..3 {
                assert!(!link.has_kept(block, false) && !link.has_kept(block, true));
                link.keep(block + 1);
                assert!(link.has_kept(block, false));
            }
        }
    }
}
