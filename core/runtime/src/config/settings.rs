//! What a plugin is told, held so that a secret in it does not get around.
//!
//! Which values are secrets is only known to the plugin, so none is shown, and all are overwritten when the
//! settings are dropped. References (`env:NAME`, `file:PATH`) are resolved inside the plugin and never
//! come here; this is for the secrets that somebody writes into a configuration as they are.

use std::{fmt, ops::Deref};

use mfn_plugin::secret;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The settings of a component, an object. Reads like the [`Value`] that it holds; its text forms have the
/// names and no texts or numbers.
#[derive(Clone, PartialEq)]
pub struct Settings(Value);

impl Settings {
    /// The same with everything hidden that may be a secret.
    fn hidden(value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(_) | Value::String(_) => Value::String("***".to_owned()),
            Value::Array(items) => Value::Array(items.iter().map(Self::hidden).collect()),
            Value::Object(entries) => Value::Object(
                entries.iter().map(|(name, value)| (name.clone(), Self::hidden(value))).collect(),
            ),
        }
    }
}

impl From<Value> for Settings {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Deref for Settings {
    type Target = Value;
    fn deref(&self) -> &Value {
        &self.0
    }
}

impl PartialEq<Value> for Settings {
    fn eq(&self, other: &Value) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Self::hidden(&self.0))
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::hidden(&self.0).serialize(serializer)
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        secret::wipe(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the two ways in which a configuration is shown: names stay, values do not.
    #[test]
    fn no_value_is_shown() {
        let value = serde_json::json!({ "token": "canary", "deep": [{ "pin": 4711 }], "on": true });
        let settings = Settings::from(value.clone());
        let shown = format!("{settings:?} {}", serde_json::to_string(&settings).unwrap());
        assert!(shown.contains("token") && shown.contains("true"), "{shown}");
        assert!(!shown.contains("canary") && !shown.contains("4711"), "{shown}");
        assert_eq!(settings, value);
    }
}
