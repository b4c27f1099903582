//! What a host gives to a run (fields, maps, kinetics, threads) and takes from it (frames, state), over the whole
//! range and beyond: a value or a typed error that leaves the run as it was.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mfn_sim::kinetics::{HostReaction, HostReactionError, Kinetics};
use mfn_sim::{
    Coefficient, Execution, ExecutionError, FeatureConfig, FieldPlanes, Frame, InitialFieldError, MapError,
    Observer, PRESETS, Precision, Progress, RngKind, RunEnd, SimError, SimdLevel, Simulation,
    SimulationState, Spec, StateError, THREADS_MAX,
};
use ndarray::Array2;
use proptest::prelude::*;

fn small() -> Spec {
    Spec { rows: Some(5), cols: Some(7), ..Spec::default() }
}

fn run(simulation: &mut Simulation, steps: u64) {
    simulation.run(steps, &mut |_| ControlFlow::Continue(())).expect("stable");
}

fn bits(simulation: &Simulation) -> Vec<u64> {
    let fields = [simulation.field(), simulation.activator(), simulation.inhibitor()];
    fields.iter().flat_map(|field| field.iter().map(|value| value.to_bits())).collect()
}

/// Guards every preset: it runs, in both precisions and with both kinds of random numbers.
#[test]
fn presets_run() {
    for (name, make) in PRESETS {
        for precision in [Precision::F64, Precision::F32] {
            for rng in [RngKind::Philox, RngKind::Pcg64] {
                let spec = Spec { grid_size: 20, precision, rng, compat: None, ..make() };
                let mut simulation = Simulation::new(spec).unwrap_or_else(|error| panic!("{name}: {error}"));
                run(&mut simulation, 50);
                assert!(simulation.statistics().activator_mean.is_finite(), "{name}");
                assert_eq!(simulation.field_f32().is_some(), precision == Precision::F32);
            }
        }
    }
}

/// Guards the thinnest and longest grids, and one that no machine holds.
#[test]
fn extreme_shapes_run() {
    for (rows, cols) in [(1, 1), (1, 65_536), (65_536, 1), (2, 3)] {
        let spec = Spec { rows: Some(rows), cols: Some(cols), quantum_jitter: true, ..Spec::default() };
        let mut simulation = Simulation::new(spec).expect("accepted");
        simulation.set_execution(Execution { threads: 2, ..Execution::default() }).expect("threads");
        run(&mut simulation, 3);
        assert_eq!(simulation.field().dim(), (rows, cols));
    }
    let huge = Spec { rows: Some(65_536), cols: Some(65_536), ..Spec::default() };
    assert!(matches!(Simulation::new(huge), Err(SimError::Spec(_))));
}

/// Guards each refusal of a map, and that a refused one changes nothing.
#[test]
fn maps_are_checked() {
    let mut simulation = Simulation::new(small()).expect("accepted");
    let mut untouched = Simulation::new(small()).expect("accepted");
    let wrong = Array2::zeros((7, 5));
    let refused = simulation.set_map(Coefficient::Alpha, Some(wrong.view()));
    assert!(matches!(refused, Err(SimError::Map(MapError::Shape { name: "alpha", rows: 5, .. }))));
    for coefficient in Coefficient::ALL {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-9, 2e6] {
            let mut map = Array2::from_elem((5, 7), 0.1);
            map[[4, 2]] = bad;
            let refused = simulation.set_map(coefficient, Some(map.view()));
            let Err(SimError::Map(MapError::Cell { row: 4, column: 2, fault, .. })) = refused else {
                panic!("{coefficient:?} = {bad}: {refused:?}");
            };
            assert_eq!(fault.field(), coefficient.name());
        }
    }
    for simulation in [&mut simulation, &mut untouched] {
        run(simulation, 4);
    }
    assert_eq!(bits(&simulation), bits(&untouched));
}

