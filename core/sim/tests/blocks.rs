//! Blocks of steps against steps one by one: a run of any kind leaves the same checkpoint, byte for byte, whatever the
//! blocks that it was computed in, also where a step fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "its fields for the plain loop are not used here")]
#[path = "equivalence/draw.rs"]
mod draw;
#[path = "blocks/relays.rs"]
mod relays;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use draw::{Case, Dice};
use mfn_sim::kinetics::{Brusselator, HostReaction, HostReactionError, Kinetics};
use mfn_sim::{
    BoundaryCondition, CancelToken, Execution, FeatureConfig, Frame, InitialCondition, Observer, RunEnd,
    SimError, SimdLevel, Simulation, Spec, checkpoint,
};

/// A rotation, whose call number `fails_at`, counted from 0, fails.
struct Fragile {
    calls: AtomicU64,
    fails_at: u64,
}

impl Fragile {
    fn new(fails_at: u64) -> Arc<Self> {
        Arc::new(Self { calls: AtomicU64::new(0), fails_at })
    }
}

impl HostReaction for Fragile {
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]) -> Result<(), HostReactionError> {
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.fails_at {
            return Err(HostReactionError::new("tired"));
        }
        for cell in 0..u.len() {
            (du[cell], dv[cell]) = (0.3 * v[cell] - 0.1 * u[cell] * u[cell], 0.2 - 0.3 * u[cell]);
        }
        Ok(())
    }
}

