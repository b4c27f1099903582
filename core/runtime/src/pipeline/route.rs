//! The driver of a route: one thread that feeds the delivery machine with what happened and carries
//! out what it says.
//!
//! The thread itself does nothing that can take long: computing is done on the pool, publishing in the
//! lanes, settling by the connectors' threads. So it always learns of an answer at once, and a halt is
//! never kept waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use mfn_plugin::value::{Batch, BatchToken};
use mfn_sim::{Features, Statistics};

use super::accepted::Accepted;
use super::budget::{Permit, record_bytes};
use super::compute::Admitted;
use super::events::EventQueue;
use super::lane::{LaneHandle, LaneJob};
use super::queue::WorkQueue;
use super::record_ref::RecordRef;
use super::shared::Shared;
use super::source::{SettleJob, SourceJob};
use super::spooling::{SpoolHandle, SpoolJob, SpoolMessage};
use super::work::{self, WorkEnd};
use super::{Outcome, OutcomeStatus};
use crate::config::{Durability, Limits, RouteConfig, Work};
use crate::delivery::{Answer, BatchId, Command, Counters, Event, Fate, Machine, Origin, Target};
use crate::metrics::{RouteMetrics, SimulationMetrics};

/// How long to wait before asking the budget again for room to compute.
const BUDGET_PAUSE: Duration = Duration::from_millis(10);

/// What a route's thread hears.
pub(super) enum Message {
    /// A connector brought a batch.
    Fetched { connector: usize, batch: Batch, permit: Permit },
    /// A connector will bring nothing more.
    Ended { connector: usize },
    /// A connector's thread has dropped everything it was given to drop.
    Released { connector: usize },
    /// A computation ended.
    Computed { batch: BatchId, record: usize, end: Box<WorkEnd>, permit: Permit },
    /// A publisher, or the dead letters, answered for accepted records.
    Accepted {
        batch: BatchId,
        records: Vec<usize>,
        kept: Vec<RecordRef>,
        answers: Vec<Answer>,
        letters: bool,
    },
    /// Something that the machine wants to know.
    Delivery(Event),
    /// The pipeline is over.
    Quit,
}

/// What a route works with.
pub(super) struct RouteParts {
    pub(super) index: usize,
    pub(super) config: RouteConfig,
    pub(super) limits: Limits,
    pub(super) shared: Arc<Shared>,
    pub(super) pool: Arc<rayon::ThreadPool>,
    pub(super) sources: Vec<Sender<SourceJob>>,
    pub(super) lanes: Vec<LaneHandle>,
    /// Those that nobody waits for.
    pub(super) best_effort: Vec<LaneHandle>,
    pub(super) dead_letters: Option<LaneHandle>,
    /// Where the records of a spooled route go: to its machine the only publisher there is.
    pub(super) spool: Option<SpoolHandle>,
    pub(super) events: Vec<Arc<EventQueue>>,
    pub(super) simulations: SimulationMetrics,
    pub(super) records: RouteMetrics,
    pub(super) own: Sender<Message>,
}

/// The driver.
pub(super) struct Route {
    pub(super) parts: RouteParts,
    pub(super) topic: Arc<str>,
    name: Arc<str>,
    machine: Machine,
    pub(super) batches: BTreeMap<BatchId, InFlight>,
    pub(super) queue: WorkQueue,
    /// The record whose turn it is, decoded and waiting for room.
    pub(super) admitted: Option<Admitted>,
    pub(super) running: usize,
    pub(super) accepted: Accepted,
    next_batch: u64,
    next_sequence: u64,
    open_connectors: BTreeSet<usize>,
    /// Connectors whose threads may still hold records of batches that are over, and whether they were asked for the end
    /// of that.
    holding: BTreeSet<usize>,
    release_asked: bool,
    shown: Counters,
}

/// A batch on its way.
pub(super) struct InFlight {
    connector: usize,
    token: BatchToken,
    pub(super) first_sequence: u64,
    pub(super) requests: Vec<RecordRef>,
    /// Empty where records go on as they are.
    pub(super) results: Vec<Option<Done>>,
    /// Held until the batch is over: the requests stay for the dead letters.
    requests_permit: Permit,
}

