//! A record as a Kafka message: its topic, partition, key and headers.

use mfn_plugin::value::{PluginError, RecordView};
use rdkafka::message::{Header, OwnedHeaders};

use super::config::{KeyChoice, PartitionChoice, Settings};
use crate::{faults::is_topic, headers};

/// What librdkafka is given, besides the payload.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub(crate) payload: Option<&'a [u8]>,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) headers: OwnedHeaders,
}

impl<'a> Message<'a> {
    /// Builds the message of a record.
    ///
    /// # Errors
    /// Permanent, where the record names no topic, or no partition, that can be.
    pub(crate) fn of_record(settings: &'a Settings, record: &RecordView<'a>) -> Result<Self, PluginError> {
        let header = |name: &str| record.headers.get(name);
        let key = match &settings.key {
            KeyChoice::Record => record.key,
            KeyChoice::Id => Some(record.id.as_bytes()),
            KeyChoice::None => None,
            KeyChoice::Header(name) => header(name),
        };
        let partition = match &settings.partition {
            PartitionChoice::Key | PartitionChoice::RoundRobin => None,
            PartitionChoice::Fixed(number) => i32::try_from(*number).ok(),
            PartitionChoice::Header(name) => header(name).map(|value| number(name, value)).transpose()?,
        };
        let is_tombstone = record.payload.is_empty() && header(headers::TOMBSTONE).is_some();
        Ok(Self {
            topic: topic(settings, settings.topic_header.as_deref().and_then(header))?,
            partition,
            key,
            payload: (!is_tombstone).then_some(record.payload),
            timestamp_ms: record.timestamp_ms.filter(|time| *time > 0),
            headers: headers_of(settings, record)?,
        })
    }
}

fn topic<'a>(settings: &'a Settings, named: Option<&'a [u8]>) -> Result<&'a str, PluginError> {
    let field = || settings.topic_header.as_deref().unwrap_or_default();
    match named.filter(|name| !name.is_empty()) {
        Some(name) => std::str::from_utf8(name).ok().filter(|name| is_topic(name)).ok_or_else(|| {
            PluginError::permanent(format!("header {:?}: its value is not the name of a topic", field()))
        }),
        None => settings.topic.as_deref().ok_or_else(|| {
            PluginError::permanent(format!("the record has no header {:?} and there is no topic", field()))
        }),
    }
}

fn number(name: &str, value: &[u8]) -> Result<i32, PluginError> {
    let parsed = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i32>().ok());
    parsed.filter(|number| *number >= 0).ok_or_else(|| {
        PluginError::permanent(format!("header {name:?}: its value is not the number of a partition"))
    })
}

fn headers_of(settings: &Settings, record: &RecordView<'_>) -> Result<OwnedHeaders, PluginError> {
    let add = |list: OwnedHeaders, key: &str, value: &[u8]| list.insert(Header { key, value: Some(value) });
    let mut list = OwnedHeaders::new_with_capacity(record.headers.len() + 3);
    list = add(list, &settings.id_header, record.id.as_bytes());
    for (name, text) in
        [(headers::CONTENT_TYPE, record.content_type), (headers::TRACE_PARENT, record.trace_parent)]
    {
        if !text.is_empty() {
            list = add(list, name, text.as_bytes());
        }
    }
    for (name, value) in &record.headers {
        if name.contains('\0') || name.len() > 32_767 {
            let text = "the name of a header contains NUL or has more than 32767 bytes";
            return Err(PluginError::permanent(text));
        }
        if !headers::is_reserved(name) && name != settings.id_header {
            list = add(list, name, value);
        }
    }
    Ok(list)
}
