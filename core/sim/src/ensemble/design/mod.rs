//! Designs of experiments: where in the unit cube the points of a sweep lie.
//!
//! A design gives, for the index of a point, one coordinate in [0, 1) per axis. It decides how well few runs
//! cover many parameters: a grid needs (points per axis)^axes runs, the other two spread any number of runs.

mod directions;
mod latin;
mod sobol;

pub use latin::LatinHypercube;
pub use sobol::{DIMENSIONS_MAX, SobolSequence};

/// The most points of a Latin hypercube, whose permutations are kept in memory.
pub const LATIN_POINTS_MAX: usize = 1 << 20;

/// The most points of a Sobol sequence: what its 32 bits can tell apart.
pub const SOBOL_POINTS_MAX: u64 = 1 << 32;

/// Why a design can not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DesignError {
    /// No axis, or more than there is a design for.
    #[error("a design of {given} axes is not possible: give 1 to {allowed}")]
    Axes {
        /// Axes asked for.
        given: usize,
        /// The most that are possible.
        allowed: usize,
    },
    /// No point, or more than memory is declared for.
    #[error("a design of {given} points is not possible: give 1 to {allowed}")]
    Points {
        /// Points asked for.
        given: u64,
        /// The most that are possible.
        allowed: u64,
    },
}

/// The digits of `index` in the mixed radix of `sides`, the last side fastest, as nested loops would count.
/// Indices from the product of the sides on begin again. A side of 0 counts as 1.
#[must_use]
pub fn grid_indices(index: u64, sides: &[u64]) -> Vec<u64> {
    let mut rest = index;
    let mut digits: Vec<u64> = sides
        .iter()
        .rev()
        .map(|&side| {
            let side = side.max(1);
            let digit = rest % side;
            rest /= side;
            digit
        })
        .collect();
    digits.reverse();
    digits
}

/// Checks the number of axes and points of a design.
fn check(axes: usize, axes_max: usize, points: u64, points_max: u64) -> Result<(), DesignError> {
    if !(1..=axes_max).contains(&axes) {
        return Err(DesignError::Axes { given: axes, allowed: axes_max });
    }
    if !(1..=points_max).contains(&points) {
        return Err(DesignError::Points { given: points, allowed: points_max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Guards the grid: every combination comes once in a period, in the order of nested loops.
        #[test]
        fn a_grid_visits_every_combination_once(sides in prop::collection::vec(1_u64..5, 1..5)) {
            let total: u64 = sides.iter().product();
            let visited: Vec<_> = (0..total).map(|index| grid_indices(index, &sides)).collect();
            let mut sorted = visited.clone();
            sorted.sort();
            sorted.dedup();
            prop_assert_eq!(&sorted, &visited);
            prop_assert_eq!(grid_indices(total, &sides), grid_indices(0, &sides));
        }

        /// Guards against a panic for any index and any side, 0 included.
        #[test]
        fn any_index_has_a_place(index: u64, sides in prop::collection::vec(any::<u64>(), 0..6)) {
            let digits = grid_indices(index, &sides);
            prop_assert!(digits.iter().zip(&sides).all(|(digit, side)| *digit < (*side).max(1)));
        }

        /// Guards the declared ranges: outside them a typed error, inside a design.
        #[test]
        fn designs_are_made_or_refused(axes in 0_usize..80, points in 0_u64..2000, seed: u64) {
            let latin = LatinHypercube::new(axes, points, seed);
            prop_assert_eq!(latin.is_ok(), (1..=DIMENSIONS_MAX).contains(&axes) && points > 0);
            let sobol = SobolSequence::new(axes, Some(seed));
            prop_assert_eq!(sobol.is_ok(), (1..=DIMENSIONS_MAX).contains(&axes));
        }
    }

    /// Guards the declared memory: a design that would need more is refused before anything is taken.
    #[test]
    fn huge_designs_are_refused() {
        for points in [LATIN_POINTS_MAX as u64 + 1, u64::MAX] {
            let refused = LatinHypercube::new(2, points, 0).err();
            let allowed = LATIN_POINTS_MAX as u64;
            assert_eq!(refused, Some(DesignError::Points { given: points, allowed }));
        }
    }
}
