//! The connector at work: finds files, takes them, groups their records, and carries out settlements.

mod gathered;
mod take;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::Result,
    host::{Host, Metric},
    value::{BatchToken, FetchLimits, PluginError, Record, Verdict},
};

use gathered::Gathered;

use super::{
    config::{APART_FIX, Settings, Source},
    dispose::{Disposal, dispose},
    flight::Flight,
    journal::Journal,
    ledger::{Entry, Ledger, Stage},
    lines::Place,
    reading::{Peek, Reading},
    record,
    scan::{Fingerprint, Found, Ripening, Scan},
};

/// While a file ripens or is in use, an ending connector looks again after at most this long.
const RESCAN_MAX: Duration = Duration::from_millis(50);
/// At most this many names are remembered as having been reported.
const REPORTED_MAX: usize = 10_000;

/// A watched file that can not be read.
#[derive(Debug)]
struct Unreadable {
    retry_at: Instant,
    wait: Duration,
}

/// An opened connector.
#[derive(Debug)]
pub(crate) struct Intake {
    settings: Settings,
    journal: Journal,
    ledger: Ledger,
    flight: Flight,
    queue: VecDeque<Found>,
    reading: Option<Reading>,
    /// Whether the open file needs another look at once.
    is_pending: bool,
    ripening: Ripening,
    unreadable: HashMap<String, Unreadable>,
    /// Files whose failure was reported as a record; they wait for a change or a restart.
    given_up: HashMap<String, Fingerprint>,
    reported: HashSet<String>,
    next_number: u64,
    /// When to look again; `None` for never, at the end.
    next_scan: Option<Instant>,
    was_scanned: bool,
    faults: Metric,
    /// What keeps it from working fully, or empty.
    pub(crate) trouble: String,
}

impl Intake {
    /// Opens the journal and makes the directories that files are moved to.
    ///
    /// # Errors
    /// As the operating system says; blocked where another instance uses the journal.
    pub(crate) fn open(settings: Settings, host: &Host) -> Result<Self> {
        make_targets(&settings)?;
        let scan = Scan::run(&settings)
            .map_err(|error| PluginError::io(&format!("directory {}", settings.partition), &error))?;
        let (journal, mut ledger, damage) = Journal::open(&settings.state_file)?;
        if damage.torn_bytes > 0 {
            tracing::info!(
                bytes = damage.torn_bytes,
                "the journal ended in an unfinished line, which was removed"
            );
        }
        if damage.corrupt_lines > 0 {
            let help = "Lines of the file connector's journal that were damaged and skipped.";
            host.counter("mfn_file_journal_corrupt_lines_total", help, &[])
                .update(damage.corrupt_lines as f64);
            tracing::warn!(
                lines = damage.corrupt_lines,
                state_file = %settings.state_file.display(),
                "damaged lines of the journal were skipped; records they settled come again"
            );
        }
        let present: HashSet<&str> = scan.found.iter().map(|file| file.name.as_str()).collect();
        ledger.prune(|name| present.contains(name));
        let help = "Records of the file connector that can not be processed, such as a line above the limit.";
        Ok(Self {
            next_number: ledger.next_number(),
            settings,
            journal,
            ledger,
            flight: Flight::default(),
            queue: VecDeque::new(),
            reading: None,
            is_pending: false,
            ripening: Ripening::default(),
            unreadable: HashMap::new(),
            given_up: HashMap::new(),
            reported: HashSet::new(),
            next_scan: Some(Instant::now()),
            was_scanned: false,
            faults: host.counter("mfn_file_faulty_records_total", help, &[]),
            trouble: String::new(),
        })
    }

