//! One thread that looks at the lanes and spools: gauges that have to be right also while a publisher hangs in a
//! call, and the relief of lanes whose call does not come back.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::lane::{Handover, LaneHandle, LaneView};
use super::shared::Shared;
use super::spooling::SpoolHub;
use super::{BreakerState, DeliveryStatus};
use crate::metrics::{Counter, Gauge, MetricsRegistry};

/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// How often to look for calls that do not come back.
const RELIEF_PERIOD: Duration = Duration::from_millis(250);

/// Looks at everything that has no thread of its own to do it.
pub(super) struct Watch {
    shared: Arc<Shared>,
    publishers: Vec<Publisher>,
    spools: Vec<SpoolGauges>,
    lanes: Vec<(String, Arc<Handover>)>,
}

struct Publisher {
    view: Arc<LaneView>,
    queue: Gauge,
    oldest_s: Gauge,
    backing_off: Gauge,
    circuit: Gauge,
    dropped: Counter,
    breaches: Counter,
    seen: Option<DeliveryStatus>,
}

struct SpoolGauges {
    hub: Arc<SpoolHub>,
    bytes: Gauge,
    records: Gauge,
}

impl Watch {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), publishers: Vec::new(), spools: Vec::new(), lanes: Vec::new() }
    }

    pub(super) fn lane(&mut self, name: &str, lane: &LaneHandle) {
        self.lanes.push((name.to_owned(), Arc::clone(&lane.handover)));
    }

    pub(super) fn publisher(&mut self, registry: &MetricsRegistry, name: &str, view: &Arc<LaneView>) {
        let labels = [("component", name)];
        let gauge = |name, help| registry.gauge(name, help, &labels);
        let counter = |name, help| registry.counter(name, help, &labels);
        self.publishers.push(Publisher {
            view: Arc::clone(view),
            queue: gauge(
                "mfn_queue_depth",
                "Records handed to a publisher that it has neither taken nor refused.",
            ),
            oldest_s: gauge("mfn_queue_oldest_age_seconds", "How long the oldest of them has been waiting."),
            backing_off: gauge(
                "mfn_backing_off",
                "Records that wait for another attempt, or behind such a record.",
            ),
            circuit: gauge("mfn_circuit_state", "Circuit of a publisher: 0 closed, 1 half-open, 2 open."),
            dropped: counter(
                "mfn_best_effort_dropped_total",
                "Records that a publisher nobody waits for did not get.",
            ),
            breaches: counter(
                "mfn_answer_breaches_total",
                "Calls that a publisher answered with another number of answers than records.",
            ),
            seen: None,
        });
    }

    pub(super) fn spool(&mut self, registry: &MetricsRegistry, hub: &Arc<SpoolHub>) {
        let labels = [("route", hub.route.as_str())];
        self.spools.push(SpoolGauges {
            hub: Arc::clone(hub),
            bytes: registry.gauge("mfn_spool_bytes", "What a spool takes on the disk.", &labels),
            records: registry.gauge(
                "mfn_spool_records",
                "Spooled records that not every publisher has.",
                &labels,
            ),
        });
    }

    /// Looks until the other end of the channel is gone, and once more then.
    pub(super) fn run(mut self, end: &Receiver<()>) {
        let mut look_at = Instant::now() + PERIOD;
        loop {
            let ended = !matches!(end.recv_timeout(RELIEF_PERIOD), Err(RecvTimeoutError::Timeout));
            for (name, lane) in &self.lanes {
                lane.relieve(name, &self.shared);
            }
            if ended || Instant::now() >= look_at {
                look_at = Instant::now() + PERIOD;
                self.look();
            }
            if ended {
                return;
            }
        }
    }

    fn look(&mut self) {
        self.publishers.iter_mut().for_each(Publisher::look);
        for spool in &self.spools {
            spool.bytes.set(spool.hub.spool.status().bytes as f64);
            spool.records.set(spool.hub.ledger.fates().waiting as f64);
        }
    }
}

impl Publisher {
    fn look(&mut self) {
        let status = self.view.status();
        self.queue.set(status.queued as f64);
        self.oldest_s.set(status.oldest_ms as f64 / 1e3);
        self.backing_off.set(status.backing_off as f64);
        self.circuit.set(match status.circuit {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            BreakerState::Open => 2.0,
        });
        let seen = |number: fn(&DeliveryStatus) -> u64| self.seen.as_ref().map_or(0, number);
        self.dropped.add_count(status.dropped.saturating_sub(seen(|status| status.dropped)));
        self.breaches.add_count(status.breaches.saturating_sub(seen(|status| status.breaches)));
        self.seen = Some(status);
    }
}
