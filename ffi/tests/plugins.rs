//! C programs that drive real plugins through libmfn, under valgrind, and the demonstration program.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Workshop, libraries, root, source, succeed, valgrind_with_runtime};

/// The plugin libraries of this build.
fn plugins() -> Vec<String> {
    ["file", "sse", "prometheus"]
        .iter()
        .map(|name| {
            let path = libraries().join(format!("libmfn_plugin_{name}.so"));
            assert!(path.is_file(), "{} was not built", path.display());
            path.display().to_string()
        })
        .collect()
}

/// A folder with three requests that can be done and one that can not.
fn requests(workshop: &Workshop, steps: u64) -> PathBuf {
    let folder = workshop.path().join("requests");
    fs::create_dir(&folder).expect("a folder");
    for seed in 1..=3 {
        let request = format!(r#"{{"grid_size": 16, "steps": {steps}, "random_seed": {seed}}}"#);
        fs::write(folder.join(format!("{seed}.json")), request).expect("a file");
    }
    fs::write(folder.join("4.json"), r#"{"alpha": 9}"#).expect("a file");
    folder
}

/// A configuration that reads the requests and writes to `out`.
fn config(workshop: &Workshop, steps: u64) -> PathBuf {
    let [file, sse, _] = plugins().try_into().expect("three plugins");
    let requests = requests(workshop, steps);
    let text = format!(
        r#"
name = "test"
[plugins]
files = ["{file}", "{sse}"]
[connectors.requests]
plugin = "file"
config = {{ directory = "{}", state_file = "journal" }}
[publishers.results]
plugin = "file"
config = {{ directory = "out", file_name = "results" }}
[publishers.rejected]
plugin = "file"
config = {{ directory = "out", file_name = "rejected", include_headers = true }}
[transports.live]
plugin = "sse"
config = {{ bind = "127.0.0.1:0" }}
[[routes]]
name = "simulate"
connectors = ["requests"]
publishers = ["results"]
transports = ["live"]
dead_letters = "rejected"
topic = "snapshots"
"#,
        requests.display()
    );
    let path = workshop.path().join("pipeline.toml");
    fs::write(&path, text).expect("a file");
    path
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

// Guards the functions of components against wrong arguments, with real plugins behind them.
#[test]
fn wrong_arguments_for_components_are_refused() {
    let workshop = Workshop::new();
    let program = workshop.compile(&source("arguments_runtime.c"));
    let plugins = plugins();
    let mut arguments = vec![workshop.path().to_str().expect("UTF-8")];
    arguments.extend(plugins.iter().map(String::as_str));
    valgrind_with_runtime(&program, &arguments);
}

// Guards components that a host drives by itself: every record arrives, no memory error, no leak.
#[test]
fn a_host_moves_records_between_components() {
    let workshop = Workshop::new();
    let program = workshop.compile(&source("components.c"));
    let (requests, out) = (text(&requests(&workshop, 5)), workshop.path().join("out"));
    fs::create_dir(&out).expect("a folder");
    let (plugins, out_text) = (plugins(), text(&out));
    let mut arguments = vec![requests.as_str(), out_text.as_str()];
    arguments.extend(plugins.iter().map(String::as_str));
    valgrind_with_runtime(&program, &arguments);
    let lines: usize = fs::read_dir(&out)
        .expect("a folder")
        .filter_map(|entry| {
            entry.ok().filter(|entry| entry.file_name().to_string_lossy().ends_with(".jsonl"))
        })
        .map(|entry| fs::read_to_string(entry.path()).expect("a file").lines().count())
        .sum();
    assert_eq!(lines, 4);
}

// Guards a host against a remote end: a client that goes away must not end the process by SIGPIPE.
#[test]
fn clients_that_go_away_do_not_end_the_host() {
    let workshop = Workshop::new();
    let program = workshop.compile(&source("gone_clients.c"));
    let [_, sse, _] = plugins().try_into().expect("three plugins");
    succeed(Command::new(program).arg(sse), "gcc");
}

// Guards a whole pipeline as a C host sees it.
#[test]
fn a_pipeline_runs_under_valgrind() {
    let workshop = Workshop::new();
    let program = workshop.compile(&source("pipeline.c"));
    let config = text(&config(&workshop, 5));
    valgrind_with_runtime(&program, &[&config, &text(workshop.path())]);
    let results = fs::read_to_string(workshop.path().join("out/results-000001.jsonl")).expect("results");
    assert_eq!(results.lines().count(), 3);
}

/// The demonstration program, compiled.
fn demonstration(workshop: &Workshop) -> Command {
    let program = workshop.compile(&root().join("examples/pipeline.c"));
    let mut command = Command::new(program);
    command.arg("--picture").arg(workshop.path().join("last.png")).arg("--plain");
    command
}

// Guards the demonstration: table, dead letter with reason, curl lines, picture, exit status.
#[test]
fn the_demonstration_shows_its_work() {
    let workshop = Workshop::new();
    let output = demonstration(&workshop).arg(config(&workshop, 20)).output().expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    for expected in ["request ", "1.json ", " ok ", "dead letter", "alpha", "curl -N http://", "picture of "]
    {
        assert!(printed.contains(expected), "{expected:?} is not in\n{printed}");
    }
    assert!(
        printed.contains("4 received, 3 delivered, 1 dead letters, 0 rejected, 0 given back"),
        "{printed}"
    );
    assert!(fs::read(workshop.path().join("last.png")).expect("the picture").starts_with(b"\x89PNG"));
}

// Guards the end by a signal in the middle of work: it drains, loses nothing, and says so with status 0.
#[test]
fn the_demonstration_drains_on_a_signal() {
    let workshop = Workshop::new();
    let config = config(&workshop, 400_000);
    let mut command = demonstration(&workshop);
    let mut program = command.arg(&config).stdout(Stdio::piped()).spawn().expect("it runs");
    std::thread::sleep(Duration::from_millis(500));
    let id = program.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    let begin = Instant::now();
    let status = program.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert!(begin.elapsed() < Duration::from_secs(30), "took {:?}", begin.elapsed());
    let printed = std::io::read_to_string(program.stdout.take().expect("its output")).expect("text");
    assert!(printed.contains(" received, "), "{printed}");
}

// Guards the exit status 2 and the list of faults for a configuration that can not be used.
#[test]
fn the_demonstration_lists_the_faults_of_a_configuration() {
    let workshop = Workshop::new();
    let path = workshop.path().join("broken.toml");
    fs::write(&path, "name = \"x\"\ncolour = 1\n[limits]\nthreads = -1\n").expect("a file");
    let output = demonstration(&workshop).arg(&path).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let printed = String::from_utf8_lossy(&output.stderr);
    for expected in ["colour: ", "limits.threads: ", "routes: "] {
        assert!(
            printed.lines().any(|line| line.trim_start().starts_with(expected)),
            "{expected} not in\n{printed}"
        );
    }
    assert_eq!(demonstration(&workshop).arg("--nonsense").output().expect("it runs").status.code(), Some(2));
}

// Guards the streaming example: every outcome is taken, the refused one with its reason, and the log is polled.
#[test]
fn the_stream_example_takes_outcomes_as_they_come() {
    let workshop = Workshop::new();
    let program = workshop.compile(&root().join("examples/stream.c"));
    let printed = valgrind_with_runtime(&program, &[&text(&config(&workshop, 5))]);
    let mut lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.pop(), Some("4 received, 3 delivered, 1 dead letters"), "{printed}");
    lines.sort_unstable();
    for (line, begin) in
        lines.iter().zip(["1.json: D_box ", "2.json: D_box ", "3.json: D_box ", "4.json: refused: "])
    {
        assert!(line.starts_with(begin), "{printed}");
    }
    assert_eq!(lines.len(), 4, "{printed}");
    assert!(lines[3].contains("alpha"), "{printed}");
}
