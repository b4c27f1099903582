//! From text to a tree of values: TOML or JSON, with bounds on size and depth.
//!
//! The tree is a [`serde_json::Value`] whatever the text was, so that everything behind it exists once.
//! Sizes and depths are checked before a parser can be hurt by them.

use std::cell::RefCell;
use std::fmt;
use std::io::Read;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{ConfigError, ConfigFault};

/// The largest document, bytes.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// How deep tables and arrays may lie in each other.
pub const DEPTH_MAX: usize = 64;

/// A well-formed document and what was found wrong while its tree was made.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Value,
    pub(super) faults: Vec<ConfigFault>,
}

/// Reads a file that is to hold a document, without being held up by a pipe or a device.
pub(super) fn read_file(path: &Path) -> Result<String, ConfigError> {
    let refuse = |message: String, fix: &str| ConfigError::single("", message, fix);
    let unreadable = |error: std::io::Error| {
        refuse(format!("{}: {error}", path.display()), "give the path of a readable configuration file")
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(refuse(
            format!("{} is not a regular file", path.display()),
            "give the path of a configuration file",
        ));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    check_size(bytes.len())?;
    String::from_utf8(bytes).map_err(|error| {
        refuse(
            format!("{} is not UTF-8 at byte {}", path.display(), error.utf8_error().valid_up_to()),
            "save the file as UTF-8",
        )
    })
}

/// Reads TOML.
pub(super) fn from_toml(text: &str) -> Result<Document, ConfigError> {
    check_size(text.len())?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let place = error.span().map_or_else(String::new, |span| place_of(text, span.start));
        ConfigError::single(place, error.message().to_owned(), "correct the TOML")
    })?;
    let mut faults = Vec::new();
    let root = from_toml_value(toml::Value::Table(table), "", 0, &mut faults);
    Ok(Document { root, faults })
}

/// Reads JSON.
pub(super) fn from_json(text: &str) -> Result<Document, ConfigError> {
    check_size(text.len())?;
    let faults = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let root = Node { path: String::new(), depth: 0, faults: &faults }
        .deserialize(&mut deserializer)
        .and_then(|root| deserializer.end().map(|()| root))
        .map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            ConfigError::single(place, error.to_string(), "correct the JSON")
        })?;
    Ok(Document { root, faults: faults.into_inner() })
}

fn check_size(bytes: usize) -> Result<(), ConfigError> {
    if bytes <= DOCUMENT_BYTES_MAX {
        return Ok(());
    }
    Err(ConfigError::single(
        "",
        format!("the document is larger than {DOCUMENT_BYTES_MAX} bytes"),
        "move data out of the configuration",
    ))
}

/// The line and column of a byte offset, both from 1.
fn place_of(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

fn too_deep(path: &str) -> ConfigFault {
    ConfigFault::new(path, format!("nested more than {DEPTH_MAX} levels deep"), "nest less deeply")
}

fn from_toml_value(value: toml::Value, path: &str, depth: usize, faults: &mut Vec<ConfigFault>) -> Value {
    if depth > DEPTH_MAX {
        faults.push(too_deep(path));
        return Value::Null;
    }
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::Number(number.into()),
        toml::Value::Float(number) => Number::from_f64(number).map_or_else(
            || {
                faults.push(ConfigFault::new(
                    path,
                    format!("{number} is not finite"),
                    "give a finite number",
                ));
                Value::Null
            },
            Value::Number,
        ),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| from_toml_value(item, &format!("{path}[{index}]"), depth + 1, faults))
                .collect(),
        ),
        toml::Value::Table(table) => Value::Object(
            table
                .into_iter()
                .map(|(key, item)| {
                    let item = from_toml_value(item, &join(path, &key), depth + 1, faults);
                    (key, item)
                })
                .collect(),
        ),
    }
}

/// The path of a key below a path.
pub(super) fn join(path: &str, key: &str) -> String {
    // A key of a hostile document must not fill the report.
    let key: String = key.chars().take(80).flat_map(char::escape_debug).collect();
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// Builds a [`Value`] and reports repeated keys, of which `serde_json` would silently keep the last.
struct Node<'a> {
    path: String,
    depth: usize,
    faults: &'a RefCell<Vec<ConfigFault>>,
}

impl Node<'_> {
    fn below(&self, path: String) -> Self {
        Self { path, depth: self.depth + 1, faults: self.faults }
    }

    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.depth < DEPTH_MAX {
            return Ok(());
        }
        Err(E::custom(format_args!("{}: nested more than {DEPTH_MAX} levels deep", self.path)))
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut array = Vec::new();
        while let Some(item) =
            items.next_element_seed(self.below(format!("{}[{}]", self.path, array.len())))?
        {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.check_depth()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let path = join(&self.path, &key);
            let value = entries.next_value_seed(self.below(path.clone()))?;
            if object.insert(key, value).is_some() {
                self.faults.borrow_mut().push(ConfigFault::new(
                    path,
                    "the key is there more than once",
                    "keep one of them",
                ));
            }
        }
        Ok(Value::Object(object))
    }
}
