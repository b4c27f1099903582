//! The process: a driver that carries out what the machines say, as the pipeline does with threads.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mfn_plugin::value::ErrorClass;

use super::lane::Lane;
use super::log::Log;
use super::oracle::{Judged, Message, RecordId, ensure, issue};
use super::plan::Plan;
use super::source::{Fetched, Told};
use super::world::{Occurrence, World};
use crate::config::Durability;
use crate::delivery::{
    Answer, BatchId, Command, Computed, Event, Fate, Machine, Origin, Refusal, Target as Destination,
};

/// Batches of one connector that may be on their way at the same time.
const OUTSTANDING_MAX: usize = 4;

/// A fetched batch on its way.
#[derive(Debug)]
pub(super) struct Flight {
    connector: usize,
    fetched: Fetched,
    /// Per critical publisher: what it was given, and its answers.
    pub(super) shares: BTreeMap<usize, Vec<Option<Answer>>>,
}

impl Flight {
    pub(super) fn id(&self, record: usize) -> RecordId {
        RecordId { partition: self.fetched.partition as u16, offset: self.fetched.offsets[record] }
    }
}

/// One life of the process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) machine: Machine,
    pub(super) fetching: bool,
    pub(super) halted: bool,
    pub(super) flights: BTreeMap<BatchId, Flight>,
    outstanding: Vec<usize>,
    pub(super) lanes: Vec<Lane>,
    /// Batches that wait for the log's sync.
    unsynced: Vec<BatchId>,
    next_batch: u64,
    pub(super) next_item: u64,
}

impl Process {
    pub(super) fn new(plan: &Plan, log: &Log, seed: u64) -> Self {
        let direct = plan.durability == Durability::Delivered;
        let (critical, best_effort) =
            if direct { (plan.critical, plan.publishers.len() - plan.critical) } else { (1, 0) };
        Self {
            machine: Machine::new(critical, best_effort, plan.dead_letters.is_some()),
            fetching: true,
            halted: false,
            flights: BTreeMap::new(),
            outstanding: vec![0; plan.connectors],
            lanes: (0..plan.publishers.len())
                .map(|publisher| Lane::new(plan, log, publisher, seed))
                .collect(),
            unsynced: Vec::new(),
            next_batch: 0,
            next_item: 0,
        }
    }

    /// Whether nothing is on its way, except to publishers that nobody waits for.
    pub(super) fn idle(&self, critical: usize) -> bool {
        self.flights.is_empty() && self.lanes.iter().take(critical).all(Lane::idle)
    }

    /// Whether a publisher is being called.
    pub(super) fn calling(&self) -> bool {
        self.lanes.iter().any(|lane| lane.status().in_call > 0)
    }

    /// For the report of a run that is stuck.
    pub(super) fn state(&self) -> String {
        let lanes: Vec<_> = self.lanes.iter().map(Lane::status).collect();
        format!("{:?}, {lanes:?}", self.machine.counters())
    }
}

impl World {
    pub(super) fn process_happens(&mut self, what: Occurrence) -> Judged {
        match what {
            Occurrence::Fetch { connector } => self.fetch(connector),
            Occurrence::Computed { batch, record } => self.computed(batch, record),
            Occurrence::Wake { publisher } => {
                if let Some(process) = &mut self.process {
                    process.lanes[publisher].wake = None;
                }
                self.pump(publisher)
            }
            Occurrence::CallDone { publisher, call, answers, hangs } => {
                self.call_done(publisher, call, answers, hangs)
            }
            Occurrence::CallBack { publisher, machine, call } => self.call_back(publisher, machine, &call),
            Occurrence::LettersDone { batch, ids, answers } => {
                // Refused for the moment, a record comes again, after later ones.
                let all = answers.len() == ids.len();
                for (index, &id) in ids.iter().enumerate() {
                    if !all || answers.get(index).is_some_and(Result::is_err) {
                        self.oracle.disturb(id);
                        self.oracle.count("dead letter refused");
                    }
                }
                self.tell(Event::Published { batch, target: Destination::DeadLetters, answers })
            }
            Occurrence::RelayLettersDone { publisher, answers } => self.relay_letters(publisher, answers),
            Occurrence::Sync => self.sync(),
            Occurrence::Settle { batch, fates } => self.settle(batch, &fates),
            Occurrence::Deadline => self.deadline(),
            Occurrence::Happening(_) | Occurrence::Start | Occurrence::Gone => Ok(()),
        }
    }

