//! The HTTP client of one component: a pool of connections, its limits, and a runtime of its own.
//!
//! A plugin can not share the host's runtime across the library boundary, so each component has one with a
//! single thread, which ends when the component is closed.

pub(crate) mod address;
pub(crate) mod auth;
mod body;
pub(crate) mod config;
pub(crate) mod dns;
mod failure;
mod meter;
mod pool;
pub(crate) mod status;
mod tls;

use std::{
    future::Future,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper_util::client::legacy::connect::HttpInfo;
use mfn_plugin::{author::Result, host::Host, value::PluginError};
use reqwest::{
    Method, Version,
    header::{ACCEPT_ENCODING, CONNECTION, HeaderMap, HeaderValue},
};
use tokio::{runtime::Runtime, task::JoinHandle, time::timeout_at};
use url::Url;

pub(crate) use failure::{BodyFault, Failure};

use crate::secret::origin;
use auth::Credentials;
use config::ClientConfig;
use dns::{Lookup, Resolver};
use meter::Meter;
use pool::Pool;

/// How long a closing component waits for its thread.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// What is read of an answer that is an error, so that its connection can be used again.
const ERROR_BYTES_MAX: u64 = 64 << 10;

/// A checked configuration of a client. Making one does no I/O.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) config: ClientConfig,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) credentials: Credentials,
    pub(crate) allow_private: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) host: Host,
    pub(crate) lookup: Lookup,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("origin", &origin(&self.url)).finish_non_exhaustive()
    }
}

/// A request to be made.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// When its time is over; the configured time-out may end it earlier.
    pub(crate) deadline: Instant,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Result<Vec<u8>, BodyFault>,
}

/// An open client. Dropping it ends its thread.
#[derive(Debug)]
pub(crate) struct Client {
    runtime: Option<Runtime>,
    core: Arc<Core>,
}

/// What requests need; shared with those that run in the background.
pub(crate) struct Core {
    http: reqwest::Client,
    pool: Pool,
    meter: Arc<Meter>,
    origin: String,
    credentials: Credentials,
    first_byte_timeout: Duration,
    timeout: Duration,
    response_bytes_max: u64,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Client {
    /// Reads the certificates and starts the runtime. Nothing is connected yet.
    ///
    /// # Errors
    /// When certificates can not be read or the thread can not be started.
    pub(crate) fn open(plan: &Plan) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mfn-http")
            .enable_all()
            .build()
            .map_err(|error| PluginError::io("the thread of the client", &error))?;
        let meter = Arc::new(Meter::new(&plan.host, plan.url.host_str().unwrap_or_default()));
        let pool = Pool::new(&plan.config, Arc::clone(&meter));
        let http = build(plan, &pool)?;
        let core = Core {
            http,
            pool,
            meter,
            origin: origin(&plan.url),
            credentials: plan.credentials.clone(),
            first_byte_timeout: Duration::from_millis(plan.config.first_byte_timeout_ms),
            timeout: Duration::from_millis(plan.config.timeout_ms),
            response_bytes_max: plan.config.response_bytes_max,
        };
        Ok(Self { runtime: Some(runtime), core: Arc::new(core) })
    }

    /// What requests need.
    pub(crate) fn core(&self) -> Arc<Core> {
        Arc::clone(&self.core)
    }

    /// Runs work on the client's thread and waits for it. On the calling thread it would race with the
    /// connections, which are served by the client's, and find them busy that are about to be free.
    ///
    /// # Errors
    /// When the client is closed or the work panicked.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T> {
        self.finish(self.start(work)?)
    }

    /// Starts work on the client's thread.
    ///
    /// # Errors
    /// When the client is closed.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<JoinHandle<T>> {
        Ok(self.open_runtime()?.spawn(work))
    }

    /// Waits for work that was started.
    ///
    /// # Errors
    /// When the client is closed or the work panicked.
    pub(crate) fn finish<T>(&self, work: JoinHandle<T>) -> Result<T> {
        let done = self.open_runtime()?.block_on(work);
        done.map_err(|error| PluginError::fatal(format!("the client's work ended early: {error}")))
    }

    fn open_runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or_else(|| PluginError::fatal("the client is closed"))
    }

    /// Runs work in the background; it ends at the latest with the client.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(work);
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Bounded, because a look-up of the operating system can not be interrupted.
            runtime.shutdown_timeout(CLOSE_TIMEOUT);
        }
    }
}

impl Core {
    /// Makes a request when its turn comes and reads the answer whole.
    ///
    /// # Errors
    /// When there is no answer. An answer that is an error is an answer.
    pub(crate) async fn send(&self, ask: Ask) -> Result<Reply, Failure> {
        let deadline = ask.deadline.min(Instant::now() + self.timeout);
        let origin = || self.origin.clone();
        let turn = timeout_at(deadline.into(), self.pool.turn()).await;
        let turn = turn.ok().flatten().filter(|_| Instant::now() < deadline);
        let _turn = turn.ok_or_else(|| Failure::Crowded { origin: origin() })?;
        let _running = self.meter.in_progress.enter();
        let since = Instant::now();
        let method = method_name(&ask.method);
        let reply = self.exchange(ask, deadline).await;
        self.meter.ended(method, reply.as_ref().map_or(0, |reply| reply.status), since);
        reply
    }

