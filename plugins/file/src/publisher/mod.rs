//! The file publisher: records out, as whole files or whole lines, under names that never collide.
//!
//! A record that was answered with success is in a file, and after a flush it is on disk. After `kill -9`
//! there is no half file and no half line in the way: temporary files are removed and a torn last line is
//! moved aside when the next instance opens. A record that comes again is written again.

pub(crate) mod config;
mod encode;
mod series;
mod singles;
mod table;

use std::{fs, io, path::PathBuf, time::Duration};

use mfn_plugin::{
    author::{Component, Publisher, Result},
    host::Host,
    value::{
        ErrorClass, Health, HealthState, Idempotence, Ordering, PluginError, PublishContext, PublisherTraits,
        RecordResult, RecordView,
    },
};

use config::{Mode, PublisherConfig, TargetFormat};
use series::Series;
use singles::Singles;
use table::Table;

use crate::durable;

const RECORDS_MAX: u32 = 10_000;
const BYTES_MAX: u64 = 64 << 20;
/// The longest header line of a table that is continued.
const HEADER_BYTES_MAX: usize = 4 << 20;

/// Where records go.
#[derive(Debug)]
enum Target {
    Lines(Series),
    Files(Singles),
}

/// Writes records into a directory. See [`PublisherConfig`].
#[derive(Debug)]
pub struct FilePublisher {
    config: PublisherConfig,
    directory: PathBuf,
    target: Option<Target>,
    table: Option<Table>,
    trouble: String,
}

impl FilePublisher {
    /// Classifies an error and shows it in the health.
    fn failed(&mut self, error: &io::Error) -> PluginError {
        let error = PluginError::io(&format!("directory {}", self.config.directory.display()), error);
        self.trouble.clone_from(&error.message);
        error
    }

    /// A record as a line with its line end. The first row of a table decides its columns.
    fn encode(&mut self, record: &RecordView<'_>) -> Result<Vec<u8>> {
        match self.config.format {
            TargetFormat::Raw => Ok(record.payload.to_vec()),
            TargetFormat::Jsonl if self.config.include_headers => encode::envelope_line(record),
            TargetFormat::Jsonl => encode::json_line(record),
            TargetFormat::Csv => {
                let table = match &self.table {
                    Some(table) => table,
                    None => self.table.insert(Table::from_first(record.payload)?),
                };
                table.row(record.payload)
            }
        }
    }

    fn header(&self) -> Result<Vec<u8>> {
        self.table.as_ref().map_or(Ok(Vec::new()), Table::header)
    }

    /// Opens the series; the table of a file that goes on is taken from its header line.
    fn open_lines(&mut self, directory: PathBuf) -> Result<Series> {
        let is_table = self.config.format == TargetFormat::Csv;
        let (mut series, first) = Series::open(
            directory,
            self.config.file_name.clone(),
            if is_table { "csv" } else { "jsonl" },
            self.config.rotate_bytes,
            self.config.fsync,
            HEADER_BYTES_MAX,
        )
        .map_err(|error| self.failed(&error))?;
        if let Some(line) = first.filter(|_| is_table) {
            self.table = Table::from_header(&line);
            if self.table.is_none() {
                // Not a table of this publisher: leave it, begin another.
                series.rotate();
            }
        }
        Ok(series)
    }