    fn fetch(&mut self, connector: usize) -> Judged {
        let count = self.dice.within(1, 8) as usize;
        let Some(process) = self.process.as_mut().filter(|process| process.fetching) else { return Ok(()) };
        let room = process.outstanding[connector] < OUTSTANDING_MAX;
        let fetched = if room { self.sources.fetch(connector, self.now, count) } else { None };
        let pause = if fetched.is_some() { self.dice.millis(1, 60) } else { Duration::from_millis(100) };
        if let Some(fetched) = fetched {
            let batch = BatchId(process.next_batch);
            process.next_batch += 1;
            process.outstanding[connector] += 1;
            let partition = ["0", "1", "2"][fetched.partition].into();
            let origin = Origin { connector, partition, epoch: fetched.epoch };
            let records = fetched.offsets.len();
            process.flights.insert(batch, Flight { connector, fetched, shares: BTreeMap::new() });
            self.tell(Event::Fetched { batch, origin, records })?;
        }
        self.after(pause, Occurrence::Fetch { connector });
        Ok(())
    }

    fn computed(&mut self, batch: BatchId, record: usize) -> Judged {
        let flight = self.process.as_ref().and_then(|process| process.flights.get(&batch));
        let Some(id) = flight.map(|flight| flight.id(record)) else { return Ok(()) };
        let result = if self.plan.poison(id) {
            self.oracle.count("not computable");
            Computed::Unfit { reason: "poison".into() }
        } else {
            Computed::Ready
        };
        self.tell(Event::Computed { batch, record, result })
    }

    pub(super) fn execute(&mut self, command: Command, events: &mut VecDeque<Event>) -> Judged {
        match command {
            Command::Compute { batch } => {
                let records = self.flight(batch).map_or(0, |flight| flight.fetched.offsets.len());
                for record in 0..records {
                    let delay = self.dice.millis(0, 5);
                    self.after(delay, Occurrence::Computed { batch, record });
                }
            }
            Command::Publish { batch, publisher, records } => {
                if self.plan.durability == Durability::Delivered {
                    self.offer(batch, publisher, &records, true)?;
                } else {
                    let answers = self.append(batch, &records);
                    events.push_back(Event::Published {
                        batch,
                        target: Destination::Publisher(publisher),
                        answers,
                    });
                }
            }
            Command::Offer { batch, best_effort, records } => {
                self.offer(batch, self.plan.critical + best_effort, &records, false)?;
            }
            Command::DeadLetter { batch, records } => {
                let Some(flight) = self.flight(batch) else { return Ok(()) };
                let ids: Vec<RecordId> = records.iter().map(|(record, _)| flight.id(*record)).collect();
                let (delay, answers) = self.write_letters(&ids)?;
                self.after(delay, Occurrence::LettersDone { batch, ids, answers });
            }
            Command::Flush { batch, target } => {
                let waits = target != Destination::DeadLetters && self.plan.durability == Durability::Spooled;
                match &mut self.process {
                    Some(process) if waits => {
                        process.unsynced.push(batch);
                        if process.unsynced.len() == 1 {
                            let delay = self.dice.millis(1, 30);
                            self.after(delay, Occurrence::Sync);
                        }
                    }
                    _ => events.push_back(Event::Flushed { batch, target, answer: Ok(()) }),
                }
            }
            Command::Settle { batch, fates } => {
                let delay = self.dice.millis(0, 10);
                self.after(delay, Occurrence::Settle { batch, fates });
            }
            Command::Finish { batch, .. } => {
                if let Some(process) = &mut self.process
                    && let Some(flight) = process.flights.remove(&batch)
                {
                    process.outstanding[flight.connector] -= 1;
                }
            }
            Command::Fail { reason } => {
                ensure!(false, "a lane has reported a failure to the machine: {reason}")
            }
        }
        Ok(())
    }

    fn flight(&self, batch: BatchId) -> Option<&Flight> {
        self.process.as_ref()?.flights.get(&batch)
    }

    /// Appends records of a batch to the log.
    fn append(&mut self, batch: BatchId, records: &[usize]) -> Vec<Answer> {
        let Some(flight) = self.flight(batch) else { return Vec::new() };
        let messages: Vec<Message> = records.iter().map(|&record| issue(flight.id(record))).collect();
        if !self.log.append(&messages) {
            self.oracle.count("log full");
            self.log.sync_cursors();
            messages.iter().for_each(|message| self.oracle.disturb(message.id));
            let reason = "the log is full".to_owned();
            let refusal = Refusal { class: ErrorClass::Retryable, reason, retry_after: None };
            return vec![Err(refusal); records.len()];
        }
        if self.plan.durability == Durability::Accepted {
            self.log.sync();
            self.logged.extend(messages.iter().map(|message| message.id));
            (0..self.plan.publishers.len()).for_each(|publisher| self.wake_at(publisher, self.now));
        }
        vec![Ok(()); records.len()]
    }

