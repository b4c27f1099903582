//! The lane of a publisher: one thread that calls it, so that a slow or hung publisher holds up nobody
//! but those who wait for its answer.
//!
//! What to publish next, when to try again and when to leave the publisher alone is decided by the
//! machines of `delivery::outbound` and `delivery::relay`; the lane has the clock, the records and the calls.
//! Records come from routes, as jobs, and from spools, through feeds; they take turns. Calls hold records of
//! as many batches as fit, and each is flushed at once: an answer of success means durable. A call that does not
//! come back in its time costs a thread, not the lane ([`Handover`]).

mod call;
mod direct;
mod feed;
mod handover;
mod view;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use mfn_plugin::value::{ErrorClass, Idempotence, Ordering, PublisherTraits};

use super::record_ref::RecordRef;
use crate::config::{BatchConfig, DeliveryConfig};
use crate::delivery::outbound::{Action, Call, Endpoint, Outbound, OutboundConfig, OutboundStatus};
use crate::delivery::{Answer, Answers, Refusal};

pub(super) use call::Caller;
use direct::Direct;
pub(super) use feed::{Feed, Waker};
use feed::{Runner, Step};
use handover::Errand;
pub(super) use handover::Handover;
pub(super) use view::LaneView;

/// What a lane is told.
pub(super) enum LaneMessage {
    /// Publish these.
    Job(LaneJob),
    /// There is something to read for a feed.
    Wake { feed: usize },
    /// The dead letters of a feed were answered.
    DeadLettered { feed: usize, answers: Vec<Answer> },
    /// A call that was given up has come back.
    Returned,
    /// The time is over: answer for everything that is not in a call, and read no more.
    Halt,
    /// Nothing more will come.
    Quit,
}

/// Records to be made durable in this order, and who is told of it.
pub(super) struct LaneJob {
    pub(super) records: Vec<RecordRef>,
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
    pub(super) handover: Arc<Handover>,
}

impl LaneHandle {
    pub(super) fn new(sender: Sender<LaneMessage>) -> Self {
        let handover = Arc::new(Handover::new(sender.clone()));
        Self { sender, view: Arc::new(LaneView::new()), handover }
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
    caller: Arc<Caller>,
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
    /// A call has not come back: nothing more is asked of the publisher before it does.
    hung: bool,
    /// Whose turn it is.
    turn: usize,
}

/// What a lane has done.
enum Turn {
    /// A call is to be made.
    Call(Source, Call),
    Done,
    /// Nothing more will come.
    Ended,
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
            hung: false,
            turn: 0,
            view: Arc::clone(&view),
            caller: Arc::new(caller),
        };
        if let Some(refusal) = fenced {
            lane.fence(&refusal);
        }
        lane
    }

    /// Takes in what has come, and works or waits until there is a call to be made, or something was done.
    fn turn(&mut self, messages: &Receiver<LaneMessage>) -> Turn {
        loop {
            match messages.try_recv() {
                Ok(LaneMessage::Quit) | Err(TryRecvError::Disconnected) => return Turn::Ended,
                Ok(message) => self.take(message),
                Err(TryRecvError::Empty) => break,
            }
        }
        let until = match self.work() {
            (Step::Wait { until }, _) => until,
            (Step::Publish(call), source) => return Turn::Call(source, call),
            (Step::Worked, _) => return Turn::Done,
        };
        self.view.show(&self.status());
        let message = match until {
            Some(until) => messages.recv_timeout(until.saturating_sub(self.start.elapsed())),
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match message {
            Ok(LaneMessage::Quit) | Err(RecvTimeoutError::Disconnected) => return Turn::Ended,
            Ok(message) => self.take(message),
            Err(RecvTimeoutError::Timeout) => {}
        }
        Turn::Done
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
            LaneMessage::Returned => {
                self.hung = false;
                self.view.called(&self.status());
            }
            LaneMessage::Halt => self.halt(),
            // Taken by `turn`.
            LaneMessage::Quit => {}
        }
    }

    /// Gives back what is not in a call, and reads no more.
    fn halt(&mut self) {
        self.direct.halt();
        self.kept.halt();
        self.feeds.iter_mut().for_each(Runner::halt);
    }

    /// Lets each source that is due make its turn: what it wants, or until when none wants anything.
    fn work(&mut self) -> (Step, Source) {
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
                Step::Wait { until } => wait = [wait, until].into_iter().flatten().min(),
                step => {
                    self.turn = if matches!(step, Step::Publish(_)) { place + 1 } else { self.turn };
                    return (step, source);
                }
            }
        }
        (Step::Wait { until: wait }, Source::Direct)
    }

    fn step(&mut self, source: Source) -> Step {
        let now = self.start.elapsed();
        let of = |action| match action {
            Action::Publish(call) => Step::Publish(call),
            Action::Wait { until } => Step::Wait { until },
        };
        match source {
            _ if self.hung => Step::Wait { until: None },
            Source::Direct => of(self.direct.poll(now)),
            Source::Kept => of(self.kept.poll(now)),
            Source::Feed(_) if self.fenced.is_some() => Step::Wait { until: None },
            Source::Feed(feed) => {
                self.feeds.get_mut(feed).map_or(Step::Wait { until: None }, |feed| feed.step(now))
            }
        }
    }

    /// What is needed to make a call; shows that it is made.
    fn errand(&self, source: Source, call: &Call) -> Errand {
        let records = match source {
            Source::Direct => self.direct.records(call),
            Source::Kept => self.kept.records(call),
            Source::Feed(feed) => self.feeds.get(feed).map(|feed| feed.records(call)).unwrap_or_default(),
        };
        self.view.calling(&self.status(), call.timeout);
        Errand { caller: Arc::clone(&self.caller), records, bytes_max: self.bytes_max }
    }

    /// Takes in the answers of a call, counts what is durable and tells everybody whose records are done with.
    fn answered(&mut self, source: Source, call: &Call, records: Vec<RecordRef>, answers: Answers) {
        self.caller.count(&records, &answers);
        // Before anybody is told: who is told drops the records, and should be the last who has them.
        drop(records);
        self.settle(source, call, answers);
        self.view.called(&self.status());
    }

    /// Gives a call up that does not come back: perhaps the publisher has the records, perhaps it will have them.
    fn hung(&mut self, source: Source, call: &Call, method: &'static str, elapsed: Duration) {
        let refusal = self.caller.overdue(method, elapsed, call.timeout);
        self.hung = true;
        self.settle(source, call, Answers::Whole(refusal));
        // The call is still shown: it is what the publisher's health is about.
        self.view.show(&self.status());
    }

    fn settle(&mut self, source: Source, call: &Call, answers: Answers) {
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
        self.caller.count_retries(self.status().retries);
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
fn first_fatal(answers: &Answers) -> Option<&Refusal> {
    answers.refusals().find(|refusal| refusal.class == ErrorClass::Fatal)
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
