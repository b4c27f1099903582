//! Components that do as they are told and write down what was done to them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use mfn_plugin::value::*;
use mfn_runtime::component::{self, Component, ComponentError, Connector, Publisher, Transport};
use mfn_runtime::pipeline::Components;
use mfn_runtime::{Pipeline, PipelineConfig, PipelineStatus, Runtime, RuntimeOptions};

/// What was done, in the order in which it was done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    Published { publisher: String, request: String, id: String, status: String },
    Flushed { publisher: String },
    Settled { request: String, verdict: Verdict },
    Event { request: String },
    Closed { component: String },
}

/// The journal that all components of a test write to.
pub(crate) type Journal = Arc<Mutex<Vec<Entry>>>;

/// Holds callers up until it is opened.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
    held: AtomicU64,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    /// How many callers have been held up.
    pub(crate) fn held(&self) -> u64 {
        self.held.load(Relaxed)
    }

    fn pass(&self) {
        let mut open = self.open.lock().unwrap();
        self.held.fetch_add(u64::from(!*open), Relaxed);
        while !*open {
            open = self.changed.wait(open).unwrap();
        }
    }
}

/// Name and journal, and a life without events.
pub(crate) struct Base {
    name: String,
    journal: Journal,
}

impl Base {
    fn write(&self, entry: Entry) {
        self.journal.lock().unwrap().push(entry);
    }

    fn closed(&self) {
        self.write(Entry::Closed { component: self.name.clone() });
    }

    pub(crate) fn error(&self, method: &'static str, error: PluginError) -> ComponentError {
        ComponentError { component: self.name.clone(), plugin: "scripted".into(), method, error }
    }
}

/// Brings the records it was given; a nacked record comes again after its delay.
pub(crate) struct ScriptedConnector {
    base: Base,
    /// Never says that it is at its end.
    pub(crate) endless: bool,
    /// Says that it is at its end while batches are outstanding, which may come again.
    pub(crate) ends_early: bool,
    /// Refuses this many settlements.
    pub(crate) settle_failures: Mutex<u32>,
    /// The error of the next fetches.
    pub(crate) fetch_errors: Mutex<VecDeque<PluginError>>,
    /// The largest `bytes_max` that a fetch was given.
    pub(crate) bytes_max_seen: Mutex<u64>,
    state: Mutex<ConnectorState>,
}

#[derive(Default)]
struct ConnectorState {
    waiting: VecDeque<(Instant, Record)>,
    outstanding: BTreeMap<u64, Vec<Record>>,
    next_token: u64,
    settled_tokens: Vec<u64>,
}

component!(ScriptedConnector, "scripted", |it| &it.base.name, |it| it.base.closed());

impl ScriptedConnector {
    pub(crate) fn new(journal: &Journal, name: &str, records: Vec<Record>) -> Self {
        let now = Instant::now();
        let waiting = records.into_iter().map(|record| (now, record)).collect();
        Self {
            base: Base { name: name.into(), journal: Arc::clone(journal) },
            endless: false,
            ends_early: false,
            settle_failures: Mutex::default(),
            fetch_errors: Mutex::default(),
            bytes_max_seen: Mutex::default(),
            state: Mutex::new(ConnectorState { waiting, ..ConnectorState::default() }),
        }
    }

    /// Tokens in the order of their settlement.
    pub(crate) fn settled_tokens(&self) -> Vec<u64> {
        self.state.lock().unwrap().settled_tokens.clone()
    }

    pub(crate) fn outstanding(&self) -> usize {
        self.state.lock().unwrap().outstanding.len()
    }
}

