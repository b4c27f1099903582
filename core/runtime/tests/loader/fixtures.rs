//! The fixture libraries, and copies of them with something wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use mfn_runtime::{ComponentOptions, LogLevel, LogRecord, Runtime, RuntimeOptions};
use serde_json::json;

/// The library of an example; `cargo test -p mfn-runtime` builds them beside the tests.
pub(crate) fn library(example: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let examples = test.parent().and_then(Path::parent).unwrap().join("examples");
    let path = examples.join(format!("lib{example}.so"));
    assert!(path.exists(), "{} is missing: run `cargo build -p mfn-runtime --examples`", path.display());
    path
}

/// A copy of a fixture library under its own name in `directory`, changed by `change`.
pub(crate) fn changed(directory: &Path, example: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = fs::read(library(example)).unwrap();
    change(&mut bytes);
    let path = directory.join(format!("lib{example}.so"));
    fs::write(&path, bytes).unwrap();
    path
}

/// Overwrites every occurrence of a text; it has to be there.
pub(crate) fn overwrite(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let places = find(bytes, old);
    assert!(!places.is_empty(), "{:?} is not in the library", String::from_utf8_lossy(old));
    for place in places {
        bytes[place..place + new.len()].copy_from_slice(new);
    }
}

/// Where a text occurs.
pub(crate) fn find(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| window == &text)
        .map(|(place, _)| place)
        .collect()
}

/// A log line as a test compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) level: LogLevel,
    pub(crate) plugin: Option<String>,
    pub(crate) component: Option<String>,
    pub(crate) message: String,
    pub(crate) fields: Vec<(String, String)>,
}

/// A runtime, and what it logs.
pub(crate) fn runtime(log_level: LogLevel) -> (Runtime, Arc<Mutex<Vec<Line>>>) {
    let lines: Arc<Mutex<Vec<Line>>> = Arc::default();
    let sink = {
        let lines = Arc::clone(&lines);
        move |record: &LogRecord<'_>| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            lines.lock().unwrap().push(Line {
                level: record.level,
                plugin: record.plugin.map(str::to_owned),
                component: record.component.map(str::to_owned),
                message: record.message.to_owned(),
                fields: record.fields.iter().map(own).collect(),
            });
        }
    };
    let options =
        RuntimeOptions { threads: 1, log_level, log_sink: Some(Arc::new(sink)), ..RuntimeOptions::default() };
    (Runtime::new(options).unwrap(), lines)
}

/// A runtime with the fixture plugin.
pub(crate) fn with_fixture() -> Runtime {
    let (runtime, _) = runtime(LogLevel::Off);
    runtime.load_plugin(&library("fixture_plugin")).unwrap();
    runtime
}

/// Options of a component with the given configuration.
pub(crate) fn options(name: &str, config: serde_json::Value) -> ComponentOptions {
    ComponentOptions { name: name.to_owned(), config: config.into(), base_dir: PathBuf::new() }
}

/// Options that tell the fixture to panic in a method.
pub(crate) fn panicking_in(method: &str) -> ComponentOptions {
    options("it", json!({ "panic_in": method }))
}
