//! Connector and publisher against a real Apache Kafka: what a mock cluster can not show. Transactions, brokers that
//! die and come back, leaders that move, members that come and go, and what other clients read.
#![allow(clippy::unwrap_used)]

mod cluster;
mod contract;
mod exactly_once;
mod group;
mod limits;
mod restarts;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod third_party;
