//! The validation cycle of MFN 4.1: samples within 1e-5 (single precision), all numbers that do not
//! depend on torch's random numbers within 1e-12.

use std::ops::ControlFlow;

use mfn_sim::learning::validation::{ValidationConfig, run_validation, v4_1};

use crate::load::{Entry, assert_close, number, whole};

pub(crate) fn check(entry: &Entry) {
    let flag = |name: &str| entry.params[name].as_bool().expect("a flag");
    let config = ValidationConfig {
        seed: whole(&entry.params["seed"]),
        epochs: whole(&entry.params["epochs"]),
        batch_size: whole(&entry.params["batch_size"]),
        grid_size: whole(&entry.params["grid_size"]),
        steps: whole(&entry.params["steps"]),
        turing_enabled: flag("turing_enabled"),
        quantum_jitter: flag("quantum_jitter"),
        use_sparse_attention: flag("use_sparse_attention"),
        ..ValidationConfig::v4_1()
    };
    let data = v4_1::dataset(&config).expect("samples");
    let inputs: Vec<f32> = data.x.iter().copied().collect();
    for (name, actual) in [("dataset_x", &inputs), ("dataset_y", &data.y)] {
        let wanted = entry.cells(name).0;
        assert_eq!(actual.len(), wanted.len(), "{}: {name}", entry.id);
        for (actual, wanted) in actual.iter().zip(&wanted) {
            assert_close(&format!("{}: {name}", entry.id), f64::from(*actual), *wanted, 1e-6);
        }
    }
    let meta = &entry.expected["dataset_meta"];
    for (name, actual) in [
        ("pot_min_mV", data.pot_min_mv),
        ("pot_max_mV", data.pot_max_mv),
        ("lyapunov_mean", data.lyapunov_mean),
    ] {
        assert_close(&format!("{}: {name}", entry.id), actual, number(&meta[name]), 1e-12);
    }

    let report = run_validation(&config, &mut |_| ControlFlow::Continue(())).expect("a report");
    let actual = serde_json::to_value(&report).expect("numbers");
    let wanted = entry.expected["metrics"].as_object().expect("metrics");
    assert_eq!(actual.as_object().expect("an object").len(), wanted.len(), "{}: numbers", entry.id);
    for (name, wanted) in wanted {
        let (actual, wanted) = (number(&actual[name]), number(wanted));
        let what = format!("{}: {name}", entry.id);
        if name.starts_with("loss") {
            // Other weights and another order: only the size is comparable.
            assert!(actual.is_finite() && actual.abs() < 10.0, "{what}: {actual}");
        } else {
            assert_close(&what, actual, wanted, 1e-12);
        }
    }
}
