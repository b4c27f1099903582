//! Writing a dataset: compute what is missing, keep it, and publish the whole.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use mfn_sim::dataset::{DatasetStats, V4_1_COLUMNS};
use mfn_sim::ensemble::{Ensemble, EnsembleEnd, RunFailure, Work};
use mfn_sim::{CancelToken, Precision, Simulation, Spec, descriptors};

use crate::error::DatasetError;
use crate::format::Format;
use crate::journal::{Journal, Rows};
use crate::place::Place;
use crate::plan::{FailedRows, Sweep};
use crate::table::{Cell, STATUS_COLUMN, SweepRecord, row_of, written_columns};

/// The most failures that a report describes.
const FAILURES_MAX: usize = 16;

/// What to do with what stands at the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// Refuse to begin.
    #[default]
    Refuse,
    /// Go on with an interrupted sweep; begin where there is none. A finished target is refused.
    Resume,
    /// Throw an interrupted sweep away and replace a finished target when the new one is complete.
    Replace,
}

/// The settings of writing. None of them changes a byte of the dataset.
#[derive(Debug, Clone)]
pub struct SweepOptions {
    /// Threads, memory and cancel token.
    pub ensemble: Ensemble,
    /// What to do with what stands at the target already.
    pub existing: Existing,
}

/// Four GiB: what the runs of a sweep may use together unless the host says otherwise.
const MEMORY_BYTES_DEFAULT: u64 = 4 << 30;

impl Default for SweepOptions {
    fn default() -> Self {
        let ensemble = Ensemble { memory_bytes_max: MEMORY_BYTES_DEFAULT, ..Ensemble::default() };
        Self { ensemble, existing: Existing::default() }
    }
}

/// How far a sweep has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepProgress {
    /// Runs that are done, those of earlier attempts included.
    pub done: u64,
    /// Runs of the sweep.
    pub runs: u64,
    /// Runs of those done that failed.
    pub failed: u64,
}

/// How writing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepEnd {
    /// The target is complete.
    Completed,
    /// Stopped by the cancel token or the progress function. There is no target; what is done is kept and
    /// can be resumed.
    Cancelled,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepReport {
    /// How it ended.
    pub end: SweepEnd,
    /// Runs of the sweep.
    pub runs: u64,
    /// Runs that were taken over from an interrupted sweep.
    pub resumed: u64,
    /// Runs with a result so far.
    pub succeeded: u64,
    /// Runs that failed so far.
    pub failed: u64,
    /// Index and reason of the first failures, at most 16.
    pub failures: Vec<(u64, String)>,
    /// The summary of the features of all runs with a result so far.
    pub stats: DatasetStats,
    /// The target, or after a cancellation the folder with what is done, if anything is.
    pub path: PathBuf,
}

/// What is counted while rows come in.
#[derive(Default)]
struct Tally {
    succeeded: u64,
    failed: u64,
    failures: Vec<(u64, String)>,
    stats: DatasetStats,
}

impl Tally {
    fn take(&mut self, row: &[Cell]) {
        if is_ok(row) {
            self.succeeded += 1;
            let mut features = [f64::NAN; 18];
            for (value, cell) in features.iter_mut().zip(row.iter().skip(FIRST_FEATURE)) {
                if let Cell::Number(number) = cell {
                    *value = *number;
                }
            }
            self.stats.push_values(&features);
            return;
        }
        if self.failures.len() < FAILURES_MAX {
            let reason = match row.get(STATUS_COLUMN + 1) {
                Some(Cell::Text(reason)) => reason.clone(),
                _ => String::new(),
            };
            self.failures.push((self.succeeded + self.failed, reason));
        }
        self.failed += 1;
    }
}

/// Index of the first feature among the columns of MFN 4.1.
const FIRST_FEATURE: usize = V4_1_COLUMNS.len() - 3 - 18;

fn is_ok(row: &[Cell]) -> bool {
    matches!(row.get(STATUS_COLUMN), Some(Cell::Text(status)) if status == "ok")
}

impl Work for Sweep {
    type Output = SweepRecord;

    fn spec(&self, index: u64) -> Result<Spec, RunFailure> {
        Sweep::spec(self, index).map_err(|reason| RunFailure::NoSpec { reason })
    }

    fn reduce_memory_bytes(&self, spec: &Spec) -> u64 {
        if self.plan().descriptors.is_none() {
            return 0;
        }
        let (rows, cols) = (spec.rows(), spec.cols());
        // In single precision the field is widened first.
        let widened = if spec.precision == Precision::F32 { size_of::<f64>() * rows * cols } else { 0 };
        descriptors::memory_bytes(rows, cols) + widened as u64
    }

    fn reduce(&self, _index: u64, simulation: &Simulation) -> SweepRecord {
        SweepRecord::of(simulation, self.plan().descriptors.as_ref())
    }
}

