//! The lane of a publisher: one thread that calls it, so that a slow or hung publisher holds up nobody
//! but those who wait for its answer.
//!
//! What to publish next, when to try again and when to leave the publisher alone is decided by the
//! machines of `delivery::outbound` and `delivery::relay`; the lane has the clock, the records and the calls.
//! Records come from routes, as jobs, and from spools, through feeds; they take turns. Calls hold records of
//! as many batches as fit, and each is flushed at once: an answer of success means durable.

mod call;
mod direct;
mod feed;
mod view;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use mfn_plugin::value::{ErrorClass, Idempotence, Ordering, PublisherTraits, Record};

use crate::config::{BatchConfig, DeliveryConfig};
use crate::delivery::outbound::{
    Action, Call, Endpoint, Outbound, OutboundConfig, OutboundStatus, after_flush,
};
use crate::delivery::{Answer, Refusal};

pub(super) use call::Caller;
use direct::Direct;
pub(super) use feed::{Feed, Waker};
use feed::{Runner, Step};
pub(super) use view::LaneView;

/// What a lane is told.
pub(super) enum LaneMessage {
    /// Publish these.
    Job(LaneJob),
    /// There is something to read for a feed.
    Wake { feed: usize },
    /// The dead letters of a feed were answered.
    DeadLettered { feed: usize, answers: Vec<Answer> },
    /// The time is over: answer for everything that is not in a call, and read no more.
    Halt,
    /// Nothing more will come.
    Quit,
}

/// Records to be made durable in this order, and who is told of it.
pub(super) struct LaneJob {
    pub(super) records: Vec<Arc<Record>>,
    /// Whether nobody would bring the records again: then they are given back at the end only.
    pub(super) kept: bool,
    /// Called once, with one answer for each record, by the lane's thread: it must not wait for anything.
    pub(super) answer: Box<dyn FnOnce(Vec<Answer>) + Send>,
}

/// The way to a lane. Sending never waits.
#[derive(Clone)]
pub(super) struct LaneHandle {
    sender: Sender<LaneMessage>,
    pub(super) view: Arc<LaneView>,
}

impl LaneHandle {
    pub(super) fn new(sender: Sender<LaneMessage>) -> Self {
        Self { sender, view: Arc::new(LaneView::new()) }
    }

    pub(super) fn send(&self, job: LaneJob) {
        self.view.offered(job.records.len());
        self.tell(LaneMessage::Job(job));
    }

    pub(super) fn tell(&self, message: LaneMessage) {
        // A lane lives until it is told to quit, and then nobody waits for its answers any more.
        let _ = self.sender.send(message);
    }

    /// What wakes one of the lane's feeds.
    pub(super) fn waker(&self, feed: usize) -> Waker {
        Waker { feed, lane: self.sender.clone(), woken: Arc::default() }
    }
}

/// Calls one publisher.
pub(super) struct Lane {
    caller: Caller,
    view: Arc<LaneView>,
    start: Instant,
    /// The most payload bytes that the publisher takes in a call.
    bytes_max: u64,
    /// What routes wait for, and bring again when it is given back.
    direct: Direct,
    /// What nobody would bring again.
    kept: Direct,
    feeds: Vec<Runner>,
    /// The publisher can not go on, for this reason.
    fenced: Option<Refusal>,
    /// Whose turn it is.
    turn: usize,
}

/// Who has something to publish.
#[derive(Clone, Copy)]
enum Source {
    Direct,
    Kept,
    Feed(usize),
}

impl Lane {
    pub(super) fn new(
        caller: Caller,
        delivery: DeliveryConfig,
        handle: &LaneHandle,
        feeds: Vec<(Feed, Waker)>,
    ) -> Self {
        let (traits, fenced) = match caller.traits() {
            Ok(traits) => (traits, None),
            Err(refusal) => {
                let traits = PublisherTraits {
                    records_max: 1,
                    bytes_max: u64::MAX,
                    ordering: Ordering::All,
                    idempotence: Idempotence::None,
                };
                (traits, Some(Refusal { class: ErrorClass::Fatal, ..refusal }))
            }
        };
        let config = outbound_config(delivery, traits);
        let endpoint = Endpoint::new(config.breaker);
        let seed = seed(caller.name());
        let view = Arc::clone(&handle.view);
        let direct = |outbound| Direct::new(outbound, traits, Arc::clone(&view));
        let runner = |(index, (feed, waker))| {
            let seed = seed.wrapping_add(2 + index as u64);
            Runner::new(feed, waker, config, endpoint.share(), seed, traits, Arc::clone(&view))
        };
        let mut lane = Self {
            start: view.start(),
            bytes_max: traits.bytes_max,
            direct: direct(Outbound::new(config, endpoint.share(), seed)),
            kept: direct(Outbound::new(config, endpoint.share(), seed.wrapping_add(1)).keeping()),
            feeds: feeds.into_iter().enumerate().map(runner).collect(),
            fenced: None,
            turn: 0,
            view: Arc::clone(&view),
            caller,
        };
        if let Some(refusal) = fenced {
            lane.fence(&refusal);
        }
        lane
    }

