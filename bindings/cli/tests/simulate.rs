//! `mfn simulate`, by running the real binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use common::{finish, mfn, run, run_with_input, signal, tree};
use serde_json::Value;

const SMALL: &str = r#"{"compat": "v4.1", "grid_size": 16, "steps": 20, "random_seed": 42}"#;
const FILES: [&str; 4] = ["activator.npy", "field.npy", "inhibitor.npy", "snapshot.json"];

fn with_spec(spec: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("spec.json"), spec).unwrap();
    directory
}

/// The cells of an NPY file: what follows its header.
fn cells(path: &Path) -> Vec<u8> {
    let file = fs::read(path).unwrap();
    let header = usize::from(u16::from_le_bytes([file[8], file[9]]));
    file[10 + header..].to_vec()
}

/// Guards: the command computes the very bits of MyceliumFractalNet 4.1 and writes them as NPY.
#[test]
fn the_fields_equal_the_reference_bits() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/sim/tests/vectors");
    let directory = with_spec(SMALL);
    let ended = run(directory.path(), "simulate --spec spec.json --out result").expect(0);
    assert!(ended.stdout.contains("D_box") && ended.stdout.contains("field.npy"), "{ended:?}");
    for name in ["field", "activator", "inhibitor"] {
        let reference = fs::read(vectors.join(format!("engine-000.{name}.f64"))).unwrap();
        assert_eq!(reference.len(), 16 * 16 * 8);
        assert!(cells(&directory.path().join(format!("result/{name}.npy"))) == reference, "{name} differs");
    }
}

