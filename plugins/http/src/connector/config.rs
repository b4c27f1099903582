//! What a REST connector can be told, and the checked form of it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use mfn_plugin::{author::Result, faults::Faults, host::Host, value::PluginError};
use reqwest::Method;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{pagination::Pager, pointer::Pointer};
use crate::{
    client::{
        Plan,
        auth::Auth,
        config::{ClientConfig, Target},
    },
    secret::{Hidden, table},
};

/// Which feed to ask, how it is cut into pages, and what a record is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// The URL of the feed, `http://` or `https://`. Nothing but its scheme, host and port is ever shown.
    pub url: Hidden,
    /// The method.
    #[serde(default)]
    pub method: ReadMethod,
    /// Headers of every request; the values are not shown.
    #[serde(default, deserialize_with = "table")]
    pub headers: BTreeMap<String, Hidden>,
    /// With `method = "post"`: the body of every request, JSON.
    #[serde(default)]
    pub body: Option<Hidden>,
    /// Who the connector says it is.
    #[serde(default, deserialize_with = "table")]
    pub auth: Auth,
    /// Whether the server may have a private, loopback or link-local address. The address is looked at when
    /// a connection is made, so a name that changes its address does not get around it.
    #[serde(default)]
    pub allow_private_addresses: bool,
    /// Where the items are in the answer: a JSON pointer to an array, each item of which is a record, or to an
    /// object, which is one record. Empty for the whole answer.
    #[serde(default)]
    pub items: String,
    /// What makes the record's id, after the name of the feed and a `/`: JSON pointers into the item, whose
    /// values are joined with `:`. An empty pointer, or one to an array or object, stands for the SHA-256 of the
    /// bytes. Items of the same id are the same message and are brought once; where an item changes under its id,
    /// name the field that tells its versions apart as well, or `""`.
    #[serde(default = "default_id")]
    pub id: Vec<String>,
    /// A JSON pointer to the ordering key in the item.
    #[serde(default)]
    pub key: Option<String>,
    /// The name of the feed: the partition, and the begin of every id. Without it the connector's name.
    #[serde(default)]
    pub feed: Option<String>,
    /// The content type of the records.
    #[serde(default = "default_content_type")]
    pub content_type: String,
    /// How to come from one page to the next.
    #[serde(default, deserialize_with = "table")]
    pub pagination: Pagination,
    /// Whether to ask only for what has changed, with `If-None-Match` and `If-Modified-Since`, where all
    /// records of the page as it was are settled.
    #[serde(default = "default_true")]
    pub conditional: bool,
    /// Whether to end after one pass over all pages, or to begin again after `poll_interval_ms`.
    #[serde(default)]
    pub at_end: AtEnd,
    /// With `at_end = "poll"`: milliseconds from the end of a pass to the begin of the next, 10 to 86400000.
    #[serde(default = "default_poll_interval_ms")]
    pub poll_interval_ms: u64,
    /// How many settled ids are remembered, so that a record is not brought again by the next pass, 0 to
    /// 10000000; each takes about 50 bytes. What is forgotten comes again under the same id.
    #[serde(default = "default_remember_max")]
    pub remember_max: u64,
    /// Where to remember what was settled, so that a restart goes on there: the cursor with
    /// `pagination.resume`, and the `ETag` or `Last-Modified` of pages whose records are all settled. Pages behind links
    /// are not remembered. Without it everything comes again after a restart, under the same ids. Its directory is
    /// made if missing.
    #[serde(default)]
    pub state_file: Option<PathBuf>,
    /// The most pages of a pass, 1 to 1000000; a feed that has more is read from its begin again.
    #[serde(default = "default_pages_max")]
    pub pages_max: u64,
    /// The most items of a page, 1 to 1000000; a page with more is rejected.
    #[serde(default = "default_items_max")]
    pub items_max: u64,
    /// The most bytes of pages that are held because their records are not settled, 1024 to 1099511627776. A
    /// further page is asked for only when it would fit, or when none is held.
    #[serde(default = "default_held_bytes_max")]
    pub held_bytes_max: u64,
    /// Time-outs, limits, proxy, certificates.
    #[serde(default, deserialize_with = "table")]
    pub client: ClientConfig,
}

fn default_id() -> Vec<String> {
    vec![String::new()]
}

fn default_content_type() -> String {
    "application/json".to_owned()
}

fn default_true() -> bool {
    true
}

fn default_poll_interval_ms() -> u64 {
    60_000
}

fn default_remember_max() -> u64 {
    100_000
}

fn default_pages_max() -> u64 {
    10_000
}

fn default_items_max() -> u64 {
    100_000
}

fn default_held_bytes_max() -> u64 {
    64 << 20
}

/// How to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadMethod {
    /// `GET`.
    #[default]
    Get,
    /// `POST`, for feeds that are asked by a query in the body.
    Post,
}

/// What to do after a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AtEnd {
    /// Begin again later.
    #[default]
    Poll,
    /// End.
    End,
}

