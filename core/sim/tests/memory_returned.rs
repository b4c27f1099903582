//! What simulations took goes back to the system. Alone in its process, so that nothing else allocates meanwhile.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod common;

use std::ops::ControlFlow;
use std::thread;

use common::resident_bytes;
use mfn_sim::{Simulation, Spec};

/// Guards hosts of many threads: none of them keeps planes of what it has simulated, as an allocator would, and so what a
/// host declares for its runs is all that they take.
#[test]
fn no_thread_keeps_planes() {
    let spec = Spec { grid_size: 1024, steps: 1, ..Spec::default() };
    let planes = 6 * 1024 * 1024 * 8;
    let before = resident_bytes();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let mut simulation = Simulation::new(spec.clone()).expect("accepted");
                    assert!(simulation.run(1, &mut |_| ControlFlow::Continue(())).is_ok());
                    assert!(resident_bytes() > before + planes);
                }
            });
        }
    });
    let kept = resident_bytes().saturating_sub(before);
    assert!(kept < planes / 8, "{kept} bytes are left of planes of {planes} bytes each run");
}
