//! What the documents say is what the plugin takes.

use std::{path::Path, str::FromStr};

use mfn_plugin::testing::MemoryHost;
use mfn_plugin_kafka::{ConnectorConfig, KafkaConnector, KafkaPublisher, PublisherConfig};
use serde_json::Value;

use crate::support::create;

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)).unwrap()
}

/// Guards the page: every key of both configurations stands in it.
#[test]
fn every_key_is_documented() {
    let page = file("docs/plugins/kafka.md");
    let schemas = [schemars::schema_for!(ConnectorConfig), schemars::schema_for!(PublisherConfig)];
    for schema in schemas {
        let schema = schema.to_value();
        for key in schema["properties"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("`{key}`")), "docs/plugins/kafka.md does not name {key}");
        }
    }
}

/// Guards the example: its components can be made.
#[test]
fn the_example_is_taken() {
    let text = file("examples/kafka.toml");
    let example: Value = serde_json::to_value(toml::Table::from_str(&text).unwrap()).unwrap();
    let host = MemoryHost::new();
    create::<KafkaConnector>(&host, example["connectors"]["orders"]["config"].clone()).unwrap();
    create::<KafkaPublisher>(&host, example["publishers"]["copies"]["config"].clone()).unwrap();
}
