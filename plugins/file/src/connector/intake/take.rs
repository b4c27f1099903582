//! Takes files: ties a content to an id, and opens what has to be opened.

use std::{
    fs::File,
    io,
    time::{Duration, Instant},
};

use mfn_plugin::{author::Result, value::Record};

use super::{Gathered, Intake, Unreadable};
use crate::connector::{
    config::{Format, Source},
    content::{self, Summary},
    flight::{RecordKey, Taken},
    ledger::{Entry, Stage},
    lines::{Lines, Place},
    reading::{Reading, read_header},
    record,
    scan::{Fingerprint, Found},
};

const WHOLE: Place = Place { number: 0, offset: 0 };
/// A file that can not be read is tried again after this long, then after twice as long, up to the cap.
const UNREADABLE_RETRY_FIRST: Duration = Duration::from_secs(5);
const UNREADABLE_RETRY_MAX: Duration = Duration::from_secs(60);

/// A file as it was seen when it was opened.
struct Seen {
    file: File,
    fingerprint: Fingerprint,
    /// The content of a file that is one record; `None` above the limit and for files of lines.
    bytes: Option<Vec<u8>>,
    summary: Summary,
    /// Whether it stayed the same while it was looked at.
    is_stable: bool,
}

impl Intake {
    /// Takes one file: ties its content to an id, and brings its record or starts reading its lines.
    ///
    /// # Errors
    /// When the journal can not be written; the file is then not taken.
    pub(super) fn take(&mut self, found: &Found, batch: &mut Gathered) -> Result<()> {
        let Some(format) = self.settings.format_of(&found.path) else { return Ok(()) };
        let seen = match self.look(found, format) {
            Ok(seen) => seen,
            // It left the directory since the scan. A file that is named must be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_named() => return Ok(()),
            Err(error) => {
                self.take_unreadable(found, format, &error, batch);
                return Ok(());
            }
        };
        let Seen { file, fingerprint, bytes, summary, is_stable } = seen;
        if !is_stable {
            // It is being written; the next scan sees it again.
            return Ok(());
        }
        self.unreadable.remove(&found.name);
        let Some((number, suffix)) = self.identify(found, fingerprint, &summary)? else { return Ok(()) };
        let taken = Taken {
            name: found.name.clone(),
            path: found.path.clone(),
            id: format!("{}{suffix}", found.name),
            format,
            fingerprint,
            next: WHOLE,
            is_read: !format.is_lines(),
            is_unread: false,
            outstanding: Default::default(),
            rejected: self.ledger.find(&found.name).map_or(0, |(_, known)| known.rejected),
        };
        if !format.is_lines() {
            let record = record::of_file(&taken, bytes, self.settings.file_bytes_max);
            self.bring_whole(number, taken, record, batch);
            return Ok(());
        }
        self.start_lines(number, taken, file, summary.lines, batch);
        Ok(())
    }

    /// Whether files are named one by one.
    fn is_named(&self) -> bool {
        matches!(self.settings.source, Source::Files(_))
    }

    fn look(&self, found: &Found, format: Format) -> io::Result<Seen> {
        let (mut file, metadata) = content::open(&found.path)?;
        let fingerprint = Fingerprint::of(&metadata);
        let whole_max = self.settings.file_bytes_max;
        let bytes = if format.is_lines() { None } else { content::read_whole(&mut file, whole_max)? };
        let summary = match &bytes {
            Some(bytes) => Summary::of_bytes(bytes),
            None => Summary::of_file(&file, fingerprint.size, whole_max)?,
        };
        let is_stable = Fingerprint::of(&file.metadata()?) == fingerprint;
        Ok(Seen { file, fingerprint, bytes, summary, is_stable })
    }

    fn start_lines(
        &mut self,
        number: u64,
        mut taken: Taken,
        file: File,
        lines: Option<u64>,
        batch: &mut Gathered,
    ) {
        let known = self.ledger.find(&taken.name).map(|(_, known)| known);
        let started = Reading::start(number, file, taken.format, known, lines, self.settings.line_bytes_max);
        match started {
            Ok(Ok(reading)) => {
                taken.next = reading.next_place();
                self.flight.take(number, taken);
                self.reading = Some(reading);
            }
            Ok(Err(reason)) => {
                taken.is_read = true;
                let record = record::build(&taken, WHOLE, Vec::new(), Some(reason));
                self.bring_whole(number, taken, record, batch);
            }
            Err(error) => {
                taken.is_read = true;
                taken.is_unread = true;
                self.given_up.insert(taken.name.clone(), taken.fingerprint);
                let record = record::of_failure(&taken, WHOLE, &error.to_string());
                self.bring_whole(number, taken, record, batch);
            }
        }
    }

