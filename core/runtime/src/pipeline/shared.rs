//! What the threads of a pipeline share: its state, counters, active requests and the last snapshot.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mfn_sim::Progress;

use super::budget::ByteBudget;
use super::ledger::{Ledger as SpoolLedger, SpoolFates};
use super::{ActiveRequest, OutcomeRing, PipelineState};
use crate::delivery::Counters;
use crate::log::{Log, LogLevel};
use crate::snapshot::Snapshot;

pub(super) struct Shared {
    pub(super) pipeline: String,
    pub(super) log: Log,
    pub(super) budget: Arc<ByteBudget>,
    pub(super) outcomes: OutcomeRing,
    pub(super) events_dropped: AtomicU64,
    /// Whether connectors may fetch.
    fetching: AtomicBool,
    /// Whether computations are to end.
    cancelled: AtomicBool,
    ledger: Mutex<Ledger>,
    changed: Condvar,
    active: Mutex<BTreeMap<u64, Arc<Active>>>,
    last_snapshot: Mutex<Option<(u64, Arc<Snapshot>)>>,
}

/// What belongs together and is read together.
#[derive(Debug)]
struct Ledger {
    state: PipelineState,
    routes: Vec<RouteLedger>,
    /// The spools of those routes that have one.
    spools: Vec<Option<Arc<SpoolLedger>>>,
    backlogs: BTreeMap<String, Option<u64>>,
    last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct RouteLedger {
    counters: Counters,
    /// No connector of the route will bring more, and everything is settled.
    quiet: bool,
    /// Settled, in memory, and not delivered.
    accepted: u64,
}

/// A request being computed.
#[derive(Debug)]
struct Active {
    request: String,
    step: AtomicU64,
    steps_total: u64,
}

/// The numbers of a pipeline at one moment.
pub(super) struct Reading {
    pub(super) state: PipelineState,
    pub(super) counters: Counters,
    /// Settled, and not delivered to everybody who must have it.
    pub(super) spooled: u64,
    pub(super) backlog: Option<u64>,
    pub(super) last_error: Option<String>,
}

impl Shared {
    pub(super) fn new(pipeline: String, log: Log, budget: Arc<ByteBudget>, routes: usize) -> Arc<Self> {
        Arc::new(Self {
            pipeline,
            log,
            budget,
            outcomes: OutcomeRing::default(),
            events_dropped: AtomicU64::new(0),
            fetching: AtomicBool::new(true),
            cancelled: AtomicBool::new(false),
            ledger: Mutex::new(Ledger {
                state: PipelineState::Running,
                routes: vec![RouteLedger::default(); routes],
                spools: vec![None; routes],
                backlogs: BTreeMap::new(),
                last_error: None,
            }),
            changed: Condvar::new(),
            active: Mutex::new(BTreeMap::new()),
            last_snapshot: Mutex::new(None),
        })
    }

    pub(super) fn fetching(&self) -> bool {
        self.fetching.load(Ordering::Relaxed)
    }

