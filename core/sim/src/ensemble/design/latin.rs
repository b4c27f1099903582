//! Latin hypercube: each of the n slices of each axis holds exactly one of the n points.
//!
//! Source: M. D. McKay, R. J. Beckman and W. J. Conover, "A comparison of three methods for selecting values
//! of input variables in the analysis of output from a computer code", Technometrics 21, 239-245 (1979).

use super::{DIMENSIONS_MAX, DesignError, LATIN_POINTS_MAX, check};
use crate::rng::{Generator, SeedSequence};

/// A Latin hypercube of `points` points in `axes` dimensions. Keeps 4 bytes for each point and axis.
#[derive(Debug, Clone)]
pub struct LatinHypercube {
    points: u64,
    seed: u64,
    /// For each axis the slice of each point.
    slices: Vec<Vec<u32>>,
}

/// Tells the streams apart that are drawn from one seed.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Slices = 1,
    Places = 2,
}

impl LatinHypercube {
    /// Draws one. Equal arguments give equal points on every machine.
    ///
    /// # Errors
    /// [`DesignError`] outside 1 to [`DIMENSIONS_MAX`] axes or 1 to [`LATIN_POINTS_MAX`] points.
    pub fn new(axes: usize, points: u64, seed: u64) -> Result<Self, DesignError> {
        check(axes, DIMENSIONS_MAX, points, LATIN_POINTS_MAX as u64)?;
        let slices = (0..axes as u64)
            .map(|axis| {
                let mut slices: Vec<u32> = (0..points as u32).collect();
                let mut generator = stream(seed, Stream::Slices, axis);
                // Fisher-Yates: every permutation is equally likely.
                for last in (1..slices.len()).rev() {
                    let other = generator.integer_below(last as u64 + 1) as usize;
                    slices.swap(last, other);
                }
                slices
            })
            .collect();
        Ok(Self { points, seed, slices })
    }

    /// The coordinates of a point, each in [0, 1). Indices from the number of points on begin again.
    #[must_use]
    pub fn point(&self, index: u64) -> Vec<f64> {
        let index = index % self.points;
        // The places inside the slices are drawn per point, so that none needs to be kept.
        let mut generator = stream(self.seed, Stream::Places, index);
        self.slices
            .iter()
            .map(|slices| {
                let slice = f64::from(slices.get(index as usize).copied().unwrap_or(0));
                let place = (slice + generator.random()) / self.points as f64;
                // (n - 1 + 0.999...) / n can round up to 1.
                place.min(1.0 - f64::EPSILON / 2.0)
            })
            .collect()
    }
}

fn stream(seed: u64, stream: Stream, index: u64) -> Generator {
    let words = [seed as u32, (seed >> 32) as u32, stream as u32, index as u32, (index >> 32) as u32];
    Generator::from_seed_sequence(&SeedSequence::from_words(&words))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Guards the property that gives the design its name.
        #[test]
        fn each_slice_holds_one_point(axes in 1_usize..6, points in 1_u64..200, seed: u64) {
            let design = LatinHypercube::new(axes, points, seed).expect("in range");
            for axis in 0..axes {
                let mut slices: Vec<u64> =
                    (0..points).map(|index| (design.point(index)[axis] * points as f64) as u64).collect();
                slices.sort_unstable();
                prop_assert_eq!(slices, (0..points).collect::<Vec<_>>());
            }
        }
    }

    /// Guards against axes that are drawn alike: their correlation over 1000 points must be small.
    #[test]
    fn axes_are_not_correlated() {
        let points = 1000;
        let design = LatinHypercube::new(2, points, 7).expect("in range");
        let covariance: f64 = (0..points)
            .map(|index| design.point(index))
            .map(|point| (point[0] - 0.5) * (point[1] - 0.5))
            .sum::<f64>()
            / points as f64;
        // Four standard deviations of 1/12 / sqrt(1000).
        assert!((covariance * 12.0).abs() < 4.0 / (points as f64).sqrt(), "{covariance}");
    }
}
