//! Nernst potentials and membrane integration of v4.1.
//!
//! Logarithms and sines may differ in the last bit between machines, so those results are
//! compared within 1e-12; everything else of an integration bit for bit.

use mfn_sim::FaultKind;
use mfn_sim::membrane::constants::{BODY_TEMPERATURE_K, PhysicalConstants};
use mfn_sim::membrane::ode::{OdeError, Scheme};
use mfn_sim::membrane::{MembraneConfig, MembraneError, nernst, nernst_array_v4_1, nernst_v4_1};
use mfn_sim::operators;
use ndarray::ArrayView2;
use serde_json::Value;

use crate::load::{Entry, assert_close, assert_same_bits, number, numbers, whole};

pub(crate) fn check_nernst(entry: &Entry) {
    if entry.params.is_empty() {
        return check_constants(entry);
    }
    let config = MembraneConfig::default();
    let valence: i32 = whole(&entry.params["z"]);
    let temperature_k = number(&entry.params["temperature_k"]);
    if entry.has_array("c_out") {
        return check_array(entry, &config, valence, temperature_k);
    }
    let outside = number(&entry.params["c_out_M"]);
    let inside = number(&entry.params["c_in_M"]);
    let result = nernst_v4_1(&config, valence, outside, inside, temperature_k);
    let wanted = &entry.expected["engine_V"];
    match (&result, wanted.get("error").and_then(Value::as_str)) {
        (Ok(clamped), None) => {
            assert_close(&entry.id, clamped.potential_v, number(wanted), 1e-12);
            assert_eq!(clamped.clamping_events, whole::<u64>(&entry.expected["engine_clamping_events"]));
        }
        (Err(MembraneError::Valence { .. }), Some("ValueOutOfRangeError")) => {}
        (Err(MembraneError::NotFinite { .. }), Some("NumericalInstabilityError")) => {}
        // ln(0) is an exception in Python; here it is an infinite potential.
        (Err(MembraneError::NotFinite { inf_count: 1, .. }), Some("ValueError")) => {}
        other => panic!("{}: {other:?}, expected {wanted}", entry.id),
    }
    // Where the checked function takes the input, and no floor was applied, both agree.
    if let (Ok(checked), Ok(clamped)) = (nernst(valence, outside, inside, temperature_k), result)
        && clamped.clamping_events == 0
    {
        assert_same_bits(&entry.id, &[checked], &[clamped.potential_v]);
    }
}

fn check_array(entry: &Entry, config: &MembraneConfig, valence: i32, temperature_k: f64) {
    let [(outside, _), (inside, _), (wanted, shape)] =
        ["c_out", "c_in", "potential"].map(|name| entry.cells(name));
    let mut actual = vec![0.0; wanted.len()];
    let clamps = nernst_array_v4_1(config, valence, &outside, &inside, temperature_k, &mut actual)
        .expect("finite potentials");
    for (index, (actual, wanted)) in actual.iter().zip(&wanted).enumerate() {
        assert_close(&format!("{} element {index}", entry.id), *actual, *wanted, 1e-12);
    }
    assert_eq!(clamps, whole::<u64>(&entry.expected["clamping_events"]), "{}", entry.id);
    let grid = ArrayView2::from_shape((shape[0], shape[1]), &actual).expect("a grid");
    check_summary(&entry.id, &entry.expected, grid);
}

fn check_constants(entry: &Entry) {
    let constants = PhysicalConstants::V4_1;
    let thermal_mv = 1000.0 * constants.thermal_voltage(BODY_TEMPERATURE_K);
    let potassium = nernst(1, 0.005, 0.140, BODY_TEMPERATURE_K).expect("an ion");
    for (name, actual) in [
        ("R", constants.gas_constant),
        ("F", constants.faraday),
        ("T", BODY_TEMPERATURE_K),
        ("NERNST_RTFZ_MV", thermal_mv),
        ("symbolic_EK_V", potassium),
    ] {
        assert_close(&format!("{}: {name}", entry.id), actual, number(&entry.expected[name]), 1e-12);
    }
    assert_eq!(entry.expected.len(), 5, "{}", entry.id);
}