impl Connector for ScriptedConnector {
    fn fetch(&self, limits: FetchLimits) -> component::Result<Fetch> {
        if let Some(error) = self.fetch_errors.lock().unwrap().pop_front() {
            return Err(self.base.error("fetch", error));
        }
        let mut seen = self.bytes_max_seen.lock().unwrap();
        *seen = (*seen).max(limits.bytes_max);
        drop(seen);
        let mut state = self.state.lock().unwrap();
        let mut records = Vec::new();
        let mut bytes = 0;
        let now = Instant::now();
        while let Some((due, record)) = state.waiting.front() {
            bytes += record.payload.len() as u64;
            let full = records.len() >= limits.records_max as usize
                || (!records.is_empty() && bytes > limits.bytes_max);
            if *due > now || full {
                break;
            }
            records.extend(state.waiting.pop_front().map(|(_, record)| record));
        }
        if !records.is_empty() {
            let token = state.next_token;
            state.next_token += 1;
            state.outstanding.insert(token, records.clone());
            let partition = "all".to_owned();
            return Ok(Fetch::Batch(Batch { token: BatchToken(token), partition, epoch: 1, records }));
        }
        if state.waiting.is_empty() && (self.ends_early || state.outstanding.is_empty()) && !self.endless {
            return Ok(Fetch::End);
        }
        drop(state);
        std::thread::sleep(limits.timeout.min(Duration::from_millis(5)));
        Ok(Fetch::Empty)
    }

    fn settle(&self, token: BatchToken, verdicts: &[Verdict]) -> component::Result<()> {
        let mut state = self.state.lock().unwrap();
        let Some(records) = state.outstanding.remove(&token.0) else {
            return Err(self.base.error("settle", PluginError::permanent("settled twice or never fetched")));
        };
        assert_eq!(records.len(), verdicts.len(), "one verdict for each record");
        let mut failures = self.settle_failures.lock().unwrap();
        let refused = *failures > 0;
        *failures = failures.saturating_sub(1);
        for (record, verdict) in records.into_iter().zip(verdicts) {
            if refused {
                state.waiting.push_back((Instant::now(), record));
                continue;
            }
            self.base.write(Entry::Settled { request: record.id.clone(), verdict: verdict.clone() });
            if let Verdict::Nack { delay } = verdict {
                state.waiting.push_back((Instant::now() + *delay, record));
            }
        }
        if refused {
            return Err(self.base.error("settle", PluginError::retryable("the disk is full")));
        }
        state.settled_tokens.push(token.0);
        Ok(())
    }

    fn position(&self, _: &str) -> component::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn pause(&self) -> component::Result<()> {
        Ok(())
    }

    fn resume(&self) -> component::Result<()> {
        Ok(())
    }

    fn backlog(&self) -> component::Result<Option<u64>> {
        Ok(Some(self.state.lock().unwrap().waiting.len() as u64))
    }
}

/// Answers for a request (by its id) at its n-th publish, counted from 1.
pub(crate) type PublishScript = Box<dyn Fn(&str, u32) -> RecordResult + Send + Sync>;

/// Answers by its script.
pub(crate) struct ScriptedPublisher {
    base: Base,
    script: PublishScript,
    pub(crate) traits: PublisherTraits,
    pub(crate) publish_gate: Option<Arc<Gate>>,
    /// Errors of the next flushes.
    pub(crate) flush_errors: Mutex<VecDeque<PluginError>>,
    attempts: Mutex<HashMap<String, u32>>,
    /// Records of each call.
    pub(crate) calls: Mutex<Vec<usize>>,
    /// What was taken, whole.
    pub(crate) taken: Mutex<Vec<Record>>,
}

component!(ScriptedPublisher, "scripted", |it| &it.base.name, |it| it.base.closed());

impl ScriptedPublisher {
    pub(crate) fn new(journal: &Journal, name: &str, script: PublishScript) -> Self {
        Self {
            base: Base { name: name.into(), journal: Arc::clone(journal) },
            script,
            traits: PublisherTraits {
                records_max: 100,
                bytes_max: 1 << 20,
                ordering: Ordering::All,
                idempotence: Idempotence::Key,
            },
            publish_gate: None,
            flush_errors: Mutex::default(),
            attempts: Mutex::default(),
            calls: Mutex::default(),
            taken: Mutex::default(),
        }
    }

