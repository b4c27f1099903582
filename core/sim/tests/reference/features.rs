//! The 18 features.

use mfn_sim::FeatureConfig;
use mfn_sim::features::{self, NAMES};
use ndarray::Axis;

use crate::load::{Entry, assert_close, number};

pub fn check(entry: &Entry) {
    let history = entry.history("history");
    let energy_max = number(&entry.expected["max_energy_mV2"]);
    for name in ["default", "conn8_other", "fine_boxes"] {
        let case = &entry.expected[name];
        let config: FeatureConfig = serde_json::from_value(case["config"].clone()).expect("a configuration");
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
}
