//! The memory of a whole process that runs a large grid. Alone in its process, so that nothing else counts.
#![cfg(target_os = "linux")]

mod common;

use std::ops::ControlFlow;

use common::peak_resident_bytes;
use mfn_sim::{Execution, Simulation, Spec};

/// Guards the bound for hosts with large grids: the fields twice and 16 MiB, whatever the threads. The sizes grow, so
/// that the peak of the process is that of the last run.
#[test]
fn a_process_takes_six_planes_and_16_mib() {
    for (size, threads) in [(256, 1), (256, 2), (1024, 1), (1024, 2)] {
        let spec = Spec { grid_size: size, ..Spec::default() };
        let mut simulation = Simulation::new(spec).expect("accepted");
        simulation.set_execution(Execution { threads, ..Execution::default() }).expect("two threads");
        simulation.run(20, &mut |_| ControlFlow::Continue(())).expect("stable");
        let peak = peak_resident_bytes();
        let bound = 6 * (size * size * 8) as u64 + (16 << 20);
        assert!(peak <= bound, "{peak} bytes, bound {bound}: {size} x {size}, {threads} threads");
    }
}
