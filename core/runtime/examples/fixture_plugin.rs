//! A plugin for the tests of the loader and the adapters: all four kinds in one library, each of which
//! misbehaves exactly as its configuration says.

use std::time::Duration;

use mfn_plugin::{
    author::{Component, Connector, Exporter, Publisher, Result, Transport},
    host::{Host, Metric},
    secret::Secret,
    value::{
        Batch, BatchToken, Cursor, Drained, Endpoint, ErrorClass, Fetch, FetchLimits, Health, HealthState,
        Idempotence, Ordering, PluginError, PublishContext, PublisherTraits, Record, RecordResult,
        RecordView, Verdict,
    },
};

/// What to do wrong.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The method that panics.
    panic_in: String,
    /// The method that answers an error of the class `error_class`.
    error_in: String,
    /// The number of an error class.
    error_class: i32,
    /// Answers of `publish` beyond the number of records.
    answers_extra: i64,
    /// Records that `fetch` brings.
    records: u32,
    /// Bytes of each record.
    payload_bytes: usize,
    /// Bring every batch under the same token.
    repeat_token: bool,
    /// Bring records without ids.
    empty_ids: bool,
    /// Length of a position in bytes.
    position_bytes: usize,
    /// Panic when the object is dropped.
    panic_in_drop: bool,
    /// The method that takes `hang_ms`.
    hang_in: String,
    /// Milliseconds.
    hang_ms: u64,
    /// Not used for anything.
    token: Option<Secret>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            panic_in: String::new(),
            error_in: String::new(),
            error_class: ErrorClass::Retryable.code(),
            answers_extra: 0,
            records: 2,
            payload_bytes: 8,
            repeat_token: false,
            empty_ids: false,
            position_bytes: 8,
            panic_in_drop: false,
            hang_in: String::new(),
            hang_ms: 0,
            token: None,
        }
    }
}

/// One instance of any kind.
struct Fixture {
    config: Config,
    host: Host,
    calls: Metric,
    token: u64,
    settled: Vec<(BatchToken, Vec<Verdict>)>,
}

impl Fixture {
    /// Logs and counts the call, then does what the configuration wants of it.
    fn enter(&self, method: &'static str) -> Result<()> {
        self.calls.increment();
        tracing::info!(method, "called");
        tracing::trace!("details");
        if self.config.hang_in == method {
            std::thread::sleep(Duration::from_millis(self.config.hang_ms));
        }
        if self.config.panic_in == method {
            match &self.config.token {
                None => panic!("told to panic"),
                // As a careless plugin would, with everything at hand.
                Some(_) => panic!("told to panic with {:?}", self.config),
            }
        }
        if self.config.error_in == method {
            return Err(PluginError::new(ErrorClass::from_code(self.config.error_class), "told to fail"));
        }
        Ok(())
    }
}

impl Component for Fixture {
    type Config = Config;

    fn create(config: Config, host: Host) -> Result<Self> {
        // Without the label for the component, which the host adds itself.
        let calls = host.counter("fixture_calls_total", "Calls of the fixture.", &[]);
        let fixture = Self { config, host, calls, token: 0, settled: Vec::new() };
        fixture.enter("create")?;
        Ok(fixture)
    }

    fn open(&mut self) -> Result<()> {
        self.enter("open")
    }

    fn health(&self) -> Health {
        if self.config.panic_in == "health" {
            panic!("told to panic");
        }
        Health::new(HealthState::Degraded, "as a fixture is")
    }

    fn check(&mut self) -> Result<()> {
        self.enter("check")
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        let _ = self.enter("endpoints");
        let url = format!("fixture://{}", self.host.instance());
        vec![Endpoint { name: "fixture".to_owned(), url }]
    }

    fn drain(&mut self, timeout: Duration) -> Result<Drained> {
        self.enter("drain")?;
        Ok(Drained { records_left: timeout.as_secs() })
    }

    fn close(&mut self) -> Result<()> {
        self.enter("close")
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        assert!(!self.config.panic_in_drop, "told to panic");
    }
}

