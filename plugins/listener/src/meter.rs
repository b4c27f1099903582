//! The `mfn_http_*` metrics of one listener.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::http::Method;
use mfn_plugin::host::{Host, Metric};

/// Upper bounds in seconds, as MFN v4.1 had them.
const DURATION_BUCKETS_S: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Gauges with their values, by endpoint and method.
type Gauges = HashMap<(String, &'static str), (Metric, i64)>;

/// Counts requests. Label values are bounded: `endpoint` is a route of the plugin or `other`, `method`
/// one of nine or `other`.
pub(crate) struct Meter {
    host: Host,
    gauges: Mutex<Gauges>,
    pub(crate) refused_connections: Metric,
}

impl Meter {
    pub(crate) fn new(host: &Host) -> Self {
        Self {
            host: host.clone(),
            gauges: Mutex::default(),
            refused_connections: host.counter(
                "mfn_http_connections_refused_total",
                "Connections closed with 503 because limits.connections_max were open.",
                &[],
            ),
        }
    }

    /// Starts counting one request; it ends when the answer's head is known or the value is dropped.
    pub(crate) fn begin(&self, endpoint: &str, method: &Method) -> Running<'_> {
        let running = Running {
            meter: self,
            endpoint: endpoint.to_owned(),
            method: method_name(method),
            start: Instant::now(),
        };
        running.add(1);
        running
    }

    fn gauges(&self) -> MutexGuard<'_, Gauges> {
        self.gauges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request that is being answered.
pub(crate) struct Running<'a> {
    meter: &'a Meter,
    endpoint: String,
    method: &'static str,
    start: Instant,
}

impl Running<'_> {
    /// Counts the answer.
    pub(crate) fn answered(self, status: u16) {
        let status = status.to_string();
        let base = [("endpoint", self.endpoint.as_str()), ("method", self.method)];
        let with_status = [base[0], base[1], ("status", status.as_str())];
        let host = &self.meter.host;
        host.counter("mfn_http_requests_total", "Answered HTTP requests.", &with_status).increment();
        host.histogram(
            "mfn_http_request_duration_seconds",
            "Time from a request's head to the head of its answer.",
            &base,
            &DURATION_BUCKETS_S,
        )
        .update(self.start.elapsed().as_secs_f64());
    }

    fn add(&self, change: i64) {
        let mut gauges = self.meter.gauges();
        let (gauge, count) = gauges.entry((self.endpoint.clone(), self.method)).or_insert_with(|| {
            let labels = [("endpoint", self.endpoint.as_str()), ("method", self.method)];
            let help = "HTTP requests whose answer has not begun.";
            (self.meter.host.gauge("mfn_http_requests_in_progress", help, &labels), 0)
        });
        *count += change;
        #[allow(clippy::cast_precision_loss)]
        gauge.update(*count as f64);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.add(-1);
    }
}

/// A method's name out of a closed set, so a client cannot invent label values.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "other",
    }
}
