//! The C ABI of libmfn: what `include/mfn.h` promises, and nothing else.
//!
//! One exported function is one call of `mfn-runtime` or `mfn-sim`. What this crate adds is the
//! boundary: opaque handles, checked arguments, a stop for panics, error objects, C layouts. Each file
//! is one block of the header, in the order of `header/mod.rs`, and the comments of the exported items
//! are the header's text, so they address a C programmer.

#![allow(unsafe_code, reason = "the boundary to C is made of raw pointers; each block says why it is sound")]
#![allow(non_camel_case_types, reason = "types carry their C names, so that one name is searched for")]
#![allow(clippy::missing_safety_doc, reason = "the contract of each function is its C comment; docs/abi.md")]

mod argument;
mod exclusive;
mod guard;
mod layout;
mod log_queue;

/// The locks of `exclusive` and `log_queue`; core/interleavings has those of its model checker in their place.
mod sync {
    pub(crate) use std::sync::{
        Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
    };
}

pub mod aggregation;
pub mod checkpoint;
pub mod component;
pub mod config;
pub mod connector;
pub mod descriptors;
pub mod edges;
pub mod ensemble;
pub mod error;
pub mod features;
pub mod field;
pub mod graph;
pub mod health;
pub mod history;
pub mod ifs;
pub mod kinetics;
pub mod learning;
pub mod library;
pub mod log;
pub mod lyapunov;
pub mod membrane;
pub mod model;
pub mod operators;
pub mod outcome;
pub mod owned;
pub mod picture;
pub mod pipeline;
pub mod plasticity;
pub mod publisher;
pub mod record;
pub mod recording;
pub mod robustness;
pub mod runtime;
pub mod simulation;
pub mod simulation_input;
pub mod spec;
pub mod status;
pub mod sweep;
pub mod transport;
pub mod validation;
