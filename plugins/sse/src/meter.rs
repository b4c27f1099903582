//! The metrics of the transport.

use mfn_plugin::host::{Host, Metric};

use crate::frame::ResyncReason;

/// Handles that are made once.
#[derive(Debug)]
pub struct Meter {
    host: Host,
    /// Clients that stream now.
    pub clients: Metric,
    /// Published events.
    pub events: Metric,
    /// Events that a client did not get and was told so.
    pub dropped: Metric,
    /// Clients that were disconnected because their queue was full.
    pub overflows: Metric,
}

impl Meter {
    /// Registers the metrics.
    #[must_use]
    pub fn new(host: &Host) -> Self {
        Self {
            host: host.clone(),
            clients: host.gauge("mfn_transport_clients", "Clients that stream now.", &[]),
            events: host.counter("mfn_transport_events_total", "Published events.", &[]),
            dropped: host.counter(
                "mfn_transport_dropped_events_total",
                "Events that a client did not get and was told so by a gap.",
                &[],
            ),
            overflows: host.counter(
                "mfn_transport_overflow_disconnects_total",
                "Clients that were disconnected because their queue was full.",
                &[],
            ),
        }
    }

    /// Counts a client that has to start anew.
    pub fn resync(&self, reason: ResyncReason) {
        let help = "Clients that came back with a cursor that the stream could not continue.";
        self.host.counter("mfn_transport_resyncs_total", help, &[("reason", reason.name())]).increment();
    }

    /// Counts a client that was not admitted.
    pub fn rejected(&self, reason: &str) {
        let help = "Clients that were answered 503.";
        let name = "mfn_transport_rejected_connections_total";
        self.host.counter(name, help, &[("reason", reason)]).increment();
    }
}
