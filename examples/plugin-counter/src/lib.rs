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
    use std::{path::Path, time::Duration};

    use mfn_plugin::{
        checker::{self, Setup},
        testing::MemoryHost,
        value::{ErrorClass, Record},
    };

    use super::*;

    const CONTEXT: PublishContext = PublishContext { attempt: 1, timeout: Duration::from_secs(1) };

    fn counter(host: &MemoryHost, directory: &Path, kinds_max: usize) -> Result<Counter> {
        Counter::create(Config { path: "counts.txt".into(), kinds_max }, host.instance("counts", directory))
    }

    fn record(content_type: &str) -> Record {
        Record { id: "1".into(), content_type: content_type.into(), ..Record::default() }
    }

    /// Guards: the contract of publishers, as the kit's checker knows it.
    #[test]
    fn the_contract_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let setup = Setup::new(serde_json::json!({ "path": "counts.txt" }), directory.path());
        checker::publisher::<Counter>(&setup).assert_clean();
    }

    /// Guards: counts survive a restart, and are as many as the metric says.
    #[test]
    fn counting_goes_on_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let host = MemoryHost::new();
        for _ in 0..2 {
            let mut counter = counter(&host, directory.path(), 10).unwrap();
            counter.open().unwrap();
            let (json, csv) = (record("application/json"), record("text/csv; header=present"));
            counter.publish(&[json.view(), csv.view(), json.view()], CONTEXT).unwrap();
            counter.flush(Duration::from_secs(1)).unwrap();
            counter.close().unwrap();
        }
        let text = fs::read_to_string(directory.path().join("counts.txt")).unwrap();
        assert_eq!(text, "4 application/json\n2 text/csv; header=present\n");
        assert!((host.number("mfn_counter_records_total", &[]) - 6.0).abs() < f64::EPSILON);
    }

    /// Guards: each record has its own answer, and what can not be counted says so for good.
    #[test]
    fn a_type_too_many_is_refused_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut counter = counter(&MemoryHost::new(), directory.path(), 1).unwrap();
        counter.open().unwrap();
        let (first, second) = (record("a"), record("b"));
        let answers = counter.publish(&[first.view(), second.view(), first.view()], CONTEXT).unwrap();
        assert_eq!((answers[0].is_ok(), answers[2].is_ok()), (true, true));
        assert_eq!(answers[1].as_ref().unwrap_err().class, ErrorClass::Permanent);
    }

    /// Guards: a damaged file and a wrong configuration are errors, not a fresh start.
    #[test]
    fn what_is_wrong_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let host = MemoryHost::new();
        assert!(counter(&host, directory.path(), 0).is_err());
        for text in ["three application/json\n", "3\n"] {
            fs::write(directory.path().join("counts.txt"), text).unwrap();
            let error = counter(&host, directory.path(), 10).unwrap().open().unwrap_err();
            assert_eq!(error.class, ErrorClass::Permanent);
        }
    }
}