    pub(crate) fn willing(journal: &Journal, name: &str) -> Self {
        Self::new(journal, name, Box::new(|_, _| Ok(())))
    }
}

fn header(record: &RecordView<'_>, name: &str) -> String {
    let value = record.headers.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value.to_vec());
    String::from_utf8(value.unwrap_or_default()).unwrap()
}

/// The request that a record answers; a forwarded record is its own request.
fn request_id(record: &RecordView<'_>) -> String {
    let id = header(record, "mfn-request-id");
    if id.is_empty() { record.id.to_owned() } else { id }
}

impl Publisher for ScriptedPublisher {
    fn traits(&self) -> component::Result<PublisherTraits> {
        Ok(self.traits)
    }

    fn publish(&self, records: &[RecordView<'_>], _: PublishContext) -> component::Result<Vec<RecordResult>> {
        if let Some(gate) = &self.publish_gate {
            gate.pass();
        }
        self.calls.lock().unwrap().push(records.len());
        let answer = |record: &RecordView<'_>| {
            let request = request_id(record);
            let mut attempts = self.attempts.lock().unwrap();
            let attempt = attempts.entry(request.clone()).or_default();
            *attempt += 1;
            let result = (self.script)(&request, *attempt);
            if result.is_ok() {
                self.taken.lock().unwrap().push(record.to_record());
                self.base.write(Entry::Published {
                    publisher: self.base.name.clone(),
                    request,
                    id: record.id.to_owned(),
                    status: header(record, "mfn-status"),
                });
            }
            result
        };
        Ok(records.iter().map(answer).collect())
    }

    fn flush(&self, _: Duration) -> component::Result<()> {
        if let Some(error) = self.flush_errors.lock().unwrap().pop_front() {
            return Err(self.base.error("flush", error));
        }
        self.base.write(Entry::Flushed { publisher: self.base.name.clone() });
        Ok(())
    }
}

/// Takes events, or fails, or hangs.
pub(crate) struct ScriptedTransport {
    base: Base,
    pub(crate) error: Option<PluginError>,
    pub(crate) gate: Option<Arc<Gate>>,
}

component!(ScriptedTransport, "scripted", |it| &it.base.name, |it| it.base.closed());

impl ScriptedTransport {
    pub(crate) fn new(journal: &Journal, name: &str) -> Self {
        Self { base: Base { name: name.into(), journal: Arc::clone(journal) }, error: None, gate: None }
    }
}

impl Transport for ScriptedTransport {
    fn publish(&self, topic: &str, event: &RecordView<'_>) -> component::Result<Cursor> {
        assert_eq!(topic, "snapshots");
        if let Some(gate) = &self.gate {
            gate.pass();
        }
        if let Some(error) = &self.error {
            return Err(self.base.error("publish", error.clone()));
        }
        self.base.write(Entry::Event { request: request_id(event) });
        Ok(Cursor { epoch: "e".into(), sequence: 1 })
    }
}

/// A request for a small simulation.
pub(crate) fn spec(id: &str) -> Record {
    request(id, "application/json", format!("{{\"grid_size\":8,\"steps\":4,\"random_seed\":{}}}", id.len()))
}

/// A request with any payload.
pub(crate) fn request(id: &str, content_type: &str, payload: impl Into<Vec<u8>>) -> Record {
    Record { id: id.into(), payload: payload.into(), content_type: content_type.into(), ..Record::default() }
}

/// So many requests, named r0, r1, ...
pub(crate) fn specs(count: usize) -> Vec<Record> {
    (0..count).map(|n| spec(&format!("r{n}"))).collect()
}

