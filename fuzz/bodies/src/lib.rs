//! What the fuzz targets do with their input.
//!
//! Each body takes any bytes, drives one door of libmfn with them and asserts what must hold whatever
//! they are: no panic, a typed error or a result, and properties of the result. The bodies live here, in
//! an ordinary crate, so that the tests replay the committed seeds without a fuzzing toolchain.

#![expect(clippy::missing_panics_doc, reason = "a fuzz body panics to report a finding; that is its result")]

mod checkpoint;
mod features;
mod npy;
mod pipeline_config;
mod spec;

pub use checkpoint::checkpoint;
pub use features::features;
pub use npy::npy;
pub use pipeline_config::pipeline_config;
pub use spec::spec;