    pub(super) fn stop_fetching(&self) {
        self.fetching.store(false, Ordering::Relaxed);
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Publishes a route's counters, and notes when nothing more will come from it.
    pub(super) fn update_route(&self, route: usize, counters: Counters, quiet: bool, accepted: u64) {
        let mut ledger = self.lock();
        if let Some(entry) = ledger.routes.get_mut(route) {
            *entry = RouteLedger { counters, quiet, accepted };
        }
        self.look_for_end(ledger);
    }

    /// Notes that a route has a spool.
    pub(super) fn add_spool(&self, route: usize, spool: Arc<SpoolLedger>) {
        if let Some(entry) = self.lock().spools.get_mut(route) {
            *entry = Some(spool);
        }
    }

    /// Notes that everybody has everything of a spool.
    pub(super) fn spool_empty(&self) {
        self.look_for_end(self.lock());
    }

    /// Tells everybody when nothing more will come.
    fn look_for_end(&self, mut ledger: MutexGuard<'_, Ledger>) {
        if !Self::quiet(&ledger) {
            return;
        }
        let finished = ledger.state == PipelineState::Running && Self::spooled(&ledger) == 0;
        if finished {
            ledger.state = PipelineState::Finished;
        }
        // A log sink may ask for the status: it must not find the ledger locked.
        drop(ledger);
        self.outcomes.close();
        self.changed.notify_all();
        if finished {
            self.log(LogLevel::Info, "finished: every connector is at its end and everything is settled");
        }
    }

    /// Records that are settled and that not everybody has.
    fn spooled(ledger: &Ledger) -> u64 {
        let accepted: u64 = ledger.routes.iter().map(|route| route.accepted).sum();
        ledger.spools.iter().flatten().fold(accepted, |sum, spool| sum + spool.fates().waiting)
    }

    /// Whether nothing more will come from any route.
    fn quiet(ledger: &Ledger) -> bool {
        ledger.routes.iter().all(|route| route.quiet)
    }

    /// Waits until nothing more will come from any route; whether that came before the deadline.
    pub(super) fn wait_quiet(&self, deadline: Instant) -> bool {
        let ledger = self.wait_until(deadline, Self::quiet);
        Self::quiet(&ledger)
    }

    /// Waits for a state in which nothing more will be computed, at most until the deadline.
    pub(super) fn wait_terminal(&self, deadline: Instant) -> PipelineState {
        self.wait_until(deadline, |ledger| ledger.state.is_terminal()).state
    }

    fn wait_until(&self, deadline: Instant, done: impl Fn(&Ledger) -> bool) -> MutexGuard<'_, Ledger> {
        let mut ledger = self.lock();
        while !done(&ledger) {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            else {
                break;
            };
            // The timer bounds one wait so that a deadline far away can not overflow it.
            let left = left.min(Duration::from_secs(3600));
            ledger = self.changed.wait_timeout(ledger, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        ledger
    }

    pub(super) fn state(&self) -> PipelineState {
        self.lock().state
    }

    pub(super) fn set_state(&self, state: PipelineState) {
        self.lock().state = state;
        self.changed.notify_all();
    }

    /// Notes that a component can not go on. Nothing is fetched from here on; what is in flight is
    /// finished or given back.
    pub(super) fn fail(&self, reason: &str) {
        self.stop_fetching();
        let mut ledger = self.lock();
        if matches!(ledger.state, PipelineState::Running | PipelineState::Finished) {
            ledger.state = PipelineState::Failed;
        }
        ledger.last_error = Some(reason.to_owned());
        self.changed.notify_all();
        drop(ledger);
        self.log(LogLevel::Error, reason);
    }

    /// Notes an error that the pipeline goes on after.
    pub(super) fn note_error(&self, reason: &str) {
        self.lock().last_error = Some(reason.to_owned());
        self.log(LogLevel::Warn, reason);
    }

    pub(super) fn set_backlog(&self, connector: &str, backlog: Option<u64>) {
        self.lock().backlogs.insert(connector.to_owned(), backlog);
    }

    pub(super) fn read(&self) -> Reading {
        let ledger = self.lock();
        let (mut counters, mut spooled) = (Counters::default(), 0);
        for (route, spool) in ledger.routes.iter().zip(&ledger.spools) {
            let mut route_counters = route.counters;
            spooled += route.accepted;
            if let Some(spool) = spool {
                spooled += through_spool(&mut route_counters, spool.fates());
            }
            counters.add(&route_counters);
        }
        let backlog = if ledger.backlogs.is_empty() { None } else { ledger.backlogs.values().copied().sum() };
        Reading { state: ledger.state, counters, spooled, backlog, last_error: ledger.last_error.clone() }
    }

    pub(super) fn log(&self, level: LogLevel, message: &str) {
        self.log.write_fields(level, "mfn_runtime::pipeline", message, &[("pipeline", &self.pipeline)]);
    }

    pub(super) fn active(&self) -> Vec<ActiveRequest> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active
            .values()
            .map(|active| ActiveRequest {
                request: active.request.clone(),
                step: active.step.load(Ordering::Relaxed),
                steps_total: active.steps_total,
            })
            .collect()
    }

    /// Shows a request as being computed until the guard is dropped.
    pub(super) fn activate(self: &Arc<Self>, sequence: u64, request: &str, steps_total: u64) -> ActiveGuard {
        let active = Arc::new(Active { request: request.to_owned(), step: AtomicU64::new(0), steps_total });
        let mut map = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        map.insert(sequence, Arc::clone(&active));
        drop(map);
        ActiveGuard { shared: Arc::clone(self), sequence, active }
    }

    pub(super) fn last_snapshot(&self) -> Option<Arc<Snapshot>> {
        let last = self.last_snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(|(_, snapshot)| Arc::clone(snapshot))
    }

    /// Keeps a snapshot if no later request has one already, so that the last one does not depend on
    /// which computation is faster.
    pub(super) fn offer_snapshot(&self, sequence: u64, snapshot: &Arc<Snapshot>) {
        let mut last = self.last_snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(other, _)| *other < sequence) {
            *last = Some((sequence, Arc::clone(snapshot)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns the counters of a machine, for which the spool is the publisher, into those of the whole way, and
/// gives the records that are in the spool. What lay there at the start counts as received.
fn through_spool(counters: &mut Counters, fates: SpoolFates) -> u64 {
    let SpoolFates { dead_lettered, rejected, waiting, recovered, .. } = fates;
    let settled = counters.delivered + recovered;
    let (dead_lettered, rejected) = (dead_lettered.min(settled), rejected.min(settled));
    // A record is in the spool a moment before it is settled; until then it counts as in flight.
    let spooled = waiting.min(settled.saturating_sub(dead_lettered + rejected));
    counters.received += recovered;
    counters.delivered = settled.saturating_sub(spooled + dead_lettered + rejected);
    counters.dead_lettered += dead_lettered;
    counters.rejected += rejected;
    spooled
}

/// Shows a request as being computed.
pub(super) struct ActiveGuard {
    shared: Arc<Shared>,
    sequence: u64,
    active: Arc<Active>,
}

impl ActiveGuard {
    /// Notes progress and says whether to go on.
    pub(super) fn control(&self, progress: Progress) -> ControlFlow<()> {
        self.active.step.store(progress.step, Ordering::Relaxed);
        if self.shared.cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        self.shared.active.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.sequence);
    }
}
