//! Probes of loaded plugins: each fault is injected, found in time, and told with its place; and what the
//! start makes of it.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mfn_plugin::value::ErrorClass;
use mfn_runtime::pipeline::{Pipeline, Probe, ProbeOutcome, probe_component};
use mfn_runtime::{LogLevel, LogRecord, PipelineConfig, Runtime, RuntimeError, RuntimeOptions};

use crate::fixtures::{library, options, with_fixture};

/// A pipeline of fixtures whose connector is at its end at once, with a publisher configured so.
fn config(start: &str, publisher: &str, more: &str) -> PipelineConfig {
    let text = format!(
        "name = \"probes\"\n[start]\n{start}\n[connectors.source]\nplugin = \"fixture\"\nconfig = {{ records = 0 }}\n\
         [publishers.target]\nplugin = \"fixture\"\nconfig = {{ {publisher} }}\n{more}\n\
         [[routes]]\nname = \"r\"\nconnectors = [\"source\"]\npublishers = [\"target\"]\n"
    );
    PipelineConfig::from_toml(&text, Path::new(".")).unwrap()
}

const DOWN: &str = "error_in = \"check\"";
const WRONG: &str = "error_in = \"check\", error_class = 4";

// Guards the probe: one report for all components, made side by side and within the deadline, with a line for
// each way to fail: down, no credential, wrong, hanging, panicking, a secret that is not there.
#[test]
fn every_fault_is_found_at_once() {
    let exporter = |name: &str, config: &str| {
        format!("[exporters.{name}]\nplugin = \"fixture\"\nconfig = {{ {config} }}\n")
    };
    let more = [
        exporter("blocked", "error_in = \"check\", error_class = 3"),
        exporter("hangs", "hang_in = \"check\", hang_ms = 2500"),
        exporter("panics", "panic_in = \"check\", token = \"canary-0123456789\""),
        exporter("secret", "token = \"env:MFN_TEST_UNSET\""),
        exporter("wrong", WRONG),
    ];
    let config = config("", DOWN, &more.concat());
    let begun = Instant::now();
    let report = Pipeline::probe_config(&with_fixture(), &config, Duration::from_millis(500)).unwrap();
    // Half a second for the probe, one for what hangs while it is closed.
    assert!(begun.elapsed() < Duration::from_millis(2300), "{:?}", begun.elapsed());
    assert!(!report.passed);
    let probe = |name: &str| report.components.iter().find(|probe| probe.name == name).unwrap();
    assert_eq!(probe("source").outcome, ProbeOutcome::Passed);
    assert_eq!(probe("hangs").outcome, ProbeOutcome::TimedOut);
    let class = |name: &str| (probe(name).outcome, probe(name).class, probe(name).may_pass());
    let failed = |class, may_pass| (ProbeOutcome::Failed, Some(class), may_pass);
    assert_eq!(class("target"), failed(ErrorClass::Retryable, true));
    assert_eq!(class("blocked"), failed(ErrorClass::Blocked, true));
    assert_eq!(class("wrong"), failed(ErrorClass::Permanent, false));
    assert_eq!(class("panics"), failed(ErrorClass::Fatal, false));
    assert_eq!(class("secret"), failed(ErrorClass::Permanent, false));
    assert!(probe("secret").message.contains("token: env:MFN_TEST_UNSET"), "{:?}", probe("secret"));
    // The fixture panics with its whole configuration in the text.
    assert!(probe("panics").message.contains("***"), "{:?}", probe("panics"));
    assert!(!format!("{report:?} {config:?}").contains("canary"));
    let faults = report.faults();
    assert_eq!(faults.len(), 6);
    assert!(faults.iter().all(|fault| !fault.fix.is_empty() && !fault.message.is_empty()), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.path == "publishers.target"), "{faults:?}");
    assert_eq!(report.components.iter().filter_map(Probe::fault).count(), 6);
}

// Guards the probe of a single component, as the C ABI offers it.
#[test]
fn one_component_is_probed_with_a_deadline() {
    let runtime = with_fixture();
    let make = |config| runtime.create_exporter("fixture", options("one", config)).unwrap();
    let probe = |config, timeout_ms| {
        let component: Arc<dyn mfn_runtime::component::Component> = make(config);
        probe_component(&component, Duration::from_millis(timeout_ms)).map_err(|error| error.class())
    };
    assert_eq!(probe(serde_json::json!({}), 5000), Ok(()));
    assert_eq!(probe(serde_json::json!({ "error_in": "check" }), 5000), Err(ErrorClass::Retryable));
    let begun = Instant::now();
    let hanging = serde_json::json!({ "hang_in": "check", "hang_ms": 1000 });
    assert_eq!(probe(hanging, 100), Err(ErrorClass::Unknown));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

// Guards the start: by default a fault that may pass is logged and one that can not pass forbids it; `require`
// lets nothing pass and `skip` asks nobody. A start that is forbidden has opened and fetched nothing.
#[test]
fn the_start_heeds_the_probe() {
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = {
        let calls = Arc::clone(&calls);
        move |record: &LogRecord<'_>| {
            let method = record.fields.iter().find(|(name, _)| *name == "method").map(|(_, method)| *method);
            calls.lock().unwrap().push(method.unwrap_or(record.message).to_owned());
        }
    };
    let options = RuntimeOptions {
        threads: 1,
        log_level: LogLevel::Info,
        log_sink: Some(Arc::new(sink)),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(options).unwrap();
    runtime.load_plugin(&library("fixture_plugin")).unwrap();
    let start = |mode: &str, publisher: &str| {
        calls.lock().unwrap().clear();
        Pipeline::start(&runtime, config(mode, publisher, "")).map(drop)
    };
    let forbidden = |mode: &str, publisher: &str| {
        let Err(RuntimeError::Probe { faults }) = start(mode, publisher) else {
            panic!("{mode} {publisher}")
        };
        assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), ["publishers.target"]);
        let calls = calls.lock().unwrap().clone();
        assert!(calls.iter().any(|call| call == "check"), "{calls:?}");
        assert!(calls.iter().all(|call| call != "open" && call != "fetch"), "{calls:?}");
    };
    start("", "").unwrap();
    start("", DOWN).unwrap();
    let logged = calls.lock().unwrap().iter().any(|text| text.starts_with("probe: publishers.target: "));
    assert!(logged, "a fault that may pass is told");
    forbidden("", WRONG);
    start("probe = \"require\"", "").unwrap();
    forbidden("probe = \"require\"", DOWN);
    forbidden("probe = \"require\"\nprobe_timeout_ms = 100", "hang_in = \"check\", hang_ms = 1000");
    start("probe = \"skip\"", WRONG).unwrap();
}
