//! The row kernel alone, on rows that stay in the first-level cache: the bound of every faster way around it.
//!
//! A run that is held against this bound shows what tiles, boundaries, buffers and threads cost beside the arithmetic.
//! It is for measurements only and no part of the interface.

use super::block::{Block, Noise};
use super::calm::{FieldRange, Prior, Ranges};
use super::chemistry::{Hosted, RowKernel, WithKernel, with_kernel};
use super::constants::REST_MEAN_V;
use super::kernel::{Batch, Counts, Numbers, Span};
use super::scratch::{Buffers, MARGIN, Needs, Parts};
use crate::real::Real;
use crate::simd::{Copied, DetectedLevel, SimdLevel, UnavailableLevel};
use crate::spec::Spec;

/// Rows of all fields, old and new, and the kernel of a specification.
pub struct KernelProbe<T> {
    spec: Spec,
    level: DetectedLevel,
    buffers: Buffers<T>,
    needs: Needs,
}

impl<T: Real> KernelProbe<T> {
    /// Potential, activator and inhibitor of every cell.
    const REST: [f64; 3] = [REST_MEAN_V, 0.05, 0.05];

    /// Rows of the shape of `spec`, at rest. Kinetics of a host are not probed: they count as none.
    ///
    /// # Errors
    /// [`UnavailableLevel`] when this machine does not have the level.
    pub fn new(spec: Spec, simd: SimdLevel) -> Result<Self, UnavailableLevel> {
        let level = simd.resolve()?;
        let (rows, columns) = (spec.rows(), spec.cols());
        // Room for rows, those around them, and the new rows.
        let needs = Needs { steps: 1, batch_rows: 2 * rows, fields: 3, columns, ..Needs::default() };
        let mut buffers = Buffers::new(needs, 1);
        for (Parts { mut ring, .. }, _) in buffers.lanes() {
            for (field, value) in
                ring.cells().chunks_mut(needs.stride::<T>()).zip(Self::REST.into_iter().cycle())
            {
                field.fill(T::of(value));
            }
        }
        Ok(Self { spec, level, buffers, needs })
    }

    /// Computes all rows so many times, always from the same ones: further steps would let the inhibitor decay to
    /// numbers so small that a processor takes a hundred times as long for them.
    pub fn run(&mut self, times: u64) {
        let Self { spec, level, buffers, needs } = self;
        let block = Block {
            numbers: Numbers::of(spec),
            kinetics: spec.kinetics,
            factors: [spec.r_activator, spec.r_inhibitor],
            host: None,
            noise: Noise::Absent,
            spikes: &[],
            followed: false,
        };
        let prior = Prior {
            tame: true,
            ranges: Some(Ranges(Self::REST.map(FieldRange::at))),
            shape: (spec.rows(), spec.cols()),
            boundary: spec.boundary_condition,
        };
        let work = Repeated { level: *level, buffers, needs: *needs, times };
        with_kernel(&block, Some(block.factors), &prior, work);
    }
}

struct Repeated<'a, T> {
    level: DetectedLevel,
    buffers: &'a mut Buffers<T>,
    needs: Needs,
    times: u64,
}

impl<T: Real> WithKernel<T> for Repeated<'_, T> {
    type Output = ();

    fn run(self, kernel: &dyn RowKernel<T>, _: Option<Hosted<'_, T>>) {
        let Some((Parts { mut ring, .. }, _)) = self.buffers.lanes().next() else { return };
        let Needs { batch_rows, columns, .. } = self.needs;
        let rows = batch_rows / 2;
        let span = Span {
            row_cells: ring.row_cells(),
            stride: self.needs.stride::<T>(),
            first: MARGIN,
            cells: columns,
            beside: [0; 2],
            copied: [Copied { from: 0, to: 0 }; 2],
            right_first: false,
        };
        let mut counts = Counts::default();
        for _ in 0..self.times {
            let slots = ring.rows();
            let mut batch =
                Batch { ring: ring.cells(), slots, above: 0, new: rows + 2, rows, beside_event: false, span };
            counts.add(kernel.rows(self.level, &mut batch, None));
        }
        std::hint::black_box(counts);
    }

    fn missing(self) {}
}
