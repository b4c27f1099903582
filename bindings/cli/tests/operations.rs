//! Operating a pipeline with the real binary and real plugins: probes, liveness and readiness over HTTP, and
//! secrets that get nowhere.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use common::{finish, mfn, plugin_library, run, secret_fields, signal, tree};
use serde_json::{Value, json};

/// Requests are watched for and written to a file; metrics and a stream are served.
const PIPELINE: &str = r#"
name = "operated"
[plugins]
directories = ["plugins"]
[connectors.requests]
plugin = "file"
config = { directory = "requests", pattern = "*.json", at_end = "watch", settle_ms = 0, poll_interval_ms = 50 }
[publishers.results]
plugin = "file"
config = { directory = "out/results" }
[publishers.rejected]
plugin = "file"
config = { directory = "rejected", include_headers = true }
[transports.live]
plugin = "sse"
config = { bind = "127.0.0.1:0" }
[exporters.metrics]
plugin = "prometheus"
config = { bind = "127.0.0.1:0" }
[[routes]]
name = "simulate"
connectors = ["requests"]
publishers = ["results"]
transports = ["live"]
dead_letters = "rejected"
"#;

/// A directory with the plugins, the folders of the configuration, and the configuration.
fn site(configuration: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    for below in ["plugins", "requests", "out"] {
        fs::create_dir(path.join(below)).unwrap();
    }
    for name in ["file", "sse", "prometheus"] {
        let library = plugin_library(name);
        fs::copy(&library, path.join("plugins").join(library.file_name().unwrap())).unwrap();
    }
    fs::write(path.join("pipeline.toml"), configuration).unwrap();
    directory
}

/// Puts a request where the pipeline looks for it.
fn request(site: &Path, name: &str, text: &str) {
    fs::write(site.join("requests.partial"), text).unwrap();
    fs::rename(site.join("requests.partial"), site.join("requests").join(name)).unwrap();
}

const GOOD: &str = r#"{"grid_size": 8, "steps": 5}"#;