impl Connector for Fixture {
    fn fetch(&mut self, _: FetchLimits) -> Result<Fetch> {
        self.enter("fetch")?;
        if self.config.records == 0 {
            return Ok(Fetch::End);
        }
        if !self.config.repeat_token {
            self.token += 1;
        }
        let record = |n| Record {
            id: if self.config.empty_ids { String::new() } else { format!("{}-{n}", self.token) },
            key: Some(vec![7]),
            payload: vec![1; self.config.payload_bytes],
            content_type: "application/x-fixture".to_owned(),
            headers: vec![("h".to_owned(), vec![0, 255])],
            timestamp_ms: Some(-1),
            trace_parent: "00-1-2-01".to_owned(),
        };
        Ok(Fetch::Batch(Batch {
            token: BatchToken(self.token),
            partition: "p".to_owned(),
            epoch: 3,
            records: (0..self.config.records).map(record).collect(),
        }))
    }

    fn settle(&mut self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        self.enter("settle")?;
        self.settled.push((token, verdicts.to_vec()));
        Ok(())
    }

    /// Zeros; for the partition `settled` what was settled, as text.
    fn position(&mut self, partition: &str) -> Result<Vec<u8>> {
        self.enter("position")?;
        if partition == "settled" {
            return Ok(format!("{:?}", self.settled).into_bytes());
        }
        Ok(vec![0; self.config.position_bytes])
    }

    fn pause(&mut self) -> Result<()> {
        self.enter("pause")
    }

    fn resume(&mut self) -> Result<()> {
        self.enter("resume")
    }

    fn backlog(&mut self) -> Option<u64> {
        let _ = self.enter("backlog");
        Some(11)
    }
}

impl Publisher for Fixture {
    fn traits(&self) -> PublisherTraits {
        let _ = self.enter("traits");
        PublisherTraits {
            records_max: 0,
            bytes_max: 99,
            ordering: Ordering::Key,
            idempotence: Idempotence::Native,
        }
    }

    /// Refuses records with an odd first byte, each with its id as the text.
    fn publish(&mut self, records: &[RecordView<'_>], context: PublishContext) -> Result<Vec<RecordResult>> {
        self.enter("publish")?;
        let answer = |record: &RecordView<'_>| match record.payload.first() {
            Some(first) if first % 2 == 1 => {
                let text = format!("{} at attempt {}", record.id, context.attempt);
                Err(PluginError { retry_after: Some(context.timeout), ..PluginError::permanent(text) })
            }
            _ => Ok(()),
        };
        let mut answers: Vec<RecordResult> = records.iter().map(answer).collect();
        let wanted = i64::try_from(answers.len()).unwrap_or(i64::MAX) + self.config.answers_extra;
        answers.resize_with(usize::try_from(wanted).unwrap_or(0), || Ok(()));
        Ok(answers)
    }

    fn flush(&mut self, _: Duration) -> Result<()> {
        self.enter("flush")
    }
}

impl Transport for Fixture {
    fn publish(&mut self, topic: &str, event: &RecordView<'_>) -> Result<Cursor> {
        self.enter("publish")?;
        Ok(Cursor { epoch: format!("{topic}/{}", event.id), sequence: event.payload.len() as u64 })
    }
}

impl Exporter for Fixture {
    /// Flushes nothing, and fails when the host's snapshot lacks the fixture's own counter.
    fn flush(&mut self, _: Duration) -> Result<()> {
        self.enter("flush")?;
        let own = self.host.metrics().into_iter().find(|family| family.name == "fixture_calls_total");
        own.map(|_| ()).ok_or_else(|| PluginError::fatal("the snapshot lacks fixture_calls_total"))
    }
}

mfn_plugin::export! {
    name: "fixture",
    version: "1.2.3",
    about: "Misbehaves as it is told.",
    connector: Fixture,
    publisher: Fixture,
    transport: Fixture,
    exporter: Fixture,
}