/// How to come from one page to the next.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "lowercase", deny_unknown_fields)]
pub enum Pagination {
    /// There is one page.
    #[default]
    None,
    /// The answer says what to ask for next.
    Cursor {
        /// A JSON pointer to the cursor in the answer: a text or a number. None, null or an empty text ends
        /// the pass, and so does the cursor that was just used.
        pointer: String,
        /// The parameter of the query that takes the cursor. Either this or `body_field`.
        #[serde(default)]
        query: Option<String>,
        /// The field of the request's body that takes the cursor.
        #[serde(default)]
        body_field: Option<String>,
        /// Whether the next pass goes on from the last cursor instead of from the begin.
        #[serde(default)]
        resume: bool,
    },
    /// The answer has a header `Link` with `rel="next"`. It must lead to the same scheme, host and port.
    Link {},
    /// Pages have numbers. A page without items ends the pass.
    Page {
        /// The parameter of the query that takes the number. Either this or `body_field`.
        #[serde(default)]
        query: Option<String>,
        /// The field of the request's body that takes the number.
        #[serde(default)]
        body_field: Option<String>,
        /// The number of the first page.
        #[serde(default = "default_first")]
        first: u64,
    },
}

fn default_first() -> u64 {
    1
}

/// The checked configuration.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) plan: Plan,
    pub(crate) method: Method,
    pub(crate) body: Option<Hidden>,
    pub(crate) form: Form,
    pub(crate) pager: Pager,
    pub(crate) conditional: bool,
    pub(crate) polls: bool,
    pub(crate) poll_interval: Duration,
    pub(crate) remember_max: usize,
    pub(crate) state_file: Option<PathBuf>,
    pub(crate) pages_max: u64,
    pub(crate) held_bytes_max: u64,
}

/// What a record is made of.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) feed: String,
    pub(crate) items: Pointer,
    pub(crate) id: Vec<Pointer>,
    pub(crate) key: Option<Pointer>,
    pub(crate) content_type: String,
    pub(crate) items_max: usize,
}

impl Settings {
    /// Checks a configuration, without I/O.
    ///
    /// # Errors
    /// Permanent, with every fault.
    pub(crate) fn new(config: ConnectorConfig, host: &Host) -> Result<Self> {
        let mut faults = Faults::default();
        let target = Target {
            url: config.url,
            headers: config.headers,
            auth: config.auth,
            allow_private_addresses: config.allow_private_addresses,
            client: config.client,
        };
        let plan = target.plan(&["authorization", "accept-encoding"], host, &mut faults);
        let is_post = config.method == ReadMethod::Post;
        let fits = config.body.is_none() || is_post;
        faults.check_secret(fits, "body", "left out without method = \"post\"", "set method = \"post\"");
        if let Some(body) = &config.body {
            let ok = serde_json::from_str::<serde_json::Value>(body.expose()).is_ok();
            faults.check_secret(ok, "body", "JSON", "write it in single quotes: body = '{\"query\":1}'");
        }
        let pointer = |field: &str, text: &str, faults: &mut Faults| {
            let pointer = Pointer::new(text);
            let fix = "write it like /data/items, or leave it empty for the whole";
            faults.check(pointer.is_some(), field, text, "a JSON pointer", fix);
            pointer.unwrap_or_default()
        };
        let items = pointer("items", &config.items, &mut faults);
        let id: Vec<Pointer> = config.id.iter().map(|text| pointer("id", text, &mut faults)).collect();
        let count = config.id.len();
        faults.check((1..=16).contains(&count), "id", count, "1 to 16 JSON pointers", "write id = [\"/id\"]");
        let key = config.key.as_deref().map(|text| pointer("key", text, &mut faults));
        let feed = config.feed.clone().unwrap_or_else(|| host.instance().to_owned());
        let ok = (1..=200).contains(&feed.len()) && !feed.contains(char::is_control);
        faults.check(ok, "feed", &feed, "1 to 200 bytes without control characters", "choose a short name");
        let body_object = is_object(config.body.as_ref());
        let pager = Pager::new(&config.pagination, is_post && body_object, &mut faults);
        faults.range("poll_interval_ms", config.poll_interval_ms, 10, 86_400_000);
        faults.range("remember_max", config.remember_max, 0, 10_000_000);
        if let Some(path) = &config.state_file {
            faults.path("state_file", path);
        }
        faults.range("pages_max", config.pages_max, 1, 1_000_000);
        faults.range("items_max", config.items_max, 1, 1_000_000);
        faults.range("held_bytes_max", config.held_bytes_max, 1024, 1 << 40);
        faults.finish()?;
        let plan = plan.ok_or_else(|| PluginError::permanent("url: it can not be read"))?;
        Ok(Self {
            plan,
            method: if is_post { Method::POST } else { Method::GET },
            body: config.body,
            form: Form {
                feed,
                items,
                id,
                key,
                content_type: config.content_type,
                items_max: size(config.items_max),
            },
            pager,
            conditional: config.conditional,
            polls: config.at_end == AtEnd::Poll,
            poll_interval: Duration::from_millis(config.poll_interval_ms),
            remember_max: size(config.remember_max),
            state_file: config.state_file.map(|path| host.resolve(&path)),
            pages_max: config.pages_max,
            held_bytes_max: config.held_bytes_max,
        })
    }
}

/// Whether a body can take a field; no body counts as an empty object.
fn is_object(body: Option<&Hidden>) -> bool {
    body.is_none_or(|body| {
        serde_json::from_str::<serde_json::Value>(body.expose()).is_ok_and(|value| value.is_object())
    })
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
