//! Memory does not grow with the number of steps. Alone in its process, so that nothing else
//! allocates meanwhile.
#![cfg(target_os = "linux")]

mod common;

use std::ops::ControlFlow;

use common::peak_resident_bytes;
use mfn_sim::{FeatureConfig, Simulation, Spec};

/// Guards the streaming of temporal features: 40,000 frames of 32 x 32 cells would take
/// 320 MiB if they were kept; a list of one number per step would take 320 kB.
#[test]
fn a_followed_run_keeps_no_frames() {
    let spec = Spec { grid_size: 32, ..Spec::v4_1() };
    let mut simulation = Simulation::new(spec).expect("accepted");
    simulation.enable_temporal_features(&FeatureConfig::default()).expect("defaults");
    let mut run = |steps| simulation.run(steps, &mut |_| ControlFlow::Continue(())).expect("stable");
    run(1_000);
    let before = peak_resident_bytes();
    run(40_000);
    let grown = peak_resident_bytes() - before;
    assert!(grown < 256 << 10, "{grown} bytes more after 40,000 steps");
}
