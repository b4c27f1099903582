//! The linear stability analysis against textbook values, brute force and its own definitions.

use mfn_sim::BoundaryCondition;
use mfn_sim::kinetics::{
    AnalysisError, Brusselator, GRID_SYMBOL_MAX, GrayScott, HostReaction, HostReactionError, Kinetics,
    Linearization, ReactionDiffusion, Schnakenberg, Stability, grid_symbol, host_turing_analysis,
    turing_analysis,
};
use proptest::prelude::*;
use std::f64::consts::{PI, TAU};

fn system(kinetics: Kinetics, d_activator: f64, d_inhibitor: f64) -> ReactionDiffusion {
    ReactionDiffusion {
        kinetics,
        r_activator: 1.0,
        r_inhibitor: 1.0,
        d_activator,
        d_inhibitor,
        time_step: 1.0,
    }
}

/// Guards v4.1's row of the claims: with its coefficients (D_i / D_a = 0.5) its only steady
/// state is not unstable; the ratio it would need is exactly 2.
#[test]
fn v4_1_defaults_are_not_unstable() {
    let v4_1 =
        ReactionDiffusion { r_activator: 0.01, r_inhibitor: 0.02, ..system(Kinetics::V4_1, 0.1, 0.05) };
    let analysis = turing_analysis(&v4_1).unwrap();
    let [state] = analysis.states() else { panic!("one steady state") };
    assert_eq!(state.stability, Stability::Marginal);
    assert_eq!(state.band, None);
    assert!(!analysis.is_turing_unstable());
    assert!((state.linear.critical_ratio().unwrap() - 2.0).abs() < 1e-12);
    for sample in 1..=800 {
        assert!(state.linear.growth_per_step(0.01 * f64::from(sample)) < 0.0);
    }
    let faster_inhibitor = ReactionDiffusion { d_inhibitor: 0.21, ..v4_1 };
    assert!(turing_analysis(&faster_inhibitor).unwrap().is_turing_unstable());
    let slower_inhibitor = ReactionDiffusion { d_inhibitor: 0.19, ..v4_1 };
    assert!(!turing_analysis(&slower_inhibitor).unwrap().is_turing_unstable());
}

/// Guards the thresholds of the literature: the Brusselator is Turing-unstable above
/// B = (1 + A sqrt(D_u / D_v))^2 and oscillates above B = 1 + A^2 (Nicolis and Prigogine, 1977).
#[test]
fn brusselator_thresholds_are_those_of_the_literature() {
    let (a, d_u, d_v): (f64, f64, f64) = (4.5, 1.0, 8.0);
    let stability = |b: f64| {
        let analysis =
            turing_analysis(&system(Kinetics::Brusselator(Brusselator { a, b }), d_u, d_v)).unwrap();
        analysis.states()[0].stability
    };
    let turing = (1.0 + a * (d_u / d_v).sqrt()).powi(2);
    assert_eq!(stability(turing - 1e-6), Stability::Stable);
    assert_eq!(stability(turing + 1e-6), Stability::Turing);
    assert_eq!(stability(1.0 + a * a - 1e-6), Stability::Turing);
    assert_eq!(stability(1.0 + a * a + 1e-6), Stability::Hopf);
}

/// Guards the classes of the Gray-Scott states: at F = 0.06, k = 0.062 the upper one is
/// Turing-unstable, the middle one a saddle, the trivial one stable; the wavelength of the
/// upper one at onset is 2 pi (D_u D_v / det J)^(1/4).
#[test]
fn gray_scott_has_three_states_of_three_classes() {
    let kinetics = Kinetics::GrayScott(GrayScott { feed: 0.06, kill: 0.062 });
    let analysis = turing_analysis(&system(kinetics, 0.07, 0.2)).unwrap();
    let classes: Vec<_> = analysis.states().iter().map(|state| state.stability).collect();
    assert_eq!(classes, [Stability::Turing, Stability::Unstable, Stability::Stable]);

    let upper = analysis.states()[0];
    let critical = upper.linear.critical_ratio().unwrap();
    let onset = turing_analysis(&system(kinetics, 0.1, 0.1 * critical * (1.0 + 1e-9))).unwrap().states()[0];
    let expected = TAU * (0.1 * 0.1 * critical / onset.linear.determinant()).powf(0.25);
    assert!((onset.wavelength_cells().unwrap() / expected - 1.0).abs() < 1e-4);
    assert!(onset.fastest_growth_rate().abs() < 1e-9);
}

