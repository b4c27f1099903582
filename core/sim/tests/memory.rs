//! Memory does not grow with the number of steps. Alone in its process, so that nothing else
//! allocates meanwhile.
#![cfg(target_os = "linux")]

use std::ops::ControlFlow;

use mfn_sim::{FeatureConfig, Simulation, Spec};

/// Peak resident memory of this process, kB.
fn peak_resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

/// Guards the streaming of temporal features: 40,000 frames of 32 x 32 cells would take
/// 320 MiB if they were kept; a list of one number per step would take 320 kB.
#[test]
fn a_followed_run_keeps_no_frames() {
    let spec = Spec { grid_size: 32, ..Spec::v4_1() };
    let mut simulation = Simulation::new(spec).expect("accepted");
    simulation.enable_temporal_features(&FeatureConfig::default()).expect("defaults");
    let mut run = |steps| simulation.run(steps, &mut |_| ControlFlow::Continue(())).expect("stable");
    run(1_000);
    let before = peak_resident_kb();
    run(40_000);
    let grown = peak_resident_kb() - before;
    assert!(grown < 256, "{grown} kB more after 40,000 steps");
}
