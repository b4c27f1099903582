//! Membrane potentials and integrators: known values, measured orders, refusals, and properties
//! over the whole range of every input.

use std::ops::ControlFlow;

use mfn_sim::RunEnd;
use mfn_sim::membrane::constants::PhysicalConstants;
use mfn_sim::membrane::ode::{
    AdaptiveRun, AdaptiveStep, Clamp, FixedRun, FixedStep, OdeError, Scheme, integrate_adaptive,
    integrate_fixed,
};
use mfn_sim::membrane::{
    MembraneConfig, MembraneError, Permeation, goldman, nernst, nernst_array, nernst_array_v4_1, nernst_with,
};
use proptest::prelude::*;

fn fixed(
    f: impl FnMut(f64, &[f64], &mut [f64]),
    state: &mut [f64],
    options: FixedStep,
) -> Result<FixedRun, OdeError> {
    integrate_fixed(f, state, &options, |_| ControlFlow::Continue(()))
}

fn adaptive(
    f: impl FnMut(f64, &[f64], &mut [f64]),
    state: &mut [f64],
    options: AdaptiveStep,
) -> Result<AdaptiveRun, OdeError> {
    integrate_adaptive(f, state, &options, |_| ControlFlow::Continue(()))
}

/// y' = -2 t y, y(0) = 1: the solution is exp(-t^2), and the slope depends on the time.
fn bell(t: f64, y: &[f64], slope: &mut [f64]) {
    slope[0] = -2.0 * t * y[0];
}

/// A rotation with angular velocity 1: autonomous, two components.
fn rotation(_: f64, y: &[f64], slope: &mut [f64]) {
    slope[0] = y[1];
    slope[1] = -y[0];
}

/// Slope of ln(error) over ln(step) between two steps.
fn order(coarse: (f64, f64), fine: (f64, f64)) -> f64 {
    (coarse.1 / fine.1).ln() / (coarse.0 / fine.0).ln()
}

/// Guards the orders that the documents state: Euler 1, RK4 4, within 0.1, with and without time
/// in the slope, for one component and two.
#[test]
fn fixed_schemes_converge_with_their_order() {
    for (scheme, expected, steps) in [(Scheme::Euler, 1.0, [2000, 4000]), (Scheme::Rk4, 4.0, [80, 160])] {
        let error = |steps: u64| {
            let options = FixedStep { scheme, steps, time_step: 1.0 / steps as f64, ..FixedStep::default() };
            let (mut bell_state, mut turning) = ([1.0], [0.0, 1.0]);
            let run = fixed(bell, &mut bell_state, options).unwrap();
            assert!((run.time - 1.0).abs() < 1e-12 && run.end == RunEnd::Completed);
            fixed(rotation, &mut turning, options).unwrap();
            let h = options.time_step;
            [(h, (bell_state[0] - (-1f64).exp()).abs()), (h, (turning[0] - 1f64.sin()).abs())]
        };
        let (coarse, fine) = (error(steps[0]), error(steps[1]));
        for (coarse, fine) in coarse.into_iter().zip(fine) {
            let measured = order(coarse, fine);
            assert!((measured - expected).abs() < 0.1, "{scheme:?}: order {measured}");
        }
    }
}

/// Guards order 5 of the pair: with steps held at one length by loose tolerances.
#[test]
fn dormand_prince_has_order_five() {
    let error = |steps: f64| {
        let h = 2.0 / steps;
        let mut state = [0.0, 1.0];
        let options = AdaptiveStep {
            time_end: 2.0,
            relative_tolerance: 0.1,
            absolute_tolerance: 1e3,
            step_first: Some(h),
            step_max: Some(h),
            ..AdaptiveStep::default()
        };
        let run = adaptive(rotation, &mut state, options).unwrap();
        assert_eq!((run.accepted, run.rejected, run.time), (steps as u64, 0, 2.0));
        assert_eq!(run.evaluations, 1 + 6 * run.accepted);
        (h, (state[0] - 2f64.sin()).hypot(state[1] - 2f64.cos()))
    };
    let measured = order(error(16.0), error(32.0));
    assert!((measured - 5.0).abs() < 0.1, "order {measured}");
}

