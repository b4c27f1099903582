//! Putting a pipeline together: components opened, threads started, each with what it needs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::budget::ByteBudget;
use super::events::EventQueue;
use super::health::HealthSource;
use super::lane::{Caller, Feed, Lane, LaneHandle, LaneMessage, Waker};
use super::letters::{LetterStore, STORE_BYTES_MAX};
use super::metrics::ComponentMetrics;
use super::route::{Message, Route, RouteParts};
use super::shared::Shared;
use super::source::{Source, SourceJob};
use super::spooling::{SpoolHandle, SpoolHub, Writer};
use super::watch::Watch;
use super::work::catch;
use super::{Components, Pipeline, Probe};
use crate::config::{
    ComponentConfig, DeliveryConfig, Durability, PipelineConfig, RouteConfig, StartProbe, Work,
};
use crate::error::RuntimeError;
use crate::log::LogLevel;
use crate::metrics::{MetricsRegistry, RouteMetrics, SimulationMetrics};
use crate::runtime::Runtime;

/// Batches of a connector on their way, at least, whatever the number of threads.
const OUTSTANDING_MIN: usize = 4;
/// Batches of a connector on their way, at most, however small they are.
const OUTSTANDING_MAX: usize = 1024;

/// The part (one n-th) of the budget for what is read from spools.
const FEED_PART: u64 = 4;

/// Opens the components and starts the threads.
pub(super) fn start(
    runtime: &Runtime,
    config: &PipelineConfig,
    components: Components,
) -> Result<Pipeline, RuntimeError> {
    let pool = pool(runtime, config.limits.threads)?;
    components.open()?;
    let limit = config.limits.bytes_in_flight_max;
    let feeds = feeds(config);
    // What is read from spools has a fixed part of the budget.
    let feed_bytes = if feeds == 0 { 0 } else { limit / FEED_PART };
    let budget = ByteBudget::new(limit - feed_bytes);
    let shared = Shared::new(config.name.clone(), runtime.log().clone(), budget, config.routes.len());
    let mut assembly = Assembly {
        config,
        components: &components,
        registry: runtime.metrics(),
        shared,
        pool,
        threads: Vec::new(),
        feed_bytes: feed_bytes / feeds.max(1) as u64,
        lanes: BTreeMap::new(),
        receivers: BTreeMap::new(),
        stores: BTreeMap::new(),
        letters: Vec::new(),
        watch: None,
        feeds: BTreeMap::new(),
        spools: BTreeMap::new(),
        events: BTreeMap::new(),
        routes: Vec::new(),
    };
    let assembled = assembly.run();
    let Assembly { shared, threads, events, lanes, stores, letters, watch, spools, routes, .. } = assembly;
    let endpoints = components.endpoints();
    let health = Arc::new(HealthSource::new(&shared, &components, letters, config));
    runtime.health().add(&health);
    let pipeline = Pipeline {
        shared,
        health,
        endpoints,
        routes,
        lanes,
        stores: stores.into_values().collect(),
        watch: Mutex::new(watch),
        spools: spools.into_values().collect(),
        events: events.into_values().collect(),
        threads: Mutex::new(threads),
        report: Mutex::new(None),
        components,
    };
    // On an error the pipeline is dropped here, which stops what was started.
    assembled?;
    pipeline.shared.log(LogLevel::Info, "started");
    Ok(pipeline)
}

/// Probes the components of a configuration before anything is consumed, as the configuration wants it.
pub(super) fn probe(runtime: &Runtime, config: &PipelineConfig) -> Result<(), RuntimeError> {
    if config.start.probe == StartProbe::Skip {
        return Ok(());
    }
    let timeout = Duration::from_millis(config.start.probe_timeout_ms);
    let report = Pipeline::probe_config(runtime, config, timeout)?;
    let forbids = |probe: &&Probe| config.start.probe == StartProbe::Require || !probe.may_pass();
    let (forbidding, passing): (Vec<_>, Vec<_>) =
        report.components.iter().filter(|probe| probe.fault().is_some()).partition(forbids);
    for fault in passing.into_iter().filter_map(Probe::fault) {
        let text = format!("probe: {}: {}", fault.path, fault.message);
        runtime.log().write(LogLevel::Warn, "mfn_runtime::pipeline", &text);
    }
    if forbidding.is_empty() {
        return Ok(());
    }
    Err(RuntimeError::Probe { faults: forbidding.into_iter().filter_map(Probe::fault).collect() })
}

