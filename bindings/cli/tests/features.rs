//! `mfn features`, and what holds for every verb, by running the real binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, process::Stdio};

use common::{field, finish, mfn, npy, run, tree};

fn with_field() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let checks = field(8, |row, column| if (row + column) % 2 == 0 { -0.05 } else { -0.07 });
    fs::write(directory.path().join("field.npy"), checks).unwrap();
    directory
}

/// Guards: all 18 features with their units, of a field whose features are known by hand.
#[test]
fn the_table_and_the_json_hold_the_features() {
    let directory = with_field();
    let ended = run(directory.path(), "features field.npy").expect(0);
    assert_eq!(ended.stdout.lines().count(), 19);
    assert!(ended.stdout.contains("mV^2/step") && ended.stdout.contains("N_clusters_low"), "{ended:?}");
    let json = run(directory.path(), "features field.npy --json").expect(0).json();
    assert_eq!(json.as_object().unwrap().len(), 18);
    // A chess board: half of the cells active, each alone with four neighbours, all one with eight.
    assert_eq!(json["f_active"], 0.5);
    assert_eq!(json["N_clusters_low"], 32.0);
    assert!((json["V_mean"].as_f64().unwrap() + 60.0).abs() < 1e-9);
    // Each of the 32 active cells has its four edges to itself.
    let described = run(directory.path(), "features field.npy --json --descriptors").expect(0).json();
    assert_eq!((described["perimeter"].as_f64(), described.as_object().unwrap().len()), (Some(128.0), 31));
    let text = run(directory.path(), "features field.npy --descriptors").expect(0).stdout;
    assert!(text.lines().any(|line| line.starts_with("perimeter") && line.contains("128")), "{text}");
    let eight = run(directory.path(), "features field.npy --json --connectivity 8").expect(0).json();
    assert_eq!(eight["N_clusters_low"], 1.0);
    let none = run(directory.path(), "features field.npy --json --threshold-low-mv -40").expect(0).json();
    assert_eq!(none["f_active"], 0.0);
}

/// Guards: float32 fields are ordinary input; a cell that is no number is refused by its place, as in a
/// pipeline, and never becomes a feature that looks measured.
#[test]
fn other_fields_are_understood_or_refused() {
    let directory = tempfile::tempdir().unwrap();
    let data: Vec<u8> = (0..16_u8).flat_map(|i| (-0.07 + f32::from(i) / 1000.0).to_le_bytes()).collect();
    fs::write(directory.path().join("single.npy"), npy("<f4", "(4, 4)", &data)).unwrap();
    run(directory.path(), "features single.npy --json").expect(0).json();
    for (value, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let one = field(4, |row, col| if (row, col) == (2, 1) { value } else { -0.07 });
        fs::write(directory.path().join("hole.npy"), one).unwrap();
        let refused = run(directory.path(), "features hole.npy --json").expect(1);
        refused.names(&format!("{shown} at row 2, column 1"));
    }
}

/// Guards the two modes: rectangles by default, squares and a number for T_stable with --compat v4.1.
#[test]
fn rectangles_are_fields_except_for_v4_1() {
    let directory = with_field();
    let path = directory.path();
    fs::write(path.join("wide.npy"), npy("<f8", "(1, 2)", &[0; 16])).unwrap();
    let json = run(path, "features wide.npy --json").expect(0).json();
    assert_eq!((json["max_cluster_size"].as_f64(), json["T_stable"].is_null()), (Some(2.0), true));
    run(path, "features wide.npy --compat v4.1").expect(1).names("square");
    let json = run(path, "features field.npy --json --compat v4.1").expect(0).json();
    assert_eq!(json["T_stable"], 0.0);
    let eight = run(path, "features field.npy --json --wrap --connectivity 8").expect(0).json();
    assert_eq!(eight["N_clusters_low"], 1.0);
}

