//! All exponents of a map whose Jacobian is known, and the dimension that they imply.
//!
//! A frame of orthogonal directions is carried along by the Jacobian and made orthogonal again by
//! a QR decomposition after every step; the means of the logarithms of the diagonal of R are the
//! exponents (Benettin et al., 1980; Eckmann and Ruelle, 1985).

use std::ops::ControlFlow;

use super::{Interval, LyapunovError};
use crate::bounds::{Bound, closed, whole};
use crate::engine::RunEnd;
use crate::error::SpecFault;
use crate::membrane::ode::check_state;

/// Most components of a map for a spectrum.
pub const DIMENSION_MAX: usize = 256;

/// The bounds of [`SpectrumOptions`].
pub const SPECTRUM_TABLE: [Bound; 2] = [
    whole(closed("transient", (0.0, 1e9), 1000.0, "steps", "steps before the ones that count")),
    whole(closed("steps", (1.0, 1e9), 100_000.0, "steps", "steps that count")),
];

/// How to measure a spectrum. Ranges: [`SPECTRUM_TABLE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpectrumOptions {
    /// Steps before the ones that count.
    pub transient: u64,
    /// Steps that count.
    pub steps: u64,
}

impl Default for SpectrumOptions {
    fn default() -> Self {
        Self { transient: 1000, steps: 100_000 }
    }
}

/// All exponents of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// The exponents, 1 per step, from the largest to the smallest; -infinity for directions that
    /// a singular Jacobian annihilates. NaN when cancelled during the transient.
    pub exponents: Vec<f64>,
    /// Steps that counted.
    pub steps: u64,
    /// Whether all steps were done.
    pub end: RunEnd,
}

/// All Lyapunov exponents of the map that `map(x, next)` computes, along the trajectory of `state`.
/// `jacobian(x, matrix)` writes the derivatives at x, row by row: element `i * n + j` is the change
/// of component i with component j. `control` is asked after every step. Memory: three matrices.
///
/// # Errors
/// [`LyapunovError::Options`], [`LyapunovError::Dimension`], [`LyapunovError::Ode`] for a state
/// that is not finite, or [`LyapunovError::NotFinite`].
pub fn map_spectrum(
    mut map: impl FnMut(&[f64], &mut [f64]),
    mut jacobian: impl FnMut(&[f64], &mut [f64]),
    state: &[f64],
    options: &SpectrumOptions,
    mut control: impl FnMut(Interval) -> ControlFlow<()>,
) -> Result<Spectrum, LyapunovError> {
    SpecFault::check_table(&SPECTRUM_TABLE, |field| {
        Some(if field == "steps" { options.steps as f64 } else { options.transient as f64 })
    })?;
    let n = state.len();
    if n == 0 || n > DIMENSION_MAX {
        return Err(LyapunovError::Dimension { length: n });
    }
    check_state(state)?;
    let mut point = state.to_vec();
    let mut next = vec![0.0; n];
    let mut matrix = vec![0.0; n * n];
    let mut frame = Frame::new(n);
    let total = options.transient + options.steps;
    let finite = |values: &[f64], interval: u64| match values.iter().position(|value| !value.is_finite()) {
        Some(component) => Err(LyapunovError::NotFinite { interval, component, value: values[component] }),
        None => Ok(()),
    };
    let mut end = RunEnd::Completed;
    let mut counted = 0;
    for step in 0..total {
        jacobian(&point, &mut matrix);
        finite(&matrix, step)?;
        frame.advance(&matrix, step >= options.transient);
        counted += u64::from(step >= options.transient);
        map(&point, &mut next);
        std::mem::swap(&mut point, &mut next);
        finite(&point, step)?;
        let exponent = frame.sums[0] / counted as f64;
        let stop = control(Interval { done: step + 1, total, exponent }).is_break();
        if stop && step + 1 < total {
            end = RunEnd::Cancelled;
            break;
        }
    }
    let mut exponents: Vec<f64> = frame.sums.iter().map(|sum| sum / counted as f64).collect();
    exponents.sort_by(|a, b| b.total_cmp(a));
    Ok(Spectrum { exponents, steps: counted, end })
}

