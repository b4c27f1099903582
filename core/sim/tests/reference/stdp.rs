//! Spike-timing-dependent plasticity in single precision, within 1e-5, and its settings.

use mfn_sim::learning::Stdp;
use ndarray::Array2;

use crate::load::{Entry, assert_close, number};

fn rule(entry: &Entry) -> Stdp {
    let value = |name: &str, default: f64| entry.params.get(name).map_or(default, number);
    let defaults = Stdp::default();
    Stdp {
        tau_plus_s: value("tau_plus", defaults.tau_plus_s),
        tau_minus_s: value("tau_minus", defaults.tau_minus_s),
        a_plus: value("a_plus", defaults.a_plus),
        a_minus: value("a_minus", defaults.a_minus),
        ..defaults
    }
}

pub(crate) fn check(entry: &Entry) {
    let single = |name: &str| -> Array2<f32> { entry.grid(name).mapv(|value| value as f32) };
    let (pre, post) = (single("pre_times"), single("post_times"));
    let actual = rule(entry).weight_change_v4_1(pre.view(), post.view()).expect("a change");
    let wanted = entry.grid("delta_w");
    assert_eq!(actual.dim(), wanted.dim(), "{}", entry.id);
    for (actual, wanted) in actual.iter().zip(&wanted) {
        // The changes are about 0.01: relative to that.
        let error = (f64::from(*actual) - wanted).abs();
        assert!(error <= 1e-5 * wanted.abs().max(1e-3), "{}: {actual:e}, expected {wanted:e}", entry.id);
    }
    let (pre, post) = (entry.grid("pre_times"), entry.grid("post_times"));
    let double = rule(entry).weight_change_v4_1(pre.view(), post.view()).expect("a change");
    for (actual, wanted) in double.iter().zip(&wanted) {
        assert_close(&entry.id, *actual, *wanted, 1e-7);
    }
}

pub(crate) fn check_config(entry: &Entry) {
    let result = rule(entry).validate();
    assert_eq!(result.is_err(), !entry.expected["error"].is_null(), "{}: {result:?}", entry.id);
}
