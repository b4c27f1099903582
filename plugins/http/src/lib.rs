//! Asks HTTP feeds for records and sends records to HTTP receivers.
//!
//! [`RestConnector`] reads a feed page by page and brings each item as a record; [`WebhookPublisher`] sends
//! records as signed webhooks, singly or in batches. Both use one pooled client each, with limits on
//! connections, time and memory, which refuses private addresses, follows no redirect and shows no URL.
//!
//! How the parts relate: `client` makes a request and gives its answer or a typed failure, and knows neither
//! records nor feeds; `connector` and `publisher` turn records into requests and answers into records, and
//! know nothing of each other. Retry, breaker and dead letters belong to the runtime.

mod client;
mod connector;
mod publisher;
mod secret;

pub use client::{auth::Auth, config::ClientConfig};
pub use connector::{
    RestConnector,
    config::{AtEnd, ConnectorConfig, Pagination, ReadMethod},
};
pub use publisher::{
    WebhookPublisher,
    config::{Answers, BatchFormat, Mode, PublisherConfig, WriteMethod},
};
pub use secret::Hidden;

mfn_plugin::export! {
    name: "http",
    version: env!("CARGO_PKG_VERSION"),
    about: "Reads records from HTTP feeds and sends records as webhooks.",
    connector: RestConnector,
    publisher: WebhookPublisher,
}
