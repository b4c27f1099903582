//! Tests of the plugin loader and the adapters with real libraries, good and hostile ones.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod adapters;
mod fixtures;
mod loading;
mod manifests;
mod panics;
mod probes;
mod refusals;
