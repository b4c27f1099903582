//! Runs on several threads, which do many blocks without waiting for each other between them, against runs on one thread.

use mfn_sim::{Coefficient, Precision, RngKind};
use ndarray::Array2;

use super::*;

/// Lanes and their steps: relays are of up to 8 times as many steps, and the lanes of a grid of 61 rows have room for these.
const CUTS: [(usize, usize); 5] = [(2, 7), (3, 4), (3, 10), (5, 2), (5, 6)];

fn on_threads(mut simulation: Simulation, (threads, block_steps): (usize, usize)) -> Simulation {
    let execution = Execution { threads, block_steps, band_rows: 1, ..Execution::default() };
    simulation.set_execution(execution).unwrap();
    assert_eq!(simulation.execution_used().block_steps, block_steps);
    simulation
}

/// Guards the random numbers, growth events and other counters of relays, between which there are blocks of the steps
/// that are left.
#[test]
fn relays_leave_what_single_steps_leave() {
    for (rng, quantum_jitter) in [(RngKind::Pcg64, false), (RngKind::Philox, false), (RngKind::Philox, true)]
    {
        for precision in [Precision::F64, Precision::F32] {
            let spec = Spec {
                rows: Some(61),
                cols: Some(23),
                spike_probability: 0.9,
                initial_condition: InitialCondition::Random,
                turing_threshold: 0.02,
                rng,
                quantum_jitter,
                precision,
                ..Spec::default()
            };
            let mut single = Simulation::new(spec.clone()).unwrap();
            let mut expected = Vec::new();
            for steps in [300, 41] {
                (0..steps).for_each(|_| single.step().unwrap());
                expected.push(outcome(&single, Ok(())));
            }
            let counters = single.counters();
            assert!(counters.activations > 0 && counters.growth_events > 250, "{counters:?}");
            for cut in CUTS {
                let mut relays = on_threads(Simulation::new(spec.clone()).unwrap(), cut);
                for (steps, expected) in [300, 41].into_iter().zip(&expected) {
                    let result = relays.run(steps, &mut go_on).map(drop);
                    assert!(outcome(&relays, result) == *expected, "{cut:?}\n{spec:?}");
                }
            }
        }
    }
}

/// A run that wraps and becomes unstable after some dozen steps.
fn unstable(rng: RngKind) -> Spec {
    Spec {
        rows: Some(61),
        kinetics: Kinetics::Brusselator(Brusselator { a: 1.0, b: 3.0 }),
        boundary_condition: BoundaryCondition::Periodic,
        rng,
        ..super::unstable()
    }
}

/// Guards a run that becomes unstable in any step of any block of a relay: the step is named and everything is as before
/// it, also the random stream. With rates that leave it stable it goes on from there to the same bits.
#[test]
fn a_failed_step_is_found_in_any_block_of_a_relay() {
    for rng in [RngKind::Pcg64, RngKind::Philox] {
        let spec = unstable(rng);
        let mut single = Simulation::new(spec.clone()).unwrap();
        let result = (0..1000).try_for_each(|_| single.step());
        assert!(matches!(result, Err(SimError::Unstable { .. })), "{result:?}");
        let failing = single.step_count();
        let expected = outcome(&single, result);
        let calm = Array2::zeros((61, 37));
        let go_on_calmly = |simulation: &mut Simulation| {
            for coefficient in [Coefficient::RActivator, Coefficient::RInhibitor] {
                simulation.set_map(coefficient, Some(calm.view())).unwrap();
            }
            let result = simulation.run(90, &mut go_on).map(drop);
            outcome(simulation, result)
        };
        let expected_later = go_on_calmly(&mut single);
        for cut @ (_, block_steps) in CUTS {
            let whole_relay = 8 * block_steps as u64;
            for ahead in (0..whole_relay.min(failing)).step_by(1 + block_steps / 3) {
                let mut relays = Simulation::new(spec.clone()).unwrap();
                relays.run(failing - ahead, &mut go_on).unwrap();
                // A relay begins here: the grid is cut anew.
                let mut relays = on_threads(relays, cut);
                for _ in 0..2 {
                    let result = relays.run(1000, &mut go_on).map(drop);
                    assert!(outcome(&relays, result) == expected, "{ahead} of {cut:?}, {rng:?}");
                }
                assert!(go_on_calmly(&mut relays) == expected_later, "{ahead} of {cut:?}, {rng:?}");
            }
        }
    }
}

/// Guards runs in which numbers that are not finite are no error: they go on to the same bits.
#[test]
fn relays_go_on_where_stability_is_not_checked() {
    for rng in [RngKind::Pcg64, RngKind::Philox] {
        let spec = Spec { check_stability: false, ..unstable(rng) };
        let mut single = Simulation::new(spec.clone()).unwrap();
        single.run(200, &mut go_on).unwrap();
        assert!(single.activator().iter().any(|cell| !cell.is_finite()));
        let expected = outcome(&single, Ok(()));
        for cut in CUTS {
            let mut relays = on_threads(Simulation::new(spec.clone()).unwrap(), cut);
            let result = relays.run(200, &mut go_on).map(drop);
            assert!(outcome(&relays, result) == expected, "{cut:?}, {rng:?}");
        }
    }
}

/// Guards frames between relays, and runs that are stopped there: by an observer, and by a token that another thread sets
/// at any moment.
#[test]
fn relays_are_seen_and_stopped_between_two_steps() {
    let spec = Spec {
        rows: Some(61),
        cols: Some(40),
        // As many as a relay of some blocks and a part of one.
        record_every: 45,
        spike_probability: 0.9,
        initial_condition: InitialCondition::Random,
        ..Spec::default()
    };
    const STEPS: u64 = 1000;
    let mut frames = Frames(Vec::new());
    let mut single = Simulation::new(spec.clone()).unwrap();
    single.run_with(STEPS, &mut frames).unwrap();
    let expected = checkpoint::encode(&single);
    for cut in CUTS {
        let make = || on_threads(Simulation::new(spec.clone()).unwrap(), cut);
        let mut seen = Frames(Vec::new());
        make().run_with(STEPS, &mut seen).unwrap();
        assert!(seen.0 == frames.0, "{cut:?}");

        let mut broken = make();
        let mut observer = Breaking(Vec::new());
        while broken.step_count() < STEPS {
            broken.run_with(STEPS - broken.step_count(), &mut observer).unwrap();
        }
        assert!(checkpoint::encode(&broken) == expected, "{cut:?}");
        assert_eq!(observer.0, (1..=STEPS / 45).map(|frame| 45 * frame).collect::<Vec<_>>());

        let mut stopped = make();
        run_stopped(&mut stopped, STEPS, 200);
        assert!(checkpoint::encode(&stopped) == expected, "{cut:?}");
    }
}
