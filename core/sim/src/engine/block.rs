//! A block: steps that are computed at once, without the fields between them.

use std::ops::Range;

use super::grid::Spike;
use super::kernel::Numbers;
use crate::kinetics::{HostReaction, Kinetics};
use crate::rng::{Philox, Stream};

/// Where the noise of the steps comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Noise {
    /// There is none.
    Absent,
    /// That of one step was drawn in sequence into [`Grid::noise`](super::grid::Grid::noise).
    Drawn,
    /// A function of step and cell.
    Counter {
        /// The seed.
        seed: u64,
        /// Number of the first step of the block.
        first_step: u64,
        /// Deviation, V.
        deviation: f64,
    },
}

impl Noise {
    /// The numbers of the step `index` of a block and their deviation, where they can be had
    /// for any cell.
    pub(super) fn counter(&self, index: usize) -> Option<(Philox, f64)> {
        match *self {
            Self::Counter { seed, first_step, deviation } => {
                Some((Philox::new(seed, Stream::Noise, first_step + index as u64), deviation))
            }
            Self::Absent | Self::Drawn => None,
        }
    }
}

/// What the steps of a block depend on beside the fields.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a, T> {
    pub(crate) numbers: Numbers<T>,
    pub(crate) kinetics: Kinetics,
    /// Factors of the two rates where there is no map.
    pub(crate) factors: [f64; 2],
    pub(crate) host: Option<&'a dyn HostReaction>,
    pub(crate) noise: Noise,
    /// The growth event before each step; as many as there are steps.
    pub(crate) spikes: &'a [Option<Spike>],
    /// Whether every step is summed up for the temporal features.
    pub(crate) followed: bool,
}

impl<'a, T: Copy> Block<'a, T> {
    /// Some of its steps alone. One copy of it, not one for each block of a relay.
    #[inline(never)]
    pub(super) fn part(&self, steps: Range<usize>) -> Self {
        let noise = match self.noise {
            Noise::Counter { seed, first_step, deviation } => {
                Noise::Counter { seed, first_step: first_step + steps.start as u64, deviation }
            }
            drawn => drawn,
        };
        Self { noise, spikes: &self.spikes[steps], ..*self }
    }
}

/// Most steps of a block. A strip has as many columns more on either side, so that it is also
/// the width of the widest register.
pub(crate) const BLOCK_STEPS_MAX: usize = 16;

/// Most blocks of a relay: what comes between two relays then takes a few hundredths of the time of a small grid, and twice as
/// many gained nothing.
pub(crate) const RELAY_BLOCKS_MAX: usize = 8;
