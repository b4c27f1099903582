//! `Spec::memory_bytes` is what a run takes. Alone in its process, so that nothing else
//! allocates meanwhile.
#![cfg(target_os = "linux")]

mod common;

use std::ops::ControlFlow;

use common::{peak_resident_bytes, reset_peak};
use mfn_sim::{FeatureConfig, Precision, RngKind, Simulation, Spec};

/// Guards the declaration against both kinds of fault: a run that takes more (a host would be
/// killed), and a declaration far above it (a host would refuse what fits).
#[test]
fn a_run_takes_the_memory_that_it_declares() {
    let plain = Spec { rows: Some(1000), cols: Some(600), ..Spec::default() };
    let single = Spec { rows: Some(3), cols: Some(65_536), precision: Precision::F32, ..Spec::default() };
    let noisy = Spec { quantum_jitter: true, rng: RngKind::Pcg64, cols: Some(1400), ..plain.clone() };
    let still = Spec { turing_enabled: false, rows: Some(3000), ..noisy.clone() };
    let tall = Spec { rows: Some(65_536), cols: Some(1), ..Spec::default() };
    let wide = Spec { rows: Some(2), cols: Some(65_536), ..Spec::default() };
    let mut is_later = false;
    for (spec, followed) in [
        (plain.clone(), false),
        (single, false),
        (noisy, false),
        (still, false),
        (wide.clone(), false),
        (wide, true),
        (tall.clone(), false),
        (tall, true),
        (plain, true),
    ] {
        let declared = if followed { spec.followed_memory_bytes() } else { spec.memory_bytes() };
        reset_peak();
        let before = peak_resident_bytes();
        let mut simulation = Simulation::new(spec.clone()).expect("accepted");
        if followed {
            simulation.enable_temporal_features(&FeatureConfig::default()).expect("defaults");
        }
        simulation.run(20, &mut |_| ControlFlow::Continue(())).expect("stable");
        let grown = peak_resident_bytes() - before;
        drop(simulation);
        // A peak is counted in pages, and the process may still hold memory of the run before.
        assert!(
            grown <= declared + (1 << 20),
            "{grown} bytes, {declared} declared, followed: {followed}\n{spec:?}"
        );
        // Only the first run finds nothing that a run before has left.
        assert!(
            is_later || 10 * grown > 9 * declared,
            "{grown} bytes, {declared} declared, followed: {followed}\n{spec:?}"
        );
        is_later = true;
    }
}
