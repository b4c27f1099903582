//! Components for faults: a source that never ends, and a publisher whose calls do as a script says.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mfn_plugin::testing::FaultMemory;
use mfn_plugin::value::{
    Batch, BatchToken, Fetch, FetchLimits, Idempotence, Ordering as Order, PluginError, PublishContext,
    PublisherTraits, Record, RecordResult, RecordView, Verdict,
};
use mfn_runtime::component::{self, ComponentError, Connector, Publisher};
use mfn_runtime::pipeline::{Components, DeliveryStatus};
use mfn_runtime::{Pipeline, PipelineConfig, Runtime, RuntimeOptions};

/// Numbered records from 0 on, as long as `limit` allows; given back ones come again. It is the oracle: it
/// knows which records are acknowledged.
pub(crate) struct Counting {
    name: String,
    /// Records in all.
    pub(crate) limit: AtomicU64,
    /// Told the id of every record that is acknowledged.
    pub(crate) on_ack: Box<dyn Fn(&str) + Send + Sync>,
    state: Mutex<CountingState>,
}

#[derive(Default)]
struct CountingState {
    next: u64,
    again: Vec<Record>,
    outstanding: HashMap<u64, Vec<Record>>,
    acked: BTreeMap<String, u32>,
    rejected: BTreeMap<String, String>,
}

component!(Counting, "faulty", |it| &it.name);

impl Counting {
    pub(crate) fn new(name: &str, limit: u64) -> Arc<Self> {
        Arc::new(Self::telling(name, limit, |_| {}))
    }

    pub(crate) fn telling(name: &str, limit: u64, on_ack: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let (limit, on_ack) = (AtomicU64::new(limit), Box::new(on_ack));
        Self { name: name.into(), limit, on_ack, state: Mutex::default() }
    }

    /// The same, with other numbers.
    pub(crate) fn numbered_from(self, first: u64) -> Self {
        self.state.lock().unwrap().next = first;
        self
    }

    /// What every record with this id must hold.
    pub(crate) fn payload(id: &str) -> Vec<u8> {
        format!("payload of {id}").into_bytes()
    }

    pub(crate) fn fetched(&self) -> u64 {
        self.state.lock().unwrap().next
    }

    pub(crate) fn acked(&self) -> Vec<String> {
        self.state.lock().unwrap().acked.keys().cloned().collect()
    }
}

impl Connector for Counting {
    fn fetch(&self, limits: FetchLimits) -> component::Result<Fetch> {
        let mut state = self.state.lock().unwrap();
        let mut records = std::mem::take(&mut state.again);
        let later = records.split_off(records.len().min(limits.records_max as usize));
        state.again = later;
        while records.len() < limits.records_max as usize && state.next < self.limit.load(Ordering::Relaxed) {
            let id = format!("{}-{:06}", self.name, state.next);
            let key = Some(vec![(state.next % 7) as u8]);
            records.push(Record { payload: Self::payload(&id), id, key, ..Record::default() });
            state.next += 1;
        }
        if records.is_empty() {
            let end = state.outstanding.is_empty();
            drop(state);
            std::thread::sleep(limits.timeout.min(Duration::from_millis(2)));
            return Ok(if end { Fetch::End } else { Fetch::Empty });
        }
        let token = state.next * 1_000_000 + state.outstanding.len() as u64;
        state.outstanding.insert(token, records.clone());
        Ok(Fetch::Batch(Batch { token: BatchToken(token), partition: "0".into(), epoch: 1, records }))
    }

    fn settle(&self, token: BatchToken, verdicts: &[Verdict]) -> component::Result<()> {
        let mut state = self.state.lock().unwrap();
        let records = state.outstanding.remove(&token.0).expect("settled twice or never fetched");
        for (record, verdict) in records.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Ack => {
                    (self.on_ack)(&record.id);
                    *state.acked.entry(record.id).or_default() += 1;
                }
                Verdict::Nack { .. } => state.again.push(record),
                Verdict::Reject { reason } => {
                    state.rejected.insert(record.id, reason.clone());
                }
            }
        }
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
        Ok(None)
    }
}