    fn publish_lines(&mut self, series: &mut Series, records: &[RecordView<'_>]) -> Vec<RecordResult> {
        let mut results: Vec<RecordResult> = Vec::with_capacity(records.len());
        let mut buffer = Vec::new();
        let mut buffered_from = 0;
        for record in records {
            let line = match self.encode(record) {
                Ok(line) => line,
                Err(error) => {
                    results.push(Err(error));
                    continue;
                }
            };
            if series.is_full_with(buffer.len(), line.len()) {
                self.commit(series, &mut buffer, results.get_mut(buffered_from..).unwrap_or_default());
                buffered_from = results.len();
                series.rotate();
            }
            buffer.extend_from_slice(&line);
            results.push(Ok(()));
        }
        self.commit(series, &mut buffer, results.get_mut(buffered_from..).unwrap_or_default());
        results
    }

    /// Appends the buffered lines; a failure becomes the answer of each of their records.
    fn commit(&mut self, series: &mut Series, buffer: &mut Vec<u8>, answers: &mut [RecordResult]) {
        if buffer.is_empty() {
            return;
        }
        let mut lines = std::mem::take(buffer);
        let header = if series.length() == 0 { self.header() } else { Ok(Vec::new()) };
        let written = header.and_then(|header| {
            lines.splice(0..0, header);
            series.append(&lines).map_err(|error| self.failed(&error))
        });
        match written {
            Ok(()) => self.trouble.clear(),
            Err(error) => answers.iter_mut().filter(|answer| answer.is_ok()).for_each(|answer| {
                *answer = Err(error.clone());
            }),
        }
    }

    fn publish_files(&mut self, singles: &mut Singles, records: &[RecordView<'_>]) -> Vec<RecordResult> {
        let mut results = Vec::with_capacity(records.len());
        for record in records {
            // Each file is a table of its own.
            self.table = None;
            let written = self.encode(record).and_then(|line| {
                let bytes = [self.header()?, line].concat();
                singles.write(&bytes, self.extension(record)).map_err(|error| self.failed(&error))
            });
            if written.is_ok() {
                self.trouble.clear();
            }
            results.push(written);
        }
        results
    }

    fn extension(&self, record: &RecordView<'_>) -> &'static str {
        match self.config.format {
            TargetFormat::Csv => "csv",
            TargetFormat::Jsonl => "json",
            TargetFormat::Raw => match record.content_type.split(';').next().unwrap_or_default().trim() {
                "application/json" => "json",
                "application/x-npy" => "npy",
                "text/csv" => "csv",
                "text/plain" => "txt",
                _ => "bin",
            },
        }
    }
}

impl Component for FilePublisher {
    type Config = PublisherConfig;

    fn create(config: PublisherConfig, host: Host) -> Result<Self> {
        config.validate()?;
        let directory = host.resolve(&config.directory);
        Ok(Self { config, directory, target: None, table: None, trouble: String::new() })
    }

    fn open(&mut self) -> Result<()> {
        let directory = self.directory.clone();
        fs::create_dir_all(&directory).map_err(|error| self.failed(&error))?;
        self.check()?;
        self.target = Some(match self.config.mode {
            Mode::Append => Target::Lines(self.open_lines(directory)?),
            Mode::FilePerRecord => {
                let prefix = self.config.file_name.clone();
                let singles = Singles::open(directory, prefix, self.config.fsync);
                Target::Files(singles.map_err(|error| self.failed(&error))?)
            }
        });
        Ok(())
    }

    fn health(&self) -> Health {
        match (&self.target, self.trouble.is_empty()) {
            (None, true) => Health::new(HealthState::Starting, ""),
            (Some(_), true) => Health::ready(),
            (_, false) => Health::new(HealthState::Down, self.trouble.clone()),
        }
    }

    /// Whether the directory, or the nearest one above it that is there, can be written to.
    fn check(&mut self) -> Result<()> {
        durable::check_writable(&self.directory).map_err(|error| self.failed(&error))
    }

    fn close(&mut self) -> Result<()> {
        let flushed = self.flush(Duration::MAX);
        self.target = None;
        flushed
    }
}

impl Publisher for FilePublisher {
    fn traits(&self) -> PublisherTraits {
        PublisherTraits {
            records_max: RECORDS_MAX,
            bytes_max: BYTES_MAX,
            ordering: Ordering::All,
            idempotence: if self.config.include_headers { Idempotence::Key } else { Idempotence::None },
        }
    }

    fn publish(&mut self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
        // Taken out so that the target and the rest of the publisher can be borrowed apart.
        let mut target = self
            .target
            .take()
            .ok_or_else(|| PluginError::permanent("the publisher is not open; call open first"))?;
        let results = match &mut target {
            Target::Lines(series) => self.publish_lines(series, records),
            Target::Files(singles) => self.publish_files(singles, records),
        };
        self.target = Some(target);
        Ok(results)
    }

    fn flush(&mut self, _: Duration) -> Result<()> {
        let flushed = match &mut self.target {
            None => Ok(()),
            Some(Target::Lines(series)) => series.flush(),
            Some(Target::Files(singles)) => singles.flush(),
        };
        flushed.map_err(|error| {
            let told = self.failed(&error);
            let is_blocked = told.class == ErrorClass::Blocked && error.kind() != io::ErrorKind::NotFound;
            // What was answered with success has to be sent again; where a file was deleted that helps.
            if is_blocked { told } else { PluginError::retryable(told.message) }
        })
    }
}
