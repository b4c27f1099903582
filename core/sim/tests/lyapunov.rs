//! Lyapunov exponents against values that are known exactly or published, refusals, and
//! properties over the whole range of every input.

use std::ops::ControlFlow;

use mfn_sim::lyapunov::{
    Estimate, FlowStepping, Interval, LyapunovError, LyapunovOptions, SpectrumOptions, flow_exponent,
    kaplan_yorke_dimension, map_exponent, map_spectrum, simulation_exponent,
};
use mfn_sim::membrane::ode::{OdeError, Scheme};
use mfn_sim::{BoundaryCondition, Precision, RunEnd, Simulation, Spec};
use proptest::prelude::*;

const RK4: FlowStepping = FlowStepping::Fixed { scheme: Scheme::Rk4, time_step: 0.01 };

fn of_map(
    map: impl FnMut(&[f64], &mut [f64]),
    state: &[f64],
    options: LyapunovOptions,
) -> Result<Estimate, LyapunovError> {
    map_exponent(map, state, &options, |_| ControlFlow::Continue(()))
}

fn of_flow(
    flow: impl FnMut(f64, &[f64], &mut [f64]),
    state: &[f64],
    stepping: FlowStepping,
    options: LyapunovOptions,
) -> Result<Estimate, LyapunovError> {
    flow_exponent(flow, state, 0.0, stepping, &options, |_| ControlFlow::Continue(()))
}

fn henon(x: &[f64], next: &mut [f64]) {
    next[0] = 1.0 - 1.4 * x[0] * x[0] + x[1];
    next[1] = 0.3 * x[0];
}

fn henon_jacobian(x: &[f64], matrix: &mut [f64]) {
    matrix.copy_from_slice(&[-2.8 * x[0], 1.0, 0.3, 0.0]);
}

fn lorenz(_: f64, x: &[f64], slope: &mut [f64]) {
    slope[0] = 10.0 * (x[1] - x[0]);
    slope[1] = x[0] * (28.0 - x[2]) - x[1];
    slope[2] = x[0] * x[1] - 8.0 / 3.0 * x[2];
}

/// Guards the logistic map at r = 4: ln 2 exactly, within 1 %, from several starts; and at r = 3.2
/// its orbit of period two: half the logarithm of the product of the slopes.
#[test]
fn logistic_map() {
    let options = LyapunovOptions { intervals: 100_000, ..LyapunovOptions::default() };
    for start in [0.1, 0.3, 0.7123] {
        let estimate = of_map(|x, next| next[0] = 4.0 * x[0] * (1.0 - x[0]), &[start], options).unwrap();
        assert!((estimate.exponent - 2f64.ln()).abs() < 0.01 * 2f64.ln(), "{estimate:?}");
        assert!((estimate.exponent - 2f64.ln()).abs() < 6.0 * estimate.standard_error + 1e-4);
    }
    let r: f64 = 3.2;
    let exact = 0.5 * (4.0 + 2.0 * r - r * r).abs().ln();
    let estimate = of_map(|x, next| next[0] = r * x[0] * (1.0 - x[0]), &[0.3], options).unwrap();
    assert!((estimate.exponent - exact).abs() < 0.01 * exact.abs(), "{estimate:?}, exactly {exact}");
}

/// Guards the Henon map: 0.419 within 0.005 by both methods, the sum of its exponents ln 0.3
/// exactly, and its Lyapunov dimension 1.26.
#[test]
fn henon_map() {
    let options = LyapunovOptions { intervals: 200_000, ..LyapunovOptions::default() };
    let estimate = of_map(henon, &[0.1, 0.1], options).unwrap();
    assert!((estimate.exponent - 0.419).abs() < 0.005, "{estimate:?}");
    let spectrum = map_spectrum(
        henon,
        henon_jacobian,
        &[0.1, 0.1],
        &SpectrumOptions { steps: 200_000, ..SpectrumOptions::default() },
        |_| ControlFlow::Continue(()),
    )
    .unwrap();
    let [first, second] = spectrum.exponents[..] else { panic!("two exponents") };
    assert!((first - 0.419).abs() < 0.005, "{first}");
    assert!((first + second - 0.3f64.ln()).abs() < 1e-9);
    let dimension = kaplan_yorke_dimension(&spectrum.exponents).unwrap();
    assert!((dimension - 1.258).abs() < 0.005, "{dimension}");
}

