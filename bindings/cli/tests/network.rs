//! `mfn network` by running the real binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{field, run, tree};

/// A square frame with a line through its middle: two junctions, three branches, two loops.
fn with_field() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let frame = field(21, |row, col| {
        let on_frame = (3..18).contains(&row)
            && (3..18).contains(&col)
            && (row == 3 || row == 17 || col == 3 || col == 17);
        if on_frame || row == 10 && (3..18).contains(&col) { -0.05 } else { -0.07 }
    });
    fs::write(directory.path().join("field.npy"), frame).unwrap();
    directory
}

/// Guards: the figures of a network that is known by hand, as a table and as JSON.
#[test]
fn the_table_and_the_json_hold_the_figures() {
    let directory = with_field();
    let ended = run(directory.path(), "network field.npy").expect(0);
    assert_eq!(ended.stdout.lines().count(), 15);
    let json = run(directory.path(), "network field.npy --json").expect(0).json();
    assert_eq!(
        (json["junctions"].as_u64(), json["branches"].as_u64(), json["loops"].as_u64()),
        (Some(2), Some(3), Some(2))
    );
    assert!(json.get("robustness").is_none());
    let none = run(directory.path(), "network field.npy --json --threshold-mv -40").expect(0).json();
    assert_eq!((none["nodes"].as_u64(), none["pattern_cells"].as_u64()), (Some(0), Some(0)));
}

/// Guards: the robustness of a network without a cut, of all attacks, seeded.
#[test]
fn the_robustness_is_worked_out() {
    let directory = with_field();
    let line = "network field.npy --robustness --json --trials 7 --random-seed 3";
    let json = run(directory.path(), line).expect(0).json();
    let robustness = &json["robustness"];
    assert_eq!(
        (robustness["articulation_nodes"].as_u64(), robustness["bridges"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(robustness["percolation"].as_array().unwrap().len(), 7);
    assert_eq!(robustness["percolation"][0]["trials"], 7);
    assert_eq!(run(directory.path(), &format!("{line} --threads 3")).expect(0).json(), json);
    run(directory.path(), &format!("{line} --threads 5000")).expect(2).names("threads");
    let text = run(directory.path(), "network field.npy --robustness").expect(0).stdout;
    assert!(text.contains("no single loss cuts anything off") && text.contains("degree-adaptive"), "{text}");
}

/// Guards: the network and its picture are written whole, and nothing is left beside them.
#[test]
fn the_network_is_written_and_drawn() {
    let directory = with_field();
    run(directory.path(), "network field.npy --out n.graphml --picture n.png").expect(0);
    run(directory.path(), "network field.npy --out n.json").expect(0);
    let read = |name: &str| fs::read(directory.path().join(name)).unwrap();
    assert!(read("n.png").starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(String::from_utf8(read("n.graphml")).unwrap().matches("<edge ").count(), 3);
    let json: serde_json::Value = serde_json::from_slice(&read("n.json")).unwrap();
    assert_eq!(json["branches"].as_array().unwrap().len(), 3);
    assert_eq!(tree(directory.path()).len(), 4);
    run(directory.path(), "network field.npy --out missing/n.json").expect(1).names("missing");
}

/// Guards: usage at fault is exit code 2 with the option's name, a field without a network is 1.
#[test]
fn wrong_usage_is_refused() {
    let directory = with_field();
    let path = directory.path();
    run(path, "network missing.npy").expect(2).names("missing.npy");
    run(path, "network field.npy --threshold-mv NaN").expect(2).names("--threshold-mv");
    run(path, "network field.npy --prune-radii -1").expect(2);
    run(path, "network field.npy --trials 0").expect(2).names("--trials");
    run(path, "network field.npy --wrap --threshold-mv -80").expect(1).names("no boundary");
}
