//! Runs of the engine.

use std::ops::ControlFlow;

use mfn_sim::{RunEnd, Simulation, Spec};
use ndarray::s;
use serde_json::{Map, Value, json};

use crate::load::{Entry, assert_close, assert_same_bits, checksum, number, whole};

/// The specification of an entry, read the way a host gives it. Absent fields are defaults.
fn spec(params: &Map<String, Value>) -> Spec {
    let mut fields = params.clone();
    fields.remove("return_history");
    fields.insert("compat".to_owned(), json!("v4.1"));
    fields["random_seed"] = json!(whole::<u64>(&params["random_seed"]));
    serde_json::from_value(Value::Object(fields)).expect("a specification")
}

fn run(simulation: &mut Simulation, steps: u64) {
    let end = simulation.run(steps, &mut |_| ControlFlow::Continue(())).expect("a stable run");
    assert_eq!(end, RunEnd::Completed);
}

pub(crate) fn check(entry: &Entry) {
    let spec = spec(&entry.params);
    let steps = spec.steps;
    let mut simulation = Simulation::new(spec.clone()).expect("an accepted specification");
    if entry.has_array("history") {
        return check_history(entry, &mut simulation, steps);
    }
    run(&mut simulation, steps);
    if let Some(wanted) = entry.expected.get("sha256_field") {
        return check_repeat(entry, &spec, &simulation, wanted);
    }
    let fields = [
        ("field", simulation.field()),
        ("activator", simulation.activator()),
        ("inhibitor", simulation.inhibitor()),
    ];
    for (name, actual) in &fields {
        let actual = actual.view();
        let what = format!("{}: {name}", entry.id);
        if entry.has_array(name) {
            assert_same_bits(&what, actual, &entry.grid(name));
        } else {
            let stride = whole::<usize>(&entry.expected["row_stride"]);
            assert_same_bits(&what, actual.slice(s![..;stride, ..]), &entry.grid(&format!("{name}_rows")));
        }
        assert_eq!(checksum(actual), entry.expected["sha256"][*name].as_str().expect("checksum"), "{what}");
    }
    check_metrics(entry, &simulation);
}

fn check_history(entry: &Entry, simulation: &mut Simulation, steps: u64) {
    let history = entry.history("history");
    assert_eq!(history.dim().0 as u64, steps, "{}: frames", entry.id);
    for (index, frame) in history.outer_iter().enumerate() {
        simulation.step().expect("a stable step");
        assert_same_bits(&format!("{}: frame {index}", entry.id), simulation.field().view(), frame);
    }
    check_metrics(entry, simulation);
}

/// MFN 4.1 starts every call from the seed; so does every new simulation.
fn check_repeat(entry: &Entry, spec: &Spec, first: &Simulation, wanted: &Value) {
    let mut second = Simulation::new(spec.clone()).expect("an accepted specification");
    run(&mut second, spec.steps);
    assert_same_bits(&format!("{}: second run", entry.id), second.field().view(), first.field().view());
    assert_eq!(checksum(first.field().view()), wanted.as_str().expect("checksum"), "{}: field", entry.id);
}

/// Counters exactly; extremes exactly; sums within 1e-12.
fn check_metrics(entry: &Entry, simulation: &Simulation) {
    let wanted = entry.expected["metrics"].as_object().expect("metrics");
    let actual = serde_json::to_value(simulation.statistics()).expect("statistics");
    assert_eq!(actual.as_object().expect("an object").len(), 13, "number of metrics");
    for (name, wanted) in wanted {
        let what = format!("{}: {name}", entry.id);
        let sums = ["field_mean_v", "field_std_v", "activator_mean", "inhibitor_mean"];
        if sums.contains(&name.as_str()) {
            assert_close(&what, number(&actual[name]), number(wanted), 1e-12);
        } else if wanted.is_f64() {
            assert_same_bits(&what, &[number(&actual[name])], &[number(wanted)]);
        } else {
            assert_eq!(actual[name], *wanted, "{what}");
        }
    }
}