fn go_on(_: mfn_sim::Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn simulation(case: &Case, spec: &Spec, follows: bool) -> Simulation {
    let mut simulation = Simulation::new(spec.clone()).unwrap();
    if simulation.lacks_host_reaction() {
        simulation.set_host_reaction(Fragile::new(u64::MAX)).unwrap();
    }
    for (coefficient, map) in &case.maps {
        simulation.set_map(*coefficient, Some(map.view())).unwrap();
    }
    if follows {
        let config = FeatureConfig { stability_window: 3, ..FeatureConfig::default() };
        let _ = simulation.enable_temporal_features(&config);
    }
    simulation
}

/// Ends and checkpoint of a run.
fn outcome(simulation: &Simulation, result: Result<(), SimError>) -> (String, Vec<u8>) {
    (format!("{result:?} {:?}", simulation.counters()), checkpoint::encode(simulation))
}

/// Guards the promise that a block is nothing that can be seen: results, counters, errors, random stream and the
/// temporal features are those of `step`, for runs that go well and for runs that fail.
#[test]
fn blocks_leave_what_single_steps_leave() {
    let (mut failed, mut followed, mut not_finite) = (0, 0, 0);
    for number in 0..CASES {
        let mut dice = Dice::new(7_000_000 + number);
        let case = Case::draw(&mut dice);
        let follows = number % 2 == 0;
        let mut spec = Spec { steps: 1 + number % 45, ..case.spec.clone() };
        spec.check_stability = number % 5 != 0;
        let mut single = simulation(&case, &spec, follows);
        let level = case.execution.simd;
        single.set_execution(Execution { simd: level, block_steps: 1, ..Execution::default() }).unwrap();
        let result = (0..spec.steps).try_for_each(|_| single.step());
        failed += u64::from(result.is_err());
        followed += u64::from(single.state().temporal.is_some());
        not_finite +=
            u64::from(single.field().iter().chain(single.activator().iter()).any(|c| !c.is_finite()));
        let expected = outcome(&single, result);
        for block_steps in [0, 2, 3, 5, 8, 13, 16] {
            let mut blocks = simulation(&case, &spec, follows);
            let threads = if block_steps % 2 == 0 { 1 } else { case.threads };
            let execution = Execution { threads, block_steps, ..case.execution };
            blocks.set_execution(execution).unwrap();
            let result = blocks.run(spec.steps, &mut go_on).map(drop);
            let found = outcome(&blocks, result);
            assert_eq!(found.0, expected.0, "{execution:?}\n{case:?}");
            assert!(found.1 == expected.1, "checkpoints differ: case {number}, {execution:?}\n{case:?}");
        }
    }
    assert!(failed > CASES / 100 && followed > CASES / 3 && not_finite > CASES / 200);
}

const CASES: u64 = 400;

/// A run that becomes unstable after some dozen steps.
fn unstable() -> Spec {
    Spec {
        rows: Some(13),
        cols: Some(37),
        kinetics: Kinetics::Brusselator(Brusselator { a: 1.0, b: 3.0 }),
        initial_condition: InitialCondition::Random,
        boundary_condition: BoundaryCondition::Neumann,
        r_activator: 0.4,
        r_inhibitor: 0.4,
        spike_probability: 0.9,
        ..Spec::default()
    }
}

/// Guards the replay of a block whose check failed: the step that failed is named and everything is as before it,
/// wherever in the block it was.
#[test]
fn a_failed_step_is_found_in_any_place_of_a_block() {
    for seed in 0..2 {
        let spec = Spec { random_seed: seed, ..unstable() };
        let make = |block_steps| {
            let mut simulation = Simulation::new(spec.clone()).unwrap();
            let config = FeatureConfig { stability_window: 3, ..FeatureConfig::default() };
            simulation.enable_temporal_features(&config).unwrap();
            simulation.set_execution(Execution { block_steps, ..Execution::default() }).unwrap();
            simulation
        };
        let mut single = make(1);
        let result = (0..1000).try_for_each(|_| single.step());
        assert!(matches!(result, Err(SimError::Unstable { .. })), "{result:?}");
        let failing = single.step_count();
        let expected = outcome(&single, result);
        for block_steps in 2..=16 {
            // The block that fails begins up to a whole block before the step.
            for ahead in 0..(block_steps as u64).min(failing + 1) {
                let mut blocks = make(block_steps);
                blocks.run(failing - ahead, &mut go_on).unwrap();
                let result = blocks.run(1000, &mut go_on).map(drop);
                assert!(outcome(&blocks, result) == expected, "{ahead} of {block_steps}, seed {seed}");
                // It fails once more in the same way.
                let again = blocks.run(3, &mut go_on).map(drop);
                assert!(outcome(&blocks, again) == expected, "{ahead} of {block_steps}, seed {seed}");
            }
        }
    }
}

/// Guards the order of the rows of a run on two threads that is cut short: its fields are those of as many steps, whether
/// its observer ends it, panics, or sets the cancel token.
#[test]
fn a_run_that_is_cut_short_leaves_its_rows_in_order() {
    let spec = Spec { rows: Some(48), cols: Some(2048), compat: None, ..Spec::v4_1() };
    type Control<'c> = &'c mut dyn FnMut(&CancelToken) -> ControlFlow<()>;
    let run = |threads, steps, control: Control<'_>| {
        let mut simulation = Simulation::new(spec.clone()).unwrap();
        simulation.set_execution(Execution { threads, ..Execution::default() }).unwrap();
        let token = simulation.cancel_token();
        let mut reports = 0;
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            simulation.run(steps, &mut |_| {
                reports += 1;
                if reports == 2 { control(&token) } else { ControlFlow::Continue(()) }
            })
        }));
        (simulation, ended.map(Result::unwrap).ok())
    };
    let ways: [(Control<'_>, _); 3] = [
        (&mut |_| ControlFlow::Break(()), Some(RunEnd::Cancelled)),
        (&mut |_| panic!("struck"), None),
        (
            &mut |token| {
                token.cancel();
                ControlFlow::Continue(())
            },
            Some(RunEnd::Cancelled),
        ),
    ];
    for (control, expected_end) in ways {
        let (mut cut, ended) = run(2, 1000, control);
        assert_eq!(ended, expected_end);
        let steps = cut.step_count();
        assert!(steps > 0 && steps < 1000, "{steps}");
        let (mut whole, ended) = run(1, steps, &mut |_| ControlFlow::Continue(()));
        assert_eq!(ended, Some(RunEnd::Completed));
        assert!(checkpoint::encode(&cut) == checkpoint::encode(&whole), "{expected_end:?}");
        // And it goes on from there.
        for simulation in [&mut cut, &mut whole] {
            simulation.cancel_token().reset();
            simulation.run(19, &mut go_on).unwrap();
        }
        assert!(checkpoint::encode(&cut) == checkpoint::encode(&whole), "{expected_end:?}");
    }
}

/// Keeps a checkpoint of every frame.
struct Frames(Vec<Vec<u8>>);

impl Observer for Frames {
    fn frame(&mut self, frame: Frame<'_>) -> ControlFlow<()> {
        self.0.push(checkpoint::encode(frame.simulation));
        ControlFlow::Continue(())
    }
}

/// Guards the order of the rows of a run on several threads wherever someone looks at them: in frames between blocks, at
/// the end, after single steps, and where a run of the potential alone is cut short.
#[test]
fn whoever_looks_sees_the_rows_in_order() {
    for turing_enabled in [true, false] {
        let spec = Spec {
            rows: Some(48),
            cols: Some(64),
            record_every: 7,
            spike_probability: 0.9,
            turing_enabled,
            initial_condition: InitialCondition::Random,
            ..Spec::default()
        };
        let seen = |threads| {
            let mut simulation = Simulation::new(spec.clone()).unwrap();
            let execution = Execution { threads, band_rows: 1, block_steps: 3, ..Execution::default() };
            simulation.set_execution(execution).unwrap();
            let mut frames = Frames(Vec::new());
            simulation.run_with(23, &mut frames).unwrap();
            for _ in 0..2 {
                simulation.step().unwrap();
                frames.0.push(checkpoint::encode(&simulation));
            }
            frames.0
        };
        assert_eq!(seen(1).len(), 5);
        assert!(seen(3) == seen(1), "turing {turing_enabled}");

        let long = Spec { cols: Some(2048), record_every: 0, ..spec.clone() };
        let mut cut = Simulation::new(long.clone()).unwrap();
        cut.set_execution(Execution { threads: 2, ..Execution::default() }).unwrap();
        cut.run(1000, &mut |_| ControlFlow::Break(())).unwrap();
        let mut whole = Simulation::new(long).unwrap();
        whole.run(cut.step_count(), &mut go_on).unwrap();
        assert!(checkpoint::encode(&cut) == checkpoint::encode(&whole), "turing {turing_enabled}");
    }
}

