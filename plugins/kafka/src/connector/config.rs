//! What a Kafka connector can be told, and the checked form of it.

use std::{collections::BTreeMap, time::Duration};

use mfn_plugin::{author::Result, host::Host};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    client::{self, Client},
    faults::Faults,
    properties::{Options, PropertyValue},
};

const MIB: u64 = 1 << 20;
/// How long librdkafka leaves a partition alone when its own queue is full, ms. Its default, a second, is for a
/// queue of 64 MiB: a smaller one is empty long before that, and then nothing flows.
const QUEUE_BACKOFF_MS: &str = "10";

/// Which topics to read as a member of which consumer group.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// Addresses of some brokers as `host:port`; the others are learned from them.
    pub brokers: Vec<String>,
    /// The consumer group. Its members share the partitions, and the group's committed offsets say where to
    /// go on.
    pub group: String,
    /// Topics to read. At least one here or in `patterns`.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Regular expressions (POSIX extended) for further topics; each has to match from the name's beginning.
    /// Topics that are made later are taken up.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// Where to begin in a partition of which the group has committed nothing: `"earliest"`, `"latest"`, or
    /// `{ timestamp_ms = 1760000000000 }` for the first record of that time or later.
    #[serde(default)]
    pub start: Start,
    /// How partitions are shared among the members of the group.
    #[serde(default)]
    pub assignment: Assignment,
    /// Who commits offsets: the connector when records are settled, or the transactional Kafka publisher of
    /// the same process that the records go to.
    #[serde(default)]
    pub offsets: Offsets,
    /// How often offsets of settled records are committed, 10 to 60000 ms.
    #[serde(default = "default_commit_interval_ms")]
    pub commit_interval_ms: u64,
    /// How long a partition that is to be given away waits for the settlement of its records, 0 to 120000 ms.
    /// What is not settled by then is read again by the next owner.
    #[serde(default = "default_revoke_timeout_ms")]
    pub revoke_timeout_ms: u64,
    /// The most records of one partition that are fetched and not settled, 1 to 1000000; above it the
    /// partition is paused.
    #[serde(default = "default_outstanding_max")]
    pub outstanding_max: u64,
    /// How many bytes are read ahead of the pipeline, 65536 to 1073741824, once in this plugin and once more in
    /// librdkafka.
    #[serde(default = "default_buffer_bytes_max")]
    pub buffer_bytes_max: u64,
    /// A header that holds the record's id. Without it, or where a message has no such header, the id is
    /// `<topic>-<partition>-<offset>`.
    #[serde(default)]
    pub id_header: Option<String>,
    /// The content type of messages without a `content-type` header.
    #[serde(default)]
    pub content_type: String,
    /// The name under which brokers log and limit this client. Without it: `mfn-` and the instance's name.
    #[serde(default)]
    pub client_id: Option<String>,
    /// How often librdkafka's statistics become metrics, 0 (never) or 100 to 3600000 ms.
    #[serde(default = "client::default_statistics_interval_ms")]
    pub statistics_interval_ms: u64,
    /// Options of librdkafka that pass through, such as `security.protocol`, `sasl.username`,
    /// `ssl.ca.location` or `session.timeout.ms`. Values are kept secret. Options that this plugin sets itself
    /// are refused with the reason.
    #[serde(default)]
    pub properties: BTreeMap<String, PropertyValue>,
}

fn default_commit_interval_ms() -> u64 {
    500
}

fn default_revoke_timeout_ms() -> u64 {
    10_000
}

fn default_outstanding_max() -> u64 {
    10_000
}

fn default_buffer_bytes_max() -> u64 {
    8 * MIB
}

/// Where to begin without a committed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// With the oldest record there is.
    #[default]
    Earliest,
    /// With what is written from now on.
    Latest,
    /// With the first record of this time or later, in milliseconds since the Unix epoch; where there is none,
    /// with what is written from now on.
    TimestampMs(i64),
}

/// How partitions are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Assignment {
    /// Few partitions move at a rebalance, and the others go on.
    #[default]
    CooperativeSticky,
    /// Neighbouring partitions; every rebalance stops all members.
    Range,
    /// One after the other; every rebalance stops all members.
    Roundrobin,
}

