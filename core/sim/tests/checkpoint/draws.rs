//! Random runs over everything that a state can hold.

use std::sync::Arc;

use mfn_sim::kinetics::{HostReaction, HostReactionError, Kinetics};
use mfn_sim::rng::Generator;
use mfn_sim::{
    BoundaryCondition, Coefficient, FeatureConfig, InitialCondition, Precision, RngKind, Simulation, Spec,
};
use ndarray::Array2;

/// Rates of a host, the same in both processes.
pub(crate) struct Rotation;

impl HostReaction for Rotation {
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]) -> Result<(), HostReactionError> {
        for (((&u, &v), du), dv) in u.iter().zip(v).zip(du).zip(dv) {
            (*du, *dv) = (0.1 * (v - 0.3) - 0.01 * u * u * u, 0.1 * (0.3 - u));
        }
        Ok(())
    }
}

/// What a list of things that random numbers choose from has.
fn choice<T: Copy>(draw: &mut Generator, of: &[T]) -> T {
    of[draw.integer_below(of.len() as u64) as usize]
}

fn flip(draw: &mut Generator) -> bool {
    draw.random() < 0.5
}

/// A specification of the default mode, of any kinetics, precision, random numbers and shape.
fn specification(draw: &mut Generator) -> Spec {
    let kinetics = Kinetics::by_name(choice(draw, &Kinetics::NAMES)).unwrap();
    let time_step = choice(draw, &[1.0, 0.5, 0.125, 0.05]);
    let mut diffusion = || 0.24 * draw.random() / time_step;
    let (alpha, d_activator, d_inhibitor) = (diffusion() / 2.0, diffusion(), diffusion());
    Spec {
        rows: Some(1 + draw.integer_below(20) as usize),
        cols: Some(1 + draw.integer_below(20) as usize),
        random_seed: draw.next_u64(),
        alpha,
        d_activator,
        d_inhibitor,
        spike_probability: draw.random(),
        turing_enabled: draw.random() < 0.9,
        quantum_jitter: flip(draw),
        boundary_condition: choice(
            draw,
            &[BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet],
        ),
        // A step that is not finite is kept, so that NaN and infinities are part of some states.
        check_stability: false,
        precision: choice(draw, &[Precision::F32, Precision::F64]),
        rng: choice(draw, &[RngKind::Philox, RngKind::Pcg64]),
        kinetics,
        initial_condition: InitialCondition::Random,
        time_step,
        leak_rate: if flip(draw) { 0.1 * draw.random() } else { 0.0 },
        record_every: draw.integer_below(4),
        ..Spec::default()
    }
}

/// A specification of the v4.1 mode.
fn v4_1(draw: &mut Generator) -> Spec {
    Spec {
        grid_size: 4 + draw.integer_below(16) as usize,
        random_seed: draw.next_u64(),
        quantum_jitter: flip(draw),
        spike_probability: draw.random(),
        boundary_condition: choice(draw, &[BoundaryCondition::Periodic, BoundaryCondition::Dirichlet]),
        ..Spec::v4_1()
    }
}

/// A simulation before its first step, with maps and temporal features in some.
pub(crate) fn simulation(draw: &mut Generator) -> Simulation {
    let spec = if draw.random() < 0.2 { v4_1(draw) } else { specification(draw) };
    spec.validate().unwrap_or_else(|error| panic!("{spec:?}: {error}"));
    let shape = (spec.rows(), spec.cols());
    let (mapped, numbers_max) = (spec.compat.is_none(), 0.12 / spec.time_step);
    let mut simulation = Simulation::new(spec).unwrap();
    if simulation.spec().kinetics == Kinetics::Host {
        simulation.set_host_reaction(Arc::new(Rotation)).unwrap();
    }
    for coefficient in Coefficient::ALL {
        if mapped && draw.random() < 0.3 {
            let map = Array2::from_shape_simple_fn(shape, || numbers_max.min(1.0) * draw.random());
            simulation.set_map(coefficient, Some(map.view())).unwrap();
        }
    }
    if flip(draw) {
        let config = FeatureConfig {
            stability_threshold_mv: choice(draw, &[0.001, 3.0]),
            stability_window: 1 + draw.integer_below(5),
            ..FeatureConfig::default()
        };
        // Grids that these features do not take are not followed.
        let _ = simulation.enable_temporal_features(&config);
    }
    simulation
}
