//! Histories: any numbers give rates of change, and any state of the temporal features is continued or refused.

use std::ops::ControlFlow;

use mfn_sim::features::{
    ChangeRates, FeatureConfig, FeatureError, RunningSlope, TemporalAccumulator, TemporalState, change_rates,
};
use mfn_sim::{Compat, SimError, Simulation, Spec};
use ndarray::{Array2, Array3, s};
use proptest::prelude::*;

/// Ordinary numbers, the ends of the range of `f64`, and what is no number.
fn cell() -> impl Strategy<Value = f64> {
    prop_oneof![6 => -0.1f64..0.1, 2 => -1e150f64..1e150, 1 => any::<f64>(), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
}

/// The rates of change by their definition, one number after the other.
fn plain_rates(history: &Array3<f64>, time_step: f64) -> ChangeRates {
    let (frames, rows, columns) = history.dim();
    let changes = &history.slice(s![1.., .., ..]) - &history.slice(s![..frames - 1, .., ..]);
    let norms: Vec<f64> =
        changes.outer_iter().map(|change| change.iter().map(|x| x * x).sum::<f64>().sqrt()).collect();
    let logs: Vec<f64> = norms.iter().filter(|norm| **norm > 1e-10).map(|norm| norm.ln()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let last: Vec<f64> = history.slice(s![frames - 1, .., ..]).iter().copied().collect();
    let last_mean = mean(&last);
    let squares: Vec<f64> = last.iter().map(|x| (x - last_mean).powi(2)).collect();
    let absolute: Vec<f64> = changes.iter().map(|x| x.abs()).collect();
    assert_eq!(absolute.len(), (frames - 1) * rows * columns);
    ChangeRates {
        mean_log_step_change: mean(&logs) / time_step,
        mean_change_rate: mean(&absolute) / time_step,
        max_change_rate: absolute.iter().copied().fold(0.0, f64::max) / time_step,
        final_std: mean(&squares).sqrt(),
    }
}

fn is_near(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= 1e-9 * (1e-9 + wanted.abs())
}

proptest! {
    /// Guards the rates over ordinary histories and every time step: those of the definition, also of a view
    /// that runs backwards, and none below 0 that can not be.
    #[test]
    fn rates_are_those_of_the_definition(
        (frames, rows, columns) in (1usize..6, 1usize..6, 1usize..6),
        cells in prop::collection::vec(-0.1f64..0.1, 125),
        still in 0usize..6,
        exponent in -12i32..13,
    ) {
        let mut history = Array3::from_shape_fn((frames, rows, columns), |(frame, row, column)| {
            cells[(frame * 5 + row) * 5 + column]
        });
        // From here on nothing changes: such steps have no logarithm.
        for frame in still + 1..frames {
            let before = history.slice(s![frame - 1, .., ..]).to_owned();
            history.slice_mut(s![frame, .., ..]).assign(&before);
        }
        let time_step = 10f64.powi(exponent);
        let found = change_rates(history.view(), time_step).expect("rates");
        let wanted = plain_rates(&history, time_step);
        for (found, wanted) in [
            (found.mean_log_step_change, wanted.mean_log_step_change),
            (found.mean_change_rate, wanted.mean_change_rate),
            (found.max_change_rate, wanted.max_change_rate),
            (found.final_std, wanted.final_std),
        ] {
            prop_assert!(is_near(found, wanted), "{found} and not {wanted}");
        }
        prop_assert!(found.max_change_rate * (1.0 + 1e-12) >= found.mean_change_rate);
        let strided = history.slice(s![..;-1, ..;-1, ..]);
        let copy = strided.as_standard_layout().into_owned();
        prop_assert_eq!(change_rates(strided, time_step), change_rates(copy.view(), time_step));
    }

    /// Guards against panics on any numbers, time steps and shapes: a typed error for those that are refused,
    /// else rates, which are numbers wherever the history holds only ordinary ones.
    #[test]
    fn any_history_gives_rates_or_an_error(
        (frames, rows, columns) in (0usize..4, 0usize..4, 0usize..4),
        cells in prop::collection::vec(cell(), 27),
        time_step in prop_oneof![4 => 1e-300f64..1e300, 1 => any::<f64>(), 1 => Just(0.0), 1 => Just(f64::NAN)],
    ) {
        let history = Array3::from_shape_vec((frames, rows, columns), cells[..frames * rows * columns].to_vec());
        let history = history.expect("as many cells");
        match change_rates(history.view(), time_step) {
            Err(FeatureError::TimeStep { value }) => {
                prop_assert!(!(value.is_finite() && value > 0.0));
                prop_assert_eq!(value.to_bits(), time_step.to_bits());
            }
            Err(FeatureError::NoFrames) => prop_assert_eq!(frames, 0),
            Err(FeatureError::Empty { .. }) => prop_assert!(frames > 0 && rows * columns == 0),
            Err(error) => prop_assert!(false, "{error}"),
            Ok(rates) => {
                prop_assert!(time_step.is_finite() && time_step > 0.0 && !history.is_empty());
                prop_assert!(rates.max_change_rate >= 0.0);
                if history.iter().any(|value| value.is_nan()) && frames > 1 {
                    prop_assert!(rates.mean_change_rate.is_nan());
                }
                if history.slice(s![frames - 1, .., ..]).iter().any(|value| !value.is_finite()) {
                    prop_assert!(rates.final_std.is_nan());
                }
                if history.iter().all(|value| value.abs() < 1e150) && time_step > 1e-100 {
                    let ChangeRates { mean_log_step_change, mean_change_rate, max_change_rate, final_std } = rates;
                    for rate in [mean_log_step_change, mean_change_rate, max_change_rate, final_std] {
                        prop_assert!(rate.is_finite(), "{rates:?}");
                    }
                    prop_assert!(mean_change_rate >= 0.0 && final_std >= 0.0);
                }
            }
        }
    }
}

/// Cells along each side of the followed run.
const SIDE: usize = 6;

/// The state of the temporal features of a run, and the run.
fn followed(compat: Option<Compat>, steps: u64) -> Simulation {
    let spec = if compat.is_some() { Spec::v4_1() } else { Spec::default() };
    let mut simulation = Simulation::new(Spec { grid_size: SIDE, ..spec }).expect("accepted");
    simulation.enable_temporal_features(&FeatureConfig::of_mode(compat)).expect("defaults");
    simulation.run(steps, &mut |_| ControlFlow::Continue(())).expect("stable");
    simulation
}

/// What makes another state out of one.
type Damage = Box<dyn Fn(&mut TemporalState)>;

/// Every field in turn with every number that it can hold by mistake.
fn damages() -> Vec<Damage> {
    let mut damages: Vec<Damage> = Vec::new();
    let counts = [0, 1, 2, 5, 1 << 61, u64::MAX - 1, u64::MAX];
    let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -0.0, 1e308, f64::MIN_POSITIVE];
    for count in counts {
        damages.push(Box::new(move |state| state.frames = count));
        damages.push(Box::new(move |state| state.rows = count as usize));
        damages.push(Box::new(move |state| state.cols = count as usize));
        damages.push(Box::new(move |state| (state.rows, state.cols) = (count as usize, SIDE * SIDE)));
        damages.push(Box::new(move |state| state.quiet_steps = count));
        damages.push(Box::new(move |state| state.stable_at = Some(count)));
        damages.push(Box::new(move |state| state.energy.count = count));
        // Two counts that agree are not enough.
        damages.push(Box::new(move |state| (state.frames, state.energy.count) = (count, count)));
        damages.push(Box::new(move |state| {
            (state.frames, state.energy.count) = (count, count);
            state.quiet_steps = count.saturating_sub(1);
        }));
        damages.push(Box::new(move |state| state.config.stability_window = count));
        damages.push(Box::new(move |state| state.config.min_box_size = count as usize));
        damages.push(Box::new(move |state| state.config.max_box_size = Some(count as usize)));
        damages.push(Box::new(move |state| state.config.num_scales = count as usize));
    }
    for number in numbers {
        damages.push(Box::new(move |state| state.last_mv.fill(number)));
        damages.push(Box::new(move |state| {
            if let Some(cell) = state.last_mv.first_mut() {
                *cell = number;
            }
        }));
        damages.push(Box::new(move |state| state.change_mean_mv = number));
        damages.push(Box::new(move |state| state.change_max_mv = number));
        damages.push(Box::new(move |state| state.energy.offset = number));
        damages.push(Box::new(move |state| state.energy.mean = number));
        damages.push(Box::new(move |state| state.energy.covariance = number));
        damages.push(Box::new(move |state| state.config.threshold_low_mv = number));
        damages.push(Box::new(move |state| state.config.stability_threshold_mv = number));
    }
    for compat in [None, Some(Compat::V4_1)] {
        damages.push(Box::new(move |state| state.config.compat = compat));
    }
    damages.push(Box::new(|state| state.stable_at = None));
    damages.push(Box::new(|state| state.energy = RunningSlope::default()));
    damages.push(Box::new(|state| state.last_mv.push(0.0)));
    damages.push(Box::new(|state| state.last_mv.truncate(SIDE)));
    damages.push(Box::new(|state| state.last_mv.clear()));
    damages
}

/// Guards a damaged state, of a run before its first frame and in the middle: it is refused with a typed error, or
/// goes on to values; it never panics, which with checked arithmetic a counter at its end would.
#[test]
fn damaged_temporal_states_are_refused_or_go_on() {
    let (mut taken, mut refused) = (0, 0);
    for compat in [None, Some(Compat::V4_1)] {
        for steps in [0, 1, 4] {
            let good = followed(compat, steps).state();
            let field = Array2::from_elem((SIDE, SIDE), -0.07);
            for damage in damages() {
                let mut state = good.clone();
                let temporal = state.temporal.as_mut().expect("a followed run");
                damage(temporal);
                let temporal = temporal.clone();
                match TemporalAccumulator::from_state(temporal.clone()) {
                    Ok(mut accumulator) => {
                        taken += 1;
                        for _ in 0..3 {
                            let _any_values = accumulator.finish();
                            // A frame of another shape is the one thing that it may refuse now.
                            let pushed = accumulator.push(field.view());
                            assert!(
                                matches!(pushed, Ok(()) | Err(FeatureError::FrameShape { .. })),
                                "{pushed:?}: {temporal:?}"
                            );
                        }
                        assert!(accumulator.frames() >= temporal.frames);
                    }
                    Err(error) => {
                        refused += 1;
                        assert!(!error.to_string().is_empty());
                        let whole = Simulation::from_state(state.clone());
                        // The counters and the field of the run may tell before the sums do.
                        let typed = matches!(whole, Err(SimError::Features(_) | SimError::State(_)));
                        assert!(typed, "{whole:?}");
                    }
                }
                if let Ok(mut simulation) = Simulation::from_state(state) {
                    simulation.run(3, &mut |_| ControlFlow::Continue(())).expect("stable");
                    assert_eq!(simulation.features().to_array().len(), 18);
                    Simulation::from_state(simulation.state()).expect("a state that it wrote itself");
                }
            }
        }
    }
    assert!(taken > 100 && refused > 300, "{taken} taken, {refused} refused: the damage is one-sided");
}
