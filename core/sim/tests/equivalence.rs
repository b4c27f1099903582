//! The engine against a plain loop over cells, bit for bit, for 10,000 random draws of
//! specification, kinetics, precision, boundary, maps, noise, threads, tiles and vector registers.
//!
//! The loop in `equivalence/plain.rs` is written without a look at the kernels: one cell at a time, neighbours by
//! index arithmetic, new arrays in every step.

#[path = "equivalence/draw.rs"]
mod draw;
#[path = "equivalence/plain.rs"]
mod plain;

use std::sync::Arc;

use draw::{Case, Dice, is_for_speed};
use mfn_sim::kinetics::{HostReaction, HostReactionError, Kinetics};
use mfn_sim::{BoundaryCondition, Execution, Precision, Real, SimError, SimdLevel, Simulation, Spec};
use ndarray::Array2;
use plain::Plain;
use rayon::{ThreadPool, ThreadPoolBuilder};

const CASES: u64 = 10_000;

/// Pools of 2 to 8 threads, made once: starting threads for each case would take longer than
/// the cases.
fn pools() -> Vec<Arc<ThreadPool>> {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    (2..=8).map(|threads| Arc::new(pool(threads))).collect()
}

/// Rates that only a host has; the plain loop has the same.
struct Oscillator;

impl HostReaction for Oscillator {
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]) -> Result<(), HostReactionError> {
        for cell in 0..u.len() {
            (du[cell], dv[cell]) = plain::oscillator(u[cell], v[cell]);
        }
        Ok(())
    }
}

fn same<T: Real>(case: &Case, what: &str, actual: &[f64], expected: &[T]) {
    for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert!(
            actual.to_bits() == expected.wide().to_bits() || (actual.is_nan() && expected.is_nan()),
            "{what} differs at cell {index}: {actual:?}, expected {expected:?}\n{case:?}"
        );
    }
    assert_eq!(actual.len(), expected.len());
}

fn compare<T: Real>(case: &Case, simulation: &Simulation, plain: &Plain<T>) {
    let cells = |field: ndarray::CowArray<'_, f64, ndarray::Ix2>| field.iter().copied().collect::<Vec<f64>>();
    same(case, "field", &cells(simulation.field()), &plain.fields[0]);
    same(case, "activator", &cells(simulation.activator()), &plain.fields[1]);
    same(case, "inhibitor", &cells(simulation.inhibitor()), &plain.fields[2]);
    let counters = simulation.counters();
    let counted = (counters.growth_events, counters.activations, counters.clamps);
    assert_eq!(counted, (plain.growth_events, plain.activations, plain.clamps), "{case:?}");
}

/// What happened in a case.
struct Outcome {
    unstable: bool,
    not_finite: bool,
    activations: u64,
    clamps: u64,
}

/// Runs a case both ways. The plain loop goes step by step, the engine in blocks of steps where it can.
fn run<T: Real>(case: &Case, mut simulation: Simulation) -> Outcome {
    let mut plain = Plain::<T>::of(case, &simulation);
    let stable = (0..case.spec.steps).all(|_| plain.step(case));
    let result = simulation.run(case.spec.steps, &mut |_| std::ops::ControlFlow::Continue(()));
    match result {
        Ok(_) => assert!(stable, "the plain loop became unstable\n{case:?}"),
        Err(SimError::Unstable { .. }) => assert!(!stable, "the engine became unstable\n{case:?}"),
        Err(error) => panic!("{error}\n{case:?}"),
    }
    compare(case, &simulation, &plain);
    let not_finite = plain.fields.iter().flatten().any(|value| !value.is_finite());
    Outcome { unstable: !stable, not_finite, activations: plain.activations, clamps: plain.clamps }
}

/// The same in the precision of the case.
fn run_case(case: &Case, simulation: Simulation) -> Outcome {
    match case.spec.precision {
        Precision::F64 => run::<f64>(case, simulation),
        Precision::F32 => run::<f32>(case, simulation),
    }
}

fn set_maps(case: &Case, simulation: &mut Simulation) {
    for (coefficient, map) in &case.maps {
        let set = simulation.set_map(*coefficient, Some(map.view()));
        set.unwrap_or_else(|error| panic!("{error}\n{case:?}"));
    }
}

