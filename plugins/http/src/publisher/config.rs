//! What a webhook publisher can be told, and the checked form of it.

use std::{collections::BTreeMap, time::Duration};

use mfn_plugin::{author::Result, faults::Faults, host::Host, secret::Secret, value::PluginError};
use reqwest::Method;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sign;
use crate::{
    client::{
        Plan,
        auth::Auth,
        config::{ClientConfig, Target},
    },
    secret::{Hidden, table},
};

/// Headers that the publisher sets itself.
const RESERVED: [&str; 8] = [
    "accept-encoding",
    "authorization",
    "content-type",
    "idempotency-key",
    "traceparent",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// Where to send records, in what form, and how they are signed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublisherConfig {
    /// The URL of the receiver, `http://` or `https://`. Nothing but its scheme, host and port is ever shown.
    pub url: Hidden,
    /// The method.
    #[serde(default)]
    pub method: WriteMethod,
    /// Headers of every request; the values are not shown.
    #[serde(default, deserialize_with = "table")]
    pub headers: BTreeMap<String, Hidden>,
    /// Who the publisher says it is.
    #[serde(default, deserialize_with = "table")]
    pub auth: Auth,
    /// Whether the server may have a private, loopback or link-local address. The address is looked at when
    /// a connection is made, so a name that changes its address does not get around it.
    #[serde(default)]
    pub allow_private_addresses: bool,
    /// The keys of Standard Webhooks, `whsec_` and 24 to 64 bytes in base64; at most 8. Every request is signed
    /// with all of them: list the new key and the old one while receivers
    /// change over, or replace the file that a `file:` names.
    #[serde(default, deserialize_with = "secrets")]
    #[schemars(with = "Vec<Secret>")]
    pub secrets: Vec<Secret>,
    /// Seconds for which requests are signed with a key of `secrets` that was replaced in its file, besides the
    /// new one, 0 to 2592000.
    #[serde(default = "default_rotation_window_s")]
    pub rotation_window_s: u64,
    /// Whether requests may go out unsigned, when `secrets` is empty.
    #[serde(default)]
    pub allow_unsigned: bool,
    /// Whether each record is a request, or many records share one.
    #[serde(default)]
    pub mode: Mode,
    /// With `mode = "batch"`: how records share a body.
    #[serde(default)]
    pub batch_format: BatchFormat,
    /// With `mode = "batch"`: whether the headers of a record go into the body.
    #[serde(default)]
    pub include_headers: bool,
    /// What of the answer counts.
    #[serde(default)]
    pub answers: Answers,
    /// With `mode = "single"`: requests at the same time, 1 to 30. With 1 the order of records is kept. Not more
    /// than the connections allow are sent at the same time.
    #[serde(default = "default_concurrency")]
    pub concurrency: u32,
    /// The most records in one call; with `mode = "batch"` in one request, of which a call then makes up to 8. 1 to 10000.
    #[serde(default = "default_records_max")]
    pub records_max: u32,
    /// The most payload bytes in one call, or with `mode = "batch"` in one request, 1024 to 1073741824.
    #[serde(default = "default_bytes_max")]
    pub bytes_max: u64,
    /// Time-outs, limits, proxy, certificates.
    #[serde(default, deserialize_with = "table")]
    pub client: ClientConfig,
}

fn default_rotation_window_s() -> u64 {
    86_400
}

fn default_concurrency() -> u32 {
    8
}

fn default_records_max() -> u32 {
    500
}

fn default_bytes_max() -> u64 {
    1 << 20
}

/// How to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WriteMethod {
    /// `POST`.
    #[default]
    Post,
    /// `PUT`.
    Put,
}

/// Whether each record is a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Each record is a request; its body is the payload as it is.
    #[default]
    Single,
    /// Many records share a request. Each is an object with `id`, `content_type` and one of `payload` (JSON),
    /// `payload_text` and `payload_base64`.
    Batch,
}

/// How records share a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BatchFormat {
    /// A JSON array.
    #[default]
    Json,
    /// JSON Lines.
    Jsonl,
}

/// What of the answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// The status, and where it is 2xx and the body is JSON with `results`, the result of each record.
    #[default]
    Results,
    /// The status alone.
    Status,
}

/// The checked configuration.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) plan: Plan,
    pub(crate) method: Method,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) mode: Mode,
    pub(crate) batch_format: BatchFormat,
    pub(crate) include_headers: bool,
    pub(crate) answers: Answers,
    pub(crate) concurrency: usize,
    pub(crate) records_max: u32,
    pub(crate) bytes_max: u64,
}

impl Settings {
    /// Checks a configuration, without I/O.
    ///
    /// # Errors
    /// Permanent, with every fault.
    pub(crate) fn new(config: PublisherConfig, host: &Host) -> Result<Self> {
        let mut faults = Faults::default();
        let target = Target {
            url: config.url,
            headers: config.headers,
            auth: config.auth,
            allow_private_addresses: config.allow_private_addresses,
            client: config.client,
        };
        let plan = target.plan(&RESERVED, host, &mut faults);
        sign::validate(&config.secrets, &mut faults);
        faults.range("rotation_window_s", config.rotation_window_s, 0, 2_592_000);
        let fix = "name a key made with `openssl rand -base64 32`, or set allow_unsigned = true";
        let signed = !config.secrets.is_empty() || config.allow_unsigned;
        faults.check(signed, "secrets", [(); 0], "at least one key", fix);
        faults.range("concurrency", u64::from(config.concurrency), 1, 30);
        faults.range("records_max", u64::from(config.records_max), 1, 10_000);
        faults.range("bytes_max", config.bytes_max, 1024, 1 << 30);
        let is_batch = config.mode == Mode::Batch;
        let fits = is_batch || !config.include_headers;
        let field = "include_headers";
        faults.check(fits, field, true, "false without mode = \"batch\"", "set mode = \"batch\"");
        faults.finish()?;
        for secret in &config.secrets {
            secret.keep_previous(Duration::from_secs(config.rotation_window_s));
        }
        let plan = plan.ok_or_else(|| PluginError::permanent("url: it can not be read"))?;
        let under_way = config.concurrency.min(plan.config.requests_max());
        Ok(Self {
            plan,
            method: if config.method == WriteMethod::Put { Method::PUT } else { Method::POST },
            secrets: config.secrets,
            mode: config.mode,
            batch_format: config.batch_format,
            include_headers: config.include_headers,
            answers: config.answers,
            concurrency: usize::try_from(under_way).unwrap_or(1).max(1),
            records_max: config.records_max,
            bytes_max: config.bytes_max,
        })
    }

    /// Whether requests go out one after the other.
    pub(crate) fn keeps_order(&self) -> bool {
        self.mode == Mode::Batch || self.concurrency == 1
    }
}

/// Reads a list of secrets. A secret that stands in the list's place is refused without being repeated.
fn secrets<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    use serde::de::Error;
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Array(list) => {
            list.into_iter().map(Secret::deserialize).collect::<Result<_, _>>().map_err(D::Error::custom)
        }
        _ => Err(D::Error::custom("expected a list of keys (what stands there is not shown)")),
    }
}
