//! The seeds of the runs of an ensemble, derived from one.
//!
//! Seeds that are neighbours (42, 43, ...) are what MFN 4.1 uses; two of its datasets with near base seeds
//! share runs. Derived seeds do not collide in practice and depend on nothing but base and index.

use serde::{Deserialize, Serialize};

use crate::rng::SeedSequence;

/// The largest seed that is given: it fits a signed 64-bit column.
pub const SEED_MAX: u64 = i64::MAX as u64;

/// How the runs of an ensemble get their seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeedRule {
    /// Every run has its own, derived from the base seed and the run's index.
    #[default]
    Independent,
    /// The replicates of one configuration have different seeds, and every configuration has the same ones
    /// (common random numbers, which make differences between configurations visible with fewer runs).
    Common,
    /// Base seed plus index, as in MFN 4.1.
    Sequential,
}

impl SeedRule {
    /// The seed of run `index`, the `replicate`-th of its configuration: 0 to [`SEED_MAX`].
    #[must_use]
    pub fn seed(self, base: u64, index: u64, replicate: u64) -> u64 {
        match self {
            Self::Independent => derived(base, index),
            Self::Common => derived(base, replicate),
            Self::Sequential => base.wrapping_add(index) & SEED_MAX,
        }
    }
}

/// The first 63 bits of NumPy's `SeedSequence([base, index])`, both as pairs of 32-bit words.
fn derived(base: u64, index: u64) -> u64 {
    let words = [base as u32, (base >> 32) as u32, index as u32, (index >> 32) as u32];
    let [first, ..] = SeedSequence::from_words(&words).generate_u64x4();
    first & SEED_MAX
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Guards the seeds of published datasets: the derivation must never change. The numbers are those of
    /// `numpy.random.SeedSequence([42, 0, i, 0]).generate_state(1, "u8")[0] & (2**63 - 1)`.
    #[test]
    fn derived_seeds_are_those_of_numpy() {
        assert_eq!(SeedRule::Independent.seed(42, 0, 0), NUMPY_0);
        assert_eq!(SeedRule::Independent.seed(42, 1, 0), NUMPY_1);
        assert_eq!(SeedRule::Common.seed(42, 99, 1), NUMPY_1);
        assert_eq!(SeedRule::Sequential.seed(42, 5, 0), 47);
    }

    const NUMPY_0: u64 = 2_242_280_713_608_235_703;
    const NUMPY_1: u64 = 6_793_198_372_087_542_132;

    /// Guards against runs that share a seed, also between neighbouring base seeds.
    #[test]
    fn seeds_do_not_collide() {
        let mut seen = HashSet::new();
        for base in 40..44 {
            for index in 0..5000 {
                assert!(seen.insert(SeedRule::Independent.seed(base, index, 0)), "{base} {index}");
            }
        }
        assert!(seen.iter().all(|&seed| seed <= SEED_MAX));
    }
}
