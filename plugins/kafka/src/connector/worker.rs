//! The thread that polls the broker. It does so whether or not the host fetches, because a member that does not poll
//! is put out of the group, and a rebalance is answered only while polling.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::Result,
    value::{ErrorClass, PluginError},
};
use rdkafka::{
    Offset,
    config::FromClientConfigAndContext,
    consumer::Consumer,
    error::{KafkaError, KafkaResult},
    message::{BorrowedMessage, Message},
};

use super::{
    commits::Committer,
    config::{Offsets, Settings},
    context::{Context, GroupConsumer, list_of, unassign},
    leaving::{Leaving, Left},
    partition::Arrival,
    record,
    shelf::{Place, Shelf, deadline_in},
};
use crate::{
    cause,
    observer::Observer,
    source::{self, Source},
};

/// How long one poll waits when nothing is due.
const POLL_WAIT: Duration = Duration::from_millis(100);
/// How long it waits while something may become due at any moment: a settlement, room in a buffer.
const POLL_WAIT_BUSY: Duration = Duration::from_millis(5);
/// How long nothing is taken from librdkafka when enough is here, before partitions are paused: a pause drops what
/// librdkafka has fetched, and a pipeline at work makes room within moments. A rebalance waits for it.
const HOLD_MAX: Duration = Duration::from_millis(100);
/// How long until it looks again whether there is room.
const HOLD_PAUSE: Duration = Duration::from_millis(1);
/// The most messages that are taken over at once.
const MESSAGES_AT_ONCE: usize = 1000;
/// How long the answer to the last commit is awaited before a partition or the group is left.
const COMMIT_WAIT: Duration = Duration::from_secs(5);
/// How long until a last commit that failed is sent again.
const COMMIT_RETRY: Duration = Duration::from_millis(100);
/// How long setting a partition back may take, and how long until it is tried again.
const SEEK_WAIT: Duration = Duration::from_secs(5);
const SEEK_RETRY: Duration = Duration::from_millis(200);

/// The thread and the way to end it. Dropped, it ends in the background.
pub(crate) struct Worker {
    must_stop: Arc<AtomicBool>,
    ended: Option<mpsc::Receiver<Left>>,
}

impl Worker {
    /// Joins the group and starts the thread. Does not wait for a broker.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration or the subscription.
    pub(crate) fn start(
        settings: &Arc<Settings>,
        shelf: &Arc<Shelf>,
        observer: &Arc<Observer>,
    ) -> Result<Self> {
        let context = Context {
            settings: Arc::clone(settings),
            shelf: Arc::clone(shelf),
            observer: Arc::clone(observer),
        };
        let consumer = GroupConsumer::from_config_and_context(&settings.options.resolve()?, context)
            .map_err(|error| cause::of_error("connector", &error))?;
        let topics: Vec<&str> = settings.subscription.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| {
            PluginError::permanent(format!("topics, patterns: {error}; correct the names and expressions"))
        })?;
        let must_stop = Arc::new(AtomicBool::new(false));
        let consumer = Arc::new(consumer);
        let (source, committer) = match settings.offsets {
            Offsets::Transaction => {
                (Some(source::register(Arc::clone(shelf), Arc::downgrade(&consumer))), None)
            }
            Offsets::Settled => (None, Some(Committer::start(&consumer, shelf, observer)?)),
        };
        let (ending, ended) = mpsc::sync_channel(1);
        let polling = Polling {
            consumer,
            source,
            committer,
            settings: Arc::clone(settings),
            shelf: Arc::clone(shelf),
            observer: Arc::clone(observer),
            next_commit: Instant::now(),
            next_retry: Instant::now(),
            full_since: None,
        };
        let stop = Arc::clone(&must_stop);
        let host = observer.host().clone();
        thread::Builder::new()
            .name(format!("kafka-{}", host.instance()))
            .spawn(move || {
                let left = host.scope(|| polling.run(&stop));
                let _ = ending.send(left);
            })
            .map_err(|error| PluginError::io("the connector's thread", &error))?;
        Ok(Self { must_stop, ended: Some(ended) })
    }

    /// Lets it commit, leave the group and end, in the background.
    pub(crate) fn leave(mut self) -> Leaving {
        self.must_stop.store(true, Ordering::Release);
        Leaving::new(self.ended.take())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.must_stop.store(true, Ordering::Release);
    }
}

/// What the thread owns.
struct Polling {
    consumer: Arc<GroupConsumer>,
    source: Option<Arc<Source>>,
    /// Unless transactions commit.
    committer: Option<Committer>,
    settings: Arc<Settings>,
    shelf: Arc<Shelf>,
    observer: Arc<Observer>,
    next_commit: Instant,
    /// When what failed may be sent again, where something waits for it.
    next_retry: Instant,
    /// Since when enough is here.
    full_since: Option<Instant>,
}

