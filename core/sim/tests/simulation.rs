//! How a simulation behaves beyond its numbers: refusals, discarded steps, stopping, repeating.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use mfn_sim::bounds::{Bound, TABLE, V4_1_TABLE};
use mfn_sim::{
    BoundaryCondition, FaultKind, FeatureConfig, InitialFieldError, Progress, RunEnd, SimError, Simulation,
    Spec,
};
use ndarray::{Array2, ArrayView2};

fn small(steps: u64) -> Spec {
    Spec { grid_size: 16, steps, spike_probability: 1.0, ..Spec::v4_1() }
}

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn bits(field: ArrayView2<'_, f64>) -> Vec<u64> {
    field.iter().map(|value| value.to_bits()).collect()
}

fn all_bits(simulation: &Simulation) -> Vec<u64> {
    let fields = [simulation.field(), simulation.activator(), simulation.inhibitor()];
    fields.iter().flat_map(|field| bits(field.view())).collect()
}

/// Guards the promise that one validation names everything that is wrong.
#[test]
fn every_fault_is_reported_at_once() {
    let spec = Spec {
        grid_size: 3,
        steps: 2_000_000_000,
        alpha: f64::NAN,
        d_activator: 0.25,
        d_inhibitor: f64::INFINITY,
        r_activator: -1.0,
        r_inhibitor: f64::NEG_INFINITY,
        turing_threshold: 0.0,
        spike_probability: 1.5,
        jitter_var: f64::NAN,
        ..Spec::v4_1()
    };
    let error = spec.validate().expect_err("ten faults");
    let found: Vec<(&str, FaultKind)> =
        error.faults().iter().map(|fault| (fault.field(), fault.kind)).collect();
    use FaultKind::{NotFinite, OutOfRange, Stability};
    assert_eq!(
        found,
        [
            ("grid_size", OutOfRange),
            ("steps", OutOfRange),
            ("d_activator", Stability),
            ("d_inhibitor", NotFinite),
            ("alpha", NotFinite),
            ("r_activator", OutOfRange),
            ("r_inhibitor", NotFinite),
            ("turing_threshold", OutOfRange),
            ("spike_probability", OutOfRange),
            ("jitter_var", NotFinite),
        ]
    );
    let text = error.to_string();
    for part in ["grid_size = 3", "[4, 1024]", "d_activator = 0.25", "[0.01, 0.25)", "reduce it below 0.25"] {
        assert!(text.contains(part), "{part:?} is missing in {text:?}");
    }
}

/// Guards the agreement of the table with the defaults: a wrong row would refuse or mislabel them.
#[test]
fn defaults_are_those_of_the_table() {
    for (table, spec) in [(&TABLE[..], Spec::default()), (&V4_1_TABLE[..], Spec::v4_1())] {
        let spec = serde_json::to_value(spec).expect("JSON");
        for bound in table {
            assert_eq!(spec[bound.field].as_f64(), bound.default, "{}", bound.field);
            assert!(bound.default.is_none_or(|default| bound.contains(default)), "{}", bound.field);
            assert!(!bound.contains(f64::NAN), "{}", bound.field);
        }
    }
    let config = serde_json::to_value(FeatureConfig::default()).expect("JSON");
    for bound in &mfn_sim::bounds::FEATURE_TABLE {
        assert_eq!(config[bound.field].as_f64(), bound.default, "{}", bound.field);
    }
    assert_eq!(Bound::of("grid_size").map(|bound| bound.max), Some(65_536.0));
    assert_eq!(Bound::of("beta"), None);
}

