//! The claims of pattern formation, each against the theory: growth rates against the dispersion
//! relation, grown patterns against the predicted wavelength, the default preset against its
//! promise, and v4.1 as it is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::f64::consts::TAU;

use mfn_sim::kinetics::{Kinetics, Linearization, SteadyState, grid_symbol, turing_analysis_of};
use mfn_sim::{InitialCondition, Simulation, Spec};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// A wave of the grid, `cos(k_rows row + k_columns column)`.
struct Wave {
    k_rows: f64,
    k_columns: f64,
}

impl Wave {
    /// The wave with so many periods along the rows and the columns of a square grid.
    fn periods(rows: usize, columns: usize, grid_size: usize) -> Self {
        let per_period = TAU / grid_size as f64;
        Self { k_rows: per_period * rows as f64, k_columns: per_period * columns as f64 }
    }

    fn at(&self, (row, column): (usize, usize)) -> f64 {
        (self.k_rows * row as f64 + self.k_columns * column as f64).cos()
    }

    /// q of the five-point Laplacian.
    fn symbol(&self) -> f64 {
        grid_symbol(self.k_rows, self.k_columns)
    }

    /// Its amplitude in a field.
    fn amplitude(&self, field: ArrayView2<'_, f64>) -> f64 {
        let mean = field.sum() / field.len() as f64;
        let projected: f64 = field.indexed_iter().map(|(at, value)| (value - mean) * self.at(at)).sum();
        2.0 * projected / field.len() as f64
    }
}

/// The (activator, inhibitor) direction in which a mode grows at its leading rate, which is real.
fn eigenvector(linear: &Linearization, q: f64) -> (f64, f64) {
    let [[f_u, f_v], _] = linear.jacobian;
    let leading = linear.eigenvalues(q)[0].real;
    (1.0, (leading - f_u + q * linear.d_activator) / f_v)
}

/// Runs a small perturbation of the steady state in the shape of one wave and gives the
/// logarithm of its growth per step.
fn measured_growth_per_step(spec: &Spec, state: &SteadyState, wave: &Wave) -> f64 {
    const AMPLITUDE: f64 = 1e-7;
    let mut simulation = Simulation::new(spec.clone()).unwrap();
    let (along_u, along_v) = eigenvector(&state.linear, wave.symbol());
    let shape = (spec.rows(), spec.cols());
    let perturbed =
        |steady: f64, along: f64| Array2::from_shape_fn(shape, |at| steady + AMPLITUDE * along * wave.at(at));
    simulation.set_initial_activator(perturbed(state.activator, along_u).view()).unwrap();
    simulation.set_initial_inhibitor(perturbed(state.inhibitor, along_v).view()).unwrap();
    let before = wave.amplitude(simulation.activator().view());
    for _ in 0..spec.steps {
        simulation.step().unwrap();
    }
    (wave.amplitude(simulation.activator().view()) / before).ln() / spec.steps as f64
}

/// Presets whose kinetics differ, all of them unstable in Turing's sense.
const TURING_PRESETS: [&str; 5] = [
    "mycelium",
    "schnakenberg-spots",
    "gierer-meinhardt-spots",
    "fitzhugh-nagumo-labyrinth",
    "brusselator-stripes",
];

/// Guards the dispersion relation of the scheme: the measured growth per step of waves of every
/// direction, growing and decaying, is the predicted one to 0.1 % of the fastest, for five
/// kinetics.
#[test]
fn growth_per_step_is_the_dispersion_relation_of_the_scheme() {
    let grid_size = 48;
    for preset in TURING_PRESETS {
        let spec = Spec { grid_size, steps: 60, ..Spec::preset(preset).unwrap() };
        let state = *turing_analysis_of(&spec).unwrap().turing_state().unwrap();
        let fastest = state.linear.growth_per_step(state.fastest_q);
        let mut growing = 0;
        for (rows, columns) in
            [(0, 1), (0, 3), (0, 5), (4, 0), (3, 4), (4, 5), (6, 2), (0, 9), (12, 12), (24, 24)]
        {
            let wave = Wave::periods(rows, columns, grid_size);
            let [leading, _] = state.linear.eigenvalues(wave.symbol());
            // An oscillating mode has no real direction to start in; a mode that decays this
            // fast is rounding before the end.
            if leading.imaginary != 0.0 || leading.real < -0.15 {
                continue;
            }
            let expected = leading.euler_growth(spec.time_step);
            let measured = measured_growth_per_step(&spec, &state, &wave);
            assert!(
                (measured - expected).abs() < 1e-3 * fastest,
                "{preset}, wave ({rows}, {columns}): {measured} instead of {expected}"
            );
            growing += u32::from(expected > 0.0);
        }
        assert!(growing >= 3, "{preset}: only {growing} waves grow");
    }
}

