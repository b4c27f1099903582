//! Tests of the plugin loader and the adapters with real libraries, good and hostile ones.
#![allow(missing_docs)]

mod adapters;
mod fixtures;
mod loading;
mod manifests;
mod panics;
mod refusals;