/// Guards that a map of rates with one value is that value, bit for bit, and that a map can be
/// taken back.
#[test]
fn a_uniform_map_of_rates_is_the_rate() {
    let spec = Spec { r_activator: 0.7, ..small() };
    let mut scalar = Simulation::new(spec.clone()).expect("accepted");
    let mut mapped = Simulation::new(Spec { r_activator: 0.1, ..spec }).expect("accepted");
    let map = Array2::from_elem((5, 7), 0.7);
    mapped.set_map(Coefficient::RActivator, Some(map.view())).expect("in range");
    run(&mut scalar, 20);
    run(&mut mapped, 20);
    assert_eq!(bits(&scalar), bits(&mapped));
    assert_eq!(mapped.map(Coefficient::RActivator), Some(vec![0.7; 35]));
    mapped.set_map(Coefficient::RActivator, None).expect("taken back");
    assert_eq!(mapped.map(Coefficient::RActivator), None);
}

/// Guards initial activator and inhibitor: they are taken, and refused as the potential is.
#[test]
fn initial_morphogens_are_taken() {
    for precision in [Precision::F64, Precision::F32] {
        let mut simulation = Simulation::new(Spec { precision, ..small() }).expect("accepted");
        let field = Array2::from_shape_fn((5, 7), |(row, column)| row as f64 + 0.25 * column as f64);
        simulation.set_initial_activator(field.view()).expect("before the first step");
        simulation.set_initial_inhibitor(field.t().t()).expect("before the first step");
        assert_eq!(
            (simulation.activator(), simulation.inhibitor()),
            (field.view().into(), field.view().into())
        );
        // Beyond single precision it would become infinite.
        let far = Array2::from_elem((5, 7), 1e300);
        let taken = simulation.set_initial_activator(far.view());
        let too_large = Err(InitialFieldError::NotFinite { row: 0, column: 0, value: 1e300 }.into());
        assert_eq!(taken, if precision == Precision::F32 { too_large } else { Ok(()) });
        simulation.set_initial_activator(field.view()).expect("before the first step");
        run(&mut simulation, 1);
        let late = simulation.set_initial_inhibitor(field.view());
        assert!(matches!(late, Err(SimError::InitialField(InitialFieldError::Started { step_count: 1 }))));
    }
}

/// A host whose kinetics fails, or gives NaN, from a call on.
struct Failing {
    calls: AtomicU64,
    from: u64,
    nan: bool,
}

impl HostReaction for Failing {
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]) -> Result<(), HostReactionError> {
        let fails = self.calls.fetch_add(1, Ordering::Relaxed) >= self.from;
        if fails && !self.nan {
            return Err(HostReactionError::new("the reactor is empty"));
        }
        for cell in 0..u.len() {
            du[cell] = if fails { f64::NAN } else { 0.1 * (v[cell] - u[cell]) };
            dv[cell] = 0.1 * (u[cell] - v[cell]);
        }
        Ok(())
    }
}

/// Guards the failures of a host's kinetics: typed, the step discarded, the run unchanged.
#[test]
fn a_failing_host_discards_the_step() {
    let spec = Spec {
        kinetics: Kinetics::Host,
        initial_condition: mfn_sim::InitialCondition::Random,
        spike_probability: 1.0,
        rng: RngKind::Pcg64,
        ..small()
    };
    let mut without = Simulation::new(spec.clone()).expect("accepted");
    assert!(without.lacks_host_reaction());
    assert!(matches!(without.step(), Err(SimError::HostReaction { step: 0, .. })));
    for nan in [false, true] {
        let mut simulation = Simulation::new(spec.clone()).expect("accepted");
        // Five rows of one strip make five calls in a step.
        let failing = Failing { calls: AtomicU64::new(0), from: 17, nan };
        simulation.set_host_reaction(Arc::new(failing)).expect("host kinetics");
        run(&mut simulation, 3);
        let before = (bits(&simulation), simulation.counters().growth_events, simulation.state().pcg64);
        match simulation.step() {
            Err(SimError::HostReaction { step: 3, failure }) if !nan => {
                assert_eq!(failure.to_string(), "the reactor is empty");
            }
            Err(SimError::Unstable { step: 3, field: "activator", nan_count, .. }) if nan => {
                assert_eq!(nan_count, 21, "three rows");
            }
            other => panic!("{other:?}"),
        }
        let after = (bits(&simulation), simulation.counters().growth_events, simulation.state().pcg64);
        assert_eq!(before, after);
    }
    let other = Failing { calls: AtomicU64::new(0), from: 0, nan: false };
    let refused = Simulation::new(small()).expect("accepted").set_host_reaction(Arc::new(other));
    assert!(matches!(refused, Err(SimError::NoHostKinetics { kinetics: "gray-scott" })));
}

