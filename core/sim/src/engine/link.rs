//! What a lane keeps for the lane before it, and how the two find out about each other.
//!
//! Nothing here waits for a thread that may never run: a lane that does not find what it needs leaves the rest of its
//! work to be done when all lanes have begun.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::block::BLOCK_STEPS_MAX;
use super::kernel::Place;
use super::scratch::Needs;
use super::team::comes;
use crate::real::Real;
use crate::simd::Aligned;

/// The first two rows of a lane of every level but the first and the last, which the lane before it needs: it
/// computes rows of a level until one short of where it ends in the level before.
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
        let row = (level - 1) * Self::ROWS as usize + index as usize;
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

/// A lane as the lane before it sees it.
#[derive(Debug)]
pub(super) struct Link<T> {
    kept: Mutex<Kept<T>>,
    has_kept: AtomicBool,
    ended: AtomicBool,
}

impl<T: Real> Link<T> {
    pub(super) fn new(needs: Needs) -> Self {
        Self { kept: Mutex::new(Kept::new(needs)), has_kept: false.into(), ended: false.into() }
    }

    /// Before a strip.
    pub(super) fn start(&mut self) {
        (self.has_kept, self.ended) = (false.into(), false.into());
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        // A lane that panics ends the block.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work in which the lane keeps its rows.
    pub(super) fn keep<R>(&self, work: impl FnOnce(&mut Kept<T>) -> R) -> R {
        let done = work(&mut self.kept());
        self.has_kept.store(true, Ordering::Release);
        done
    }

    /// Whether the lane has kept its rows; waits a moment for it if `others` can run meanwhile.
    pub(super) fn has_kept(&self, others: bool) -> bool {
        self.has_kept.load(Ordering::Acquire) || (others && comes(&self.has_kept))
    }

    /// Does work that needs the rows.
    pub(super) fn need<R>(&self, work: impl FnOnce(&Kept<T>) -> R) -> R {
        work(&self.kept())
    }

    /// The lane has done all its rows.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
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
            assert!(!link.has_kept(false) && !link.has_kept(true) && !link.has_ended());
            link.keep(|_| ());
            assert!(link.has_kept(false) && !link.has_ended());
            link.end();
            assert!(link.has_ended());
        }
    }
}