impl InFlight {
    /// What is published of a record.
    fn result(&self, record: usize) -> Option<RecordRef> {
        if self.results.is_empty() {
            return self.requests.get(record).cloned();
        }
        Some(self.results.get(record)?.as_ref()?.record.clone())
    }
}

/// A computed record. Its grids are gone; what is left waits to be published and reported.
pub(super) struct Done {
    pub(super) record: RecordRef,
    pub(super) summary: Summary,
    pub(super) permit: Permit,
}

pub(super) struct Summary {
    pub(super) features: Features,
    pub(super) statistics: Option<Statistics>,
    pub(super) compute_ms: f64,
}

impl Route {
    pub(super) fn new(parts: RouteParts) -> Self {
        Self {
            topic: Arc::from(parts.config.topic.as_str()),
            name: Arc::from(parts.config.name.as_str()),
            machine: match &parts.spool {
                Some(_) => Machine::new(1, 0, parts.dead_letters.is_some()),
                None => {
                    Machine::new(parts.lanes.len(), parts.best_effort.len(), parts.dead_letters.is_some())
                }
            },
            accepted: Accepted::default(),
            batches: BTreeMap::new(),
            queue: WorkQueue::default(),
            admitted: None,
            running: 0,
            next_batch: 0,
            next_sequence: 0,
            open_connectors: (0..parts.sources.len()).collect(),
            holding: (0..parts.sources.len()).collect(),
            release_asked: false,
            shown: Counters::default(),
            parts,
        }
    }

    /// Works until it is told to quit.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let waiting_for_room = self.admitted.is_some();
            let message = if waiting_for_room {
                messages.recv_timeout(BUDGET_PAUSE)
            } else {
                messages.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match message {
                Ok(Message::Quit) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.start_computations();
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Fetched { connector, batch, permit } => self.fetched(connector, batch, permit),
            Message::Ended { connector } => {
                self.open_connectors.remove(&connector);
                self.show();
            }
            Message::Released { connector } => {
                self.holding.remove(&connector);
                self.show();
            }
            Message::Computed { batch, record, end, permit } => self.computed(batch, record, *end, permit),
            Message::Accepted { batch, records, kept, answers, letters } => {
                self.accepted(batch, &records, &kept, answers, letters);
            }
            Message::Delivery(event) => {
                if event == Event::Halt {
                    self.queue.clear();
                    self.admitted = None;
                }
                self.handle(event);
            }
            // Taken by `run`.
            Message::Quit => {}
        }
    }

    fn fetched(&mut self, connector: usize, batch: Batch, permit: Permit) {
        let id = BatchId(self.next_batch);
        self.next_batch += 1;
        let records = batch.records.len();
        let origin = Origin { connector, partition: batch.partition.into(), epoch: batch.epoch };
        let (requests, results) = match self.parts.config.work {
            Work::Simulate => {
                let requests = batch.records.into_iter().map(RecordRef::new).collect();
                (requests, (0..records).map(|_| None).collect())
            }
            Work::Forward => (RecordRef::forwarded(batch.records, &self.name), Vec::new()),
        };
        let in_flight = InFlight {
            connector,
            token: batch.token,
            first_sequence: self.next_sequence,
            requests,
            results,
            requests_permit: permit,
        };
        self.next_sequence += records as u64;
        self.batches.insert(id, in_flight);
        self.handle(Event::Fetched { batch: id, origin, records });
    }

    /// Feeds the machine, does what it says and shows the counters.
    pub(super) fn handle(&mut self, event: Event) {
        self.advance(event);
        self.show();
    }

    /// Feeds the machine and does what it says.
    pub(super) fn advance(&mut self, event: Event) {
        for command in self.machine.handle(event) {
            self.execute(command);
        }
    }