    /// Whether no record will come again.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.next_scan.is_none() && self.queue.is_empty() && self.reading.is_none() && self.flight.is_idle()
    }

    /// Whether a batch waits for its settlement.
    pub(crate) fn has_batches(&self) -> bool {
        self.flight.has_batches()
    }

    /// When there is something to do again.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        if self.is_pending {
            return Some(Instant::now());
        }
        [self.next_scan, self.flight.next_return()].into_iter().flatten().min()
    }

    /// How many records wait, about; `None` before the first look.
    pub(crate) fn backlog(&self) -> Option<u64> {
        let files = self.queue.len() + self.ripening.len() + self.flight.held_back();
        let lines = self.reading.as_ref().map_or(0, Reading::left);
        self.was_scanned.then_some(files as u64 + lines)
    }

    /// Records brought and not settled.
    pub(crate) fn outstanding(&self) -> u64 {
        self.flight.outstanding()
    }

    /// See [`Flight::settled_through`].
    pub(crate) fn settled_through(&self) -> (Option<&str>, Option<u64>) {
        self.flight.settled_through()
    }

    /// Gathers records for one batch; none when nothing is there at the moment.
    ///
    /// # Errors
    /// When the directory can not be listed or the journal not be written. Nothing is lost by it.
    pub(crate) fn gather(&mut self, limits: FetchLimits) -> Result<Option<(BatchToken, Vec<Record>)>> {
        self.is_pending = false;
        let mut batch = Gathered::new(limits);
        self.gather_returning(&mut batch);
        match self.gather_new(&mut batch) {
            // What was gathered is brought first; the error shows again at the next fetch.
            Err(error) if batch.records.is_empty() => return Err(error),
            _ => {}
        }
        if batch.records.is_empty() {
            return Ok(None);
        }
        let faulty = batch.records.iter().filter(|record| record::is_fault(record)).count();
        self.faults.update(faulty as f64);
        Ok(Some((self.flight.batch(batch.keys), batch.records)))
    }

    fn gather_returning(&mut self, batch: &mut Gathered) {
        let now = Instant::now();
        while let Some(key) = self.flight.due(now) {
            if batch.is_full() {
                return;
            }
            if let Some(record) = self.read_again(key) {
                if !batch.fits(record.payload.len() as u64) {
                    return;
                }
                batch.push(key, record);
            }
            self.flight.release_first();
        }
    }

    fn gather_new(&mut self, batch: &mut Gathered) -> Result<()> {
        while !batch.is_full() {
            if let Some(reading) = self.reading.take() {
                if !self.gather_lines(reading, batch)? {
                    break;
                }
            } else if let Some(found) = self.queue.pop_front() {
                let is_whole = self.settings.format_of(&found.path).is_some_and(|format| !format.is_lines());
                if is_whole && !batch.fits(found.fingerprint.size.min(self.settings.file_bytes_max)) {
                    self.queue.push_front(found);
                    break;
                }
                if let Err(error) = self.take(&found, batch) {
                    self.queue.push_front(found);
                    return Err(error);
                }
            } else if self.next_scan.is_some_and(|at| at <= Instant::now()) {
                self.scan()?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// Gathers from the open file. `false` when the batch can take no more of it.
    fn gather_lines(&mut self, mut reading: Reading, batch: &mut Gathered) -> Result<bool> {
        let number = reading.number;
        let bytes_max = self.settings.line_bytes_max;
        let Some(file) = self.flight.file(number) else { return Ok(true) };
        if reading.has_changed(&file.fingerprint) {
            tracing::warn!(file = %file.name, "the file was changed while it was read; it is read again as a new one");
            return self.finish(number, reading.next_place()).map(|()| true);
        }
        loop {
            let Some(file) = self.flight.file(number) else { return Ok(true) };
            match reading.peek(file, bytes_max) {
                Ok(Peek::Ready(bytes)) => {
                    if !batch.fits(bytes) {
                        self.reading = Some(reading);
                        return Ok(false);
                    }
                    if let Some(ready) = reading.take() {
                        self.flight.bring(number, ready.place, ready.next);
                        batch.push((number, ready.place.number), ready.record);
                    }
                    if batch.is_full() {
                        self.reading = Some(reading);
                        return Ok(false);
                    }
                }
                Ok(Peek::Pending) => {
                    self.is_pending = true;
                    self.reading = Some(reading);
                    return Ok(false);
                }
                Ok(Peek::End) => return self.finish(number, reading.next_place()).map(|()| true),
                Err(error) => {
                    let place = reading.next_place();
                    let record = record::of_failure(file, place, &error.to_string());
                    self.given_up.insert(file.name.clone(), file.fingerprint);
                    self.flight.bring(number, place, place);
                    self.flight.give_up(number);
                    batch.push((number, place.number), record);
                    return Ok(true);
                }
            }
        }
    }

    /// Ends reading a file of lines; one with nothing outstanding is done.
    fn finish(&mut self, number: u64, next: Place) -> Result<()> {
        if let Some(file) = self.flight.finish(number, next) {
            self.append(vec![Entry::Done { f: number, rejected: file.rejected }], true)?;
            self.dispose(number, &file.name, &file.path, &file.fingerprint, file.rejected);
        }
        Ok(())
    }

    /// Looks for files and queues those that have to be taken.
    fn scan(&mut self) -> Result<()> {
        let now = Instant::now();
        let scan = match Scan::run(&self.settings) {
            Ok(scan) => scan,
            Err(error) => {
                let error = PluginError::io(&format!("directory {}", self.settings.partition), &error);
                self.trouble.clone_from(&error.message);
                self.next_scan = Some(now + self.settings.poll_interval);
                return Err(error);
            }
        };
        self.was_scanned = true;
        self.trouble.clear();
        for (name, reason) in scan.skipped {
            self.report(&name, &format!("{name} is left alone: {reason}"));
        }
        self.forget_absent(&scan.found);
        let mut candidates = Vec::new();
        let mut waits = false;
        for file in scan.found {
            if self.flight.holds(&file.name, &file.fingerprint)
                || self.given_up.get(&file.name) == Some(&file.fingerprint)
                || self.unreadable.get(&file.name).is_some_and(|unreadable| unreadable.retry_at > now)
            {
                continue;
            }
            match self.ledger.find(&file.name) {
                Some((number, known))
                    if known.stage == Stage::Done && known.fingerprint == file.fingerprint =>
                {
                    let rejected = known.rejected;
                    self.dispose(number, &file.name, &file.path, &file.fingerprint, rejected);
                }
                Some((number, _)) if self.flight.file(number).is_some() => waits = true,
                // A named file that was moved or deleted after its settlement is not missed.
                Some((_, known)) if known.stage == Stage::Gone && file.is_missing() => {}
                _ => candidates.push(file),
            }
        }
        self.queue.extend(self.ripening.ripe(candidates, self.settings.settle_time, now));
        self.next_scan = if self.settings.watch {
            Some(now + self.settings.poll_interval)
        } else if waits || self.ripening.len() > 0 || !self.queue.is_empty() {
            Some(now + self.settings.poll_interval.min(RESCAN_MAX))
        } else {
            None
        };
        Ok(())
    }

    /// Carries out a settlement: first on disk, then in memory, then on the files.
    ///
    /// # Errors
    /// As [`Flight::plan`]; as the journal. The batch is then still outstanding.
    pub(crate) fn settle(&mut self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        let mut settlement = self.flight.plan(token, verdicts, Instant::now())?;
        let entries = std::mem::take(&mut settlement.entries);
        if !entries.is_empty() {
            self.append(entries, true)?;
        }
        for (number, file) in self.flight.apply(settlement) {
            if !file.is_unread {
                self.dispose(number, &file.name, &file.path, &file.fingerprint, file.rejected);
            }
        }
        Ok(())
    }

    /// Writes entries to the journal, then takes them into the memory.
    fn append(&mut self, entries: Vec<Entry>, durable: bool) -> Result<()> {
        if let Err(error) = self.journal.append(&entries, durable, &self.ledger) {
            self.trouble.clone_from(&error.message);
            return Err(error);
        }
        entries.into_iter().for_each(|entry| self.ledger.apply(entry));
        Ok(())
    }

    /// Moves or deletes a settled file. A failure is reported and tried again at the next scan.
    fn dispose(
        &mut self,
        number: u64,
        name: &str,
        path: &std::path::Path,
        fingerprint: &Fingerprint,
        rejected: u64,
    ) {
        match dispose(&self.settings, path, fingerprint, rejected) {
            Ok(Disposal::Gone) => {
                // Without this entry the next start finds the file missing, which means the same.
                let _ = self.append(vec![Entry::Gone { f: number }], false);
            }
            Ok(Disposal::Kept | Disposal::Replaced) => {}
            Err(error) => {
                self.trouble = format!("{name} is settled but can not be moved or deleted: {error}");
                let text = self.trouble.clone();
                self.report(&format!("{name}/dispose"), &text);
            }
        }
    }

    /// Forgets the failures of files that are not there any more.
    fn forget_absent(&mut self, found: &[Found]) {
        if !self.given_up.is_empty() || !self.unreadable.is_empty() {
            let present: HashSet<&str> = found.iter().map(|file| file.name.as_str()).collect();
            self.given_up.retain(|name, _| present.contains(name.as_str()));
            self.unreadable.retain(|name, _| present.contains(name.as_str()));
        }
    }

    /// Logs a warning about a name once.
    fn report(&mut self, name: &str, text: &str) {
        if self.reported.len() < REPORTED_MAX && self.reported.insert(name.to_owned()) {
            tracing::warn!("{text}");
        }
    }
}

/// Makes the directories that files are moved to.
fn make_targets(settings: &Settings) -> Result<()> {
    for (field, target) in [("move_to", &settings.move_to), ("rejected_to", &settings.rejected_to)] {
        let Some(target) = target else { continue };
        let what = format!("{field} {}", target.display());
        fs::create_dir_all(target).map_err(|error| PluginError::io(&what, &error))?;
        if let Source::Directory { path, .. } = &settings.source
            && let (Ok(source), Ok(target)) = (path.canonicalize(), target.canonicalize())
            && source == target
        {
            return Err(PluginError::permanent(format!("{what} is the directory that is read; {APART_FIX}")));
        }
    }
    Ok(())
}
