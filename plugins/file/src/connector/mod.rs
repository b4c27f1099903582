//! The file connector: complete files in, one record for each file or line, settled exactly once each.
//!
//! A file is taken when it has stopped changing, in the order of names. Its records get ids that stay the
//! same over restarts: the file's name, with `#` and the line's number for lines; when a name comes back
//! with other content the ids carry `@` and a part of its SHA-256 after the name. A settlement is written to
//! the journal and synchronised before the file is moved or deleted, so after `kill -9` a record may come
//! twice but is never lost, and a file whose end was just missed is moved or deleted at the next start.
//!
//! What can not be processed never holds up the next: a line or file above its limit, text that is not
//! UTF-8, or, at the end of a run, a file that can not be read comes as a record with the header
//! `mfn-fault`, whose value is the reason to reject it with. Directories, FIFOs and the like are left alone.

pub(crate) mod config;
mod content;
mod dispose;
mod flight;
mod intake;
mod journal;
mod ledger;
mod lines;
mod reading;
mod record;
mod scan;

use std::{
    thread,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Connector, Result},
    host::Host,
    value::{Batch, BatchToken, Drained, Fetch, FetchLimits, Health, HealthState, PluginError, Verdict},
};

use config::{ConnectorConfig, Settings};
use intake::Intake;
use scan::Scan;

use crate::durable;

/// A fetch with nothing outstanding waits at most this long, so that other calls are not held up.
const WAIT_MAX: Duration = Duration::from_millis(250);
/// With batches outstanding it waits less: their settlement needs the instance.
const WAIT_OUTSTANDING_MAX: Duration = Duration::from_millis(20);
/// The most bytes of a position.
const POSITION_BYTES_MAX: usize = 4096;

/// Reads files of a directory or a list. See [`ConnectorConfig`].
#[derive(Debug)]
pub struct FileConnector {
    settings: Settings,
    host: Host,
    intake: Option<Intake>,
    is_paused: bool,
}

impl FileConnector {
    fn intake(&mut self) -> Result<&mut Intake> {
        self.intake
            .as_mut()
            .ok_or_else(|| PluginError::permanent("the connector is not open; call open first"))
    }

    fn partition_check(&self, partition: &str) -> Result<()> {
        if partition == self.settings.partition {
            return Ok(());
        }
        let known = &self.settings.partition;
        Err(PluginError::permanent(format!(
            "partition: {partition:?} is not known; the only one is {known:?}"
        )))
    }
}

impl Component for FileConnector {
    type Config = ConnectorConfig;

    fn create(config: ConnectorConfig, host: Host) -> Result<Self> {
        let settings = Settings::new(config, &host)?;
        Ok(Self { settings, host, intake: None, is_paused: false })
    }

    fn open(&mut self) -> Result<()> {
        self.intake = Some(Intake::open(self.settings.clone(), &self.host)?);
        Ok(())
    }

    fn health(&self) -> Health {
        match &self.intake {
            None => Health::new(HealthState::Starting, ""),
            Some(intake) if intake.trouble.is_empty() => Health::ready(),
            Some(intake) => Health::new(HealthState::Degraded, intake.trouble.clone()),
        }
    }

    fn check(&mut self) -> Result<()> {
        let source = format!("directory {}", self.settings.partition);
        Scan::run(&self.settings).map_err(|error| PluginError::io(&source, &error))?;
        let state = &self.settings.state_file;
        durable::check_writable(durable::parent(state))
            .map_err(|error| PluginError::io(&format!("state_file {}", state.display()), &error))
    }

    fn drain(&mut self, _timeout: Duration) -> Result<Drained> {
        Ok(Drained { records_left: self.intake.as_ref().map_or(0, Intake::outstanding) })
    }

    fn close(&mut self) -> Result<()> {
        self.intake = None;
        Ok(())
    }
}

impl Connector for FileConnector {
    fn fetch(&mut self, limits: FetchLimits) -> Result<Fetch> {
        let is_paused = self.is_paused;
        let partition = self.settings.partition.clone();
        let intake = self.intake()?;
        let wait_max = if intake.has_batches() { WAIT_OUTSTANDING_MAX } else { WAIT_MAX };
        let deadline = Instant::now() + limits.timeout.min(wait_max);
        loop {
            if !is_paused {
                if let Some((token, records)) = intake.gather(limits)? {
                    return Ok(Fetch::Batch(Batch { token, partition, epoch: 1, records }));
                }
                if intake.is_exhausted() {
                    return Ok(Fetch::End);
                }
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(Fetch::Empty);
            }
            let wake = intake.next_wake().filter(|_| !is_paused).map_or(deadline, |wake| wake.min(deadline));
            thread::sleep(wake.saturating_duration_since(now).max(Duration::from_millis(1)));
        }
    }

    fn settle(&mut self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        self.intake()?.settle(token, verdicts)
    }

    /// JSON: `file` is the first file with records that are not settled and `line` its last line
    /// before them, or `file` alone is the last one settled.
    fn position(&mut self, partition: &str) -> Result<Vec<u8>> {
        self.partition_check(partition)?;
        let (file, line) = self.intake()?.settled_through();
        let position = serde_json::json!({ "file": file, "line": line }).to_string().into_bytes();
        if position.len() > POSITION_BYTES_MAX {
            return Ok(serde_json::json!({ "line": line }).to_string().into_bytes());
        }
        Ok(position)
    }

    fn pause(&mut self) -> Result<()> {
        self.is_paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<()> {
        self.is_paused = false;
        Ok(())
    }

    fn backlog(&mut self) -> Option<u64> {
        self.intake.as_ref().and_then(Intake::backlog)
    }
}
