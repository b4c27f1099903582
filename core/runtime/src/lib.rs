//! The integration layer of libmfn: plugin loading, pipelines, codecs, metrics and logging around
//! the simulation.
//!
//! Plugin = protocol, codec = format, core = meaning. A plugin moves bytes and classifies its errors;
//! this crate turns bytes into typed values, decides about order, durability and limits, and hands
//! typed values to `mfn-sim`. It never names a plugin and has no network code of its own.

pub mod checkpoint;
pub mod codec;
pub mod component;
pub mod config;
pub mod dead_letters;
mod delivery;
mod durable;
pub mod error;
pub mod log;
pub mod metrics;
pub mod npy;
pub mod picture;
pub mod pipeline;
pub mod plugin;
pub mod recording;
pub mod runtime;
pub mod snapshot;
pub mod spool;
mod text;

/// The locks of `pipeline::outcome`; core/interleavings has those of its model checker in their place.
mod sync {
    pub(crate) use std::sync::{Condvar, Mutex};
}

pub use config::{ConfigError, ConfigFault, PipelineConfig};
pub use error::RuntimeError;
pub use log::{Log, LogLevel, LogRecord, LogSink};
pub use metrics::MetricsRegistry;
pub use pipeline::{DrainReport, Outcome, OutcomeStatus, Pipeline, PipelineState, PipelineStatus};
pub use plugin::{LoadRefusal, LoadReport, PluginInfo, PluginPolicy, RefusalReason};
pub use runtime::{ComponentOptions, Runtime, RuntimeOptions};
pub use snapshot::Snapshot;

/// The version of this crate and of libmfn.
#[must_use]
pub const fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
