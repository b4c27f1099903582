//! Turns records into lines: JSON on one line, with the headers around it where wanted.

use mfn_plugin::{
    author::Result,
    envelope, json,
    value::{PluginError, RecordView},
};

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
    let mut line = json::on_one_line(payload.get().as_bytes().to_vec());
    line.push(b'\n');
    Ok(line)
}

/// The record as one line of JSON with its headers.
///
/// # Errors
/// Permanent where it can not be written, which no known record causes.
pub(crate) fn envelope_line(record: &RecordView<'_>) -> Result<Vec<u8>> {
    let mut line = envelope::line(record, true)?;
    line.push(b'\n');
    Ok(line)
}
