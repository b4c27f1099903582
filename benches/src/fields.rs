//! The field that features are measured on.

use mfn_sim::rng::Generator;
use ndarray::Array2;

/// Smooth noise around -60 mV, in volts: patches of all sizes on both sides of the thresholds.
#[must_use]
pub fn patchy(side: usize) -> Array2<f64> {
    let mut generator = Generator::new(42);
    let mut field = Array2::zeros((side, side));
    field.mapv_inplace(|_: f64| generator.normal(-0.060, 0.030));
    for _ in 0..3 {
        let rough = field.clone();
        let at = |row: usize, column: usize| rough[[row % side, column % side]];
        field = Array2::from_shape_fn((side, side), |(row, column)| {
            (at(row, column) + at(row + 1, column) + at(row, column + 1) + at(row + 1, column + 1)) / 4.0
        });
    }
    field
}