    /// Works until it is told to quit.
    pub(super) fn run(mut self, messages: &Receiver<LaneMessage>) {
        loop {
            loop {
                match messages.try_recv() {
                    Ok(LaneMessage::Quit) | Err(TryRecvError::Disconnected) => return,
                    Ok(message) => self.take(message),
                    Err(TryRecvError::Empty) => break,
                }
            }
            let Some(until) = self.work() else { continue };
            self.view.show(&self.status());
            let message = match until {
                Some(until) => messages.recv_timeout(until.saturating_sub(self.start.elapsed())),
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(LaneMessage::Quit) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn take(&mut self, message: LaneMessage) {
        let now = self.start.elapsed();
        match message {
            LaneMessage::Job(job) => {
                let queue = if job.kept { &mut self.kept } else { &mut self.direct };
                queue.offer(now, job, |bytes, bytes_max| self.caller.too_large(bytes, bytes_max));
            }
            LaneMessage::Wake { feed } => {
                self.feeds.get_mut(feed).into_iter().for_each(Runner::woken);
            }
            LaneMessage::DeadLettered { feed, answers } => {
                if let Some(feed) = self.feeds.get_mut(feed) {
                    feed.dead_lettered(now, answers);
                }
            }
            LaneMessage::Halt => {
                self.direct.halt();
                self.kept.halt();
                self.feeds.iter_mut().for_each(Runner::halt);
            }
            // Taken by `run`.
            LaneMessage::Quit => {}
        }
    }

    /// Lets each source that is due make its turn. `None` when something was done; otherwise until when
    /// there is nothing to do.
    fn work(&mut self) -> Option<Option<Duration>> {
        let sources = 2 + self.feeds.len();
        let mut wait: Option<Duration> = None;
        for offset in 0..sources {
            let place = (self.turn + offset) % sources;
            let source = match place {
                0 => Source::Direct,
                1 => Source::Kept,
                feed => Source::Feed(feed - 2),
            };
            match self.step(source) {
                Step::Publish(call) => {
                    self.turn = place + 1;
                    self.make(source, &call);
                    return None;
                }
                Step::Worked => return None,
                Step::Wait { until } => {
                    wait = match (wait, until) {
                        (Some(one), Some(other)) => Some(one.min(other)),
                        (one, other) => one.or(other),
                    };
                }
            }
        }
        Some(wait)
    }

    fn step(&mut self, source: Source) -> Step {
        let now = self.start.elapsed();
        let of = |action| match action {
            Action::Publish(call) => Step::Publish(call),
            Action::Wait { until } => Step::Wait { until },
        };
        match source {
            Source::Direct => of(self.direct.poll(now)),
            Source::Kept => of(self.kept.poll(now)),
            Source::Feed(_) if self.fenced.is_some() => Step::Wait { until: None },
            Source::Feed(feed) => {
                self.feeds.get_mut(feed).map_or(Step::Wait { until: None }, |feed| feed.step(now))
            }
        }
    }

    /// Makes a call and tells everybody whose records are done with by it.
    fn make(&mut self, source: Source, call: &Call) {
        let records = match source {
            Source::Direct => self.direct.records(call),
            Source::Kept => self.kept.records(call),
            Source::Feed(feed) => self.feeds.get(feed).map(|feed| feed.records(call)).unwrap_or_default(),
        };
        let records: Vec<&Record> = records.iter().map(Arc::as_ref).collect();
        self.view.calling(&self.status(), call.timeout);
        let mut answers = match records.as_slice() {
            [record] if record.payload.len() as u64 > self.bytes_max => {
                vec![Err(self.caller.too_large(record.payload.len() as u64, self.bytes_max))]
            }
            records => self.caller.publish(records, call.attempt, call.timeout),
        };
        if answers.iter().any(Result::is_ok) {
            answers = after_flush(answers, &self.caller.flush(call.timeout));
        }
        self.caller.count(&records, &answers);
        let fatal = first_fatal(&answers).cloned();
        if let Some(refusal) = &fatal {
            self.direct.fence(refusal);
            self.kept.fence(refusal);
        }
        let now = self.start.elapsed();
        match source {
            Source::Direct => self.direct.answer(now, call, answers),
            Source::Kept => self.kept.answer(now, call, answers),
            Source::Feed(feed) => {
                if let Some(feed) = self.feeds.get_mut(feed) {
                    feed.answer(now, call, answers);
                }
            }
        }
        if let Some(refusal) = fatal {
            self.fence(&refusal);
        }
        let status = self.status();
        self.caller.count_retries(status.retries);
        self.view.called(&status);
    }

    /// Calls the publisher no more. What it has not taken is given back, or stays in its spool.
    fn fence(&mut self, refusal: &Refusal) {
        self.direct.fence(refusal);
        self.kept.fence(refusal);
        self.direct.halt();
        self.kept.halt();
        if self.feeds.iter().any(Runner::is_critical) {
            self.caller.fail(refusal);
        }
        self.fenced = Some(refusal.clone());
        self.view.failed();
    }

    /// The numbers of all sources together.
    fn status(&self) -> OutboundStatus {
        let feeds = self.feeds.iter().map(Runner::status);
        feeds.fold(self.direct.status().and(self.kept.status()), OutboundStatus::and)
    }
}

/// The answer of a publisher that can not go on. Not inlined: it has to be known by its name in
/// `ffi/tests/valgrind.supp`.
#[inline(never)]
fn first_fatal(answers: &[Answer]) -> Option<&Refusal> {
    let mut refusals = answers.iter().filter_map(|answer| answer.as_ref().err());
    refusals.find(|refusal| refusal.class == ErrorClass::Fatal)
}

/// What was configured, as far as the publisher can do it.
fn outbound_config(delivery: DeliveryConfig, traits: PublisherTraits) -> OutboundConfig {
    let DeliveryConfig { retry, breaker, batch } = delivery;
    let batch = BatchConfig {
        records_max: batch.records_max.min(traits.records_max).max(1),
        bytes_max: batch.bytes_max.min(traits.bytes_max).max(1),
        ..batch
    };
    OutboundConfig { retry, breaker, batch, ordering: traits.ordering }
}

/// Instances draw different waits, and so do processes.
fn seed(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, std::process::id(), std::time::SystemTime::now()).hash(&mut hasher);
    hasher.finish()
}