impl Polling {
    fn run(mut self, must_stop: &AtomicBool) -> Left {
        let mut is_held = false;
        while !must_stop.load(Ordering::Acquire) {
            if is_held {
                thread::sleep(HOLD_PAUSE);
            } else {
                self.poll(self.poll_wait());
            }
            is_held = self.is_held();
            self.set_back();
            self.change_flow(is_held);
            self.commit_settled();
            self.give_away();
        }
        self.leave()
    }

    /// Whether to take nothing from librdkafka for a moment, because enough is here.
    fn is_held(&mut self) -> bool {
        let state = self.shelf.lock();
        let is_full = state.is_full(self.settings.outstanding_max, self.settings.buffer_bytes_max);
        if !is_full || state.revocation.is_some() {
            self.full_since = None;
            return false;
        }
        drop(state);
        let now = Instant::now();
        now.duration_since(*self.full_since.get_or_insert(now)) < HOLD_MAX
    }

    fn poll_wait(&self) -> Duration {
        let state = self.shelf.lock();
        let is_busy = state.revocation.is_some() || state.partitions.values().any(|p| p.is_paused);
        let wait = if is_busy { POLL_WAIT_BUSY } else { POLL_WAIT };
        let until = state.next_set_back().map(|due| due.saturating_duration_since(Instant::now()));
        until.map_or(wait, |until| until.clamp(Duration::from_millis(1), wait))
    }

    /// Polls once with `wait`, then takes over what is there.
    fn poll(&self, wait: Duration) {
        let mut arrived = Vec::new();
        let mut wait = wait;
        while arrived.len() < MESSAGES_AT_ONCE {
            match self.consumer.poll(wait) {
                None => break,
                Some(Ok(message)) => arrived.push(self.arrival(&message)),
                Some(Err(error)) => self.consumption_error(&error),
            }
            wait = Duration::ZERO;
        }
        if arrived.is_empty() {
            return;
        }
        self.observer.well();
        let mut state = self.shelf.lock();
        let mut missing_total = 0;
        for (place, offset, mut record) in arrived {
            let Some(partition) = state.partitions.get_mut(&place) else { continue };
            if let Some(source) = &self.source {
                record.headers.push(source.header(&place, partition.epoch, offset));
            }
            if let Arrival::Taken { missing } = partition.arrive(offset, record) {
                missing_total += missing;
            }
        }
        drop(state);
        self.shelf.ring();
        if missing_total > 0 {
            let help =
                "Records that were given back and had been deleted from the topic when they were read again.";
            let counter = self.observer.host().counter("mfn_kafka_missing_records_total", help, &[]);
            counter.update(missing_total as f64);
            tracing::error!(
                records = missing_total,
                "given back, but no longer in the topic: retention passed them"
            );
        }
    }

    fn arrival(&self, message: &BorrowedMessage<'_>) -> (Place, i64, mfn_plugin::value::Record) {
        let place = Place::new(message.topic(), message.partition());
        (place, message.offset(), record::of_message(&self.settings, message))
    }

    fn consumption_error(&self, error: &KafkaError) {
        let told = cause::of_error("fetch", error);
        if matches!(error, KafkaError::PartitionEOF(_)) {
            return;
        }
        // What passes by itself is health; what somebody has to put right is the next fetch's answer.
        if matches!(told.class, ErrorClass::Fatal | ErrorClass::Blocked) {
            self.shelf.lock().error = Some(told.clone());
            self.shelf.ring();
        }
        self.observer.trouble(told);
    }

    /// Sets partitions back to records that were given back.
    fn set_back(&self) {
        let due = self.shelf.lock().set_backs_due(Instant::now());
        for (place, epoch, offset) in due {
            // A paused partition may not be set back reliably; it is resumed right after anyway.
            let sought = self.consumer.resume(&list_of([&place])).and_then(|()| {
                self.consumer.seek(&place.topic, place.partition, Offset::Offset(offset), SEEK_WAIT)
            });
            let mut state = self.shelf.lock();
            let Some(partition) = state.current(&place, epoch) else { continue };
            partition.is_paused = false;
            partition.was_set_back(sought.is_err().then(|| deadline_in(SEEK_RETRY)));
            drop(state);
            if let Err(error) = sought {
                self.observer.trouble(cause::of_error("seek", &error));
            }
        }
    }