/// How many cursors read from spools.
fn feeds(config: &PipelineConfig) -> usize {
    let spooled = config.routes.iter().filter(|route| route.durability == Durability::Spooled);
    spooled.map(|route| route.publishers.len() + route.best_effort.len()).sum()
}

/// The runtime's pool, or one of the size that the configuration asks for.
fn pool(runtime: &Runtime, threads: usize) -> Result<Arc<rayon::ThreadPool>, RuntimeError> {
    if threads == 0 || threads == runtime.pool().current_num_threads() {
        return Ok(Arc::clone(runtime.pool()));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("mfn-pipeline-{index}"))
        .build();
    pool.map(Arc::new).map_err(|error| RuntimeError::Threads(error.to_string()))
}

struct Assembly<'a> {
    config: &'a PipelineConfig,
    components: &'a Components,
    registry: &'a MetricsRegistry,
    shared: Arc<Shared>,
    pool: Arc<rayon::ThreadPool>,
    threads: Vec<JoinHandle<()>>,
    /// Memory for what one publisher has read from one spool.
    feed_bytes: u64,
    lanes: BTreeMap<String, LaneHandle>,
    receivers: BTreeMap<String, Receiver<LaneMessage>>,
    /// The lanes of stores of dead letters, by their directories.
    stores: BTreeMap<PathBuf, LaneHandle>,
    letters: Vec<Arc<LetterStore>>,
    /// What publishers read from spools.
    feeds: BTreeMap<String, Vec<(Feed, Waker)>>,
    watch: Option<Sender<()>>,
    /// By the place of their route.
    spools: BTreeMap<usize, SpoolHandle>,
    events: BTreeMap<String, Arc<EventQueue>>,
    routes: Vec<Sender<Message>>,
}

