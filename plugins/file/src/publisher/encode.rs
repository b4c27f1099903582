//! Turns records into lines: JSON on one line, with the headers around it where wanted.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use mfn_plugin::{
    author::Result,
    value::{PluginError, RecordView},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::json;

/// A record with everything that is known of it.
#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    content_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_ms: Option<i64>,
    headers: BTreeMap<&'a str, HeaderValue<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
}

/// A header that stands once is text, one that repeats is a list.
#[derive(Serialize)]
#[serde(untagged)]
enum HeaderValue<'a> {
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

impl<'a> HeaderValue<'a> {
    fn and(self, next: Cow<'a, str>) -> Self {
        match self {
            Self::One(first) => Self::Many(vec![first, next]),
            Self::Many(mut values) => {
                values.push(next);
                Self::Many(values)
            }
        }
    }
}

/// The payload as one line of JSON with its line end.
///
/// # Errors
/// Permanent where the payload is not JSON.
pub(crate) fn json_line(record: &RecordView<'_>) -> Result<Vec<u8>> {
    let payload = json::read(record.payload).map_err(|reason| {
        PluginError::permanent(format!(
            "payload: {reason}; send JSON, or set include_headers or format = \"raw\""
        ))
    })?;
    Ok(one_line(payload.get().as_bytes().to_vec()))
}

/// The record as one line of JSON with its headers.
///
/// # Errors
/// Permanent where it can not be written, which no known record causes.
pub(crate) fn envelope_line(record: &RecordView<'_>) -> Result<Vec<u8>> {
    let payload = json::read(record.payload).ok();
    let is_other = payload.is_none();
    let payload_text = std::str::from_utf8(record.payload).ok().filter(|_| is_other);
    let payload_base64 = (is_other && payload_text.is_none()).then(|| STANDARD.encode(record.payload));
    let mut headers: BTreeMap<&str, HeaderValue<'_>> = BTreeMap::new();
    for (name, value) in &record.headers {
        let value = String::from_utf8_lossy(value);
        let joined = match headers.remove(name) {
            None => HeaderValue::One(value),
            Some(before) => before.and(value),
        };
        headers.insert(name, joined);
    }
    let envelope = Envelope {
        id: record.id,
        key: record.key.map(String::from_utf8_lossy),
        content_type: record.content_type,
        timestamp_ms: record.timestamp_ms,
        headers,
        payload,
        payload_text,
        payload_base64,
    };
    let line = serde_json::to_vec(&envelope)
        .map_err(|error| PluginError::permanent(format!("record {}: {error}", record.id)))?;
    Ok(one_line(line))
}

/// Line ends inside JSON are white space between its parts, never content: in strings they are escaped.
fn one_line(mut json: Vec<u8>) -> Vec<u8> {
    for byte in &mut json {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    json.push(b'\n');
    json
}
