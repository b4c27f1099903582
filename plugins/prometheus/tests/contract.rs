//! The contract of exporters, as the kit's checker knows it.

use std::path::Path;

use mfn_plugin::checker::{self, Setup};
use mfn_plugin_prometheus::PrometheusExporter;

/// Guards everything the runtime relies on in an exporter: a checked configuration and a safe end.
#[test]
fn the_exporter_keeps_the_contract() {
    let config = serde_json::json!({ "bind": "127.0.0.1:0" });
    checker::exporter::<PrometheusExporter>(&Setup::new(config, Path::new("."))).assert_clean();
}