/// Without them some tests are of the general kernel alone.
fn has_kernels_for_speed() -> bool {
    SimdLevel::available().iter().any(|&level| is_for_speed(level))
}

/// Guards the central promise of the engine: whatever computes a cell, its bits are those of
/// the plain loop.
#[test]
fn ten_thousand_draws_equal_the_plain_loop() {
    let pools = pools();
    let (mut unstable, mut not_finite) = (0, 0);
    // Cases of the kernel that leaves them for later.
    let (mut activated, mut clamped, mut quiet, mut noisy, mut timed) = (0, 0, 0, 0, 0);
    for number in 0..CASES {
        let case = Case::draw(&mut Dice::new(number));
        let mut simulation =
            Simulation::new(case.spec.clone()).unwrap_or_else(|error| panic!("{error}\n{case:?}"));
        if simulation.lacks_host_reaction() {
            simulation.set_host_reaction(Arc::new(Oscillator)).expect("host kinetics");
        }
        simulation.set_execution(case.execution).expect("an available level");
        if let Some(pool) = case.threads.checked_sub(2) {
            simulation.set_pool(pools[pool].clone());
        }
        set_maps(&case, &mut simulation);
        let outcome = run_case(&case, simulation);
        unstable += u64::from(outcome.unstable);
        not_finite += u64::from(outcome.not_finite);
        if case.is_plain() {
            noisy += u64::from(case.spec.quantum_jitter);
            timed += u64::from(case.spec.time_step != 1.0);
        }
        if case.is_plain() && !case.spec.quantum_jitter {
            activated += u64::from(outcome.activations > 0);
            clamped += u64::from(outcome.clamps > 0);
            quiet += u64::from(outcome.activations + outcome.clamps == 0);
        }
    }
    // All kinds must be among the draws, or a part of the comparison is empty.
    assert!(unstable > 20 && unstable < CASES / 4, "{unstable} unstable cases");
    assert!(not_finite > 20, "{not_finite} cases that went on with values that are not finite");
    if has_kernels_for_speed() {
        let kinds = [activated, clamped, quiet, noisy, timed];
        assert!(
            kinds.iter().all(|&cases| cases > 20),
            "{kinds:?} activated, clamped, quiet, noisy, timed cases"
        );
    }
}

/// Guards pools of a simulation's own, and the pool of a host in which a step is made.
#[test]
fn own_and_ambient_threads_give_the_same_bits() {
    for number in 0..40 {
        let case = Case::draw(&mut Dice::new(1_000_000 + number));
        let make = |threads| {
            let mut simulation = Simulation::new(case.spec.clone()).expect("accepted");
            if simulation.lacks_host_reaction() {
                simulation.set_host_reaction(Arc::new(Oscillator)).expect("host kinetics");
            }
            let execution = Execution { threads, ..case.execution };
            simulation.set_execution(execution).expect("an available level");
            set_maps(&case, &mut simulation);
            run_case(&case, simulation);
        };
        make(case.threads);
        pools()[0].install(|| make(0));
    }
}

/// Guards the kernels that take a product for exact: of cells so large that four times them is no number of their
/// type it is not, and a host may begin with such cells. Also guards the counts of clamps where their sums are NaN.
#[test]
fn huge_cells_equal_the_plain_loop() {
    let (mut moved, mut not_finite) = (0, 0);
    for number in 0..400 {
        let mut dice = Dice::new(2_000_000 + number);
        let mut case = Case::draw(&mut dice);
        case.spec.steps = [1, 20][number as usize % 2];
        case.spec.check_stability = number % 3 == 0;
        let mut simulation = Simulation::new(case.spec.clone()).expect("accepted");
        if simulation.lacks_host_reaction() {
            continue;
        }
        simulation.set_execution(case.execution).expect("an available level");
        set_maps(&case, &mut simulation);
        let most = if case.spec.precision == Precision::F32 { f64::from(f32::MAX) } else { f64::MAX };
        let share = [0.6, 0.12, 1e-7, 5e-8][number as usize / 2 % 4];
        let mut huge = || {
            Array2::from_shape_simple_fn((case.spec.rows(), case.spec.cols()), || {
                most * dice.within(-share, share)
            })
        };
        simulation.set_initial_field(huge().view()).expect("finite");
        // Squares of these are infinite, which most kinetics do not survive.
        if number % 4 == 0 {
            simulation.set_initial_activator(huge().view()).expect("finite");
            simulation.set_initial_inhibitor(huge().view()).expect("finite");
        }
        // Cells that were set are looked at otherwise than those of a state.
        if number / 8 % 2 == 0 {
            simulation = Simulation::from_state(simulation.state()).expect("a state that it wrote itself");
            simulation.set_execution(case.execution).expect("an available level");
        }
        let outcome = run_case(&case, simulation);
        moved += u64::from(!outcome.unstable);
        not_finite += u64::from(outcome.not_finite);
    }
    assert!(moved > 60, "{moved} runs were kept");
    assert!(not_finite > 20, "{not_finite} runs went on with values that are not finite");
}