impl Sweep {
    /// Computes every run and writes the dataset to `target`, whose extension says the format. The folders
    /// above it are made. `progress` is called on the calling thread after each run and may stop the sweep.
    ///
    /// The bytes of the target are the same whatever the threads, and however often it was interrupted.
    ///
    /// # Errors
    /// [`DatasetError`] when the target or what was interrupted is not as `options` allow, another process
    /// writes it, no run succeeded, or the system refused something. Rows that are done stay in the partial
    /// folder beside the target.
    pub fn write(
        &self,
        target: &Path,
        options: &SweepOptions,
        progress: &mut dyn FnMut(SweepProgress) -> ControlFlow<()>,
    ) -> Result<SweepReport, DatasetError> {
        let format = Format::of(target)?;
        let place = Place::take(target)?;
        let mut tally = Tally::default();
        let mut journal = match self.begin(&place, options.existing, &mut tally) {
            Ok(journal) => journal,
            Err(error) => {
                // A folder that was only made for this attempt is taken back.
                place.leave()?;
                return Err(error);
            }
        };
        let resumed = journal.rows();
        let end = self.compute(&mut journal, &options.ensemble, &mut tally, progress);
        if journal.rows() == 0 {
            // There is nothing to go on with.
            place.clear()?;
            place.leave()?;
            return end.map(|end| self.report(end, 0, tally, target.to_owned()));
        }
        journal.sync()?;
        let end = end?;
        let path = match end {
            SweepEnd::Cancelled => place.folder().to_owned(),
            SweepEnd::Completed => {
                if tally.succeeded == 0 {
                    let first = tally.failures.first().map(|(_, reason)| reason.clone()).unwrap_or_default();
                    place.clear()?;
                    place.leave()?;
                    return Err(DatasetError::NothingSucceeded { runs: self.runs(), first });
                }
                self.assemble(&place, format)?;
                place.publish()?;
                target.to_owned()
            }
        };
        Ok(self.report(end, resumed, tally, path))
    }

    fn report(&self, end: SweepEnd, resumed: u64, tally: Tally, path: PathBuf) -> SweepReport {
        let Tally { succeeded, failed, failures, stats } = tally;
        SweepReport { end, runs: self.runs(), resumed, succeeded, failed, failures, stats, path }
    }

    /// Opens the journal as far as what is there allows it.
    fn begin(&self, place: &Place, existing: Existing, tally: &mut Tally) -> Result<Journal, DatasetError> {
        let is_interrupted = place.journal().exists();
        let target = || DatasetError::TargetExists { path: place.target().to_owned() };
        match existing {
            Existing::Refuse if place.target().exists() => return Err(target()),
            Existing::Refuse if is_interrupted => {
                let rows = Journal::open(&place.journal(), self.hash(), &mut |_| ())?.rows();
                if rows > 0 {
                    return Err(DatasetError::PartialExists { path: place.folder().to_owned(), rows });
                }
            }
            // A target beside a journal: killed between publishing and removing the journal.
            Existing::Resume if place.target().exists() && !is_interrupted => return Err(target()),
            Existing::Replace => place.clear()?,
            Existing::Refuse | Existing::Resume => {}
        }
        Journal::open(&place.journal(), self.hash(), &mut |row| tally.take(&row))
    }

    /// Computes the runs that the journal lacks.
    fn compute(
        &self,
        journal: &mut Journal,
        ensemble: &Ensemble,
        tally: &mut Tally,
        progress: &mut dyn FnMut(SweepProgress) -> ControlFlow<()>,
    ) -> Result<SweepEnd, DatasetError> {
        let runs = self.runs();
        let at = |tally: &Tally| SweepProgress {
            done: tally.succeeded + tally.failed,
            runs,
            failed: tally.failed,
        };
        if journal.rows() > 0 && progress(at(tally)).is_break() {
            return Ok(SweepEnd::Cancelled);
        }
        let mut stopped = None;
        let end = ensemble.run(self, journal.rows()..runs, &mut |index, result| {
            let row = row_of(self, index, &result);
            if let Err(error) = journal.push(&row) {
                stopped = Some(error);
                return ControlFlow::Break(());
            }
            tally.take(&row);
            progress(at(tally))
        })?;
        match (stopped, end) {
            (Some(error), _) => Err(error),
            (None, EnsembleEnd::Completed) => Ok(SweepEnd::Completed),
            (None, EnsembleEnd::Cancelled) => Ok(SweepEnd::Cancelled),
        }
    }

    /// Makes the dataset of the journal.
    fn assemble(&self, place: &Place, format: Format) -> Result<(), DatasetError> {
        let path = place.content();
        let columns = written_columns(self.columns(), self.plan().columns);
        let file = File::create(&path).map_err(DatasetError::io(&path, "made"))?;
        let mut writer = format.writer(file, &path, self, &self.columns()[..columns])?;
        let journal = place.journal();
        let mut rows = Rows::open(&journal, self.hash())?;
        let mut count = 0;
        while let Some(row) = rows.next_row().map_err(DatasetError::io(&journal, "read"))? {
            count += 1;
            if is_ok(&row) || self.plan().failed_rows == FailedRows::Keep {
                writer.push(row.get(..columns).unwrap_or(&row))?;
            }
        }
        if count < self.runs() {
            let source = std::io::Error::other(format!("row {count} was damaged after it was written"));
            return Err(DatasetError::Io { path: journal, action: "read back", source });
        }
        writer.finish()
    }
}

impl SweepOptions {
    /// The token that stops the sweep from any thread.
    #[must_use]
    pub fn cancel_token(&self) -> CancelToken {
        self.ensemble.cancel.clone()
    }
}
