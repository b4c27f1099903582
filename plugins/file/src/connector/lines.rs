//! Reads lines in bounded memory: a line of any length costs at most the limit.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek, SeekFrom},
};

const BUFFER_BYTES: usize = 256 * 1024;
/// A caller waits at most for about so many bytes before it gets something to do.
pub(crate) const SLICE_BYTES: u64 = 16 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Where a line stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Line number, from 1; 0 for a whole file.
    pub(crate) number: u64,
    /// Byte offset of its begin.
    pub(crate) offset: u64,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) place: Place,
    /// Without the line end. `Err` holds the length of a line above the limit.
    pub(crate) text: Result<Vec<u8>, u64>,
}

impl Line {
    /// Whether it holds nothing but white space.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.as_ref().is_ok_and(|text| text.trim_ascii().is_empty())
    }
}

/// The lines of a file.
#[derive(Debug)]
pub(crate) struct Lines {
    reader: BufReader<File>,
    next: Place,
    bytes_max: usize,
    /// Bytes of the next line that were passed over, as it is above the limit.
    passed: u64,
}

/// What one step of reading brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Line(Line),
    /// A line above the limit goes on behind so many bytes.
    Partial(u64),
    End,
}

impl Lines {
    /// Reads on from a place, which must be the begin of a line.
    ///
    /// # Errors
    /// When the file can not seek there.
    pub(crate) fn from(mut file: File, place: Place, bytes_max: usize) -> io::Result<Self> {
        file.seek(SeekFrom::Start(place.offset))?;
        Ok(Self { reader: BufReader::with_capacity(BUFFER_BYTES, file), next: place, bytes_max, passed: 0 })
    }

    /// The place of the line that comes next.
    pub(crate) fn next_place(&self) -> Place {
        self.next
    }

    /// The file that is read.
    pub(crate) fn file(&self) -> &File {
        self.reader.get_ref()
    }

    /// The next line, or `None` at the end of the file, however long it takes.
    ///
    /// # Errors
    /// When reading fails.
    pub(crate) fn read(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.step()? {
                Step::Line(line) => return Ok(Some(line)),
                Step::Partial(_) => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// The next line, or a part of the way over one above the limit.
    ///
    /// # Errors
    /// When reading fails.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let place = self.next;
        let mut text = Vec::new();
        let before = std::mem::take(&mut self.passed);
        let mut length = before;
        let mut ended = false;
        while !ended {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            let (part, used) = match memchr::memchr(b'\n', chunk) {
                Some(end) => (chunk.get(..end).unwrap_or_default(), end + 1),
                None => (chunk, chunk.len()),
            };
            ended = part.len() < used;
            length += part.len() as u64;
            if length <= self.bytes_max as u64 {
                text.extend_from_slice(part);
            }
            self.reader.consume(used);
            if !ended && length > self.bytes_max as u64 && length - before >= SLICE_BYTES {
                self.passed = length;
                return Ok(Step::Partial(length));
            }
        }
        if length == 0 && !ended {
            return Ok(Step::End);
        }
        self.next = Place { number: place.number + 1, offset: place.offset + length + u64::from(ended) };
        if length > self.bytes_max as u64 {
            return Ok(Step::Line(Line { place, text: Err(length) }));
        }
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        if place.offset == 0 && text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(Step::Line(Line { place, text: Ok(text) }))
    }
}