/// Guards what a panic of the host leaves: the aborted step has not happened, and the next one counts nothing of it.
#[test]
fn a_panic_of_the_host_leaves_the_steps_before_it() {
    struct Panicking(AtomicU64);

    impl HostReaction for Panicking {
        fn rates(
            &self,
            u: &[f64],
            v: &[f64],
            du: &mut [f64],
            dv: &mut [f64],
        ) -> Result<(), HostReactionError> {
            assert_ne!(self.0.fetch_add(1, Ordering::Relaxed), 25, "struck");
            Fragile { calls: AtomicU64::new(0), fails_at: u64::MAX }.rates(u, v, du, dv)
        }
    }

    // Every cell is activated in every step.
    let spec = Spec {
        rows: Some(10),
        cols: Some(20),
        kinetics: Kinetics::Host,
        initial_condition: InitialCondition::Random,
        turing_threshold: -1e6,
        ..Spec::default()
    };
    let mut whole = Simulation::new(spec.clone()).unwrap();
    whole.set_host_reaction(Fragile::new(u64::MAX)).unwrap();
    whole.run(4, &mut go_on).unwrap();
    // On two threads one of two lanes is done when the other one panics.
    for threads in [1, 2] {
        let mut simulation = Simulation::new(spec.clone()).unwrap();
        simulation.set_host_reaction(Arc::new(Panicking(AtomicU64::new(0)))).unwrap();
        simulation.set_execution(Execution { threads, band_rows: 1, ..Execution::default() }).unwrap();
        simulation.run(2, &mut go_on).unwrap();
        let before = (format!("{:?}", simulation.counters()), checkpoint::encode(&simulation));
        let struck = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| simulation.step()));
        assert!(struck.is_err());
        assert!(before == (format!("{:?}", simulation.counters()), checkpoint::encode(&simulation)));
        simulation.run(2, &mut go_on).unwrap();
        assert_eq!(simulation.counters().activations, 4 * 200);
        assert!(checkpoint::encode(&simulation) == checkpoint::encode(&whole), "{threads} threads");
    }
}

/// Guards a run whose host fails at any call: the step is named and undone, and the run goes on from there to the bits of
/// a run without failure.
#[test]
fn a_failure_of_the_host_leaves_the_steps_before_it() {
    let spec = Spec {
        rows: Some(7),
        cols: Some(70),
        kinetics: Kinetics::Host,
        initial_condition: InitialCondition::Random,
        quantum_jitter: true,
        spike_probability: 0.9,
        ..Spec::default()
    };
    for rng in [mfn_sim::RngKind::Pcg64, mfn_sim::RngKind::Philox] {
        for (strip_cols, threads) in [(0, 1), (16, 1), (32, 3)] {
            let spec = Spec { rng, ..spec.clone() };
            let make = |fails_at| {
                let mut simulation = Simulation::new(spec.clone()).unwrap();
                simulation.enable_temporal_features(&FeatureConfig::default()).unwrap();
                simulation.set_host_reaction(Fragile::new(fails_at)).unwrap();
                let execution =
                    Execution { threads, strip_cols, band_rows: 1, block_steps: 8, ..Execution::default() };
                simulation.set_execution(execution).unwrap();
                simulation
            };
            let mut whole = make(u64::MAX);
            let mut states = vec![checkpoint::encode(&whole)];
            for _ in 0..9 {
                whole.run(1, &mut go_on).unwrap();
                states.push(checkpoint::encode(&whole));
            }
            for fails_at in (0..62).step_by(5) {
                let mut simulation = make(fails_at);
                let error = simulation.run(9, &mut go_on).unwrap_err();
                let SimError::HostReaction { step, .. } = error else { panic!("{error}") };
                assert_eq!(simulation.step_count(), step);
                assert!(checkpoint::encode(&simulation) == states[step as usize], "call {fails_at}");
                simulation.run(9 - step, &mut go_on).unwrap();
                assert!(checkpoint::encode(&simulation) == states[9], "call {fails_at}");
            }
        }
    }
}

