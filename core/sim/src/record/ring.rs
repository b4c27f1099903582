//! The newest frames of a run, in memory that is reserved once.

use std::collections::VecDeque;

use ndarray::{ArrayView2, CowArray, Ix2};

use super::error::RecordError;
use super::plane::{Plane, PlaneSet};
use crate::bounds::{Bound, CELLS_MAX};
use crate::engine::Frame;

/// Keeps the newest frames, at most as many as it was made for; a frame too many drops the oldest.
///
/// All memory is reserved when the ring is made: [`memory_bytes`](Self::memory_bytes). Numbers are kept in
/// double precision; single precision is widened, which is exact.
#[derive(Debug)]
pub struct FrameRing {
    rows: usize,
    columns: usize,
    planes: PlaneSet,
    capacity: usize,
    /// Steps of the frames kept, oldest first.
    steps: VecDeque<u64>,
    /// The place of the oldest frame.
    first: usize,
    cells: Vec<f64>,
    dropped: u64,
}

/// A frame that a ring keeps.
#[derive(Debug, Clone, Copy)]
pub struct RingFrame<'a> {
    ring: &'a FrameRing,
    step: u64,
    place: usize,
}

impl RingFrame<'_> {
    /// Steps that the run had done at this frame.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// One of its planes; `None` for one that the ring does not keep.
    #[must_use]
    pub fn plane(&self, plane: Plane) -> Option<ArrayView2<'_, f64>> {
        let ring = self.ring;
        let place = self.place * ring.planes.count() + ring.planes.position(plane)?;
        let cells = ring.rows * ring.columns;
        let cells = ring.cells.get(place * cells..(place + 1) * cells)?;
        ArrayView2::from_shape((ring.rows, ring.columns), cells).ok()
    }
}

impl FrameRing {
    /// A ring for `capacity` frames of a grid.
    ///
    /// # Errors
    /// [`RecordError`] when the capacity is 0, a side is out of range, or the memory is not to be had.
    pub fn new(capacity: usize, rows: usize, columns: usize, planes: PlaneSet) -> Result<Self, RecordError> {
        if capacity == 0 {
            return Err(RecordError::NoCapacity);
        }
        let is_side = |name, side: usize| Bound::of(name).is_some_and(|bound| bound.contains(side as f64));
        if !is_side("rows", rows) || !is_side("cols", columns) || rows * columns > CELLS_MAX {
            return Err(RecordError::Shape { rows, columns });
        }
        let bytes = Self::memory_bytes(capacity, rows, columns, planes);
        let refused = RecordError::Memory { frames: capacity, rows, columns, planes: planes.count(), bytes };
        let cells_count = capacity.checked_mul(rows * columns * planes.count());
        let cells_count = cells_count.ok_or_else(|| refused.clone())?;
        let (mut cells, mut steps) = (Vec::new(), VecDeque::new());
        let taken = cells.try_reserve_exact(cells_count).and_then(|()| steps.try_reserve_exact(capacity));
        taken.map_err(|_| refused)?;
        Ok(Self { rows, columns, planes, capacity, steps, first: 0, cells, dropped: 0 })
    }

    /// The memory that such a ring takes, bytes: cells of 8 bytes and a step number for each frame.
    #[must_use]
    pub fn memory_bytes(capacity: usize, rows: usize, columns: usize, planes: PlaneSet) -> u128 {
        let frame = (rows as u128).saturating_mul(columns as u128).saturating_mul(planes.count() as u128);
        (capacity as u128).saturating_mul(frame.saturating_add(1)).saturating_mul(8)
    }

