//! The validation cycle: it learns, it repeats, it can be ended, it refuses.

use std::ops::ControlFlow;

use mfn_sim::learning::validation::{
    ValidationConfig, ValidationError, ValidationMetrics, ValidationReport, run_validation,
};

fn report(config: &ValidationConfig) -> ValidationReport {
    run_validation(config, &mut |_| ControlFlow::Continue(())).expect("a report")
}

fn small(seed: u64) -> ValidationConfig {
    ValidationConfig { seed, grid_size: 16, steps: 32, ..ValidationConfig::default() }
}

/// Guards the point of the cycle: on samples never trained on, the network ends well below
/// its beginning and two thirds of the best constant, for several seeds.
#[test]
fn the_network_learns_what_it_has_not_seen() {
    for seed in [1, 2, 42] {
        let ValidationReport { metrics, loss_constant } = report(&small(seed));
        let constant = loss_constant.expect("samples are held out");
        let ValidationMetrics { loss_start, loss_final, loss_drop, .. } = metrics;
        assert!(
            loss_final < constant * 2.0 / 3.0,
            "seed {seed}: {loss_start} to {loss_final}, constant {constant}"
        );
        assert!(loss_drop > 0.0 && loss_drop == loss_start - loss_final, "seed {seed}");
    }
}

/// Guards the other numbers of the default cycle: physical constants, contracting maps, a dimension.
#[test]
fn the_other_numbers_are_plausible() {
    let metrics = report(&ValidationConfig { epochs: 1, ..small(7) }).metrics;
    assert!((metrics.nernst_symbolic_mv + 89.0107).abs() < 1e-4);
    assert!((metrics.nernst_symbolic_mv - metrics.nernst_numeric_mv).abs() < 1e-9);
    assert!((metrics.nernst_rtfz_mv - 26.7122).abs() < 1e-4);
    // Ratios of the maps lie in [0.2, 0.5).
    for exponent in [metrics.lyapunov_exponent, metrics.lyapunov_mean] {
        assert!(exponent > 0.2_f64.ln() && exponent < 0.5_f64.ln(), "{exponent}");
    }
    assert!((0.0..=2.0).contains(&metrics.example_fractal_dim) && metrics.growth_events > 100.0);
    assert!(
        metrics.pot_min_mv > -95.0 && metrics.pot_max_mv < 40.0 && metrics.pot_min_mv < metrics.pot_max_mv
    );
}

/// Guards repeatability: the same settings give the same bits, on any number of threads.
#[test]
fn a_validation_repeats() {
    for config in [
        ValidationConfig { epochs: 2, ..small(5) },
        ValidationConfig { grid_size: 16, steps: 32, ..ValidationConfig::v4_1() },
    ] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        assert_eq!(pool.install(|| report(&config)), report(&config));
    }
}

/// Guards the way out: the caller hears of every piece of work and can end it at each.
#[test]
fn a_validation_can_be_ended() {
    let config = ValidationConfig { epochs: 2, grid_size: 8, steps: 16, ..ValidationConfig::v4_1() };
    for stop in 1..=19 {
        let mut heard = 0;
        let result = run_validation(&config, &mut |progress| {
            heard = progress.step;
            assert_eq!(progress.steps_total, 19);
            if progress.step == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((result, heard), (Err(ValidationError::Cancelled), stop));
    }
}

/// Guards the ranges of the settings.
#[test]
fn settings_outside_their_range_are_refused() {
    type Change = fn(&mut ValidationConfig);
    let changes: [(&str, Change); 9] = [
        ("epochs", |config| config.epochs = 0),
        ("epochs", |config| config.epochs = u32::MAX),
        ("batch_size", |config| config.batch_size = 0),
        ("batch_size", |config| config.batch_size = usize::MAX),
        ("grid_size", |config| config.grid_size = 7),
        ("grid_size", |config| config.grid_size = usize::MAX),
        ("steps", |config| config.steps = 0),
        ("steps", |config| config.steps = u64::MAX),
        ("steps", |config| config.steps = 15),
    ];
    for (field, change) in changes {
        let mut config = small(1);
        change(&mut config);
        let refused = run_validation(&config, &mut |_| ControlFlow::Continue(())).expect_err("refused");
        assert!(refused.to_string().contains(field), "{field}: {refused}");
    }
}
