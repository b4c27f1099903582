//! `mfn simulate` that keeps its state and its frames: interrupted, killed and continued, by running the
//! real binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{finish, mfn, run, signal, tree};
use serde_json::Value;

/// Long enough to be interrupted, in a mode with noise and reaction.
const LONG: &str = r#"{"grid_size": 48, "steps": 30000, "quantum_jitter": true, "record_every": 3000}"#;

fn with_spec(spec: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("spec.json"), spec).unwrap();
    directory
}

/// What a result is, without the name of the request and what is derived from it.
fn result(out: &Path) -> (Vec<Vec<u8>>, Value) {
    let planes =
        ["field.npy", "activator.npy", "inhibitor.npy"].map(|name| fs::read(out.join(name)).unwrap());
    let mut snapshot: Value = serde_json::from_slice(&fs::read(out.join("snapshot.json")).unwrap()).unwrap();
    for key in ["id", "request"] {
        snapshot.as_object_mut().unwrap().remove(key).unwrap();
    }
    (planes.to_vec(), snapshot)
}

fn begin(directory: &Path, line: &str) -> Child {
    mfn(directory, line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn await_that(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to that");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a file is there.
fn await_file(path: &Path) {
    await_that(|| path.exists());
}

/// Guards: a run that is interrupted by signals and by `kill -9`, each time continued by a new process, ends
/// with the very files of one that ran through, its recording included.
#[test]
fn an_interrupted_run_ends_as_if_it_had_not_been() {
    let directory = with_spec(LONG);
    let path = directory.path();
    run(path, "simulate --spec spec.json --out whole --record whole.npy --quiet").expect(0);
    let expected = result(&path.join("whole"));
    assert_eq!(expected.1["statistics"]["steps_computed"], 30000);

    let state = path.join("state");
    let keep = "--out result --checkpoint state --checkpoint-every 1000 --record frames.npy --quiet";
    let child = begin(path, &format!("simulate --spec spec.json {keep}"));
    let partial = path.join("frames.npy.partial");
    await_file(&partial);
    await_that(|| fs::metadata(&partial).unwrap().len() > 128);
    signal(&child, "INT");
    let ended = finish(child).expect(1).names("steps; the state is in state").names("--resume state");
    assert!(!ended.stderr.contains("nothing was written"));
    assert!(!path.join("result").exists() && !path.join("frames.npy").exists());
    assert!(path.join("frames.npy.partial").exists());

    let before = fs::read(&state).unwrap();
    let child = begin(path, &format!("simulate --resume state {keep}"));
    await_that(|| fs::read(&state).unwrap() != before);
    signal(&child, "KILL");
    assert_eq!(finish(child).code, None);

    run(path, &format!("simulate --resume state {keep}")).expect(0);
    assert!(result(&path.join("result")) == expected, "the continued run has another result");
    let frames = fs::read(path.join("frames.npy")).unwrap();
    assert_eq!(frames.len(), 128 + 10 * 48 * 48 * 8);
    assert!(frames == fs::read(path.join("whole.npy")).unwrap());
    assert!(!path.join("frames.npy.partial").exists());

    // The state at the end is a state, too: there is nothing left to do.
    let line = "simulate --resume state --out again --quiet";
    run(path, line).expect(0);
    assert!(result(&path.join("again")) == expected);
}

/// Guards: frames of the plane and at the steps that were asked for; the option takes the place of the
/// specification's record_every.
#[test]
fn the_plane_asked_for_is_recorded() {
    let spec = r#"{"grid_size": 8, "steps": 10, "compat": "v4.1", "record_every": 1}"#;
    let directory = with_spec(spec);
    let line =
        "simulate --spec spec.json --out result --record a.npy --record-every 5 --record-plane activator";
    let ended = run(directory.path(), line).expect(0);
    assert!(ended.stdout.contains("wrote a.npy"), "{ended:?}");
    let frames = fs::read(directory.path().join("a.npy")).unwrap();
    let activator = fs::read(directory.path().join("result/activator.npy")).unwrap();
    assert_eq!(frames.len(), 128 + 2 * 512);
    assert_eq!(frames[128 + 512..], activator[activator.len() - 512..]);
    let snapshot: Value =
        serde_json::from_slice(&fs::read(directory.path().join("result/snapshot.json")).unwrap()).unwrap();
    assert_eq!(snapshot["spec"]["record_every"], 5);
}

/// Guards: Ctrl-C without a checkpoint leaves nothing, also of a recording.
#[test]
fn a_signal_without_a_checkpoint_leaves_nothing() {
    let directory = with_spec(&LONG.replace("30000", "900000000"));
    let child = begin(directory.path(), "simulate --spec spec.json --out result --record frames.npy --quiet");
    await_file(&directory.path().join("frames.npy.partial"));
    signal(&child, "INT");
    finish(child).expect(1).names("nothing was written");
    assert_eq!(tree(directory.path()), ["spec.json"]);
}

/// Guards: a full disk ends the run with a message, exit code 1 and no results; the frames that found room
/// are there to be continued.
#[test]
fn a_full_disk_ends_the_run() {
    let directory = with_spec(r#"{"grid_size": 64, "steps": 100, "record_every": 1}"#);
    // Files of at most 400 blocks of 512 bytes: a checkpoint, or six frames.
    let script = "trap '' XFSZ; ulimit -f 400; exec \"$0\" simulate --spec spec.json --out result \
                  --record frames.npy --checkpoint state --checkpoint-every 2 --quiet";
    let child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_mfn")])
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    finish(child).expect(1).names("recording ended after step 7: frames.npy.partial");
    assert_eq!(tree(directory.path()), ["frames.npy.partial", "spec.json", "state"]);
    let line = "simulate --resume state --out result --record frames.npy --quiet";
    run(directory.path(), line).expect(0);
    assert_eq!(fs::metadata(directory.path().join("frames.npy")).unwrap().len(), 128 + 100 * 64 * 64 * 8);
}

/// Guards: command lines that can not work are refused before any work, with what to change.
#[test]
fn wrong_requests_are_refused() {
    let directory = with_spec(r#"{"grid_size": 8, "steps": 4}"#);
    let path = directory.path();
    run(path, "simulate --spec spec.json --out first --checkpoint state --quiet").expect(0);
    fs::write(path.join("noise"), b"not a checkpoint at all, just text").unwrap();
    let mut damaged = fs::read(path.join("state")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 4;
    fs::write(path.join("damaged"), damaged).unwrap();
    for (options, named) in [
        ("--spec spec.json --record f.npy", "--record-every"),
        ("--resume none", "none"),
        ("--resume .", "not a regular file"),
        ("--resume noise", "not a checkpoint"),
        ("--resume damaged", "is damaged"),
        ("--resume state --spec spec.json", "cannot be used with"),
        ("--resume state --record f.npy --record-every 2", "cannot be used with"),
        ("--spec spec.json --checkpoint-every 2", "--checkpoint"),
        ("--spec spec.json --checkpoint c --checkpoint-every 0", "0 is not in"),
        ("--spec spec.json --record f.npy --record-every 2000000000", "record_every"),
        ("", "--spec"),
    ] {
        let ended = run(path, &format!("simulate {options} --out other")).expect(2).names(named);
        assert_eq!(ended.stdout, "");
        assert!(!path.join("other").exists(), "{options}");
    }
    run(path, "simulate --spec spec.json --out other --record no/f.npy --record-every 1")
        .expect(1)
        .names("no/f");
    run(path, "simulate --spec spec.json --out other --checkpoint no/c").expect(1).names("no/c");
    assert!(!path.join("other").exists());
}
