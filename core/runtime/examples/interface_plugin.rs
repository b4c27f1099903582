//! The plugin of the interface's matrix: `cargo xtask abi` keeps one built with each minor version of the interface
//! and loads it into the hosts of the others. It uses what the newest version added, and says whether its host has it.

use std::time::Duration;

use mfn_plugin::{
    author::{Component, Publisher, Result},
    host::Host,
    value::{
        Health, HealthState, Idempotence, Ordering, PluginError, PublishContext, PublisherTraits,
        RecordResult, RecordView,
    },
};

/// Accepts records and counts them.
struct Publishing {
    host: Host,
    accepted: usize,
}

/// No options.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {}

impl Component for Publishing {
    type Config = Config;

    fn create(_: Config, host: Host) -> Result<Self> {
        Ok(Self { host, accepted: 0 })
    }

    fn open(&mut self) -> Result<()> {
        Ok(())
    }

    fn check(&mut self) -> Result<()> {
        Ok(())
    }

    /// What the plugin took, and whether the host answers what interface 1.1 added.
    fn health(&self) -> Health {
        let added = self.host.health().is_some(); // since 1.1
        Health::new(HealthState::Ready, format!("{} accepted; host tells its health: {added}", self.accepted))
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Publisher for Publishing {
    fn traits(&self) -> PublisherTraits {
        PublisherTraits {
            records_max: 10,
            bytes_max: 1 << 20,
            ordering: Ordering::All,
            idempotence: Idempotence::None,
        }
    }

    fn publish(&mut self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
        let answer = |record: &RecordView<'_>| {
            if record.payload.is_empty() { Err(PluginError::permanent("an empty record")) } else { Ok(()) }
        };
        let answers: Vec<RecordResult> = records.iter().map(answer).collect();
        self.accepted += answers.iter().filter(|answer| answer.is_ok()).count();
        Ok(answers)
    }

    fn flush(&mut self, _: Duration) -> Result<()> {
        Ok(())
    }
}

mfn_plugin::export! {
    name: "interface",
    version: "1.0.0",
    about: "Accepts records, for the matrix of interface versions.",
    publisher: Publishing,
}
