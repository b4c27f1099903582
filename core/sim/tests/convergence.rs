//! The orders of the schemes by refinement against analytic solutions, and conservation.

use std::f64::consts::TAU;
use std::ops::ControlFlow;

use mfn_sim::{BoundaryCondition, Coefficient, Precision, Simulation, Spec};
use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;

const REST_V: f64 = -0.070;

/// Diffusion of the potential and nothing else.
fn still(spec: Spec) -> Spec {
    Spec { turing_enabled: false, spike_probability: 0.0, quantum_jitter: false, leak_rate: 0.0, ..spec }
}

fn run(simulation: &mut Simulation, steps: u64) {
    simulation.run(steps, &mut |_| ControlFlow::Continue(())).expect("stable");
}

/// The slope of ln(error) over ln(h) between neighbouring refinements.
fn orders(errors: &[(f64, f64)]) -> Vec<f64> {
    errors.windows(2).map(|pair| (pair[0].1 / pair[1].1).ln() / (pair[0].0 / pair[1].0).ln()).collect()
}

/// The largest distance from the solution of dV/dt = alpha L V + leak (rest - V) that begins as
/// one wave along the columns: it decays by exp(-(alpha k^2 + leak) t), with k = 2 pi on the
/// unit interval.
fn error_of_a_wave(cells: usize, diffusivity: f64, leak_rate: f64, time: f64, steps: u64) -> f64 {
    let time_step = time / steps as f64;
    let spec = Spec {
        rows: Some(1),
        cols: Some(cells),
        // With unit spacing the coefficient grows with the square of the cells.
        alpha: diffusivity * (cells * cells) as f64,
        leak_rate,
        time_step,
        boundary_condition: BoundaryCondition::Periodic,
        ..still(Spec::default())
    };
    let spec = Spec { leak_rate, ..spec };
    let wave = |column: usize| 0.02 * (TAU * (column as f64 + 0.5) / cells as f64).cos();
    let initial = Array2::from_shape_fn((1, cells), |(_, column)| REST_V + wave(column));
    let mut simulation = Simulation::with_initial_field(spec, initial.view()).expect("accepted");
    run(&mut simulation, steps);
    let decay = (-(diffusivity * TAU * TAU + leak_rate) * time).exp();
    let field = simulation.field();
    (0..cells).fold(0.0, |worst: f64, column| {
        worst.max((field[[0, column]] - (REST_V + wave(column) * decay)).abs())
    })
}

/// Guards the order of the five-point Laplacian: with the time step far below, halving the
/// spacing quarters the error.
#[test]
fn space_is_of_second_order() {
    let errors: Vec<(f64, f64)> = [16, 32, 64]
        .into_iter()
        .map(|cells| (1.0 / cells as f64, error_of_a_wave(cells, 1e-3, 0.0, 4.0, 40_000)))
        .collect();
    for order in orders(&errors) {
        assert!((order - 2.0).abs() < 0.1, "order {order} from {errors:?}");
    }
}

/// Guards the order of Euler's method for the leak, on a uniform field where space has no part.
#[test]
fn time_is_of_first_order() {
    let uniform = |steps: u64| {
        let (leak_rate, time) = (0.4, 2.0);
        let time_step = time / steps as f64;
        let spec = Spec { leak_rate, time_step, rows: Some(3), cols: Some(5), ..still(Spec::default()) };
        let spec = Spec { leak_rate, alpha: 0.01, ..spec };
        let initial = Array2::from_elem((3, 5), REST_V + 0.05);
        let mut simulation = Simulation::with_initial_field(spec, initial.view()).expect("accepted");
        run(&mut simulation, steps);
        (simulation.field()[[1, 2]] - (REST_V + 0.05 * (-leak_rate * time).exp())).abs()
    };
    let errors: Vec<(f64, f64)> =
        [16, 32, 64, 128].into_iter().map(|steps| (1.0 / steps as f64, uniform(steps))).collect();
    for order in orders(&errors) {
        assert!((order - 1.0).abs() < 0.1, "order {order} from {errors:?}");
    }
}