/// Who commits offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Offsets {
    /// The connector, when records are settled: at least once.
    #[default]
    Settled,
    /// A Kafka publisher with `transactional_id` in the same process, in the transaction that holds the
    /// records: exactly once. For a route that forwards records to that one publisher.
    Transaction,
}

/// The checked configuration.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Options for librdkafka, which hold secrets: never printed.
    pub(crate) options: Options,
    /// Topics, and patterns with their leading `^`.
    pub(crate) subscription: Vec<String>,
    pub(crate) topics: Vec<String>,
    /// Options without those of a group, to look at the cluster with.
    pub(crate) probe_options: Options,
    pub(crate) start: Start,
    pub(crate) offsets: Offsets,
    pub(crate) commit_interval: Duration,
    pub(crate) revoke_timeout: Duration,
    pub(crate) outstanding_max: usize,
    pub(crate) buffer_bytes_max: usize,
    pub(crate) id_header: Option<String>,
    pub(crate) content_type: String,
}

impl Settings {
    /// Checks a configuration, without I/O.
    ///
    /// # Errors
    /// Permanent, with every fault: the field, its value, what is allowed and what to do.
    pub(crate) fn new(config: ConnectorConfig, host: &Host) -> Result<Self> {
        let client = Client {
            brokers: config.brokers,
            client_id: config.client_id,
            statistics_interval_ms: config.statistics_interval_ms,
            properties: config.properties,
        };
        let mut faults = Faults::default();
        client.check(&mut faults);
        let ok = !config.group.is_empty() && config.group.len() <= 255 && !config.group.contains('\0');
        faults.check(ok, "group", &config.group, "1 to 255 bytes without NUL", "name the consumer group");
        let ok = !(config.topics.is_empty() && config.patterns.is_empty());
        faults.check(ok, "topics, patterns", "neither", "at least one topic or pattern", "name a topic");
        config.topics.iter().for_each(|topic| faults.topic("topics", topic));
        for pattern in &config.patterns {
            let ok = (1..=1024).contains(&pattern.len()) && !pattern.contains('\0');
            let allowed = "1 to 1024 bytes without NUL";
            faults.check(ok, "patterns", pattern, allowed, "write for example \"orders-.*\"");
        }
        if let Start::TimestampMs(time) = config.start {
            let fix = "give milliseconds since the Unix epoch";
            faults.check(time >= 0, "start.timestamp_ms", time, "0 or more", fix);
        }
        faults.range("commit_interval_ms", config.commit_interval_ms, 10, 60_000);
        faults.range("revoke_timeout_ms", config.revoke_timeout_ms, 0, 120_000);
        faults.range("outstanding_max", config.outstanding_max, 1, 1_000_000);
        faults.range("buffer_bytes_max", config.buffer_bytes_max, 65_536, 1024 * MIB);
        if let Some(header) = &config.id_header {
            faults.header("id_header", header);
        }
        faults.finish()?;

        let probe_options = client.options(host.instance());
        let reset = if config.start == Start::Earliest { "earliest" } else { "latest" };
        let assignment = match config.assignment {
            Assignment::CooperativeSticky => "cooperative-sticky",
            Assignment::Range => "range",
            Assignment::Roundrobin => "roundrobin",
        };
        let options = probe_options
            .with("group.id", &config.group)
            .with("auto.offset.reset", reset)
            .with("partition.assignment.strategy", assignment)
            .with("enable.auto.commit", "false")
            .with("enable.auto.offset.store", "false")
            .with("fetch.queue.backoff.ms", QUEUE_BACKOFF_MS)
            .with("queued.max.messages.kbytes", &(config.buffer_bytes_max / 1024).to_string());
        options.check()?;
        let pattern = |text: &String| format!("^{}", text.strip_prefix('^').unwrap_or(text));
        let subscription = config.topics.iter().cloned().chain(config.patterns.iter().map(pattern)).collect();
        Ok(Self {
            options,
            subscription,
            topics: config.topics,
            probe_options,
            start: config.start,
            offsets: config.offsets,
            commit_interval: Duration::from_millis(config.commit_interval_ms),
            revoke_timeout: Duration::from_millis(config.revoke_timeout_ms),
            outstanding_max: usize::try_from(config.outstanding_max).unwrap_or(usize::MAX),
            buffer_bytes_max: usize::try_from(config.buffer_bytes_max).unwrap_or(usize::MAX),
            id_header: config.id_header,
            content_type: config.content_type,
        })
    }
}
