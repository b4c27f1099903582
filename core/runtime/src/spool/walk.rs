//! Walks over the frames of one segment and finds its way again after damage.
//!
//! What is lost is counted by ids, not by places: whatever lies between two frames, the ids that are missing
//! between them are the records that are gone, each exactly once.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use memchr::memmem;
use mfn_plugin::value::Record;

use super::format::{self, HEAD_BYTES, Head, Identity, SYNC};

/// How much is read at once. Longer bodies are read past the window.
const WINDOW_BYTES: usize = 1 << 18;

/// What the walk has met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole frame.
    Frame(Frame),
    /// These records are gone.
    Damaged(Range<u64>),
    /// No further frame begins before the end.
    End,
}

/// Where a whole frame lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) id: u64,
    pub(super) offset: u64,
    pub(super) body_bytes: u32,
}

/// A place in a segment, and a window on the bytes around it.
#[derive(Debug)]
pub(super) struct Walk {
    file: Arc<File>,
    identity: Identity,
    /// Where the next frame should begin.
    offset: u64,
    /// Which id it should have.
    expected: u64,
    end: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl Walk {
    /// A walk that begins at `offset`, where the frame of `expected` should be.
    pub(super) fn new(file: Arc<File>, identity: Identity, offset: u64, expected: u64) -> Self {
        Self { file, identity, offset, expected, end: offset, window: Vec::new(), window_start: 0 }
    }

    /// Where the next frame should begin.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Which id the next frame should have.
    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    /// Goes on to the next frame with an id below `bound`, in bytes below `end`.
    ///
    /// # Errors
    /// Those of the operating system. The walk is then where it was.
    pub(super) fn next(&mut self, end: u64, bound: u64) -> io::Result<Step> {
        self.end = end;
        loop {
            if self.expected >= bound {
                return Ok(Step::End);
            }
            let Some(head) = self.head(self.offset)? else {
                // Damaged, or the end: the next head tells what is missing.
                match self.search(self.offset + 1)? {
                    Some(offset) => {
                        self.offset = offset;
                        continue;
                    }
                    None => return Ok(Step::End),
                }
            };
            let next = self.offset + head.frame_bytes();
            if head.id < self.expected || head.id >= bound {
                // Written again elsewhere after a failed write.
                self.offset = next;
                continue;
            }
            if head.id > self.expected {
                let gone = self.expected..head.id;
                self.expected = head.id;
                return Ok(Step::Damaged(gone));
            }
            let whole = self.body_is_whole(head)?;
            let frame = Frame { id: head.id, offset: self.offset, body_bytes: head.body_bytes };
            self.offset = next;
            self.expected = head.id + 1;
            return Ok(if whole { Step::Frame(frame) } else { Step::Damaged(head.id..head.id + 1) });
        }
    }

    /// The record of a frame; `None` when its bytes are no record.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(super) fn record(&mut self, frame: Frame) -> io::Result<Option<Record>> {
        let (offset, length) = (frame.offset + HEAD_BYTES as u64, frame.body_bytes as usize);
        if length <= WINDOW_BYTES {
            return Ok(format::decode_body(self.bytes(offset, length)?));
        }
        let mut body = vec![0; length];
        self.file.read_exact_at(&mut body, offset)?;
        Ok(format::decode_body(&body))
    }

    /// Whether the frame that is expected begins here.
    ///
    /// # Errors
    /// Those of the operating system.
    pub(super) fn is_at_frame(&mut self, end: u64) -> io::Result<bool> {
        self.end = end;
        Ok(self.head(self.offset)?.is_some_and(|head| head.id == self.expected))
    }

    /// Goes back to before a frame.
    pub(super) fn back_to(&mut self, frame: Frame) {
        self.offset = frame.offset;
        self.expected = frame.id;
    }

    /// The head of a frame that begins at `offset` and ends before the end.
    fn head(&mut self, offset: u64) -> io::Result<Option<Head>> {
        let identity = self.identity;
        let end = self.end;
        let head = Head::decode(self.bytes(offset, HEAD_BYTES)?, identity);
        Ok(head.filter(|head| offset.saturating_add(head.frame_bytes()) <= end))
    }

    fn body_is_whole(&mut self, head: Head) -> io::Result<bool> {
        let mut hasher = crc32fast::Hasher::new();
        let mut offset = self.offset + HEAD_BYTES as u64;
        let mut rest = head.body_bytes as usize;
        while rest > 0 {
            let part = self.bytes(offset, rest.min(WINDOW_BYTES))?;
            if part.is_empty() {
                return Ok(false);
            }
            hasher.update(part);
            let length = part.len();
            offset += length as u64;
            rest -= length;
        }
        Ok(hasher.finalize() == head.body_sum)
    }

    /// The first place from `from` on where a frame begins.
    fn search(&mut self, mut from: u64) -> io::Result<Option<u64>> {
        let finder = memmem::Finder::new(&SYNC);
        while from + (HEAD_BYTES as u64) <= self.end {
            let bytes = self.bytes(from, WINDOW_BYTES)?;
            let length = bytes.len();
            match finder.find(bytes) {
                Some(at) => {
                    from += at as u64;
                    if self.head(from)?.is_some() {
                        return Ok(Some(from));
                    }
                    from += 1;
                }
                // What is looked for may begin in the last three bytes.
                None => from += (length.saturating_sub(SYNC.len() - 1)).max(1) as u64,
            }
        }
        Ok(None)
    }

    /// Up to `length` bytes (at most [`WINDOW_BYTES`]) from `offset`; fewer only at the end.
    fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let available = usize::try_from(self.end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(available);
        let inside = |start: u64, window: &[u8]| {
            let skip = usize::try_from(offset.checked_sub(start)?).ok()?;
            (window.len() >= skip.checked_add(length)?).then_some(skip)
        };
        if let Some(skip) = inside(self.window_start, &self.window) {
            return Ok(self.window.get(skip..skip + length).unwrap_or_default());
        }
        self.window.resize(WINDOW_BYTES.min(available), 0);
        self.window_start = offset;
        let mut filled = 0;
        while let Some(rest) = self.window.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + filled as u64) {
                // The file is shorter than it was.
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.window.clear();
                    return Err(error);
                }
            }
        }
        self.window.truncate(filled);
        Ok(self.window.get(..length.min(filled)).unwrap_or_default())
    }
}
