//! Batches in transactions, with the offsets of the records they came from.
//!
//! One call is one transaction: all of its messages and the offsets of their sources become visible together, or
//! none does. A crash at any moment either leaves the transaction uncommitted, and then the group reads the records
//! again from the old offsets, or committed, and then it goes on behind them. What can undo this is refused:
//!
//! - a record whose partition was taken away meanwhile is cancelled, and the broker refuses the offsets of a member
//!   that is no longer in the group's generation;
//! - an offset never passes a record that is still on its way;
//! - a record that a committed transaction holds is answered with success and not sent again;
//! - a commit without an answer is asked for again before anything else happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::Result,
    value::{ErrorClass, PluginError, RecordResult, RecordView},
};
use rdkafka::{
    Offset, TopicPartitionList,
    error::{KafkaError, KafkaResult},
    producer::Producer,
};

use super::{config::Settings, send, session::Session};
use crate::{
    cause,
    connector::shelf::Place,
    headers,
    source::{self, Origin, Source},
};

/// The least time that is kept for ending a transaction.
const END_TIMEOUT_MIN: Duration = Duration::from_secs(5);
/// How long a failed call that may be repeated rests.
const REPEAT_PAUSE: Duration = Duration::from_millis(50);

/// The records of one partition in one transaction.
type Batch = BTreeSet<i64>;
/// By source, partition and epoch.
type Batches = BTreeMap<(u64, Place, u64), Batch>;

/// The state of the producer's transactions.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    /// The number of the session whose producer has fenced its predecessors and may begin.
    ready: Option<u64>,
    /// Whether a transaction is to be aborted before another may begin.
    must_abort: bool,
    /// A transaction that was told to commit and has not answered, with what it holds.
    uncertain: Option<Batches>,
    /// Whether the producer of that transaction is gone.
    is_orphan: bool,
}

