//! `mfn aggregate` and `mfn validate`, by running the real binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{npy, run};

fn gradients(rows: &[[f64; 2]]) -> Vec<u8> {
    let data: Vec<u8> = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
    npy("<f8", &format!("({}, 2)", rows.len()), &data)
}

const CLIENTS: [[f64; 2]; 5] = [[1.0, 2.0], [1.1, 2.0], [0.9, 2.1], [1.0, 1.9], [-50.0, 80.0]];

/// Guards: every method survives the client that lies, in the table and in the JSON.
#[test]
fn a_lying_client_is_survived() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("gradients.npy"), gradients(&CLIENTS)).unwrap();
    for method in ["krum", "multi-krum", "trimmed-mean", "median", "geometric-median"] {
        let line = format!("aggregate gradients.npy --byzantine 1 --method {method}");
        let json = run(directory.path(), &format!("{line} --json")).expect(0).json();
        let value = json["value"].as_array().unwrap();
        assert!((value[0].as_f64().unwrap() - 1.0).abs() < 0.2, "{method}: {json}");
        assert!((value[1].as_f64().unwrap() - 2.0).abs() < 0.2, "{method}: {json}");
        let text = run(directory.path(), &line).expect(0).stdout;
        assert_eq!(text.contains("selected clients: 0"), method.contains("krum"), "{text}");
        assert_eq!(text.contains("converged after"), method.starts_with("geo"), "{text}");
    }
}

/// Guards: a client with a NaN and too few clients are refused by name.
#[test]
fn unusable_gradients_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut broken = CLIENTS;
    broken[3][1] = f64::NAN;
    fs::write(directory.path().join("nan.npy"), gradients(&broken)).unwrap();
    run(directory.path(), "aggregate nan.npy").expect(1).names("client 3 has NaN at coordinate 1");
    fs::write(directory.path().join("few.npy"), gradients(&CLIENTS[..4])).unwrap();
    run(directory.path(), "aggregate few.npy --byzantine 1").expect(1).names("4 clients are too few");
    run(directory.path(), "aggregate missing.npy").expect(2).names("missing.npy");
}

/// Guards: the number of threads is an option of both verbs that changes nothing, and an impossible one is refused.
#[test]
fn threads_do_not_change_the_result() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("gradients.npy"), gradients(&CLIENTS)).unwrap();
    for line in [
        "aggregate gradients.npy --byzantine 1 --json",
        "aggregate gradients.npy --method geometric-median --json",
        "validate --grid-size 8 --steps 16 --epochs 1 --json",
    ] {
        let [one, three] = ["1", "3"]
            .map(|threads| run(directory.path(), &format!("{line} --threads {threads}")).expect(0).stdout);
        assert_eq!(one, three, "{line}");
        run(directory.path(), &format!("{line} --threads 5000")).expect(2).names("threads");
    }
}

/// Guards: both cycles give their numbers; the default learns; a setting out of range is refused.
#[test]
fn a_validation_gives_its_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let line = "validate --grid-size 8 --steps 16 --json";
    let old = run(directory.path(), &format!("{line} --compat v4.1")).expect(0).json();
    assert_eq!(old.as_object().unwrap().len(), 12);
    assert!((old["nernst_numeric_mV"].as_f64().unwrap() + 89.0107).abs() < 1e-3);
    let new = run(directory.path(), line).expect(0).json();
    assert_eq!(new.as_object().unwrap().len(), 13);
    assert!(new["loss_final"].as_f64() < new["loss_constant"].as_f64(), "{new}");
    run(directory.path(), "validate --epochs 0").expect(2).names("epochs");
}