    fn bring_whole(&mut self, number: u64, taken: Taken, record: Record, batch: &mut Gathered) {
        self.flight.take(number, taken);
        self.flight.bring(number, WHOLE, WHOLE);
        batch.push((number, 0), record);
    }

    /// Finds out whether a content was seen before. Gives the file's number and what its ids carry after
    /// the name, or `None` when it is settled or on its way already.
    fn identify(
        &mut self,
        found: &Found,
        fingerprint: Fingerprint,
        summary: &Summary,
    ) -> Result<Option<(u64, String)>> {
        let mut suffix = String::new();
        if let Some((number, known)) = self.ledger.find(&found.name) {
            let is_same = known.digest == summary.digest;
            if is_same && self.flight.file(number).is_some() {
                return Ok(None);
            }
            suffix = if is_same { known.suffix.clone() } else { summary.suffix() };
            if is_same && known.stage != Stage::Gone {
                let (stage, rejected) = (known.stage, known.rejected);
                if known.fingerprint != fingerprint {
                    self.append(vec![Entry::Touch { f: number, fingerprint }], false)?;
                }
                if stage == Stage::Done {
                    self.dispose(number, &found.name, &found.path, &fingerprint, rejected);
                    return Ok(None);
                }
                return Ok(Some((number, suffix)));
            }
            if known.stage == Stage::Taken && self.flight.file(number).is_none() {
                tracing::warn!(file = %found.name, "the file was replaced before all its records were settled");
            }
        }
        let number = self.next_number;
        let entry = Entry::Take {
            f: number,
            name: found.name.clone(),
            fingerprint,
            digest: summary.digest.clone(),
            suffix: suffix.clone(),
        };
        self.append(vec![entry], false)?;
        self.next_number += 1;
        Ok(Some((number, suffix)))
    }

    /// A file that can not be read: watched, it is tried again later; at the end of a run it is brought as a
    /// record with the reason, and its settlement is not remembered.
    fn take_unreadable(&mut self, found: &Found, format: Format, error: &io::Error, batch: &mut Gathered) {
        self.report(&found.name, &format!("{} can not be read: {error}", found.name));
        if self.settings.watch {
            let wait = self
                .unreadable
                .get(&found.name)
                .map_or(UNREADABLE_RETRY_FIRST, |known| (known.wait * 2).min(UNREADABLE_RETRY_MAX));
            let retry_at = Instant::now() + wait;
            self.unreadable.insert(found.name.clone(), Unreadable { retry_at, wait });
            return;
        }
        let taken = Taken {
            name: found.name.clone(),
            path: found.path.clone(),
            id: found.name.clone(),
            format,
            fingerprint: found.fingerprint,
            next: WHOLE,
            is_read: true,
            is_unread: true,
            outstanding: Default::default(),
            rejected: 0,
        };
        let number = self.next_number;
        self.next_number += 1;
        self.given_up.insert(found.name.clone(), found.fingerprint);
        let record = record::of_failure(&taken, WHOLE, &error.to_string());
        self.bring_whole(number, taken, record, batch);
    }

    /// Reads a nacked record from its file once more. What can not be had again comes with the reason.
    pub(super) fn read_again(&mut self, (number, line): RecordKey) -> Option<Record> {
        let file = self.flight.file(number)?;
        let place = *file.outstanding.get(&line)?;
        Some(self.read_place(file, place).unwrap_or_else(|error| {
            record::of_failure(file, place, &format!("{error}, when it was to be read again"))
        }))
    }

    fn read_place(&self, file: &Taken, place: Place) -> io::Result<Record> {
        let changed = || io::Error::other("the file was changed or replaced");
        let (mut open, metadata) = content::open(&file.path)?;
        if Fingerprint::of(&metadata) != file.fingerprint {
            return Err(changed());
        }
        let bytes_max = self.settings.line_bytes_max;
        if place.number == 0 {
            if file.format.is_lines() {
                return Err(io::Error::other("its first line can not be used"));
            }
            let bytes = content::read_whole(&mut open, self.settings.file_bytes_max)?;
            return Ok(record::of_file(file, bytes, self.settings.file_bytes_max));
        }
        let header = if file.format == Format::Csv {
            let mut lines = Lines::from(open.try_clone()?, Place { number: 1, offset: 0 }, bytes_max)?;
            read_header(&mut lines)?.map_err(io::Error::other)?
        } else {
            None
        };
        let line = Lines::from(open, place, bytes_max)?.read()?.ok_or_else(changed)?;
        Ok(record::of_line(file, line, header.as_deref(), bytes_max))
    }
}
