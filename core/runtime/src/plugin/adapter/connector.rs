//! A plugin's connector as the runtime's [`Connector`].

use std::time::Duration;

use abi_stable::std_types::{RBox, RVec};
use mfn_plugin::{
    abi::{SConnector_TO, SVerdict, duration_ms},
    value::{Batch, BatchToken, ErrorClass, Fetch, FetchLimits, PluginError, Verdict},
};

use super::{Instance, Settlement, delegate_component};
use crate::component::{Connector, Result};

/// The longest position in bytes.
const POSITION_BYTES_MAX: usize = 4096;

pub(super) struct ConnectorAdapter {
    instance: Instance,
    object: SConnector_TO<'static, RBox<()>>,
    settlement: Settlement,
}

impl ConnectorAdapter {
    pub(super) fn new(instance: Instance, object: SConnector_TO<'static, RBox<()>>) -> Self {
        Self { instance, object, settlement: Settlement::default() }
    }

    fn plugin_settle(&self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        let verdicts: Vec<SVerdict> = verdicts.iter().map(SVerdict::from).collect();
        self.instance.call("settle", || self.object.settle(token.0, verdicts.as_slice().into()))
    }

    /// Gives a batch that broke the contract back to its source and makes an error of it. The error is
    /// fatal: a connector that miscounts would go on doing so, and the runtime's memory depends on it.
    fn give_back(&self, batch: &Batch, message: String) -> crate::component::ComponentError {
        let verdicts = vec![Verdict::Nack { delay: Duration::ZERO }; batch.records.len()];
        // Should this fail as well, the batch stays outstanding and comes again after a restart.
        let _ = self.plugin_settle(batch.token, &verdicts);
        self.instance.breach("fetch", ErrorClass::Fatal, message)
    }
}

delegate_component!(ConnectorAdapter);

impl Connector for ConnectorAdapter {
    fn fetch(&self, limits: FetchLimits) -> Result<Fetch> {
        let fetched = self.instance.call("fetch", || {
            self.object.fetch(limits.records_max, limits.bytes_max, duration_ms(limits.timeout))
        })?;
        let fetch = Fetch::try_from(fetched)
            .map_err(|error| self.instance.breach("fetch", error.class, error.message))?;
        let Fetch::Batch(batch) = &fetch else { return Ok(fetch) };
        if !self.settlement.fetched(batch.token, batch.records.len()) {
            let message = format!("token {} came while it was outstanding", batch.token.0);
            return Err(self.instance.breach("fetch", ErrorClass::Fatal, message));
        }
        match breach_of_limits(batch, limits) {
            None => Ok(fetch),
            Some(message) => {
                self.settlement.end(batch.token, true);
                Err(self.give_back(batch, message))
            }
        }
    }

    fn settle(&self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        self.settlement
            .begin(token, verdicts.len())
            .map_err(|message| self.instance.identity.error("settle", PluginError::permanent(message)))?;
        let outcome = self.plugin_settle(token, verdicts);
        self.settlement.end(token, outcome.is_ok());
        outcome
    }

    fn position(&self, partition: &str) -> Result<Vec<u8>> {
        let position = self.instance.call("position", || self.object.position(partition.into()))?;
        if position.len() > POSITION_BYTES_MAX {
            let message = format!("a position of {} bytes; {POSITION_BYTES_MAX} at most", position.len());
            return Err(self.instance.breach("position", ErrorClass::Permanent, message));
        }
        Ok(RVec::into_vec(position))
    }

    fn pause(&self) -> Result<()> {
        self.instance.call("pause", || self.object.pause())
    }

    fn resume(&self) -> Result<()> {
        self.instance.call("resume", || self.object.resume())
    }

    fn backlog(&self) -> Result<Option<u64>> {
        Ok(self.instance.call("backlog", || self.object.backlog())?.into_option())
    }
}

/// Says how a batch is more than was asked for, or not what a batch is.
fn breach_of_limits(batch: &Batch, limits: FetchLimits) -> Option<String> {
    let records = batch.records.len();
    let bytes: u64 = batch.records.iter().map(|record| record.payload.len() as u64).sum();
    if records as u64 > u64::from(limits.records_max.max(1)) {
        return Some(format!("{records} records; {} were asked for", limits.records_max));
    }
    if records > 1 && bytes > limits.bytes_max {
        return Some(format!("{bytes} bytes in {records} records; {} were asked for", limits.bytes_max));
    }
    batch.records.iter().any(|record| record.id.is_empty()).then(|| "a record without an id".to_owned())
}