/// Guards the spectrum of a linear map: the logarithms of its eigenvalues (Arnold's cat map), and
/// a direction that is annihilated.
#[test]
fn spectra_of_linear_maps() {
    let spectrum = |matrix: [f64; 4]| {
        let map = move |x: &[f64], next: &mut [f64]| {
            next[0] = (matrix[0] * x[0] + matrix[1] * x[1]).rem_euclid(1.0);
            next[1] = (matrix[2] * x[0] + matrix[3] * x[1]).rem_euclid(1.0);
        };
        map_spectrum(
            map,
            |_, m| m.copy_from_slice(&matrix),
            &[0.1, 0.2],
            &SpectrumOptions { transient: 100, steps: 1000 },
            |_| ControlFlow::Continue(()),
        )
        .unwrap()
        .exponents
    };
    let golden = ((3.0 + 5f64.sqrt()) / 2.0).ln();
    let cat = spectrum([2.0, 1.0, 1.0, 1.0]);
    assert!((cat[0] - golden).abs() < 1e-12 && (cat[1] + golden).abs() < 1e-12, "{cat:?}");
    let flat = spectrum([0.5, 0.0, 0.0, 0.0]);
    assert!((flat[0] - 0.5f64.ln()).abs() < 1e-12 && flat[1] == f64::NEG_INFINITY, "{flat:?}");
}

/// Guards a sign and a unit: a linear decay exp(-k t) has the exponent -k, by every scheme and
/// both kinds of steps, also for two components and in the presence of time.
#[test]
fn linear_decay() {
    for k in [0.1, 1.0, 25.0] {
        let decay = |t: f64, y: &[f64], slope: &mut [f64]| {
            slope.iter_mut().zip(y).for_each(|(s, y)| *s = -k * y + (3.0 * t).sin());
        };
        let h = 1e-3 / k;
        let options =
            LyapunovOptions { intervals: 500, steps_per_interval: 10, ..LyapunovOptions::default() };
        for scheme in [Scheme::Euler, Scheme::Rk4] {
            let stepping = FlowStepping::Fixed { scheme, time_step: h };
            let estimate = of_flow(decay, &[1.0, 2.0], stepping, options).unwrap();
            // Euler decays by ln(1 - k h) / h.
            let tolerance = if scheme == Scheme::Euler { 1e-3 } else { 1e-4 };
            assert!((estimate.exponent + k).abs() < tolerance * k, "{scheme:?}, {k}: {estimate:?}");
        }
        let stepping =
            FlowStepping::Adaptive { duration: 0.1 / k, relative_tolerance: 1e-9, absolute_tolerance: 1e-12 };
        let estimate = of_flow(decay, &[1.0], stepping, options).unwrap();
        assert!((estimate.exponent + k).abs() < 1e-4 * k, "adaptive, {k}: {estimate:?}");
    }
}

/// Guards the Lorenz system: 0.906 within 2 %, with fixed and with adaptive steps.
#[test]
fn lorenz_system() {
    let options = LyapunovOptions {
        transient: 500,
        intervals: 20_000,
        steps_per_interval: 10,
        ..LyapunovOptions::default()
    };
    let estimate = of_flow(lorenz, &[1.0, 1.0, 20.0], RK4, options).unwrap();
    assert!((estimate.exponent - 0.906).abs() < 0.02 * 0.906, "{estimate:?}");
    assert!(estimate.standard_error < 0.02 && estimate.end == RunEnd::Completed);
    let adaptive =
        FlowStepping::Adaptive { duration: 0.02, relative_tolerance: 1e-8, absolute_tolerance: 1e-8 };
    let estimate = of_flow(lorenz, &[1.0, 1.0, 20.0], adaptive, options).unwrap();
    assert!((estimate.exponent - 0.906).abs() < 0.02 * 0.906, "{estimate:?}");
}

