//! Tests of the reader and the rules: what is accepted, and every fault with its path.

use std::path::Path;

use super::*;

const GOOD: &str = r#"
name = "demo"
[plugins]
directories = ["plugins"]
[limits]
cell_steps_max = 1000
[connectors.requests]
plugin = "file"
[connectors.requests.config]
directory = "data"
depth = 3
[publishers.results]
plugin = "file"
[transports.live]
plugin = "sse"
[exporters.metrics]
plugin = "prometheus"
[[routes]]
name = "simulate"
connectors = ["requests"]
publishers = ["results"]
transports = ["live"]
dead_letters = "results"
[routes.output]
field = true
"#;

fn read(text: &str) -> Result<PipelineConfig, ConfigError> {
    PipelineConfig::from_toml(text, Path::new("/base"))
}

/// The paths of the faults of a document.
fn paths(text: &str) -> Vec<String> {
    read(text).unwrap_err().faults.into_iter().map(|fault| fault.path).collect()
}

// Guards the documented form and its defaults.
#[test]
fn a_whole_configuration_is_read() {
    let config = read(GOOD).unwrap();
    assert_eq!(config.limits, Limits { cell_steps_max: 1000, ..Limits::default() });
    assert_eq!(config.connectors["requests"].config["depth"], 3);
    assert_eq!(config.publishers["results"].config, serde_json::json!({}));
    let route = &config.routes[0];
    assert_eq!((route.topic.as_str(), route.batch_records_max), ("snapshots", 16));
    assert!(route.output.field);
    assert_eq!(config.resolve(&config.plugins.directories[0]), Path::new("/base/plugins"));
    assert!(!config.plugins.require_manifest);
}

// Guards the two spellings: the same document as JSON is the same configuration.
#[test]
fn json_and_toml_are_read_alike() {
    let table: toml::Table = GOOD.parse().unwrap();
    let json = serde_json::to_string(&table).unwrap();
    assert_eq!(PipelineConfig::from_json(&json, Path::new("/base")).unwrap(), read(GOOD).unwrap());
}

// Guards the person at the keyboard: every fault of a document comes at once, with its path.
#[test]
fn every_fault_is_reported_at_once() {
    let text = r#"
colour = "red"
[limits]
bytes_in_flight_max = 1
threads = "all"
[connectors.requests]
plugins = "file"
[publishers."bad name"]
plugin = "file"
config = 3
[[routes]]
name = "a"
connectors = ["requests", "requests", "missing"]
publishers = ["bad name", 7]
dead_letters = "nobody"
batch_records_max = 0
[[routes]]
name = "a"
connectors = ["requests"]
"#;
    let mut paths = paths(text);
    let mut expected = vec![
        "colour",
        "name",
        "limits.bytes_in_flight_max",
        "limits.threads",
        "connectors.requests.plugin",
        "connectors.requests.plugins",
        "publishers.bad name",
        "publishers.bad name.config",
        "routes[0].connectors[1]",
        "routes[0].connectors[2]",
        "routes[0].publishers[1]",
        "routes[0].dead_letters",
        "routes[0].batch_records_max",
        "routes[1].name",
        "routes[1].connectors[0]",
        "routes[1].publishers",
    ];
    expected.sort_unstable();
    paths.sort_unstable();
    assert_eq!(paths, expected);
}