/// Guards against silently ignored misspellings and against modes that do not exist.
#[test]
fn specifications_are_read_strictly() {
    let read = |text: &str| serde_json::from_str::<Spec>(text);
    assert_eq!(read("{}").expect("defaults"), Spec::default());
    assert!(read(r#"{"grid_sise": 64}"#).is_err());
    assert!(read(r#"{"compat": "v5"}"#).is_err());
    assert!(read(r#"{"compat": "v4.1", "boundary_condition": "dirichlet"}"#).is_ok());
    assert!(read(r#"{"boundary_condition": "open"}"#).is_err());
    assert!(read(r#"{"random_seed": -1}"#).is_err());
    assert_eq!(read(r#"{"random_seed": 18446744073709551615}"#).expect("a seed").random_seed, u64::MAX);
}

/// Guards the cost estimate that callers use to refuse hostile specifications.
#[test]
fn cost_does_not_overflow() {
    let spec = Spec { grid_size: usize::MAX, steps: u64::MAX, ..Spec::v4_1() };
    assert_eq!(spec.cell_steps(), u128::MAX);
    assert_eq!(Spec::v4_1().cell_steps(), 64 * 64 * 64);
}

/// A field with four rows so large that the sum of the neighbours overflows: infinity minus
/// infinity is NaN. The other rows are at rest, where the spike of a growth event shows.
fn overflowing_field() -> Array2<f64> {
    Array2::from_shape_fn((16, 16), |(row, _)| if row < 4 { 1e308 } else { -0.07 })
}

/// Guards the discarding of an unstable step: fields, counters and the random stream must be
/// those before it, although a growth event had already been added.
#[test]
fn an_unstable_step_leaves_no_trace() {
    let boundaries = [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet];
    for (random_seed, boundary_condition) in (0..9).zip(boundaries.into_iter().cycle()) {
        let spec = Spec { random_seed, boundary_condition, quantum_jitter: true, ..small(5) };
        let mut simulation =
            Simulation::with_initial_field(spec.clone(), overflowing_field().view()).expect("finite");
        simulation.enable_temporal_features(&FeatureConfig::default()).expect("defaults");
        let before = all_bits(&simulation);
        for _ in 0..2 {
            let error = simulation.step().expect_err("NaN");
            let SimError::Unstable { step: 0, field: "field", nan_count, inf_count: 0 } = error else {
                panic!("{error:?}");
            };
            assert!((2 * 14..=4 * 16).contains(&nan_count), "{nan_count}");
        }
        assert_eq!(all_bits(&simulation), before);
        let statistics = simulation.statistics();
        assert_eq!(simulation.step_count(), 0);
        assert_eq!((statistics.growth_events, statistics.clamping_events), (0, 0));
        assert!(statistics.nan_detected);
        assert_eq!(statistics.steps_to_instability, Some(0));

        // From a good field, the run is now that of a simulation to which nothing happened.
        let good = Array2::from_elem((16, 16), -0.07);
        let mut untouched = Simulation::with_initial_field(spec, good.view()).expect("finite");
        untouched.enable_temporal_features(&FeatureConfig::default()).expect("defaults");
        simulation.set_initial_field(good.view()).expect("before the first step");
        for other in [&mut simulation, &mut untouched] {
            assert_eq!(other.run(5, &mut on), Ok(RunEnd::Completed));
        }
        assert_eq!(all_bits(&simulation), all_bits(&untouched));
        assert_eq!(simulation.features(), untouched.features());
    }
}

/// Guards `check_stability: false`: the step is kept and its NaN cells count as clamped.
#[test]
fn unchecked_instability_stays_in_the_field() {
    let spec = Spec { check_stability: false, ..small(1) };
    let overflowing = Array2::from_elem((16, 16), 1e308);
    let mut simulation = Simulation::with_initial_field(spec, overflowing.view()).expect("finite");
    simulation.step().expect("not checked");
    assert!(simulation.field().iter().all(|value| value.is_nan()));
    let statistics = simulation.statistics();
    assert_eq!(statistics.clamping_events, 256);
    assert!(!statistics.nan_detected && statistics.field_mean_v.is_nan());
}

/// Guards each refusal of an initial field, and that a refusal changes nothing.
#[test]
fn initial_fields_are_checked() {
    let mut simulation = Simulation::new(small(5)).expect("accepted");
    let before = all_bits(&simulation);
    let shape = simulation.set_initial_field(Array2::zeros((16, 15)).view());
    assert!(matches!(
        shape,
        Err(SimError::InitialField(InitialFieldError::Shape { given_columns: 15, columns: 16, .. }))
    ));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut field = Array2::zeros((16, 16));
        field[[3, 7]] = bad;
        let refused = simulation.set_initial_field(field.view());
        assert!(matches!(
            refused,
            Err(SimError::InitialField(InitialFieldError::NotFinite { row: 3, column: 7, .. }))
        ));
    }
    assert_eq!(all_bits(&simulation), before);
    simulation.step().expect("stable");
    let late = simulation.set_initial_field(Array2::zeros((16, 16)).view());
    assert!(matches!(late, Err(SimError::InitialField(InitialFieldError::Started { step_count: 1 }))));
}

/// Guards that giving the drawn field back, through a view of other strides, changes nothing
/// in the run: no draw may be added or lost.
#[test]
fn an_initial_field_keeps_the_random_stream() {
    let spec = Spec { quantum_jitter: true, ..small(10) };
    let mut drawn = Simulation::new(spec.clone()).expect("accepted");
    let transposed = drawn.field().t().as_standard_layout().into_owned();
    let mut given = Simulation::with_initial_field(spec, transposed.t()).expect("finite");
    for simulation in [&mut drawn, &mut given] {
        simulation.run(10, &mut on).expect("stable");
    }
    assert_eq!(all_bits(&drawn), all_bits(&given));
}

/// Guards reproducibility, and that following a run does not change it.
#[test]
fn equal_specifications_give_equal_bits() {
    let spec = Spec { quantum_jitter: true, ..small(30) };
    let mut whole = Simulation::new(spec.clone()).expect("accepted");
    whole.run(30, &mut on).expect("stable");
    let mut pieces = Simulation::new(spec.clone()).expect("accepted");
    pieces.enable_temporal_features(&FeatureConfig::default()).expect("defaults");
    pieces.run(7, &mut on).expect("stable");
    for _ in 0..23 {
        pieces.step().expect("stable");
    }
    assert_eq!(all_bits(&whole), all_bits(&pieces));
    assert_eq!(whole.statistics(), pieces.statistics());
    let mut other = Simulation::new(Spec { random_seed: 43, ..spec }).expect("accepted");
    other.run(30, &mut on).expect("stable");
    assert_ne!(all_bits(&whole), all_bits(&other));
}

/// Guards the reports: ordered, bounded in number, the last one complete; and that the control
/// function can stop a run, which then goes on where it stopped.
#[test]
fn progress_is_reported_and_can_stop_the_run() {
    let mut simulation = Simulation::new(small(0)).expect("accepted");
    let mut reports = Vec::new();
    let end = simulation.run(5_000, &mut |progress| {
        reports.push(progress);
        ControlFlow::Continue(())
    });
    assert_eq!(end, Ok(RunEnd::Completed));
    assert!(reports.is_sorted_by(|a, b| a.step < b.step) && reports.len() < 50, "{reports:?}");
    assert_eq!(reports.last(), Some(&Progress { step: 5_000, steps_total: 5_000 }));

    let mut stopped_at = 0;
    let end = simulation.run(1_000_000_000, &mut |progress| {
        stopped_at = progress.step;
        ControlFlow::Break(())
    });
    assert_eq!(end, Ok(RunEnd::Cancelled));
    assert!(stopped_at > 0);
    assert_eq!(simulation.step_count(), 5_000 + stopped_at);
    let nothing = simulation.run(0, &mut |_| panic!("no step, no report"));
    assert_eq!(nothing, Ok(RunEnd::Completed));
}

/// Guards cancellation from another thread. The limit is far above the few milliseconds it
/// takes, since the machine may be busy.
#[test]
fn another_thread_can_cancel() {
    let mut simulation = Simulation::new(Spec { grid_size: 256, ..Spec::v4_1() }).expect("accepted");
    let token = simulation.cancel_token();
    let canceller = thread::spawn({
        let token = token.clone();
        move || {
            thread::sleep(Duration::from_millis(30));
            let cancelled_at = Instant::now();
            token.cancel();
            cancelled_at
        }
    });
    let end = simulation.run(1_000_000_000, &mut on);
    let ended_at = Instant::now();
    assert_eq!(end, Ok(RunEnd::Cancelled));
    let cancelled_at = canceller.join().expect("the canceller");
    assert!(ended_at - cancelled_at < Duration::from_secs(2));

    let steps = simulation.step_count();
    assert_eq!(simulation.run(5, &mut on), Ok(RunEnd::Cancelled), "a request lasts until it is withdrawn");
    token.reset();
    assert_eq!(simulation.run(5, &mut on), Ok(RunEnd::Completed));
    assert_eq!(simulation.step_count(), steps + 5);
}

/// Guards that features of a followed run are those of its frames.
#[test]
fn a_followed_run_has_the_features_of_its_frames() {
    let config =
        FeatureConfig { stability_window: 3, stability_threshold_mv: 5.0, ..FeatureConfig::default() };
    let mut simulation = Simulation::new(small(12)).expect("accepted");
    simulation.enable_temporal_features(&config).expect("accepted");
    let mut frames = ndarray::Array3::zeros((12, 16, 16));
    for mut frame in frames.outer_iter_mut() {
        simulation.step().expect("stable");
        frame.assign(&simulation.field());
    }
    let expected = mfn_sim::features::compute_history(frames.view(), &config).expect("features");
    assert_eq!(simulation.features(), expected);
    assert!(
        expected.dv_max > 0.0 && expected.e_trend != 0.0 && expected.t_stable.is_none_or(|step| step > 0.0)
    );
    let refused = FeatureConfig { num_scales: 1, ..config };
    assert!(matches!(simulation.enable_temporal_features(&refused), Err(SimError::Features(_))));
}

/// Guards that hosts may move a simulation to another thread and cancel from any.
#[test]
fn simulations_may_move_between_threads() {
    fn send<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    send::<Simulation>();
    shared::<mfn_sim::CancelToken>();
    shared::<SimError>();
}

/// Guards what the document says of v4.1's defaults: they activate nothing and leave no cell
/// above the threshold of the cluster features.
#[test]
fn defaults_end_below_every_threshold() {
    for random_seed in 0..20 {
        let spec = Spec { random_seed, ..Spec::v4_1() };
        let mut simulation = Simulation::new(spec).expect("accepted");
        simulation.run(64, &mut on).expect("stable");
        let features = simulation.features();
        assert_eq!((features.d_box, features.f_active, features.n_clusters_low), (0.0, 0.0, 0.0));
        assert_eq!(simulation.statistics().turing_activations, 0);
    }
}