    fn sync(&mut self) -> Judged {
        let Some(process) = &mut self.process else { return Ok(()) };
        let batches = std::mem::take(&mut process.unsynced);
        let failed = self.now < self.plan.heal && self.dice.per_mille(self.plan.sync_failed);
        let ids: Vec<RecordId> = batches
            .iter()
            .filter_map(|batch| process.flights.get(batch))
            .flat_map(|flight| (0..flight.fetched.offsets.len()).map(|record| flight.id(record)))
            .collect();
        let answer = if failed {
            self.oracle.count("sync failed");
            ids.iter().for_each(|&id| self.oracle.disturb(id));
            // What was appended stays: without another try a full log would stay full.
            self.after(Duration::from_millis(50), Occurrence::Sync);
            let reason = "the log could not be synced".to_owned();
            Err(Refusal { class: ErrorClass::Retryable, reason, retry_after: None })
        } else {
            let from = self.log.synced();
            self.log.sync();
            let synced = (from..self.log.synced()).filter_map(|position| self.log.get(position));
            self.logged.extend(synced.map(|message| message.id));
            Ok(())
        };
        for batch in batches {
            let target = Destination::Publisher(0);
            self.tell(Event::Flushed { batch, target, answer: answer.clone() })?;
        }
        (0..self.plan.publishers.len()).try_for_each(|publisher| self.pump(publisher))
    }

    pub(super) fn write_letters(
        &mut self,
        ids: &[RecordId],
    ) -> Result<(Duration, Vec<Answer>), super::oracle::Violation> {
        let messages: Vec<Message> = ids.iter().map(|&id| issue(id)).collect();
        let (now, plan) = (self.now, &self.plan);
        let reply = self.dead_letters.publish(now, &messages, plan, &mut self.dice, &mut self.oracle)?;
        Ok((reply.delay, reply.answers.each(ids.len())))
    }

    /// The connector hears the fates of a batch.
    fn settle(&mut self, batch: BatchId, fates: &[Fate]) -> Judged {
        let Some(flight) = self.flight(batch) else { return Ok(()) };
        let fetched = flight.fetched.clone();
        let ids: Vec<RecordId> = (0..fates.len()).map(|record| flight.id(record)).collect();
        if self.now < self.plan.heal && self.dice.per_mille(self.plan.settle_failed) {
            self.oracle.count("settlement refused");
            self.sources.bring_again(self.now, &fetched);
            return self.tell(Event::Settled { batch, done: false });
        }
        let told: Vec<Told> = fates
            .iter()
            .map(|fate| match fate {
                Fate::Returned { delay } => Told::ComesAgain { delay: *delay },
                _ => Told::Settled,
            })
            .collect();
        let done = self.sources.settle(self.now, &fetched, &told);
        if !done {
            self.oracle.count("settled after a revoke");
            return self.tell(Event::Settled { batch, done });
        }
        for (id, fate) in ids.into_iter().zip(fates) {
            match fate {
                Fate::Delivered if self.plan.durability == Durability::Delivered => {
                    self.oracle.settled_as_delivered(id)?;
                }
                Fate::Delivered => {
                    ensure!(self.logged.contains(&id), "lost: {id:?} was acknowledged and is not in the log");
                }
                Fate::DeadLettered { .. } => self.oracle.settled_as_dead_letter(id, None)?,
                Fate::Rejected { .. } => self.oracle.settled_as_rejected(id, None)?,
                Fate::Returned { .. } => self.oracle.count("given back"),
            }
        }
        self.tell(Event::Settled { batch, done })
    }

    /// The time for draining is over.
    fn deadline(&mut self) -> Judged {
        let Some(process) = &mut self.process else { return Ok(()) };
        process.halted = true;
        if process.machine.counters().in_flight > 0
            || process.lanes.iter().any(|lane| lane.status().queued > 0)
        {
            self.oracle.count("halted by the deadline");
        }
        self.tell(Event::Halt)?;
        (0..self.plan.publishers.len()).try_for_each(|publisher| self.halt_lane(publisher))?;
        // Calls that are out may still be answered.
        self.after(Duration::from_millis(1200), Occurrence::Gone);
        Ok(())
    }
}
