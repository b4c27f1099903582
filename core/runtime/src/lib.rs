//! The integration layer of libmfn: plugin loading, pipelines, codecs, metrics and logging around
//! the simulation.
//!
//! Plugin = protocol, codec = format, core = meaning. A plugin moves bytes and classifies its errors;
//! this crate turns bytes into typed values, decides about order, durability and limits, and hands
//! typed values to `mfn-sim`. It never names a plugin and has no network code of its own.

pub mod component;
pub mod config;
mod delivery;
pub mod pipeline;
pub mod snapshot;

/// The version of this crate and of libmfn.
#[must_use]
pub const fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
