//! How a component reaches its server: time-outs, limits of the pool, proxy, certificates, credentials.

use std::{collections::BTreeMap, path::PathBuf};

use mfn_plugin::{faults::Faults, host::Host, secret::Secret};
use reqwest::header::HeaderName;
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::{
    Plan, address,
    auth::{Auth, Credentials, literal},
    dns::system_lookup,
};
use crate::secret::Hidden;

/// What a component spends on its server, and how it gets there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientConfig {
    /// Milliseconds for a connection to be made, with TLS. 1 to 600000.
    pub connect_timeout_ms: u64,
    /// Milliseconds from the begin of a request until the head of its answer. 1 to 3600000.
    pub first_byte_timeout_ms: u64,
    /// Milliseconds for a request with its whole answer. 1 to 3600000.
    pub timeout_ms: u64,
    /// Connections of this component in all. 2 to 100.
    pub connections_max: u32,
    /// Connections of this component to one host. 2 to 30. A sixth of them, at least one, is kept for
    /// connections that are being made, so that many requests at the same time stay one sixth below.
    pub connections_per_host_max: u32,
    /// Milliseconds that an unused connection is kept. 0 to 3600000.
    pub idle_timeout_ms: u64,
    /// Seconds that the answer of a name server is used. 0 to 300.
    pub dns_cache_s: u64,
    /// The most bytes of an answer's body, after decompression. 1024 to 1073741824.
    pub response_bytes_max: u64,
    /// A proxy, `http://` or `https://`, with user and password in it where it needs them; read when the
    /// component opens. The environment's proxy is not used. The proxy resolves the names, so `allow_private_addresses` can then not look at them.
    pub proxy: Option<Secret>,
    /// A PEM file with certificates of authorities that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// What the component calls itself.
    pub user_agent: String,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 10_000,
            first_byte_timeout_ms: 30_000,
            timeout_ms: 60_000,
            connections_max: 100,
            connections_per_host_max: 30,
            idle_timeout_ms: 60_000,
            dns_cache_s: 300,
            response_bytes_max: 16 << 20,
            proxy: None,
            ca_file: None,
            user_agent: concat!("libmfn/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl ClientConfig {
    /// Notes every value out of its range.
    pub(crate) fn validate(&self, faults: &mut Faults) {
        faults.range("client.connect_timeout_ms", self.connect_timeout_ms, 1, 600_000);
        faults.range("client.first_byte_timeout_ms", self.first_byte_timeout_ms, 1, 3_600_000);
        faults.range("client.timeout_ms", self.timeout_ms, 1, 3_600_000);
        faults.range("client.connections_max", u64::from(self.connections_max), 2, 100);
        faults.range("client.connections_per_host_max", u64::from(self.connections_per_host_max), 2, 30);
        faults.range("client.idle_timeout_ms", self.idle_timeout_ms, 0, 3_600_000);
        faults.range("client.dns_cache_s", self.dns_cache_s, 0, 300);
        faults.range("client.response_bytes_max", self.response_bytes_max, 1024, 1 << 30);
        if let Some(path) = &self.ca_file {
            faults.path("client.ca_file", path);
        }
        if let Some(proxy) = self.proxy.as_ref().and_then(literal) {
            let known = Url::parse(proxy.expose());
            let ok = known.is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
            faults.check_secret(ok, "client.proxy", "a URL of http or https", "write http://proxy:3128");
        }
        let ok = reqwest::header::HeaderValue::from_str(&self.user_agent).is_ok();
        let allowed = "text that a header can hold";
        faults.check(ok, "client.user_agent", &self.user_agent, allowed, "use visible ASCII characters");
    }

    /// Connections that may be in the making at one time.
    pub(crate) fn connecting_max(&self) -> u32 {
        (self.per_host() / 6).max(1)
    }

    /// Requests that may be under way at one time; with [`connecting_max`](Self::connecting_max) it is the
    /// number of connections.
    pub(crate) fn requests_max(&self) -> u32 {
        self.per_host() - self.connecting_max()
    }

    /// A component asks one host only, so the smaller of the two limits holds.
    pub(crate) fn per_host(&self) -> u32 {
        self.connections_per_host_max.min(self.connections_max)
    }
}

/// The fields that both configurations have: where the server is, what it is told, and how it is reached.
pub(crate) struct Target {
    pub(crate) url: Hidden,
    pub(crate) headers: BTreeMap<String, Hidden>,
    pub(crate) auth: Auth,
    pub(crate) allow_private_addresses: bool,
    pub(crate) client: ClientConfig,
}

impl Target {
    /// The checked form, without I/O. `reserved` are headers that the component sets itself. `None` only when a fault
    /// was noted.
    pub(crate) fn plan(self, reserved: &[&str], host: &Host, faults: &mut Faults) -> Option<Plan> {
        let url = read_url(&self.url, self.allow_private_addresses, faults);
        let headers = read_headers(&self.headers, reserved, faults);
        self.auth.validate(faults);
        self.client.validate(faults);
        Some(Plan {
            url: url?,
            headers,
            credentials: Credentials::new(&self.auth),
            allow_private: self.allow_private_addresses,
            ca_file: self.client.ca_file.as_ref().map(|path| host.resolve(path)),
            host: host.clone(),
            lookup: system_lookup(),
            config: self.client,
        })
    }
}

/// Reads the URL of a component, noting what is wrong with it. A URL with a user and a password in it is
/// refused, so that there is one place for them.
fn read_url(text: &Hidden, allow_private: bool, faults: &mut Faults) -> Option<Url> {
    let url = Url::parse(text.expose()).ok().filter(|url| {
        ["http", "https"].contains(&url.scheme()) && url.has_host() && url.fragment().is_none()
    });
    let allowed = "a URL of http or https with a host and without a fragment";
    faults.check_secret(url.is_some(), "url", allowed, "write https://host/path");
    let url = url?;
    let bare = url.username().is_empty() && url.password().is_none();
    faults.check_secret(
        bare,
        "url",
        "without user and password",
        "move them to auth.username and auth.password",
    );
    if !allow_private && let Some(refused) = address::private_literal(&url) {
        faults.check(
            false,
            "url",
            refused,
            "a public address",
            "set allow_private_addresses = true if this component may reach private, loopback and link-local \
             addresses",
        );
    }
    Some(url)
}

/// Reads configured headers, noting those that can not be sent.
fn read_headers<'a>(
    headers: impl IntoIterator<Item = (&'a String, &'a Hidden)>,
    reserved: &[&str],
    faults: &mut Faults,
) -> reqwest::header::HeaderMap {
    // What the client itself decides; another value would break the request or a promise.
    const OWN: [&str; 7] =
        ["connection", "content-length", "expect", "host", "te", "transfer-encoding", "upgrade"];
    let mut map = reqwest::header::HeaderMap::new();
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        let free = !OWN.contains(&lower.as_str()) && !reserved.contains(&lower.as_str());
        faults.check(free, "headers", name, "a header that this plugin does not set itself", "leave it out");
        match (HeaderName::from_bytes(name.as_bytes()), value.header()) {
            (Ok(name), Some(value)) => drop(map.insert(name, value)),
            (Err(_), _) => faults.check(false, "headers", name, "the name of a header", "write X-Name"),
            (_, None) => {
                let field = format!("headers.{lower}");
                faults.check_secret(false, &field, "text that a header can hold", "remove line ends");
            }
        }
    }
    map
}
