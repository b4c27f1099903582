//! Loading that goes well: once and twice, several kinds, several runtimes, directories, logs.

use std::{fs, os::unix::fs::symlink, process::Command, sync::Arc};

use mfn_plugin::value::Kind;
use mfn_runtime::{
    LogLevel, LogRecord, RefusalReason, Runtime, RuntimeError, RuntimeOptions,
    plugin::{LoadOutcome, inspect},
};
use serde_json::json;

use crate::fixtures::{changed, library, options, overwrite, runtime, with_fixture};

/// Guards that one library serves several kinds, and what it tells of itself.
#[test]
fn one_library_with_all_kinds() {
    let runtime = with_fixture();
    let [info] = &runtime.plugins()[..] else { panic!("one plugin") };
    assert_eq!((info.descriptor.name.as_str(), info.descriptor.version.as_str()), ("fixture", "1.2.3"));
    let kinds: Vec<_> = info.descriptor.kinds.iter().map(|kind| kind.kind).collect();
    assert_eq!(kinds, Kind::ALL);
    let schema = &info.descriptor.kinds[0].config_schema;
    assert_eq!(schema["properties"]["panic_in"]["description"], "The method that panics.");
    let connector = runtime.open_connector("fixture", options("in", json!({}))).unwrap();
    let publisher = runtime.open_publisher("fixture", options("out", json!({}))).unwrap();
    assert_eq!((connector.name(), connector.plugin()), ("in", "fixture"));
    assert_eq!(publisher.name(), "out");
}

/// Guards that a second load of the same library changes nothing, whatever path it comes by, and
/// that another library of the same name is refused rather than exchanged under running instances.
#[test]
fn the_same_plugin_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, _) = runtime(LogLevel::Off);
    let first = runtime.load_plugin(&library("fixture_plugin")).unwrap();
    let copy = changed(dir.path(), "fixture_plugin", |_| {});
    let link = dir.path().join("link.so");
    symlink(&copy, &link).unwrap();
    for path in [&library("fixture_plugin"), &copy, &link] {
        assert_eq!(runtime.load_plugin(path).unwrap(), first);
    }
    // A byte behind the end changes the content but not what is loaded.
    let other = changed(dir.path(), "fixture_plugin", |bytes| bytes.push(0));
    let refusal = runtime.load_plugin(&other).unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::DuplicateName);
    assert_eq!(runtime.plugins(), [first]);
    let report = runtime.load_report();
    let outcomes: Vec<_> = report.attempts.iter().map(|attempt| &attempt.outcome).collect();
    assert!(matches!(outcomes[0], LoadOutcome::Loaded { .. }));
    assert!(outcomes[1..4].iter().all(|outcome| matches!(outcome, LoadOutcome::AlreadyLoaded { .. })));
    assert!(matches!(outcomes[4], LoadOutcome::Refused { .. }));
    let text = report.to_string();
    assert_eq!(text.lines().count(), 5);
    assert!(
        text.contains(": loaded fixture 1.2.3") && text.contains(": refused, duplicate_name: "),
        "{text}"
    );
}

/// Guards that a file which replaces a loaded one is seen as it is now. The system's loader would
/// give the old image for the old name.
#[test]
fn a_replaced_file_is_not_the_old_image() {
    let dir = tempfile::tempdir().unwrap();
    let path = changed(dir.path(), "fixture_start", |bytes| overwrite(bytes, b"start=er", b"start=ok"));
    let (first, _) = runtime(LogLevel::Off);
    first.load_plugin(&path).unwrap();
    changed(dir.path(), "fixture_start", |_| {});
    let (second, _) = runtime(LogLevel::Off);
    assert_eq!(second.load_plugin(&path).unwrap_err().reason, RefusalReason::InitFailed);
}

/// Guards that cutting a library short after it was loaded harms nobody, as a private copy runs.
#[test]
fn a_loaded_file_may_go_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = changed(dir.path(), "fixture_plugin", |_| {});
    let (runtime, _) = runtime(LogLevel::Off);
    runtime.load_plugin(&path).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    let exporter = runtime.open_exporter("fixture", options("e", json!({}))).unwrap();
    exporter.flush(std::time::Duration::ZERO).unwrap();
}

