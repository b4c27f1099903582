//! What a Kafka publisher can be told, and the checked form of it.

use std::collections::BTreeMap;

use mfn_plugin::{author::Result, host::Host};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    client::{self, Client},
    faults::Faults,
    headers,
    properties::{Options, PropertyValue},
};

const MIB: u64 = 1 << 20;
/// What librdkafka takes at most for one message.
const MESSAGE_BYTES_LIMIT: u64 = 1_000_000_000;

/// Which topic to write to, and how.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublisherConfig {
    /// Addresses of some brokers as `host:port`; the others are learned from them.
    pub brokers: Vec<String>,
    /// The topic for records that name none by `topic_header`. Without it such records are refused.
    #[serde(default)]
    pub topic: Option<String>,
    /// A header that names a record's topic. Either this or `topic`, or both.
    #[serde(default)]
    pub topic_header: Option<String>,
    /// Which key a message gets: `"record"` (the record's own, if it has one), `"id"` (the record's id),
    /// `"none"`, or `{ header = "name" }`.
    #[serde(default)]
    pub key: KeyChoice,
    /// Which partition a message goes to: `"key"` (by the key's hash, as Java clients do; any without a
    /// key), `"round_robin"`, `{ fixed = 3 }`, or `{ header = "name" }` with the number as text.
    #[serde(default)]
    pub partition: PartitionChoice,
    /// How batches are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// The header that carries a record's id.
    #[serde(default = "default_id_header")]
    pub id_header: String,
    /// The largest message, 1000 to 1000000000 bytes. Without it: what the broker allows for `topic`, or
    /// 1000000 where it does not say.
    #[serde(default)]
    pub message_bytes_max: Option<u64>,
    /// How many bytes wait in librdkafka for a broker at most, 1048576 to 2147483648.
    #[serde(default = "default_queue_bytes_max")]
    pub queue_bytes_max: u64,
    /// How long a message waits for others to share a request with, 0 to 60000 ms. The messages of a call share
    /// requests without it: it is for brokers that are to be spared the first, smaller ones.
    #[serde(default)]
    pub linger_ms: u64,
    /// Publishes each batch in a transaction under this id, together with the offsets of the records that a
    /// connector of the same process with `offsets = "transaction"` read. The id has to be the same after a
    /// restart, and no other instance may use it.
    #[serde(default)]
    pub transactional_id: Option<String>,
    /// The name under which brokers log and limit this client. Without it: `mfn-` and the instance's name.
    #[serde(default)]
    pub client_id: Option<String>,
    /// How often librdkafka's statistics become metrics, 0 (never) or 100 to 3600000 ms.
    #[serde(default = "client::default_statistics_interval_ms")]
    pub statistics_interval_ms: u64,
    /// Options of librdkafka that pass through, such as `security.protocol`, `sasl.username`,
    /// `ssl.ca.location` or `socket.timeout.ms`. Values are kept secret. Options that this plugin sets itself
    /// are refused with the reason.
    #[serde(default)]
    pub properties: BTreeMap<String, PropertyValue>,
}

fn default_id_header() -> String {
    headers::RECORD_ID.to_owned()
}

fn default_queue_bytes_max() -> u64 {
    64 * MIB
}

/// Where a message's key comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyChoice {
    /// The record's own key, if it has one.
    #[default]
    Record,
    /// The record's id.
    Id,
    /// No key.
    None,
    /// The value of a header; no key without it.
    Header(String),
}

/// How a partition is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartitionChoice {
    /// By the hash of the key (murmur2), as Java clients do; any partition without a key.
    #[default]
    Key,
    /// One after the other.
    RoundRobin,
    /// Always this one, 0 to 1000000.
    Fixed(u32),
    /// The number in this header; by the key without it.
    Header(String),
}

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Small, slow.
    Gzip,
    /// Fast.
    Snappy,
    /// Fast.
    Lz4,
    /// Small, fast enough.
    Zstd,
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// The checked configuration.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Options for librdkafka's producer, which hold secrets: never printed.
    pub(crate) options: Options,
    /// Options without those of a producer, to look at the cluster with.
    pub(crate) probe_options: Options,
    pub(crate) topic: Option<String>,
    pub(crate) topic_header: Option<String>,
    pub(crate) key: KeyChoice,
    pub(crate) partition: PartitionChoice,
    pub(crate) id_header: String,
    pub(crate) message_bytes_max: Option<u64>,
    pub(crate) transactional_id: Option<String>,
}

impl Settings {
    /// Checks a configuration, without I/O.
    ///
    /// # Errors
    /// Permanent, with every fault: the field, its value, what is allowed and what to do.
    pub(crate) fn new(config: PublisherConfig, host: &Host) -> Result<Self> {
        let client = Client {
            brokers: config.brokers,
            client_id: config.client_id,
            statistics_interval_ms: config.statistics_interval_ms,
            properties: config.properties,
        };
        let mut faults = Faults::default();
        client.check(&mut faults);
        let ok = config.topic.is_some() || config.topic_header.is_some();
        faults.check(ok, "topic, topic_header", "neither", "at least one of the two", "name a topic");
        if let Some(topic) = &config.topic {
            faults.topic("topic", topic);
        }
        faults.header("id_header", &config.id_header);
        let chosen = [
            ("topic_header", config.topic_header.as_ref()),
            ("key.header", if let KeyChoice::Header(name) = &config.key { Some(name) } else { None }),
            (
                "partition.header",
                if let PartitionChoice::Header(name) = &config.partition { Some(name) } else { None },
            ),
        ];
        for (field, name) in chosen {
            if let Some(name) = name {
                faults.header(field, name);
            }
        }
        if let PartitionChoice::Fixed(number) = config.partition {
            faults.range("partition.fixed", number.into(), 0, 1_000_000);
        }
        if let Some(bytes) = config.message_bytes_max {
            faults.range("message_bytes_max", bytes, 1000, MESSAGE_BYTES_LIMIT);
        }
        faults.range("queue_bytes_max", config.queue_bytes_max, MIB, 2048 * MIB);
        faults.range("linger_ms", config.linger_ms, 0, 60_000);
        if let Some(id) = &config.transactional_id {
            let ok = !id.is_empty() && id.len() <= 255 && !id.contains('\0');
            faults.check(ok, "transactional_id", id, "1 to 255 bytes without NUL", "choose another");
        }
        faults.finish()?;

        let probe_options = client.options(host.instance());
        let options = probe_options
            .with("enable.idempotence", "true")
            .with("acks", "all")
            .with("compression.type", config.compression.name())
            .with("linger.ms", &config.linger_ms.to_string())
            .with("queue.buffering.max.kbytes", &(config.queue_bytes_max / 1024).to_string())
            .with("queue.buffering.max.messages", "0")
            .with("partitioner", "murmur2_random");
        // A message waits for its broker as long as it takes: given up by librdkafka, it would have to be sent
        // again behind messages that came later. In a transaction its time-out ends that.
        let options = match &config.transactional_id {
            Some(id) => options.with("transactional.id", id),
            None => options.with("message.timeout.ms", "0"),
        };
        options.check()?;
        Ok(Self {
            options,
            probe_options,
            topic: config.topic,
            topic_header: config.topic_header,
            key: config.key,
            partition: config.partition,
            id_header: config.id_header,
            message_bytes_max: config.message_bytes_max,
            transactional_id: config.transactional_id,
        })
    }
}