fn check_summary(id: &str, expected: &serde_json::Map<String, Value>, cells: ArrayView2<'_, f64>) {
    let summary = operators::statistics(cells);
    for (name, actual) in [
        ("potential_min_v", summary.min),
        ("potential_max_v", summary.max),
        ("potential_mean_v", summary.mean),
        ("potential_std_v", summary.std),
    ] {
        assert_close(&format!("{id}: {name}"), actual, number(&expected[name]), 1e-12);
    }
}

/// The derivatives, as the entries write them out.
fn derivative(text: &str) -> fn(f64) -> f64 {
    match text {
        "dv = -(v - -0.07)/0.02" => |v| -(v - -0.07) / 0.02,
        "dv = 500.0*(v + 0.09)*(0.02 - v)*(v + 0.04)  (left to right)" => {
            |v| 500.0 * (v + 0.09) * (0.02 - v) * (v + 0.04)
        }
        "dv = v*0.0 + 3.0" => |v| v * 0.0 + 3.0,
        "dv = -250.0*(v - 0.01)" => |v| -250.0 * (v - 0.01),
        "dv = 40.0*sin(300.0*v)" => |v| 40.0 * (300.0 * v).sin(),
        other => panic!("derivative {other} is not understood"),
    }
}

pub(crate) fn check_ode(entry: &Entry) {
    let params = &entry.params;
    let text = params["derivative"].as_str().expect("a derivative");
    let config = MembraneConfig {
        dt: number(&params["dt"]),
        integration_scheme: if params["scheme"] == "rk4" { Scheme::Rk4 } else { Scheme::Euler },
        potential_min_v: number(&params["potential_min_v"]),
        potential_max_v: number(&params["potential_max_v"]),
        ..MembraneConfig::default()
    };
    let mut v = numbers(&params["v0_V"]);
    let run = config
        .integrate(&mut v, derivative(text), whole(&params["steps"]), params["clamp"] == true)
        .expect("a stable integration");
    let wanted = numbers(&entry.expected["final_V"]);
    if text.contains("sin") {
        for (actual, wanted) in v.iter().zip(&wanted) {
            assert_close(&entry.id, *actual, *wanted, 1e-12);
        }
    } else {
        assert_same_bits(&entry.id, &v, &wanted);
    }
    let metrics = entry.expected["metrics"].as_object().expect("metrics");
    assert_eq!(run.steps, whole::<u64>(&metrics["steps_computed"]), "{}", entry.id);
    assert_eq!(run.clamping_events, whole::<u64>(&metrics["clamping_events"]), "{}", entry.id);
    assert!(metrics["nan_detected"] == false && metrics["inf_detected"] == false, "{}", entry.id);
    check_summary(&entry.id, metrics, ArrayView2::from_shape((1, v.len()), &v).expect("a row"));
}

pub(crate) fn check_config(entry: &Entry) {
    let config: MembraneConfig =
        serde_json::from_value(Value::Object(entry.params.clone())).expect("a configuration");
    let result = config.validate();
    match (&result, entry.expected["error"].as_str()) {
        (Ok(()), None) | (Err(MembraneError::PotentialRange { .. }), Some("ValueOutOfRangeError")) => {}
        (Err(MembraneError::Parameters(refused)), Some("ValueOutOfRangeError")) => {
            assert!(refused.faults().iter().all(|fault| fault.kind == FaultKind::OutOfRange), "{}", entry.id);
        }
        other => panic!("{}: {other:?}", entry.id),
    }
    // What a refused configuration integrates is refused before the first step.
    let mut v = [0.0];
    let run = config.integrate(&mut v, |_| 1.0, 1, false);
    assert_eq!(run.is_ok(), result.is_ok(), "{}", entry.id);
    assert!(!matches!(run, Err(MembraneError::Ode(OdeError::Options(_)))), "{}", entry.id);
}