/// Guards the errors: no steady state, a callback that is not there, refused numbers.
#[test]
fn what_cannot_be_analysed_is_refused_with_its_numbers() {
    let empty = Kinetics::Schnakenberg(Schnakenberg { a: 0.0, b: 0.0 });
    let error = turing_analysis(&system(empty, 0.1, 0.2)).unwrap_err();
    assert!(matches!(error, AnalysisError::NoSteadyState { .. }));
    assert!(error.to_string().contains("schnakenberg (a = 0, b = 0)"), "{error}");
    assert_eq!(turing_analysis(&system(Kinetics::Host, 0.1, 0.2)).unwrap_err(), AnalysisError::HostRates);
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let error = turing_analysis(&system(Kinetics::V4_1, bad, 0.2)).unwrap_err();
        assert!(error.to_string().contains("d_activator"), "{error}");
    }
}

/// The Schnakenberg rates as a host would give them.
struct HostSchnakenberg;

impl HostReaction for HostSchnakenberg {
    fn rates(&self, u: &[f64], v: &[f64], du: &mut [f64], dv: &mut [f64]) -> Result<(), HostReactionError> {
        for cell in 0..u.len() {
            du[cell] = 0.1 - u[cell] + u[cell] * u[cell] * v[cell];
            dv[cell] = 0.9 - u[cell] * u[cell] * v[cell];
        }
        Ok(())
    }
}

/// Guards the analysis of a callback: it finds the steady state of the same equations in the
/// library, with the same derivatives to the accuracy of differences.
#[test]
fn host_kinetics_are_analysed_like_those_of_the_library() {
    let own = system(Kinetics::Schnakenberg(Schnakenberg { a: 0.1, b: 0.9 }), 0.01, 0.2);
    let host = ReactionDiffusion { kinetics: Kinetics::Host, ..own };
    let expected = turing_analysis(&own).unwrap().states()[0];
    let found = host_turing_analysis(&HostSchnakenberg, (1.5, 1.5), &host).unwrap().states()[0];
    assert!((found.activator - 1.0).abs() < 1e-8 && (found.inhibitor - 0.9).abs() < 1e-8);
    assert_eq!(found.stability, Stability::Turing);
    let (wavelength, known) = (found.wavelength_cells().unwrap(), expected.wavelength_cells().unwrap());
    assert!((wavelength / known - 1.0).abs() < 1e-6);
}

/// Guards the search: rates that vanish nowhere, or are NaN, end in an error, not in a hang.
#[test]
fn host_kinetics_without_a_steady_state_are_refused() {
    struct Constant(f64);
    impl HostReaction for Constant {
        fn rates(
            &self,
            _: &[f64],
            _: &[f64],
            du: &mut [f64],
            dv: &mut [f64],
        ) -> Result<(), HostReactionError> {
            du.fill(self.0);
            dv.fill(self.0);
            Ok(())
        }
    }
    for rate in [1.0, f64::NAN, f64::INFINITY] {
        let host = system(Kinetics::Host, 0.1, 0.2);
        let result = host_turing_analysis(&Constant(rate), (0.0, 0.0), &host);
        assert!(matches!(result, Err(AnalysisError::NotConverged { .. })), "{rate}: {result:?}");
    }
}

prop_compose! {
    fn any_linearization()(
        jacobian in prop::array::uniform2(prop::array::uniform2(-2.0..2.0f64)),
        d_activator in prop_oneof![Just(0.0), 1e-3..1.0f64],
        d_inhibitor in prop_oneof![Just(0.0), 1e-3..1.0f64],
        time_step in 0.01..1.0f64,
    ) -> Linearization {
        Linearization { jacobian, d_activator, d_inhibitor, time_step }
    }
}

const BOUNDARIES: [BoundaryCondition; 3] =
    [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet];