impl Transactions {
    /// Whether it is unknown what became of the last transaction.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.uncertain.is_some()
    }

    /// Publishes records in one transaction.
    ///
    /// # Errors
    /// When nothing was tried.
    pub(crate) fn publish(
        &mut self,
        session: &Session,
        settings: &Settings,
        records: &[RecordView<'_>],
        deadline: Instant,
    ) -> Result<Vec<RecordResult>> {
        self.prepare(session, deadline)?;
        if self.must_abort {
            self.abort(session, deadline)?;
        }
        self.resolve(session, deadline)?;
        let mut plan = Plan::new(records);
        if plan.to_send.is_empty() {
            return Ok(plan.answers());
        }
        begin(session)?;
        let reports = session.open(records.len());
        let mut awaited = Vec::with_capacity(plan.to_send.len());
        for &index in &plan.to_send {
            let Some(record) = records.get(index) else { continue };
            match send(session, settings, record, &reports) {
                Ok(report) => awaited.push((index, report)),
                Err(error) => drop(plan.refused.insert(index, error)),
            }
        }
        reports.close();
        let all_reported = plan.refused.is_empty() && session.wait(&reports, deadline);
        for (index, report) in awaited {
            if let (Some(Err(code)), Some(record)) = (reports.outcome(report), records.get(index)) {
                let topic = settings.topic.as_deref().unwrap_or_default();
                plan.refused.insert(index, session.refusal(topic, record.payload.len(), code));
            }
        }
        if !all_reported || !plan.refused.is_empty() {
            self.abort(session, deadline)?;
            let text = if plan.refused.is_empty() {
                "no broker has confirmed the transaction's records in time; it was aborted"
            } else {
                "the transaction was aborted, because another record of it was refused"
            };
            return Ok(plan.fail(&PluginError::retryable(text)));
        }
        match self.finish(session, &plan, deadline) {
            Ok(()) => Ok(plan.answers()),
            Err(error) => Ok(plan.fail(&error)),
        }
    }

    /// Fences predecessors, once for each producer. By taking the id over it ends what the one before had open; what
    /// became of an uncertain transaction is then seen by the group's offsets.
    pub(crate) fn prepare(&mut self, session: &Session, deadline: Instant) -> Result<()> {
        if self.ready == Some(session.number) {
            return Ok(());
        }
        self.is_orphan = self.uncertain.is_some();
        self.must_abort = false;
        repeat(deadline, |left| session.producer.init_transactions(left))
            .map_err(|error| cause::of_error("transactional_id", &error))?;
        self.ready = Some(session.number);
        Ok(())
    }

    /// Learns what became of a transaction whose commit was not answered.
    fn resolve(&mut self, session: &Session, deadline: Instant) -> Result<()> {
        if !self.is_orphan {
            return if self.uncertain.is_some() { self.commit(session, deadline) } else { Ok(()) };
        }
        let timeout = deadline.saturating_duration_since(Instant::now()).max(END_TIMEOUT_MIN);
        let batches = self.uncertain.clone().unwrap_or_default();
        for ((number, place, epoch), mut batch) in batches {
            let Some(source) = source::find(number) else { continue };
            let committed = source.committed(&place, timeout)?;
            batch.retain(|offset| committed.is_some_and(|committed| *offset < committed));
            source.shelf.lock().current(&place, epoch).into_iter().for_each(|p| p.transaction_done(&batch));
        }
        self.is_orphan = false;
        self.uncertain = None;
        Ok(())
    }

    /// Undoes the open transaction; where nobody answers, the next call does.
    fn abort(&mut self, session: &Session, deadline: Instant) -> Result<()> {
        self.must_abort = true;
        let deadline = deadline.max(Instant::now() + END_TIMEOUT_MIN);
        repeat(deadline, |left| session.producer.abort_transaction(left))
            .map_err(|error| cause::of_error("the transaction's abort", &error))?;
        self.must_abort = false;
        Ok(())
    }

    /// Adds the offsets and commits.
    fn finish(&mut self, session: &Session, plan: &Plan, deadline: Instant) -> Result<()> {
        let added = add_offsets(session, &plan.batches, deadline);
        if let Err(error) = added {
            self.abort(session, deadline)?;
            return Err(error);
        }
        self.uncertain = Some(plan.batches.clone());
        self.commit(session, deadline)
    }

    /// Commits what is in `uncertain`; it stays there while nobody answers.
    fn commit(&mut self, session: &Session, deadline: Instant) -> Result<()> {
        let committed = repeat(deadline, |left| session.producer.commit_transaction(left));
        match committed {
            Ok(()) => {
                for ((number, place, epoch), batch) in self.uncertain.take().unwrap_or_default() {
                    let Some(source) = source::find(number) else { continue };
                    if let Some(partition) = source.shelf.lock().current(&place, epoch) {
                        partition.transaction_done(&batch);
                    }
                }
                Ok(())
            }
            Err(KafkaError::Transaction(error)) if error.txn_requires_abort() => {
                self.uncertain = None;
                self.abort(session, deadline)?;
                Err(PluginError::retryable(format!("the transaction was aborted: {}", error.string())))
            }
            Err(error) => {
                let mut told = cause::of_error("the transaction's commit", &error);
                if told.class != ErrorClass::Fatal {
                    told.class = ErrorClass::Unknown;
                }
                Err(told)
            }
        }
    }
}

/// What is to be done with each record of a call.
struct Plan {
    count: usize,
    /// Answers that are known before anything is sent.
    known: BTreeMap<usize, RecordResult>,
    to_send: Vec<usize>,
    /// Records that were refused for themselves, after all.
    refused: BTreeMap<usize, PluginError>,
    batches: Batches,
}

