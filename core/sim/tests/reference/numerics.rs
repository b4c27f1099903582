//! The grid operators and the step on arrays of the host's own.

use mfn_sim::BoundaryCondition;
use mfn_sim::operators::{StepParameters, clamp_field, full_step, gradient, laplacian, statistics};
use mfn_sim::rng::Generator;
use serde_json::Value;

use crate::load::{Entry, assert_close, assert_same_bits, number, whole};

pub(crate) fn check(entry: &Entry) {
    if entry.has_array("laplacian") {
        check_derivatives(entry);
    } else if entry.has_array("clamped") {
        let mut field = entry.grid("input");
        let (min, max) = (number(&entry.params["min"]), number(&entry.params["max"]));
        let count = clamp_field(field.view_mut(), min, max).expect("a range");
        assert_eq!(count, whole::<u64>(&entry.expected["count"]), "{}: count", entry.id);
        assert_same_bits(&entry.id, &field, &entry.grid("clamped"));
    } else {
        check_full_steps(entry);
    }
}

fn boundary(value: &Value) -> BoundaryCondition {
    serde_json::from_value(value.clone()).expect("a boundary")
}

fn check_derivatives(entry: &Entry) {
    let input = entry.grid("input");
    let boundary = boundary(&entry.params["boundary"]);
    let id = &entry.id;
    let result = laplacian(input.view(), boundary).expect("finite");
    assert_same_bits(&format!("{id}: Laplacian"), &result, &entry.grid("laplacian"));
    let result = gradient(input.view(), boundary).expect("finite");
    assert_same_bits(&format!("{id}: grad_x"), &result.along_rows, &entry.grid("grad_x"));
    assert_same_bits(&format!("{id}: grad_y"), &result.along_columns, &entry.grid("grad_y"));

    let wanted = &entry.expected["statistics"];
    let actual = statistics(input.view());
    assert_same_bits(
        &format!("{id}: extremes"),
        &[actual.min, actual.max],
        &[number(&wanted["min"]), number(&wanted["max"])],
    );
    assert_close(&format!("{id}: mean"), actual.mean, number(&wanted["mean"]), 1e-12);
    assert_close(&format!("{id}: std"), actual.std, number(&wanted["std"]), 1e-12);
    assert_eq!(actual.nan_count, whole::<u64>(&wanted["nan_count"]), "{id}");
    assert_eq!(actual.inf_count, whole::<u64>(&wanted["inf_count"]), "{id}");
    assert_eq!(actual.finite_fraction, number(&wanted["finite_fraction"]), "{id}");
}

fn check_full_steps(entry: &Entry) {
    let params = &entry.params["params"];
    assert_eq!(entry.params["rng"], "default_rng(78)");
    assert_eq!(entry.params["quantum_jitter"], "on odd steps (0-based)");
    let deviation = number(&entry.params["jitter_var"]).sqrt();
    let mut generator = Generator::new(78);
    let mut potential = entry.grid("field0");
    let mut activator = entry.grid("activator0");
    let mut inhibitor = entry.grid("inhibitor0");
    for (index, wanted) in entry.expected["per_step"].as_array().expect("steps").iter().enumerate() {
        let parameters = StepParameters {
            alpha: number(&params["alpha"]),
            d_activator: number(&params["d_activator"]),
            d_inhibitor: number(&params["d_inhibitor"]),
            r_activator: number(&params["r_activator"]),
            r_inhibitor: number(&params["r_inhibitor"]),
            turing_threshold: number(&params["turing_threshold"]),
            turing_enabled: true,
            spike_probability: number(&entry.params["spike_probability"]),
            noise_deviation_v: (index % 2 == 1).then_some(deviation),
            boundary_condition: boundary(&params["boundary"]),
        };
        let events = full_step(&mut potential, &mut activator, &mut inhibitor, &parameters, &mut generator)
            .expect("a stable step");
        let what = format!("{}: step {index}", entry.id);
        assert_eq!(events.growth_event, wanted["growth_event"], "{what}");
        assert_eq!(events.turing_activations, whole::<u64>(&wanted["turing_activations"]), "{what}");
        assert_eq!(events.clamping_events, whole::<u64>(&wanted["clamping_events"]), "{what}");
    }
    assert_same_bits(&format!("{}: field", entry.id), &potential, &entry.grid("field"));
    assert_same_bits(&format!("{}: activator", entry.id), &activator, &entry.grid("activator"));
    assert_same_bits(&format!("{}: inhibitor", entry.id), &inhibitor, &entry.grid("inhibitor"));
}
