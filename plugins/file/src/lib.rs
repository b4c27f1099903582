//! Reads records from files and writes records to files, so that a pipeline runs with nothing but a
//! directory on either side.
//!
//! [`FileConnector`] takes complete files in the order of their names, remembers in a journal what has
//! been settled, and keeps, moves or deletes a file only after that memory is on disk. [`FilePublisher`]
//! writes whole files or whole lines, never half of one, under names that never collide. Both survive
//! `kill -9` at any moment: a record may then come twice under the same id, and none is lost.
//!
//! This crate knows nothing of simulations: a payload is bytes with a content type.

mod connector;
mod durable;
mod publisher;

pub use connector::{
    FileConnector,
    config::{After, AtEnd, ConnectorConfig, SourceFormat},
};
pub use publisher::{
    FilePublisher,
    config::{Mode, PublisherConfig, TargetFormat},
};

mfn_plugin::export! {
    name: "file",
    version: env!("CARGO_PKG_VERSION"),
    about: "Reads records from files and writes records to files.",
    connector: FileConnector,
    publisher: FilePublisher,
}