    /// Keeps a frame. `plane` gives the planes of the moment; it is asked once for each plane of the ring.
    ///
    /// # Errors
    /// [`RecordError::Frame`] when a plane has another shape than the ring; the ring is then unchanged.
    pub fn push<'a>(
        &mut self,
        step: u64,
        mut plane: impl FnMut(Plane) -> CowArray<'a, f64, Ix2>,
    ) -> Result<(), RecordError> {
        let cells = self.rows * self.columns;
        let full = self.steps.len() == self.capacity;
        let next = if full { self.first } else { (self.first + self.steps.len()) % self.capacity };
        let planes: Vec<_> = self.planes.iter().map(&mut plane).collect();
        if let Some(other) = planes.iter().find(|plane| plane.dim() != (self.rows, self.columns)) {
            let (given_rows, given_columns) = other.dim();
            let (rows, columns) = (self.rows, self.columns);
            return Err(RecordError::Frame { given_rows, given_columns, rows, columns });
        }
        if full {
            self.steps.pop_front();
            self.first = (self.first + 1) % self.capacity;
            self.dropped += 1;
        }
        self.steps.push_back(step);
        let start = next * cells * planes.len();
        // Grows in the memory that was reserved, until every place was used once.
        self.cells.resize(self.cells.len().max(start + cells * planes.len()), 0.0);
        for (kept, plane) in self.cells[start..].chunks_exact_mut(cells).zip(&planes) {
            kept.iter_mut().zip(plane).for_each(|(kept, &cell)| *kept = cell);
        }
        Ok(())
    }

    /// Keeps a frame of a run.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn record(&mut self, frame: &Frame<'_>) -> Result<(), RecordError> {
        self.push(frame.step, |plane| plane.of(frame.simulation))
    }

    /// Frames kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether no frame is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Frames that it can keep.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Frames that were dropped because newer ones came.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Rows and columns of the frames.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The planes that are kept of each frame.
    #[must_use]
    pub fn planes(&self) -> PlaneSet {
        self.planes
    }

    /// A frame, counted from 0, the oldest; `None` beyond the newest.
    #[must_use]
    pub fn frame(&self, index: usize) -> Option<RingFrame<'_>> {
        let step = *self.steps.get(index)?;
        Some(RingFrame { ring: self, step, place: (self.first + index) % self.capacity })
    }

    /// The frames, oldest first.
    pub fn frames(&self) -> impl Iterator<Item = RingFrame<'_>> {
        (0..self.len()).filter_map(|index| self.frame(index))
    }

    /// Forgets all frames and the count of dropped ones, and keeps the memory.
    pub fn clear(&mut self) {
        self.steps.clear();
        self.first = 0;
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn cells(step: u64, plane: Plane) -> CowArray<'static, f64, Ix2> {
        let number = step as f64 + 0.25 * plane as u8 as f64;
        Array2::from_shape_fn((2, 3), |(row, column)| number + 1e3 * (3 * row + column) as f64).into()
    }

    /// Guards order, contents and the count of dropped frames, for every fill of the ring, and
    /// that the memory is the one reserved at the beginning.
    #[test]
    fn the_newest_frames_are_kept_in_order() {
        let planes = PlaneSet::new(&[Plane::Inhibitor, Plane::Potential]).unwrap();
        for capacity in 1..=4 {
            let mut ring = FrameRing::new(capacity, 2, 3, planes).unwrap();
            let reserved = (ring.cells.as_ptr(), ring.cells.capacity(), ring.steps.capacity());
            for step in 1..=11 {
                ring.push(10 * step, |plane| cells(step, plane)).unwrap();
                let kept = step.min(capacity as u64);
                assert_eq!((ring.len() as u64, ring.dropped()), (kept, step - kept));
                let steps: Vec<u64> = ring.frames().map(|frame| frame.step()).collect();
                assert_eq!(steps, (step + 1 - kept..=step).map(|step| 10 * step).collect::<Vec<_>>());
                for frame in ring.frames() {
                    for plane in [Plane::Potential, Plane::Inhibitor] {
                        assert_eq!(frame.plane(plane).unwrap(), cells(frame.step() / 10, plane));
                    }
                    assert!(frame.plane(Plane::Activator).is_none());
                }
            }
            assert_eq!(reserved, (ring.cells.as_ptr(), ring.cells.capacity(), ring.steps.capacity()));
            assert!(ring.frame(capacity).is_none());
            ring.clear();
            assert!(ring.is_empty() && ring.frame(0).is_none());
        }
    }

    /// Guards the refusals: sizes that make no ring, or more memory than there is, and frames of
    /// another grid, which leave the ring as it was.
    #[test]
    fn impossible_rings_and_foreign_frames_are_refused() {
        let all = PlaneSet::ALL;
        let refused = |capacity, rows, columns| FrameRing::new(capacity, rows, columns, all).unwrap_err();
        assert_eq!(refused(0, 2, 2), RecordError::NoCapacity);
        for (rows, columns) in [(0, 2), (2, 0), (65_537, 1), (1, usize::MAX), (65_536, 65_536)] {
            assert_eq!(refused(1, rows, columns), RecordError::Shape { rows, columns });
        }
        for capacity in [usize::MAX, usize::MAX / 24, 1 << 58] {
            assert!(matches!(refused(capacity, 1, 1), RecordError::Memory { .. }));
        }
        assert_eq!(PlaneSet::new(&[]), Err(RecordError::NoPlanes));
        let mut ring = FrameRing::new(2, 1, 65_536, Plane::Activator.into()).unwrap();
        assert!(matches!(ring.push(1, |plane| cells(1, plane)), Err(RecordError::Frame { .. })));
        assert_eq!((ring.len(), ring.dropped()), (0, 0));
        ring.push(1, |_| Array2::zeros((1, 65_536)).into()).unwrap();
        assert_eq!(ring.len(), 1);
    }
}
