//! Random numbers: NumPy's streams for compat v4.1, counter-based ones for the default mode.
//!
//! [`Generator`] is `SeedSequence` and `PCG64` with the draws that the simulation needs. Every number equals the one that `numpy.random.default_rng(seed)` gives for the same calls
//! in the same order. The order of calls is part of a result: one draw more or less shifts
//! everything after it. [`Philox`] has no order: each number is a function of seed, step,
//! stream and cell.

mod generator;
mod integers;
mod normal;
mod philox;
mod polynomials;
mod seed_sequence;
mod ziggurat_tables;

pub use generator::{Generator, GeneratorPosition};
pub use philox::{Philox, Stream, philox4x32};
pub use seed_sequence::SeedSequence;