/// Guards what cannot be carried out: refused, and the run goes on as before.
#[test]
fn executions_are_checked() {
    let mut simulation = Simulation::new(small()).expect("accepted");
    let before = simulation.execution();
    let too_many = Execution { threads: THREADS_MAX + 1, ..before };
    assert!(matches!(
        simulation.set_execution(too_many),
        Err(SimError::Execution(ExecutionError::Threads { .. }))
    ));
    for simd in [SimdLevel::Avx2, SimdLevel::Avx512] {
        let result = simulation.set_execution(Execution { simd, ..before });
        assert_eq!(result.is_ok(), simd.is_available());
    }
    simulation.set_execution(before).expect("the default");
    assert_eq!((simulation.execution(), simulation.simd_level() == SimdLevel::Auto), (before, false));
    let extreme = Execution { band_rows: usize::MAX, strip_cols: usize::MAX, ..before };
    simulation.set_execution(extreme).expect("cut to the grid");
    run(&mut simulation, 2);
}

/// Notes the steps of its frames and stops at one.
struct Notes {
    steps: Vec<u64>,
    stop_at: u64,
    reports: u64,
}

impl Observer for Notes {
    fn frame(&mut self, frame: Frame<'_>) -> ControlFlow<()> {
        assert_eq!(frame.simulation.step_count(), frame.step);
        self.steps.push(frame.step);
        if frame.step == self.stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn progress(&mut self, _progress: Progress) -> ControlFlow<()> {
        self.reports += 1;
        ControlFlow::Continue(())
    }
}

/// Guards the rhythm of frames, which counts from the start of the run and not of the call, and
/// that an observer stops a run which then goes on.
#[test]
fn observers_see_every_kth_step() {
    let mut simulation = Simulation::new(Spec { record_every: 3, ..small() }).expect("accepted");
    let mut notes = Notes { steps: Vec::new(), stop_at: 9, reports: 0 };
    assert_eq!(simulation.run_with(4, &mut notes), Ok(RunEnd::Completed));
    assert_eq!(simulation.run_with(100, &mut notes), Ok(RunEnd::Cancelled));
    assert_eq!((notes.steps, notes.reports), (vec![3, 6, 9], 1));
    assert_eq!(simulation.step_count(), 9);
    let mut silent = Simulation::new(small()).expect("accepted");
    let mut notes = Notes { steps: Vec::new(), stop_at: 0, reports: 0 };
    assert_eq!(silent.run_with(10, &mut notes), Ok(RunEnd::Completed));
    assert_eq!((notes.steps.len(), notes.reports), (0, 1));
}

fn damaged(change: impl Fn(&mut SimulationState)) -> Result<Simulation, SimError> {
    let mut state = Simulation::new(small()).expect("accepted").state();
    change(&mut state);
    Simulation::from_state(state)
}

/// Guards the temporal features of a state: frames that the run did not have, a last frame that is not its field.
#[test]
fn damaged_temporal_features_are_refused() {
    let damaged = |change: &dyn Fn(&mut SimulationState)| {
        let mut simulation = Simulation::new(small()).expect("accepted");
        simulation.enable_temporal_features(&FeatureConfig::default()).expect("defaults");
        simulation.step().expect("stable");
        simulation.step().expect("stable");
        let mut state = simulation.state();
        change(&mut state);
        Simulation::from_state(state).map(drop)
    };
    assert!(damaged(&|_| ()).is_ok());
    let frames = damaged(&|state| state.counters.steps = 1);
    assert!(matches!(frames, Err(SimError::State(StateError::Count { .. }))), "{frames:?}");
    let last = damaged(&|state| {
        if let Some(temporal) = &mut state.temporal {
            temporal.last_mv[3] += 1.0;
        }
    });
    assert!(matches!(last, Err(SimError::State(StateError::LastFrame))), "{last:?}");
}

/// Guards against states that are none.
#[test]
fn damaged_states_are_refused() {
    assert!(damaged(|_| ()).is_ok());
    let cells = damaged(|state| {
        if let FieldPlanes::F64(fields) = &mut state.fields {
            fields[2].pop();
        }
    });
    let wanted = StateError::Cells { name: "inhibitor", given: 34, cells: 35 };
    assert!(matches!(cells, Err(SimError::State(error)) if error == wanted));
    let precision = damaged(|state| state.spec.precision = Precision::F32);
    assert!(matches!(precision, Err(SimError::State(StateError::Precision { precision: "f32" }))));
    let stream = damaged(|state| state.spec.rng = RngKind::Pcg64);
    assert!(matches!(stream, Err(SimError::State(StateError::Stream { rng: "pcg64" }))));
    assert!(matches!(damaged(|state| state.maps[1] = Some(vec![])), Err(SimError::State(_))));
    // A run that went on from these would overflow its counters.
    let steps = damaged(|state| state.counters.steps = u64::MAX);
    let wanted = StateError::Count { name: "steps", value: u64::MAX, max: 1 << 62 };
    assert!(matches!(steps, Err(SimError::State(error)) if error == wanted));
    let events = damaged(|state| state.counters.growth_events = 1);
    assert!(matches!(events, Err(SimError::State(StateError::Count { name: "growth_events", max: 0, .. }))));
    assert!(matches!(damaged(|state| state.maps[1] = Some(vec![9.0; 35])), Err(SimError::Map(_))));
    assert!(matches!(damaged(|state| state.spec.alpha = f64::NAN), Err(SimError::Spec(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Guards the state: a run interrupted anywhere goes on with the same bits, counters and
    /// features, with maps, noise and every kind of random numbers.
    #[test]
    fn a_run_goes_on_from_its_state(
        seed in any::<u64>(),
        (before, after) in (0u64..12, 1u64..12),
        (single, sequence, jitter, mapped) in any::<(bool, bool, bool, bool)>(),
    ) {
        let spec = Spec {
            grid_size: 9,
            random_seed: seed,
            precision: if single { Precision::F32 } else { Precision::F64 },
            rng: if sequence { RngKind::Pcg64 } else { RngKind::Philox },
            quantum_jitter: jitter,
            ..Spec::default()
        };
        let mut whole = Simulation::new(spec).expect("accepted");
        if mapped {
            let map = Array2::from_shape_fn((9, 9), |(row, column)| 0.01 * (row + column) as f64);
            whole.set_map(Coefficient::DInhibitor, Some(map.view())).expect("in range");
        }
        whole.enable_temporal_features(&FeatureConfig::default()).expect("defaults");
        run(&mut whole, before);
        let mut resumed = Simulation::from_state(whole.state()).expect("a state");
        run(&mut whole, after);
        run(&mut resumed, after);
        prop_assert_eq!(bits(&whole), bits(&resumed));
        prop_assert_eq!(whole.counters(), resumed.counters());
        prop_assert_eq!(whole.features(), resumed.features());
    }

    /// Guards against panics: any numbers in any field are a run or a typed error.
    #[test]
    fn any_numbers_are_a_run_or_an_error(
        (rows, cols) in (0usize..9, 0usize..9),
        numbers in prop::collection::vec(
            prop_oneof![3 => 0.0..0.3, 1 => any::<f64>(), 1 => -1e3..1e3], 12
        ),
        preset in 0..PRESETS.len(),
    ) {
        let (_, make) = PRESETS[preset];
        let [alpha, d_activator, d_inhibitor, r_activator, r_inhibitor, turing_threshold] =
            std::array::from_fn(|index| numbers[index]);
        let [spike_probability, jitter_var, initial_noise, time_step, leak_rate, far] =
            std::array::from_fn(|index| numbers[index + 6]);
        let spec = Spec {
            rows: Some(rows), cols: Some(cols), alpha, d_activator, d_inhibitor, r_activator, r_inhibitor,
            turing_threshold, spike_probability, jitter_var, initial_noise, time_step, leak_rate,
            quantum_jitter: far > 0.0, ..make()
        };
        match Simulation::new(spec.clone()) {
            Err(SimError::Spec(error)) => prop_assert!(!error.faults().is_empty()),
            Err(error) => prop_assert!(false, "{}", error),
            Ok(mut simulation) => {
                let end = simulation.run(5, &mut |_| ControlFlow::Continue(()));
                let known = matches!(end, Ok(RunEnd::Completed) | Err(SimError::Unstable { .. }));
                prop_assert!(known, "{:?}", end);
            }
        }
    }
}
