//! Connector and publisher against librdkafka's mock cluster: real TCP and the real client code, without a JVM.
#![allow(clippy::unwrap_used)]

mod connector;
mod contract;
mod documents;
mod publisher;
#[path = "../support/mod.rs"]
mod support;

use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};

/// A running mock cluster.
type Cluster = MockCluster<'static, DefaultProducerContext>;

/// A cluster of one broker with one topic.
fn cluster(topic: &str, partitions: i32) -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(topic, partitions, 1).unwrap();
    cluster
}

/// What a publisher needs to know of a mock cluster, which does not say what it allows.
const MESSAGE_BYTES_MAX: u32 = 1_000_000;
