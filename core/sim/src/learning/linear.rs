//! A linear layer y = x W^T + b and its derivative, on parameters that lie in one flat array.

use std::ops::Range;

use crate::Real;
use crate::parallel::for_each_chunk_mut;
use crate::rng::Generator;

/// Rows that one task computes.
const TASK_ROWS: usize = 32;

/// Where the parameters of a layer lie: W (outputs x inputs, row by row), then b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Linear {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    offset: usize,
}

impl Linear {
    /// A layer whose parameters begin at `offset`; moves `offset` behind them.
    pub(super) fn place(inputs: usize, outputs: usize, offset: &mut usize) -> Self {
        let layer = Self { inputs, outputs, offset: *offset };
        *offset = layer.bias().end;
        layer
    }

    pub(super) fn weight(&self) -> Range<usize> {
        self.offset..self.offset + self.inputs * self.outputs
    }

    pub(super) fn bias(&self) -> Range<usize> {
        let start = self.weight().end;
        start..start + self.outputs
    }

    /// Draws W and b uniformly from +-1/sqrt(inputs), as torch does by default.
    pub(super) fn initialize<T: Real>(&self, parameters: &mut [T], random: &mut Generator) {
        let reach = 1.0 / (self.inputs as f64).sqrt();
        for parameter in &mut parameters[self.offset..self.bias().end] {
            *parameter = T::of(random.uniform(-reach, reach));
        }
    }

    /// The outputs of all rows of `x`.
    pub(super) fn forward<T: Real>(&self, parameters: &[T], x: &[T]) -> Vec<T> {
        let (weight, bias) = (&parameters[self.weight()], &parameters[self.bias()]);
        let rows = x.len() / self.inputs;
        let mut y = vec![T::ZERO; rows * self.outputs];
        for_each_chunk_mut(&mut y, TASK_ROWS * self.outputs, &|task, y| {
            let x = &x[task * TASK_ROWS * self.inputs..];
            for (y, x) in y.chunks_exact_mut(self.outputs).zip(x.chunks_exact(self.inputs)) {
                for ((y, row), bias) in y.iter_mut().zip(weight.chunks_exact(self.inputs)).zip(bias) {
                    *y = dot(x, row) + *bias;
                }
            }
        });
        y
    }

    /// Adds the gradient of the parameters to `gradient` and gives that of `x`, from that of y.
    pub(super) fn backward<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        dy: &[T],
        gradient: &mut [T],
    ) -> Vec<T> {
        let weight = &parameters[self.weight()];
        let mut dx = vec![T::ZERO; x.len()];
        let rows = x.chunks_exact(self.inputs).zip(dy.chunks_exact(self.outputs));
        for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(self.inputs)) {
            for (output, &slope) in dy.iter().enumerate() {
                let row = output * self.inputs..(output + 1) * self.inputs;
                axpy(slope, x, &mut gradient[self.weight()][row.clone()]);
                axpy(slope, &weight[row], dx);
                gradient[self.bias()][output] += slope;
            }
        }
        dx
    }
}

/// The scalar product, in four lanes and one fixed order.
pub(super) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let (a_lanes, a_rest) = a.as_chunks::<4>();
    let (b_lanes, b_rest) = b.as_chunks::<4>();
    let mut sums = [T::ZERO; 4];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| *a * *b).sum::<T>();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// y += a x.
pub(super) fn axpy<T: Real>(a: T, x: &[T], y: &mut [T]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * *x;
    }
}
