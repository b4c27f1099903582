//! Reads lines in bounded memory: a line of any length costs at most the limit.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek, SeekFrom},
};

const BUFFER_BYTES: usize = 256 * 1024;
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
}

impl Lines {
    /// Reads on from a place, which must be the begin of a line.
    ///
    /// # Errors
    /// When the file can not seek there.
    pub(crate) fn from(mut file: File, place: Place, bytes_max: usize) -> io::Result<Self> {
        file.seek(SeekFrom::Start(place.offset))?;
        Ok(Self { reader: BufReader::with_capacity(BUFFER_BYTES, file), next: place, bytes_max })
    }

    /// The place of the line that comes next.
    pub(crate) fn next_place(&self) -> Place {
        self.next
    }

    /// The file that is read.
    pub(crate) fn file(&self) -> &File {
        self.reader.get_ref()
    }

    /// The next line, or `None` at the end of the file.
    ///
    /// # Errors
    /// When reading fails.
    pub(crate) fn read(&mut self) -> io::Result<Option<Line>> {
        let place = self.next;
        let mut text = Vec::new();
        let mut length = 0_u64;
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
            let room = self.bytes_max.saturating_sub(text.len());
            // One byte above the limit is kept out, but its line is known to be too long by `length`.
            text.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            length += part.len() as u64;
            self.reader.consume(used);
        }
        if length == 0 && !ended {
            return Ok(None);
        }
        self.next = Place { number: place.number + 1, offset: place.offset + length + u64::from(ended) };
        if length > self.bytes_max as u64 {
            return Ok(Some(Line { place, text: Err(length) }));
        }
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        if place.offset == 0 && text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(Some(Line { place, text: Ok(text) }))
    }
}
