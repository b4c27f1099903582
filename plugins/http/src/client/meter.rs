//! The `mfn_http_*` metrics of one client.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use mfn_plugin::host::{Host, Metric};

/// Upper bounds in seconds, as the listener has them.
const DURATION_BUCKETS_S: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A gauge that counts up and down.
#[derive(Debug)]
pub(crate) struct Level {
    gauge: Metric,
    value: AtomicI64,
}

impl Level {
    fn new(gauge: Metric) -> Self {
        gauge.update(0.0);
        Self { gauge, value: AtomicI64::new(0) }
    }

    /// Counts one up until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.add(1);
        Entered(self)
    }

    #[allow(clippy::cast_precision_loss)]
    fn add(&self, change: i64) {
        let value = self.value.fetch_add(change, Ordering::Relaxed) + change;
        self.gauge.update(value as f64);
    }
}

/// See [`Level::enter`].
pub(crate) struct Entered<'a>(&'a Level);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

/// Counts requests. The label `endpoint` is the host of the component's URL, which is one; `status` is a
/// number, or `none` where no answer came.
pub(crate) struct Meter {
    host: Host,
    endpoint: String,
    requests: Mutex<HashMap<(&'static str, u16), Metric>>,
    durations: Mutex<HashMap<&'static str, Metric>>,
    pub(crate) in_progress: Level,
    pub(crate) waiting: Level,
    pub(crate) connections_made: Metric,
    open: Metric,
    idle: Metric,
}

impl Meter {
    pub(crate) fn new(host: &Host, endpoint: &str) -> Self {
        let labels = [("endpoint", endpoint)];
        let gauge = |name, help| host.gauge(name, help, &labels);
        Self {
            host: host.clone(),
            endpoint: endpoint.to_owned(),
            requests: Mutex::default(),
            durations: Mutex::default(),
            in_progress: Level::new(host.gauge(
                "mfn_http_requests_in_progress",
                "HTTP requests whose answer has not come.",
                &[("endpoint", endpoint), ("method", "all")],
            )),
            waiting: Level::new(gauge("mfn_http_pool_waiting", "Requests that wait for a connection.")),
            connections_made: host.counter(
                "mfn_http_connections_opened_total",
                "Connections that the client has made.",
                &labels,
            ),
            open: gauge("mfn_http_pool_open", "Connections of the client, as far as it has used them."),
            idle: gauge("mfn_http_pool_idle", "Connections of the client that wait for a request."),
        }
    }

    /// Counts a request that has ended; `status` is 0 where no answer came.
    pub(crate) fn ended(&self, method: &'static str, status: u16, since: Instant) {
        let endpoint = self.endpoint.as_str();
        let code = if status == 0 { "none".to_owned() } else { status.to_string() };
        let counter = || {
            let labels = [("endpoint", endpoint), ("method", method), ("status", code.as_str())];
            self.host.counter("mfn_http_requests_total", "HTTP requests that have ended.", &labels)
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.entry((method, status)).or_insert_with(counter).increment();
        drop(requests);
        let histogram = || {
            let labels = [("endpoint", endpoint), ("method", method)];
            let help = "Time from a request's begin to the end of its answer.";
            self.host.histogram("mfn_http_request_duration_seconds", help, &labels, &DURATION_BUCKETS_S)
        };
        let mut durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
        durations.entry(method).or_insert_with(histogram).update(since.elapsed().as_secs_f64());
    }

    /// Shows the state of the pool.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn show_pool(&self, open: usize, idle: usize) {
        self.open.update(open as f64);
        self.idle.update(idle as f64);
    }
}
