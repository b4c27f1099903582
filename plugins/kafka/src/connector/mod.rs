//! The Kafka connector: a member of a consumer group that commits only what is settled.
//!
//! A thread polls the broker and puts messages on a shelf per partition, up to caps at which it pauses; `fetch`
//! takes from there, one partition per batch. Settlements move a partition's contiguous settled prefix, which the
//! thread commits at intervals. When the group wants a partition back, nothing more of it is handed out, its
//! records are awaited up to a deadline, the prefix is committed, and only then is it given up; from that moment on
//! its settlements are void. A partition that was lost is fenced at once. A record that comes twice has the same id.

mod commits;
pub(crate) mod config;
pub(crate) mod context;
mod leaving;
mod partition;
mod record;
pub(crate) mod shelf;
mod worker;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mfn_plugin::host::Host;
use mfn_plugin::{
    author::{Component, Connector, Result},
    host::Metric,
    value::{BatchToken, Drained, ErrorClass, Fetch, FetchLimits, Health, HealthState, PluginError, Verdict},
};

use config::{ConnectorConfig, Offsets, Settings};
use leaving::{Leaving, Left};
use shelf::{Settled, Shelf, deadline_in};
use worker::Worker;

use crate::{observer::Observer, probe};

/// A fetch with nothing outstanding waits at most this long, so that other calls are not held up.
const WAIT_MAX: Duration = Duration::from_millis(250);
/// With batches outstanding it waits less: their settlement needs the instance.
const WAIT_OUTSTANDING_MAX: Duration = Duration::from_millis(20);
/// How long settlements are awaited before another client, with newer secrets, takes over. What is settled later comes
/// a second time.
const RENEWAL_WAIT: Duration = Duration::from_secs(10);

/// Reads topics as a member of a consumer group. See [`ConnectorConfig`].
pub struct KafkaConnector {
    settings: Arc<Settings>,
    shelf: Arc<Shelf>,
    observer: Arc<Observer>,
    worker: Option<Worker>,
    /// The worker before it, whose secrets were replaced.
    leaving: Option<Leaving>,
    /// Of the properties that the worker was started with.
    version: u64,
    /// Since when nothing is handed out because another worker, with newer secrets, is to take over.
    outdated_since: Option<Instant>,
    is_open: bool,
    void_settlements: Metric,
    /// Whether records were acknowledged past the transactions that should hold their offsets.
    bypasses_transactions: bool,
}

impl std::fmt::Debug for KafkaConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaConnector").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl KafkaConnector {
    fn opened(&self) -> Result<()> {
        if self.is_open {
            return Ok(());
        }
        Err(PluginError::permanent("the connector is not open; call open first"))
    }

    fn start(&mut self) -> Result<()> {
        // Before the secrets are read: a value that changes in between is noticed by the next fetch.
        let version = self.settings.options.version();
        self.worker = Some(Worker::start(&self.settings, &self.shelf, &self.observer)?);
        self.version = version;
        Ok(())
    }

    /// Lets a member with the new values of secrets take over: once what is handed out is settled, the old one commits and
    /// leaves the group, and then the new one joins. Says whether there is a member to fetch from.
    fn renew(&mut self) -> Result<bool> {
        if self.worker.is_some() {
            if self.settings.options.version() == self.version {
                return Ok(true);
            }
            let mut state = self.shelf.lock();
            if self.outdated_since.is_none() && state.is_draining {
                return Ok(true);
            }
            let since = *self.outdated_since.get_or_insert_with(Instant::now);
            state.is_draining = true;
            if state.out_count() > 0 && since.elapsed() < RENEWAL_WAIT {
                return Ok(true);
            }
            let successor = Shelf::from(state.successor());
            drop(state);
            tracing::info!("a secret has a new value; a new member of the group takes over");
            self.shelf = Arc::new(successor);
            self.leaving = self.worker.take().map(Worker::leave);
            self.outdated_since = None;
        }
        if self.leaving.as_mut().is_some_and(Leaving::is_on_its_way) || self.shelf.lock().is_draining {
            return Ok(false);
        }
        self.leaving = None;
        // What librdkafka refuses is a new value that somebody has to correct: no reason to end.
        let started = self.start().map_err(|error| PluginError::new(ErrorClass::Blocked, error.message));
        match &started {
            // What was said of the old values is no longer true.
            Ok(()) => self.observer.well(),
            Err(error) => self.observer.trouble(error.clone()),
        }
        started.map(|()| true)
    }
}

impl Component for KafkaConnector {
    type Config = ConnectorConfig;

