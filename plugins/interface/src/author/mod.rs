//! What a plugin author implements: four traits over plain types.
//!
//! A type implements [`Component`] (how it is made, opened, watched and closed) and one of
//! [`Connector`], [`Publisher`], [`Transport`], [`Exporter`]; then [`export!`](crate::export) makes a
//! loadable library of it. The kit around it holds the promises that a safe trait can not:
//!
//! - calls on one instance come one at a time, though from different threads;
//! - a panic is caught inside the plugin, becomes an error that names the method, and fences the
//!   instance: every later call but `close` answers [`ErrorClass::Fatal`](crate::value::ErrorClass);
//! - a configuration that does not fit is refused with the path of the field before `create` runs.
//!
//! A plugin carries bytes over one protocol and classifies its errors. Retry, circuit breaking,
//! batching and dead letters belong to the runtime.

mod shield;

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub(crate) use shield::{Shield, contain};

use crate::{
    host::Host,
    value::{
        BatchToken, Cursor, Drained, Endpoint, Fetch, FetchLimits, Health, PluginError, PublishContext,
        PublisherTraits, RecordResult, RecordView, Verdict,
    },
};

/// What a plugin's methods answer.
pub type Result<T, E = PluginError> = std::result::Result<T, E>;

/// The life of one instance: create, open, work, drain, close.
pub trait Component: Sized + Send + 'static {
    /// The configuration. Its JSON Schema is shown by `mfn plugin inspect`; give every field a doc
    /// comment, and refuse unknown fields with `#[serde(deny_unknown_fields)]`.
    type Config: DeserializeOwned + JsonSchema;

    /// Makes an instance and checks the values of its configuration, without I/O.
    ///
    /// # Errors
    /// [`ErrorClass::Permanent`](crate::value::ErrorClass) that names the field, the value and the allowed range.
    fn create(config: Self::Config, host: Host) -> Result<Self>;

    /// Takes up the work: opens files, binds sockets, connects. Called once.
    ///
    /// # Errors
    /// When it can not; the instance is then closed.
    fn open(&mut self) -> Result<()>;

    /// The last known health, without I/O. While another call is running the host sees the health
    /// that the instance had before it.
    fn health(&self) -> Health {
        Health::ready()
    }

    /// Tries the real thing (reach the target, list the directory) without side effects.
    ///
    /// # Errors
    /// What an operator has to put right.
    fn check(&mut self) -> Result<()>;

    /// Where it can be reached, after `open`.
    fn endpoints(&self) -> Vec<Endpoint> {
        Vec::new()
    }

    /// Finishes what was accepted, at most for `timeout`, and says what is left.
    ///
    /// # Errors
    /// When finishing failed.
    fn drain(&mut self, timeout: Duration) -> Result<Drained> {
        let _ = timeout;
        Ok(Drained::default())
    }

    /// Releases everything. Safe to call twice and after any error.
    ///
    /// # Errors
    /// When something could not be released cleanly.
    fn close(&mut self) -> Result<()>;
}

/// Reads records in.
pub trait Connector: Component {
    /// Brings the next records, or says that there are none. A record that was brought stays
    /// outstanding until it is settled; it is not brought twice meanwhile.
    ///
    /// # Errors
    /// When the source can not be read. Nothing is lost by it.
    fn fetch(&mut self, limits: FetchLimits) -> Result<Fetch>;

    /// Learns the fate of every record of a batch, in the batch's order. A token settles once; a
    /// batch that is never settled counts as not done and comes again after a restart.
    ///
    /// # Errors
    /// An unknown or spent token, another number of verdicts, or when the fate can not be made durable.
    fn settle(&mut self, token: BatchToken, verdicts: &[Verdict]) -> Result<()>;

    /// The position behind the contiguous settled prefix of a partition: opaque, at most 4096 bytes.
    ///
    /// # Errors
    /// When the partition is not known.
    fn position(&mut self, partition: &str) -> Result<Vec<u8>>;

    /// Stops bringing records until [`resume`](Self::resume); what is outstanding may still be settled.
    ///
    /// # Errors
    /// When the source refuses.
    fn pause(&mut self) -> Result<()>;

    /// Brings records again.
    ///
    /// # Errors
    /// When the source refuses.
    fn resume(&mut self) -> Result<()>;

    /// How many records wait to be fetched, where the source can tell cheaply.
    fn backlog(&mut self) -> Option<u64> {
        None
    }
}

/// Delivers records to a durable target.
pub trait Publisher: Component {
    /// What it can take and promise. Constant for an instance.
    fn traits(&self) -> PublisherTraits;

    /// Delivers the records and answers for each, in their order: always as many answers as records.
    ///
    /// # Errors
    /// Only when no record was tried.
    fn publish(&mut self, records: &[RecordView<'_>], context: PublishContext) -> Result<Vec<RecordResult>>;

    /// Makes everything that was answered with success durable, at most for `timeout`.
    ///
    /// # Errors
    /// When durability can not be had.
    fn flush(&mut self, timeout: Duration) -> Result<()>;
}

/// Hands events to whoever listens.
pub trait Transport: Component {
    /// Offers an event to the clients of a topic and gives its place. Never waits for a client.
    ///
    /// # Errors
    /// When the event can not be taken at all, for example above the size limit.
    fn publish(&mut self, topic: &str, event: &RecordView<'_>) -> Result<Cursor>;
}

/// Shows the host's metrics to a monitoring system. It reads [`Host::metrics`] when it is asked.
pub trait Exporter: Component {
    /// Sends what a pushing exporter holds back; nothing to do for one that is scraped.
    ///
    /// # Errors
    /// When it could not be sent.
    fn flush(&mut self, timeout: Duration) -> Result<()> {
        let _ = timeout;
        Ok(())
    }
}
