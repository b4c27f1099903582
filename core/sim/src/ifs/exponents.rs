//! Both Lyapunov exponents of the random product of the linear parts.
//!
//! A direction is turned by each chosen map, and the logarithm of its length is added up and the
//! length set back to 1: the first diagonal element of the QR decomposition of each step
//! (Benettin, Galgani, Giorgilli and Strelcyn, 1980). In two dimensions the second diagonal
//! element is |det| over the first, so no second direction is needed.

use super::chaos_game::Orbit;
use super::{Ifs, IfsError};
use crate::bounds::{Bound, closed, whole};
use crate::error::SpecFault;
use crate::parallel::map_range;

/// The bounds of [`Ifs::exponents`].
pub const EXPONENT_TABLE: [Bound; 1] =
    [whole(closed("steps", (1.0, 1e9), 1e6, "steps", "maps applied, rounded up to whole blocks"))];

/// Steps of a block, beside the first ones that are not counted.
const BLOCK_STEPS: u64 = 4096;
/// Steps until the direction has forgotten where it began.
const TRANSIENT_STEPS: u64 = 64;
/// Where each block begins: no multiple of a right angle, so that no axis is special.
const FIRST_DIRECTION: [f64; 2] = [0.8, 0.6];

/// Both Lyapunov exponents, 1 per map applied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IfsExponents {
    /// The larger exponent: how fast nearby points approach. Below 0 for a contraction; -infinity
    /// when a product of maps is zero.
    pub largest: f64,
    /// The smaller one; -infinity when a map with a probability is singular.
    pub smallest: f64,
    /// Standard error of `largest`, from the means of the blocks; NaN for a single block.
    pub standard_error: f64,
    /// Maps applied and counted.
    pub steps: u64,
}

/// Sums over one block.
#[derive(Clone, Copy)]
struct Block {
    log_lengths: f64,
    log_areas: f64,
}

impl Ifs {
    /// Both Lyapunov exponents of the system, from `steps` maps chosen by their probabilities, in
    /// parallel inside a rayon pool; the bits do not depend on the number of threads.
    /// For similarities of one ratio s both are ln s.
    ///
    /// # Errors
    /// [`IfsError::Parameters`] for a number of steps outside [`EXPONENT_TABLE`].
    pub fn exponents(&self, seed: u64, steps: u64) -> Result<IfsExponents, IfsError> {
        SpecFault::check_table(&EXPONENT_TABLE, |_| Some(steps as f64))?;
        // Fits: there are at most 10^9 steps.
        let blocks =
            map_range(0..steps.div_ceil(BLOCK_STEPS) as usize, &|block| self.block(seed, block as u64));
        let count = blocks.len() as f64;
        let mean =
            |value: fn(&Block) -> f64| blocks.iter().map(value).sum::<f64>() / count / BLOCK_STEPS as f64;
        let largest = mean(|block| block.log_lengths);
        let squares = blocks.iter().map(|block| (block.log_lengths / BLOCK_STEPS as f64 - largest).powi(2));
        let standard_error = (squares.sum::<f64>() / (count - 1.0) / count).sqrt();
        let areas = mean(|block| block.log_areas);
        let other = if largest == f64::NEG_INFINITY { largest } else { areas - largest };
        // Both are estimates: equal exponents may come out in the wrong order.
        let (largest, smallest) = (largest.max(other), largest.min(other));
        Ok(IfsExponents { largest, smallest, standard_error, steps: blocks.len() as u64 * BLOCK_STEPS })
    }

    fn block(&self, seed: u64, block: u64) -> Block {
        let mut orbit = Orbit::new(self, seed, block);
        let mut direction = FIRST_DIRECTION;
        let mut sums = Block { log_lengths: 0.0, log_areas: 0.0 };
        for step in 0..TRANSIENT_STEPS + BLOCK_STEPS {
            let map = orbit.map();
            let [x, y] = map.turn(direction);
            let length = x.hypot(y);
            if length == 0.0 {
                return Block { log_lengths: f64::NEG_INFINITY, log_areas: f64::NEG_INFINITY };
            }
            direction = [x / length, y / length];
            if step >= TRANSIENT_STEPS {
                sums.log_lengths += length.ln();
                sums.log_areas += map.determinant().abs().ln();
            }
        }
        sums
    }
}
