//! Box counting.

use mfn_sim::features::{BoxScales, box_count, box_dimension, box_sizes};
use mfn_sim::operators::{gradient, statistics};
use mfn_sim::{BoundaryCondition, Compat};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::load::{Entry, assert_close, number, whole, wholes};

const CASES: [&str; 6] = ["default", "min1", "scales8", "min3_max9_scales4", "max_above_n", "scales1"];

pub(crate) fn check(entry: &Entry) {
    if entry.has_array("field") {
        return check_streaming_variant(entry);
    }
    let mask = entry.mask("binary");
    assert_eq!(entry.expected.len(), CASES.len(), "{}: cases", entry.id);
    for case in CASES {
        let expected = &entry.expected[case];
        let params = &expected["params"];
        let scales = box_scales(params.clone());
        let actual = box_dimension(mask.view(), &scales).expect("a dimension");
        for (name, value) in [
            ("engine_dimension", actual.dimension),
            ("features_D_box", actual.dimension),
            ("engine_r_squared", actual.r_squared),
            ("features_D_r2", actual.r_squared.clamp(0.0, 1.0)),
        ] {
            let what = format!("{} {case}: {name}", entry.id);
            assert_close(&what, value, number(&expected[name]), 1e-9);
        }
        // The third implementation of the reference agrees or fails with an index error when
        // a box is larger than the grid.
        match &expected["estimate_fractal_dimension"] {
            Value::Object(error) => assert_eq!(error["error"], json!("IndexError"), "{}", entry.id),
            wanted => assert_close(&entry.id, actual.dimension, number(wanted), 1e-9),
        }
    }
}

fn box_scales(fields: Value) -> BoxScales {
    let scales: BoxScales = serde_json::from_value(fields).expect("box scales");
    BoxScales { compat: Some(Compat::V4_1), ..scales }
}

/// The streaming variant: sizes 2, 4, 8, 16, cells with |V| above the threshold, slope between
/// the first and the last size, kept in [0, 2]. The library has no such function; its parts
/// give the same number.
fn check_streaming_variant(entry: &Entry) {
    let field = entry.grid("field");
    let threshold = number(&entry.params["threshold"]);
    let mask = field.mapv(|value| value.abs() > threshold);
    let counts: Vec<(f64, f64)> = [2usize, 4, 8, 16]
        .iter()
        .map(|&size| ((size as f64).ln(), (box_count(mask.view(), size) as f64).ln()))
        .collect();
    let slope = (counts[0].1 - counts[3].1) / (counts[3].0 - counts[0].0);
    assert_close(&entry.id, slope.clamp(0.0, 2.0), number(&entry.expected["dimension"]), 1e-9);

    let wanted = entry.expected["stream_features"].as_object().expect("features");
    assert_eq!(wanted.len(), 9, "{}: one is the dimension", entry.id);
    let actual = statistics(field.view());
    let slope_field = gradient(field.view(), BoundaryCondition::Neumann).expect("finite");
    let mean_square = |grid: &Array2<f64>| grid.iter().map(|x| x * x).sum::<f64>() / grid.len() as f64;
    let active = mask.iter().filter(|&&active| active).count() as f64;
    for (name, value) in [
        ("pot_mean_mV", actual.mean * 1000.0),
        ("pot_std_mV", actual.std * 1000.0),
        ("pot_min_mV", actual.min * 1000.0),
        ("pot_max_mV", actual.max * 1000.0),
        ("active_nodes", active),
        ("activity_ratio", active / field.len() as f64),
        ("total_energy", field.iter().map(|value| value * value).sum()),
        ("spatial_variance", mean_square(&slope_field.along_rows) + mean_square(&slope_field.along_columns)),
    ] {
        assert_close(&format!("{}: {name}", entry.id), value, number(&wanted[name]), 1e-12);
    }
}

pub(crate) fn check_error(entry: &Entry) {
    assert_eq!(entry.expected["error"], json!("ValueError"), "{}", entry.id);
    let mask = |rows, columns| Array2::from_elem((rows, columns), true);
    let with = box_scales;
    let refused = match entry.params["case"].as_str().expect("case") {
        "non-square" => box_dimension(mask(4, 5).view(), &with(json!({}))).is_err(),
        // The argument's type has two dimensions; there is nothing to call.
        "3d" => true,
        "num_scales=0" => box_dimension(mask(8, 8).view(), &with(json!({"num_scales": 0}))).is_err(),
        "min_box_size=0" => box_dimension(mask(8, 8).view(), &with(json!({"min_box_size": 0}))).is_err(),
        other => panic!("{}: {other} has no check", entry.id),
    };
    assert!(refused, "{} must be refused", entry.id);
}

pub(crate) fn check_box_sizes(entry: &Entry) {
    let rows = entry.expected["table"].as_array().expect("table");
    assert_eq!(rows.len(), 196);
    for row in rows {
        let (smallest, largest, scales) = (whole(&row[0]), whole(&row[1]), whole(&row[2]));
        let wanted = wholes::<usize>(&row[4]);
        assert_eq!(
            box_sizes(smallest, largest, scales),
            wanted,
            "sizes from {smallest} to {largest} in {scales} steps; series {}",
            row[3]
        );
    }
}