/// Guards the claim "growth rates within 2 % of the dispersion relation": against that of the
/// equations in the plane, at a resolution where a wave has more than 50 cells.
#[test]
fn growth_rates_are_those_of_the_equations() {
    let columns = 256;
    // With the rates divided by 48 every length grows by the square root of 48.
    let slower = 48.0;
    for preset in TURING_PRESETS {
        let base = Spec::preset(preset).unwrap();
        let spec = Spec {
            rows: Some(2),
            cols: Some(columns),
            steps: 200,
            r_activator: base.r_activator / slower,
            r_inhibitor: base.r_inhibitor / slower,
            ..base
        };
        let state = *turing_analysis_of(&spec).unwrap().turing_state().unwrap();
        let mut waves = 0;
        for periods in 2..=6 {
            let wave = Wave::periods(0, periods, columns);
            let expected = state.linear.growth_rate(wave.k_columns);
            let [leading, _] = state.linear.eigenvalues(wave.symbol());
            // Near the ends of the band the rate passes zero, where a relative error means little.
            if leading.imaginary != 0.0 || expected < 0.2 * state.fastest_growth_rate() {
                continue;
            }
            let measured = measured_growth_per_step(&spec, &state, &wave) / spec.time_step;
            assert!(
                (measured / expected - 1.0).abs() < 0.02,
                "{preset}, {periods} periods: {measured} instead of {expected}"
            );
            waves += 1;
        }
        assert!(waves >= 2, "{preset}: only {waves} waves");
    }
}

/// The wavelength at the peak of the power spectrum, cells: the power-weighted mean wavenumber
/// of the ring with the most power and the two rings on each side of it.
fn dominant_wavelength_cells(field: ArrayView2<'_, f64>) -> f64 {
    let (n, columns) = field.dim();
    assert_eq!(n, columns);
    let mean = field.sum() / field.len() as f64;
    let half = n / 2;
    let turn: Vec<(f64, f64)> = (0..n).map(|at| (TAU * at as f64 / n as f64).sin_cos()).collect();
    // A plain transform along each axis: cubic in n, and enough for one field.
    let mut along_rows = Array2::from_elem((n, half + 1), (0.0, 0.0));
    for ((row, k), sum) in along_rows.indexed_iter_mut() {
        for column in 0..n {
            let (sin, cos) = turn[k * column % n];
            let value = field[[row, column]] - mean;
            sum.0 += value * cos;
            sum.1 -= value * sin;
        }
    }
    let mut rings = vec![0.0; half + 1];
    for k_row in 0..n {
        for k in 0..=half {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for row in 0..n {
                let (sin, cos) = turn[k_row * row % n];
                let (a, b) = along_rows[[row, k]];
                real += a * cos + b * sin;
                imaginary += b * cos - a * sin;
            }
            let distance = (k_row.min(n - k_row) as f64).hypot(k as f64).round() as usize;
            if let Some(ring) = rings.get_mut(distance) {
                *ring += real * real + imaginary * imaginary;
            }
        }
    }
    let peak = (1..rings.len()).max_by(|&a, &b| rings[a].total_cmp(&rings[b])).unwrap_or(1);
    let around = peak.saturating_sub(2).max(1)..=(peak + 2).min(half);
    let power: f64 = rings[around.clone()].iter().sum();
    let moment: f64 = around.map(|ring| ring as f64 * rings[ring]).sum();
    n as f64 * power / moment
}

/// The final state of a complete run.
fn completed(spec: Spec) -> Simulation {
    let mut simulation = Simulation::new(spec).unwrap();
    for _ in 0..simulation.spec().steps {
        simulation.step().unwrap();
    }
    simulation
}

