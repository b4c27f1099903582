//! Sobol sequence: points of low discrepancy, any number of which cover the unit cube evenly.
//!
//! Sources: I. M. Sobol, USSR Comput. Math. Math. Phys. 7, 86-112 (1967); the order by Gray code of
//! I. A. Antonov and V. M. Saleev, ibid. 19, 252-256 (1979); direction numbers by Joe and Kuo (2008), see
//! `directions`. The digital shift that makes it random and unbiased: P. L'Ecuyer and C. Lemieux, in "Modeling
//! Uncertainty", 419-474 (2002).

use super::directions::TABLE;
use super::{DesignError, SOBOL_POINTS_MAX, check};
use crate::rng::{Generator, SeedSequence};

/// The most dimensions of a sequence.
pub const DIMENSIONS_MAX: usize = TABLE.len() + 1;

/// Bits of a coordinate.
const BITS: usize = 32;

/// The first dimension: a single bit for each digit.
const VAN_DER_CORPUT: [u32; BITS] = {
    let mut directions = [1; BITS];
    let mut bit = 0;
    while bit < BITS {
        directions[bit] <<= BITS - 1 - bit;
        bit += 1;
    }
    directions
};

/// A Sobol sequence, plain or with a digital shift.
#[derive(Debug, Clone)]
pub struct SobolSequence {
    /// For each axis its direction numbers, the first for the highest bit.
    directions: Vec<[u32; BITS]>,
    /// For each axis what every coordinate is combined with by exclusive or; 0 without a shift.
    shifts: Vec<u32>,
}

impl SobolSequence {
    /// The sequence in `axes` dimensions. With a seed each axis is shifted digit by digit by random bits,
    /// which keeps the evenness, moves the first point away from the origin and gives independent repeats.
    ///
    /// # Errors
    /// [`DesignError::Axes`] outside 1 to [`DIMENSIONS_MAX`].
    pub fn new(axes: usize, shift_seed: Option<u64>) -> Result<Self, DesignError> {
        check(axes, DIMENSIONS_MAX, 1, SOBOL_POINTS_MAX)?;
        let directions = std::iter::once(VAN_DER_CORPUT)
            .chain(TABLE.iter().map(|&(polynomial, initial)| directions_of(polynomial, initial)))
            .take(axes)
            .collect();
        let shifts = match shift_seed {
            None => vec![0; axes],
            Some(seed) => {
                let words = [seed as u32, (seed >> 32) as u32];
                let mut generator = Generator::from_seed_sequence(&SeedSequence::from_words(&words));
                (0..axes).map(|_| generator.next_u32()).collect()
            }
        };
        Ok(Self { directions, shifts })
    }

    /// The coordinates of a point, each in [0, 1) and a multiple of 2^-32. Indices from
    /// [`SOBOL_POINTS_MAX`] on begin again.
    #[must_use]
    pub fn point(&self, index: u64) -> Vec<f64> {
        let index = (index % SOBOL_POINTS_MAX) as u32;
        let gray = index ^ (index >> 1);
        self.directions
            .iter()
            .zip(&self.shifts)
            .map(|(directions, shift)| {
                let bits = directions
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| gray >> bit & 1 == 1)
                    .fold(*shift, |bits, (_, direction)| bits ^ direction);
                f64::from(bits) / SOBOL_POINTS_MAX as f64
            })
            .collect()
    }
}

/// The recurrence of a primitive polynomial x^s + a_1 x^(s-1) + ... + a_(s-1) x + 1.
fn directions_of(polynomial: u32, initial: &[u32]) -> [u32; BITS] {
    let degree = initial.len();
    let mut directions = [0; BITS];
    for bit in 0..BITS {
        directions[bit] = if bit < degree {
            initial[bit] << (BITS - 1 - bit)
        } else {
            let oldest = directions[bit - degree];
            (1..degree).fold(oldest ^ (oldest >> degree), |sum, term| {
                let coefficient = polynomial >> (degree - term) & 1;
                sum ^ (coefficient * directions[bit - term])
            })
        };
    }
    directions
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Guards the construction against `scipy.stats.qmc.Sobol(8, scramble=False)` of SciPy 1.17.
    #[test]
    fn the_first_points_are_those_of_scipy() {
        let expected = [
            [0.0; 8],
            [0.5; 8],
            [0.75, 0.25, 0.25, 0.25, 0.75, 0.75, 0.25, 0.75],
            [0.25, 0.75, 0.75, 0.75, 0.25, 0.25, 0.75, 0.25],
            [0.375, 0.375, 0.625, 0.875, 0.375, 0.125, 0.375, 0.875],
            [0.875, 0.875, 0.125, 0.375, 0.875, 0.625, 0.875, 0.375],
            [0.625, 0.125, 0.875, 0.625, 0.625, 0.875, 0.125, 0.125],
            [0.125, 0.625, 0.375, 0.125, 0.125, 0.375, 0.625, 0.625],
        ];
        let sequence = SobolSequence::new(8, None).expect("8 dimensions");
        for (index, expected) in expected.iter().enumerate() {
            assert_eq!(sequence.point(index as u64), expected, "point {index}");
        }
    }

    /// Guards every row of the table: point 1000 in 64 dimensions, as SciPy 1.17 gives it, in units of 2^-10.
    #[test]
    fn every_dimension_is_that_of_scipy() {
        let expected = [
            225, 99, 531, 693, 287, 929, 47, 921, 513, 71, 87, 261, 165, 393, 147, 379, 737, 353, 1015, 743,
            535, 563, 973, 553, 597, 929, 41, 1003, 61, 349, 151, 149, 303, 607, 821, 789, 869, 851, 315,
            491, 935, 261, 983, 719, 861, 95, 893, 941, 1023, 491, 361, 529, 771, 449, 129, 913, 465, 81,
            905, 585, 457, 617, 265, 457,
        ];
        let sequence = SobolSequence::new(DIMENSIONS_MAX, None).expect("64 dimensions");
        let point: Vec<u32> = sequence.point(1000).iter().map(|x| (x * 1024.0) as u32).collect();
        assert_eq!(point, expected);
    }

    proptest! {
        /// Guards the evenness in every dimension, which a shift must keep: each of 2^k slices holds one of
        /// the first 2^k points.
        #[test]
        fn powers_of_two_fill_every_slice(axes in 1_usize..=DIMENSIONS_MAX, k in 0_u32..8, seed in any::<Option<u64>>()) {
            let sequence = SobolSequence::new(axes, seed).expect("in range");
            let count = 1_u64 << k;
            for axis in [0, axes / 2, axes - 1] {
                let mut slices: Vec<u64> =
                    (0..count).map(|index| (sequence.point(index)[axis] * count as f64) as u64).collect();
                slices.sort_unstable();
                prop_assert_eq!(slices, (0..count).collect::<Vec<_>>());
            }
        }

        /// Guards the range of the coordinates for every index.
        #[test]
        fn every_index_lies_in_the_cube(index: u64, seed in any::<Option<u64>>()) {
            let sequence = SobolSequence::new(DIMENSIONS_MAX, seed).expect("in range");
            prop_assert!(sequence.point(index).iter().all(|x| (0.0..1.0).contains(x)));
        }
    }
}
