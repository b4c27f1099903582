//! Connector and publisher against librdkafka's mock cluster: real TCP and the real client code, without a JVM.
#![allow(clippy::unwrap_used)]

mod connector;
mod contract;
mod publisher;
mod support;
