//! Turns JSON objects into the rows of one table.
//!
//! The first record of a file decides the columns, so that the header is written once and a reader needs no
//! second pass. A later record with further fields loses none: they go to the last column, `extra`, as a JSON
//! object. A row is always one line: line breaks in text are written as `\n`.

use std::{collections::HashMap, fmt, io};

use mfn_plugin::{author::Result, value::PluginError};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use mfn_plugin::json;

const EXTRA: &str = "extra";
/// More columns than this are a mistake, not a table.
const COLUMNS_MAX: usize = 4096;

/// The columns of a file, without `extra`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    columns: Vec<String>,
}

impl Table {
    /// The table whose header line is given; `None` where it was written by something else.
    pub(crate) fn from_header(line: &[u8]) -> Option<Self> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
        let record = reader.records().next()?.ok()?;
        let mut columns: Vec<String> = record.iter().map(str::to_owned).collect();
        (columns.pop().as_deref() == Some(EXTRA)).then_some(Self { columns })
    }

    /// The table that a first record makes.
    ///
    /// # Errors
    /// Permanent where the payload is no JSON object or has too many fields.
    pub(crate) fn from_first(payload: &[u8]) -> Result<Self> {
        let columns: Vec<String> =
            flatten(payload)?.into_iter().map(|(name, _)| name).filter(|name| name != EXTRA).collect();
        if columns.len() > COLUMNS_MAX {
            return Err(PluginError::permanent(format!(
                "payload: it has {} fields, a table has at most {COLUMNS_MAX}; use format = \"jsonl\"",
                columns.len()
            )));
        }
        Ok(Self { columns })
    }

    /// The header line with its line end.
    ///
    /// # Errors
    /// Permanent where it can not be written, which no known table causes.
    pub(crate) fn header(&self) -> Result<Vec<u8>> {
        row(self.columns.iter().map(|column| one_line(column)).chain([EXTRA.to_owned()]))
    }

    /// A record's row with its line end.
    ///
    /// # Errors
    /// Permanent where the payload is no JSON object.
    pub(crate) fn row(&self, payload: &[u8]) -> Result<Vec<u8>> {
        let mut cells: HashMap<String, Box<RawValue>> = HashMap::new();
        let mut order = Vec::new();
        for (name, value) in flatten(payload)? {
            if cells.insert(name.clone(), value).is_none() {
                order.push(name);
            }
        }
        let mut fields: Vec<String> = Vec::with_capacity(self.columns.len() + 1);
        for column in &self.columns {
            fields.push(cells.remove(column).map_or_else(String::new, |value| cell(&value)));
        }
        let extra: Vec<String> = order
            .iter()
            .filter_map(|name| Some((name, cells.get(name)?)))
            .map(|(name, value)| format!("{}:{}", serde_json::Value::from(name.as_str()), value.get()))
            .collect();
        fields.push(if extra.is_empty() {
            String::new()
        } else {
            one_line(&format!("{{{}}}", extra.join(",")))
        });
        row(fields)
    }
}

fn row(fields: impl IntoIterator<Item = String>) -> Result<Vec<u8>> {
    let write = || -> io::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(fields)?;
        writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
    };
    write().map_err(|error| PluginError::permanent(format!("payload: it makes no CSV row: {error}")))
}

/// A value as a cell: text without quotes, nothing for `null`, numbers and lists as they stand.
fn cell(value: &RawValue) -> String {
    match serde_json::from_str(value.get()) {
        Ok(serde_json::Value::String(text)) => one_line(&text),
        Ok(serde_json::Value::Null) => String::new(),
        _ => value.get().replace(['\n', '\r'], " "),
    }
}

fn one_line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r")
}

/// The fields of an object in their order, those of nested objects with dotted names.
fn flatten(payload: &[u8]) -> Result<Vec<(String, Box<RawValue>)>> {
    // Bounds the nesting, and with it the recursion below.
    let whole = json::read(payload).map_err(|reason| PluginError::permanent(format!("payload: {reason}")))?;
    let fields: Fields = serde_json::from_str(whole.get()).map_err(|_| {
        PluginError::permanent("payload: it is not a JSON object, so it makes no row; use format = \"jsonl\"")
    })?;
    let mut flat = Vec::new();
    spread("", fields, &mut flat);
    Ok(flat)
}

fn spread(prefix: &str, fields: Fields, flat: &mut Vec<(String, Box<RawValue>)>) {
    for (name, value) in fields.0 {
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match serde_json::from_str::<Fields>(value.get()) {
            Ok(inner) if !inner.0.is_empty() => spread(&name, inner, flat),
            _ => flat.push((name, value)),
        }
    }
}

/// A JSON object whose order is kept and whose values are not touched.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}
