//! An ensemble keeps to its declared memory. Alone in its process, so that nothing else allocates meanwhile.
#![cfg(target_os = "linux")]

use std::ops::ControlFlow;

use mfn_sim::ensemble::{Ensemble, EnsembleEnd, run_memory_bytes};
use mfn_sim::{Precision, Spec};

/// A number of kB in the status of this process.
fn status_kb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// Guards the declaration: the peak of many runs stays below the bound, although all of them together would need
/// several times as much.
#[test]
fn runs_stay_below_the_declared_memory() {
    let before = status_kb("VmRSS:");
    // The smaller first: what the allocator keeps of it is within the bound of the larger.
    for precision in [Precision::F32, Precision::F64] {
        let spec = Spec { grid_size: 512, steps: 1, precision, ..Spec::default() };
        let one = run_memory_bytes(&spec);
        let memory_bytes_max = 2 * one + one / 2;
        let ensemble = Ensemble { threads: 4, memory_bytes_max, ..Ensemble::default() };
        // Writing 5 sets the peak back to what is resident now.
        std::fs::write("/proc/self/clear_refs", "5").expect("the peak of this process");
        let end = ensemble.run_specs(&vec![spec; 8], &mut |index, result| {
            assert!(result.is_ok(), "run {index}: {result:?}");
            ControlFlow::Continue(())
        });
        assert_eq!(end, Ok(EnsembleEnd::Completed));
        let grown = (status_kb("VmHWM:") - before) * 1024;
        // The threads themselves need a little.
        assert!(grown < memory_bytes_max + (4 << 20), "{grown} of {memory_bytes_max} bytes, {precision:?}");
        assert!(grown > one / 4, "{grown} bytes for runs that declare {one}: the bound is meaningless");
    }
}
