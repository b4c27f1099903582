//! `mfn run` and `mfn check`, by running the real binary with real plugins.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use common::{finish, mfn, plugin_library, run, signal};
use serde_json::Value;

const PIPELINE: &str = r#"
name = "test"

[plugins]
directories = ["plugins"]

[connectors.requests]
plugin = "file"
[connectors.requests.config]
directory = "requests"
pattern = "*.json"

[publishers.results]
plugin = "file"
[publishers.results.config]
directory = "out"

[publishers.rejected]
plugin = "file"
[publishers.rejected.config]
directory = "out"
file_name = "rejected"
include_headers = true

[[routes]]
name = "simulate"
connectors = ["requests"]
publishers = ["results"]
dead_letters = "rejected"
"#;

/// A pipeline of files with three requests, one of them broken.
fn with_pipeline(configuration: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    for below in ["plugins", "requests"] {
        fs::create_dir(path.join(below)).unwrap();
    }
    for name in ["file", "counter"] {
        let library = plugin_library(name);
        fs::copy(&library, path.join("plugins").join(library.file_name().unwrap())).unwrap();
    }
    fs::write(path.join("requests/a.json"), r#"{"grid_size": 16, "steps": 20, "random_seed": 42}"#).unwrap();
    fs::write(path.join("requests/b.json"), r#"{"grid_size": 8, "steps": 5}"#).unwrap();
    fs::write(path.join("requests/broken.json"), r#"{"grid_size": 0}"#).unwrap();
    fs::write(path.join("pipeline.toml"), configuration).unwrap();
    directory
}

/// The JSON lines of all output files that begin with a name.
fn results(directory: &Path, name: &str) -> Vec<Value> {
    let mut files: Vec<_> = fs::read_dir(directory.join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

/// Guards: requests go in, results and dead letters come out, each request is shown, the sum is right.
#[test]
fn a_pipeline_runs_to_its_end() {
    let directory = with_pipeline(PIPELINE);
    let ended = run(directory.path(), "run pipeline.toml").expect(0);
    assert!(ended.stdout.contains("3 received: 2 delivered, 1 dead-lettered, 0 rejected"), "{ended:?}");
    assert!(ended.stdout.contains("grid_size"), "the reason is not shown: {ended:?}");
    let done = results(directory.path(), "results");
    assert_eq!(done.len(), 2);
    assert!(done.iter().all(|snapshot| snapshot["status"] == "ok"));
    let rejected = results(directory.path(), "rejected");
    assert_eq!(rejected.len(), 1);
    assert!(rejected[0].to_string().contains("grid_size"), "{rejected:?}");
}

/// Guards: a second run finds nothing to do, and says so.
#[test]
fn settled_requests_do_not_come_again() {
    let directory = with_pipeline(PIPELINE);
    run(directory.path(), "run pipeline.toml").expect(0);
    let again = run(directory.path(), "run pipeline.toml").expect(0);
    assert!(again.stdout.contains("0 received"), "{again:?}");
    assert_eq!(results(directory.path(), "results").len(), 2);
}

/// Guards: with --json every line is an event, from started to summary, and the counters add up.
#[test]
fn events_are_json_lines() {
    let directory = with_pipeline(PIPELINE);
    let ended = run(directory.path(), "run pipeline.toml --json").expect(0);
    assert!(ended.stderr.lines().all(|line| line.starts_with("warn runtime: ")), "{ended:?}");
    let events: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["started", "outcome", "outcome", "outcome", "summary"]);
    let outcome = |status: &str| events.iter().filter(|event| event["status"] == status).count();
    assert_eq!((outcome("ok"), outcome("dead_lettered")), (2, 1));
    let status = &events[4]["status"];
    assert_eq!(status["received"], 3);
    assert_eq!(status["delivered"], 2);
    assert_eq!(status["in_flight"], 0);
    assert_eq!(events[4]["drain"]["complete"], true);
}

/// Guards: the same request gives the same result from `mfn simulate` and from a pipeline.
#[test]
fn a_pipeline_and_simulate_agree() {
    let directory = with_pipeline(PIPELINE);
    run(directory.path(), "run pipeline.toml").expect(0);
    let single =
        run(directory.path(), "simulate --spec requests/a.json --out single --json").expect(0).json();
    let of_pipeline = results(directory.path(), "results")
        .into_iter()
        .find(|snapshot| snapshot["spec"]["grid_size"] == 16)
        .unwrap();
    for key in ["features", "statistics", "spec", "steps", "kind", "mfn_version"] {
        assert_eq!(single[key], of_pipeline[key], "{key}");
    }
}

/// Guards: signals end a pipeline that waits for more, with a drain, code 0 and nothing lost.
#[test]
fn a_signal_drains_and_ends_it() {
    let watching =
        PIPELINE.replace("pattern = \"*.json\"", "pattern = \"*.json\"\nat_end = \"watch\"\nsettle_ms = 0");
    for name in ["INT", "TERM"] {
        let directory = with_pipeline(&watching);
        let child = mfn(directory.path(), "run pipeline.toml --json")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !directory.path().join("out").exists() || results(directory.path(), "results").len() < 2 {
            assert!(begun.elapsed() < Duration::from_secs(20), "no results");
            std::thread::sleep(Duration::from_millis(20));
        }
        signal(&child, name);
        let signalled = Instant::now();
        let ended = finish(child).expect(0);
        assert!(signalled.elapsed() < Duration::from_secs(5), "{ended:?}");
        let summary: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(summary["interrupted"], true);
        assert_eq!(summary["drain"]["complete"], true);
        assert_eq!(summary["status"]["in_flight"], 0);
    }
}

/// Guards: a second signal ends a drain that still waits, at once and as a failure, and the next run does
/// what was not settled.
#[test]
fn a_second_signal_ends_it_at_once() {
    let directory = with_pipeline(PIPELINE);
    // Computes far longer than the test takes, so that the first signal leaves something to wait for.
    let long = directory.path().join("requests/a.json");
    fs::write(&long, r#"{"grid_size": 1024, "steps": 3800}"#).unwrap();
    let mut child = mfn(directory.path(), "run pipeline.toml --json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut started = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut started).unwrap();
    assert!(started.contains("started"), "{started}");
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "there was nothing to wait for");
    signal(&child, "INT");
    let signalled = Instant::now();
    finish(child).expect(1).names("second signal");
    assert!(signalled.elapsed() < Duration::from_secs(2), "{:?}", signalled.elapsed());
    fs::write(&long, r#"{"grid_size": 16, "steps": 20}"#).unwrap();
    run(directory.path(), "run pipeline.toml").expect(0);
    let mut sides: Vec<_> =
        results(directory.path(), "results").iter().map(|r| r["spec"]["grid_size"].as_u64()).collect();
    sides.sort();
    assert_eq!(sides, [Some(8), Some(16)]);
}

/// Guards: --exit-when-done ends a pipeline whose source would wait for more.
#[test]
fn exit_when_done_ends_a_watching_pipeline() {
    let watching =
        PIPELINE.replace("pattern = \"*.json\"", "pattern = \"*.json\"\nat_end = \"watch\"\nsettle_ms = 0");
    let directory = with_pipeline(&watching);
    let ended = run(directory.path(), "run pipeline.toml --exit-when-done").expect(0);
    assert!(ended.stdout.contains("3 received"), "{ended:?}");
}

/// Guards: plugins of --plugin-dir serve a configuration that names none.
#[test]
fn plugin_directories_can_be_given() {
    let without = PIPELINE.replace("directories = [\"plugins\"]", "");
    let directory = with_pipeline(&without);
    run(directory.path(), "check pipeline.toml").expect(2).names("file");
    run(directory.path(), "run pipeline.toml").expect(2).names("file");
    run(directory.path(), "check pipeline.toml --plugin-dir plugins").expect(0);
    run(directory.path(), "run pipeline.toml --plugin-dir plugins").expect(0);
    run(directory.path(), "run pipeline.toml --plugin-dir missing").expect(2).names("missing");
}

/// Guards: a configuration in order is said to be, and nothing was touched.
#[test]
fn a_good_configuration_is_in_order() {
    let directory = with_pipeline(PIPELINE);
    let ended = run(directory.path(), "check pipeline.toml").expect(0);
    assert!(
        ended.stdout.contains("test: in order") && ended.stdout.contains("connector requests"),
        "{ended:?}"
    );
    let json = run(directory.path(), "check pipeline.toml --json").expect(0).json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["components"].as_array().unwrap().len(), 3);
    assert!(!directory.path().join("out").exists());
}

/// Guards: every fault of the document comes at once, with its path and its fix.
#[test]
fn faults_of_the_document_come_at_once() {
    let wrong = PIPELINE
        .replace("publishers = [\"results\"]", "publishers = [\"nobody\"]")
        .replace("dead_letters = \"rejected\"", "dead_leters = \"rejected\"");
    let directory = with_pipeline(&wrong);
    let ended = run(directory.path(), "check pipeline.toml").expect(2).names("routes[0].dead_leters");
    let ended = ended.names("nobody");
    assert!(ended.stderr.matches("fix: ").count() >= 2 && ended.stdout.is_empty(), "{ended:?}");
    let json = run(directory.path(), "check pipeline.toml --json").expect(2).json();
    assert_eq!(json["ok"], false);
    let fault = &json["faults"][0];
    assert!(fault["path"].is_string() && fault["message"].is_string() && fault["fix"].is_string());
}

/// Guards: faults that only the plugins can find: an unknown plugin, a wrong value, an unknown key.
#[test]
fn faults_of_components_are_found() {
    let wrong = PIPELINE
        .replace("directory = \"requests\"", "directory = \"requests\"\nsettle_ms = 99999999999")
        .replace("file_name = \"rejected\"", "colour = \"red\"");
    let directory = with_pipeline(&wrong);
    run(directory.path(), "check pipeline.toml").expect(2).names("settle_ms").names("colour");
    let directory = with_pipeline(&PIPELINE.replace("plugin = \"file\"", "plugin = \"fax\""));
    run(directory.path(), "check pipeline.toml").expect(2).names("fax");
}

/// Guards: documents that are no configuration.
#[test]
fn unreadable_configurations_are_refused() {
    let directory = with_pipeline("name = [");
    let path = directory.path();
    fs::write(path.join("binary.toml"), [0xff, 0xfe]).unwrap();
    fs::write(path.join("wrong.json"), "{\"name\": }").unwrap();
    for verb in ["check", "run"] {
        run(path, &format!("{verb} pipeline.toml")).expect(2).names("line 1");
        run(path, &format!("{verb} binary.toml")).expect(2).names("UTF-8");
        run(path, &format!("{verb} wrong.json")).expect(2).names("line 1");
        run(path, &format!("{verb} missing.toml")).expect(2).names("missing.toml");
        run(path, &format!("{verb} requests")).expect(2).names("requests");
    }
}

/// Guards: a reader that goes away does not stop the pipeline.
#[test]
fn a_closed_pipe_does_not_stop_the_work() {
    let directory = with_pipeline(PIPELINE);
    let mut child = mfn(directory.path(), "run pipeline.toml --json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    finish(child).expect(0);
    assert_eq!(results(directory.path(), "results").len(), 2);
}