/// Guards what v4.1's figure got wrong: the exponent depends neither on the unit of the state nor
/// on copies of it side by side.
#[test]
fn units_and_copies_do_not_matter() {
    let options = LyapunovOptions { intervals: 50_000, separation: 1e-9, ..LyapunovOptions::default() };
    let logistic = |scale: f64, copies: usize| {
        let map = move |x: &[f64], next: &mut [f64]| {
            next.iter_mut().zip(x).for_each(|(n, x)| *n = 4.0 * x * (1.0 - x / scale));
        };
        let start: Vec<f64> = (0..copies).map(|copy| scale * (0.3 + 0.01 * copy as f64)).collect();
        of_map(map, &start, LyapunovOptions { separation: options.separation * scale, ..options })
            .unwrap()
            .exponent
    };
    let one = logistic(1.0, 1);
    assert!((logistic(1000.0, 1) - one).abs() < 0.01);
    assert!((logistic(1.0, 4) - one).abs() < 0.01);
}

/// A grid that only diffuses towards its edges at 0 V, with or without events and noise.
fn diffusion(noisy: bool) -> Simulation {
    Simulation::new(Spec {
        grid_size: 16,
        alpha: 0.2,
        turing_enabled: false,
        spike_probability: if noisy { 0.2 } else { 0.0 },
        quantum_jitter: noisy,
        jitter_var: 1e-8,
        boundary_condition: BoundaryCondition::Dirichlet,
        ..Spec::v4_1()
    })
    .expect("a specification")
}

/// Guards the exponent of a simulation by a case that is known: diffusion with edges held at 0
/// decays with the lowest mode, 1 - 8 alpha sin^2(pi / (2 (N + 1))) a step. Events and noise that
/// both runs share do not change it; a simulation is not changed by being measured.
#[test]
fn diffusion_of_a_simulation() {
    let options = LyapunovOptions { transient: 50, intervals: 60, steps_per_interval: 10, separation: 1e-6 };
    let sine = (std::f64::consts::PI / 34.0).sin();
    let exact = (1.0 - 1.6 * sine * sine).ln();
    for noisy in [false, true] {
        let simulation = diffusion(noisy);
        let before = simulation.field().to_owned();
        let estimate = simulation_exponent(&simulation, &options, |_| ControlFlow::Continue(())).unwrap();
        assert!((estimate.exponent - exact).abs() < 0.001 * exact.abs(), "{estimate:?}, exactly {exact}");
        assert!(simulation.field() == before && simulation.step_count() == 0);
    }
}

/// Guards runs with the reaction on, in both kinds of random numbers, and the refusals.
#[test]
fn simulations_with_a_reaction() {
    let options = LyapunovOptions { transient: 5, intervals: 20, ..LyapunovOptions::default() };
    let measure = |spec: Spec| {
        simulation_exponent(&Simulation::new(spec).unwrap(), &options, |_| ControlFlow::Continue(()))
    };
    for spec in [Spec::v4_1(), Spec::default()] {
        let estimate = measure(Spec { grid_size: 16, ..spec }).unwrap();
        assert!(estimate.exponent.is_finite() && estimate.exponent < 0.1, "{estimate:?}");
    }
    let single = measure(Spec { grid_size: 16, precision: Precision::F32, ..Spec::default() });
    assert!(matches!(single, Err(LyapunovError::Precision)), "{single:?}");
    let none = LyapunovOptions { intervals: 0, ..options };
    let refused = simulation_exponent(&diffusion(false), &none, |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(LyapunovError::Options(_))));
}