proptest! {
    /// Guards the eigenvalues: their sum and product are trace and determinant of the matrix of
    /// the mode, the first is the leading one.
    #[test]
    fn eigenvalues_have_the_trace_and_determinant(linear in any_linearization(), q in 0.0..8.0f64) {
        let [first, second] = linear.eigenvalues(q);
        let [[f_u, f_v], [g_u, g_v]] = linear.jacobian;
        let (one, two) = (f_u - q * linear.d_activator, g_v - q * linear.d_inhibitor);
        let product = first.real * second.real - first.imaginary * second.imaginary;
        prop_assert!(first.real >= second.real);
        prop_assert!((first.real + second.real - (one + two)).abs() < 1e-12 * (1.0 + q));
        prop_assert!((product - (one * two - f_v * g_u)).abs() < 1e-11 * (1.0 + q) * (1.0 + q));
    }

    /// Guards the band: inside the determinant of the mode is negative, outside it is not.
    #[test]
    fn the_band_is_where_the_determinant_is_negative(linear in any_linearization(), q in 0.0..8.0f64) {
        let [[f_u, f_v], [g_u, g_v]] = linear.jacobian;
        let determinant = (f_u - q * linear.d_activator) * (g_v - q * linear.d_inhibitor) - f_v * g_u;
        prop_assume!(determinant.abs() > 1e-9);
        let inside = linear.band().is_some_and(|band| band.contains(q) || (q == 0.0 && band.q_min == 0.0));
        prop_assert_eq!(inside, determinant < 0.0, "{:?}", linear.band());
    }

    /// Guards the closed form of the fastest mode: no sampled mode of the grid grows faster.
    #[test]
    fn no_mode_grows_faster_than_the_fastest(linear in any_linearization()) {
        let fastest = linear.fastest_q();
        prop_assert!((0.0..=GRID_SYMBOL_MAX).contains(&fastest));
        let best = linear.eigenvalues(fastest)[0].real;
        for sample in 0..=400 {
            let q = GRID_SYMBOL_MAX * f64::from(sample) / 400.0;
            prop_assert!(linear.eigenvalues(q)[0].real <= best + 1e-12);
        }
    }

    /// Guards the search for the modes that fit: it counts what looking at every mode counts,
    /// and finds the fastest of them.
    #[test]
    fn the_modes_that_fit_are_those_of_brute_force(
        rows in 1..24usize, columns in 1..24usize, boundary in prop::sample::select(BOUNDARIES.to_vec()),
        feed in 0.03..0.08f64, d_inhibitor in 0.1..0.24f64,
    ) {
        let kinetics = Kinetics::GrayScott(GrayScott { feed, kill: 0.06 });
        let analysis = turing_analysis(&system(kinetics, 0.06, d_inhibitor)).unwrap();
        for state in analysis.states() {
            let found = state.grid_modes(rows, columns, boundary);
            let wavenumbers = |cells: usize| -> Vec<f64> {
                match boundary {
                    BoundaryCondition::Periodic => (0..=cells / 2).map(|m| TAU * m as f64 / cells as f64).collect(),
                    BoundaryCondition::Neumann => (0..cells).map(|m| PI * m as f64 / cells as f64).collect(),
                    BoundaryCondition::Dirichlet =>
                        (1..=cells).map(|m| PI * m as f64 / (cells + 1) as f64).collect(),
                }
            };
            let (mut count, mut best) = (0, f64::NEG_INFINITY);
            for k_rows in wavenumbers(rows) {
                for k_columns in wavenumbers(columns) {
                    let q = grid_symbol(k_rows, k_columns);
                    if state.band.is_some_and(|band| band.contains(q)) {
                        count += 1;
                        best = f64::max(best, state.linear.growth_per_step(q));
                    }
                }
            }
            prop_assert_eq!(found.unstable_count, count);
            prop_assert_eq!(found.fastest.is_some(), count > 0);
            if let Some(fastest) = found.fastest {
                prop_assert!((fastest.growth_per_step - best).abs() < 1e-12);
            }
        }
    }

    /// Guards the whole range of sizes and coefficients: a value or a typed error, quickly.
    #[test]
    fn extreme_systems_give_a_value_or_an_error(
        name in prop::sample::select(Kinetics::NAMES.to_vec()),
        numbers in prop::array::uniform5(prop_oneof![
            Just(0.0), Just(1e-300), Just(1e6), Just(f64::MAX), Just(f64::NAN), Just(-1.0), 1e-6..10.0f64
        ]),
        rows in prop::sample::select(vec![0, 1, 2, 3, 65_536]),
        columns in prop::sample::select(vec![0, 1, 2, 3, 65_536]),
    ) {
        let [r_activator, r_inhibitor, d_activator, d_inhibitor, time_step] = numbers;
        let kinetics = Kinetics::by_name(name).unwrap();
        let system = ReactionDiffusion { kinetics, r_activator, r_inhibitor, d_activator, d_inhibitor, time_step };
        if let Ok(analysis) = turing_analysis(&system) {
            prop_assert!(system.validate().is_ok());
            for state in analysis.states() {
                prop_assert!(!state.fastest_growth_rate().is_nan());
                for boundary in BOUNDARIES {
                    let modes = state.grid_modes(rows, columns, boundary);
                    prop_assert!(modes.unstable_count <= (rows as u64 + 1) * (columns as u64 + 1));
                }
            }
        }
    }
}