impl Assembly<'_> {
    fn run(&mut self) -> Result<(), RuntimeError> {
        for name in self.components.publishers.keys() {
            let (sender, messages) = mpsc::channel();
            self.lanes.insert(name.clone(), LaneHandle::new(sender));
            self.receivers.insert(name.clone(), messages);
        }
        for (index, route) in self.config.routes.iter().enumerate() {
            self.store(route)?;
            if route.durability == Durability::Spooled {
                self.spool(index, route)?;
            }
        }
        for (name, publisher) in &self.components.publishers {
            let (Some(handle), Some(messages)) = (self.lanes.get(name).cloned(), self.receivers.remove(name))
            else {
                continue;
            };
            let metrics = ComponentMetrics::sent(self.registry, name);
            let caller = Caller::new(Arc::clone(publisher), metrics, Arc::clone(&self.shared));
            let delivery = self.delivery(&self.config.publishers, name);
            let feeds = self.feeds.remove(name).unwrap_or_default();
            self.spawn("publisher", name, move || {
                let lane = Lane::new(caller, delivery, &handle, feeds);
                handle.handover.run(lane, messages);
            })?;
        }
        for (name, transport) in &self.components.transports {
            let dropped = self.registry.counter(
                "mfn_transport_dropped_total",
                "Events that were dropped because a transport did not take them in time.",
                &[("component", name)],
            );
            let metrics = ComponentMetrics::sent(self.registry, name);
            let events = EventQueue::new(Arc::clone(transport), metrics, dropped, Arc::clone(&self.shared));
            self.events.insert(name.clone(), Arc::clone(&events));
            self.spawn("transport", name, move || events.run())?;
        }
        let routes: Vec<RouteConfig> = self.config.routes.clone();
        for (index, route) in routes.into_iter().enumerate() {
            self.route(index, route)?;
        }
        self.watch()
    }

    /// Opens the spool of a route and starts its thread. Its publishers read from it.
    fn spool(&mut self, index: usize, route: &RouteConfig) -> Result<(), RuntimeError> {
        let metrics = RouteMetrics::new(self.registry, &route.name);
        let (hub, cursors) = SpoolHub::open(route, &self.config.base_dir, &self.shared, metrics)
            .map_err(|error| RuntimeError::Spool { route: route.name.clone(), error })?;
        self.shared.add_spool(index, Arc::clone(&hub.ledger));
        let dead_letters = self.dead_letters(route);
        let names = route.publishers.iter().chain(&route.best_effort);
        for (place, (name, cursor)) in names.zip(cursors).enumerate() {
            let Some(lane) = self.lanes.get(name) else { continue };
            let feeds = self.feeds.entry(name.clone()).or_default();
            let waker = lane.waker(feeds.len());
            hub.add(waker.clone());
            let critical = Some(place).filter(|&place| place < route.publishers.len());
            match critical {
                Some(_) => hub.add_critical(Arc::clone(&lane.view)),
                None => hub.add_best_effort(Arc::clone(&cursor), Arc::clone(&lane.view)),
            }
            let feed = Feed {
                hub: Arc::clone(&hub),
                critical,
                cursor,
                dead_letters: dead_letters.clone(),
                bytes_max: self.feed_bytes,
            };
            feeds.push((feed, waker));
        }
        let (sender, messages) = mpsc::channel();
        self.spools.insert(index, SpoolHandle { hub: Arc::clone(&hub), sender });
        self.spawn("spool", &route.name, move || Writer::new(hub).run(&messages))
    }

    fn route(&mut self, index: usize, config: RouteConfig) -> Result<(), RuntimeError> {
        let (own, messages) = mpsc::channel();
        let connectors = self.components.connectors.len();
        let outstanding_max = self.outstanding_max(&config);
        let mut sources = Vec::new();
        let mut settling = Vec::new();
        for (place, name) in config.connectors.iter().enumerate() {
            let Some(connector) = self.components.connectors.get(name) else { continue };
            let (sender, settlements) = mpsc::channel::<SourceJob>();
            settling.push(sender);
            let source = Source {
                connector: Arc::clone(connector),
                index: place,
                records_max: config.batch_records_max,
                outstanding_max,
                share: self.shared.budget.share(connectors),
                record_bytes_max: self.config.limits.record_bytes_max,
                retry: self.delivery(&self.config.connectors, name).retry,
                metrics: ComponentMetrics::received(self.registry, name),
                shared: Arc::clone(&self.shared),
                route: own.clone(),
            };
            sources.push((name.clone(), source, settlements));
        }
        let parts = RouteParts {
            index,
            limits: self.config.limits,
            shared: Arc::clone(&self.shared),
            pool: Arc::clone(&self.pool),
            sources: settling,
            lanes: self.lanes_of(&config.publishers),
            best_effort: self.lanes_of(&config.best_effort),
            spool: self.spools.get(&index).cloned(),
            dead_letters: self.dead_letters(&config),
            events: config.transports.iter().filter_map(|name| self.events.get(name).cloned()).collect(),
            simulations: SimulationMetrics::new(self.registry, &config.name),
            records: RouteMetrics::new(self.registry, &config.name),
            own: own.clone(),
            config,
        };
        self.routes.push(own);
        let name = parts.config.name.clone();
        self.spawn("route", &name, move || Route::new(parts).run(&messages))?;
        for (name, source, settlements) in sources {
            self.spawn("connector", &name, move || source.run(&settlements))?;
        }
        Ok(())
    }

    fn watch(&mut self) -> Result<(), RuntimeError> {
        let mut watch = Watch::new(&self.shared);
        for (name, lane) in &self.lanes {
            watch.publisher(self.registry, name, &lane.view);
            watch.lane(name, lane);
        }
        for store in self.stores.values() {
            watch.lane("dead_letters_store", store);
        }
        for spool in self.spools.values() {
            watch.spool(self.registry, &spool.hub);
        }
        let (sender, end) = mpsc::channel();
        self.watch = Some(sender);
        self.spawn("watch", &self.config.name.clone(), move || watch.run(&end))
    }

    /// Who takes what can not be done on a route.
    fn dead_letters(&self, route: &RouteConfig) -> Option<LaneHandle> {
        match (&route.dead_letters, &route.dead_letters_store) {
            (Some(publisher), _) => self.lanes.get(publisher).cloned(),
            (None, Some(directory)) => self.stores.get(&self.config.resolve(directory)).cloned(),
            (None, None) => None,
        }
    }

    /// Opens the store of a route's dead letters, unless another route has it already.
    fn store(&mut self, route: &RouteConfig) -> Result<(), RuntimeError> {
        let Some(directory) = route.dead_letters_store.as_ref().map(|path| self.config.resolve(path)) else {
            return Ok(());
        };
        if self.stores.contains_key(&directory) {
            return Ok(());
        }
        let refused = |error| RuntimeError::Spool { route: route.name.clone(), error };
        // Whichever of the routes that share it says how large it is; they agree.
        let sharing = self.config.routes.iter().filter(|other| {
            other.dead_letters_store.as_ref().is_some_and(|path| self.config.resolve(path) == directory)
        });
        let bytes_max = sharing.filter_map(|other| other.dead_letters_bytes_max).next();
        let store = LetterStore::open(&directory, bytes_max.unwrap_or(STORE_BYTES_MAX)).map_err(refused)?;
        let store = Arc::new(store);
        self.letters.push(Arc::clone(&store));
        let (sender, messages) = mpsc::channel();
        let handle = LaneHandle::new(sender);
        let metrics = ComponentMetrics::sent(self.registry, "dead_letters_store");
        let caller = Caller::new(store, metrics, Arc::clone(&self.shared));
        let (delivery, lane) = (DeliveryConfig::default(), handle.clone());
        self.stores.insert(directory, handle);
        self.spawn("dead-letters", &route.name, move || {
            lane.handover.run(Lane::new(caller, delivery, &lane, Vec::new()), messages);
        })
    }

    fn lanes_of(&self, names: &[String]) -> Vec<LaneHandle> {
        names.iter().filter_map(|name| self.lanes.get(name).cloned()).collect()
    }

    fn delivery(&self, components: &BTreeMap<String, ComponentConfig>, name: &str) -> DeliveryConfig {
        components.get(name).map(|component| component.delivery).unwrap_or_default()
    }

    /// Batches of one connector that may be on their way. Where something is computed, more than keep the
    /// threads busy would only be given back at the end; elsewhere the budget alone decides, nearly.
    fn outstanding_max(&self, config: &RouteConfig) -> usize {
        match config.work {
            Work::Simulate => {
                let records = 2 * self.pool.current_num_threads();
                records.div_ceil(config.batch_records_max.max(1) as usize).max(OUTSTANDING_MIN)
            }
            Work::Forward => OUTSTANDING_MAX,
        }
    }

    fn spawn(
        &mut self,
        kind: &str,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), RuntimeError> {
        let shared = Arc::clone(&self.shared);
        let what = format!("the thread of {kind} {name}");
        let contained = move || {
            if let Err(message) = catch(work) {
                shared.fail(&format!("{what} panicked: {message}; please report this"));
            }
        };
        let thread = std::thread::Builder::new().name(format!("mfn-{kind}-{name}")).spawn(contained);
        self.threads.push(thread.map_err(|error| RuntimeError::Threads(error.to_string()))?);
        Ok(())
    }
}
