//! What a pipeline says of itself: state, counters, components, and the report of a drain.

use std::time::Duration;

use mfn_plugin::value::{Endpoint, Health, Kind};
use serde::Serialize;

use super::spooling::SpoolHandle;
use crate::config::ConfigFault;
use crate::delivery::BreakerState;

/// The life of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PipelineState {
    /// Fetching and computing.
    Running,
    /// No longer fetching; what is in flight is being finished.
    Draining,
    /// Every connector has come to its end and everything is settled. Components stay open, so that
    /// streams and metrics can still be read, until drain, stop or drop.
    Finished,
    /// Drained or stopped; all components were closed or given up.
    Stopped,
    /// A component can not go on; `last_error` says which. Nothing is fetched any more.
    Failed,
}

impl PipelineState {
    /// Whether nothing more will be computed.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Finished | Self::Stopped | Self::Failed)
    }

    /// The lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// The state of a pipeline at one moment. The counters belong together:
/// `received = delivered + rejected + dead_lettered + nacked + in_flight + spooled`, always.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PipelineStatus {
    /// Where in its life it is.
    pub state: PipelineState,
    /// Records fetched, and those that a spool had at the start. A record that was nacked and came again
    /// counts twice.
    pub received: u64,
    /// Records whose result all publishers of the route have made durable, and that are settled.
    pub delivered: u64,
    /// Records that can not be done and were settled so, without a dead letter.
    pub rejected: u64,
    /// Records that can not be done and lie, with the reason, with the dead-letter publisher.
    pub dead_lettered: u64,
    /// Records given back to their connector, to come again.
    pub nacked: u64,
    /// Records fetched and not settled yet.
    pub in_flight: u64,
    /// Records settled that not every publisher of `publishers` has yet: they are in a spool, or, with
    /// durability `accepted`, in memory.
    pub spooled: u64,
    /// Bytes of the budget in use: records fetched and queued, requests being computed, results not
    /// yet delivered. 0 when the pipeline is finished, but for what waits for `best_effort` publishers.
    pub bytes_in_flight: u64,
    /// The most bytes that were ever in use.
    pub bytes_in_flight_peak: u64,
    /// Records that wait at a publisher for another attempt, or behind such a record.
    pub backing_off: u64,
    /// The spools of the routes that have one.
    pub spools: Vec<SpoolView>,
    /// Records waiting with the connectors; `None` when one of them can not tell.
    pub backlog: Option<u64>,
    /// Outcomes that the host did not take in time, exactly.
    pub outcomes_dropped: u64,
    /// Events that transports did not take in time, exactly.
    pub events_dropped: u64,
    /// What is being computed at the moment.
    pub active: Vec<ActiveRequest>,
    /// Where components can be reached.
    pub endpoints: Vec<ComponentEndpoint>,
    /// All components.
    pub components: Vec<ComponentStatus>,
    /// The last error of a component, or of settling.
    pub last_error: Option<String>,
}

/// A request being computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActiveRequest {
    /// Its id.
    pub request: String,
    /// Steps done.
    pub step: u64,
    /// Steps to be done.
    pub steps_total: u64,
}

/// The spool of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpoolView {
    /// The route.
    pub route: String,
    /// Records that not every publisher of `publishers` has.
    pub records: u64,
    /// What lies on the disk, bytes.
    pub bytes: u64,
    /// The most that may lie there, bytes.
    pub bytes_max: u64,
    /// Records found damaged since the start.
    pub damaged: u64,
}

impl SpoolView {
    pub(super) fn of(spool: &SpoolHandle) -> Self {
        let status = spool.hub.spool.status();
        Self {
            route: spool.hub.route.clone(),
            records: spool.hub.ledger.fates().waiting,
            bytes: status.bytes,
            bytes_max: status.bytes_max,
            damaged: status.damaged,
        }
    }
}

/// Where a component can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentEndpoint {
    /// The component.
    pub component: String,
    /// What is there.
    #[serde(flatten)]
    pub endpoint: Endpoint,
}

/// One component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentStatus {
    /// Its name in the configuration.
    pub name: String,
    /// The plugin it is an instance of.
    pub plugin: String,
    /// Its kind.
    pub kind: Kind,
    /// Its last known health; down when a call does not return.
    pub health: Health,
    /// What waits for it, of a publisher.
    pub delivery: Option<DeliveryStatus>,
}

/// What waits for a publisher, and how it takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DeliveryStatus {
    /// Records that were handed to it and that it has neither taken nor refused for good.
    pub queued: u64,
    /// Those that wait for another attempt, or behind such a record.
    pub backing_off: u64,
    /// Those in the call that is out.
    pub in_call: u64,
    /// How long the oldest of them has been waiting, milliseconds.
    pub oldest_ms: u64,
    /// Records published again, in all.
    pub retries: u64,
    /// Calls that were answered with a wrong number of answers, in all.
    pub breaches: u64,
    /// Whether it is called at all.
    pub circuit: BreakerState,
    /// How long it is still left alone at its own wish, milliseconds.
    pub paused_ms: u64,
    /// Records it did not get because nobody waits for it and there was no room, exactly.
    pub dropped: u64,
    /// How long the call that is out has taken, milliseconds; 0 when none is.
    pub call_ms: u64,
    /// Whether that is longer than it may take.
    pub overdue: bool,
    /// Whether it said that it can not go on, or panicked. It is called no more.
    pub failed: bool,
}

/// What a drain achieved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrainReport {
    /// Whether everything in flight was finished and settled, and every component closed.
    pub complete: bool,
    /// Records that were in flight and were given back to their connectors.
    pub returned: u64,
    /// Records that could not even be given back in time; they come again after a restart. Those of routes with
    /// durability `accepted`, which are settled, do not.
    pub left: u64,
    /// Records that wait in spools for the next start. They are safe.
    pub spooled: u64,
    /// Components that did not close in time and were given up.
    pub components_left: Vec<String>,
    /// What components reported while closing.
    pub errors: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a check of a configuration found to be in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its components, each created from its configuration and dropped again, without I/O.
    pub components: Vec<CheckedComponent>,
    /// Names of its routes.
    pub routes: Vec<String>,
    /// What can be used and is unwise: a secret in the configuration itself or in a file that everybody can
    /// read, a reference that leads nowhere on this machine.
    pub warnings: Vec<ConfigFault>,
}

/// A component that accepted its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedComponent {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// The plugin it is an instance of.
    pub plugin: String,
}