/// Orthonormal directions, each a row.
struct Frame {
    n: usize,
    directions: Vec<f64>,
    images: Vec<f64>,
    /// What each image was divided by.
    divisors: Vec<f64>,
    sums: Vec<f64>,
}

impl Frame {
    fn new(n: usize) -> Self {
        let mut directions = vec![0.0; n * n];
        directions.iter_mut().step_by(n + 1).for_each(|diagonal| *diagonal = 1.0);
        Self { n, images: directions.clone(), directions, divisors: vec![1.0; n], sums: vec![0.0; n] }
    }

    /// Carries the directions along by the matrix and makes them orthogonal, in order (modified Gram-Schmidt).
    fn advance(&mut self, matrix: &[f64], count: bool) {
        let n = self.n;
        let directions = self.directions.chunks_exact_mut(n).zip(&mut self.divisors);
        for (image, (direction, divisor)) in self.images.chunks_exact_mut(n).zip(directions) {
            *divisor = map_direction(matrix, direction, image);
        }
        for index in 0..n {
            let (done, rest) = self.images.split_at_mut(index * n);
            let image = &mut rest[..n];
            for direction in done.chunks_exact(n) {
                let share = dot(image, direction);
                image.iter_mut().zip(direction).for_each(|(x, d)| *x -= share * d);
            }
            let length = length(image);
            // A direction that was annihilated stays zero: its exponent is -infinity.
            if length > 0.0 {
                image.iter_mut().for_each(|x| *x /= length);
            }
            if count {
                self.sums[index] += length.ln() + self.divisors[index].ln();
            }
        }
        std::mem::swap(&mut self.directions, &mut self.images);
    }
}

/// Writes the image of a direction, divided by what is returned: by more than 1 where the image itself, or what it is
/// summed up from, may be too large for a number. What is too small for one then counts for nothing beside the rest.
fn map_direction(matrix: &[f64], direction: &mut [f64], image: &mut [f64]) -> f64 {
    const LARGE: f64 = 1e280;
    /// 2^64.
    const DIVISOR: f64 = 18_446_744_073_709_551_616.0;
    let mut divisor = 1.0;
    loop {
        for (out, row) in image.iter_mut().zip(matrix.chunks_exact(direction.len())) {
            *out = dot(row, direction);
        }
        // Also where one is NaN, as the sum of an infinity and its negative is.
        if divisor > 1.0 || image.iter().all(|x| x.abs() <= LARGE) {
            return divisor;
        }
        direction.iter_mut().for_each(|x| *x /= DIVISOR);
        divisor = DIVISOR;
    }
}

/// The Euclidean length of a vector, also where the squares of its components are too large or too small for a number.
fn length(vector: &[f64]) -> f64 {
    let square = dot(vector, vector);
    if (1e-280..=1e280).contains(&square) {
        return square.sqrt();
    }
    let largest = vector.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * vector.iter().map(|x| (x / largest) * (x / largest)).sum::<f64>().sqrt()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The Lyapunov dimension (Kaplan and Yorke, 1979): the number of exponents whose sum is not
/// negative, plus the share of the next that makes it zero. `exponents` are in descending order;
/// `None` when they are not, or when one is NaN. 0 when the first is negative; their number when
/// the sum of all is not negative.
#[must_use]
pub fn kaplan_yorke_dimension(exponents: &[f64]) -> Option<f64> {
    if exponents.iter().any(|exponent| exponent.is_nan()) || !exponents.is_sorted_by(|a, b| a >= b) {
        return None;
    }
    let mut sum = 0.0;
    for (index, exponent) in exponents.iter().enumerate() {
        if sum + exponent < 0.0 {
            return Some(index as f64 + sum / -exponent);
        }
        sum += exponent;
    }
    Some(exponents.len() as f64)
}
