//! `mfn plugin`, by running the real binary on real libraries.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{plugin_library, run};

/// A directory with two plugins, a text and a truncated library.
fn with_plugins() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let plugins = directory.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    for name in ["file", "counter"] {
        let library = plugin_library(name);
        fs::copy(&library, plugins.join(library.file_name().unwrap())).unwrap();
    }
    fs::write(plugins.join("libtext.so"), "not a library").unwrap();
    let whole = fs::read(plugin_library("counter")).unwrap();
    fs::write(plugins.join("libhalf.so"), &whole[..whole.len() / 2]).unwrap();
    directory
}

/// Guards: plugins are listed with their kinds, and every refusal with its stable reason.
#[test]
fn plugins_and_refusals_are_listed() {
    let directory = with_plugins();
    let ended = run(directory.path(), "plugin list --plugin-dir plugins").expect(0);
    for shown in ["counter", "connector, publisher", "libtext.so: refused, not_a_shared_library", "truncated"]
    {
        assert!(ended.stdout.contains(shown), "{shown}: {ended:?}");
    }
    let json = run(directory.path(), "plugin list --plugin-dir plugins --json").expect(0).json();
    let names: Vec<_> =
        json["plugins"].as_array().unwrap().iter().map(|info| info["descriptor"]["name"].clone()).collect();
    assert_eq!(names, ["counter", "file"]);
    let attempts = json["report"]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 4);
    assert_eq!(attempts.iter().filter(|attempt| attempt["outcome"] == "refused").count(), 2);
}

/// Guards: an empty directory is a list without plugins; a missing one and none at all are usage.
#[test]
fn directories_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let ended = run(directory.path(), "plugin list --plugin-dir .").expect(0);
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    run(directory.path(), "plugin list --plugin-dir missing").expect(2).names("missing");
    run(directory.path(), "plugin list").expect(2).names("--plugin-dir");
    run(directory.path(), "plugin").expect(2);
}

/// Guards: what a plugin says of itself, as text, with schemas and as JSON.
#[test]
fn a_plugin_is_inspected() {
    let directory = with_plugins();
    let path = "plugins/libmfn_plugin_counter.so";
    let ended = run(directory.path(), &format!("plugin inspect {path}")).expect(0);
    for shown in ["counter 1.0.0", "publisher configuration:", "path (required)", "kinds_max (default 100)"] {
        assert!(ended.stdout.contains(shown), "{shown}: {ended:?}");
    }
    let ended = run(directory.path(), &format!("plugin inspect {path} --schema")).expect(0);
    assert!(ended.stdout.contains("\"$schema\""), "{ended:?}");
    let json = run(directory.path(), &format!("plugin inspect {path} --json")).expect(0).json();
    assert_eq!(json["descriptor"]["name"], "counter");
    assert_eq!(json["descriptor"]["kinds"][0]["kind"], "publisher");
    assert_eq!(json["bytes"], fs::metadata(directory.path().join(path)).unwrap().len());
}

/// Guards: a written manifest fits its library and no other one, and replaces a wrong one.
#[test]
fn a_manifest_can_be_shipped() {
    let directory = with_plugins();
    let path = "plugins/libmfn_plugin_counter.so";
    let beside = directory.path().join("plugins/libmfn_plugin_counter.plugin.toml");
    for _ in 0..2 {
        run(directory.path(), &format!("plugin manifest {path}")).expect(0);
        let ended = run(directory.path(), &format!("plugin inspect {path}")).expect(0);
        assert!(ended.stdout.contains("the library agrees"), "{ended:?}");
        let text = fs::read_to_string(&beside).unwrap();
        fs::write(&beside, text.replace("\"counter\"", "\"another\"")).unwrap();
        run(directory.path(), &format!("plugin inspect {path}")).expect(1).names("manifest_mismatch");
    }
    run(directory.path(), "plugin manifest plugins/libtext.so").expect(1).names("not_a_shared_library");
    run(directory.path(), "plugin manifest plugins/missing.so").expect(2).names("plugins/missing.so");
}

/// Guards: what loading would refuse is refused here with the same reason.
#[test]
fn libraries_that_are_no_plugin_are_refused() {
    let directory = with_plugins();
    for (path, code, reason) in [
        ("plugins/missing.so", 2, "not_found"),
        ("plugins/libtext.so", 1, "not_a_shared_library"),
        ("plugins/libhalf.so", 1, "truncated"),
        ("plugins", 1, "not_a_shared_library"),
    ] {
        run(directory.path(), &format!("plugin inspect {path}")).expect(code).names(reason).names(path);
    }
}
