//! Records on their way into the log: encoded outside the lock, numbered inside it.

use mfn_plugin::value::RecordView;

use super::format::{self, HEAD_BYTES, Head, Identity};

/// The frames of one append. Their heads are filled in when their ids are known.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    /// Where each frame begins.
    starts: Vec<usize>,
    heads: Vec<(u32, u32)>,
}

impl Frames {
    /// Encodes records. Their frames together are shorter than 4 GiB; the caller has made sure.
    pub(super) fn encode(records: &[RecordView<'_>]) -> Self {
        let total: u64 = records.iter().map(format::frame_bytes).sum();
        let mut frames = Self {
            bytes: Vec::with_capacity(usize::try_from(total).unwrap_or(0)),
            starts: Vec::with_capacity(records.len()),
            heads: Vec::with_capacity(records.len()),
        };
        for record in records {
            let start = frames.bytes.len();
            frames.bytes.extend_from_slice(&[0; HEAD_BYTES]);
            format::encode_body(record, &mut frames.bytes);
            let body = frames.bytes.get(start + HEAD_BYTES..).unwrap_or_default();
            frames.heads.push((u32::try_from(body.len()).unwrap_or(u32::MAX), crc32fast::hash(body)));
            frames.starts.push(start);
        }
        frames
    }

    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The bytes as they are written, the first record having `first_id`.
    pub(super) fn finish(&mut self, first_id: u64, identity: Identity) -> Vec<u8> {
        for (id, (&start, &(body_bytes, body_sum))) in (first_id..).zip(self.starts.iter().zip(&self.heads)) {
            let head = Head { id, body_bytes, body_sum }.encode(identity);
            if let Some(place) = self.bytes.get_mut(start..start + HEAD_BYTES) {
                place.copy_from_slice(&head);
            }
        }
        std::mem::take(&mut self.bytes)
    }
}
