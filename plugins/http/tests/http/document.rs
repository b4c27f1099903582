//! The document against the plugin: every key that the plugin takes is explained.

use mfn_plugin_http::{ConnectorConfig, PublisherConfig};
use serde_json::Value;

/// The names of all fields in a schema, also of tables and alternatives in it.
fn fields(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(entries) => {
            if let Some(Value::Object(properties)) = entries.get("properties") {
                found.extend(properties.keys().cloned());
            }
            entries.values().for_each(|value| fields(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

/// Guards the document: a key that is added to the plugin is added to its page.
#[test]
fn every_key_is_explained() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plugin-http.md");
    let text = std::fs::read_to_string(page).unwrap();
    let mut found = Vec::new();
    fields(schemars::schema_for!(ConnectorConfig).as_value(), &mut found);
    fields(schemars::schema_for!(PublisherConfig).as_value(), &mut found);
    assert!(found.len() > 50, "{found:?}");
    for key in found {
        assert!(text.contains(&format!("`{key}")), "`{key}` is not in docs/plugin-http.md");
    }
}
