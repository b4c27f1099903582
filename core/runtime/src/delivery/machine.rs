//! The machine of one route: it moves batches through their phases and says what to do next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use mfn_plugin::value::ErrorClass;

use super::batch::{Batch, Phase, Progress};
use super::canary::{self, Bug};
use super::{Answer, BatchId, Command, Counters, Event, Fate, Origin, Target};

/// Decides the fate of the records of one route. See the [module](super) for what it holds to.
#[derive(Debug)]
pub(crate) struct Machine {
    publishers: usize,
    best_effort: usize,
    has_dead_letters: bool,
    batches: BTreeMap<BatchId, Batch>,
    /// Batches that have not begun to publish, in the order of their fetches.
    unpublished: Queues,
    /// Batches whose settlement was not begun, in the order of their fetches.
    unsettled: Queues,
    /// Per connector and partition: the oldest epoch that is not over.
    epochs: BTreeMap<(usize, Arc<str>), u64>,
    counters: Counters,
    halted: bool,
    failed: bool,
}

/// Batches in line, per origin. An origin without batches has no line.
type Queues = BTreeMap<Origin, VecDeque<BatchId>>;

impl Machine {
    /// A machine for a route with so many critical publishers, and so many that nobody waits for.
    pub(crate) fn new(publishers: usize, best_effort: usize, has_dead_letters: bool) -> Self {
        Self {
            publishers,
            best_effort,
            has_dead_letters,
            batches: BTreeMap::new(),
            unpublished: Queues::new(),
            unsettled: Queues::new(),
            epochs: BTreeMap::new(),
            counters: Counters::default(),
            halted: false,
            failed: false,
        }
    }

