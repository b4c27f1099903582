//! The random numbers of a run, in both kinds.

use super::block::Noise;
use super::constants::{SPIKE_DEVIATION_V, SPIKE_MEAN_V};
use super::grid::Spike;
use crate::real::Real;
use crate::rng::{Generator, Philox, Stream};
use crate::simd::Aligned;
use crate::spec::{RngKind, Spec};

/// Where the numbers of a run come from.
#[derive(Debug, Clone)]
pub(crate) enum Randomness {
    /// A stream drawn in sequence; it has a state.
    Sequence(Generator),
    /// A function of seed, step and cell; without state.
    Counter {
        /// The seed.
        seed: u64,
    },
}

impl Randomness {
    pub(crate) fn new(spec: &Spec) -> Self {
        match spec.rng {
            RngKind::Pcg64 => Self::Sequence(Generator::new(spec.random_seed)),
            RngKind::Philox => Self::Counter { seed: spec.random_seed },
        }
    }

    /// Draws whether and where a growth event takes place in a step.
    pub(crate) fn spike(
        &mut self,
        step: u64,
        probability: f64,
        (rows, columns): (usize, usize),
    ) -> Option<Spike> {
        match self {
            Self::Sequence(generator) => {
                if generator.random() >= probability {
                    return None;
                }
                let row = generator.integer_below(rows as u64) as usize;
                let column = generator.integer_below(columns as u64) as usize;
                Some(Spike { row, column, volts: generator.normal(SPIKE_MEAN_V, SPIKE_DEVIATION_V) })
            }
            Self::Counter { seed } => {
                let philox = Philox::new(*seed, Stream::Events, step);
                if philox.uniforms(0)[0] >= probability {
                    return None;
                }
                let cell = philox.below(0, (rows * columns) as u64) as usize;
                let volts = SPIKE_MEAN_V + SPIKE_DEVIATION_V * philox.normals(1)[0];
                Some(Spike { row: cell / columns, column: cell % columns, volts })
            }
        }
    }

    /// The noise of the steps from `first_step` on; that of a sequence is drawn for one step into
    /// `plane`, row by row.
    pub(crate) fn noise<T: Real>(
        &mut self,
        first_step: u64,
        deviation: Option<f64>,
        plane: &mut [T],
    ) -> Noise {
        match (deviation, self) {
            (None, _) => Noise::Absent,
            (Some(deviation), Self::Sequence(generator)) => {
                plane.fill_with(|| T::of(generator.normal(0.0, deviation)));
                Noise::Drawn
            }
            (Some(deviation), Self::Counter { seed }) => {
                Noise::Counter { seed: *seed, first_step, deviation }
            }
        }
    }

    /// `mean` plus normal noise for each cell of one of the initial fields. The order of the
    /// calls matters for a sequence.
    pub(crate) fn normals<T: Real>(
        &mut self,
        stream: Stream,
        cells: usize,
        mean: f64,
        deviation: f64,
    ) -> Aligned<T> {
        let mut field = Aligned::zeros(cells);
        match self {
            Self::Sequence(generator) => field.fill_with(|| T::of(generator.normal(0.0, deviation))),
            Self::Counter { seed } => Philox::new(*seed, stream, 0).fill_normal(0, deviation, &mut field),
        }
        for cell in &mut *field {
            *cell = T::of(mean) + *cell;
        }
        field
    }

    /// Uniform numbers in [0, `high`) for each cell of one of the initial fields.
    pub(crate) fn uniforms<T: Real>(&mut self, stream: Stream, cells: usize, high: f64) -> Aligned<T> {
        let mut field = Aligned::zeros(cells);
        match self {
            Self::Sequence(generator) => field.fill_with(|| T::of(generator.uniform(0.0, high))),
            Self::Counter { seed } => Philox::new(*seed, stream, 0).fill_uniform(0, high, &mut field),
        }
        field
    }

    /// A whole number in [0, `bound`), the `index`-th of those that place the patches.
    pub(crate) fn patch_place(&mut self, index: u64, bound: usize) -> usize {
        match self {
            Self::Sequence(generator) => generator.integer_below(bound as u64) as usize,
            Self::Counter { seed } => {
                Philox::new(*seed, Stream::Patches, 0).below(index, bound as u64) as usize
            }
        }
    }
}