    /// Shows the counters to whoever asks for the status.
    pub(super) fn show(&mut self) {
        let mut counters = self.machine.counters();
        // The machine takes what was accepted for delivered.
        let accepted = self.accepted.fates;
        let (dead_lettered, rejected) = (accepted.dead_lettered, accepted.rejected);
        counters.delivered = counters.delivered.saturating_sub(accepted.waiting + dead_lettered + rejected);
        counters.dead_lettered += dead_lettered;
        counters.rejected += rejected;
        let quiet = self.is_quiet();
        let metrics = &self.parts.records;
        metrics.in_flight.set(counters.in_flight as f64);
        if self.parts.spool.is_none() {
            metrics.delivered.add_count(counters.delivered.saturating_sub(self.shown.delivered));
        }
        metrics.rejected.add_count(counters.rejected - self.shown.rejected);
        metrics.dead_letters.add_count(counters.dead_lettered - self.shown.dead_lettered);
        metrics.nacked.add_count(counters.nacked - self.shown.nacked);
        self.shown = counters;
        self.parts.shared.update_route(self.parts.index, counters, quiet, accepted.waiting);
    }

    /// Whether nothing more will come and nothing is held any more. What the connectors' threads are to drop is behind in
    /// their queues, so they are asked, once, when there is nothing more to give them.
    fn is_quiet(&mut self) -> bool {
        // A settled batch that is still here has outcomes to report.
        if !self.open_connectors.is_empty() || !self.batches.is_empty() {
            return false;
        }
        if !self.release_asked {
            self.release_asked = true;
            let gone = |source: &Sender<SourceJob>| source.send(SourceJob::Release).is_err();
            let sources = self.parts.sources.iter().enumerate();
            let gone: Vec<_> = sources.filter_map(|(index, source)| gone(source).then_some(index)).collect();
            self.holding.retain(|index| !gone.contains(index));
        }
        self.holding.is_empty()
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::Compute { batch } => match self.parts.config.work {
                Work::Simulate => {
                    if let Some(in_flight) = self.batches.get(&batch) {
                        self.queue.push(in_flight.connector, batch, in_flight.requests.len());
                    }
                }
                Work::Forward => self.forward(batch),
            },
            Command::Publish { batch, publisher, records } => self.publish(batch, publisher, records),
            Command::Offer { batch, best_effort, records } => self.offer(batch, best_effort, &records),
            Command::DeadLetter { batch, records } => self.dead_letter(batch, &records),
            // A lane flushes before it answers.
            Command::Flush { batch, target } => {
                self.advance(Event::Flushed { batch, target, answer: Ok(()) })
            }
            Command::Settle { batch, fates } => {
                let Some(in_flight) = self.batches.get(&batch) else { return };
                if let Some(source) = self.parts.sources.get(in_flight.connector) {
                    // A connector's thread lives as long as this one.
                    let job = SettleJob { batch, token: in_flight.token, fates };
                    let _ = source.send(SourceJob::Settle(job));
                }
            }
            Command::Finish { batch, fates, settled } => self.finish(batch, fates, settled),
            Command::Fail { reason } => self.parts.shared.fail(&reason),
        }
    }

    fn publish(&mut self, batch: BatchId, publisher: usize, records: Vec<usize>) {
        let target = Target::Publisher(publisher);
        if let Some(spool) = &self.parts.spool {
            let answer = self.to_machine(batch, target);
            spool.tell(SpoolMessage::Job(SpoolJob { records: self.results(batch, &records), answer }));
        } else if self.parts.config.durability == Durability::Accepted {
            let answers = vec![Ok(()); records.len()];
            self.accept(batch, publisher, records);
            self.advance(Event::Published { batch, target, answers });
        } else if let Some(lane) = self.parts.lanes.get(publisher) {
            self.send(lane, batch, target, self.results(batch, &records));
        }
    }

    pub(super) fn results(&self, batch: BatchId, records: &[usize]) -> Vec<RecordRef> {
        let in_flight = self.batches.get(&batch);
        let result = |&record: &usize| in_flight?.result(record);
        records.iter().filter_map(result).collect()
    }

    fn dead_letter(&self, batch: BatchId, records: &[(usize, String)]) {
        let (Some(in_flight), Some(lane)) = (self.batches.get(&batch), &self.parts.dead_letters) else {
            return;
        };
        let letter = |(record, reason): &(usize, String)| {
            let request = in_flight.requests.get(*record)?;
            Some(RecordRef::new(work::dead_letter(request, &self.parts.config.name, reason)))
        };
        self.send(lane, batch, Target::DeadLetters, records.iter().filter_map(letter).collect());
    }

    /// Hands records to a publisher whose answers the machine waits for.
    fn send(&self, lane: &LaneHandle, batch: BatchId, target: Target, records: Vec<RecordRef>) {
        lane.send(LaneJob { records, kept: false, answer: self.to_machine(batch, target) });
    }

    /// The way of a target's answers to the machine.
    fn to_machine(&self, batch: BatchId, target: Target) -> Box<dyn FnOnce(Vec<Answer>) + Send> {
        let own = self.parts.own.clone();
        Box::new(move |answers| {
            // A route that is gone has given the batch up.
            let _ = own.send(Message::Delivery(Event::Published { batch, target, answers }));
        })
    }

    /// Offers records to a publisher that nobody waits for. What there is no room for is dropped and
    /// counted.
    fn offer(&self, batch: BatchId, best_effort: usize, records: &[usize]) {
        let Some(lane) = self.parts.best_effort.get(best_effort) else { return };
        let records = self.results(batch, records);
        let bytes = records.iter().map(|record| record_bytes(record)).fold(0, u64::saturating_add);
        let Some(permit) = self.parts.shared.budget.reserve_best_effort(bytes) else {
            lane.view.dropped(records.len());
            return;
        };
        let view = Arc::clone(&lane.view);
        let answer = Box::new(move |answers: Vec<Answer>| {
            view.dropped(answers.iter().filter(|answer| answer.is_err()).count());
            drop(permit);
        });
        lane.send(LaneJob { records, kept: false, answer });
    }

    /// Reports what became of each record and lets go of the batch.
    fn finish(&mut self, batch: BatchId, fates: Vec<Fate>, settled: bool) {
        let Some(in_flight) = self.batches.remove(&batch) else { return };
        let mut permits = vec![in_flight.requests_permit];
        let mut results = in_flight.results.into_iter();
        for (request, fate) in in_flight.requests.iter().zip(fates) {
            let done = results.next().flatten().map(|Done { record, summary, permit }| {
                permits.push(permit);
                (record, summary)
            });
            let (status, reason) = match fate {
                _ if !settled => continue,
                // Nothing was computed that a host could be told of; the counters tell the rest.
                Fate::Delivered if done.is_none() => continue,
                Fate::Delivered => (OutcomeStatus::Ok, None),
                Fate::DeadLettered { reason } => (OutcomeStatus::DeadLettered, Some(reason)),
                Fate::Rejected { reason } => (OutcomeStatus::Rejected, Some(reason)),
                Fate::Returned { .. } => continue,
            };
            let summary = done.as_ref().map(|(_, summary)| summary);
            let statistics = summary.and_then(|summary| summary.statistics);
            self.parts.shared.outcomes.push(Outcome {
                request: request.id.clone(),
                route: self.parts.config.name.clone(),
                status,
                reason,
                features: summary.map(|summary| summary.features),
                statistics,
                growth_events: statistics.map_or(0, |statistics| statistics.growth_events),
                turing_activations: statistics.map_or(0, |statistics| statistics.turing_activations),
                compute_ms: summary.map_or(0.0, |summary| summary.compute_ms),
                snapshot_id: done.map(|(record, _)| record.id.clone()),
            });
        }
        let permits = self.settled_accepted(batch, settled, permits);
        if let Some(source) = self.parts.sources.get(in_flight.connector) {
            let _ = source.send(SourceJob::Drop { records: in_flight.requests, permits });
        }
        // This may be the end, where the connector is asked whether it has dropped everything.
        self.close_accepted(batch);
        self.show();
    }
}
