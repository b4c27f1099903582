//! A Kafka message as a record.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mfn_plugin::value::Record;
use rdkafka::message::{BorrowedMessage, Headers, Message};

use super::config::Settings;
use crate::headers;

/// The record of a message, without what only the reader of transactions needs.
pub(crate) fn of_message(settings: &Settings, message: &BorrowedMessage<'_>) -> Record {
    let mut record = Record {
        key: message.key().map(<[u8]>::to_vec),
        payload: message.payload().map(<[u8]>::to_vec).unwrap_or_default(),
        timestamp_ms: message.timestamp().to_millis().filter(|time| *time >= 0),
        ..Record::default()
    };
    if let Err(fault) = take_headers(settings, message, &mut record) {
        record.headers.push((Record::FAULT_HEADER.to_owned(), fault.as_bytes().to_vec()));
    }
    if message.payload().is_none() {
        record.headers.push((headers::TOMBSTONE.to_owned(), Vec::new()));
    }
    if record.id.is_empty() {
        record.id = format!("{}-{}-{}", message.topic(), message.partition(), message.offset());
    }
    if record.content_type.is_empty() {
        record.content_type.clone_from(&settings.content_type);
    }
    record
}

/// Distributes the headers. A header without a value becomes one with an empty value.
fn take_headers(
    settings: &Settings,
    message: &BorrowedMessage<'_>,
    record: &mut Record,
) -> Result<(), &'static str> {
    let Some(list) = message.headers() else { return Ok(()) };
    for index in 0..list.count() {
        // rdkafka panics at a name that is not UTF-8; anybody who may write to the topic can send one.
        let Ok(header) = catch_unwind(AssertUnwindSafe(|| list.get(index))) else {
            return Err("the name of a header is not UTF-8");
        };
        let value = header.value.unwrap_or_default();
        let text = || std::str::from_utf8(value).ok().filter(|text| !text.is_empty());
        match header.key {
            name if headers::is_reserved(name) || name == Record::FAULT_HEADER => {}
            name if settings.id_header.as_deref() == Some(name) => {
                if let Some(id) = text() {
                    id.clone_into(&mut record.id);
                }
            }
            headers::CONTENT_TYPE => {
                if let Some(media_type) = text() {
                    media_type.clone_into(&mut record.content_type);
                }
            }
            headers::TRACE_PARENT => {
                if let Some(parent) = text() {
                    parent.clone_into(&mut record.trace_parent);
                }
            }
            name => record.headers.push((name.to_owned(), value.to_vec())),
        }
    }
    Ok(())
}