/// Guards error control: the error at the end follows the tolerance over eight decades, and the
/// end is met exactly.
#[test]
fn tolerances_govern_the_error() {
    for exponent in 4..=11 {
        let tolerance = 10f64.powi(-exponent);
        let mut state = [1.0];
        let options = AdaptiveStep {
            time_end: 1.5,
            relative_tolerance: tolerance,
            absolute_tolerance: tolerance,
            ..AdaptiveStep::default()
        };
        let run = adaptive(bell, &mut state, options).unwrap();
        assert_eq!(run.time, 1.5);
        let error = (state[0] - (-2.25f64).exp()).abs();
        assert!(error < 10.0 * tolerance, "tolerance {tolerance:e}: error {error:e}");
    }
}

/// Guards the continuous extension: it meets both ends and follows the solution between.
#[test]
fn the_solution_is_known_inside_a_step() {
    let options = AdaptiveStep { time_end: 3.0, relative_tolerance: 1e-8, ..AdaptiveStep::default() };
    let mut state = [0.0, 1.0];
    let mut steps = 0;
    integrate_adaptive(rotation, &mut state, &options, |step| {
        for share in [0.0, 0.3, 0.5, 0.9, 1.0] {
            let time = step.time_before + share * (step.time - step.time_before);
            let time = time.min(step.time);
            let inside = step.at(time, 0).expect("a time of the step");
            assert!((inside - time.sin()).abs() < 1e-7, "at {time}");
        }
        assert_eq!(step.at(step.time, 1), Some(step.state[1]));
        assert_eq!(step.at(step.time + 1.0, 0), None);
        assert_eq!(step.at(f64::NAN, 0), None);
        assert_eq!(step.at(step.time, 2), None);
        steps += 1;
        ControlFlow::Continue(())
    })
    .unwrap();
    assert!(steps > 5);
}

/// Guards each way in which an integration can fail: its kind, and the state left as it was.
#[test]
fn failures_are_typed_and_leave_the_state() {
    let check = |result: Result<AdaptiveRun, OdeError>, state: &[f64]| {
        assert_eq!(state, [1.0], "the state changed");
        result.unwrap_err()
    };
    let to = |time_end: f64| AdaptiveStep { time_end, ..AdaptiveStep::default() };

    let mut y = [1.0];
    let stiff = |t: f64, y: &[f64], k: &mut [f64]| k[0] = -1e6 * (y[0] - t.cos());
    let error = check(adaptive(stiff, &mut y, to(10.0)), &y);
    assert!(matches!(error, OdeError::TooStiff { step: 1000.., .. }), "{error}");

    // y' = y^2 has a pole at t = 1.
    let error = check(adaptive(|_, y, k| k[0] = y[0] * y[0], &mut y, to(2.0)), &y);
    let at_pole = |time: f64| (time - 1.0).abs() < 1e-3;
    assert!(
        matches!(error, OdeError::StepTooSmall { time, .. } | OdeError::NotFinite { time, .. } if at_pole(time)),
        "{error}"
    );

    let few = AdaptiveStep { steps_max: 3, ..to(100.0) };
    let error = check(adaptive(|_, y, k| k[0] = -y[0], &mut y, few), &y);
    assert!(matches!(error, OdeError::TooManySteps { steps_max: 3, .. }), "{error}");

    let nan_after = |t: f64, _: &[f64], k: &mut [f64]| k[0] = if t > 0.5 { f64::NAN } else { 1.0 };
    let error = check(adaptive(nan_after, &mut y, to(1.0)), &y);
    assert!(
        matches!(error, OdeError::NotFinite { component: 0, time, .. } if time > 0.49 && time <= 0.5),
        "{error}"
    );

    let error = check(adaptive(|_, _, k| k[0] = f64::NAN, &mut y, to(1.0)), &y);
    assert!(matches!(error, OdeError::NotFinite { step: 0, .. }), "{error}");

    let backward = AdaptiveStep { time_start: 1.0, ..to(0.0) };
    assert_eq!(check(adaptive(bell, &mut y, backward), &y), OdeError::Interval { start: 1.0, end: 0.0 });

    let third = |_: f64, y: &[f64], k: &mut [f64]| {
        k.fill(0.0);
        k[2] = if y[2] > 2.0 { f64::NAN } else { 1.0 };
    };
    let mut three = [0.0; 3];
    let options = FixedStep { time_step: 0.1, steps: 100, scheme: Scheme::Euler, ..FixedStep::default() };
    let error = fixed(third, &mut three, options).unwrap_err();
    assert!(matches!(error, OdeError::NotFinite { step: 20..=21, component: 2, .. }), "{error}");
    assert_eq!(three, [0.0; 3]);

    assert_eq!(fixed(bell, &mut [], options), Err(OdeError::StateLength { length: 0 }));
    let nan = fixed(bell, &mut [1.0, f64::INFINITY], options);
    assert!(matches!(nan, Err(OdeError::InitialState { component: 1, .. })));
    let empty = FixedStep { clamp: Some(Clamp { min: 1.0, max: 1.0 }), ..options };
    assert!(matches!(fixed(bell, &mut [1.0], empty), Err(OdeError::ClampRange { .. })));
}