impl Plan {
    fn new(records: &[RecordView<'_>]) -> Self {
        let mut plan = Self {
            count: records.len(),
            known: BTreeMap::new(),
            to_send: Vec::new(),
            refused: BTreeMap::new(),
            batches: BTreeMap::new(),
        };
        let mut members: BTreeMap<(u64, Place, u64), Vec<(usize, i64)>> = BTreeMap::new();
        for (index, record) in records.iter().enumerate() {
            match record.headers.get(headers::SOURCE).and_then(Origin::parse) {
                Some(origin) => {
                    let key = (origin.source, origin.place, origin.epoch);
                    members.entry(key).or_default().push((index, origin.offset));
                }
                // Of another kind of connector: in the transaction, without an offset.
                None => plan.to_send.push(index),
            }
        }
        for (key, members) in members {
            plan.place(key, &members);
        }
        plan.to_send.sort_unstable();
        plan
    }

    /// Decides about the records of one partition.
    fn place(&mut self, key: (u64, Place, u64), members: &[(usize, i64)]) {
        let gone = || {
            let text = "the record's partition was taken away; whoever has it now brings the record again";
            Err(PluginError::new(ErrorClass::Cancelled, text))
        };
        let Some(source) = source::find(key.0) else {
            return self.known.extend(members.iter().map(|(index, _)| (*index, gone())));
        };
        let mut shelf = source.shelf.lock();
        let Some(partition) = shelf.current(&key.1, key.2) else {
            return self.known.extend(members.iter().map(|(index, _)| (*index, gone())));
        };
        let is_done = |offset: i64| partition.is_transacted(offset);
        let mut batch: Batch = members.iter().map(|(_, at)| *at).filter(|at| !is_done(*at)).collect();
        let (_, too_early) = partition.transaction_prefix(&batch);
        for &(index, offset) in members {
            if is_done(offset) {
                self.known.insert(index, Ok(()));
            } else if too_early.contains(&offset) {
                let text = "a record before it in its partition is still on its way";
                self.known.insert(index, Err(PluginError::retryable(text)));
                batch.remove(&offset);
            } else {
                self.to_send.push(index);
            }
        }
        if !batch.is_empty() {
            self.batches.insert(key, batch);
        }
    }

    /// Answers of a call whose transaction is committed.
    fn answers(&self) -> Vec<RecordResult> {
        (0..self.count).map(|index| self.known.get(&index).cloned().unwrap_or(Ok(()))).collect()
    }

    /// Answers of a call whose transaction is not.
    fn fail(&self, error: &PluginError) -> Vec<RecordResult> {
        let answer = |index| match (self.known.get(&index), self.refused.get(&index)) {
            (Some(known), _) => known.clone(),
            (None, Some(refused)) => Err(refused.clone()),
            (None, None) => Err(error.clone()),
        };
        (0..self.count).map(answer).collect()
    }
}

fn begin(session: &Session) -> Result<()> {
    session.producer.begin_transaction().map_err(|error| cause::of_error("transaction", &error))
}

/// Adds the offsets of what the transaction holds, for each connector that it came from.
fn add_offsets(session: &Session, batches: &Batches, deadline: Instant) -> Result<()> {
    let numbers: BTreeSet<u64> = batches.keys().map(|(number, ..)| *number).collect();
    for number in numbers {
        let gone = || PluginError::new(ErrorClass::Cancelled, "the connector of the records is closed");
        let source = source::find(number).ok_or_else(gone)?;
        // First the group's metadata, then the look at the epochs: should a partition go in between, the metadata
        // are of a generation that is over, and the broker refuses them.
        let metadata = source.group_metadata().ok_or_else(gone)?;
        let offsets = offsets_of(&source, number, batches)?;
        repeat(deadline, |left| session.producer.send_offsets_to_transaction(&offsets, &metadata, left))
            .map_err(|error| {
                let mut told = cause::of_error("the transaction's offsets", &error);
                if told.class == ErrorClass::Permanent {
                    told.class = ErrorClass::Retryable;
                }
                told
            })?;
    }
    Ok(())
}

fn offsets_of(source: &Source, number: u64, batches: &Batches) -> Result<TopicPartitionList> {
    let mut offsets = TopicPartitionList::new();
    let mut shelf = source.shelf.lock();
    for ((_, place, epoch), batch) in batches.iter().filter(|((from, ..), _)| *from == number) {
        let found = shelf.current(place, *epoch).map(|partition| partition.transaction_prefix(batch));
        let Some((Some(offset), _)) = found else {
            let text =
                "a partition was taken away while its records were published; the transaction was aborted";
            return Err(PluginError::new(ErrorClass::Cancelled, text));
        };
        offsets
            .add_partition_offset(&place.topic, place.partition, Offset::Offset(offset))
            .map_err(|error| cause::of_error("the transaction's offsets", &error))?;
    }
    Ok(offsets)
}

/// Repeats a call while librdkafka says that it may be, until the deadline.
fn repeat(deadline: Instant, mut call: impl FnMut(Duration) -> KafkaResult<()>) -> KafkaResult<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match call(left) {
            Err(KafkaError::Transaction(error)) if error.is_retriable() && !error.is_fatal() => {
                if Instant::now() + REPEAT_PAUSE >= deadline {
                    return Err(KafkaError::Transaction(error));
                }
                std::thread::sleep(REPEAT_PAUSE);
            }
            other => return other,
        }
    }
}
