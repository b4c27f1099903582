//! A listener's configuration after all its checks, ready to be opened.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::http::{HeaderName, HeaderValue, Method, header};
use mfn_plugin::{host::Host, secret::Secret};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    cause::ListenerError,
    config::{Auth, Limits, in_range},
    credential::Credential,
};

/// A checked configuration. Making one does no I/O.
pub struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) host: Host,
    pub(crate) connections_max: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) header_bytes_max: usize,
    pub(crate) allow_unauthenticated: bool,
    pub(crate) public_paths: &'static [&'static str],
    pub(crate) cors: Option<CorsLayer>,
    credentials: Credentials,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Plan {
    /// Checks the address, the credentials and the limits. `bind` is an IP address with a port; port 0
    /// lets the system choose one.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn new(bind: &str, auth: &Auth, limits: &Limits, host: &Host) -> Result<Self, ListenerError> {
        let address: SocketAddr =
            bind.parse().map_err(|_| ListenerError::Address { value: bind.to_owned() })?;
        limits.validate()?;
        in_range("auth.rotation_window_ms", auth.rotation_window_ms, 0, 7 * 24 * 3_600_000)?;
        let window = Duration::from_millis(auth.rotation_window_ms);
        let credential = |field, secret: &Option<Secret>| {
            let credential = secret.as_ref().map(|secret| Credential::new(field, secret, window));
            credential.transpose().map(|credential| credential.map(Arc::new))
        };
        let bearer = credential("auth.bearer_token", &auth.bearer_token)?;
        let api_key = credential("auth.api_key", &auth.api_key)?;
        let guarded = bearer.is_some() || api_key.is_some() || auth.allow_unauthenticated;
        if !guarded && !address.ip().is_loopback() {
            return Err(ListenerError::Exposed { address });
        }
        Ok(Self {
            address,
            host: host.clone(),
            connections_max: limits.connections_max as usize,
            header_timeout: Duration::from_millis(limits.header_timeout_ms),
            write_timeout: Duration::from_millis(limits.write_timeout_ms),
            header_bytes_max: usize::try_from(limits.header_bytes_max).unwrap_or(8_192),
            allow_unauthenticated: auth.allow_unauthenticated,
            public_paths: &[],
            cors: None,
            credentials: Credentials { bearer, api_key },
        })
    }

    /// Paths that need no credential.
    #[must_use]
    pub fn with_public_paths(mut self, paths: &'static [&'static str]) -> Self {
        self.public_paths = paths;
        self
    }

    /// Lets browser pages of these origins read the answers; `*` alone means every origin. Without any
    /// origin no CORS header is sent and browsers keep other sites out.
    ///
    /// # Errors
    /// An entry that is not an origin.
    pub fn with_cors(mut self, origins: &[String]) -> Result<Self, ListenerError> {
        let allowed = match origins {
            [] => return Ok(self),
            [any] if any == "*" => AllowOrigin::any(),
            list => AllowOrigin::list(list.iter().map(|text| origin(text)).collect::<Result<Vec<_>, _>>()?),
        };
        self.cors = Some(
            CorsLayer::new()
                .allow_origin(allowed)
                .allow_methods([Method::GET])
                .allow_headers([
                    header::AUTHORIZATION,
                    header::CACHE_CONTROL,
                    HeaderName::from_static("last-event-id"),
                    HeaderName::from_static("x-api-key"),
                ])
                .max_age(Duration::from_secs(600)),
        );
        Ok(self)
    }

    /// The configured address; port 0 is not resolved.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The credentials, each read from where it is.
    pub(crate) fn credentials(&self) -> Result<Credentials, ListenerError> {
        let Credentials { bearer, api_key } = &self.credentials;
        bearer.iter().chain(api_key).try_for_each(|credential| credential.check())?;
        Ok(self.credentials.clone())
    }

    /// Tries what [`Listener::open`](crate::Listener::open) needs, and lets go of it: the credentials
    /// and, unless `is_open`, the address.
    ///
    /// # Errors
    /// What opening would fail with.
    pub fn check(&self, is_open: bool) -> Result<(), ListenerError> {
        self.credentials()?;
        if !is_open {
            std::net::TcpListener::bind(self.address)
                .map_err(|source| ListenerError::Bind { address: self.address, source })?;
        }
        Ok(())
    }
}

/// What a request has to present one of, where there is any.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) bearer: Option<Arc<Credential>>,
    pub(crate) api_key: Option<Arc<Credential>>,
}

impl Credentials {
    pub(crate) fn is_empty(&self) -> bool {
        self.bearer.is_none() && self.api_key.is_none()
    }
}

/// Reads `scheme://host[:port]`, the only form in which a browser sends an origin.
fn origin(text: &str) -> Result<HeaderValue, ListenerError> {
    let fault = || ListenerError::Origin { value: text.to_owned() };
    let (scheme, host) = text.split_once("://").ok_or_else(fault)?;
    let fits = ["http", "https"].contains(&scheme)
        && !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@*,\\".contains(&byte))
        && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if !fits {
        return Err(fault());
    }
    HeaderValue::from_str(text).map_err(|_| fault())
}