    fn create(config: ConnectorConfig, host: Host) -> Result<Self> {
        let settings = Settings::new(config, &host)?;
        let help = "Settlements that came after the partition was taken away, and had no effect.";
        Ok(Self {
            settings: Arc::new(settings),
            shelf: Arc::default(),
            void_settlements: host.counter("mfn_kafka_void_settlements_total", help, &[]),
            observer: Arc::new(Observer::new(host)),
            worker: None,
            leaving: None,
            version: 0,
            outdated_since: None,
            is_open: false,
            bypasses_transactions: false,
        })
    }

    /// Joins the group. Does not wait for a broker: until one answers the health says so.
    fn open(&mut self) -> Result<()> {
        self.start()?;
        self.is_open = true;
        Ok(())
    }

    fn health(&self) -> Health {
        if !self.is_open {
            return Health::new(HealthState::Starting, "");
        }
        if self.bypasses_transactions {
            let detail = "offsets: records are acknowledged without a transaction, so no offset is committed; \
                lead the route to one Kafka publisher with transactional_id, or set offsets = \"settled\"";
            return Health::new(HealthState::Degraded, detail);
        }
        self.observer.health()
    }

    fn check(&mut self) -> Result<()> {
        probe::run(&self.settings.probe_options, self.settings.topics.iter().map(String::as_str))
    }

    /// Waits until nothing is outstanding. Settlements come through this same instance, so only those that
    /// were made before can be waited for: it says at once what is left.
    fn drain(&mut self, _timeout: Duration) -> Result<Drained> {
        let mut state = self.shelf.lock();
        state.is_draining = true;
        self.outdated_since = None;
        Ok(Drained { records_left: state.out_count() as u64 })
    }

    /// Commits what is settled and leaves the group.
    fn close(&mut self) -> Result<()> {
        self.is_open = false;
        let before = self.leaving.take().map_or(Left::Committed, Leaving::end);
        let left = self.worker.take().map_or(Left::Committed, |worker| worker.leave().end());
        match [before, left] {
            [Left::Committed, Left::Committed] => Ok(()),
            both if both.contains(&Left::NotInTime) => Err(PluginError::retryable(
                "the group was not left in time, as no broker answers; it notices by its session time-out",
            )),
            _ => Err(PluginError::retryable(
                "brokers did not take the last settled offsets in time; those records come again",
            )),
        }
    }
}

impl Connector for KafkaConnector {
    fn fetch(&mut self, limits: FetchLimits) -> Result<Fetch> {
        self.opened()?;
        let has_member = self.renew()?;
        let mut state = self.shelf.lock();
        let is_brief = state.out_count() > 0 || !has_member;
        let wait_max = if is_brief { WAIT_OUTSTANDING_MAX } else { WAIT_MAX };
        let deadline = deadline_in(limits.timeout.min(wait_max));
        loop {
            if let Some(batch) = state.next_batch(limits) {
                return Ok(Fetch::Batch(batch));
            }
            if let Some(error) = state.error.take() {
                if error.class == ErrorClass::Fatal {
                    // It stays so.
                    state.error = Some(error.clone());
                }
                return Err(error);
            }
            if state.is_over {
                return Err(PluginError::fatal("the connector's thread has ended"));
            }
            if Instant::now() >= deadline {
                return Ok(Fetch::Empty);
            }
            state = self.shelf.wait(state, deadline);
        }
    }

    /// What is acknowledged is committed within `commit_interval_ms`. After a rebalance that took the
    /// partition away a settlement has no effect: whoever has the partition brings the records again.
    fn settle(&mut self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        self.opened()?;
        match self.shelf.lock().settle(token, verdicts, Instant::now())? {
            Settled::Void => {
                self.void_settlements.increment();
                tracing::debug!(token = token.0, "settled after the partition was taken away: no effect");
            }
            Settled::Done { untransacted } => {
                let is_bypass = self.settings.offsets == Offsets::Transaction && untransacted > 0;
                if is_bypass && !self.bypasses_transactions {
                    tracing::error!("records are acknowledged without a transaction: no offset is committed");
                }
                self.bypasses_transactions |= is_bypass;
            }
        }
        Ok(())
    }

    /// JSON: `topic`, `partition`, and `offset`, the offset behind the contiguous settled prefix, or null
    /// before the first record came.
    fn position(&mut self, partition: &str) -> Result<Vec<u8>> {
        let state = self.shelf.lock();
        let Some((place, found)) = state.partition_of(partition) else {
            let text = format!("partition: {partition:?} is not assigned to this member of the group");
            return Err(PluginError::permanent(text));
        };
        let (topic, number) = (&*place.topic, place.partition);
        let position = serde_json::json!({ "topic": topic, "partition": number, "offset": found.prefix() });
        Ok(position.to_string().into_bytes())
    }

    fn pause(&mut self) -> Result<()> {
        self.shelf.lock().is_paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<()> {
        self.shelf.lock().is_paused = false;
        Ok(())
    }

    fn backlog(&mut self) -> Option<u64> {
        Some(self.shelf.lock().ready_count() as u64)
    }
}
