//! Which values of a configuration are secrets, by the schema of the plugin that takes it.

use std::path::Path;

use serde_json::Value;

use super::{
    SCHEMA_MARK,
    source::{Source, is_open_to_all},
};

/// The mark of a value that may be a secret, such as one of many options: it is resolved and never shown, but
/// nobody is warned when it is given as it is.
const MAYBE: &str = "maybe";

/// Schemas that refer to themselves end here.
const DEPTH_MAX: usize = 64;

/// One value of a configuration that is a secret. It does not hold the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretField {
    /// Its path in the configuration, such as `auth.bearer_token` or `keys[1]`.
    pub path: String,
    /// How it is given.
    pub form: SecretForm,
}

/// How a secret is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretForm {
    /// The secret itself stands in the configuration.
    Literal,
    /// A reference that can be followed on this machine, now.
    Found,
    /// As [`Found`](Self::Found), to a file that every user of the machine can read.
    FoundOpen,
    /// A reference that can not be followed on this machine, now: what is missing, without a value.
    Missing(String),
}

/// The secrets of a configuration, in its order, without the literals that only may be one. Follows their references to tell whether they lead
/// anywhere; relative paths start at `base_dir`.
#[must_use]
pub fn fields(schema: &Value, config: &Value, base_dir: &Path) -> Vec<SecretField> {
    let mut config = config.clone();
    let mut found = Vec::new();
    each(schema, &mut config, &mut |path, value, certain| {
        if let Some(text) = value.as_str() {
            let form = form(text, base_dir);
            if certain || form != SecretForm::Literal {
                found.push(SecretField { path: path.to_owned(), form });
            }
        }
        super::scope::wipe(value);
    });
    super::scope::wipe(&mut config);
    found
}

fn form(text: &str, base_dir: &Path) -> SecretForm {
    let source = match Source::parse(text, base_dir) {
        Ok(source) => source,
        Err((shown, fault)) => return SecretForm::Missing(format!("{shown}: {fault}")),
    };
    match (source.read(), &source) {
        (Err(fault), _) => SecretForm::Missing(format!("{}: {fault}", source.shown())),
        (Ok(_), Source::Literal(_)) => SecretForm::Literal,
        (Ok(_), Source::File(path)) if std::fs::metadata(path).is_ok_and(|it| is_open_to_all(&it)) => {
            SecretForm::FoundOpen
        }
        (Ok(_), _) => SecretForm::Found,
    }
}

/// What is called with the path, the value, and whether it is a secret for certain.
type Visit<'a> = &'a mut dyn FnMut(&str, &mut Value, bool);

/// Calls `visit` with every value that the schema marks as a secret.
pub(super) fn each(schema: &Value, config: &mut Value, visit: Visit<'_>) {
    Walk { root: schema, visit }.value(schema, config, &mut String::new(), 0);
}

struct Walk<'a> {
    root: &'a Value,
    visit: Visit<'a>,
}

impl Walk<'_> {
    /// Whether the value was a secret: alternatives of a schema must not visit it twice.
    fn value(&mut self, schema: &Value, value: &mut Value, path: &mut String, depth: usize) -> bool {
        if depth > DEPTH_MAX {
            return false;
        }
        let mark = match schema.get(SCHEMA_MARK) {
            Some(Value::Bool(true)) => Some(true),
            Some(Value::String(word)) if word == MAYBE => Some(false),
            _ => None,
        };
        if let Some(certain) = mark.filter(|_| !value.is_null()) {
            (self.visit)(path, value, certain);
            return true;
        }
        let root = self.root;
        let referred = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
        if let Some(target) = referred.and_then(|pointer| root.pointer(pointer))
            && self.value(target, value, path, depth + 1)
        {
            return true;
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for alternative in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                if may_describe(alternative, value) && self.value(alternative, value, path, depth + 1) {
                    return true;
                }
            }
        }
        let length = path.len();
        match value {
            Value::Object(entries) => {
                for (key, entry) in entries {
                    let own = schema.get("properties").and_then(|properties| properties.get(key));
                    if let Some(own) = own.or_else(|| schema.get("additionalProperties")) {
                        let dot = if path.is_empty() { "" } else { "." };
                        path.push_str(&format!("{dot}{key}"));
                        self.value(own, entry, path, depth + 1);
                        path.truncate(length);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let own = schema.get("prefixItems").and_then(|prefix| prefix.get(index));
                    if let Some(own) = own.or_else(|| schema.get("items")) {
                        path.push_str(&format!("[{index}]"));
                        self.value(own, item, path, depth + 1);
                        path.truncate(length);
                    }
                }
            }
            _ => {}
        }
        false
    }
}

/// Whether an alternative of a schema can be meant: what it fixes is as it says, what it requires is there.
fn may_describe(schema: &Value, value: &Value) -> bool {
    let Some(entries) = value.as_object() else { return true };
    let fixed =
        schema.get("properties").and_then(Value::as_object).into_iter().flatten().all(|(key, own)| {
            match (own.get("const"), entries.get(key)) {
                (Some(wanted), Some(given)) => wanted == given,
                _ => true,
            }
        });
    let mut required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    fixed && required.all(|key| key.as_str().is_some_and(|key| entries.contains_key(key)))
}
