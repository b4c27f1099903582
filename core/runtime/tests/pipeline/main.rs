//! Tests of pipelines over scripted components: real threads, real simulations, and components that
//! fail, hang and refuse as told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod base;
mod delivery;
mod documents;
mod faults;
mod faulty;
mod forward;
mod health;
mod hung;
mod letters;
mod malformed;
mod scripted;
mod shutdown;
mod spooled;
mod telemetry;
mod transports;