    /// How many records have which fate. Holds the equation of the [module](super) at any time.
    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes in what happened and says what to do, in order. An event about a batch that is over or
    /// was never there, or that comes at the wrong time, changes nothing.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Command> {
        let mut commands = Vec::new();
        match event {
            Event::Fetched { batch, origin, records } => {
                self.fetched(batch, origin, records, &mut commands);
            }
            Event::Computed { batch, record, result } => {
                self.computed(batch, |batch| batch.computed(record, result), &mut commands);
            }
            Event::Ready { batch } => self.computed(batch, Batch::ready, &mut commands),
            Event::Published { batch, target, answers } => {
                self.published(batch, target, answers, &mut commands);
            }
            Event::Flushed { batch, target, answer } => self.flushed(batch, target, answer, &mut commands),
            Event::Settled { batch, done } => self.settled(batch, done, &mut commands),
            Event::Halt => self.halt(&mut commands),
        }
        commands
    }

    fn fetched(&mut self, id: BatchId, origin: Origin, records: usize, commands: &mut Vec<Command>) {
        if records == 0 || self.batches.contains_key(&id) {
            return;
        }
        self.counters.received += records as u64;
        self.counters.in_flight += records as u64;
        let Origin { connector, ref partition, epoch } = origin;
        self.fence(connector, Arc::clone(partition), epoch, commands);
        let over = self.epochs.get(&(connector, Arc::clone(partition))).is_some_and(|&oldest| epoch < oldest);
        self.batches.insert(id, Batch::new(origin.clone(), records));
        self.unsettled.entry(origin.clone()).or_default().push_back(id);
        if self.halted || over {
            self.give_back(&[id], commands);
        } else {
            self.unpublished.entry(origin).or_default().push_back(id);
            commands.push(Command::Compute { batch: id });
        }
    }

    /// Ends the epochs of a partition before `oldest`: what has not begun to be published is given back.
    fn fence(&mut self, connector: usize, partition: Arc<str>, oldest: u64, commands: &mut Vec<Command>) {
        let first = Origin { connector, partition: Arc::clone(&partition), epoch: 0 };
        let end = Origin { connector, partition: Arc::clone(&partition), epoch: oldest };
        let known = self.epochs.entry((connector, partition)).or_insert(0);
        if *known >= oldest {
            return;
        }
        *known = oldest;
        let over: Vec<Origin> =
            self.unpublished.range(first..end).map(|(origin, _)| origin.clone()).collect();
        for origin in over {
            let batches = Vec::from(self.unpublished.remove(&origin).unwrap_or_default());
            self.give_back(&batches, commands);
        }
    }

    /// Decides that these batches, none of which is settling, are to come again as far as they are not done.
    fn give_back(&mut self, batches: &[BatchId], commands: &mut Vec<Command>) {
        for id in batches {
            let Some(batch) = self.batches.get_mut(id) else { continue };
            batch.halt();
            let origin = batch.origin.clone();
            self.begin_settling(&origin, commands);
        }
    }

    fn computed(&mut self, id: BatchId, note: impl FnOnce(&mut Batch), commands: &mut Vec<Command>) {
        let Some(batch) = self.batches.get_mut(&id) else { return };
        note(batch);
        if batch.phase == Phase::Computed {
            let origin = batch.origin.clone();
            self.begin_publishing(&origin, commands);
        }
    }

    /// Lets those batches of an origin begin to publish that have nothing uncomputed before them.
    fn begin_publishing(&mut self, origin: &Origin, commands: &mut Vec<Command>) {
        while let Some(id) = front(&self.unpublished, origin) {
            let Some(batch) = self.batches.get_mut(&id).filter(|batch| batch.phase == Phase::Computed) else {
                return;
            };
            let records = batch.good();
            let (publishers, best_effort) =
                if records.is_empty() { (0, 0) } else { (self.publishers, self.best_effort) };
            batch.phase =
                Phase::Publishing(vec![Progress::Publishing { records: records.clone() }; publishers]);
            pop(&mut self.unpublished, origin);
            for best_effort in 0..best_effort {
                commands.push(Command::Offer { batch: id, best_effort, records: records.clone() });
            }
            for publisher in 0..publishers {
                commands.push(Command::Publish { batch: id, publisher, records: records.clone() });
            }
            self.begin_dead_lettering(id, commands);
        }
    }

    fn published(&mut self, id: BatchId, target: Target, answers: Vec<Answer>, commands: &mut Vec<Command>) {
        self.fail_on_fatal(answers.iter(), commands);
        let Some(batch) = self.batches.get_mut(&id) else { return };
        let records = match progress(batch, target) {
            Some(Progress::Publishing { records }) => records.clone(),
            _ => return,
        };
        let taken = match target {
            Target::Publisher(_) => batch.published(&records, answers),
            Target::DeadLetters => batch.dead_lettered(&records, answers),
        };
        let next = if taken.is_empty() {
            Progress::Done
        } else {
            commands.push(Command::Flush { batch: id, target });
            Progress::Flushing { records: taken }
        };
        self.advance(id, target, next, commands);
    }

    fn flushed(&mut self, id: BatchId, target: Target, answer: Answer, commands: &mut Vec<Command>) {
        self.fail_on_fatal(std::iter::once(&answer), commands);
        let Some(batch) = self.batches.get_mut(&id) else { return };
        let records = match progress(batch, target) {
            Some(Progress::Flushing { records }) => records.clone(),
            _ => return,
        };
        if let Err(refusal) = answer {
            batch.flush_failed(&records, &refusal);
        }
        self.advance(id, target, Progress::Done, commands);
    }

    /// Notes how far a target is, and moves the batch on when it was the last.
    fn advance(&mut self, id: BatchId, target: Target, next: Progress, commands: &mut Vec<Command>) {
        let Some(batch) = self.batches.get_mut(&id) else { return };
        if let Some(progress) = progress(batch, target) {
            *progress = next;
        }
        match &batch.phase {
            Phase::Publishing(_) => self.begin_dead_lettering(id, commands),
            Phase::DeadLettering(Progress::Done) => self.decide(id, commands),
            _ => {}
        }
    }

    /// When all publishers are done: the dead letters, if there are any.
    fn begin_dead_lettering(&mut self, id: BatchId, commands: &mut Vec<Command>) {
        let Some(batch) = self.batches.get_mut(&id) else { return };
        let Phase::Publishing(publishers) = &batch.phase else { return };
        let open = publishers.iter().filter(|progress| **progress != Progress::Done).count();
        if open > 0 && !(canary::planted(Bug::FirstPublisherDecides) && open < publishers.len()) {
            return;
        }
        let unfit = batch.unfit();
        if unfit.is_empty() || !self.has_dead_letters {
            batch.reject_unfit();
            self.decide(id, commands);
        } else {
            let records = unfit.iter().map(|(record, _)| *record).collect();
            batch.phase = Phase::DeadLettering(Progress::Publishing { records });
            commands.push(Command::DeadLetter { batch: id, records: unfit });
        }
    }

    fn decide(&mut self, id: BatchId, commands: &mut Vec<Command>) {
        let Some(batch) = self.batches.get_mut(&id) else { return };
        batch.phase = Phase::Decided;
        let origin = batch.origin.clone();
        self.begin_settling(&origin, commands);
    }

    /// Settles those batches of an origin that have nothing undecided before them.
    fn begin_settling(&mut self, origin: &Origin, commands: &mut Vec<Command>) {
        while let Some(id) = front(&self.unsettled, origin) {
            let Some(batch) = self.batches.get_mut(&id).filter(|batch| batch.phase == Phase::Decided) else {
                return;
            };
            batch.phase = Phase::Settling;
            commands.push(Command::Settle { batch: id, fates: batch.fates() });
            pop(&mut self.unsettled, origin);
        }
    }

    fn settled(&mut self, id: BatchId, done: bool, commands: &mut Vec<Command>) {
        if self.batches.get(&id).is_none_or(|batch| batch.phase != Phase::Settling) {
            return;
        }
        let Some(batch) = self.batches.remove(&id) else { return };
        let fates = batch.fates();
        self.counters.in_flight -= batch.len() as u64;
        for fate in &fates {
            let counter = match fate {
                // The connector does not know the fate: the record comes again.
                _ if !done => &mut self.counters.nacked,
                Fate::Delivered => &mut self.counters.delivered,
                Fate::DeadLettered { .. } => &mut self.counters.dead_lettered,
                Fate::Rejected { .. } => &mut self.counters.rejected,
                Fate::Returned { .. } => &mut self.counters.nacked,
            };
            *counter += 1;
        }
        commands.push(Command::Finish { batch: id, fates, settled: done });
    }

    fn halt(&mut self, commands: &mut Vec<Command>) {
        self.halted = true;
        self.unpublished.clear();
        for batch in self.batches.values_mut() {
            if !matches!(batch.phase, Phase::Decided | Phase::Settling) {
                batch.halt();
            }
        }
        let origins: Vec<Origin> = self.unsettled.keys().cloned().collect();
        for origin in origins {
            self.begin_settling(&origin, commands);
        }
    }

    fn fail_on_fatal<'a>(&mut self, answers: impl Iterator<Item = &'a Answer>, commands: &mut Vec<Command>) {
        let fatal = answers
            .filter_map(|answer| answer.as_ref().err())
            .find(|refusal| refusal.class == ErrorClass::Fatal);
        if let Some(refusal) = fatal.filter(|_| !self.failed) {
            self.failed = true;
            commands.push(Command::Fail { reason: refusal.reason.clone() });
        }
    }
}

fn front(queues: &Queues, origin: &Origin) -> Option<BatchId> {
    queues.get(origin)?.front().copied()
}

fn pop(queues: &mut Queues, origin: &Origin) {
    if let Some(queue) = queues.get_mut(origin) {
        queue.pop_front();
        if queue.is_empty() {
            queues.remove(origin);
        }
    }
}

/// How far a target is with a batch; `None` when the target has nothing to do with it now.
fn progress(batch: &mut Batch, target: Target) -> Option<&mut Progress> {
    match (&mut batch.phase, target) {
        (Phase::Publishing(publishers), Target::Publisher(publisher)) => publishers.get_mut(publisher),
        (Phase::DeadLettering(progress), Target::DeadLetters) => Some(progress),
        _ => None,
    }
}
