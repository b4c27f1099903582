//! Checkpoints: a run that was interrupted at any step, and continued by another process, has the bits of
//! one that was not; what is no checkpoint is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod continued;
mod draws;
mod refused;
