//! The file of lines that is being read at the moment.

use std::{fs::File, io};

use super::{
    config::Format,
    content::text_fault,
    flight::Taken,
    ledger::Known,
    lines::{Line, Lines, Place, SLICE_BYTES, Step},
    record,
    scan::Fingerprint,
};
use mfn_plugin::value::Record;

/// A record that is ready, its place, and where the one after it begins.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) record: Record,
    pub(crate) place: Place,
    pub(crate) next: Place,
}

/// What lies ahead in a file of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peek {
    /// A record with so many bytes of payload.
    Ready(u64),
    /// Not known yet; look again.
    Pending,
    /// Nothing.
    End,
}

/// An open file of lines.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The file's number.
    pub(crate) number: u64,
    lines: Lines,
    /// The header line of CSV.
    header: Option<Vec<u8>>,
    /// Lines above the settled ones that were settled in an earlier life.
    settled: std::collections::BTreeSet<u64>,
    peeked: Option<Ready>,
    lines_total: Option<u64>,
}

impl Reading {
    /// Opens at the first line that `known` does not have as settled. `Err` in the answer says what is
    /// wrong with the file as a whole.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn start(
        number: u64,
        file: File,
        format: Format,
        known: Option<&Known>,
        lines_total: Option<u64>,
        bytes_max: usize,
    ) -> io::Result<Result<Self, String>> {
        let begin = Place { number: 1, offset: 0 };
        let mut lines = Lines::from(file.try_clone()?, begin, bytes_max)?;
        let header = match format {
            Format::Csv => match read_header(&mut lines)? {
                Ok(header) => header,
                Err(reason) => return Ok(Err(reason)),
            },
            _ => None,
        };
        let settled_to = known
            .filter(|known| known.through >= lines.next_place().number && known.through > 0)
            .map(|known| Place { number: known.through + 1, offset: known.offset });
        if let Some(place) = settled_to {
            lines = Lines::from(file, place, bytes_max)?;
        }
        let settled = known.map(|known| known.above.clone()).unwrap_or_default();
        Ok(Ok(Self { number, lines, header, settled, peeked: None, lines_total }))
    }

    /// Reads on to the next record, which stays the next one until it is taken. Gives up for the moment
    /// after a slice of blank lines or of one line above the limit.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) fn peek(&mut self, file: &Taken, bytes_max: usize) -> io::Result<Peek> {
        let slice_end = self.lines.next_place().offset.saturating_add(SLICE_BYTES);
        while self.peeked.is_none() {
            let line = match self.lines.step()? {
                Step::Line(line) => line,
                Step::Partial(_) => return Ok(Peek::Pending),
                Step::End => return Ok(Peek::End),
            };
            if !line.is_blank() && !self.settled.remove(&line.place.number) {
                let place = line.place;
                let record = record::of_line(file, line, self.header.as_deref(), bytes_max);
                self.peeked = Some(Ready { record, place, next: self.lines.next_place() });
            } else if self.lines.next_place().offset > slice_end {
                return Ok(Peek::Pending);
            }
        }
        Ok(self.peeked.as_ref().map_or(Peek::Pending, |ready| Peek::Ready(ready.record.payload.len() as u64)))
    }

    /// Takes the record that [`peek`](Self::peek) showed.
    pub(crate) fn take(&mut self) -> Option<Ready> {
        self.peeked.take()
    }

    /// Where reading goes on.
    pub(crate) fn next_place(&self) -> Place {
        self.peeked.as_ref().map_or(self.lines.next_place(), |ready| ready.place)
    }

    /// Whether the file is no longer what it was when it was taken.
    pub(crate) fn has_changed(&self, fingerprint: &Fingerprint) -> bool {
        self.lines.file().metadata().is_ok_and(|metadata| Fingerprint::of(&metadata) != *fingerprint)
    }

    /// How many records are left, about.
    pub(crate) fn left(&self) -> u64 {
        let read = self.next_place().number.saturating_sub(1);
        self.lines_total.map_or(1, |total| total.saturating_sub(read))
    }
}

/// The first line that is not blank; `None` in an empty file. The inner `Err` says what is wrong with it.
pub(crate) fn read_header(lines: &mut Lines) -> io::Result<Result<Option<Vec<u8>>, String>> {
    let too_long =
        |length| Err(format!("the header line has {length} bytes or more, line_bytes_max is below that"));
    while lines.next_place().offset < SLICE_BYTES {
        let Line { place, text } = match lines.step()? {
            Step::Line(line) if line.is_blank() => continue,
            Step::Line(line) => line,
            Step::Partial(length) => return Ok(too_long(length)),
            Step::End => return Ok(Ok(None)),
        };
        return Ok(match text {
            Err(length) => too_long(length),
            Ok(text) => match text_fault(&text, place) {
                Some(reason) => Err(reason),
                None => Ok(Some(text)),
            },
        });
    }
    Ok(Err(format!("the first {SLICE_BYTES} bytes hold no header line")))
}
