//! Accepted and refused specifications and feature configurations.

use mfn_sim::{FaultKind, FeatureConfig, FeatureError, SimError, Simulation, Spec, features};
use ndarray::Array2;
use serde_json::{Map, Value, json};

use crate::load::{Entry, number, whole};

/// The specification of v4.1 with the parameters of an entry. NaN cannot be written in JSON,
/// so it is set afterwards.
fn spec_with(params: &Map<String, Value>) -> Spec {
    let mut fields = params.clone();
    fields.retain(|_, value| !value.is_string());
    fields.insert("compat".to_owned(), json!("v4.1"));
    let mut spec: Spec = serde_json::from_value(Value::Object(fields)).expect("a specification");
    for (name, value) in params.iter().filter(|(_, value)| value.is_string()) {
        let target = match name.as_str() {
            "alpha" => &mut spec.alpha,
            "r_activator" => &mut spec.r_activator,
            "turing_threshold" => &mut spec.turing_threshold,
            "spike_probability" => &mut spec.spike_probability,
            other => panic!("{other} is not expected to be NaN"),
        };
        *target = number(value);
    }
    spec
}

/// Entries whose NaN MFN 4.1 accepts. A NaN alpha makes every cell NaN, so it is refused here.
const ACCEPTED_ONLY_BY_THE_REFERENCE: [&str; 1] = ["engine-config-019"];

pub(crate) fn check_spec(entry: &Entry) {
    let (name, value) = entry.params.iter().next().expect("one parameter");
    let result = Simulation::new(spec_with(&entry.params)).map(|_| ());
    let wanted = entry.expected["error"].as_str();
    if ACCEPTED_ONLY_BY_THE_REFERENCE.contains(&entry.id.as_str()) {
        assert_eq!(wanted, None, "{}: the reference accepts it", entry.id);
        assert_eq!(kind_of(result, name, value), FaultKind::NotFinite, "{}", entry.id);
        return;
    }
    match wanted {
        None => assert_eq!(result, Ok(()), "{}", entry.id),
        Some(error) => {
            let reference_name = match kind_of(result, name, value) {
                FaultKind::OutOfRange | FaultKind::NotFinite => "ValueOutOfRangeError",
                FaultKind::Stability => "StabilityError",
                other => panic!("{}: {other:?} has no name in the reference", entry.id),
            };
            assert_eq!(reference_name, error, "{}", entry.id);
        }
    }
}

/// The kind of the only fault, which must name the field and the value.
fn kind_of(result: Result<(), SimError>, name: &str, value: &Value) -> FaultKind {
    let Err(SimError::Spec(error)) = result else {
        panic!("{name} = {value} must be refused, got {result:?}");
    };
    assert_eq!(error.faults().len(), 1, "{error}");
    let fault = &error.faults()[0];
    assert_eq!(fault.field(), name);
    assert!(fault.value == number(value) || fault.value.is_nan() == number(value).is_nan());
    fault.kind
}

pub(crate) fn check_features(entry: &Entry) {
    assert_eq!(entry.expected["error"], json!("ValueError"), "{}", entry.id);
    if let Some(shape) = entry.params.get("shape") {
        let sides: Vec<usize> = shape.as_array().expect("shape").iter().map(whole).collect();
        // A one-dimensional field cannot be given at all: the argument's type has two.
        if let [rows, columns] = sides[..] {
            let result =
                features::compute(Array2::<f64>::zeros((rows, columns)).view(), &FeatureConfig::v4_1());
            assert_eq!(result, Err(FeatureError::NotSquare { rows, columns }), "{}", entry.id);
        } else {
            assert_eq!(sides.len(), 1, "{}", entry.id);
        }
        return;
    }
    // A connectivity of 6 is refused when read, a size when checked.
    let read = serde_json::from_value::<FeatureConfig>(Value::Object(entry.params.clone()));
    let refused = match read {
        Ok(config) => config.validate().is_err(),
        Err(error) => error.to_string().contains("give 4 or 8"),
    };
    assert!(refused, "{} must be refused", entry.id);
}