// Guards the keys of delivery: their documented defaults, and that each is read into its own place.
#[test]
fn delivery_is_read_with_its_defaults() {
    let config = read(GOOD).unwrap();
    assert_eq!(config.publishers["results"].delivery, DeliveryConfig::default());
    let route = &config.routes[0];
    assert_eq!((route.work, route.durability, &route.spool), (Work::Simulate, Durability::Delivered, &None));
    let text = GOOD.replace(
        "[transports.live]",
        r#"[publishers.results.delivery]
retry = { strategy = "linear", retries_max = 7, initial_ms = 2, cap_ms = 3, jitter = false, timeout_ms = 4, exhausted = "dead_letter" }
breaker = { failures_max = 8, recovery_ms = 9, probes_max = 3 }
batch = { records_max = 10, bytes_max = 11, age_ms = 12 }
[connectors.requests.delivery.retry]
strategy = "none"
[publishers.copy]
plugin = "file"
[transports.live]"#,
    );
    let text = text.replace(
        "dead_letters = \"results\"",
        "work = \"forward\"\nbest_effort = [\"copy\"]\ndurability = \"spooled\"\n\
         spool = { directory = \"kept\", bytes_max = 33554432 }\ndead_letters_store = \"dead\"\ndead_letters_bytes_max = 67108864",
    );
    let config = read(&text.replace("field = true", "field = false")).unwrap();
    let DeliveryConfig { retry, breaker, batch } = config.publishers["results"].delivery;
    let expected = RetryConfig {
        strategy: RetryStrategy::Linear,
        retries_max: 7,
        initial_ms: 2,
        cap_ms: 3,
        jitter: false,
        timeout_ms: 4,
        exhausted: Exhausted::DeadLetter,
    };
    assert_eq!(retry, expected);
    assert_eq!(breaker, BreakerConfig { failures_max: 8, recovery_ms: 9, probes_max: 3 });
    assert_eq!(batch, BatchConfig { records_max: 10, bytes_max: 11, age_ms: 12 });
    let source = config.connectors["requests"].delivery.retry;
    assert_eq!((source.strategy, source.exhausted), (RetryStrategy::None, Exhausted::Return));
    let route = &config.routes[0];
    assert_eq!((route.work, route.durability), (Work::Forward, Durability::Spooled));
    assert_eq!(route.best_effort, ["copy"]);
    assert_eq!(route.spool, Some(SpoolConfig { directory: "kept".into(), bytes_max: 33_554_432 }));
    assert_eq!(route.dead_letters_store.as_deref(), Some(Path::new("dead")));
    assert_eq!(route.dead_letters_bytes_max, Some(67_108_864));
}

// Guards the values of delivery: each fault has its own path, and all come at once.
#[test]
fn every_fault_of_delivery_is_reported_at_once() {
    let text = r#"
name = "a"
[connectors.in]
plugin = "file"
[connectors.in.delivery]
breaker = {}
[publishers.out]
plugin = "file"
[publishers.out.delivery]
retry = { strategy = "often", retries_max = 1000001, initial_ms = 50, cap_ms = 49, jitter = 1, timeout_ms = 0, exhausted = "drop" }
breaker = { failures_max = 0, recovery_ms = 0, probes_max = 4 }
batch = { records_max = 0, bytes_max = 0, age_ms = 60001, size = 1 }
[transports.live]
plugin = "sse"
delivery = { retry = {} }
[[routes]]
name = "r"
work = "think"
connectors = ["in"]
publishers = ["out"]
best_effort = ["out", "gone"]
transports = ["live"]
durability = "hoped"
spool = { directory = "", bytes_max = 1 }
dead_letters = "out"
dead_letters_store = ""
dead_letters_bytes_max = 1048575
[[routes]]
name = "s"
dead_letters_bytes_max = 1073741824
work = "forward"
connectors = ["in"]
transports = ["live"]
durability = "spooled"
output = { field = true }
"#;
    let mut paths = paths(text);
    let mut expected = vec![
        "connectors.in.delivery.breaker",
        "publishers.out.delivery.retry.strategy",
        "publishers.out.delivery.retry.retries_max",
        "publishers.out.delivery.retry.cap_ms",
        "publishers.out.delivery.retry.jitter",
        "publishers.out.delivery.retry.timeout_ms",
        "publishers.out.delivery.retry.exhausted",
        "publishers.out.delivery.breaker.failures_max",
        "publishers.out.delivery.breaker.recovery_ms",
        "publishers.out.delivery.breaker.probes_max",
        "publishers.out.delivery.batch.records_max",
        "publishers.out.delivery.batch.bytes_max",
        "publishers.out.delivery.batch.age_ms",
        "publishers.out.delivery.batch.size",
        "transports.live.delivery.retry",
        "routes[0].work",
        "routes[0].best_effort[0]",
        "routes[0].best_effort[1]",
        "routes[0].durability",
        "routes[0].spool",
        "routes[0].spool.directory",
        "routes[0].spool.bytes_max",
        "routes[0].dead_letters_bytes_max",
        "routes[0].dead_letters_store",
        "routes[0].dead_letters_store",
        "routes[1].dead_letters_bytes_max",
        "routes[1].connectors[0]",
        "routes[1].durability",
        "routes[1].output.field",
    ];
    expected.sort_unstable();
    paths.sort_unstable();
    assert_eq!(paths, expected);
}

