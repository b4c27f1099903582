//! Makes records of what was read: ids, headers, and the mark of a record that can not be done.

use mfn_plugin::value::Record;

use super::{
    config::Format,
    content::text_fault,
    flight::Taken,
    lines::{Line, Place},
};

/// Header with the file's name.
const HEADER_FILE: &str = "mfn-file";
/// Header with the line's number, from 1.
const HEADER_LINE: &str = "mfn-line";

/// A record with its id and headers.
pub(crate) fn build(file: &Taken, place: Place, payload: Vec<u8>, fault: Option<String>) -> Record {
    let mut headers = vec![(HEADER_FILE.to_owned(), file.name.clone().into_bytes())];
    let mut id = file.id.clone();
    if place.number > 0 {
        id.push_str(&format!("#{}", place.number));
        headers.push((HEADER_LINE.to_owned(), place.number.to_string().into_bytes()));
    }
    if let Some(reason) = fault {
        // The payload is what could be had of the record, perhaps nothing.
        headers.push((Record::FAULT_HEADER.to_owned(), reason.into_bytes()));
    }
    Record {
        id,
        key: None,
        payload,
        content_type: file.format.content_type().to_owned(),
        headers,
        timestamp_ms: Some(file.fingerprint.mtime_ms()),
        trace_parent: String::new(),
    }
}

/// Whether a record carries the mark of a fault.
pub(crate) fn is_fault(record: &Record) -> bool {
    record.headers.iter().any(|(name, _)| name == Record::FAULT_HEADER)
}

/// The record of a whole file; `None` stands for a file above the limit.
pub(crate) fn of_file(file: &Taken, bytes: Option<Vec<u8>>, bytes_max: u64) -> Record {
    let place = Place { number: 0, offset: 0 };
    let fault = match &bytes {
        None => Some(format!(
            "the file has {} bytes, file_bytes_max is {bytes_max}; split it or raise the limit",
            file.fingerprint.size
        )),
        Some(bytes) if bytes.is_empty() => Some("the file is empty".to_owned()),
        Some(bytes) if file.format.is_text() => text_fault(bytes, place),
        Some(_) => None,
    };
    build(file, place, bytes.unwrap_or_default(), fault)
}

/// The record of a line, with the header line for CSV.
pub(crate) fn of_line(file: &Taken, line: Line, header: Option<&[u8]>, bytes_max: usize) -> Record {
    let place = line.place;
    let text = match line.text {
        Ok(text) => text,
        Err(length) => {
            let reason = format!(
                "line {} has {length} bytes, line_bytes_max is {bytes_max}; split it or raise the limit",
                place.number
            );
            return build(file, place, Vec::new(), Some(reason));
        }
    };
    let fault = text_fault(&text, place).or_else(|| {
        // A quoted field may hold line breaks in CSV; then the row would be cut in the middle.
        let is_open = file.format == Format::Csv && memchr::memchr_iter(b'"', &text).count() % 2 == 1;
        is_open
            .then(|| format!("line {} has a quote that does not end; a row must be one line", place.number))
    });
    let payload = match header {
        Some(header) => [header, b"\n", &text].concat(),
        None => text,
    };
    build(file, place, payload, fault)
}

/// The record for what could not be read.
pub(crate) fn of_failure(file: &Taken, place: Place, reason: &str) -> Record {
    build(file, place, Vec::new(), Some(format!("the file could not be read: {reason}")))
}
