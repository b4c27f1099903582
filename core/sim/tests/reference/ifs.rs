//! Iterated function systems of v4.1: maps, points and the mean logarithm of the area change. The
//! maps rest on sine and cosine, which may differ in the last bit between machines.

use mfn_sim::FaultKind;
use mfn_sim::ifs::IfsError;
use mfn_sim::ifs::v4_1::{FractalConfig, generate_fractal_ifs, generate_ifs};
use mfn_sim::rng::Generator;
use serde_json::{Map, Value};

use crate::load::{Entry, assert_close, number, numbers, whole};
use crate::model::seed_of;

fn config(params: &Map<String, Value>) -> FractalConfig {
    serde_json::from_value(Value::Object(params.clone())).expect("a configuration")
}

pub(crate) fn check(entry: &Entry) {
    let generated = match entry.params.get("rng") {
        Some(rng) => {
            let [points, transforms] =
                ["num_points", "num_transforms"].map(|name| whole(&entry.params[name]));
            generate_fractal_ifs(&mut Generator::new(seed_of(rng)), points, transforms)
        }
        None => generate_ifs(&mut Generator::new(entry.seed()), &config(&entry.params)),
    }
    .expect("accepted parameters");
    let wanted = number(&entry.expected["lyapunov"]);
    assert_close(&format!("{}: lyapunov", entry.id), generated.mean_log_area_change, wanted, 1e-12);
    let name = if entry.has_array("points") { "points" } else { "points_first_64" };
    let (points, _) = entry.cells(name);
    assert!(points.len() == 2 * generated.points.len() || points.len() == 128, "{}", entry.id);
    for (index, (actual, wanted)) in generated.points.iter().flatten().zip(&points).enumerate() {
        assert_close(&format!("{}: coordinate {index}", entry.id), *actual, *wanted, 1e-12);
    }
    if let Some(transforms) = entry.expected.get("transforms_abcdef") {
        let transforms = transforms.as_array().expect("maps");
        assert_eq!(transforms.len(), generated.maps.len(), "{}: maps", entry.id);
        for (actual, wanted) in generated.maps.iter().zip(transforms) {
            for (actual, wanted) in actual.coefficients().iter().zip(numbers(wanted)) {
                assert_close(&format!("{}: coefficient", entry.id), *actual, wanted, 1e-12);
            }
        }
    }
    if let Some(metrics) = entry.expected.get("metrics") {
        let distance = number(&metrics["max_point_distance"]);
        assert_close(&format!("{}: distance", entry.id), generated.distance_max, distance, 1e-12);
        assert_eq!(generated.points.len() as u64, whole::<u64>(&metrics["points_generated"]));
        assert_eq!(generated.ifs().is_ok(), metrics["is_contractive"] == true, "{}", entry.id);
    }
}

pub(crate) fn check_config(entry: &Entry) {
    let result = config(&entry.params).validate();
    match (&result, entry.expected["error"].as_str()) {
        (Err(IfsError::ScaleStability { .. }), Some("StabilityError"))
        | (Err(IfsError::ScaleRange { .. }), Some("ValueOutOfRangeError")) => {}
        (Err(IfsError::Parameters(refused)), Some("ValueOutOfRangeError")) => {
            assert!(refused.faults().iter().all(|fault| fault.kind == FaultKind::OutOfRange), "{}", entry.id);
        }
        other => panic!("{}: {other:?}", entry.id),
    }
}