    async fn exchange(&self, ask: Ask, deadline: Instant) -> Result<Reply, Failure> {
        let begin = Instant::now();
        let (mut url, mut headers) = (ask.url, ask.headers);
        self.credentials.apply(&mut headers, &mut url).map_err(Failure::Credential)?;
        // Addresses behind names are looked at by the resolver, addresses written out by the configuration;
        // a page may only lead to the same origin.
        let mut request = self.http.request(ask.method, url).headers(headers);
        if let Some(body) = ask.body {
            request = request.body(body);
        }
        let head_until = deadline.min(begin + self.first_byte_timeout);
        let head = timeout_at(head_until.into(), request.send()).await;
        let mut response = match head {
            Ok(head) => head.map_err(|error| Failure::of(&self.origin, error))?,
            Err(_) => {
                let reason = format!("none began within {} ms", begin.elapsed().as_millis());
                return Err(Failure::Unanswered { origin: self.origin.clone(), reason });
            }
        };
        let status = response.status().as_u16();
        let local = response.extensions().get::<HttpInfo>().map(HttpInfo::local_addr);
        let in_use = local.map(|local| self.pool.use_connection(local));
        let stays_open = response.version() == Version::HTTP_2
            || response.version() == Version::HTTP_11
                && response.headers().get(CONNECTION).is_none_or(|value| value != "close");
        let bytes_max =
            if status < 300 { self.response_bytes_max } else { self.response_bytes_max.min(ERROR_BYTES_MAX) };
        let body = match timeout_at(deadline.into(), body::read(&mut response, bytes_max)).await {
            Ok(body) => body,
            Err(_) => Err(BodyFault::Slow { timeout_ms: begin.elapsed().as_millis() }),
        };
        if let Some(in_use) = in_use {
            in_use.finished(stays_open && body.is_ok());
        }
        Ok(Reply { status, headers: std::mem::take(response.headers_mut()), body })
    }

    /// Scheme, host and port: what may be shown of the URL.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The error for a status that is none of success, with how long to wait.
    pub(crate) fn refusal(&self, reply: &Reply) -> Option<PluginError> {
        let class = status::class(reply.status)?;
        let hint = match reply.status {
            300..=399 => "; redirects are not followed, set the URL that it leads to",
            401 => "; check auth",
            403 => "; check what auth may do",
            407 => "; check client.proxy",
            _ => "",
        };
        let mut error = PluginError::new(class, format!("{}: answered {}{hint}", self.origin, reply.status));
        if class == mfn_plugin::value::ErrorClass::Throttled {
            error.retry_after = status::retry_after(&reply.headers);
        }
        Some(error)
    }
}

/// The reqwest client of a plan.
fn build(plan: &Plan, pool: &Pool) -> Result<reqwest::Client> {
    let config = &plan.config;
    let fault = |what: &str| PluginError::permanent(format!("{what} can not be used"));
    let mut proxy_name = None;
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent(&config.user_agent)
        .default_headers(default_headers(plan))
        .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
        .pool_idle_timeout(Duration::from_millis(config.idle_timeout_ms))
        .pool_max_idle_per_host(config.per_host() as usize)
        .tcp_nodelay(true)
        .connector_layer(pool.gate());
    let mut is_tls = plan.url.scheme() == "https";
    if let Some(proxy) = &config.proxy {
        let url = Url::parse(proxy.current()?.expose()).map_err(|_| fault("client.proxy"))?;
        proxy_name = url.host_str().map(str::to_owned);
        is_tls |= url.scheme() == "https";
        builder = builder.proxy(reqwest::Proxy::all(url).map_err(|_| fault("client.proxy"))?);
    }
    // Without TLS the certificates of the system do not have to be read.
    builder = if is_tls {
        builder.tls_backend_preconfigured(tls::config(plan.ca_file.as_deref())?)
    } else {
        builder.tls_backend_preconfigured(tls::none()?)
    };
    let kept_for = Duration::from_secs(config.dns_cache_s);
    let resolver = Resolver::new(Arc::clone(&plan.lookup), kept_for, plan.allow_private, proxy_name);
    builder = builder.dns_resolver(resolver);
    let built = builder.build();
    built.map_err(|error| PluginError::permanent(format!("the client: {}", failure::chain(error))))
}

/// The headers of every request but the credentials, which may be replaced.
fn default_headers(plan: &Plan) -> HeaderMap {
    let mut headers = plan.headers.clone();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers
}

/// A method's name out of the few that this plugin uses.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        _ => "POST",
    }
}
