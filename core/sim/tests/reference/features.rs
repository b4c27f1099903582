//! The 18 features.

use mfn_sim::features::{self, NAMES};
use mfn_sim::{Compat, FeatureConfig};
use ndarray::{Array3, Axis};

use crate::load::{Entry, assert_close, number};

pub(crate) fn check(entry: &Entry) {
    let history = entry.history("history");
    let energy_max = number(&entry.expected["max_energy_mV2"]);
    for name in ["default", "conn8_other", "fine_boxes"] {
        let case = &entry.expected[name];
        let config: FeatureConfig = serde_json::from_value(case["config"].clone()).expect("a configuration");
        let config = FeatureConfig { compat: Some(Compat::V4_1), ..config };
        let actual = features::compute_history(history.view(), &config).expect("features");
        let wanted = case["features"].as_object().expect("features");
        assert_eq!(wanted.len(), NAMES.len(), "{}: number of features", entry.id);
        for (feature, value) in NAMES.iter().zip(actual.to_array()) {
            let what = format!("{} {name}: {feature}", entry.id);
            let wanted = number(&wanted[*feature]);
            match *feature {
                // Fitted slopes: 1e-9, the energy slope relative to the largest energy.
                "D_box" | "D_r2" => assert_close(&what, value, wanted, 1e-9),
                "E_trend" => {
                    let error = (value - wanted).abs();
                    assert!(error <= 1e-9 * energy_max, "{what}: {value:e}, expected {wanted:e}");
                }
                _ => assert_close(&what, value, wanted, 1e-12),
            }
        }
        // One frame gives the static features of the whole history, and 0 for the others.
        let last = history.index_axis(Axis(0), history.dim().0 - 1);
        let still = features::compute(last, &config).expect("features").to_array();
        for (index, feature) in NAMES.iter().enumerate() {
            let wanted = match *feature {
                "dV_mean" | "dV_max" | "T_stable" | "E_trend" => 0.0,
                _ => actual.to_array()[index],
            };
            assert_eq!(
                still[index].to_bits(),
                wanted.to_bits(),
                "{} {name}: {feature} of one frame",
                entry.id
            );
        }
    }
    check_change_rates(entry, &history);
}

/// What the reference calls a Lyapunov exponent, and its stability metrics. The entry of a
/// single field has none.
fn check_change_rates(entry: &Entry, history: &Array3<f64>) {
    let Some(lyapunov) = entry.expected.get("lyapunov_from_history") else {
        assert_eq!(history.dim().0, 1, "{}", entry.id);
        return;
    };
    let rates = |time_step| features::change_rates(history.view(), time_step).expect("rates");
    for (time_step, wanted) in [
        (1.0, &lyapunov["dt=1"]),
        (0.5, &lyapunov["dt=0.5"]),
        (2.0, &entry.expected["growth_engine_lyapunov_dt=2"]),
    ] {
        let what = format!("{}: mean_log_step_change, time step {time_step}", entry.id);
        assert_close(&what, rates(time_step).mean_log_step_change, number(wanted), 1e-12);
    }
    let wanted = &entry.expected["stability_metrics_dt_0.25"];
    let actual = rates(0.25);
    for (name, value) in [
        ("lyapunov_exponent", actual.mean_log_step_change),
        ("is_stable", f64::from(actual.mean_log_step_change < 0.0)),
        ("mean_change_rate", actual.mean_change_rate),
        ("max_change_rate", actual.max_change_rate),
        ("final_std", actual.final_std),
    ] {
        assert_close(&format!("{}: {name}", entry.id), value, number(&wanted[name]), 1e-12);
    }
}