/// Guards the activators above their range, which the kernel for speed leaves for later: also those at the edges, which
/// are neighbours across a grid that wraps.
#[test]
fn activators_above_their_range_equal_the_plain_loop() {
    let mut copied_at_edge = 0;
    for number in 0..2000 {
        let mut dice = Dice::new(3_000_000 + number);
        let mut case = Case::draw(&mut dice);
        case.spec.steps += 1;
        if case.spec.compat.is_none() && number % 4 == 0 {
            case.spec.turing_threshold = [0.0, 1.0][number as usize / 4 % 2];
        }
        let mut simulation = Simulation::new(case.spec.clone()).expect("accepted");
        if simulation.lacks_host_reaction() {
            continue;
        }
        set_maps(&case, &mut simulation);
        let mut cells = |low, high| {
            Array2::from_shape_simple_fn((case.spec.rows(), case.spec.cols()), || dice.within(low, high))
        };
        simulation.set_initial_activator(cells(0.8, 1.3).view()).expect("finite");
        simulation.set_initial_inhibitor(cells(0.0, 0.1).view()).expect("finite");
        // The first block after cells are set is another kernel's.
        let begin = || Simulation::from_state(simulation.state()).expect("its own state");
        // Else nobody reads the cells beside the grid that the second pass copies.
        let copies =
            case.spec.boundary_condition != BoundaryCondition::Dirichlet && case.execution.block_steps != 1;
        if copies && case.is_plain() && case.spec.kinetics == Kinetics::V4_1 {
            let mut first = begin();
            let _ = first.run(1, &mut |_| std::ops::ControlFlow::Continue(()));
            copied_at_edge += u64::from(first.activator().column(0).iter().any(|&cell| cell == 1.0));
        }
        let mut simulation = begin();
        simulation.set_execution(case.execution).expect("an available level");
        run_case(&case, simulation);
    }
    assert!(copied_at_edge > 20 || !has_kernels_for_speed(), "{copied_at_edge} runs with such cells");
}

/// Guards the blocks that are not watched, which follow a first one: near the limits of potential and activator, with
/// growth events that may pass them, in both precisions, and beside maps, with which every block is watched.
#[test]
fn blocks_near_their_limits_equal_the_plain_loop() {
    let (mut quiet, mut eventful) = (0, 0);
    for number in 0..2000 {
        let mut dice = Dice::new(4_000_000 + number);
        let mut case = Case::draw(&mut dice);
        if number % 4 != 0 {
            case.maps.clear();
        }
        // They were drawn for another time step.
        case.maps.iter_mut().for_each(|(_, map)| *map *= case.spec.time_step);
        case.spec = Spec {
            rows: Some(case.spec.rows()),
            cols: Some(case.spec.cols()),
            precision: [Precision::F64, Precision::F32][number as usize % 2],
            boundary_condition: case.spec.boundary_condition,
            random_seed: number,
            steps: 40,
            compat: None,
            alpha: dice.within(0.0, 0.25),
            r_activator: dice.within(0.001, 0.1),
            r_inhibitor: dice.within(0.001, 0.1),
            turing_threshold: dice.within(0.05, 1.0),
            spike_probability: dice.within(0.0, 1.0),
            ..Spec::v4_1()
        };
        let lowest = dice.within(-0.094, 0.036);
        let most = dice.within(0.2, 1.0) * case.spec.turing_threshold;
        let mut simulation = Simulation::new(case.spec.clone()).expect("accepted");
        set_maps(&case, &mut simulation);
        let mut cells = |low, high| {
            Array2::from_shape_simple_fn((case.spec.rows(), case.spec.cols()), || dice.within(low, high))
        };
        simulation.set_initial_field(cells(lowest, lowest + 0.003).view()).expect("finite");
        simulation.set_initial_activator(cells(0.9 * most, most).view()).expect("finite");
        simulation.set_initial_inhibitor(cells(0.0, 0.1).view()).expect("finite");
        let mut simulation = Simulation::from_state(simulation.state()).expect("its own state");
        simulation.set_execution(case.execution).expect("an available level");
        let outcome = run_case(&case, simulation);
        let is_eventful = outcome.activations + outcome.clamps > 0;
        *(if is_eventful { &mut eventful } else { &mut quiet }) += 1;
    }
    assert!(quiet > 400 && eventful > 400, "{quiet} {eventful}");
}