/// Guards each failure and its place.
#[test]
fn failures_are_typed() {
    let options = LyapunovOptions::default();
    let merged = of_map(|_, next| next[0] = 0.5, &[0.3], options);
    assert!(matches!(merged, Err(LyapunovError::Merged { interval: 0 })), "{merged:?}");
    // Far out, the separation is below the rounding of the state.
    let escaped = of_map(|x, next| next[0] = 9.0 * x[0] * (1.0 - x[0]), &[0.3], options);
    assert!(matches!(escaped, Err(LyapunovError::Merged { interval: 1.. })), "{escaped:?}");
    let infinite = of_map(|x, next| next[0] = 1.0 / (x[0] - x[0]), &[0.3], options);
    assert!(matches!(infinite, Err(LyapunovError::NotFinite { interval: 0, component: 0, .. })));
    let escaped = map_spectrum(henon, henon_jacobian, &[9.0, 9.0], &SpectrumOptions::default(), |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(escaped, Err(LyapunovError::NotFinite { interval: 1.., .. })), "{escaped:?}");
    let empty = of_map(|_, _| (), &[], options);
    assert!(matches!(empty, Err(LyapunovError::Ode(OdeError::StateLength { length: 0 }))));
    let nan = of_map(|_, _| (), &[f64::NAN], options);
    assert!(matches!(nan, Err(LyapunovError::Ode(OdeError::InitialState { component: 0, .. }))));
    for wrong in [
        LyapunovOptions { separation: 0.0, ..options },
        LyapunovOptions { separation: f64::NAN, ..options },
        LyapunovOptions { intervals: 0, ..options },
        LyapunovOptions { steps_per_interval: u64::MAX, ..options },
        LyapunovOptions { transient: u64::MAX, ..options },
    ] {
        assert!(matches!(of_map(henon, &[0.1, 0.1], wrong), Err(LyapunovError::Options(_))), "{wrong:?}");
    }
    let stepping = FlowStepping::Fixed { scheme: Scheme::Rk4, time_step: f64::NAN };
    let refused = of_flow(lorenz, &[1.0; 3], stepping, options);
    assert!(matches!(refused, Err(LyapunovError::Ode(OdeError::Options(_)))), "{refused:?}");
    let stepping =
        FlowStepping::Adaptive { duration: -1.0, relative_tolerance: 1e-6, absolute_tolerance: 1e-6 };
    assert!(matches!(of_flow(lorenz, &[1.0; 3], stepping, options), Err(LyapunovError::Options(_))));
    let large = map_spectrum(
        |_, _| (),
        |_, _| (),
        &[0.0; 257],
        &SpectrumOptions::default(),
        |_| ControlFlow::Continue(()),
    );
    assert!(matches!(large, Err(LyapunovError::Dimension { length: 257 })));
}