// Guards references: a component that nothing uses, a name that two kinds have, an empty document.
#[test]
fn references_and_names_are_checked() {
    let renamed = GOOD.replace("[transports.live]", "[transports.results]");
    assert_eq!(paths(&renamed), ["transports.results", "routes[0].transports[0]"]);
    let unused = format!("{GOOD}\n[publishers.other]\nplugin = \"file\"\n");
    assert_eq!(paths(&unused), ["publishers.other"]);
    assert_eq!(paths(""), ["name", "connectors", "routes"]);
}

// Guards JSON documents against the silent loss of a repeated key, wherever it is.
#[test]
fn repeated_keys_are_faults() {
    let error = PipelineConfig::from_json(
        r#"{"name":"a","limits":{"threads":1,"threads":2},"name":"b"}"#,
        Path::new("."),
    );
    let faults = error.unwrap_err().faults;
    let repeated: Vec<_> = faults.iter().filter(|fault| fault.message.contains("more than once")).collect();
    assert_eq!(
        repeated.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(),
        ["limits.threads", "name"]
    );
    assert!(read("name = 1\nname = 2").unwrap_err().faults[0].path.starts_with("line 2"));
}

// Guards stack, memory and time against hostile documents; each is refused by its first look.
#[test]
fn hostile_documents_are_refused() {
    for text in [
        format!("{} = 1", vec!["a"; 300_000].join(".")),
        format!("[{}]", vec!["a"; 300_000].join(".")),
        format!("x = {}", "[".repeat(500_000)),
        format!("x = {}", "{a=".repeat(300_000)),
        format!("x = {{ {} = 1 }}", vec!["a"; 300_000].join(".")),
        format!("{} = 1", vec!["'a'"; 200_000].join(".")),
        "x".repeat(DOCUMENT_BYTES_MAX + 1),
        "a = 1\n".repeat(100_000),
    ] {
        assert!(read(&text).is_err());
    }
    for text in ["[".repeat(500_000), "{\"a\":".repeat(200_000)] {
        assert!(PipelineConfig::from_json(&text, Path::new(".")).is_err());
    }
    let many: String = (0..60_000).map(|n| format!("k{n} = 1\n")).collect();
    let error = read(&many).unwrap_err();
    assert_eq!(error.faults.len(), FAULTS_MAX);
    assert!(error.more > 59_000 && error.to_string().ends_with("more"));
    assert_eq!(paths("name = \"a\"\nx = nan")[0], "x");
}

// Guards reading from the disk: what is no regular UTF-8 file is refused without waiting for it, and
// relative paths start at the file.
#[test]
fn files_are_read_with_their_directory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipeline.toml");
    std::fs::write(&path, GOOD).unwrap();
    assert_eq!(PipelineConfig::from_path(&path).unwrap().base_dir, directory.path());
    std::fs::write(&path, b"name = \"\xff\"").unwrap();
    assert!(PipelineConfig::from_path(&path).unwrap_err().to_string().contains("UTF-8"));
    assert!(PipelineConfig::from_path(directory.path()).unwrap_err().to_string().contains("regular"));
    assert!(PipelineConfig::from_path(&directory.path().join("none.toml")).is_err());
}
