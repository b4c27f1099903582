//! The table `properties`: options of librdkafka that pass through, such as TLS and SASL.
//!
//! Options that this plugin relies on are refused with the reason, and so is what would load code. Every value is
//! treated as a secret, because several are.

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc};

use mfn_plugin::{
    secret::{Secret, SecretValue},
    value::PluginError,
};
use rdkafka::ClientConfig;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de};

use crate::{cause, faults::Faults};

/// The value of a property: a text, a number or a truth value in the configuration; never printed. A text may
/// refer to a secret, see [`Secret`].
#[derive(Debug, Clone)]
pub struct PropertyValue(Secret);

impl PropertyValue {
    /// The value as it stands in the configuration, where it is no reference.
    fn literal(&self) -> Option<SecretValue> {
        self.0.is_literal().then(|| self.0.current().ok()).flatten()
    }
}

impl<'de> Deserialize<'de> for PropertyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Takes scalars; its errors do not quote what was there.
        struct Scalar;
        impl de::Visitor<'_> for Scalar {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a truth value")
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Secret, E> {
                Secret::deserialize(de::value::StrDeserializer::new(value))
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Secret, E> {
                Ok(Secret::literal(&value.to_string()))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Secret, E> {
                Ok(Secret::literal(&value.to_string()))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Secret, E> {
                Ok(Secret::literal(&value.to_string()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Secret, E> {
                Ok(Secret::literal(&value.to_string()))
            }
        }
        deserializer.deserialize_any(Scalar).map(Self)
    }
}

impl JsonSchema for PropertyValue {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "PropertyValue".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean"], "x-mfn-secret": "maybe" })
    }
}

/// Options for librdkafka: those that this plugin sets, and the configuration's. Printing them shows nothing.
#[derive(Clone)]
pub(crate) struct Options {
    own: ClientConfig,
    properties: Arc<BTreeMap<String, PropertyValue>>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Options {
    /// Options on top of the properties of the configuration.
    pub(crate) fn new(own: ClientConfig, properties: BTreeMap<String, PropertyValue>) -> Self {
        Self { own, properties: Arc::new(properties) }
    }

    /// The same with another option.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.own.set(name, value);
        changed
    }

    /// Everything, with the secrets that the configuration refers to read now. For librdkafka's eyes only.
    ///
    /// # Errors
    /// Where a secret can not be read.
    pub(crate) fn resolve(&self) -> Result<ClientConfig, PluginError> {
        let mut options = self.own.clone();
        for (name, value) in &*self.properties {
            let secret =
                value.0.current().map_err(|error| PluginError::new(error.class(), error.to_string()))?;
            options.set(name, secret.expose());
        }
        Ok(options)
    }

    /// Grows whenever a secret that the configuration refers to has a new value. One that can not be read is as it was.
    pub(crate) fn version(&self) -> u64 {
        let versions = self.properties.values().filter_map(|value| value.0.current().ok());
        versions.map(|secret| secret.version()).fold(0, u64::saturating_add)
    }

    /// Lets librdkafka judge names and values, without I/O: references are left out.
    ///
    /// # Errors
    /// Permanent, naming the property, without its value.
    pub(crate) fn check(&self) -> Result<(), PluginError> {
        let mut options = self.own.clone();
        for (name, value) in &*self.properties {
            if let Some(secret) = value.literal() {
                options.set(name, secret.expose());
            }
        }
        options.create_native_config().map(drop).map_err(|error| cause::of_error("properties", &error))
    }
}

/// What may be set: an exact name, or everything that begins with a text that ends in a dot.
const ALLOWED: &[&str] = &[
    "security.protocol",
    "ssl.",
    "sasl.",
    "enable.sasl.oauthbearer.unsecure.jwt",
    "enable.ssl.certificate.verification",
    "client.rack",
    "client.dns.lookup",
    "broker.address.family",
    "broker.address.ttl",
    "socket.",
    "reconnect.",
    "connections.max.idle.ms",
    "api.version.",
    "metadata.",
    "topic.metadata.",
    "topic.blacklist",
    "allow.auto.create.topics",
    "message.copy.max.bytes",
    "receive.message.max.bytes",
    "max.in.flight.requests.per.connection",
    "request.timeout.ms",
    // Consumers.
    "group.instance.id",
    "group.remote.assignor",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "max.poll.interval.ms",
    "coordinator.query.interval.ms",
    "fetch.",
    "check.crcs",
    "isolation.level",
    "max.partition.fetch.bytes",
    // Producers.
    "retry.backoff.",
    "batch.",
    "sticky.partitioning.linger.ms",
    "compression.level",
    "transaction.timeout.ms",
];

/// What is refused although [`ALLOWED`] would take it, or is asked for often; with the reason.
const REFUSED: &[(&str, &str)] = &[
    ("bootstrap.servers", "it is the field `brokers`"),
    ("metadata.broker.list", "it is the field `brokers`"),
    ("client.id", "it is the field `client_id`"),
    ("group.id", "it is the field `group`"),
    ("auto.offset.reset", "it is the field `start`"),
    ("partition.assignment.strategy", "it is the field `assignment`"),
    ("enable.auto.commit", "offsets are committed when records are settled"),
    ("enable.auto.offset.store", "offsets are committed when records are settled"),
    ("auto.commit.interval.ms", "it is the field `commit_interval_ms`"),
    ("group.protocol", "rebalances are handled for the classic protocol"),
    ("enable.idempotence", "the producer is always idempotent"),
    ("acks", "a record is delivered when all replicas in sync have it"),
    ("request.required.acks", "a record is delivered when all replicas in sync have it"),
    ("enable.gapless.guarantee", "order is kept without it"),
    ("transactional.id", "it is the field `transactional_id`"),
    ("message.timeout.ms", "a record waits as long as the runtime wants"),
    ("delivery.timeout.ms", "a record waits as long as the runtime wants"),
    ("message.send.max.retries", "a record waits as long as the runtime wants"),
    ("retries", "a record waits as long as the runtime wants"),
    ("linger.ms", "it is the field `linger_ms`"),
    ("queue.buffering.max.ms", "it is the field `linger_ms`"),
    ("compression.type", "it is the field `compression`"),
    ("compression.codec", "it is the field `compression`"),
    ("partitioner", "it is the field `partition`"),
    ("message.max.bytes", "it is the field `message_bytes_max`"),
    ("queue.buffering.max.kbytes", "it is the field `queue_bytes_max`"),
    ("queued.max.messages.kbytes", "it is the field `buffer_bytes_max`"),
    ("statistics.interval.ms", "it is the field `statistics_interval_ms`"),
    ("plugin.library.paths", "it loads code into the host"),
    ("ssl.engine.location", "it loads code into the host"),
    ("ssl.providers", "it loads code into the host"),
    ("debug", "its output may hold configuration values"),
];

/// Properties that mean nothing without TLS in the build.
const NEEDS_TLS: &[&str] = &["ssl.", "enable.ssl.certificate.verification", "sasl.oauthbearer."];
/// How to get it.
const TLS_FIX: &str = "this plugin was built without TLS; build it with \
    `cargo build --release --package mfn-plugin-kafka --features tls`";

/// Checks every property; `field` is the table's name.
pub(crate) fn check(faults: &mut Faults, properties: &BTreeMap<String, PropertyValue>) {
    for (name, value) in properties {
        let field = format!("properties.{name}");
        let literal = value.literal();
        let text = literal.as_ref().map_or("", SecretValue::expose);
        if text.contains('\0') {
            faults.note(&field, "its value contains a NUL character; remove it");
        } else if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| refused == name) {
            faults.note(&field, &format!("can not be set, because {reason}; remove it"));
        } else if !ALLOWED.iter().any(|allowed| matches(allowed, name)) {
            faults.note(&field, "is misspelt, or none of the options that pass through; remove it");
        } else if !cfg!(feature = "tls") && wants_tls(name, text) {
            faults.note(&field, TLS_FIX);
        }
    }
}

/// Whether a property can only work with TLS in the build.
fn wants_tls(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    match name {
        "security.protocol" => value == "ssl" || value == "sasl_ssl",
        "sasl.mechanism" | "sasl.mechanisms" => !value.is_empty() && value != "plain",
        _ => NEEDS_TLS.iter().any(|needs| matches(needs, name)),
    }
}

/// Whether a name is the pattern, or begins with it where the pattern ends in a dot.
fn matches(pattern: &str, name: &str) -> bool {
    if pattern.ends_with('.') { name.starts_with(pattern) } else { name == pattern }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(json: serde_json::Value) -> String {
        let properties = serde_json::from_value(json).expect("scalars");
        let mut faults = Faults::default();
        check(&mut faults, &properties);
        faults.finish().err().map(|error| error.message).unwrap_or_default()
    }

    /// Guards the guarantees: an option that would undo one is refused, with a reason, and no value shown.
    #[test]
    fn owned_options_are_refused() {
        let text = faults_of(serde_json::json!({
            "enable.auto.commit": true, "acks": "canary", "plugin.library.paths": "canary.so", "acsk": 1,
        }));
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(faults_of(serde_json::json!({ "socket.timeout.ms": 500, "check.crcs": true })), "");
    }

    /// Guards the explanation: without TLS in the build the error says how to get it.
    #[cfg(not(feature = "tls"))]
    #[test]
    fn tls_options_say_how_to_build_it() {
        for (name, value) in [
            ("security.protocol", "SASL_SSL"),
            ("ssl.ca.location", "/ca.pem"),
            ("sasl.mechanism", "SCRAM-SHA-256"),
        ] {
            let text = faults_of(serde_json::json!({ name: value }));
            assert!(text.contains("--features tls"), "{name}: {text}");
        }
        assert_eq!(
            faults_of(
                serde_json::json!({ "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN" })
            ),
            ""
        );
    }
}