/// Guards cancelling: the state is that of the last step done, and its time is told.
#[test]
fn a_cancelled_integration_keeps_its_last_step() {
    let mut state = [0.0];
    let options = FixedStep { time_step: 0.5, steps: 1000, ..FixedStep::default() };
    let run = integrate_fixed(
        |_, _, k| k[0] = 1.0,
        &mut state,
        &options,
        |moment| {
            if moment.step == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )
    .unwrap();
    assert_eq!((run.end, run.steps, run.time), (RunEnd::Cancelled, 7, 3.5));
    assert!((state[0] - 3.5).abs() < 1e-12);

    let mut state = [0.0, 1.0];
    let options = AdaptiveStep { time_end: 100.0, ..AdaptiveStep::default() };
    let run = integrate_adaptive(rotation, &mut state, &options, |step| {
        if step.time > 10.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(run.end, RunEnd::Cancelled);
    assert!(run.time > 10.0 && run.time < 100.0);
    assert!((state[0] - run.time.sin()).abs() < 1e-4);
}

/// Guards a clamp over NaN: it counts as changed, and only the check reports it.
#[test]
fn nan_passes_the_clamp_only_without_the_check() {
    let config = MembraneConfig { check_stability: false, ..MembraneConfig::default() };
    let mut v = [0.0, 0.1];
    let run = config.integrate(&mut v, |_| f64::NAN, 3, true).unwrap();
    assert!(v.iter().all(|v| v.is_nan()) && run.clamping_events == 6);
    let checked = MembraneConfig::default().integrate(&mut [0.0], |_| f64::NAN, 3, true);
    assert!(matches!(checked, Err(MembraneError::Ode(OdeError::NotFinite { step: 0, .. }))));
}

/// Guards the resting calcium of a cell, which the floor of v4.1 makes wrong by 31 mV, and the
/// exact constants.
#[test]
fn low_concentrations_are_taken_as_they_are() {
    let calcium = nernst(2, 2e-3, 1e-7, 310.0).unwrap();
    let mut floored = [0.0];
    let clamps =
        nernst_array_v4_1(&MembraneConfig::default(), 2, &[2e-3], &[1e-7], 310.0, &mut floored).unwrap();
    assert!((calcium - floored[0] - 0.0308).abs() < 1e-4 && clamps == 1);
    assert!(matches!(nernst(1, 0.0, 1.0, 310.0), Err(MembraneError::Parameters(_))));
    let exact = nernst_with(&PhysicalConstants::CODATA_2018, 1, 0.005, 0.140, 310.0).unwrap();
    assert!((exact - -0.089_015_6).abs() < 1e-7, "{exact}");
}

/// Concentrations and permeabilities of the squid axon in sea water (Hodgkin and Katz, 1949).
const SQUID: [Permeation; 3] = [
    Permeation { valence: 1, permeability: 1.0, outside_molar: 0.010, inside_molar: 0.345 },
    Permeation { valence: 1, permeability: 0.04, outside_molar: 0.455, inside_molar: 0.072 },
    Permeation { valence: -1, permeability: 0.45, outside_molar: 0.540, inside_molar: 0.061 },
];

/// Net charge that crosses the membrane at a potential: the GHK current equation, which the
/// voltage equation must bring to zero.
fn current(ions: &[Permeation], v: f64, temperature_k: f64) -> f64 {
    let u = v / PhysicalConstants::V4_1.thermal_voltage(temperature_k);
    ions.iter()
        .map(|ion| {
            let zu = f64::from(ion.valence) * u;
            let flow = (ion.inside_molar - ion.outside_molar * (-zu).exp()) / -(-zu).exp_m1();
            ion.permeability * f64::from(ion.valence) * zu * flow
        })
        .sum()
}

/// Guards the GHK equation by the published resting potential of the squid axon, -59 mV, and by
/// the current equation, which is code of its own.
#[test]
fn ghk_is_the_potential_without_current() {
    let v = goldman(&PhysicalConstants::V4_1, &SQUID, 293.0).unwrap();
    assert!((v - -0.0593).abs() < 1e-3, "{v}");
    let scale = current(&SQUID, v + 0.01, 293.0).abs();
    assert!(current(&SQUID, v, 293.0).abs() < 1e-12 * scale);
    assert!(current(&SQUID, v + 1e-6, 293.0) * current(&SQUID, v - 1e-6, 293.0) < 0.0);
}

/// Guards what has no finite solution: no ion, no permeability, an ion on one side only.
#[test]
fn ghk_without_a_solution_is_refused() {
    let one_sided = Permeation { inside_molar: 0.0, ..SQUID[0] };
    let closed = Permeation { permeability: 0.0, ..SQUID[0] };
    for ions in [&[][..], &[closed], &[one_sided]] {
        let result = goldman(&PhysicalConstants::V4_1, ions, 310.0);
        assert!(matches!(result, Err(MembraneError::OneSided { .. })), "{result:?}");
    }
    let calcium = Permeation { valence: 2, ..SQUID[0] };
    let result = goldman(&PhysicalConstants::V4_1, &[calcium], 310.0);
    assert!(matches!(result, Err(MembraneError::Valence { value: 2, .. })));
}

/// Any number at all, the ordinary ones often.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => -200.0..500.0f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e-300, 100.0]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Guards every accepted Nernst input: a finite value with the sign of z ln(out / in), and its
    /// mirror image; and every other input: a typed error.
    #[test]
    fn nernst_is_total(z in -6i32..7, out in anything(), inside in anything(), t in anything()) {
        let allowed = z != 0 && z.abs() <= 4;
        let positive = |c: f64| c > 0.0 && c <= 100.0;
        let accepted = allowed && positive(out) && positive(inside) && (200.0..=400.0).contains(&t);
        match nernst(z, out, inside, t) {
            Ok(v) => {
                prop_assert!(accepted && v.is_finite());
                prop_assert!(v * f64::from(z) * (out - inside) >= 0.0);
                let mirrored = nernst(-z, inside, out, t).unwrap();
                prop_assert!((v - mirrored).abs() <= 1e-12 * v.abs().max(1e-3));
            }
            Err(error) => prop_assert!(!accepted, "{}", error),
        }
    }

    /// Guards the arrays against partial results, other lengths and strange numbers.
    #[test]
    fn arrays_are_written_whole_or_not(
        out in prop::collection::vec(anything(), 0..8),
        inside in prop::collection::vec(anything(), 0..8),
        z in -3i32..4,
        t in anything(),
    ) {
        let mut potentials = vec![7.0; out.len()];
        let done = nernst_array(z, &out, &inside, t, &mut potentials).is_ok();
        for ((v, &out), &inside) in potentials.iter().zip(&out).zip(&inside) {
            prop_assert_eq!(*v, if done { nernst(z, out, inside, t).unwrap() } else { 7.0 });
        }
        let mut floored = vec![7.0; out.len()];
        match nernst_array_v4_1(&MembraneConfig::default(), z, &out, &inside, t, &mut floored) {
            Ok(clamps) => {
                prop_assert!(clamps <= 2 * out.len() as u64);
                prop_assert!(floored.iter().all(|v| v.is_finite()));
            }
            Err(_) => prop_assert!(floored.iter().all(|&v| v == 7.0)),
        }
    }

    /// Guards the GHK potential: finite, and between the Nernst potentials of its ions.
    #[test]
    fn ghk_lies_between_the_nernst_potentials(
        raw in prop::collection::vec((any::<bool>(), 1e-6..1.0f64, 1e-7..1.0f64, 1e-7..1.0f64), 1..6),
        t in 200.0..400.0f64,
    ) {
        let ions: Vec<Permeation> = raw
            .iter()
            .map(|&(cation, permeability, outside_molar, inside_molar)| Permeation {
                valence: if cation { 1 } else { -1 },
                permeability,
                outside_molar,
                inside_molar,
            })
            .collect();
        let v = goldman(&PhysicalConstants::V4_1, &ions, t).unwrap();
        let each = ions.iter().map(|ion| nernst(ion.valence, ion.outside_molar, ion.inside_molar, t).unwrap());
        let (low, high) = each.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), e| (l.min(e), h.max(e)));
        prop_assert!(low - 1e-12 <= v && v <= high + 1e-12, "{} not in {}..{}", v, low, high);
    }

    /// Guards the GHK equation over every number there is.
    #[test]
    fn ghk_is_total(
        raw in prop::collection::vec((-2i32..3, anything(), anything(), anything()), 0..4),
        t in anything(),
    ) {
        let ions: Vec<Permeation> = raw
            .iter()
            .map(|&(valence, permeability, outside_molar, inside_molar)| {
                Permeation { valence, permeability, outside_molar, inside_molar }
            })
            .collect();
        if let Ok(v) = goldman(&PhysicalConstants::V4_1, &ions, t) {
            prop_assert!(v.is_finite());
        }
    }

    /// Guards the options of fixed steps: whatever they are, a finite state or a typed error.
    #[test]
    fn fixed_steps_are_total(
        start in anything(), h in anything(), steps in 0u64..50, y0 in anything(), rate in anything(),
        (rk4, check, clamped) in any::<(bool, bool, bool)>(), (low, high) in (anything(), anything()),
    ) {
        let options = FixedStep {
            scheme: if rk4 { Scheme::Rk4 } else { Scheme::Euler },
            time_start: start,
            time_step: h,
            steps,
            clamp: clamped.then_some(Clamp { min: low, max: high }),
            check_finite: check,
        };
        let mut state = [y0];
        match fixed(|_, y, k| k[0] = rate * y[0], &mut state, options) {
            Ok(run) => {
                prop_assert_eq!(run.steps, steps);
                prop_assert!(!check || state[0].is_finite());
            }
            Err(_) => prop_assert_eq!(state[0].to_bits(), y0.to_bits()),
        }
    }

    /// Guards the options of adaptive steps: whatever they are, a finite state or a typed error,
    /// after no more steps than allowed.
    #[test]
    fn adaptive_steps_are_total(
        (start, end) in (anything(), anything()), (relative, absolute) in (1e-14..0.2f64, anything()),
        (first, longest) in prop::option::of((anything(), anything())).prop_map(Option::unzip),
        steps_max in 0u64..300, y0 in anything(), rate in anything(),
    ) {
        let options = AdaptiveStep {
            time_start: start,
            time_end: end,
            relative_tolerance: relative,
            absolute_tolerance: absolute,
            step_first: first,
            step_max: longest,
            steps_max,
        };
        let mut state = [y0];
        match adaptive(|t, y, k| k[0] = rate * y[0] + t.sin(), &mut state, options) {
            Ok(run) => {
                prop_assert!(run.accepted + run.rejected <= steps_max);
                prop_assert_eq!(run.time, end);
                prop_assert!(state[0].is_finite());
            }
            Err(_) => prop_assert_eq!(state[0].to_bits(), y0.to_bits()),
        }
    }

    /// Guards states of every size: the components are independent of one another.
    #[test]
    fn each_component_is_integrated_alone(exponent in 0u32..=16) {
        let length = 1usize << exponent;
        let mut state: Vec<f64> = (0..length).map(|i| i as f64 / length as f64).collect();
        let alone = state[length / 2];
        let decay = |_: f64, y: &[f64], k: &mut [f64]| k.iter_mut().zip(y).for_each(|(k, y)| *k = -y);
        let options = FixedStep { time_step: 0.1, steps: 10, ..FixedStep::default() };
        fixed(decay, &mut state, options).unwrap();
        let mut single = [alone];
        fixed(decay, &mut single, options).unwrap();
        prop_assert_eq!(state[length / 2].to_bits(), single[0].to_bits());
    }
}
