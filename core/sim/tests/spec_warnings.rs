//! The warnings of specifications that can not form patterns.

use mfn_sim::kinetics::{GrayScott, Kinetics, SpecWarning, spec_warnings, turing_analysis_of};
use mfn_sim::{InitialCondition, PRESETS, Spec};

/// Guards the presets: all but v4.1's form patterns, so they have no warning; v4.1's says which
/// ratio of diffusion coefficients it has and which it would need.
#[test]
fn only_the_preset_of_v4_1_has_a_warning() {
    for (name, make) in PRESETS {
        let warnings = spec_warnings(&make());
        if name != "v4.1" {
            assert_eq!(warnings, [], "{name}");
            continue;
        }
        let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
        let text = warning.to_string();
        assert!(
            text.contains("d_inhibitor / d_activator = 0.5000, it would need more than 2.0000"),
            "{text}"
        );
        assert!(warning.advice().contains("raise d_inhibitor / d_activator above 2.0000"));
    }
}

/// Guards the promise of the default: it is unstable in Turing's sense by the analysis.
#[test]
fn the_default_is_unstable_in_turings_sense() {
    let analysis = turing_analysis_of(&Spec::default()).unwrap();
    let wavelength = analysis.turing_state().unwrap().wavelength_cells().unwrap();
    assert!((10.0..11.0).contains(&wavelength), "{wavelength}");
}

/// Guards each kind of warning: a specification that has it, and one next to it that has not.
#[test]
fn each_warning_appears_where_it_is_true() {
    let quiet = |spec: &Spec| assert_eq!(spec_warnings(spec), []);
    let only = |spec: Spec| match spec_warnings(&spec).as_slice() {
        [warning] => warning.clone(),
        other => panic!("{other:?}"),
    };

    let small = Spec { grid_size: 4, ..Spec::default() };
    assert!(matches!(only(small), SpecWarning::NoWaveFits { rows: 4, columns: 4, .. }));
    quiet(&Spec { grid_size: 16, ..Spec::default() });

    let short = only(Spec { steps: 50, ..Spec::default() });
    let SpecWarning::TooShort { steps_needed, .. } = short else { panic!("{short:?}") };
    quiet(&Spec { steps: steps_needed, ..Spec::default() });

    let coarse = Spec { r_activator: 3.0, r_inhibitor: 3.0, d_inhibitor: 0.24, ..Spec::default() };
    assert!(matches!(only(coarse), SpecWarning::UnstableStep { .. }));

    let trivial = Kinetics::GrayScott(GrayScott { feed: 0.035, kill: 0.065 });
    let none = only(Spec { kinetics: trivial, ..Spec::default() });
    assert!(matches!(none, SpecWarning::NoPattern { critical_ratio: None, .. }));
    quiet(&Spec { kinetics: trivial, initial_condition: InitialCondition::Seeded, ..Spec::default() });
    quiet(&Spec { kinetics: trivial, turing_enabled: false, ..Spec::default() });
}

/// Guards that every warning is text with its numbers and a remedy in one line each.
#[test]
fn warnings_are_lines() {
    let kinetics = Kinetics::by_name("schnakenberg").unwrap();
    let specs = [
        Spec::v4_1(),
        Spec { grid_size: 4, ..Spec::default() },
        Spec { steps: 50, ..Spec::default() },
        Spec { kinetics, ..Spec::default() },
    ];
    for warning in specs.iter().flat_map(spec_warnings) {
        for line in [warning.to_string(), warning.advice()] {
            assert!(!line.contains('\n') && !line.contains("  ") && !line.ends_with('.'), "{line}");
        }
    }
}
