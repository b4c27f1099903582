//! The plugin against real servers on loopback, which misbehave on purpose. Each test proves that the fault
//! struck, by what the server saw.
#![allow(clippy::unwrap_used)]

mod common;
mod connector;
mod contract;
mod document;
mod hostile;
mod pool;
mod publisher;
mod restart;
mod secrets;
mod server;
mod standard_webhooks;
mod tls;
