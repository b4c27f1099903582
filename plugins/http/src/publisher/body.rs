//! The body of a request that several records share.

use bytes::Bytes;
use mfn_plugin::{
    author::Result,
    envelope,
    value::{PluginError, RecordView},
};

use super::config::{BatchFormat, Settings};

/// Records as they stand in a body, each encoded once: a batch that is split is put together anew from them.
pub(crate) struct Encoded {
    /// The record's place in the call.
    pub(crate) index: usize,
    pub(crate) id: String,
    line: Vec<u8>,
}

/// Encodes the records that can be; the others come with their error.
pub(crate) fn encode(
    settings: &Settings,
    records: &[RecordView<'_>],
) -> (Vec<Encoded>, Vec<(usize, PluginError)>) {
    let (mut encoded, mut faults) = (Vec::with_capacity(records.len()), Vec::new());
    for (index, record) in records.iter().enumerate() {
        let line: Result<Vec<u8>> = envelope::line(record, settings.include_headers);
        match line {
            Ok(line) => encoded.push(Encoded { index, id: record.id.to_owned(), line }),
            Err(error) => faults.push((index, error)),
        }
    }
    (encoded, faults)
}

/// The body of a batch.
pub(crate) fn join(format: BatchFormat, records: &[Encoded]) -> Bytes {
    let size = records.iter().map(|record| record.line.len() + 1).sum::<usize>() + 2;
    let mut body = Vec::with_capacity(size);
    match format {
        BatchFormat::Json => {
            for (index, record) in records.iter().enumerate() {
                body.push(if index == 0 { b'[' } else { b',' });
                body.extend_from_slice(&record.line);
            }
            body.push(b']');
        }
        BatchFormat::Jsonl => {
            for record in records {
                body.extend_from_slice(&record.line);
                body.push(b'\n');
            }
        }
    }
    body.into()
}

/// The content type of a batch.
pub(crate) const fn content_type(format: BatchFormat) -> &'static str {
    match format {
        BatchFormat::Json => "application/json",
        BatchFormat::Jsonl => "application/x-ndjson",
    }
}
