//! Pipelines: connectors, simulation, publishers and transports, running.
//!
//! A pipeline is threads around the delivery machine (`crate::delivery`): one for each connector, each
//! publisher, each transport and each route, and a pool for computing. A record is acknowledged to
//! its connector only after every publisher of its route has made the result durable.

mod accepted;
mod budget;
mod components;
mod compute;
mod events;
mod forward;
pub(crate) mod health;
mod lane;
mod ledger;
mod letters;
mod metrics;
mod outcome;
mod probe;
mod queue;
mod record_ref;
mod route;
mod secrets;
mod shared;
mod shutdown;
mod source;
mod spooling;
mod start;
mod status;
mod vitals;
mod watch;
mod work;

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use crate::delivery::BreakerState;
pub use components::Components;
pub use health::{HealthReason, PipelineHealth, Readiness};
pub(crate) use outcome::OutcomeRing;
pub use outcome::{OUTCOMES_MAX, Outcome, OutcomeStatus};
pub use probe::{Probe, ProbeOutcome, ProbeReport, probe_component};
pub use status::{
    ActiveRequest, CheckReport, CheckedComponent, ComponentEndpoint, ComponentStatus, DeliveryStatus,
    DrainReport, PipelineState, PipelineStatus, SpoolView,
};
pub use work::Unfit;

use mfn_plugin::value::{Health, HealthState};

use crate::config::{ConfigError, PipelineConfig};
use crate::error::RuntimeError;
use crate::runtime::Runtime;
use crate::snapshot::Snapshot;
use events::EventQueue;
use lane::LaneHandle;
use route::Message;
use shared::Shared;
use spooling::SpoolHandle;

/// A time that a wait of any length fits before.
fn deadline_after(timeout: Duration) -> Instant {
    const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + timeout.min(FOR_EVER)
}

/// A running pipeline. Any thread may use it. Dropping it is [`stop`](Self::stop).
pub struct Pipeline {
    shared: Arc<Shared>,
    components: Components,
    health: Arc<health::HealthSource>,
    endpoints: Vec<ComponentEndpoint>,
    routes: Vec<Sender<Message>>,
    lanes: BTreeMap<String, LaneHandle>,
    /// Ends the watching thread when it is dropped.
    watch: Mutex<Option<Sender<()>>>,
    /// The lanes of the stores of dead letters.
    stores: Vec<LaneHandle>,
    spools: Vec<SpoolHandle>,
    events: Vec<Arc<EventQueue>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    report: Mutex<Option<DrainReport>>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("name", &self.shared.pipeline)
            .field("state", &self.shared.state())
            .field("components", &self.components)
            .finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Checks a configuration as far as that goes without work: loads its plugins and lets each
    /// component check its part, without opening it.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found.
    pub fn check(runtime: &Runtime, config: &PipelineConfig) -> Result<CheckReport, ConfigError> {
        config.validate()?;
        let components = Components::create(runtime, config)?;
        let report = CheckReport {
            pipeline: config.name.clone(),
            components: components.checked(),
            warnings: secrets::warnings(runtime, config),
            routes: config.routes.iter().map(|route| route.name.clone()).collect(),
        };
        components.close();
        Ok(report)
    }

    /// As [`check`](Self::check), and lets every component try the real thing, all at once and each at
    /// most for `timeout`: reach its target, list its directory. Nothing is opened, consumed or changed.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault found. A component that fails its probe is no error but part of the
    /// report.
    pub fn probe_config(
        runtime: &Runtime,
        config: &PipelineConfig,
        timeout: Duration,
    ) -> Result<ProbeReport, ConfigError> {
        config.validate()?;
        let components = Components::create(runtime, config)?;
        let report = probe::probe(&components.all(), timeout);
        components.close();
        Ok(report)
    }

    /// Loads the plugins of a configuration, probes its components as `start.probe` says, opens them and
    /// begins to work.
    ///
    /// # Errors
    /// [`RuntimeError::Config`] with every fault of the configuration, [`RuntimeError::Probe`] when the
    /// probe forbids the start, [`RuntimeError::Component`] when a component can not be opened (all are
    /// closed again), [`RuntimeError::Threads`].
    pub fn start(runtime: &Runtime, config: PipelineConfig) -> Result<Self, RuntimeError> {
        config.validate()?;
        // Instances of its own, so that one whose check hangs does not hold up the one that is to work.
        start::probe(runtime, &config)?;
        let components = Components::create(runtime, &config)?;
        Self::start_with(runtime, config, components)
    }