/// Guards the measure of the next test: the wavelength of a known wave.
#[test]
fn the_spectral_peak_of_a_wave_is_its_wavelength() {
    for (rows, columns) in [(0, 8), (6, 8), (10, 0)] {
        let wave = Wave::periods(rows, columns, 64);
        let field = Array2::from_shape_fn((64, 64), |at| 3.0 + wave.at(at));
        let expected = 64.0 / (rows as f64).hypot(columns as f64);
        assert!((dominant_wavelength_cells(field.view()) / expected - 1.0).abs() < 1e-9);
    }
}

/// Guards the claim "wavelength within 10 % of the prediction", for the complete runs of five
/// presets, long after the linear stage.
#[test]
fn grown_patterns_have_the_predicted_wavelength() {
    TURING_PRESETS.par_iter().for_each(|preset| {
        let spec = Spec::preset(preset).unwrap();
        let predicted =
            turing_analysis_of(&spec).unwrap().turing_state().unwrap().wavelength_cells().unwrap();
        let simulation = completed(spec);
        let activator = simulation.activator();
        let measured = dominant_wavelength_cells(activator.view());
        println!("{preset}: {measured:.2} cells measured, {predicted:.2} predicted");
        assert!(
            (measured / predicted - 1.0).abs() < 0.1,
            "{preset}: {measured} instead of {predicted} cells"
        );
        let deviation = activator.std(0.0) / activator.mean().unwrap().abs().max(1.0);
        assert!(deviation > 0.1, "{preset}: no pattern, relative deviation {deviation}");
    });
}

/// Guards the claim of the default preset, over 100 seeds: D_box in 1.4..1.9 with R^2 > 0.98, and
/// between 5 % and 60 % of the cells active.
#[test]
fn mycelium_earns_its_name_over_100_seeds() {
    let measured: Vec<_> = (0..100u64)
        .into_par_iter()
        .map(|seed| completed(Spec { random_seed: seed, ..Spec::default() }).features())
        .collect();
    for (seed, features) in measured.iter().enumerate() {
        let (dimension, fit, active) = (features.d_box, features.d_r2, features.f_active);
        assert!((1.4..1.9).contains(&dimension), "seed {seed}: D_box {dimension}");
        assert!(fit > 0.98, "seed {seed}: R^2 {fit}");
        assert!((0.05..0.6).contains(&active), "seed {seed}: active fraction {active}");
    }
    // For the page of the kinetics: `cargo test -p mfn-sim --test turing mycelium -- --nocapture`.
    for (name, value) in [("D_box", 0), ("R^2", 1), ("active fraction", 2)] {
        let values =
            measured.iter().map(|features| [features.d_box, features.d_r2, features.f_active][value]);
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        println!("{name}: {low:.4} to {high:.4}");
    }
}

/// Guards the row of the claims about v4.1: with its defaults the activator never leaves its
/// initial range and no cell is ever activated, whatever the seed.
#[test]
fn v4_1_never_leaves_its_initial_range() {
    for random_seed in 0..5 {
        let simulation = completed(Spec { random_seed, steps: 2000, grid_size: 32, ..Spec::v4_1() });
        assert_eq!(simulation.statistics().turing_activations, 0);
        assert!(simulation.activator().iter().all(|&value| (0.0..=0.1).contains(&value)));
    }
}

/// Guards the preset without a Turing instability: spots divide from the patches until they fill
/// the grid, with the trivial state as stable as the analysis says.
#[test]
fn spots_grow_from_patches_only() {
    let spec = Spec::preset("gray-scott-spots").unwrap();
    assert!(matches!(spec.kinetics, Kinetics::GrayScott(_)));
    let active = |spec: Spec| completed(spec).features().f_active;
    let grown = active(spec.clone());
    assert!((0.1..0.25).contains(&grown), "{grown}");
    let steady = Spec { initial_condition: InitialCondition::Steady, steps: 500, ..spec };
    let analysis = turing_analysis_of(&steady).unwrap();
    assert!(!analysis.is_turing_unstable());
    let simulation = completed(steady);
    assert!(simulation.activator().iter().all(|value| value.abs() < 1e-6));
}
