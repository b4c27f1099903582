//! A specification as two lines of CSV: names of fields, and their values.
//!
//! A sweep is a table with one request in each line; the connector hands the lines over one by one,
//! each with the header line before it. An empty value means the default.

use std::collections::BTreeSet;

use mfn_sim::Spec;
use serde_json::{Map, Number, Value};

use super::{DecodeError, cut, explain};

/// More columns than a specification has fields, and few enough for every one to be looked at.
const COLUMNS_MAX: usize = 64;

/// Decodes the two lines. Ranges are not checked here.
pub(super) fn decode(payload: &[u8]) -> Result<Spec, DecodeError> {
    let refuse = |path: &str, message: String| DecodeError::Csv { path: cut(path), message };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(payload);
    let names = reader.headers().map_err(|error| refuse("", cut(&error.to_string())))?.clone();
    if names.len() > COLUMNS_MAX {
        return Err(refuse("", format!("there are {} columns, at most {COLUMNS_MAX} are read", names.len())));
    }
    let mut lines = reader.records();
    let values = match lines.next() {
        Some(line) => line.map_err(|error| refuse("", cut(&error.to_string())))?,
        None => return Err(refuse("", "there is no line of values".into())),
    };
    if lines.next().is_some() {
        return Err(refuse("", "there is more than one line of values".into()));
    }
    let mut seen = BTreeSet::new();
    let mut fields = Map::new();
    for (name, text) in names.iter().zip(values.iter()) {
        if !seen.insert(name) {
            return Err(refuse(name, "the column is there twice".into()));
        }
        if !text.is_empty() && !insert(&mut fields, name, value_of(text)) {
            return Err(refuse(name, "it stands beside a column of the whole or of its parts".into()));
        }
    }
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let path = error.path().to_string();
        refuse(&path, explain(&path, error.inner()))
    })
}

/// Enters a value; `kinetics.feed` enters the part `feed` of `kinetics`. False when another column has the
/// whole, or parts of it.
fn insert(fields: &mut Map<String, Value>, name: &str, value: Value) -> bool {
    let Some((whole, part)) = name.split_once('.') else {
        return fields.insert(name.to_owned(), value).is_none();
    };
    match fields.entry(whole).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(parts) => parts.insert(part.to_owned(), value).is_none(),
        _ => false,
    }
}

/// The JSON value that a text means: a number where it is one, a truth value, or itself.
fn value_of(text: &str) -> Value {
    match text {
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Value::Number(whole.into());
    }
    // Words such as `nan` parse as floats, but are no JSON numbers: they stay text and are refused.
    let number = text.parse::<f64>().ok().and_then(Number::from_f64);
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}
