//! `Spec::memory_bytes` is what a run takes. Alone in its process, so that nothing else
//! allocates meanwhile.
#![cfg(target_os = "linux")]

use std::ops::ControlFlow;

use mfn_sim::{Precision, RngKind, Simulation, Spec};

/// Peak resident memory of this process, bytes.
fn peak_resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    1024 * line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number")
}

/// Guards the declaration against both kinds of fault: a run that takes more (a host would be
/// killed), and a declaration far above it (a host would refuse what fits). Each run is twice
/// the one before, so that its memory is new to the process.
#[test]
fn a_run_takes_the_memory_that_it_declares() {
    let plain = Spec { rows: Some(1000), cols: Some(600), ..Spec::default() };
    let single = Spec { rows: Some(3), cols: Some(65_536), precision: Precision::F32, ..Spec::default() };
    let noisy = Spec { quantum_jitter: true, rng: RngKind::Pcg64, cols: Some(1400), ..plain.clone() };
    let still = Spec { turing_enabled: false, rows: Some(3000), ..noisy.clone() };
    for spec in [single, plain, noisy, still] {
        let declared = spec.memory_bytes();
        let before = peak_resident_bytes();
        let mut simulation = Simulation::new(spec.clone()).expect("accepted");
        simulation.run(3, &mut |_| ControlFlow::Continue(())).expect("stable");
        let grown = peak_resident_bytes() - before;
        drop(simulation);
        // A peak is counted in pages, and the process may still hold memory of the run before.
        assert!(grown <= declared + (1 << 20), "{grown} bytes, {declared} declared\n{spec:?}");
    }
    let spec = Spec { rows: Some(4000), cols: Some(1500), ..Spec::default() };
    let before = peak_resident_bytes();
    let simulation = Simulation::new(spec.clone()).expect("accepted");
    let grown = peak_resident_bytes() - before;
    assert!(2 * grown > spec.memory_bytes(), "{grown} bytes, {} declared", spec.memory_bytes());
    drop(simulation);
}