/// A pipeline of one connector and the components that a test wants.
#[derive(Default)]
pub(crate) struct Bench {
    pub(crate) journal: Journal,
    pub(crate) connector: Option<Arc<ScriptedConnector>>,
    pub(crate) publishers: Vec<Arc<ScriptedPublisher>>,
    pub(crate) dead_letters: Option<Arc<ScriptedPublisher>>,
    pub(crate) transports: Vec<Arc<ScriptedTransport>>,
    /// Further lines of the route.
    pub(crate) route: String,
    /// Lines of the limits.
    pub(crate) limits: String,
    /// The retry of every publisher: the inside of a table.
    pub(crate) retry: String,
    /// That of the connector.
    pub(crate) connector_retry: String,
}

impl Bench {
    pub(crate) fn start(&self) -> Pipeline {
        self.start_on(&Runtime::new(RuntimeOptions { threads: 2, ..RuntimeOptions::default() }).unwrap())
    }

    pub(crate) fn start_on(&self, runtime: &Runtime) -> Pipeline {
        let connector = self.connector.clone().unwrap();
        let mut components = Components::default();
        let mut text = format!("name = \"test\"\n[limits]\n{}\n", self.limits);
        let delivery = |retry: &str| format!("delivery = {{ retry = {{ {retry} }} }}\n");
        let (retry, connector_retry) = (delivery(&self.retry), delivery(&self.connector_retry));
        let mut table = |kind: &str, name: &str| {
            let delivery = match kind {
                "publishers" => retry.as_str(),
                "connectors" => connector_retry.as_str(),
                _ => "",
            };
            text.push_str(&format!("[{kind}.{name}]\nplugin = \"scripted\"\n{delivery}"));
            format!("\"{name}\"")
        };
        let connectors = table("connectors", connector.name());
        components.connectors.insert(connector.name().to_owned(), connector);
        let mut publishers = Vec::new();
        for publisher in &self.publishers {
            publishers.push(table("publishers", publisher.name()));
            components.publishers.insert(publisher.name().to_owned(), Arc::clone(publisher) as _);
        }
        let mut transports = Vec::new();
        for transport in &self.transports {
            transports.push(table("transports", transport.name()));
            components.transports.insert(transport.name().to_owned(), Arc::clone(transport) as _);
        }
        let mut dead_letters = String::new();
        if let Some(publisher) = &self.dead_letters {
            dead_letters = format!("dead_letters = {}", table("publishers", publisher.name()));
            components.publishers.insert(publisher.name().to_owned(), Arc::clone(publisher) as _);
        }
        text.push_str(&format!(
            "[[routes]]\nname = \"simulate\"\nconnectors = [{connectors}]\npublishers = [{}]\n\
             transports = [{}]\n{dead_letters}\n{}\n",
            publishers.join(","),
            transports.join(","),
            self.route,
        ));
        let config = PipelineConfig::from_toml(&text, Path::new(".")).unwrap();
        Pipeline::start_with(runtime, config, components).unwrap()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.journal.lock().unwrap().clone()
    }

    /// The verdicts of a request in their order.
    pub(crate) fn verdicts(&self, request: &str) -> Vec<Verdict> {
        let of = |entry| match entry {
            Entry::Settled { request: settled, verdict } if settled == request => Some(verdict),
            _ => None,
        };
        self.entries().into_iter().filter_map(of).collect()
    }

    /// Who has a request, with the status header, in the order of publishing.
    pub(crate) fn published(&self, request: &str) -> Vec<(String, String)> {
        let of = |entry| match entry {
            Entry::Published { publisher, request: published, status, .. } if published == request => {
                Some((publisher, status))
            }
            _ => None,
        };
        self.entries().into_iter().filter_map(of).collect()
    }
}

/// Every counter of a status belongs to the others.
pub(crate) fn assert_conserved(status: &PipelineStatus) {
    let sum = status.delivered + status.rejected + status.dead_lettered + status.nacked + status.in_flight;
    let sum = sum + status.spooled;
    assert_eq!(status.received, sum, "{status:?}");
}
