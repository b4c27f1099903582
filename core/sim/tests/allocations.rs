//! A step allocates nothing, in no kind of run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;
use std::sync::Arc;

use allocation_counter::measure;
use mfn_sim::kinetics::{HostReaction, HostReactionError, Kinetics};
use mfn_sim::{
    Coefficient, Compat, Execution, FeatureConfig, InitialCondition, Precision, RngKind, Simulation, Spec,
};
use ndarray::Array2;

/// Rates of a host that allocate nothing.
struct Rotation;

impl HostReaction for Rotation {
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]) -> Result<(), HostReactionError> {
        for cell in 0..u.len() {
            (du[cell], dv[cell]) = (0.01 * v[cell], -0.01 * u[cell]);
        }
        Ok(())
    }
}

/// Allocations of the calling thread in `steps` steps in blocks and three one by one.
fn allocations(simulation: &mut Simulation, steps: u64) -> u64 {
    let counted = measure(|| {
        simulation.run(steps, &mut |_| ControlFlow::Continue(())).unwrap();
        for _ in 0..3 {
            simulation.step().unwrap();
        }
    });
    counted.count_total
}

/// Guards the step loop of every kind of run, from the first step on.
#[test]
fn a_step_allocates_nothing() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1_u8; 9]))).count_total, 1);
    let plain = Spec { rows: Some(40), cols: Some(300), spike_probability: 1.0, ..Spec::default() };
    let host = Spec {
        kinetics: Kinetics::Host,
        initial_condition: InitialCondition::Random,
        quantum_jitter: true,
        ..plain.clone()
    };
    let v4_1 = Spec { grid_size: 32, quantum_jitter: true, compat: Some(Compat::V4_1), ..Spec::v4_1() };
    let specs = [
        plain.clone(),
        Spec { precision: Precision::F32, ..plain.clone() },
        Spec { quantum_jitter: true, ..plain.clone() },
        Spec { quantum_jitter: true, rng: RngKind::Pcg64, ..plain.clone() },
        Spec { time_step: 0.5, leak_rate: 0.1, record_every: 7, ..plain.clone() },
        Spec { turing_enabled: false, ..plain },
        host,
        v4_1,
    ];
    for spec in specs {
        for (follows, mapped, strip_cols) in
            [(false, false, 0), (true, false, 0), (false, true, 0), (false, false, 64)]
        {
            let mut simulation = Simulation::new(spec.clone()).unwrap();
            if simulation.lacks_host_reaction() {
                simulation.set_host_reaction(Arc::new(Rotation)).unwrap();
            }
            if follows {
                simulation.enable_temporal_features(&FeatureConfig::default()).unwrap();
            }
            if mapped {
                let map = Array2::from_elem((spec.rows(), spec.cols()), 0.01);
                simulation.set_map(Coefficient::DActivator, Some(map.view())).unwrap();
            }
            simulation.set_execution(Execution { strip_cols, ..Execution::default() }).unwrap();
            assert_eq!(allocations(&mut simulation, 100), 0, "{follows} {mapped} {strip_cols}\n{spec:?}");
        }
    }
}
