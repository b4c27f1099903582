//! A guarded HTTP/1.1 listener for the plugins that serve: limits, credentials, CORS, shutdown.
//!
//! A plugin that listens is the part of libmfn that strangers can reach, so everything that keeps
//! them in bounds is here once: how many connections, how long a request head and a stalled write
//! may take, how large a head may be, who may ask at all, and how it all ends without leaving a
//! thread behind. A plugin brings an [`axum::Router`] and nothing else.
//!
//! A [`Plan`] is a checked configuration and does no I/O; [`Listener::open`] makes it real on a thread
//! of its own with a single-threaded tokio runtime, because a runtime cannot be shared with the host
//! across a library boundary. This crate is linked into plugins; it is not one.

mod cause;
mod config;
mod connection;
mod credential;
mod guard;
mod meter;
mod plan;
mod server;
#[cfg(feature = "testing")]
pub mod testing;

pub use axum;

pub use cause::ListenerError;
pub use config::{Auth, Limits, in_range};
pub use connection::Connection;
pub use plan::Plan;
pub use server::Listener;
