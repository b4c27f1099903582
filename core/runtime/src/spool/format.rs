//! The bytes on disk: headers of files, heads of frames, and the record inside a frame. All integers are
//! little-endian.
//!
//! A segment is a [header](HEADER_BYTES) and frames. A frame is a head of [`HEAD_BYTES`] and a body:
//!
//! | bytes | field |
//! |---|---|
//! | 4 | [`SYNC`], by which the next frame is found after damage |
//! | 4 | length of the body |
//! | 8 | id of the record |
//! | 4 | CRC-32 of the body |
//! | 4 | CRC-32 of the spool's identity and of the 20 bytes before |
//!
//! Head and body have checksums of their own, so a damaged body costs only itself and the length stays
//! known. The identity is a random number of the spool: a payload that looks like a frame, by chance or by
//! intent, is not taken for one.

use mfn_plugin::value::{Record, RecordView};

/// Version of the format, in every header.
pub(super) const VERSION: u32 = 1;
/// Size of the header of a segment and of the marker.
pub(super) const HEADER_BYTES: usize = 64;
/// Size of the head of a frame.
pub(super) const HEAD_BYTES: usize = 24;
/// The first bytes of every frame. They are no UTF-8 and rare in anything else.
pub(super) const SYNC: [u8; 4] = [0xF5, b'm', 0xFF, 0x0A];

const MAGIC: [u8; 8] = *b"mfnspool";
const HAS_KEY: u8 = 1;
const HAS_TIMESTAMP: u8 = 2;

/// Tells the frames of one spool from those of any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(pub(super) u64);

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) identity: Identity,
    /// Id of the first record of a segment; 0 in the marker.
    pub(super) first_id: u64,
}

/// Why a header says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderFault {
    Damaged,
    Version(u32),
}

impl Header {
    pub(super) fn encode(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.identity.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.first_id.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let mut input = Input(bytes);
        let fields = || -> Option<(u32, Self)> {
            let magic = input.take(8)? == MAGIC;
            let version = input.u32()?;
            input.take(4)?;
            let header = Self { identity: Identity(input.u64()?), first_id: input.u64()? };
            input.take(28)?;
            let whole = crc32fast::hash(bytes.get(..60)?) == input.u32()?;
            (magic && whole).then_some((version, header))
        };
        match { fields }() {
            Some((VERSION, header)) => Ok(header),
            Some((version, _)) => Err(HeaderFault::Version(version)),
            None => Err(HeaderFault::Damaged),
        }
    }
}

/// What the head of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: u64,
    pub(super) body_bytes: u32,
    pub(super) body_sum: u32,
}

impl Head {
    pub(super) fn encode(self, identity: Identity) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..4].copy_from_slice(&SYNC);
        bytes[4..8].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.id.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.body_sum.to_le_bytes());
        let sum = head_sum(identity, &bytes[..20]);
        bytes[20..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The head at the beginning of `bytes`, if there is a whole one.
    pub(super) fn decode(bytes: &[u8], identity: Identity) -> Option<Self> {
        let mut input = Input(bytes);
        if input.take(4)? != SYNC {
            return None;
        }
        let (body_bytes, id, body_sum) = (input.u32()?, input.u64()?, input.u32()?);
        let whole = head_sum(identity, bytes.get(..20)?) == input.u32()?;
        whole.then_some(Self { id, body_bytes, body_sum })
    }

    /// Bytes of the whole frame.
    pub(super) fn frame_bytes(self) -> u64 {
        HEAD_BYTES as u64 + u64::from(self.body_bytes)
    }
}

fn head_sum(identity: Identity, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&identity.0.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

/// Bytes of the frame of a record.
pub(super) fn frame_bytes(record: &RecordView<'_>) -> u64 {
    let headers: usize = record.headers.iter().map(|(name, value)| 8 + name.len() + value.len()).sum();
    let key = record.key.as_ref().map_or(0, |key| 4 + key.len());
    let timestamp = if record.timestamp_ms.is_some() { 8 } else { 0 };
    let texts = 4 + record.id.len() + 4 + record.content_type.len() + 4 + record.trace_parent.len();
    (HEAD_BYTES + 1 + texts + key + timestamp + 4 + headers + record.payload.len()) as u64
}

/// Appends the body of a record. Its caller has made sure that it is shorter than 4 GiB.
pub(super) fn encode_body(record: &RecordView<'_>, out: &mut Vec<u8>) {
    let flag = |present: bool, bit: u8| if present { bit } else { 0 };
    out.push(flag(record.key.is_some(), HAS_KEY) | flag(record.timestamp_ms.is_some(), HAS_TIMESTAMP));
    put(out, record.id.as_bytes());
    if let Some(key) = &record.key {
        put(out, key);
    }
    put(out, record.content_type.as_bytes());
    put(out, record.trace_parent.as_bytes());
    if let Some(timestamp_ms) = record.timestamp_ms {
        out.extend_from_slice(&timestamp_ms.to_le_bytes());
    }
    out.extend_from_slice(&length(record.headers.len()));
    for (name, value) in &record.headers {
        put(out, name.as_bytes());
        put(out, value);
    }
    out.extend_from_slice(record.payload);
}

/// The record of a body; `None` for bytes that no record has.
pub(super) fn decode_body(body: &[u8]) -> Option<Record> {
    let mut input = Input(body);
    let flags = *input.take(1)?.first()?;
    if flags & !(HAS_KEY | HAS_TIMESTAMP) != 0 {
        return None;
    }
    let id = input.text()?;
    let key = if flags & HAS_KEY != 0 { Some(input.prefixed()?.to_vec()) } else { None };
    let content_type = input.text()?;
    let trace_parent = input.text()?;
    let timestamp_ms =
        if flags & HAS_TIMESTAMP != 0 { Some(i64::from_le_bytes(input.array()?)) } else { None };
    let count = input.u32()? as usize;
    // Each header takes eight bytes at least: a wrong count can not ask for more memory than there are bytes.
    let mut headers = Vec::with_capacity(count.min(input.0.len() / 8));
    for _ in 0..count {
        headers.push((input.text()?, input.prefixed()?.to_vec()));
    }
    Some(Record { id, key, payload: input.0.to_vec(), content_type, headers, timestamp_ms, trace_parent })
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&length(bytes.len()));
    out.extend_from_slice(bytes);
}

/// A length as it is written. Nothing longer gets here: a whole frame is at most 1 GiB.
fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// Takes values off the front of bytes.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes after their length.
    pub(super) fn prefixed(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    /// UTF-8 after its length.
    pub(super) fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.prefixed()?).ok().map(str::to_owned)
    }
}
