//! A whole plugin in one file: a publisher that counts the records of each content type and keeps the
//! counts in a file.
//!
//! `docs/plugins.md` walks through it. It shows everything a plugin needs and nothing more: a typed
//! configuration that is checked before any I/O, errors that say what the caller should do, one answer
//! per record, a file that is replaced whole, a metric and a log line.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use mfn_plugin::{
    author::{Component, Publisher, Result},
    host::{Host, Metric},
    value::{Idempotence, Ordering, PluginError, PublishContext, PublisherTraits, RecordResult, RecordView},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// The most content types that may be counted; bounds the memory of an instance.
const KINDS_LIMIT: usize = 10_000;

/// How to count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The file that holds the counts, one line `count content-type` each. A relative path starts at the
    /// directory of the pipeline's configuration.
    path: PathBuf,
    /// The most content types to count, 1 to 10000. A record of a further type is refused.
    #[serde(default = "default_kinds_max")]
    kinds_max: usize,
}

fn default_kinds_max() -> usize {
    100
}

/// Counts the records of each content type.
pub struct Counter {
    path: PathBuf,
    kinds_max: usize,
    counts: BTreeMap<String, u64>,
    counted: Metric,
}

impl Component for Counter {
    type Config = Config;

    // No I/O here: `mfn check` creates every component of a configuration to find its faults.
    fn create(config: Config, host: Host) -> Result<Self> {
        if !(1..=KINDS_LIMIT).contains(&config.kinds_max) {
            return Err(PluginError::permanent(format!(
                "kinds_max: {} is not in 1..={KINDS_LIMIT}",
                config.kinds_max
            )));
        }
        Ok(Self {
            path: host.resolve(&config.path),
            kinds_max: config.kinds_max,
            counts: BTreeMap::new(),
            counted: host.counter("mfn_counter_records_total", "Records counted.", &[]),
        })
    }

    // Counting goes on where an earlier life of the plugin stopped.
    fn open(&mut self) -> Result<()> {
        match fs::read_to_string(&self.path) {
            Ok(text) => self.counts = parse(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(PluginError::io(&self.path.display().to_string(), &error)),
        }
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        let parent = self.path.parent().unwrap_or(&self.path);
        fs::metadata(parent).map(drop).map_err(|error| PluginError::io(&parent.display().to_string(), &error))
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Publisher for Counter {
    fn traits(&self) -> PublisherTraits {
        PublisherTraits {
            records_max: 1000,
            bytes_max: 16 << 20,
            ordering: Ordering::All,
            // A record that is delivered twice is counted twice.
            idempotence: Idempotence::None,
        }
    }

    fn publish(&mut self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
        Ok(records.iter().map(|record| self.count(record)).collect())
    }

    // Success was promised per record in `publish`; here it becomes durable.
    fn flush(&mut self, _: Duration) -> Result<()> {
        let text: String = self.counts.iter().map(|(kind, count)| format!("{count} {kind}\n")).collect();
        let hidden = self.path.with_extension("partial");
        fs::write(&hidden, text)
            .and_then(|()| fs::File::open(&hidden)?.sync_all())
            .and_then(|()| fs::rename(&hidden, &self.path))
            .map_err(|error| PluginError::io(&self.path.display().to_string(), &error))?;
        tracing::debug!(content_types = self.counts.len(), "counts written");
        Ok(())
    }
}

impl Counter {
    fn count(&mut self, record: &RecordView<'_>) -> RecordResult {
        let kind = if record.content_type.is_empty() { "unknown" } else { record.content_type };
        if !self.counts.contains_key(kind) && self.counts.len() >= self.kinds_max {
            // Permanent: trying again can not help, so the runtime writes a dead letter.
            return Err(PluginError::permanent(format!(
                "content type {kind:?} would be number {} of at most {}: raise kinds_max",
                self.counts.len() + 1,
                self.kinds_max
            )));
        }
        *self.counts.entry(kind.to_owned()).or_default() += 1;
        self.counted.increment();
        Ok(())
    }
}

/// Reads the lines that `flush` writes.
fn parse(text: &str) -> Result<BTreeMap<String, u64>> {
    text.lines()
        .map(|line| {
            let (count, kind) = line.split_once(' ')?;
            Some((kind.to_owned(), count.parse().ok()?))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| PluginError::permanent("the file of counts is damaged: move it away to start anew"))
}

mfn_plugin::export! {
    name: "counter",
    version: env!("CARGO_PKG_VERSION"),
    about: "Counts records by content type.",
    publisher: Counter,
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// Guards: counts survive a restart, and a damaged file is an error, not a fresh start.
    #[test]
    fn counts_are_read_back_or_refused() {
        let counts = parse("3 application/json\n1 text/csv; header=present\n").unwrap();
        assert_eq!(counts.get("application/json"), Some(&3));
        assert_eq!(counts.get("text/csv; header=present"), Some(&1));
        assert!(parse("three application/json\n").is_err());
        assert!(parse("3\n").is_err());
    }
}
