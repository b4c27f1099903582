//! Connector and publisher against a real Apache Kafka: what a mock cluster can not show. Transactions, brokers that
//! die and come back, leaders that move, members that come and go, and what other clients read.
#![allow(clippy::unwrap_used)]

#[allow(dead_code, reason = "clients that log in are those of `bindings/cli/tests/endtoend`")]
mod cluster;
mod contract;
mod exactly_once;
mod group;
mod limits;
mod restarts;
mod secure;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod third_party;
#[cfg(feature = "tls")]
mod tls;

impl support::Brokers for cluster::Cluster {
    fn brokers(&self) -> Vec<String> {
        self.brokers()
    }
}
