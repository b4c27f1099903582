//! Records: one message as bytes, as connectors bring it and publishers and transports take it.

use std::ffi::{CString, c_char};

use mfn_plugin::value::{Record, RecordView};

use crate::argument::{self, Sized32, read_sized, sized32};
use crate::error::Failure;
use crate::owned::c_text;

/// One further field of a record.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_header {
    /// Its name.
    pub name: *const c_char,
    /// Its value; bytes, without a NUL at the end.
    pub value: *const u8,
    /// Length of the value.
    pub value_len: usize,
}

/// One message. Whoever receives it does not own it: see the function that lends it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_record {
    /// sizeof(mfn_record).
    pub struct_size: u32,
    /// 1 when timestamp_ms holds a time, else 0.
    pub has_timestamp: i32,
    /// Identity; the same message has the same id after a restart. Not empty.
    pub id: *const c_char,
    /// Media type of the payload, such as "application/json". NULL or "" when unknown.
    pub content_type: *const c_char,
    /// W3C traceparent of the operation that caused the message. NULL or "" when there is none.
    pub trace_parent: *const c_char,
    /// Ordering key, bytes; NULL when there is none.
    pub key: *const u8,
    /// Length of the key.
    pub key_len: usize,
    /// The message itself, bytes. NULL when payload_len is 0.
    pub payload: *const u8,
    /// Length of the payload.
    pub payload_len: usize,
    /// Further fields; NULL when header_count is 0.
    pub headers: *const mfn_header,
    /// Number of further fields.
    pub header_count: usize,
    /// When the message arose, milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
}

sized32! { mfn_record = 88; }

/// One record in the form that C reads. Texts are moved here and not copied, unless the record has no room for the NUL.
pub(crate) struct LentRecord {
    id: CString,
    content_type: CString,
    trace_parent: CString,
    key: Option<Vec<u8>>,
    payload: Vec<u8>,
    headers: Vec<mfn_header>,
    _names: Vec<(CString, Vec<u8>)>,
    timestamp_ms: Option<i64>,
}

impl LentRecord {
    pub(crate) fn new(record: Record) -> Self {
        let names: Vec<(CString, Vec<u8>)> =
            record.headers.into_iter().map(|(name, value)| (c_text(name), value)).collect();
        let headers = names
            .iter()
            .map(|(name, value)| mfn_header {
                name: name.as_ptr(),
                value: value.as_ptr(),
                value_len: value.len(),
            })
            .collect();
        Self {
            id: c_text(record.id),
            content_type: c_text(record.content_type),
            trace_parent: c_text(record.trace_parent),
            key: record.key,
            payload: record.payload,
            headers,
            _names: names,
            timestamp_ms: record.timestamp_ms,
        }
    }

    /// What C sees. It lives as long as `self`.
    pub(crate) fn lend(&self) -> mfn_record {
        mfn_record {
            struct_size: size_of::<mfn_record>() as u32,
            has_timestamp: i32::from(self.timestamp_ms.is_some()),
            id: self.id.as_ptr(),
            content_type: self.content_type.as_ptr(),
            trace_parent: self.trace_parent.as_ptr(),
            key: self.key.as_ref().map_or(std::ptr::null(), |key| key.as_ptr()),
            key_len: self.key.as_ref().map_or(0, Vec::len),
            payload: self.payload.as_ptr(),
            payload_len: self.payload.len(),
            headers: self.headers.as_ptr(),
            header_count: self.headers.len(),
            timestamp_ms: self.timestamp_ms.unwrap_or(0),
        }
    }
}

/// Reads an array of records from C; `struct_size` of the first is the distance from one to the next.
pub(crate) fn borrow_all<'a>(
    name: &str,
    records: *const mfn_record,
    count: usize,
) -> Result<Vec<RecordView<'a>>, Failure> {
    if count == 0 {
        return Err(Failure::invalid(format!("{name} are 0 records: give at least 1")));
    }
    let stride = read_sized(name, records)?.struct_size as usize;
    if !stride.is_multiple_of(align_of::<mfn_record>()) {
        return Err(Failure::invalid(format!(
            "{name}: struct_size = {stride}: set it to sizeof({})",
            mfn_record::NAME
        )));
    }
    if count.checked_mul(stride).is_none_or(|bytes| bytes > isize::MAX as usize) {
        return Err(Failure::invalid(format!("{name} are {count} records: more than memory can hold")));
    }
    // Names are made for what is refused only: for a record that is taken they would cost more than all else.
    let named = |index: usize| if count == 1 { name.to_owned() } else { format!("{name}[{index}]") };
    (0..count)
        .map(|index| {
            // Inside the array of `count` elements, as the caller promises.
            let place = records.wrapping_byte_add(index * stride);
            let record = read_sized(name, place).or_else(|_| read_sized(&named(index), place))?;
            if record.struct_size as usize != stride {
                let name = named(index);
                return Err(Failure::invalid(format!("{name}: struct_size differs from that of the first")));
            }
            borrow(&record).map_err(|failure| failure.part_of(&named(index)))
        })
        .collect()
}

/// Borrows what a record leads to; a failure names the field alone.
fn borrow<'a>(record: &mfn_record) -> Result<RecordView<'a>, Failure> {
    let text =
        |field, pointer| Ok::<_, Failure>(argument::optional_text(field, pointer)?.unwrap_or_default());
    let id = argument::text("id", record.id)?;
    if id.is_empty() {
        return Err(Failure::invalid("id is empty: give each record an identity"));
    }
    let headers = argument::array("headers", record.headers, record.header_count)?
        .iter()
        .map(|header| {
            Ok((
                argument::text("headers.name", header.name)?,
                argument::array("headers.value", header.value, header.value_len)?,
            ))
        })
        .collect::<Result<_, Failure>>()?;
    let key = (!record.key.is_null() || record.key_len > 0)
        .then(|| argument::array("key", record.key, record.key_len))
        .transpose()?;
    Ok(RecordView {
        id,
        key,
        payload: argument::array("payload", record.payload, record.payload_len)?,
        content_type: text("content_type", record.content_type)?,
        headers,
        timestamp_ms: argument::flag("has_timestamp", record.has_timestamp)?.then_some(record.timestamp_ms),
        trace_parent: text("trace_parent", record.trace_parent)?,
    })
}
