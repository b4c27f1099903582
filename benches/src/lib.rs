//! What the benches share: the programs that are measured, and how.
//!
//! [`subjects`] has everything that is timed under one name: libmfn in its ways, the plain loops beside it and the
//! bounds of the machine. [`clock`] times them in alternation: absolute times on a shared machine drift, a ratio of
//! runs that alternate drifts far less.

pub mod clock;
pub mod fields;
pub mod marks;
pub mod plain;
pub mod report;
pub mod subjects;

use std::time::Duration;

use criterion::Criterion;

/// Criterion with the command line's arguments and short runs: the comparison at the end is
/// what counts.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(700))
        .configure_from_args()
}
