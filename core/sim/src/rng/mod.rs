//! NumPy's random streams: `SeedSequence`, `PCG64`, and the draws that the simulation needs.
//!
//! Every number equals the one that `numpy.random.default_rng(seed)` gives for the same calls
//! in the same order. The order of calls is part of a result: one draw more or less shifts
//! everything after it.

mod generator;
mod integers;
mod normal;
mod seed_sequence;
mod ziggurat_tables;

pub use generator::Generator;
pub use seed_sequence::SeedSequence;
