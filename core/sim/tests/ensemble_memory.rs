//! An ensemble keeps to its declared memory. Alone in its process, so that nothing else allocates meanwhile.
#![cfg(target_os = "linux")]

mod common;

use std::ops::ControlFlow;

use common::{peak_resident_bytes, reset_peak, resident_bytes};
use mfn_sim::ensemble::{Ensemble, EnsembleEnd, run_memory_bytes};
use mfn_sim::{Precision, Spec};

/// Guards the declaration: the peak of many runs stays below the bound, although all of them together would need
/// several times as much.
#[test]
fn runs_stay_below_the_declared_memory() {
    let before = resident_bytes();
    // The smaller first: what the allocator keeps of it is within the bound of the larger.
    for precision in [Precision::F32, Precision::F64] {
        let spec = Spec { grid_size: 512, steps: 1, precision, ..Spec::default() };
        let one = run_memory_bytes(&spec);
        let memory_bytes_max = 2 * one + one / 2;
        let ensemble = Ensemble { threads: 4, memory_bytes_max, ..Ensemble::default() };
        reset_peak();
        let end = ensemble.run_specs(&vec![spec; 8], &mut |index, result| {
            assert!(result.is_ok(), "run {index}: {result:?}");
            ControlFlow::Continue(())
        });
        assert_eq!(end, Ok(EnsembleEnd::Completed));
        let grown = peak_resident_bytes() - before;
        // The threads themselves need a little.
        assert!(grown < memory_bytes_max + (4 << 20), "{grown} of {memory_bytes_max} bytes, {precision:?}");
        assert!(grown > one / 4, "{grown} bytes for runs that declare {one}: the bound is meaningless");
    }
}
