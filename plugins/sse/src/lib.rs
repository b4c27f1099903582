//! Server-sent events: a transport that hands events to browsers and scripts over plain HTTP.
//!
//! `GET /events` streams all topics, `GET /events?topic=a&topic=b` or `GET /events/a` some. Each event
//! carries `id: <epoch>-<sequence>`; a client that comes back with it in `Last-Event-ID` gets what it
//! missed and then what follows, without gap or duplicate, or exactly one `event: resync` when that is
//! not possible. Whatever a slow client does not get is announced to it as `event: gap` with the
//! exact number. Publishing never waits for a client.
//!
//! How the parts relate: [`transport`] is the plugin's face to the host; it formats an event ([`frame`])
//! and gives it to the [`hub`], which keeps the newest in a [`ring`] and offers it to every [`client`];
//! a [`stream`] is the response body that a client's connection draws from; [`routes`] admits clients
//! and [`cursor`] reads where they left off.

pub mod client;
pub mod config;
pub mod cursor;
pub mod frame;
pub mod hub;
pub mod meter;
pub mod queue;
pub mod ring;
pub mod routes;
pub mod stream;
pub mod transport;

pub use config::Config;
pub use transport::SseTransport;

mfn_plugin::export! {
    name: "sse",
    version: env!("CARGO_PKG_VERSION"),
    about: "Streams events to HTTP clients as server-sent events.",
    transport: SseTransport,
}
