//! The plugin as a host meets it: a shared library, loaded by the runtime.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::PathBuf, time::Duration};

use mfn_plugin::value::{ErrorClass, Kind, PublishContext, Record};
use mfn_runtime::{ComponentOptions, Runtime, RuntimeError, RuntimeOptions};

/// The library lies beside this test's binary.
fn library() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name("libmfn_plugin_counter.so")
}

fn runtime() -> Runtime {
    let runtime = Runtime::new(RuntimeOptions { threads: 1, ..RuntimeOptions::default() }).unwrap();
    let info = runtime.load_plugin(&library()).unwrap();
    assert_eq!((info.descriptor.name.as_str(), info.descriptor.version.as_str()), ("counter", "1.0.0"));
    assert_eq!(info.descriptor.kinds[0].kind, Kind::Publisher);
    assert!(info.descriptor.kinds[0].config_schema["properties"]["kinds_max"].is_object());
    runtime
}

fn options(directory: &std::path::Path, config: serde_json::Value) -> ComponentOptions {
    ComponentOptions { name: "counts".into(), config: config.into(), base_dir: directory.into() }
}

/// Guards: the example is a real plugin. It loads, counts what it is given and makes it durable.
#[test]
fn the_library_loads_and_counts() {
    let directory = tempfile::tempdir().unwrap();
    let config = serde_json::json!({ "path": "counts.txt", "kinds_max": 1 });
    let counter = runtime().open_publisher("counter", options(directory.path(), config)).unwrap();
    let records = ["application/json", "text/csv", "application/json"].map(|content_type| Record {
        id: "1".into(),
        content_type: content_type.into(),
        ..Record::default()
    });
    let views: Vec<_> = records.iter().map(Record::view).collect();
    let context = PublishContext { attempt: 1, timeout: Duration::from_secs(5) };
    let answers = counter.publish(&views, context).unwrap();
    assert!(answers[0].is_ok() && answers[2].is_ok());
    assert_eq!(answers[1].as_ref().unwrap_err().class, ErrorClass::Permanent);
    counter.flush(Duration::from_secs(5)).unwrap();
    counter.close().unwrap();
    let text = std::fs::read_to_string(directory.path().join("counts.txt")).unwrap();
    assert_eq!(text, "2 application/json\n");
}

/// Guards: configurations that do not fit are refused with the path of the field, before any I/O.
#[test]
fn a_wrong_configuration_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = runtime();
    for (config, named) in [
        (serde_json::json!({}), "path"),
        (serde_json::json!({ "path": "c", "kinds_max": 0 }), "kinds_max"),
        (serde_json::json!({ "path": "c", "kinds_max": "many" }), "kinds_max"),
        (serde_json::json!({ "path": "c", "colour": 1 }), "colour"),
    ] {
        let Err(RuntimeError::Component(error)) =
            runtime.create_publisher("counter", options(directory.path(), config))
        else {
            panic!("accepted or another error");
        };
        assert!(error.to_string().contains(named), "{error}");
    }
}
