//! Names of the Kafka headers that this plugin gives a meaning to.

/// Headers with this prefix are this plugin's own: they are set by the connector for the publisher, never
/// written to a topic, and dropped when they come from one, so that no third party can forge them.
const RESERVED_PREFIX: &str = "mfn-kafka-";

/// Marks a record without a payload (a tombstone of a compacted topic); the publisher writes it as one again.
pub(crate) const TOMBSTONE: &str = "mfn-kafka-tombstone";
/// Where a record was read, for the publisher that commits its offset within a transaction.
pub(crate) const SOURCE: &str = "mfn-kafka-source";
/// Media type of the payload.
pub(crate) const CONTENT_TYPE: &str = "content-type";
/// W3C trace context.
pub(crate) const TRACE_PARENT: &str = "traceparent";
/// The default name of the header that carries a record's id.
pub(crate) const RECORD_ID: &str = "mfn-record-id";

/// Whether a header is this plugin's own.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}