/// Status and body of `GET path`.
fn get(address: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A pipeline that runs, and where its metrics are.
struct Running {
    child: Child,

    metrics: SocketAddr,
}

fn start(site: &Path, arguments: &str) -> Running {
    let mut child = mfn(site, &format!("run pipeline.toml --json {arguments}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // One byte at a time, so that nothing behind the line is taken from whoever collects the rest.
    let mut stdout = BufReader::with_capacity(1, child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    child.stdout = Some(stdout.into_inner());
    if line.is_empty() {
        panic!("did not start: {:?}", finish(child));
    }
    let started: Value = serde_json::from_str(&line).unwrap();
    let metrics = endpoint(&started, "metrics");
    Running { child, metrics }
}

/// Where a component of the `started` event listens.
fn endpoint(started: &Value, name: &str) -> SocketAddr {
    let endpoints = started["status"]["endpoints"].as_array().unwrap();
    let url = endpoints.iter().find(|endpoint| endpoint["name"] == name).unwrap()["url"].as_str().unwrap();
    url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap()
}

fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Guards readiness over HTTP: ready, not ready with the reason while the results' directory is away, ready again
/// when it is back, with nobody's help and nothing lost; live throughout.
#[test]
fn readiness_over_http_flips_and_recovers() {
    let directory = site(PIPELINE);
    let site = directory.path();
    let mut running = start(site, "");
    let at = running.metrics;
    assert_eq!(get(at, "/livez", ""), (200, "live\n".to_owned()));
    assert_eq!(get(at, "/readyz", ""), (200, "ready\n".to_owned()));
    let (status, report) = get(at, "/health", "");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((status, &report["pipelines"][0]["state"]), (200, &json!("ready")));

    fs::rename(site.join("out"), site.join("away")).unwrap();
    request(site, "a.json", GOOD);
    await_that("not ready", || get(at, "/readyz", "") == (503, "not ready\n".to_owned()));
    let (status, report) = get(at, "/health", "");
    let report: Value = serde_json::from_str(&report).unwrap();
    let reasons = report["pipelines"][0]["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason["component"] == "results"), "{report}");
    assert_eq!((status, &report["live"]), (503, &json!(true)));
    assert_eq!(get(at, "/livez", "").0, 200);

    fs::rename(site.join("away"), site.join("out")).unwrap();
    await_that("ready again", || get(at, "/readyz", "").0 == 200);
    await_that("the result", || tree(&site.join("out/results")).iter().any(|name| name.ends_with(".jsonl")));
    signal(&running.child, "TERM");
    running.child.stdout.take();
    finish(running.child).expect(0);
}

/// Guards the guard: with a credential the probes say one word to everybody, the reasons and the metrics are for
/// those who have it; `guarded` asks for it everywhere and `off` leaves nothing.
#[test]
fn probes_are_guarded_as_configured() {
    let token = "0123456789abcdef";
    let auth = "bind = \"127.0.0.1:0\", auth = { bearer_token = \"file:token\" }";
    let with = |more: &str| {
        let exporter = format!("plugin = \"prometheus\"\nconfig = {{ {auth}{more} }}");
        PIPELINE.replace("plugin = \"prometheus\"\nconfig = { bind = \"127.0.0.1:0\" }", &exporter)
    };
    let header = format!("authorization: Bearer {token}\r\n");
    for (more, wanted) in [
        ("", [200, 200, 401, 401, 200]),
        (", probes = \"guarded\"", [401, 401, 401, 401, 200]),
        (", probes = \"off\"", [401, 401, 401, 401, 404]),
    ] {
        let directory = site(&with(more));
        fs::write(directory.path().join("token"), format!("{token}\n")).unwrap();
        let mut running = start(directory.path(), "");
        let ask = |path: &str, headers: &str| get(running.metrics, path, headers).0;
        let found = [ask("/livez", ""), ask("/readyz", ""), ask("/health", ""), ask("/metrics", "")];
        assert_eq!(found, wanted[..4], "{more}");
        assert_eq!(ask("/health", &header), wanted[4], "{more}");
        signal(&running.child, "TERM");
        running.child.stdout.take();
        finish(running.child).expect(0);
    }
}

/// Guards `mfn check --probe`: every fault at once with path and fix, a table, and the exit code; and that a check
/// without it opens nothing.
#[test]
fn check_probes_every_component() {
    let directory = site(PIPELINE);
    let site = directory.path();
    let ended = run(site, "check pipeline.toml --probe").expect(0);
    for part in ["component", "requests", "metrics", "prometheus", "passed"] {
        assert!(ended.stdout.contains(part), "{part}: {ended:?}");
    }
    // A port that is taken, a directory that is away, a secret that is not there.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let wrong = PIPELINE
        .replacen("bind = \"127.0.0.1:0\"", &format!("bind = \"{}\"", taken.local_addr().unwrap()), 1)
        .replace(
            "config = { bind = \"127.0.0.1:0\" }",
            "config = { bind = \"127.0.0.1:0\", auth = { api_key = \"env:MFN_TEST_UNSET\" } }",
        )
        .replace("directory = \"requests\"", "directory = \"nowhere\"");
    fs::write(site.join("pipeline.toml"), wrong).unwrap();
    let plain = run(site, "check pipeline.toml").expect(0);
    let path = "exporters.metrics.config.auth.api_key";
    assert!(plain.stderr.contains(path) && plain.stderr.contains("MFN_TEST_UNSET"), "{plain:?}");
    let ended = run(site, "check pipeline.toml --probe").expect(1);
    let ended = ended.names("transports.live").names("connectors.requests").names("exporters.metrics");
    let ended = ended.names("auth.api_key: env:MFN_TEST_UNSET");
    assert!(ended.stdout.contains("failed") && ended.stdout.contains("passed"), "{ended:?}");
    let json = run(site, "check pipeline.toml --probe --json").expect(1).json();
    assert_eq!((&json["ok"], json["faults"].as_array().unwrap().len()), (&json!(false), 3));
    assert_eq!(json["probes"].as_array().unwrap().len(), 5);
    // The start is forbidden in the same words: the variable can not come by itself.
    run(site, "run pipeline.toml --log-level error")
        .expect(1)
        .names("exporters.metrics")
        .names("MFN_TEST_UNSET");
    assert!(!site.join("out/results").exists(), "nothing was opened");
}

/// Guards the warnings: a secret in the configuration, and one in a file that everybody can read.
#[test]
fn check_warns_of_careless_secrets() {
    use std::os::unix::fs::PermissionsExt;
    let directory = site(&PIPELINE.replace(
        "bind = \"127.0.0.1:0\" ",
        "bind = \"127.0.0.1:0\", auth = { bearer_token = \"file:token\", api_key = \"canary-0123456789\" } ",
    ));
    let site = directory.path();
    fs::write(site.join("token"), "0123456789abcdef").unwrap();
    let check = |mode| {
        fs::set_permissions(site.join("token"), fs::Permissions::from_mode(mode)).unwrap();
        let ended = run(site, "check pipeline.toml").expect(0);
        let json = run(site, "check pipeline.toml --json").expect(0).json();
        assert!(!format!("{ended:?} {json}").contains("canary"));
        json["warnings"].as_array().unwrap().len()
    };
    assert_eq!((check(0o600), check(0o644)), (2, 4));
}

/// Every secret of the plugins here, by the plugin's own schema: none may be missing from the canary test. Those of the
/// other plugins are in `endtoend/canary.rs`.
const SECRETS: [(&str, &str, &[&str]); 2] = [
    ("sse", "transport", &["auth.api_key", "auth.bearer_token"]),
    ("prometheus", "exporter", &["auth.api_key", "auth.bearer_token"]),
];

/// Guards every secret field: with a canary in each (as itself, from a file, from a variable), records that are
/// delivered, dead-lettered and refused, wrong credentials and a rotation, the canary is in no output, log, metric,
/// health report, result, dead letter or any other file, and the process may write no core file.
#[test]
fn a_canary_gets_nowhere() {
    for (plugin, kind, known) in SECRETS {
        assert_eq!(secret_fields(plugin, kind), known, "{plugin} {kind}");
    }
    let auth = |key: &str, token: &str| {
        format!("bind = \"127.0.0.1:0\", auth = {{ api_key = \"{key}\", bearer_token = \"{token}\" }}")
    };
    let configuration = PIPELINE
        .replacen("bind = \"127.0.0.1:0\"", &auth("canary-literal-01", "file:secrets/token"), 1)
        .replace(
            "config = { bind = \"127.0.0.1:0\" }",
            &format!("config = {{ {} }}", auth("env:MFN_TEST_CANARY", "file:secrets/token")),
        );
    let directory = site(&configuration);
    let site = directory.path();
    fs::create_dir(site.join("secrets")).unwrap();
    fs::write(site.join("secrets/token"), "canary-file-0123\n").unwrap();
    let mut child = mfn(site, "run pipeline.toml --json --log-level trace")
        .env("MFN_TEST_CANARY", "canary-variable-0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut output = String::new();
    stdout.read_line(&mut output).unwrap();
    let started: Value = serde_json::from_str(&output).unwrap();
    let core = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = core.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}; before: {limits}");

    let metrics = endpoint(&started, "metrics");
    let mut seen = String::new();
    for headers in ["x-api-key: canary-variable-0\r\n", "authorization: Bearer canary-file-0123\r\n"] {
        for path in ["/metrics", "/health", "/readyz", "/nothing"] {
            seen.push_str(&get(metrics, path, headers).1);
        }
    }
    seen.push_str(&get(endpoint(&started, "stream"), "/events", "x-api-key: canary-variable-1\r\n").1);
    request(site, "a.json", GOOD);
    request(site, "b.json", r#"{"grid_size": 0}"#);
    let mut outcomes = 0;
    while outcomes < 2 {
        let mut line = String::new();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "{output}");
        outcomes += usize::from(line.contains("\"event\":\"outcome\""));
        output.push_str(&line);
    }
    // A rotation: the new token is accepted within five seconds, and the old one no more.
    fs::write(site.join("secrets/new"), "canary-rotated-0\n").unwrap();
    fs::rename(site.join("secrets/new"), site.join("secrets/token")).unwrap();
    let rotated = Instant::now();
    await_that("the rotation", || {
        get(metrics, "/health", "authorization: Bearer canary-rotated-0\r\n").0 == 200
    });
    assert!(rotated.elapsed() < Duration::from_secs(5), "{:?}", rotated.elapsed());
    assert_eq!(get(metrics, "/health", "authorization: Bearer canary-file-0123\r\n").0, 401);
    // A file that is away: the error is logged.
    fs::rename(site.join("secrets/token"), site.join("secrets/away")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    seen.push_str(&get(metrics, "/metrics", "authorization: Bearer canary-rotated-0\r\n").1);

    signal(&child, "TERM");
    stdout.read_to_string(&mut output).unwrap();
    assert!(child.wait().unwrap().success());
    let log = log.join().unwrap();
    assert!(log.contains("listening") && log.contains("a new value of the secret"), "{log}");
    assert!(log.contains("its last value stays in use"), "{log}");
    seen.push_str(&get_check(site));
    for text in [&seen, &output, &log] {
        assert!(!text.is_empty() && !text.contains("canary"), "{text}");
    }
    let mut files = 0;
    for name in tree(site) {
        let path = site.join(&name);
        if path.is_file()
            && !name.starts_with("plugins")
            && !name.starts_with("secrets")
            && name != "pipeline.toml"
        {
            files += 1;
            let content = fs::read(&path).unwrap();
            assert!(!content.windows(6).any(|window| window == b"canary"), "{name}");
        }
    }
    assert!(files >= 4, "requests, results, dead letters and the journal: {files}");
}

/// Everything that a check says.
fn get_check(site: &Path) -> String {
    let plain = run(site, "check pipeline.toml").expect(0);
    let probed = run(site, "check pipeline.toml --probe --json");
    format!("{plain:?} {probed:?}")
}
