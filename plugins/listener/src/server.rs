//! The listener itself: a thread, its runtime, the accept loop, and the end of it all.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::Arc,
    thread,
    time::Duration,
};

use axum::{Router, middleware};
use tokio::{
    net::TcpListener,
    runtime,
    sync::{Semaphore, oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    cause::ListenerError,
    connection::{self, Bounds},
    guard::{self, Guard},
    meter::Meter,
    plan::Plan,
};

/// How many clients are told at one time that there are too many; more are closed without a word.
const REFUSALS_MAX: usize = 32;

/// An open listener with its thread. Dropping it cuts every connection.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    stop: Option<oneshot::Sender<Duration>>,
    thread: Option<thread::JoinHandle<usize>>,
}

impl Listener {
    /// Reads the credentials, binds, and serves `router` on a thread of its own.
    ///
    /// # Errors
    /// [`ListenerError::Secret`], [`ListenerError::Credential`], [`ListenerError::Bind`] or
    /// [`ListenerError::Thread`]; nothing is left open then.
    pub fn open(plan: &Plan, router: Router) -> Result<Self, ListenerError> {
        let credentials = plan.credentials()?;
        let meter = Arc::new(Meter::new(&plan.host));
        let bind_error = |source| ListenerError::Bind { address: plan.address, source };
        let socket = StdListener::bind(plan.address).map_err(bind_error)?;
        socket.set_nonblocking(true).map_err(bind_error)?;
        let address = socket.local_addr().map_err(bind_error)?;
        let guard = Arc::new(Guard {
            local_names_only: credentials.is_empty()
                && !plan.allow_unauthenticated
                && address.ip().is_loopback(),
            credentials,
            public_paths: plan.public_paths,
            meter: Arc::clone(&meter),
        });
        let mut router = router.layer(middleware::from_fn_with_state(guard, guard::pass));
        if let Some(cors) = &plan.cors {
            // Outermost: a browser asks without credentials first, and has to be able to read a 401.
            router = router.layer(cors.clone());
        }
        let thread_error = |source| ListenerError::Thread { source };
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(thread_error)?;
        let bounds = Bounds {
            header_timeout: plan.header_timeout,
            write_timeout: plan.write_timeout,
            header_bytes_max: plan.header_bytes_max,
        };
        let connections_max = plan.connections_max;
        let (stop, stopped) = oneshot::channel();
        let work = move || {
            runtime.block_on(async move {
                match TcpListener::from_std(socket) {
                    Ok(socket) => serve(socket, router, bounds, connections_max, &meter, stopped).await,
                    Err(error) => {
                        tracing::error!(%error, "the listener cannot watch its socket");
                        0
                    }
                }
            })
        };
        let name = format!("mfn-{}", plan.host.instance());
        let thread = thread::Builder::new().name(thread_name(&name)).spawn(work).map_err(thread_error)?;
        tracing::info!(instance = plan.host.instance(), %address, "listening");
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on this listener.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops accepting, lets running answers finish for at most `grace`, then cuts what is left. The
    /// thread is gone when this returns. Gives the number of connections that were cut.
    pub fn stop(mut self, grace: Duration) -> usize {
        self.end(grace)
    }

    fn end(&mut self, grace: Duration) -> usize {
        if let Some(stop) = self.stop.take() {
            // Fails where the thread has ended already.
            let _ = stop.send(grace);
        }
        self.thread.take().map_or(0, |thread| thread.join().unwrap_or(0))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

/// Accepts and serves until told to stop; gives the number of connections that had to be cut.
async fn serve(
    socket: TcpListener,
    router: Router,
    bounds: Bounds,
    connections_max: usize,
    meter: &Meter,
    mut stopped: oneshot::Receiver<Duration>,
) -> usize {
    let (stop, stop_rx) = watch::channel(false);
    let places = Arc::new(Semaphore::new(connections_max));
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let mut tasks = JoinSet::new();
    let mut refused = JoinSet::new();
    let grace = loop {
        let accepted = tokio::select! {
            // A dropped sender is a dropped listener.
            grace = &mut stopped => break grace.unwrap_or_default(),
            accepted = socket.accept() => accepted,
            Some(_) = tasks.join_next() => continue,
            Some(_) = refused.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    let work = connection::serve(stream, router.clone(), bounds, stop_rx.clone());
                    tasks.spawn(async move {
                        work.await;
                        drop(place);
                    });
                } else {
                    meter.refused_connections.increment();
                    if let Ok(place) = Arc::clone(&refusals).try_acquire_owned() {
                        refused.spawn(async move {
                            connection::refuse(stream).await;
                            drop(place);
                        });
                    }
                }
            }
            Err(error) => rest_after(&error).await,
        }
    };
    drop(socket);
    let deadline = Instant::now() + grace;
    let _ = stop.send(true);
    while let Ok(Some(_)) = timeout_at(deadline, tasks.join_next()).await {}
    let cut = tasks.len();
    tasks.shutdown().await;
    refused.shutdown().await;
    cut
}

/// Waits a moment after an accept that failed for want of descriptors or memory: at once it would fail again.
async fn rest_after(error: &io::Error) {
    use io::ErrorKind as K;
    if matches!(error.kind(), K::ConnectionAborted | K::ConnectionReset | K::Interrupted) {
        return;
    }
    tracing::warn!(%error, "a connection could not be accepted");
    sleep(Duration::from_millis(100)).await;
}

/// The system keeps 15 bytes of a thread's name and refuses a NUL.
fn thread_name(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_graphic()).take(15).collect()
}
