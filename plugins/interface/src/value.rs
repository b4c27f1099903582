//! The plain values that plugins and the runtime exchange: records, batches, verdicts, results.
//!
//! They are ordinary Rust types, so neither a plugin author nor the runtime has to know how they are
//! carried across the library boundary (the [`abi`](crate::abi) module does that). A value here says
//! what happened or what is wanted; what to do about it (retry, dead letters, order) is the
//! runtime's business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::header_list::{HeaderIter, HeaderList};

/// What one plugin instance is: the four kinds differ by who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Reads records in, and is told the fate of each.
    Connector,
    /// Dials out and delivers records durably.
    Publisher,
    /// Listens, and hands events to whoever is connected; best effort, with exact gap reports.
    Transport,
    /// Reads the metrics registry and shows it to a monitoring system.
    Exporter,
}

impl Kind {
    /// All kinds, in the order in which they are listed everywhere.
    pub const ALL: [Self; 4] = [Self::Connector, Self::Publisher, Self::Transport, Self::Exporter];

    /// The lower-case name, as it stands in manifests and descriptors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connector => "connector",
            Self::Publisher => "publisher",
            Self::Transport => "transport",
            Self::Exporter => "exporter",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One message as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Identity, fixed before the first delivery attempt: the same message has the same id after a
    /// restart, so duplicates can be recognised. Never empty.
    pub id: String,
    /// Ordering key; records of one key keep their order where the publisher can promise it.
    pub key: Option<Vec<u8>>,
    /// The message itself.
    pub payload: Vec<u8>,
    /// Media type of `payload`, for example `application/json`. Empty when unknown.
    pub content_type: String,
    /// Further fields, in order; names may repeat.
    pub headers: Vec<(String, Vec<u8>)>,
    /// When the message arose, in milliseconds since the Unix epoch, where the source knows.
    pub timestamp_ms: Option<i64>,
    /// W3C `traceparent` of the operation that caused the message, or empty.
    pub trace_parent: String,
}

impl Record {
    /// Name of the header with which a connector marks a record that it could not read whole: its value
    /// says why, in UTF-8, and the record is rejected with that reason instead of being decoded.
    pub const FAULT_HEADER: &'static str = "mfn-fault";

    /// Borrows the record in the form publishers and transports receive.
    #[must_use]
    pub fn view(&self) -> RecordView<'_> {
        RecordView {
            id: &self.id,
            key: self.key.as_deref(),
            payload: &self.payload,
            content_type: &self.content_type,
            headers: self.headers.as_slice().into(),
            timestamp_ms: self.timestamp_ms,
            trace_parent: &self.trace_parent,
        }
    }
}

/// A record lent to a publisher or a transport for the length of one call. Fields as in [`Record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// See [`Record::id`].
    pub id: &'a str,
    /// See [`Record::key`].
    pub key: Option<&'a [u8]>,
    /// See [`Record::payload`].
    pub payload: &'a [u8],
    /// See [`Record::content_type`].
    pub content_type: &'a str,
    /// See [`Record::headers`].
    pub headers: HeaderList<'a>,
    /// See [`Record::timestamp_ms`].
    pub timestamp_ms: Option<i64>,
    /// See [`Record::trace_parent`].
    pub trace_parent: &'a str,
}

impl RecordView<'_> {
    /// Copies what is borrowed, for a plugin that keeps the record longer than the call.
    #[must_use]
    pub fn to_record(&self) -> Record {
        Record {
            id: self.id.to_owned(),
            key: self.key.map(<[u8]>::to_vec),
            payload: self.payload.to_vec(),
            content_type: self.content_type.to_owned(),
            headers: self.headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect(),
            timestamp_ms: self.timestamp_ms,
            trace_parent: self.trace_parent.to_owned(),
        }
    }
}

/// Names a fetched batch until it is settled. Tokens of one connector instance never repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchToken(pub u64);

/// Records of one partition that were fetched together and are settled together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What [`settle`](crate::author::Connector::settle) is called with.
    pub token: BatchToken,
    /// The partition: a directory, a topic partition, a feed. Order holds within it.
    pub partition: String,
    /// Counts the assignments of this partition; a settlement of an older epoch is void.
    pub epoch: u64,
    /// The records, in the partition's order. Not empty.
    pub records: Vec<Record>,
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// At least one record.
    Batch(Batch),
    /// Nothing within the time-out. Neither a request nor a failure.
    Empty,
    /// The source is exhausted: no record will come again, and all that were fetched are settled or
    /// still outstanding.
    End,
}

/// Bounds of one fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// The most records to bring; at least 1.
    pub records_max: u32,
    /// The most payload bytes to bring. A single record above it is still brought, alone.
    pub bytes_max: u64,
    /// How long to wait for a first record.
    pub timeout: Duration,
}