    /// As [`start`](Self::start), with components that the host has created itself, one for each name
    /// of the configuration. They are opened here and closed with the pipeline; the configuration's
    /// plugins are not loaded, and nothing is probed.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        runtime: &Runtime,
        config: PipelineConfig,
        components: Components,
    ) -> Result<Self, RuntimeError> {
        config.validate()?;
        components.check_complete(&config)?;
        start::start(runtime, &config, components.watched())
    }

    /// What the pipeline says of itself now. Does no I/O and waits for no component.
    #[must_use]
    pub fn status(&self) -> PipelineStatus {
        let reading = self.shared.read();
        let (bytes_in_flight, bytes_in_flight_peak) = self.shared.budget.used_and_peak();
        let counters = reading.counters;
        let components = self.component_statuses();
        let deliveries = components.iter().filter_map(|component| component.delivery);
        let backing_off = deliveries.map(|delivery| delivery.backing_off).sum();
        PipelineStatus {
            state: reading.state,
            received: counters.received,
            delivered: counters.delivered,
            rejected: counters.rejected,
            dead_lettered: counters.dead_lettered,
            nacked: counters.nacked,
            spooled: reading.spooled,
            in_flight: counters.in_flight,
            bytes_in_flight,
            bytes_in_flight_peak,
            backing_off,
            spools: self.spools.iter().map(SpoolView::of).collect(),
            backlog: reading.backlog,
            outcomes_dropped: self.shared.outcomes.dropped(),
            events_dropped: self.shared.events_dropped.load(std::sync::atomic::Ordering::Relaxed),
            active: self.shared.active(),
            endpoints: self.endpoints.clone(),
            components,
            last_error: reading.last_error,
        }
    }

    /// The components, with what their lanes know of them.
    fn component_statuses(&self) -> Vec<ComponentStatus> {
        let mut statuses = self.components.statuses();
        for status in &mut statuses {
            let delivery = self.lanes.get(&status.name).map(|lane| lane.view.status());
            if let Some(delivery) = delivery.filter(|delivery| delivery.overdue) {
                let detail = format!("a call has not returned for {} ms", delivery.call_ms);
                status.health = Health::new(HealthState::Down, detail);
            }
            status.delivery = delivery;
        }
        statuses
    }

    /// Whether the pipeline lives and can do its work, and why not. Does no I/O and waits for no component.
    #[must_use]
    pub fn health(&self) -> PipelineHealth {
        self.health.read()
    }

    /// Lets every component try the real thing, each at most for `timeout`, while the pipeline works. A
    /// component that is busy longer than that counts as not answering.
    #[must_use]
    pub fn probe(&self, timeout: Duration) -> ProbeReport {
        probe::probe(&self.components.all(), timeout)
    }

    /// Takes the next outcome, in the order in which batches were settled. Waits for it, at most for
    /// `timeout`; `None` when none came, and at once when none can come any more. The last
    /// [`OUTCOMES_MAX`] outcomes are kept; [`PipelineStatus::outcomes_dropped`] counts the others.
    #[must_use]
    pub fn next_outcome(&self, timeout: Duration) -> Option<Outcome> {
        self.shared.outcomes.next(timeout)
    }

    /// Whether all outcomes were taken and none can come any more. True while a drain still closes the
    /// components, before the state tells.
    #[must_use]
    pub fn outcomes_ended(&self) -> bool {
        self.shared.outcomes.is_ended()
    }

    /// The result of the latest request that was computed, in the order of requests.
    #[must_use]
    pub fn last_snapshot(&self) -> Option<Arc<Snapshot>> {
        self.shared.last_snapshot()
    }

    /// Waits until the pipeline is finished, failed or stopped, at most for `timeout`, and gives its
    /// state.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> PipelineState {
        self.shared.wait_terminal(deadline_after(timeout))
    }

    /// Ends the pipeline in order: stops fetching, finishes and settles what is in flight, closes the
    /// components. When `deadline` is near, computations are cancelled and what is not done is given
    /// back to its connector. It returns by the deadline even when a component hangs; the component's
    /// thread is then left behind. Called again, it gives the first report.
    pub fn drain(&self, deadline: Duration) -> DrainReport {
        shutdown::drain(self, deadline)
    }

    /// Ends the pipeline at once: cancels computations, gives back what is in flight, closes the
    /// components. Takes at most two seconds.
    pub fn stop(&self) -> DrainReport {
        shutdown::stop(self)
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.stop();
    }
}
