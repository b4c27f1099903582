//! `mfn turing` and `mfn check --spec`: the analysis of a specification, as a user has it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{run, run_with_input};
use tempfile::TempDir;

/// Guards: the default is unstable, with the wavelength that the analysis of the library gives.
#[test]
fn the_default_specification_is_unstable() {
    let directory = TempDir::new().unwrap();
    let ended = run_with_input(directory.path(), "turing --spec - --json", b"{}").expect(0);
    let report = ended.json();
    assert_eq!(report["turing_unstable"], true);
    assert_eq!(report["warnings"].as_array().unwrap().len(), 0);
    let state = &report["steady_states"][0];
    assert_eq!(state["stability"], "turing");
    let spec = mfn_sim::Spec::default();
    let analysis = mfn_sim::kinetics::turing_analysis_of(&spec).unwrap();
    let wavelength = analysis.turing_state().unwrap().wavelength_cells().unwrap();
    assert_eq!(state["wavelength_cells"], wavelength);
    assert!(state["grid_modes"].as_u64().unwrap() > 0);
}

/// Guards: a specification that forms no pattern is warned of by every verb that reads it, with
/// the ratio that it has and the one it needs; it is still accepted.
#[test]
fn a_specification_without_pattern_is_warned_of() {
    let directory = TempDir::new().unwrap();
    let spec = br#"{"compat": "v4.1", "grid_size": 8, "steps": 2}"#;
    for line in ["turing --spec -", "check --spec -", "simulate --spec - --out result"] {
        let ended = run_with_input(directory.path(), line, spec).expect(0);
        assert!(
            ended.stderr.starts_with("mfn: warning: no pattern forms: v4.1 is not unstable"),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("= 0.5000, it would need more than 2.0000\n  fix: raise"), "{ended:?}");
    }
    let quiet = run_with_input(directory.path(), "simulate --spec - --out result --quiet", spec).expect(0);
    assert_eq!(quiet.stderr, "");
    let report = run_with_input(directory.path(), "check --spec - --json", spec).expect(0).json();
    assert_eq!(report["ok"], true);
    assert_eq!(report["warnings"].as_array().unwrap().len(), 1);
}

/// Guards: what can not be analysed is refused with a place and a remedy.
#[test]
fn what_can_not_be_analysed_is_refused() {
    let directory = TempDir::new().unwrap();
    for (spec, said) in [
        (r#"{"kinetics": "host", "initial_condition": "random"}"#, "a callback"),
        (
            r#"{"kinetics": {"name": "schnakenberg", "a": 0, "b": 0}, "initial_condition": "random"}"#,
            "no homogeneous steady state",
        ),
        (r#"{"kinetics": {"name": "gray-scott", "feed": 2}}"#, "kinetics.feed = 2 is outside [0, 1]"),
        (r#"{"kinetics": "mould"}"#, "unknown variant `mould`"),
    ] {
        run_with_input(directory.path(), "turing --spec -", spec.as_bytes()).expect(2).names(said);
    }
    run(directory.path(), "check --spec a.json pipeline.toml").expect(2);
    run(directory.path(), "check").expect(2);
}
