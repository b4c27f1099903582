//! The contract between libmfn and its plugins, and the kit to write a plugin with.
//!
//! A plugin is a shared library that carries bytes over one protocol. The host loads it at run time,
//! checks that both sides lay out every shared type alike, and talks to it through the objects of
//! [`abi`]. Neither an author nor the runtime sees those: an author implements the traits of
//! [`author`] over the plain types of [`value`], the runtime has traits of its own, and the two meet
//! in the middle.
//!
//! This crate imports no other crate of the workspace, and it is the only one that names
//! `abi_stable` types. It holds no policy: when to retry, what to dead-letter and how much to keep in
//! memory is decided by the runtime.
//!
//! A whole plugin, complete but for what it does:
//!
//! ```
//! use mfn_plugin::{author::{Component, Publisher, Result}, host::Host, value::*};
//! use std::time::Duration;
//!
//! /// Counts what it is given.
//! struct Counter { host: Host, received: u64 }
//!
//! /// How to count.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     /// The first number; 0 to 1000.
//!     #[serde(default)]
//!     from: u64,
//! }
//!
//! impl Component for Counter {
//!     type Config = Config;
//!     fn create(config: Config, host: Host) -> Result<Self> {
//!         if config.from > 1000 {
//!             return Err(PluginError::permanent(format!("from: {} is not in 0..=1000", config.from)));
//!         }
//!         Ok(Self { host, received: config.from })
//!     }
//!     fn open(&mut self) -> Result<()> { Ok(()) }
//!     fn check(&mut self) -> Result<()> { Ok(()) }
//!     fn close(&mut self) -> Result<()> { Ok(()) }
//! }
//!
//! impl Publisher for Counter {
//!     fn traits(&self) -> PublisherTraits {
//!         PublisherTraits { records_max: 1000, bytes_max: 1 << 20, ordering: Ordering::All, idempotence: Idempotence::None }
//!     }
//!     fn publish(&mut self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
//!         self.received += records.len() as u64;
//!         tracing::info!(received = self.received, instance = self.host.instance(), "counted");
//!         Ok(records.iter().map(|_| Ok(())).collect())
//!     }
//!     fn flush(&mut self, _: Duration) -> Result<()> { Ok(()) }
//! }
//!
//! mfn_plugin::export! {
//!     name: "counter",
//!     version: "1.0.0",
//!     about: "Counts records.",
//!     publisher: Counter,
//! }
//! # fn main() {}
//! ```

pub mod abi;
pub mod author;
#[cfg(feature = "testing")]
pub mod checker;
pub mod descriptor;
pub mod envelope;
mod export;
pub mod faults;
mod header_list;
pub mod host;
pub mod json;
mod log_bridge;
pub mod metric;
#[doc(hidden)]
pub mod room;
pub mod secret;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;

#[doc(hidden)]
pub mod private {
    //! What [`export!`](crate::export) expands to; not for use by hand.
    pub use abi_stable;
    pub use tracing;

    pub use crate::export::{
        create_connector, create_exporter, create_publisher, create_transport, describe, init, kind,
        not_served, set_log_level,
    };
}
