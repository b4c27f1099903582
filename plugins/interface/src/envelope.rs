//! A record as a JSON object, for targets that keep more of it than its payload.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    author::Result,
    json,
    value::{PluginError, RecordView},
};

/// What a line takes beside payload and id, bytes: names of fields, content type, time, and some headers.
const LINE_BYTES: usize = 256;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<&'a str, HeaderValue<'a>>>,
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

/// The record as one line of JSON, without a line end: `id`, `key`, `content_type`, `timestamp_ms`, `headers`
/// where they are wanted, and one of `payload` (JSON, its bytes untouched but for white space), `payload_text`
/// and `payload_base64`. What is empty is left out.
///
/// # Errors
/// Permanent where it can not be written, which no known record causes.
pub fn line(record: &RecordView<'_>, with_headers: bool) -> Result<Vec<u8>> {
    // Nearly always all that it takes: growing would copy the payload several times.
    let mut line = Vec::with_capacity(line_bytes(record));
    append_line(record, with_headers, &mut line)?;
    Ok(line)
}

/// What a [`line()`] takes, nearly always, bytes.
#[must_use]
pub fn line_bytes(record: &RecordView<'_>) -> usize {
    record.payload.len() + record.id.len() + LINE_BYTES
}

/// Appends the [`line()`] of a record.
///
/// # Errors
/// As [`line()`]; `out` is what it was then.
pub fn append_line(record: &RecordView<'_>, with_headers: bool, out: &mut Vec<u8>) -> Result<()> {
    let payload = json::read(record.payload).ok();
    let is_other = payload.is_none();
    let payload_text = is_other.then(|| std::str::from_utf8(record.payload).ok()).flatten();
    let payload_base64 = (is_other && payload_text.is_none()).then(|| STANDARD.encode(record.payload));
    let envelope = Envelope {
        id: record.id,
        key: record.key.map(String::from_utf8_lossy),
        content_type: record.content_type,
        timestamp_ms: record.timestamp_ms,
        headers: with_headers.then(|| headers(record)),
        payload,
        payload_text,
        payload_base64,
    };
    let begin = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, &envelope) {
        out.truncate(begin);
        return Err(PluginError::permanent(format!("record {}: {error}", record.id)));
    }
    json::put_on_one_line(out.get_mut(begin..).unwrap_or_default());
    Ok(())
}

fn headers<'a>(record: &RecordView<'a>) -> BTreeMap<&'a str, HeaderValue<'a>> {
    let mut headers: BTreeMap<&str, HeaderValue<'_>> = BTreeMap::new();
    for (name, value) in &record.headers {
        let value = String::from_utf8_lossy(value);
        let joined = match headers.remove(name) {
            None => HeaderValue::One(value),
            Some(before) => before.and(value),
        };
        headers.insert(name, joined);
    }
    headers
}
