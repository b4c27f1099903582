//! A plugin whose work costs nothing, so that a call of it costs what the boundary costs: the bench of crossings
//! (`ffi/benches/crossing`) loads it. The publisher accepts every record unread; the connector brings records that were
//! made beforehand as often as it is asked.

use std::time::Duration;

use mfn_plugin::{
    author::{Component, Connector, Publisher, Result},
    host::Host,
    value::{
        Batch, BatchToken, Fetch, FetchLimits, Idempotence, Ordering, PublishContext, PublisherTraits,
        Record, RecordResult, RecordView, Verdict,
    },
};

/// What the connector brings.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Records of a batch.
    records: usize,
    /// Payload bytes of a record.
    payload_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { records: 1, payload_bytes: 100 }
    }
}

/// One instance of either kind.
struct Null {
    records: Vec<Record>,
    token: u64,
}

impl Component for Null {
    type Config = Config;

    fn create(config: Config, _: Host) -> Result<Self> {
        let record = |n: usize| Record {
            id: format!("record-{n}"),
            payload: vec![b'x'; config.payload_bytes],
            content_type: "application/json".to_owned(),
            ..Record::default()
        };
        Ok(Self { records: (0..config.records).map(record).collect(), token: 0 })
    }

    fn open(&mut self) -> Result<()> {
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Connector for Null {
    fn fetch(&mut self, _: FetchLimits) -> Result<Fetch> {
        self.token += 1;
        Ok(Fetch::Batch(Batch {
            token: BatchToken(self.token),
            partition: String::new(),
            epoch: 1,
            records: self.records.clone(),
        }))
    }

    fn settle(&mut self, _: BatchToken, _: &[Verdict]) -> Result<()> {
        Ok(())
    }

    fn position(&mut self, _: &str) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn pause(&mut self) -> Result<()> {
        Ok(())
    }

    fn resume(&mut self) -> Result<()> {
        Ok(())
    }

    fn backlog(&mut self) -> Option<u64> {
        None
    }
}

impl Publisher for Null {
    fn traits(&self) -> PublisherTraits {
        PublisherTraits {
            records_max: 1000,
            bytes_max: 16 << 20,
            ordering: Ordering::All,
            idempotence: Idempotence::Native,
        }
    }

    fn publish(&mut self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
        Ok(vec![Ok(()); records.len()])
    }

    fn flush(&mut self, _: Duration) -> Result<()> {
        Ok(())
    }
}

mfn_plugin::export! {
    name: "null",
    version: "1.0.0",
    about: "Does nothing, to measure what a call costs.",
    connector: Null,
    publisher: Null,
}
