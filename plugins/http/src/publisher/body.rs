//! The bodies of requests that several records share.
//!
//! A batch is encoded once, where it is sent from: most batches go as they are, and one that is split is put together from
//! the same bytes.

use std::ops::Range;

use bytes::Bytes;
use mfn_plugin::{
    author::Result,
    envelope,
    value::{PluginError, RecordView},
};

use super::config::{BatchFormat, Settings};

/// The records of one request, encoded.
#[derive(Debug)]
pub(crate) struct Encoded {
    format: BatchFormat,
    /// The body of all of them.
    body: Bytes,
    ids: String,
    records: Vec<Place>,
}

/// Where what is known of a record lies.
#[derive(Debug)]
struct Place {
    /// The record's place in the call.
    index: usize,
    id: Range<usize>,
    line: Range<usize>,
}

/// Encodes the records of a call's part that can be; the others come with their error. Places in the call begin with
/// `first`.
pub(crate) fn encode(
    settings: &Settings,
    first: usize,
    records: &[RecordView<'_>],
) -> (Encoded, Vec<(usize, PluginError)>) {
    let format = settings.batch_format;
    let size = records.iter().map(|record| envelope::line_bytes(record) + 1).sum::<usize>() + 2;
    let (mut body, mut ids) = (Vec::with_capacity(size), String::new());
    let (mut places, mut faults) = (Vec::with_capacity(records.len()), Vec::new());
    for (index, record) in (first..).zip(records) {
        if record.payload.len() as u64 > settings.bytes_max {
            let (bytes, limit) = (record.payload.len(), settings.bytes_max);
            let text =
                format!("bytes_max: the record has {bytes} bytes, at most {limit} are taken; raise it");
            faults.push((index, PluginError::permanent(text)));
            continue;
        }
        let before = body.len();
        open(format, &mut body);
        let begin = body.len();
        let appended: Result<()> = envelope::append_line(record, settings.include_headers, &mut body);
        if let Err(error) = appended {
            body.truncate(before);
            faults.push((index, error));
            continue;
        }
        let line = begin..body.len();
        end_line(format, &mut body);
        let id = ids.len()..ids.len() + record.id.len();
        ids.push_str(record.id);
        places.push(Place { index, id, line });
    }
    close(format, &mut body);
    (Encoded { format, body: body.into(), ids, records: places }, faults)
}

impl Encoded {
    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Place in the call and id of each record of a part.
    pub(crate) fn of(&self, part: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
        let records = self.records.get(part).unwrap_or_default();
        records.iter().map(|record| (record.index, self.ids.get(record.id.clone()).unwrap_or_default()))
    }

    /// The body of a part.
    pub(crate) fn body(&self, part: Range<usize>) -> Bytes {
        if part == (0..self.records.len()) {
            return self.body.clone();
        }
        let lines = self.records.get(part).unwrap_or_default().iter().map(|record| record.line.clone());
        let mut body = Vec::with_capacity(lines.clone().map(|line| line.len() + 1).sum::<usize>() + 2);
        for line in lines {
            open(self.format, &mut body);
            body.extend_from_slice(self.body.get(line).unwrap_or_default());
            end_line(self.format, &mut body);
        }
        close(self.format, &mut body);
        body.into()
    }

    /// The content type of the body.
    pub(crate) const fn content_type(&self) -> &'static str {
        match self.format {
            BatchFormat::Json => "application/json",
            BatchFormat::Jsonl => "application/x-ndjson",
        }
    }
}

/// What stands before a record.
fn open(format: BatchFormat, body: &mut Vec<u8>) {
    if format == BatchFormat::Json {
        body.push(if body.is_empty() { b'[' } else { b',' });
    }
}

/// What stands behind a record.
fn end_line(format: BatchFormat, body: &mut Vec<u8>) {
    if format == BatchFormat::Jsonl {
        body.push(b'\n');
    }
}

/// What stands behind all records.
fn close(format: BatchFormat, body: &mut Vec<u8>) {
    if format == BatchFormat::Json && !body.is_empty() {
        body.push(b']');
    }
}