/// The fate of one record of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that had to be done is done and durable.
    Ack,
    /// Not done: bring the record again, not before the delay is over.
    Nack {
        /// How long to hold the record back.
        delay: Duration,
    },
    /// Never to be done: the record itself is at fault. Where a dead letter was wanted it is written.
    Reject {
        /// What is wrong with the record.
        reason: String,
    },
}

/// Classes of errors, named by what the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// Try again later.
    Retryable,
    /// Try again, not before [`PluginError::retry_after`].
    Throttled,
    /// Refused for the moment by credentials or a missing target: pause, keep the data, probe slowly.
    Blocked,
    /// Trying again cannot help: dead-letter the record, or correct the configuration.
    Permanent,
    /// Sent, but no answer: perhaps persisted. Try again only under the same id.
    Unknown,
    /// Given up because the caller asked for it.
    Cancelled,
    /// The instance is unusable and only `close` may follow.
    Fatal,
}

impl ErrorClass {
    /// The number that crosses the library boundary. Numbers are never reused.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Retryable => 1,
            Self::Throttled => 2,
            Self::Blocked => 3,
            Self::Permanent => 4,
            Self::Unknown => 5,
            Self::Cancelled => 6,
            Self::Fatal => 7,
        }
    }

    /// Reads a number from the other side. A class of a newer version reads as [`Self::Unknown`],
    /// the class that neither loses nor invents a record.
    #[must_use]
    pub const fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Retryable,
            2 => Self::Throttled,
            3 => Self::Blocked,
            4 => Self::Permanent,
            6 => Self::Cancelled,
            7 => Self::Fatal,
            _ => Self::Unknown,
        }
    }

    /// The snake-case name, as it stands in metrics and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Throttled => "throttled",
            Self::Blocked => "blocked",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
            Self::Fatal => "fatal",
        }
    }
}

/// Why a plugin could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PluginError {
    /// What the caller should do about it.
    pub class: ErrorClass,
    /// What happened and how to put it right, without secrets and full URLs.
    pub message: String,
    /// With [`ErrorClass::Throttled`]: the earliest time for the next attempt, from now.
    pub retry_after: Option<Duration>,
}

impl PluginError {
    /// An error of a class, with its text.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after: None }
    }

    /// Trying again later may help.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Retryable, message)
    }

    /// Trying again cannot help.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Permanent, message)
    }

    /// The instance cannot go on.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Fatal, message)
    }

    /// An I/O failure on something that `what` names; the class follows from its kind.
    #[must_use]
    pub fn io(what: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let class = match error.kind() {
            K::PermissionDenied | K::NotFound | K::ReadOnlyFilesystem => ErrorClass::Blocked,
            K::InvalidInput | K::InvalidData | K::Unsupported => ErrorClass::Permanent,
            _ => ErrorClass::Retryable,
        };
        Self::new(class, format!("{what}: {error}"))
    }
}

/// The answer for one published record.
pub type RecordResult = Result<(), PluginError>;

/// How a publish call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishContext {
    /// 1 for the first attempt at these records, then counting.
    pub attempt: u32,
    /// How long the call may take.
    pub timeout: Duration,
}

/// Which order a publisher can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ordering {
    /// None.
    None,
    /// Among records of one key.
    Key,
    /// Among all records.
    All,
}

/// What a publisher does with a record that comes a second time under the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Idempotence {
    /// The target keeps one copy, by its own means.
    Native,
    /// Both arrive under the same id, so a reader can tell.
    Key,
    /// Both arrive and look like two.
    None,
}

/// What a publisher can take and promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublisherTraits {
    /// The most records in one call; at least 1.
    pub records_max: u32,
    /// The most payload bytes in one call.
    pub bytes_max: u64,
    /// The order it keeps.
    pub ordering: Ordering,
    /// What a repeated id does.
    pub idempotence: Idempotence,
}

/// Whether a component can do its work, by its own last knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthState {
    /// Created, not opened yet.
    Starting,
    /// Working.
    Ready,
    /// Working with losses or delays that `detail` names.
    Degraded,
    /// Not working.
    Down,
}

/// A component's health, cached: reading it never does I/O.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The verdict.
    pub state: HealthState,
    /// What an operator should know, or empty.
    pub detail: String,
}

impl Health {
    /// Working, nothing to report.
    #[must_use]
    pub const fn ready() -> Self {
        Self { state: HealthState::Ready, detail: String::new() }
    }

    /// A state with its explanation.
    pub fn new(state: HealthState, detail: impl Into<String>) -> Self {
        Self { state, detail: detail.into() }
    }
}

/// Somewhere a component can be reached, as it is after binding (port 0 is resolved).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What is there: `stream`, `metrics`.
    pub name: String,
    /// A URL without credentials.
    pub url: String,
}

/// Where an event stands in a transport's stream; clients resume with its text form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Names one life of the transport: another epoch means the numbers start anew.
    pub epoch: String,
    /// Counts the events of the epoch, from 1.
    pub sequence: u64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.epoch, self.sequence)
    }
}

/// What a drain left undone when its time was over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Records that the component still holds.
    pub records_left: u64,
}