/// Guards the shapes that random draws do not reach: 2^16 cells on a side, prime sides, one cell. One growth event in
/// each step reaches every edge cell of the small ones.
#[test]
fn extreme_shapes_in_blocks() {
    for (rows, cols) in
        [(1, 65_536), (65_536, 1), (2, 40_009), (20_011, 3), (1, 1), (2, 2), (1, 3), (131, 257)]
    {
        for boundary_condition in
            [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet]
        {
            for follows in [false, true] {
                // Long grids once in each precision, which takes long enough.
                let is_single = follows == (boundary_condition == BoundaryCondition::Periodic);
                let precision = if is_single { mfn_sim::Precision::F32 } else { mfn_sim::Precision::F64 };
                let spec = Spec {
                    rows: Some(rows),
                    cols: Some(cols),
                    boundary_condition,
                    precision,
                    spike_probability: 1.0,
                    quantum_jitter: rows % 2 == 1,
                    ..Spec::default()
                };
                let make = |execution: Execution| {
                    let mut simulation = Simulation::new(spec.clone()).unwrap();
                    if follows {
                        simulation.enable_temporal_features(&FeatureConfig::default()).unwrap();
                    }
                    simulation.set_execution(execution).unwrap();
                    simulation
                };
                let mut single = make(Execution { block_steps: 1, strip_cols: 0, ..Execution::default() });
                for _ in 0..19 {
                    single.step().unwrap();
                }
                let expected = checkpoint::encode(&single);
                for (threads, block_steps) in [(1, 0), (3, 16)] {
                    let simd = if threads == 1 { SimdLevel::Baseline } else { SimdLevel::Auto };
                    let mut blocks = make(Execution { threads, block_steps, simd, ..Execution::default() });
                    blocks.run(19, &mut go_on).unwrap();
                    let same = checkpoint::encode(&blocks) == expected;
                    assert!(same, "{rows} x {cols}, {threads} threads, {block_steps}\n{spec:?}");
                }
            }
        }
    }
}

/// Breaks at every frame and at every report, and keeps the steps of the frames.
struct Breaking(Vec<u64>);

impl mfn_sim::Observer for Breaking {
    fn frame(&mut self, frame: mfn_sim::Frame<'_>) -> ControlFlow<()> {
        assert_eq!(frame.step, frame.simulation.step_count());
        self.0.push(frame.step);
        ControlFlow::Break(())
    }

    fn progress(&mut self, progress: mfn_sim::Progress) -> ControlFlow<()> {
        assert!(progress.step <= progress.steps_total);
        ControlFlow::Break(())
    }
}

/// Runs to a step while another thread sets the token again and again, so that the run is stopped at any moment.
fn run_stopped(simulation: &mut Simulation, steps: u64, pause_us: u64) {
    let token = simulation.cancel_token();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                token.cancel();
                std::thread::sleep(std::time::Duration::from_micros(pause_us));
            }
        });
        while simulation.step_count() < steps {
            token.reset();
            simulation.run(steps - simulation.step_count(), &mut go_on).unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

/// Guards runs that are stopped between any two steps: by observers that break whenever they can and by a token that
/// another thread sets at any moment. Each goes on to the bits of the run in one piece, and sees each frame once.
#[test]
fn stopped_runs_go_on_to_the_same_bits() {
    const STEPS: u64 = 500;
    for (record_every, grid_size) in [(0, 40), (1, 12), (2, 40), (7, 40), (1000, 40), (0, 600)] {
        let steps = if grid_size > 100 { 40 } else { STEPS };
        let spec = Spec {
            grid_size,
            steps,
            record_every,
            spike_probability: 0.9,
            quantum_jitter: true,
            ..Spec::default()
        };
        let make = |block_steps| {
            let mut simulation = Simulation::new(spec.clone()).unwrap();
            simulation.enable_temporal_features(&FeatureConfig::default()).unwrap();
            simulation.set_execution(Execution { block_steps, ..Execution::default() }).unwrap();
            simulation
        };
        let mut whole = make(0);
        whole.run(steps, &mut go_on).unwrap();
        let expected = checkpoint::encode(&whole);

        for block_steps in [0, 5, 16] {
            let mut observer = Breaking(Vec::new());
            let mut broken = make(block_steps);
            while broken.step_count() < steps {
                let before = broken.step_count();
                broken.run_with(steps - before, &mut observer).unwrap();
                assert!(broken.step_count() > before);
            }
            assert!(checkpoint::encode(&broken) == expected, "every {record_every}");
            let frames: Vec<u64> =
                (1..=steps).filter(|step| record_every > 0 && step % record_every == 0).collect();
            assert_eq!(observer.0, frames);
        }

        let mut stopped = make(0);
        run_stopped(&mut stopped, steps, 50);
        assert!(checkpoint::encode(&stopped) == expected, "every {record_every}");
    }
}