/// Guards the order of Euler's method for diffusion and leak together: the spacing stays, and
/// the reference is the solution of the equations that are discrete in space alone.
#[test]
fn time_is_of_first_order_with_diffusion() {
    let cells = 16;
    let (diffusivity, leak_rate, time) = (1e-3, 0.05, 4.0);
    let k = 2.0 * cells as f64 * (TAU / (2.0 * cells as f64)).sin();
    let wave = |column: usize| 0.02 * (TAU * (column as f64 + 0.5) / cells as f64).cos();
    let error = |steps: u64| {
        let spec = Spec {
            rows: Some(1),
            cols: Some(cells),
            alpha: diffusivity * (cells * cells) as f64,
            time_step: time / steps as f64,
            ..still(Spec::default())
        };
        let spec = Spec { leak_rate, ..spec };
        let initial = Array2::from_shape_fn((1, cells), |(_, column)| REST_V + wave(column));
        let mut simulation = Simulation::with_initial_field(spec, initial.view()).expect("accepted");
        run(&mut simulation, steps);
        let decay = (-(diffusivity * k * k + leak_rate) * time).exp();
        (simulation.field()[[0, 0]] - (REST_V + wave(0) * decay)).abs()
    };
    let errors: Vec<(f64, f64)> =
        [32, 64, 128].into_iter().map(|steps| (1.0 / steps as f64, error(steps))).collect();
    for order in orders(&errors) {
        assert!((order - 1.0).abs() < 0.1, "order {order} from {errors:?}");
    }
}

/// The sum of a field, with compensation (Neumaier, 1974), so that the test adds no error.
fn mass(field: ArrayView2<'_, f64>) -> f64 {
    let (sum, lost) = field.iter().fold((0.0_f64, 0.0), |(sum, lost), &value| {
        let next = sum + value;
        let part = if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        (next, lost + part)
    });
    sum + lost
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Guards conservation: pure diffusion keeps the amount to 1e-12 on grids that wrap or have
    /// no flux through the edge, with one coefficient and with a map.
    #[test]
    fn diffusion_conserves_mass(
        (rows, cols) in (1usize..30, 1usize..30),
        seed in any::<u64>(),
        alpha in 0.0..0.25,
        mapped in any::<bool>(),
        neumann in any::<bool>(),
    ) {
        let boundary_condition =
            if neumann { BoundaryCondition::Neumann } else { BoundaryCondition::Periodic };
        let grid = Spec { rows: Some(rows), cols: Some(cols), random_seed: seed, ..Spec::default() };
        let mut simulation =
            Simulation::new(Spec { alpha, boundary_condition, ..still(grid) }).expect("accepted");
        if mapped {
            let mut generator = mfn_sim::rng::Generator::new(seed);
            let map = Array2::from_shape_simple_fn((rows, cols), || generator.uniform(0.0, 0.25));
            simulation.set_map(Coefficient::Alpha, Some(map.view())).expect("in range");
        }
        let before = mass(simulation.field().view());
        run(&mut simulation, 200);
        prop_assert_eq!(simulation.statistics().clamping_events, 0);
        let after = mass(simulation.field().view());
        prop_assert!(((after - before) / before).abs() < 1e-12, "{} became {}", before, after);
    }

    /// Guards single precision: after a short run it agrees with double precision to its digits.
    #[test]
    fn single_precision_follows_double(seed in any::<u64>()) {
        let spec = Spec { grid_size: 16, random_seed: seed, ..Spec::default() };
        let end = |precision| {
            let mut simulation = Simulation::new(Spec { precision, ..spec.clone() }).expect("accepted");
            run(&mut simulation, 20);
            simulation.field().to_owned()
        };
        let distance = (&end(Precision::F64) - &end(Precision::F32)).mapv(f64::abs);
        prop_assert!(distance.iter().all(|&distance| distance < 1e-6));
    }
}
