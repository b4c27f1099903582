//! Ways over the boundaries of libmfn, each with the same work without a boundary beside it.
//!
//! They are those of a C host: `library` opens a built libmfn.so and calls it through pointers, as no program does that
//! is compiled together with it. [`programs`] has what is timed. A crate of its own, because nothing of libmfn's C side may
//! be linked into the program that measures it.
#![allow(unsafe_code, reason = "a C host in Rust")]
#![allow(non_camel_case_types, reason = "types carry their C names")]

mod library;
pub mod programs;