/// Guards: exactly the promised files, nothing hidden beside them, replaced by the next run.
#[test]
fn the_output_directory_holds_the_result_and_nothing_else() {
    let directory = with_spec(SMALL);
    run(directory.path(), "simulate --spec spec.json --out a/b --quiet").expect(0);
    let out = directory.path().join("a/b");
    assert_eq!(tree(&out), FILES);
    let before = fs::read(out.join("field.npy")).unwrap();
    fs::write(directory.path().join("spec.json"), SMALL.replace("42", "43")).unwrap();
    let ended = run(directory.path(), "simulate --spec spec.json --out a/b --png --quiet").expect(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    assert_ne!(fs::read(out.join("field.npy")).unwrap(), before);
    assert!(fs::read(out.join("field.png")).unwrap().starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(tree(&out).len(), FILES.len() + 1);
}

/// Guards: the snapshot names its own specification, and running that again gives the same bits.
#[test]
fn a_snapshot_can_be_run_again() {
    let directory = with_spec(r#"{"grid_size": 8, "steps": 7, "quantum_jitter": true}"#);
    let ended = run(directory.path(), "simulate --spec spec.json --out first --json").expect(0);
    assert_eq!(ended.stderr, "");
    let snapshot: Value =
        serde_json::from_slice(&fs::read(directory.path().join("first/snapshot.json")).unwrap()).unwrap();
    assert_eq!(ended.json(), snapshot);
    assert_eq!(snapshot["status"], "ok");
    assert_eq!(snapshot["kind"], "simulation");
    assert_eq!(snapshot["steps"], 7);
    assert_eq!(snapshot["features"].as_object().unwrap().len(), 18);
    assert_eq!(snapshot["statistics"]["steps_computed"], 7);
    assert_eq!(snapshot["spec"]["boundary_condition"], "periodic");

    let spec = snapshot["spec"].to_string();
    let again =
        run_with_input(directory.path(), "simulate --spec - --out again --json", spec.as_bytes()).expect(0);
    assert_eq!(again.json()["features"], snapshot["features"]);
    let bits = |out: &str| cells(&directory.path().join(out).join("field.npy"));
    assert!(bits("first") == bits("again"));
}

/// Guards: the number of threads never changes a bit.
#[test]
fn threads_do_not_change_the_result() {
    let directory = with_spec(r#"{"grid_size": 64, "steps": 30, "quantum_jitter": true}"#);
    for threads in [1, 3] {
        run(
            directory.path(),
            &format!("simulate --spec spec.json --out t{threads} --threads {threads} --quiet"),
        )
        .expect(0);
    }
    assert!(cells(&directory.path().join("t1/field.npy")) == cells(&directory.path().join("t3/field.npy")));
}

/// Guards: a run in single precision is written as such, half as long, and of the shape that was asked for.
#[test]
fn single_precision_is_written_as_such() {
    let directory = with_spec(r#"{"rows": 8, "cols": 8, "steps": 3, "precision": "f32"}"#);
    run(directory.path(), "simulate --spec spec.json --out result --quiet").expect(0);
    for name in ["field", "activator", "inhibitor"] {
        let path = directory.path().join(format!("result/{name}.npy"));
        assert!(String::from_utf8_lossy(&fs::read(&path).unwrap()).contains("'descr': '<f4'"));
        assert_eq!(cells(&path).len(), 8 * 8 * 4);
    }
}

/// Guards: a specification at fault is exit code 2, names the field, and leaves nothing behind.
#[test]
fn wrong_specifications_are_refused_by_name() {
    for (spec, named) in [
        (r#"{"grid_size": 0}"#, "grid_size"),
        (r#"{"compat": "v4.1", "grid_size": 3}"#, "grid_size"),
        (r#"{"compat": "v4.1", "rng": "philox"}"#, "rng"),
        (r#"{"kinetics": {"name": "gray-scott", "feed": 2}}"#, "kinetics.feed"),
        (r#"{"preset": "moss"}"#, "moss"),
        (r#"{"grid_size": 1000000000}"#, "grid_size"),
        (r#"{"grid_size": 99999999999999999999999}"#, "grid_size"),
        (r#"{"grid_size": "64"}"#, "grid_size"),
        (r#"{"grid_size": -1}"#, "grid_size"),
        (r#"{"steps": 1.5}"#, "steps"),
        (r#"{"alpha": NaN}"#, "spec.json"),
        (r#"{"alpha": 1e999}"#, "alpha"),
        (r#"{"alpha": null}"#, "alpha"),
        (r#"{"alpha": 0.25}"#, "alpha"),
        (r#"{"d_activator": 0.5, "jitter_var": -1}"#, "jitter_var"),
        (r#"{"boundary_condition": "torus"}"#, "boundary_condition"),
        (r#"{"gridsize": 64}"#, "gridsize"),
        (r#"{"grid_size": 64} {}"#, "spec.json"),
        (r#"{"grid_size": 64"#, "spec.json"),
        ("[]", "spec.json"),
        ("", "spec.json"),
    ] {
        let directory = with_spec(spec);
        let ended = run(directory.path(), "simulate --spec spec.json --out result");
        ended.expect(2).names(named);
        assert_eq!(tree(directory.path()), ["spec.json"], "{spec}");
    }
}

/// Guards: every fault is reported at once, each with its own advice.
#[test]
fn all_faults_come_at_once() {
    let directory = with_spec(r#"{"grid_size": 0, "alpha": 9, "jitter_var": -1}"#);
    let ended = run(directory.path(), "simulate --spec spec.json --out result").expect(2);
    assert_eq!(ended.stderr.matches("fix: ").count(), 3, "{ended:?}");
}

/// Guards: input that is no specification file at all.
#[test]
fn unreadable_specifications_are_refused() {
    let directory = with_spec(SMALL);
    let path = directory.path();
    run(path, "simulate --spec missing.json --out result").expect(2).names("missing.json");
    run(path, "simulate --spec . --out result").expect(2).names("directory");
    fs::write(path.join("binary.json"), [0xff, 0xfe, 0x00]).unwrap();
    run(path, "simulate --spec binary.json --out result").expect(2).names("binary.json");
    run(path, "simulate --spec /dev/zero --out result").expect(2).names("bytes");
    assert!(!path.join("result").exists());
}

/// Guards: an output that can not be written is found before the run, and nothing is left.
#[test]
fn unwritable_outputs_are_refused() {
    let directory = with_spec(SMALL);
    let path = directory.path();
    run(path, "simulate --spec spec.json --out spec.json").expect(2).names("not a directory");
    run(path, "simulate --spec spec.json --out spec.json/below").expect(1).names("spec.json");
    run(path, "simulate --spec spec.json --out /proc/mfn").expect(1).names("/proc/mfn");
    fs::create_dir_all(path.join("taken/field.npy")).unwrap();
    run(path, "simulate --spec spec.json --out taken").expect(1).names("field.npy");
    assert_eq!(tree(&path.join("taken")), ["field.npy"]);
}

/// Guards: Ctrl-C and termination end a long run at once with code 1 and leave no file at all, not even
/// the directory that was made for it.
#[test]
fn a_signal_leaves_nothing_behind() {
    for name in ["INT", "TERM"] {
        let directory = with_spec(r#"{"grid_size": 256, "steps": 1000000000}"#);
        let child = mfn(directory.path(), "simulate --spec spec.json --out new/result")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !directory.path().join("new/result").exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the run does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        signal(&child, name);
        let signalled = Instant::now();
        let ended = finish(child).expect(1).names("cancelled");
        assert!(signalled.elapsed() < Duration::from_secs(2), "{ended:?}");
        assert_eq!(tree(directory.path()), ["spec.json"]);
    }
}

/// Guards: an earlier result stays whole when a later run into the same directory is cancelled.
#[test]
fn a_cancelled_run_keeps_the_earlier_result() {
    let directory = with_spec(SMALL);
    run(directory.path(), "simulate --spec spec.json --out result --quiet").expect(0);
    let before = fs::read(directory.path().join("result/snapshot.json")).unwrap();
    let spec = r#"{"grid_size": 256, "steps": 1000000000}"#;
    fs::write(directory.path().join("spec.json"), spec).unwrap();
    let child = mfn(directory.path(), "simulate --spec spec.json --out result --quiet")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    signal(&child, "INT");
    finish(child).expect(1);
    assert_eq!(fs::read(directory.path().join("result/snapshot.json")).unwrap(), before);
    assert_eq!(tree(&directory.path().join("result")), FILES);
}

/// Guards: away from a terminal, progress is whole lines on standard error; results alone on standard output.
#[test]
fn progress_is_plain_lines_in_a_pipe() {
    let directory = with_spec(SMALL);
    let ended = run(directory.path(), "simulate --spec spec.json --out result").expect(0);
    assert!(ended.stderr.ends_with("\n20/20 steps (100 %)\n"), "{ended:?}");
    assert_eq!(ended.stderr.matches('%').count(), 1, "{ended:?}");
    assert!(!ended.stdout.contains('%') && !ended.stdout.contains('\u{1b}'), "{ended:?}");
}

/// Guards: a specification without steps is a result too.
#[test]
fn zero_steps_are_in_order() {
    let directory = with_spec(r#"{"grid_size": 4, "steps": 0}"#);
    let ended = run(directory.path(), "simulate --spec spec.json --out result --json").expect(0);
    assert_eq!(ended.json()["steps"], 0);
}

/// Guards: memory depends on the grid, not on the steps: a run 50 times as long needs no more of it.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_steps() {
    let peak_kib = |steps: u64| {
        let directory = with_spec(&format!(r#"{{"grid_size": 32, "steps": {steps}}}"#));
        let child = mfn(directory.path(), "simulate --spec spec.json --out result --json")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        // The high-water mark is read until the process is gone; the last reading counts.
        while let Some(kib) = fs::read_to_string(&status).ok().and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
        }) {
            peak = peak.max(kib);
            std::thread::sleep(Duration::from_millis(1));
        }
        finish(child).expect(0);
        peak
    };
    let (short, long) = (peak_kib(2_000), peak_kib(100_000));
    assert!(short > 0 && long > 0);
    assert!(long < short + 1024, "{short} KiB for 2,000 steps, {long} KiB for 100,000");
}