/// What a call does: its answers, or an error of the whole call. The number counts calls from 0.
pub(crate) type CallScript =
    Box<dyn Fn(u64, &[RecordView<'_>]) -> Result<Vec<RecordResult>, PluginError> + Send + Sync>;

/// A publisher whose calls do as a script says, and that keeps what it took.
pub(crate) struct Faulty {
    name: String,
    script: CallScript,
    pub(crate) traits: PublisherTraits,
    calls: AtomicU64,
    /// Ids and payloads in the order in which they were taken, with repetitions.
    pub(crate) taken: Mutex<Vec<(String, Vec<u8>)>>,
    /// When each call began, and how many records it had.
    pub(crate) began: Mutex<Vec<(Instant, usize)>>,
}

component!(Faulty, "faulty", |it| &it.name);

impl Faulty {
    pub(crate) fn new(
        name: &str,
        script: impl Fn(u64, &[RecordView<'_>]) -> Result<Vec<RecordResult>, PluginError> + Send + Sync + 'static,
    ) -> Self {
        let (ordering, idempotence) = (Order::All, Idempotence::Key);
        Self {
            name: name.into(),
            script: Box::new(script),
            traits: PublisherTraits { records_max: 1000, bytes_max: 1 << 20, ordering, idempotence },
            calls: AtomicU64::new(0),
            taken: Mutex::default(),
            began: Mutex::default(),
        }
    }

    pub(crate) fn good(name: &str) -> Self {
        Self::new(name, |_, records| Ok(vec![Ok(()); records.len()]))
    }

    /// Takes so many records in each call, which lasts this long: a rate that depends on no processor.
    pub(crate) fn paced(name: &str, records_max: u32, call: Duration) -> Self {
        let mut publisher = Self::new(name, move |_, records| {
            std::thread::sleep(call);
            Ok(vec![Ok(()); records.len()])
        });
        publisher.traits.records_max = records_max;
        publisher
    }

    /// Never returns from a call until it is let go.
    pub(crate) fn hung(name: &str, go: &Arc<AtomicBool>) -> Self {
        let go = Arc::clone(go);
        Self::new(name, move |_, records| {
            while !go.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(vec![Ok(()); records.len()])
        })
    }

    pub(crate) fn taken_count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }

    /// The ids that were taken, each once, after looking that all copies of one are the same bytes.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids = BTreeMap::new();
        for (id, payload) in self.taken.lock().unwrap().iter() {
            assert_eq!(
                ids.entry(id.clone()).or_insert_with(|| payload.clone()),
                payload,
                "{id} has two contents"
            );
            assert_eq!(*payload, Counting::payload(id), "{id} is not what was fetched");
        }
        ids.into_keys().collect()
    }
}

impl Publisher for Faulty {
    fn traits(&self) -> component::Result<PublisherTraits> {
        Ok(self.traits)
    }

    fn publish(&self, records: &[RecordView<'_>], _: PublishContext) -> component::Result<Vec<RecordResult>> {
        self.began.lock().unwrap().push((Instant::now(), records.len()));
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let answers = (self.script)(call, records).map_err(|error| ComponentError {
            component: self.name.clone(),
            plugin: "faulty".into(),
            method: "publish",
            error,
        })?;
        let mut taken = self.taken.lock().unwrap();
        for (record, answer) in records.iter().zip(&answers) {
            if answer.is_ok() {
                taken.push((record.id.to_owned(), record.payload.to_vec()));
            }
        }
        Ok(answers)
    }

    fn flush(&self, _: Duration) -> component::Result<()> {
        Ok(())
    }
}

/// Starts a pipeline of these components; `routes` is the rest of the document, and `delivery` the inside of
/// every publisher's table of that name.
pub(crate) fn start(
    connectors: &[&Arc<Counting>],
    publishers: &[&Arc<Faulty>],
    delivery: &str,
    routes: &str,
    directory: &Path,
) -> Pipeline {
    let runtime = Runtime::new(RuntimeOptions { threads: 1, ..RuntimeOptions::default() }).unwrap();
    start_on(&runtime, connectors, publishers, delivery, routes, directory)
}

/// As [`start`], on a runtime of the test's own.
pub(crate) fn start_on(
    runtime: &Runtime,
    connectors: &[&Arc<Counting>],
    publishers: &[&Arc<Faulty>],
    delivery: &str,
    routes: &str,
    directory: &Path,
) -> Pipeline {
    let mut components = Components::default();
    let mut text = "name = \"faults\"\n".to_owned();
    for connector in connectors {
        text.push_str(&format!("[connectors.{}]\nplugin = \"faulty\"\n", connector.name));
        components.connectors.insert(connector.name.clone(), Arc::clone(connector) as _);
    }
    for publisher in publishers {
        let name = &publisher.name;
        text.push_str(&format!("[publishers.{name}]\nplugin = \"faulty\"\ndelivery = {{ {delivery} }}\n"));
        components.publishers.insert(name.clone(), Arc::clone(publisher) as _);
    }
    text.push_str(routes);
    let config = PipelineConfig::from_toml(&text, directory).unwrap();
    Pipeline::start_with(runtime, config, components).unwrap()
}

/// What the pipeline says of a publisher.
pub(crate) fn delivery_of(pipeline: &Pipeline, publisher: &str) -> DeliveryStatus {
    let components = pipeline.status().components;
    components.into_iter().find(|component| component.name == publisher).unwrap().delivery.unwrap()
}

/// Waits for something that is to come within 20 seconds.
pub(crate) fn wait_for(pipeline: &Pipeline, what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what}: {:#?}", pipeline.status());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a pipeline of a few records to its end, so that what it takes to run at all is there before memory is measured.
pub(crate) fn warm_up() {
    let (source, publisher) = (Counting::new("in", 20), Arc::new(Faulty::good("out")));
    let text =
        "[[routes]]\nname = \"all\"\nwork = \"forward\"\nconnectors = [\"in\"]\npublishers = [\"out\"]\n";
    let pipeline = start(&[&source], &[&publisher], "", text, Path::new("."));
    assert_eq!(pipeline.wait(Duration::from_secs(20)), mfn_runtime::PipelineState::Finished);
}

/// What a record of these tests takes in memory, with its id, its key and the bookkeeping, at most.
pub(crate) const RECORD_BYTES: u64 = 512;

/// The memory of a pipeline of so many small records, fewer than its budget would take: it may hold all of them, and the
/// test keeps each one twice to judge by. The baseline is that of a pipeline that has run.
pub(crate) fn memory(records: u64) -> FaultMemory {
    warm_up();
    FaultMemory::here(records * RECORD_BYTES).kept_by_test(2 * records * RECORD_BYTES)
}
