//! `docs/numerics.md` states bounds, constants and feature names; here they are compared with
//! the code, so that the document cannot drift.

use std::path::Path;

use mfn_sim::bounds::{
    BOX_TABLE, Bound, CELLS_BOUND, FEATURE_TABLE, FIELD_SIDE_MAX_CELLS, MAP_TABLE, NUMBER_TABLE, STEP_TABLE,
    TABLE, V4_1_TABLE,
};
use mfn_sim::constants;
use mfn_sim::features::{NAMES, UNITS};

fn read(page: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    std::fs::read_to_string(path).expect(page)
}

fn document() -> String {
    read("numerics.md")
}

/// The row of a table of bounds as the document has it.
fn row(bound: &Bound) -> String {
    let default = bound.default.map_or("-".to_owned(), |default| default.to_string());
    format!("| `{}` | {bound} | {default} | {} | {} |", bound.field, bound.unit, bound.meaning)
}

/// Guards the tables of bounds. To repair the document, paste the rows that the failure shows.
#[test]
fn bounds_are_those_of_the_code() {
    let document = document();
    let rows = V4_1_TABLE.iter().chain(&STEP_TABLE).map(row);
    let missing: Vec<String> = rows.filter(|row| !document.contains(row)).collect();
    assert!(document.contains("at most 65,536 cells on a side") && FIELD_SIDE_MAX_CELLS == 65_536);
    assert!(missing.is_empty(), "rows missing in docs/numerics.md:\n{}", missing.join("\n"));
}

/// Guards the tables of the features, as above.
#[test]
fn bounds_of_the_features_are_those_of_the_code() {
    let document = read("numerics/features.md");
    let rows = FEATURE_TABLE.iter().chain(&BOX_TABLE).map(row);
    let missing: Vec<String> = rows.filter(|row| !document.contains(row)).collect();
    assert!(document.contains("1 to 65,536 cells on a side") && FIELD_SIDE_MAX_CELLS == 65_536);
    assert!(missing.is_empty(), "rows missing in docs/numerics/features.md:\n{}", missing.join("\n"));
}

/// Guards the tables of the default mode, as above.
#[test]
fn bounds_of_the_engine_are_those_of_the_code() {
    let document = read("numerics/engine.md");
    let rows = TABLE.iter().chain([&CELLS_BOUND]).chain(&NUMBER_TABLE).chain(&MAP_TABLE).map(row);
    let missing: Vec<String> = rows.filter(|row| !document.contains(row)).collect();
    assert!(missing.is_empty(), "rows missing in docs/numerics/engine.md:\n{}", missing.join("\n"));
}

/// Guards the tables of the pages on membranes, systems, exponents and the second simulator.
#[test]
fn bounds_of_the_pages_are_those_of_the_code() {
    use mfn_sim::{ifs, lyapunov, membrane, membrane::ode, model};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/numerics");
    for (page, tables) in [
        (
            "membrane.md",
            &[&membrane::NERNST_TABLE[..], &membrane::GOLDMAN_TABLE, &membrane::MEMBRANE_TABLE][..],
        ),
        ("membrane.md", &[&ode::FIXED_TABLE, &ode::ADAPTIVE_TABLE]),
        ("ifs.md", &[&ifs::EXPONENT_TABLE]),
        ("ifs.md", &[&ifs::v4_1::FRACTAL_TABLE]),
        ("lyapunov.md", &[&lyapunov::LYAPUNOV_TABLE, &lyapunov::SPECTRUM_TABLE]),
        ("model.md", &[&model::MODEL_TABLE]),
    ] {
        let text = std::fs::read_to_string(folder.join(page)).expect("a page");
        let missing: Vec<String> =
            tables.iter().flat_map(|table| table.iter().map(row)).filter(|row| !text.contains(row)).collect();
        assert!(missing.is_empty(), "rows missing in docs/numerics/{page}:\n{}", missing.join("\n"));
    }
}

/// Guards the table of features: every name with its unit, in order.
#[test]
fn features_are_those_of_the_code() {
    let document = read("numerics/features.md");
    let mut rest = document.as_str();
    for (index, (name, unit)) in NAMES.iter().zip(UNITS).enumerate() {
        let row = format!("| {} | `{name}` | {unit} |", index + 1);
        let at = rest.find(&row).unwrap_or_else(|| panic!("{row} is missing or out of order"));
        rest = &rest[at..];
    }
}

/// Guards the table of model constants.
#[test]
fn constants_are_those_of_the_code() {
    let document = document();
    for (name, value) in [
        ("REST_MEAN_V", constants::REST_MEAN_V),
        ("REST_DEVIATION_V", constants::REST_DEVIATION_V),
        ("INITIAL_MORPHOGEN_MAX", constants::INITIAL_MORPHOGEN_MAX),
        ("SPIKE_MEAN_V", constants::SPIKE_MEAN_V),
        ("SPIKE_DEVIATION_V", constants::SPIKE_DEVIATION_V),
        ("ACTIVATION_GAIN_V", constants::ACTIVATION_GAIN_V),
        ("FIELD_MIN_V", constants::FIELD_MIN_V),
        ("FIELD_MAX_V", constants::FIELD_MAX_V),
    ] {
        let row = format!("| `{name}` | {value} |");
        assert!(document.contains(&row), "{row} is missing");
    }
}
