//! The row kernel alone, on rows that stay in the first-level cache: the bound of every faster way around it.
//!
//! A run that is held against this bound shows what tiles, boundaries, buffers and threads cost beside the arithmetic.
//! It is for measurements only and no part of the interface.

use super::block::{Block, Noise};
use super::chemistry::{Hosted, RowKernel, WithKernel, with_kernel};
use super::constants::REST_MEAN_V;
use super::kernel::{Batch, Counts, Numbers, Outside, Span};
use super::scratch::{MARGIN, Needs, Scratch};
use crate::real::Real;
use crate::simd::{DetectedLevel, SimdLevel, UnavailableLevel};
use crate::spec::Spec;

/// Rows of all fields, old and new, and the kernel of a specification.
pub struct KernelProbe<T> {
    spec: Spec,
    level: DetectedLevel,
    scratch: Scratch<T>,
    needs: Needs,
}

impl<T: Real> KernelProbe<T> {
    /// Rows of the shape of `spec`, at rest. Kinetics of a host are not probed: they count as none.
    ///
    /// # Errors
    /// [`UnavailableLevel`] when this machine does not have the level.
    pub fn new(spec: Spec, simd: SimdLevel) -> Result<Self, UnavailableLevel> {
        let level = simd.resolve()?;
        let (batch_rows, columns) = (spec.rows(), spec.cols());
        let needs = Needs { steps: 1, batch_rows, fields: 3, columns, noise: false, host: false };
        let mut scratch = Scratch::new(needs);
        let mut ring = scratch.parts().ring;
        let rest = [T::of(REST_MEAN_V), T::of(0.05), T::of(0.05)];
        for level in 0..2 {
            ring.each(level, &(0..needs.ring_rows() as isize), |row| {
                for (field, value) in row.chunks_mut(needs.stride::<T>()).zip(rest) {
                    field.fill(value);
                }
            });
        }
        Ok(Self { spec, level, scratch, needs })
    }

    /// Computes all rows so many times, always from the same ones: further steps would let the inhibitor decay to
    /// numbers so small that a processor takes a hundred times as long for them.
    pub fn run(&mut self, times: u64) {
        let Self { spec, level, scratch, needs } = self;
        let block = Block {
            numbers: Numbers::of(spec),
            kinetics: spec.kinetics,
            factors: [spec.r_activator, spec.r_inhibitor],
            host: None,
            noise: Noise::Absent,
            spikes: &[],
            followed: false,
        };
        with_kernel(&block, Some(block.factors), Repeated { level: *level, scratch, needs: *needs, times });
    }
}

struct Repeated<'a, T> {
    level: DetectedLevel,
    scratch: &'a mut Scratch<T>,
    needs: Needs,
    times: u64,
}

impl<T: Real> WithKernel<T> for Repeated<'_, T> {
    type Output = ();

    fn run(self, kernel: &dyn RowKernel<T>, _: Option<Hosted<'_, T>>) {
        let mut parts = self.scratch.parts();
        let (row_cells, slots, zeros) = (parts.ring.row_cells(), parts.ring.slots(), parts.zeros);
        let stride = self.needs.stride::<T>();
        let span = Span { stride, first: MARGIN, cells: self.needs.columns, right_first: false };
        let (before, after) = parts.ring.step(0);
        let mut counts = Counts::default();
        for _ in 0..self.times {
            let batch = Batch {
                before,
                zeros,
                row_cells,
                slots,
                slot: 1,
                rows: self.needs.batch_rows,
                above: Outside::Row,
                below: Outside::Row,
                span,
            };
            counts.add(kernel.rows(self.level, batch, None, after));
        }
        std::hint::black_box(counts);
    }

    fn missing(self) {}
}
