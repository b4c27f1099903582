//! Reads records from Apache Kafka and writes records to it, through librdkafka.
//!
//! [`KafkaConnector`] is a member of a consumer group: it commits an offset only when that record and every
//! one before it in the partition is settled, and never for a partition that was taken away.
//! [`KafkaPublisher`] answers for each record by its own delivery report, keeps the order within a partition,
//! and can write in transactions that carry the offsets of the records they came from, so that a route
//! from Kafka to Kafka is exactly once.
//!
//! This crate knows nothing of simulations: a payload is bytes with a content type.

mod cause;
mod client;
mod connector;
mod faults;
mod headers;
mod observer;
mod probe;
mod properties;
mod publisher;
mod source;

pub use connector::{
    KafkaConnector,
    config::{Assignment, ConnectorConfig, Offsets, Start},
};
pub use properties::PropertyValue;
pub use publisher::{
    KafkaPublisher,
    config::{Compression, KeyChoice, PartitionChoice, PublisherConfig},
};

mfn_plugin::export! {
    name: "kafka",
    version: env!("CARGO_PKG_VERSION"),
    about: "Reads records from Apache Kafka and writes records to it.",
    connector: KafkaConnector,
    publisher: KafkaPublisher,
}
