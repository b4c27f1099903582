//! Scenarios, sampled configurations and rows of datasets.

use std::ops::ControlFlow;

use mfn_sim::Spec;
use mfn_sim::dataset::{ConfigRanges, ConfigSampler, DatasetRow, PRESET_NAMES, Scenario, V4_1_COLUMNS};
use mfn_sim::ensemble::Ensemble;
use serde_json::{Value, json};

use crate::load::{Entry, assert_close, number, whole};

pub(crate) fn check(entry: &Entry) {
    if let Some(configs) = entry.expected.get("configs") {
        check_configs(entry, configs);
    } else if let Some(rows) = entry.expected.get("rows") {
        check_rows(entry, rows);
    } else {
        check_presets(entry);
    }
}

/// Every draw exactly.
fn check_configs(entry: &Entry, configs: &Value) {
    let configs = configs.as_array().expect("a list");
    let sampler = ConfigSampler::new(ConfigRanges::default(), whole(&entry.params["base_seed"]));
    let sampled: Vec<Value> = sampler
        .expect("the defaults")
        .take(configs.len())
        .map(|config| serde_json::to_value(config).expect("JSON"))
        .collect();
    assert_eq!(&sampled, configs, "{}", entry.id);
}

/// Names and types of the columns, settings and counters exactly, features as in the group `features`.
fn check_rows(entry: &Entry, rows: &Value) {
    let names: Vec<Value> = V4_1_COLUMNS.iter().map(|column| json!(column.name)).collect();
    assert_eq!(Value::Array(names), entry.expected["columns"], "{}", entry.id);

    let scenario = Scenario::preset("benchmark").expect("a preset");
    for (name, wanted) in &entry.params {
        assert_eq!(&serde_json::to_value(&scenario).expect("JSON")[name], wanted, "{}: {name}", entry.id);
    }
    let base: Spec = serde_json::from_value(json!({"compat": "v4.1"})).expect("a specification");
    let specs: Vec<Spec> = scenario.specs(&base).expect("runs").collect();
    let rows = rows.as_array().expect("a list");
    assert_eq!(specs.len(), rows.len(), "{}", entry.id);
    let mut seen = 0;
    let mut take = |index: u64, result: Result<_, _>| {
        let row = DatasetRow::new(index, &scenario.name, &result.expect("a stable run"));
        check_row(&entry.id, &serde_json::to_value(row).expect("JSON"), &rows[index as usize]);
        seen += 1;
        ControlFlow::Continue(())
    };
    Ensemble::default().run_specs(&specs, &mut take).expect("it runs");
    assert_eq!(seen, rows.len(), "{}", entry.id);
}

fn check_row(id: &str, row: &Value, wanted: &Value) {
    for column in V4_1_COLUMNS {
        let (name, what) = (column.name, format!("{id}: {}", column.name));
        match &wanted[name] {
            // A slope is a difference of large sums; its tolerance is relative to the energy.
            Value::Number(_) if name == "E_trend" => {
                assert_close(&what, number(&row[name]), number(&wanted[name]), 1e-9);
            }
            Value::Number(value) if value.is_f64() => {
                assert_close(&what, number(&row[name]), number(&wanted[name]), 1e-12);
            }
            other => assert_eq!(&row[name], other, "{what}"),
        }
    }
}

fn check_presets(entry: &Entry) {
    assert_eq!(entry.expected.len(), PRESET_NAMES.len(), "{}", entry.id);
    for name in PRESET_NAMES {
        let scenario = Scenario::preset(name).expect("a preset");
        assert_eq!(
            serde_json::to_value(scenario).expect("JSON"),
            entry.expected[name],
            "{}: {name}",
            entry.id
        );
    }
}
