//! How many connections there are: the limits, and the account of those in use.
//!
//! reqwest keeps idle connections and bounds nothing else, so the bound is made of two parts: requests
//! that may be under way, and connections that may be in the making. A new connection is begun only when a
//! request finds none idle, so there are never more than the two together.

use std::{
    collections::HashMap,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, SemaphorePermit};
use tower_layer::Layer;
use tower_service::Service;

use super::{config::ClientConfig, meter::Meter};

/// The limits of one client and what is known of its connections.
pub(crate) struct Pool {
    turns: Semaphore,
    connecting: Arc<Semaphore>,
    idle_timeout: Duration,
    meter: Arc<Meter>,
    connections: Mutex<HashMap<SocketAddr, Connection>>,
}

/// A connection, named by its local address.
#[derive(Debug, Clone, Copy)]
struct Connection {
    requests: u32,
    used: Instant,
}

impl Pool {
    pub(crate) fn new(config: &ClientConfig, meter: Arc<Meter>) -> Self {
        Self {
            turns: Semaphore::new(config.requests_max() as usize),
            connecting: Arc::new(Semaphore::new(config.connecting_max() as usize)),
            idle_timeout: Duration::from_millis(config.idle_timeout_ms),
            meter,
            connections: Mutex::default(),
        }
    }

    /// Waits for the turn of a request.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let _waiting = self.meter.waiting.enter();
        self.turns.acquire().await.ok()
    }

    /// What goes around reqwest's connector.
    pub(crate) fn gate(&self) -> Gate {
        Gate { connecting: Arc::clone(&self.connecting), meter: Arc::clone(&self.meter) }
    }

    /// Notes that an answer comes over a connection.
    pub(crate) fn use_connection(&self, local: SocketAddr) -> InUse<'_> {
        let mut connections = self.lock();
        let entry = connections.entry(local).or_insert(Connection { requests: 0, used: Instant::now() });
        entry.requests += 1;
        entry.used = Instant::now();
        self.show(connections);
        InUse { pool: self, local, keep: false }
    }

    fn release(&self, local: SocketAddr, keep: bool) {
        let mut connections = self.lock();
        if let Some(connection) = connections.get_mut(&local) {
            connection.requests = connection.requests.saturating_sub(1);
            connection.used = Instant::now();
            if !keep && connection.requests == 0 {
                connections.remove(&local);
            }
        }
        self.show(connections);
    }

    /// Forgets what must have been closed for idleness and shows the rest. A connection that the server
    /// closes while it is idle is counted until then.
    fn show(&self, mut connections: MutexGuard<'_, HashMap<SocketAddr, Connection>>) {
        let idle_timeout = self.idle_timeout;
        connections
            .retain(|_, connection| connection.requests > 0 || connection.used.elapsed() <= idle_timeout);
        let open = connections.len();
        let idle = connections.values().filter(|connection| connection.requests == 0).count();
        drop(connections);
        self.meter.show_pool(open, idle);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that carries an answer. It counts as closed when it is dropped before
/// [`finished`](Self::finished).
pub(crate) struct InUse<'a> {
    pool: &'a Pool,
    local: SocketAddr,
    keep: bool,
}

impl InUse<'_> {
    /// The answer was read to its end.
    pub(crate) fn finished(mut self, stays_open: bool) {
        self.keep = stays_open;
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.pool.release(self.local, self.keep);
    }
}

/// Lets only so many connections be in the making, and counts those made.
#[derive(Clone)]
pub(crate) struct Gate {
    connecting: Arc<Semaphore>,
    meter: Arc<Meter>,
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { inner, gate: self.clone() }
    }
}

/// A connector behind its [`Gate`].
#[derive(Clone)]
pub(crate) struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S, R> Service<R> for Gated<S>
where
    S: Service<R> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // The one that was found ready is used; its copy takes its place.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let gate = self.gate.clone();
        Box::pin(async move {
            // The semaphore is never closed; were it, the limit on requests would still hold.
            let _turn = gate.connecting.acquire().await.ok();
            let connection = inner.call(request).await?;
            gate.meter.connections_made.increment();
            Ok(connection)
        })
    }
}