/// Guards: the picture is written whole and nothing is left beside it.
#[test]
fn a_field_is_drawn() {
    let directory = with_field();
    run(directory.path(), "features field.npy --png field.png").expect(0);
    assert!(fs::read(directory.path().join("field.png")).unwrap().starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(tree(directory.path()).len(), 2);
    run(directory.path(), "features field.npy --png missing/field.png").expect(1).names("missing");
}

/// Guards: files that are no field fail with exit code 1 and a message that names the file.
#[test]
fn files_that_are_no_field_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let whole = field(8, |_, _| -0.07);
    let eight = [0_u8; 8];
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("truncated data", whole[..whole.len() - 3].to_vec()),
        ("truncated header", whole[..40].to_vec()),
        ("magic only", whole[..8].to_vec()),
        ("trailing data", [whole.clone(), vec![0]].concat()),
        ("text", b"grid_size: 8\n".to_vec()),
        ("another version", [b"\x93NUMPY\x09\x00".to_vec(), whole[8..].to_vec()].concat()),
        ("integers", npy("<i8", "(1, 1)", &eight)),
        ("big endian", npy(">f8", "(1, 1)", &eight)),
        ("objects", npy("|O", "(1, 1)", &eight)),
        ("one dimension", npy("<f8", "(1,)", &eight)),
        ("three dimensions", npy("<f8", "(1, 1, 1)", &eight)),
        ("no cells", npy("<f8", "(0, 0)", &[])),
        ("a huge shape", npy("<f8", "(4294967296, 4294967296)", &eight)),
        ("a shape beyond 64 bits", npy("<f8", "(18446744073709551615, 18446744073709551615)", &eight)),
        ("a negative shape", npy("<f8", "(-1, -1)", &eight)),
    ] {
        fs::write(directory.path().join("field.npy"), bytes).unwrap();
        let ended = run(directory.path(), "features field.npy");
        assert_eq!(ended.code, Some(1), "{what}: {ended:?}");
        ended.expect(1).names("field.npy");
    }
}

/// Guards: usage at fault is exit code 2.
#[test]
fn wrong_usage_is_refused() {
    let directory = with_field();
    let path = directory.path();
    run(path, "features missing.npy").expect(2).names("missing.npy");
    run(path, "features .").expect(2).names("not a regular file");
    run(path, "features").expect(2);
    run(path, "features field.npy --threshold-low-mv NaN").expect(2).names("--threshold-low-mv");
    run(path, "features field.npy --num-scales 0").expect(2).names("--num-scales");
    run(path, "features field.npy --num-scales many").expect(2).names("--num-scales");
    run(path, "features field.npy --compat v4").expect(2).names("v4.1");
    run(path, "features field.npy --connectivity 6").expect(2).names("4 or 8");
    run(path, "paint").expect(2).names("paint");
    run(path, "").expect(2);
}

/// Guards: every verb explains itself with an example, on standard output, with code 0.
#[test]
fn every_verb_has_help_with_an_example() {
    let directory = tempfile::tempdir().unwrap();
    for verb in [
        "",
        "simulate",
        "features",
        "network",
        "run",
        "check",
        "plugin",
        "plugin inspect",
        "plugin list",
        "plugin manifest",
    ] {
        let ended = run(directory.path(), &format!("{verb} --help")).expect(0);
        let example = format!("Example:\n  mfn {verb}");
        assert!(ended.stdout.contains(example.trim_end()), "{verb}: {ended:?}");
        assert_eq!(ended.stderr, "", "{verb}");
    }
    let version = run(directory.path(), "--version").expect(0);
    assert_eq!(version.stdout, format!("mfn {}\n", env!("CARGO_PKG_VERSION")));
}

/// Guards: `mfn ... | head`: a reader that goes away ends the command quietly, without a panic.
#[test]
fn a_closed_pipe_is_no_failure() {
    let directory = with_field();
    for line in ["features field.npy", "features field.npy --json", "features --help", "--help"] {
        let mut child =
            mfn(directory.path(), line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(finish(child).expect(0).stderr, "", "{line}");
    }
}

/// Guards: a full disk behind standard output is a failure, not a silent loss.
#[cfg(target_os = "linux")]
#[test]
fn a_full_output_is_a_failure() {
    let directory = with_field();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child =
        mfn(directory.path(), "features field.npy").stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    finish(child).expect(1).names("standard output");
}