/// Guards that two runtimes share nothing of a plugin: each gets its own logs.
#[test]
fn two_runtimes_have_their_own_images() {
    let (first, first_lines) = runtime(LogLevel::Info);
    let (second, second_lines) = runtime(LogLevel::Info);
    for runtime in [&first, &second] {
        runtime.load_plugin(&library("fixture_plugin")).unwrap();
    }
    first_lines.lock().unwrap().clear();
    second_lines.lock().unwrap().clear();
    first.create_exporter("fixture", options("e", json!({}))).unwrap();
    assert!(!first_lines.lock().unwrap().is_empty());
    assert!(second_lines.lock().unwrap().is_empty());
}

/// Guards the scan: sorted, not recursive, only libraries, and each refusal told. A FIFO or a link that
/// points at itself must not hang it.
#[test]
fn a_directory_is_scanned() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("inner")).unwrap();
    fs::copy(library("fixture_plugin"), at("inner/lib.so")).unwrap();
    fs::create_dir(at("d.so")).unwrap();
    fs::copy(library("fixture_plugin"), at("m.so")).unwrap();
    fs::write(at("a.so"), "text").unwrap();
    fs::write(at("readme.txt"), "text").unwrap();
    symlink("z.so", at("z.so")).unwrap();
    assert!(Command::new("mkfifo").arg(at("f.so")).status().unwrap().success());

    let (runtime, _) = runtime(LogLevel::Off);
    let attempts = runtime.scan_directory(dir.path()).unwrap();
    let seen: Vec<_> = attempts
        .iter()
        .map(|attempt| {
            let name = attempt.path.file_name().unwrap().to_str().unwrap();
            (name, attempt.refusal().map(|refusal| refusal.reason))
        })
        .collect();
    let expected = [
        ("a.so", Some(RefusalReason::NotASharedLibrary)),
        ("d.so", Some(RefusalReason::NotASharedLibrary)),
        ("f.so", Some(RefusalReason::NotASharedLibrary)),
        ("m.so", None),
        ("z.so", Some(RefusalReason::NotFound)),
    ];
    assert_eq!(seen, expected);
    assert_eq!(runtime.load_report().attempts, attempts);
    assert_eq!(runtime.plugins().len(), 1);
    let error = runtime.scan_directory(&at("missing")).unwrap_err();
    assert!(matches!(error, RuntimeError::Directory { .. }), "{error}");
}

/// Guards that events of a plugin arrive with plugin, component and fields, at the level that is set,
/// and that a change of the level reaches a plugin that is loaded already.
#[test]
fn plugin_logs_arrive() {
    let (runtime, lines) = runtime(LogLevel::Warn);
    runtime.load_plugin(&library("fixture_plugin")).unwrap();
    let open = |name: &str| runtime.open_exporter("fixture", options(name, json!({}))).unwrap();
    open("quiet");
    assert!(lines.lock().unwrap().is_empty());
    runtime.set_log_level(LogLevel::Info);
    let exporter = open("loud");
    let seen: Vec<_> = lines.lock().unwrap().drain(..).collect();
    let methods: Vec<_> = seen.iter().map(|line| line.fields.clone()).collect();
    assert_eq!(methods, ["create", "open"].map(|m| vec![("method".to_owned(), m.to_owned())]));
    for line in &seen {
        assert_eq!(line.level, LogLevel::Info);
        assert_eq!(line.message, "called");
        assert_eq!((line.plugin.as_deref(), line.component.as_deref()), (Some("fixture"), Some("loud")));
    }
    runtime.set_log_level(LogLevel::Trace);
    exporter.check().unwrap();
    assert_eq!(
        lines.lock().unwrap().drain(..).map(|line| line.message).collect::<Vec<_>>(),
        ["called", "details"]
    );
    runtime.set_log_level(LogLevel::Off);
    exporter.check().unwrap();
    drop(exporter);
    assert!(lines.lock().unwrap().is_empty());
}

