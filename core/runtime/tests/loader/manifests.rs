//! Manifests beside real libraries.

use std::{fs, path::PathBuf};

use mfn_runtime::{
    LogLevel, RefusalReason, Runtime, RuntimeOptions,
    plugin::{Manifest, PluginPolicy, inspect, manifest_path},
};

use crate::fixtures::{changed, runtime};

/// A copy of the fixture plugin with the manifest that fits it, changed as text by `change`.
fn with_manifest(change: impl FnOnce(String) -> String) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let library = changed(dir.path(), "fixture_plugin", |_| {});
    let inspection = inspect(&library).unwrap();
    let manifest = Manifest::describing(&inspection.descriptor, &inspection.sha256).unwrap();
    fs::write(manifest_path(&library), change(toml::to_string(&manifest).unwrap())).unwrap();
    (dir, library)
}

fn reason(change: impl FnOnce(String) -> String) -> RefusalReason {
    let (_dir, library) = with_manifest(change);
    runtime(LogLevel::Off).0.load_plugin(&library).unwrap_err().reason
}

/// Guards that the manifest that a packer makes is one that the loader takes.
#[test]
fn a_fitting_manifest_is_taken() {
    let (_dir, library) = with_manifest(|text| text);
    let info = runtime(LogLevel::Off).0.load_plugin(&library).unwrap();
    assert_eq!(info.manifest.unwrap().sha256, info.sha256);
}

/// Guards that a manifest is authoritative: each thing it says is compared.
#[test]
fn a_manifest_that_says_otherwise_refuses() {
    let change = |old: &'static str, new: &'static str| {
        move |text: String| {
            assert!(text.contains(old), "{text}");
            text.replace(old, new)
        }
    };
    assert_eq!(reason(change("\"fixture\"", "\"sse\"")), RefusalReason::ManifestMismatch);
    assert_eq!(reason(change("1.2.3", "1.2.4")), RefusalReason::ManifestMismatch);
    assert_eq!(reason(change("\"connector\", ", "")), RefusalReason::ManifestMismatch);
    assert_eq!(reason(change("sha256 = \"", "sha256 = \"0")), RefusalReason::ManifestMismatch);
    assert_eq!(
        reason(change("interface_min = \"1.0.0\"", "interface_min = \"1.77.0\"")),
        RefusalReason::AbiTooNew
    );
    assert_eq!(
        reason(change("interface_below = \"2.0.0\"", "interface_below = \"1.0.0\"")),
        RefusalReason::AbiTooOld
    );
}

/// Guards manifests that can not be read: they refuse, as what they would say is not known.
#[test]
fn an_unreadable_manifest_refuses() {
    assert_eq!(reason(|_| "name = ".to_owned()), RefusalReason::ManifestInvalid);
    assert_eq!(reason(|_| String::new()), RefusalReason::ManifestInvalid);
    assert_eq!(reason(|text| text.replace("connector", "conductor")), RefusalReason::ManifestInvalid);
    assert_eq!(reason(|_| "#".repeat(70_000)), RefusalReason::ManifestInvalid);
    let (_dir, library) = with_manifest(|text| text);
    fs::remove_file(manifest_path(&library)).unwrap();
    fs::create_dir(manifest_path(&library)).unwrap();
    let refusal = runtime(LogLevel::Off).0.load_plugin(&library).unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::ManifestInvalid);
}

/// Guards the policy that asks for manifests.
#[test]
fn a_manifest_can_be_required() {
    let policy = PluginPolicy { require_manifest: true };
    let strict =
        || Runtime::new(RuntimeOptions { plugin_policy: policy, ..RuntimeOptions::default() }).unwrap();
    let (_dir, library) = with_manifest(|text| text);
    strict().load_plugin(&library).unwrap();
    fs::remove_file(manifest_path(&library)).unwrap();
    assert_eq!(strict().load_plugin(&library).unwrap_err().reason, RefusalReason::ManifestMissing);
}
