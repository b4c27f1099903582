//! The chaos game: points of the attractor by applying maps chosen at random (Barnsley, 1988).
//!
//! Points come in blocks of [`BLOCK_POINTS`]. Block k draws from its own stream,
//! `SeedSequence(seed, spawn_key=(k,))` in NumPy's words, and begins anew on the attractor, so
//! that blocks can be computed in any order and by any number of threads with the same bits. They
//! are computed by the rayon pool that the caller runs in (`ThreadPool::install`), else one after
//! the other on the calling thread: this crate starts no threads.

use super::{AffineMap, Ifs, IfsError};
use crate::parallel::for_each_chunk_mut;
use crate::rng::{Generator, SeedSequence};

/// Points of a block.
pub const BLOCK_POINTS: usize = 4096;
/// Most points at once: block numbers fit 32 bits, and memory stays below 4 GiB.
pub const POINTS_MAX: u64 = 1 << 28;
/// Maps applied before the first point of a block, so that it does not begin at a special point.
const WARM_UP: usize = 64;

/// A stream of maps, and with it of points.
pub(super) struct Orbit<'a> {
    ifs: &'a Ifs,
    generator: Generator,
}

impl<'a> Orbit<'a> {
    /// The stream of a block.
    pub(super) fn new(ifs: &'a Ifs, seed: u64, block: u64) -> Self {
        // NumPy pads the entropy to the four words of the pool when a spawn key follows.
        let words = [seed as u32, (seed >> 32) as u32, 0, 0, block as u32];
        Self { ifs, generator: Generator::from_seed_sequence(&SeedSequence::from_words(&words)) }
    }

    /// The next map.
    #[inline]
    pub(super) fn map(&mut self) -> &'a AffineMap {
        self.ifs.choose(self.generator.random())
    }

    /// A point of the attractor to begin with.
    pub(super) fn start(&mut self) -> [f64; 2] {
        // Every contraction has a fixed point, and it belongs to the attractor.
        let mut point = self.map().fixed_point().unwrap_or_default();
        for _ in 0..WARM_UP {
            point = self.map().apply(point);
        }
        point
    }
}

impl Ifs {
    /// Fills `points` with points (x, y) of the attractor, in parallel inside a rayon pool. The
    /// bits depend on the maps, the probabilities and the seed alone; more points
    /// begin with the same ones.
    ///
    /// # Errors
    /// [`IfsError::Points`] above [`POINTS_MAX`].
    pub fn fill_points(&self, seed: u64, points: &mut [[f64; 2]]) -> Result<(), IfsError> {
        check_points(points.len() as u64)?;
        for_each_chunk_mut(points, BLOCK_POINTS, &|block, points| {
            let mut orbit = Orbit::new(self, seed, block as u64);
            let mut point = orbit.start();
            for out in points {
                point = orbit.map().apply(point);
                *out = point;
            }
        });
        Ok(())
    }

    /// As [`fill_points`](Self::fill_points), into an array of its own: 16 bytes a point.
    ///
    /// # Errors
    /// [`IfsError::Points`] above [`POINTS_MAX`].
    pub fn points(&self, seed: u64, count: usize) -> Result<Vec<[f64; 2]>, IfsError> {
        check_points(count as u64)?;
        let mut points = vec![[0.0; 2]; count];
        self.fill_points(seed, &mut points)?;
        Ok(points)
    }
}

pub(super) fn check_points(points: u64) -> Result<(), IfsError> {
    if points > POINTS_MAX { Err(IfsError::Points { points }) } else { Ok(()) }
}