/// Guards what a host's sink owns: a plugin's image stays for ever, and must not keep the sink with it. A
/// component that outlives its runtime still logs.
#[test]
fn a_dropped_runtime_lets_its_sink_go() {
    let lines: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let sink = {
        let lines = Arc::clone(&lines);
        move |record: &LogRecord<'_>| lines.lock().unwrap().push(record.message.to_owned())
    };
    let options = RuntimeOptions {
        log_level: LogLevel::Info,
        log_sink: Some(Arc::new(sink)),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(options).unwrap();
    let metrics = Arc::downgrade(runtime.metrics());
    runtime.load_plugin(&library("fixture_plugin")).unwrap();
    let exporter = runtime.open_exporter("fixture", self::options("e", json!({}))).unwrap();
    drop(runtime);
    lines.lock().unwrap().clear();
    exporter.flush(std::time::Duration::ZERO).unwrap();
    assert_eq!(*lines.lock().unwrap(), ["called"]);
    drop(exporter);
    assert_eq!(Arc::strong_count(&lines), 1);
    assert!(metrics.upgrade().is_none());
}

/// Guards against a host that loads plugins from its log callback, where loading would wait for itself.
#[test]
fn a_sink_can_not_load() {
    let runtime: Arc<std::sync::OnceLock<Runtime>> = Arc::default();
    let refused: Arc<std::sync::Mutex<Vec<RefusalReason>>> = Arc::default();
    let sink = {
        let (runtime, refused) = (Arc::clone(&runtime), Arc::clone(&refused));
        move |_: &LogRecord<'_>| {
            let refusal = runtime.get().unwrap().load_plugin(&library("fixture_plugin")).unwrap_err();
            refused.lock().unwrap().push(refusal.reason);
        }
    };
    let options = RuntimeOptions {
        log_level: LogLevel::Info,
        log_sink: Some(Arc::new(sink)),
        ..RuntimeOptions::default()
    };
    runtime.set(Runtime::new(options).unwrap()).unwrap();
    runtime.get().unwrap().load_plugin(&library("fixture_plugin")).unwrap();
    assert_eq!(*refused.lock().unwrap(), [RefusalReason::Reentrant]);
}

/// Guards what an inspection shows.
#[test]
fn an_inspection_describes() {
    let inspection = inspect(&library("fixture_plugin")).unwrap();
    assert_eq!(inspection.descriptor.about, "Misbehaves as it is told.");
    assert_eq!(inspection.bytes, fs::metadata(library("fixture_plugin")).unwrap().len());
    assert_eq!(inspection.sha256.len(), 64);
    let json = serde_json::to_value(&inspection).unwrap();
    assert_eq!(json["descriptor"]["kinds"][3]["kind"], "exporter");
}

/// Guards the errors of asking for what is not there.
#[test]
fn what_is_not_there_is_named() {
    let runtime = with_fixture();
    let error = runtime.open_connector("fixtur", options("c", json!({}))).err().unwrap();
    assert_eq!(error.to_string(), "no plugin \"fixtur\" is loaded; loaded are: fixture");
    let dir = tempfile::tempdir().unwrap();
    let path = changed(dir.path(), "fixture_start", |bytes| overwrite(bytes, b"start=er", b"start=ok"));
    runtime.load_plugin(&path).unwrap();
    let error = runtime.open_connector("fixture-start", options("c", json!({}))).err().unwrap();
    assert_eq!(error.to_string(), "the plugin \"fixture-start\" is no connector; it serves: exporter");
    for name in ["", "a b", "\u{e9}", &"x".repeat(65)] {
        let error = runtime.open_exporter("fixture", options(name, json!({}))).err().unwrap();
        assert!(matches!(error, RuntimeError::Option { field: "name", .. }), "{error}");
    }
    let threads = RuntimeOptions { threads: 1025, ..RuntimeOptions::default() };
    assert!(matches!(Runtime::new(threads), Err(RuntimeError::Option { field: "threads", .. })));
}

/// Guards that two threads which load the same library at once start it once.
#[test]
fn concurrent_loads_start_a_plugin_once() {
    let (runtime, _) = runtime(LogLevel::Off);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| runtime.load_plugin(&library("fixture_plugin")).unwrap());
        }
    });
    let report = runtime.load_report();
    let loaded =
        report.attempts.iter().filter(|attempt| matches!(attempt.outcome, LoadOutcome::Loaded { .. }));
    assert_eq!((loaded.count(), report.attempts.len()), (1, 4));
}
