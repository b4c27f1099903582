//! The contract of connectors and publishers, as the kit's checker knows it.
#![allow(clippy::unwrap_used)]

use std::fs;

use mfn_plugin::checker::{self, Setup};
use mfn_plugin_file::{FileConnector, FilePublisher};
use serde_json::json;
use tempfile::tempdir;

/// Guards everything the runtime relies on in a connector: settlement, limits, restart, a safe end.
#[test]
fn the_connector_keeps_the_contract() {
    let dir = tempdir().unwrap();
    let lines: String = (1..=4).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    fs::write(dir.path().join("a.jsonl"), lines).unwrap();
    fs::write(dir.path().join("b.json"), "{}").unwrap();
    checker::connector::<FileConnector>(&Setup::new(json!({ "directory": "." }), dir.path())).assert_clean();
}

/// Guards the same for a publisher, in both modes.
#[test]
fn the_publisher_keeps_the_contract() {
    for mode in ["append", "file_per_record"] {
        let dir = tempdir().unwrap();
        let config = json!({ "directory": ".", "mode": mode });
        checker::publisher::<FilePublisher>(&Setup::new(config, dir.path())).assert_clean();
    }
}