    /// Pauses and resumes partitions by what is outstanding.
    fn change_flow(&self, is_held: bool) {
        let settings = &self.settings;
        let (open_max, bytes_max) = (settings.outstanding_max, settings.buffer_bytes_max);
        let (pauses, resumes) = self.shelf.lock().flow_changes(open_max, bytes_max, is_held);
        let mut done: KafkaResult<()> = Ok(());
        if !pauses.is_empty() {
            done = done.and(self.consumer.pause(&list_of(&pauses)));
        }
        if !resumes.is_empty() {
            done = done.and(self.consumer.resume(&list_of(&resumes)));
        }
        if let Err(error) = done {
            self.observer.trouble(cause::of_error("pause", &error));
        }
    }

    /// Commits what was settled, every interval.
    fn commit_settled(&mut self) {
        // One at a time: the next takes what this one does not.
        if Instant::now() >= self.next_commit && self.shelf.lock().commits_out == 0 {
            self.next_commit = deadline_in(self.settings.commit_interval);
            self.commit(None);
        }
    }

    fn commit(&self, only: Option<&[Place]>) {
        if let Some(committer) = &self.committer {
            committer.commit(only);
        }
    }

    /// Brings a revocation to its end: drain, commit, fence, unassign.
    fn give_away(&mut self) {
        let mut state = self.shelf.lock();
        let Some(revocation) = state.revocation.clone() else { return };
        let now = Instant::now();
        let is_lost = self.consumer.assignment_lost();
        if !is_lost {
            match revocation.committing_until {
                None if state.out_of(&revocation.places) > 0 && now < revocation.deadline => return,
                None => {
                    if let Some(revocation) = &mut state.revocation {
                        revocation.committing_until = Some(deadline_in(COMMIT_WAIT));
                    }
                    drop(state);
                    return self.commit(Some(&revocation.places));
                }
                Some(until) if now < until => {
                    drop(state);
                    if !self.is_committed(Some(&revocation.places)) {
                        return self.commit_again(Some(&revocation.places));
                    }
                    state = self.shelf.lock();
                }
                Some(_) => {}
            }
        }
        let left = state.out_of(&revocation.places);
        state.fence(&revocation.places);
        state.revocation = None;
        drop(state);
        if let Err(error) = unassign(&self.consumer, &revocation.places, revocation.is_incremental) {
            self.observer.trouble(cause::of_error("rebalance", &error));
        }
        tracing::info!(
            partitions = revocation.places.len(),
            unsettled = left,
            lost = is_lost,
            "gave partitions away"
        );
    }

    /// The last commit, then out of the group.
    fn leave(mut self) -> Left {
        let mut state = self.shelf.lock();
        state.is_draining = true;
        let lost_before = state.commits_lost;
        drop(state);
        let until = deadline_in(COMMIT_WAIT);
        while Instant::now() < until && !self.is_committed(None) {
            self.commit_again(None);
            self.poll(POLL_WAIT_BUSY);
        }
        let is_kept = self.committer.is_none() || self.shelf.lock().commits_lost == lost_before;
        let left = if is_kept && self.is_committed(None) { Left::Committed } else { Left::Uncommitted };
        if left == Left::Uncommitted {
            tracing::warn!(
                "leaves the group, and the last settled offsets are not committed: records come again"
            );
        }
        let mut state = self.shelf.lock();
        let places: Vec<_> = state.partitions.keys().cloned().collect();
        state.fence(&places);
        state.is_over = true;
        let revocation = state.revocation.take();
        drop(state);
        if let Some(revocation) = revocation {
            let _ = unassign(&self.consumer, &revocation.places, revocation.is_incremental);
        }
        self.shelf.ring();
        self.source = None;
        // Somebody has to answer the group until the last commit is answered, which librdkafka waits for as well.
        while self.committer.as_ref().is_some_and(Committer::is_at_work) {
            self.poll(POLL_WAIT_BUSY);
        }
        if let Some(committer) = self.committer {
            committer.end();
        }
        // Leaves the group, where no transaction holds the consumer any more.
        drop(self.consumer);
        left
    }

    /// Whether brokers have answered for all that is settled. What transactions commit is theirs.
    fn is_committed(&self, only: Option<&[Place]>) -> bool {
        self.committer.as_ref().is_none_or(|committer| committer.is_done(only))
    }

    /// Sends what failed again, if it is time: a commit fails while coordinators move and partitions are handed around.
    fn commit_again(&mut self, only: Option<&[Place]>) {
        if Instant::now() >= self.next_retry {
            self.next_retry = deadline_in(COMMIT_RETRY);
            self.commit(only);
        }
    }
}
