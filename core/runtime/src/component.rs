//! The runtime's own traits for the four kinds of component, free of any library-boundary type.
//!
//! Whatever a component is made of (a Rust plugin today, a C plugin later, a scripted one in a test),
//! the runtime sees these traits and nothing else. They differ from the author's traits of
//! `mfn_plugin` in one point: methods take `&self` and may be called from any thread, so that health
//! can be read and a component closed while another thread is inside a call.

use std::time::Duration;

use mfn_plugin::value::{
    BatchToken, Cursor, Drained, Endpoint, ErrorClass, Fetch, FetchLimits, Health, PluginError,
    PublishContext, PublisherTraits, RecordResult, RecordView, Verdict,
};

/// A failure of one component, with its origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{component} (plugin {plugin}): {method}: {error}")]
pub struct ComponentError {
    /// The instance's name in the configuration.
    pub component: String,
    /// The plugin that it is an instance of.
    pub plugin: String,
    /// The method that failed.
    pub method: &'static str,
    /// What the plugin said.
    pub error: PluginError,
}

impl ComponentError {
    /// What the caller should do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.error.class
    }
}

/// What a component's methods answer.
pub type Result<T, E = ComponentError> = std::result::Result<T, E>;

/// The life of one instance. Contracts as in [`mfn_plugin::author::Component`].
pub trait Component: Send + Sync {
    /// The instance's name.
    fn name(&self) -> &str;

    /// The plugin it is an instance of.
    fn plugin(&self) -> &str;

    /// Takes up the work.
    ///
    /// # Errors
    /// When it can not; close it then.
    fn open(&self) -> Result<()>;

    /// The last known health. Never blocks.
    fn health(&self) -> Health;

    /// Tries the real thing without side effects.
    ///
    /// # Errors
    /// What an operator has to put right.
    fn check(&self) -> Result<()>;

    /// Where it can be reached.
    ///
    /// # Errors
    /// When the instance is fenced.
    fn endpoints(&self) -> Result<Vec<Endpoint>>;

    /// Finishes what was accepted, at most for `timeout`.
    ///
    /// # Errors
    /// When finishing failed.
    fn drain(&self, timeout: Duration) -> Result<Drained>;

    /// Releases everything. Safe twice.
    ///
    /// # Errors
    /// When something could not be released cleanly.
    fn close(&self) -> Result<()>;
}

/// Reads records in. Contracts as in [`mfn_plugin::author::Connector`].
pub trait Connector: Component {
    /// Brings the next records.
    ///
    /// # Errors
    /// When the source can not be read; nothing is lost by it.
    fn fetch(&self, limits: FetchLimits) -> Result<Fetch>;

    /// Tells the fate of every record of a batch.
    ///
    /// # Errors
    /// When the fate could not be made durable, or the token is unknown.
    fn settle(&self, token: BatchToken, verdicts: &[Verdict]) -> Result<()>;

    /// The position behind the contiguous settled prefix of a partition.
    ///
    /// # Errors
    /// When the partition is unknown.
    fn position(&self, partition: &str) -> Result<Vec<u8>>;

    /// Stops bringing records.
    ///
    /// # Errors
    /// When the source refuses.
    fn pause(&self) -> Result<()>;

    /// Brings records again.
    ///
    /// # Errors
    /// When the source refuses.
    fn resume(&self) -> Result<()>;

    /// How many records wait to be fetched, where the source can tell.
    ///
    /// # Errors
    /// When the instance is fenced.
    fn backlog(&self) -> Result<Option<u64>>;
}

/// Delivers records. Contracts as in [`mfn_plugin::author::Publisher`].
pub trait Publisher: Component {
    /// What it can take and promise.
    ///
    /// # Errors
    /// When the instance is fenced.
    fn traits(&self) -> Result<PublisherTraits>;

    /// Delivers the records and answers for each.
    ///
    /// # Errors
    /// When no record was tried. Another number of answers than records is a breach of the contract
    /// and comes as an error of class [`ErrorClass::Unknown`].
    fn publish(&self, records: &[RecordView<'_>], context: PublishContext) -> Result<Vec<RecordResult>>;

    /// Makes what was answered durable.
    ///
    /// # Errors
    /// When durability can not be had.
    fn flush(&self, timeout: Duration) -> Result<()>;
}

/// Hands events to whoever listens. Contracts as in [`mfn_plugin::author::Transport`].
pub trait Transport: Component {
    /// Offers an event to the clients of a topic.
    ///
    /// # Errors
    /// When the event can not be taken at all.
    fn publish(&self, topic: &str, event: &RecordView<'_>) -> Result<Cursor>;
}

/// Shows metrics. Contracts as in [`mfn_plugin::author::Exporter`].
pub trait Exporter: Component {
    /// Sends what is held back.
    ///
    /// # Errors
    /// When it could not be sent.
    fn flush(&self, timeout: Duration) -> Result<()>;
}