/// Guards the counts of a potential that diffusion and leak pull to both infinities at once: it is NaN, in every step.
#[test]
fn potentials_that_become_nan_are_counted() {
    for simd in SimdLevel::available() {
        for block_steps in [1, 16] {
            let spec = Spec {
                rows: Some(3),
                cols: Some(3),
                steps: 16,
                boundary_condition: BoundaryCondition::Neumann,
                time_step: 0.03,
                alpha: 5.0,
                leak_rate: 20.0,
                check_stability: false,
                spike_probability: 0.0,
                turing_threshold: 2.0,
                ..Spec::default()
            };
            let execution = Execution { simd, block_steps, threads: 1, ..Execution::default() };
            let case = Case { spec: spec.clone(), maps: Vec::new(), threads: 1, execution };
            for (share, nan) in [(0.99 / 8.0, true), (0.99 / f64::from(1 << 24), false)] {
                let mut simulation = Simulation::new(spec.clone()).expect("accepted");
                let mut cells = Array2::from_elem((3, 3), share * f64::MAX);
                cells[[1, 1]] /= 2.0;
                simulation.set_initial_field(cells.view()).expect("finite");
                let mut simulation = Simulation::from_state(simulation.state()).expect("its own state");
                simulation.set_execution(execution).expect("an available level");
                assert_eq!(run::<f64>(&case, simulation).not_finite, nan, "{share}");
            }
        }
    }
}

/// Guards the kernel that leaks also where the rate is 0, at either sign of it: zeros keep the signs that they have without
/// a leak, above, at and below rest.
#[test]
fn a_leak_of_zero_changes_no_sign() {
    for (leak_rate, simd) in SimdLevel::available().into_iter().flat_map(|simd| [(0.0, simd), (-0.0, simd)]) {
        for (alpha, precision) in [(0.0, Precision::F64), (0.2, Precision::F64), (0.2, Precision::F32)] {
            let spec = Spec {
                rows: Some(9),
                cols: Some(48),
                steps: 6,
                time_step: 0.5,
                leak_rate,
                alpha,
                precision,
                spike_probability: 0.0,
                ..Spec::v4_1()
            };
            let spec = Spec { compat: None, ..spec };
            let execution = Execution { simd, threads: 1, ..Execution::default() };
            let case = Case { spec: spec.clone(), maps: Vec::new(), threads: 1, execution };
            assert!(case.is_plain() || !is_for_speed(simd));
            // Whole areas of each, for changes of 0; beside a zero something less, for changes of -0 where nothing diffuses.
            let kinds = [-0.0, -0.07, 0.0, -0.08, -5e-324, 5e-324, f64::from(-0.07_f32), 0.03];
            let cells = Array2::from_shape_fn((9, 48), |(_, column)| kinds[column / 6]);
            let mut simulation = Simulation::new(spec).expect("accepted");
            simulation.set_initial_field(cells.view()).expect("finite");
            // The first block after cells are set is another kernel's.
            let mut simulation = Simulation::from_state(simulation.state()).expect("its own state");
            simulation.set_execution(execution).expect("an available level");
            run_case(&case, simulation);
        }
    }
}