/// Guards cancelling: what was measured until then is returned, NaN in the transient.
#[test]
fn a_cancelled_measurement_returns_what_it_has() {
    let stop_at = |interval: u64| {
        map_exponent(henon, &[0.1, 0.1], &LyapunovOptions::default(), |now: Interval| {
            assert!(now.total == 10_100 && (now.done <= 100) == now.exponent.is_nan());
            if now.done == interval { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap()
    };
    let early = stop_at(100);
    assert!(early.exponent.is_nan() && early.intervals == 0 && early.end == RunEnd::Cancelled);
    let later = stop_at(5100);
    assert!((later.exponent - 0.419).abs() < 0.05 && later.standard_error.is_nan());
    assert_eq!((later.intervals, later.end), (5000, RunEnd::Cancelled));
}

/// Guards the dimension by hand: a stable point, a limit cycle, a strange attractor, a spectrum
/// that expands volumes, and lists that are none.
#[test]
fn kaplan_yorke_by_hand() {
    assert_eq!(kaplan_yorke_dimension(&[-1.0, -2.0]), Some(0.0));
    assert_eq!(kaplan_yorke_dimension(&[0.0, -1.0]), Some(1.0));
    assert_eq!(kaplan_yorke_dimension(&[1.0, 0.0, -4.0]), Some(2.25));
    assert_eq!(kaplan_yorke_dimension(&[1.0, -0.5]), Some(2.0));
    assert_eq!(kaplan_yorke_dimension(&[0.5, f64::NEG_INFINITY]), Some(1.0));
    assert_eq!(kaplan_yorke_dimension(&[]), Some(0.0));
    assert_eq!(kaplan_yorke_dimension(&[-1.0, 0.0]), None);
    assert_eq!(kaplan_yorke_dimension(&[f64::NAN]), None);
}

/// Guards matrices whose squares, or sums, are no numbers: they have exponents all the same.
#[test]
fn huge_and_tiny_matrices_have_exponents() {
    let options = SpectrumOptions { transient: 2, steps: 3 };
    let diagonal = |a: f64, b: f64| ([a, 0.0, 0.0, b], [a.abs().ln(), b.abs().ln()]);
    let turned = f64::ln(1.3e308) + 0.5 * f64::ln(2.0);
    for (matrix, expected) in [
        diagonal(-1.9e263, 1.2e-263),
        diagonal(1e-200, 4e-300),
        diagonal(1e200, 5e-310),
        diagonal(1e300, 1e-310),
        diagonal(1e281, 1e-305),
        // It turns by an eighth and makes each length the root of 2 times 1.3e308.
        ([1.3e308, 1.3e308, -1.3e308, 1.3e308], [turned, turned]),
    ] {
        let still = |x: &[f64], next: &mut [f64]| next.copy_from_slice(x);
        let jacobian = |_: &[f64], m: &mut [f64]| m.copy_from_slice(&matrix);
        let found =
            map_spectrum(still, jacobian, &[0.5, 0.5], &options, |_| ControlFlow::Continue(())).unwrap();
        for (exponent, expected) in found.exponents.iter().zip(expected) {
            assert!((exponent - expected).abs() < 1e-6 * expected.abs(), "{exponent} of {matrix:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Guards every option and state there is, for maps and flows that may blow up: an estimate
    /// or a typed error.
    #[test]
    fn measurements_are_total(
        state in prop::collection::vec(prop_oneof![4 => -2.0..2.0f64, 1 => any::<f64>()], 0..5),
        factor in prop_oneof![4 => -3.0..3.0f64, 1 => any::<f64>()],
        separation in prop_oneof![4 => 1e-14..0.1f64, 1 => any::<f64>()],
        (steps_per_interval, transient, intervals) in (0u64..5, 0u64..20, 0u64..60),
        time_step in prop_oneof![4 => 0.0..1.0f64, 1 => any::<f64>()],
        adaptive in any::<bool>(),
    ) {
        let options = LyapunovOptions { separation, steps_per_interval, transient, intervals };
        let map = |x: &[f64], next: &mut [f64]| {
            next.iter_mut().zip(x).for_each(|(n, x)| *n = factor * x + 0.1 * x.sin());
        };
        if let Ok(estimate) = of_map(map, &state, options) {
            prop_assert!(estimate.exponent.is_finite() && estimate.intervals == intervals);
            prop_assert_eq!(estimate.standard_error.is_nan(), intervals < 40);
        }
        let stepping = if adaptive {
            FlowStepping::Adaptive { duration: time_step, relative_tolerance: 1e-6, absolute_tolerance: 1e-6 }
        } else {
            FlowStepping::Fixed { scheme: Scheme::Rk4, time_step }
        };
        if let Ok(estimate) = of_flow(|_, x, slope| map(x, slope), &state, stepping, options) {
            prop_assert!(estimate.exponent.is_finite() && estimate.intervals == intervals);
        }
        let jacobian = |x: &[f64], m: &mut [f64]| {
            m.fill(0.0);
            m.iter_mut().step_by(x.len() + 1).zip(x).for_each(|(m, x)| *m = factor + 0.1 * x.cos());
        };
        let spectrum = SpectrumOptions { transient, steps: intervals };
        if let Ok(found) = map_spectrum(map, jacobian, &state, &spectrum, |_| ControlFlow::Continue(())) {
            prop_assert!(found.exponents.len() == state.len() && found.exponents.iter().all(|e| !e.is_nan()));
            prop_assert!(kaplan_yorke_dimension(&found.exponents).is_some());
        }
    }

    /// Guards states of every size.
    #[test]
    fn long_states_have_the_exponent_of_their_components(exponent in 0u32..=16) {
        let state = vec![0.25; 1 << exponent];
        let halve = |x: &[f64], next: &mut [f64]| next.iter_mut().zip(x).for_each(|(n, x)| *n = 0.5 * x);
        let options = LyapunovOptions { intervals: 5, transient: 1, ..LyapunovOptions::default() };
        let estimate = of_map(halve, &state, options).unwrap();
        prop_assert!((estimate.exponent - 0.5f64.ln()).abs() < 1e-4);
    }
}
