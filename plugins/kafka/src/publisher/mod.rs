//! The Kafka publisher: each record is answered by its own delivery report.
//!
//! A record is delivered when all replicas in sync have it. The producer is idempotent, so librdkafka's own retries
//! neither double nor reorder. Messages never expire in librdkafka: a record that is not answered in time is told
//! to be unknown, and when it comes again it waits for the first copy instead of being sent a second time. That
//! keeps the order within a partition, and within a session there is one copy of each record.

pub(crate) mod config;
mod message;
mod poller;
mod report;
mod session;
mod transaction;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use config::{PublisherConfig, Settings};
use message::Message;
use mfn_plugin::{
    author::{Component, Publisher, Result},
    host::Host,
    value::{
        Drained, ErrorClass, Health, HealthState, Idempotence, Ordering, PluginError, PublishContext,
        PublisherTraits, RecordResult, RecordView,
    },
};
use report::Reports;
use session::Session;
use transaction::Transactions;

use crate::{connector::shelf::deadline_in, observer::Observer, probe};

/// More in a call would not be faster: what it holds no longer fits the caches.
const RECORDS_MAX: u32 = 3000;
const BYTES_MAX: u64 = 16 << 20;
/// How long `open` waits until a transactional id is taken over.
const TAKE_OVER_TIMEOUT: Duration = Duration::from_secs(10);
/// How many records that were answered as unknown are remembered.
const UNANSWERED_MAX: usize = 100_000;

/// Writes records to topics. See [`PublisherConfig`].
pub struct KafkaPublisher {
    settings: Settings,
    observer: Arc<Observer>,
    session: Option<Session>,
    transactions: Option<Transactions>,
    /// Records that were answered as unknown, by id: where their report is or will be.
    unanswered: HashMap<String, (Arc<Reports>, usize)>,
    is_open: bool,
}

impl std::fmt::Debug for KafkaPublisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaPublisher").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A record of a call that was not sent with it.
enum Apart {
    Answered(RecordResult),
    /// The report of an earlier call will say.
    Earlier(Arc<Reports>, usize),
}

impl KafkaPublisher {
    /// Whether a producer with newer secrets should take over: not while this one works and may still confirm what was
    /// answered as unknown.
    fn is_outdated(&self, is_uncertain: bool) -> bool {
        let is_open = |(reports, index): &(Arc<Reports>, usize)| reports.outcome(*index).is_none();
        self.session.as_ref().is_some_and(|session| session.is_outdated(&self.settings))
            && (self.observer.current_trouble().is_some()
                || !(is_uncertain || self.unanswered.values().any(is_open)))
    }

    /// Makes a producer where there is none, where it has ended or where its secrets have been replaced. `is_uncertain`:
    /// it may have committed a transaction.
    fn session(&mut self, deadline: Instant, is_uncertain: bool) -> Result<()> {
        if let Some(ended) = self.session.as_ref().and_then(Session::fatal) {
            if ended.class == ErrorClass::Fatal {
                return Err(ended);
            }
            tracing::warn!("{}; a new one takes over", ended.message);
            self.end_session();
        }
        if self.is_outdated(is_uncertain) {
            tracing::info!("a secret has a new value; a new producer takes over");
            self.end_session();
        }
        if self.session.is_none() {
            self.session = Some(Session::begin(&self.settings, &self.observer, deadline)?);
        }
        Ok(())
    }

    /// Ends the producer. What it has not reported by then is not awaited any more: it is sent again when it comes again.
    fn end_session(&mut self) {
        self.session = None;
        self.unanswered.retain(|_, (reports, index)| reports.outcome(*index).is_some());
    }

    /// Sends records and waits for their reports.
    fn publish_plainly(
        &mut self,
        records: &[RecordView<'_>],
        deadline: Instant,
    ) -> Result<Vec<RecordResult>> {
        self.session(deadline, false)?;
        let Some(session) = &self.session else { return Err(no_producer()) };
        let reports = session.open(records.len());
        // By place, ascending. All others were sent one after another, and their reports are in the same order.
        let mut apart: Vec<(usize, Apart)> = Vec::new();
        let mut held_up: Vec<HeldUp<'_>> = Vec::new();
        for (place, record) in records.iter().enumerate() {
            // There is seldom one, and a look would cost the hash of the id.
            let earlier = if self.unanswered.is_empty() { None } else { self.unanswered.remove(record.id) };
            let kept_apart = match earlier {
                Some((earlier, index)) if !matches!(earlier.outcome(index), Some(Err(_))) => {
                    Some(Apart::Earlier(earlier, index))
                }
                _ => send_in_order(session, &self.settings, record, &reports, &mut held_up)
                    .err()
                    .map(|error| Apart::Answered(Err(error))),
            };
            apart.extend(kept_apart.map(|kept| (place, kept)));
        }
        reports.close();
        session.wait(&reports, deadline);
        for (_, kept) in &apart {
            if let Apart::Earlier(earlier, _) = kept {
                // Once the deadline is over this only looks.
                session.wait(earlier, deadline);
            }
        }
        let mut answers = Vec::with_capacity(records.len());
        let mut apart = apart.into_iter().peekable();
        let mut sent = 0..;
        for (place, record) in records.iter().enumerate() {
            let (reports, index) = match apart.next_if(|(kept, _)| *kept == place) {
                Some((_, Apart::Answered(answer))) => {
                    answers.push(answer);
                    continue;
                }
                Some((_, Apart::Earlier(earlier, index))) => (earlier, index),
                None => (Arc::clone(&reports), sent.next().unwrap_or_default()),
            };
            answers.push(match reports.outcome(index) {
                Some(Ok(())) => Ok(()),
                Some(Err(code)) => {
                    let topic = self.settings.topic.as_deref().unwrap_or_default();
                    Err(session.refusal(topic, record.payload.len(), code))
                }
                None => {
                    self.unanswered.insert(record.id.to_owned(), (reports, index));
                    Err(self.no_report())
                }
            });
        }
        self.forget_answered();
        Ok(answers)
    }

    /// Publishes records in one transaction.
    fn publish_transacted(
        &mut self,
        transactions: &mut Transactions,
        records: &[RecordView<'_>],
        deadline: Instant,
    ) -> Result<Vec<RecordResult>> {
        self.session(deadline, transactions.is_uncertain())?;
        let Some(session) = &self.session else { return Err(no_producer()) };
        transactions.publish(session, &self.settings, records, deadline)
    }

    fn no_report(&self) -> PluginError {
        let trouble = self.observer.current_trouble().map(|error| error.message);
        let why = trouble.map(|text| format!(": {text}")).unwrap_or_default();
        PluginError::new(ErrorClass::Unknown, format!("no broker has confirmed the record in time{why}"))
    }

    /// Bounds the memory of records that were answered as unknown and never came again.
    fn forget_answered(&mut self) {
        if self.unanswered.len() > UNANSWERED_MAX {
            self.unanswered.retain(|_, (reports, index)| reports.outcome(*index).is_none());
        }
    }
}

fn no_producer() -> PluginError {
    PluginError::retryable("there is no producer")
}

/// What is not to be sent in the rest of a call, because something before it was refused for the moment.
struct HeldUp<'a> {
    /// The topic, or all.
    topic: Option<&'a str>,
    error: PluginError,
}

/// Hands one record to librdkafka unless that would let it overtake one that was refused.
fn send_in_order<'a>(
    session: &Session,
    settings: &'a Settings,
    record: &RecordView<'a>,
    reports: &Reports,
    held_up: &mut Vec<HeldUp<'a>>,
) -> Result<()> {
    let message = Message::of_record(settings, record)?;
    let topic = message.topic;
    if let Some(held) = held_up.iter().find(|held| held.topic.is_none_or(|held| held == topic)) {
        return Err(held.error.clone());
    }
    let Err(error) = session.send(message, reports) else { return Ok(()) };
    if error.class != ErrorClass::Permanent {
        let topic = (error.class != ErrorClass::Throttled).then_some(topic);
        held_up.push(HeldUp { topic, error: error.clone() });
    }
    Err(error)
}

/// Hands one record to librdkafka. Says where its report will be.
fn send(session: &Session, settings: &Settings, record: &RecordView<'_>, reports: &Reports) -> Result<usize> {
    Message::of_record(settings, record).and_then(|message| session.send(message, reports))
}

impl Component for KafkaPublisher {
    type Config = PublisherConfig;

    fn create(config: PublisherConfig, host: Host) -> Result<Self> {
        let settings = Settings::new(config, &host)?;
        Ok(Self {
            transactions: settings.transactional_id.is_some().then(Transactions::default),
            settings,
            observer: Arc::new(Observer::new(host)),
            session: None,
            unanswered: HashMap::new(),
            is_open: false,
        })
    }

    /// Makes the producer. With transactions it takes the id over at once: what a predecessor that was killed has left
    /// open would hold up the readers of its offsets, our own connector among them. Where no broker answers in time
    /// that is done with the first records instead.
    fn open(&mut self) -> Result<()> {
        self.is_open = true;
        if let Some(mut transactions) = self.transactions.take() {
            let deadline = deadline_in(TAKE_OVER_TIMEOUT);
            let prepared = self.session(deadline, false).and_then(|()| match &self.session {
                Some(session) => transactions.prepare(session, deadline),
                None => Err(no_producer()),
            });
            self.transactions = Some(transactions);
            if let Err(error) = prepared {
                if matches!(error.class, ErrorClass::Permanent | ErrorClass::Fatal) {
                    return Err(error);
                }
                self.observer.trouble(error);
            }
        }
        Ok(())
    }

    fn health(&self) -> Health {
        if self.is_open { self.observer.health() } else { Health::new(HealthState::Starting, "") }
    }

    fn check(&mut self) -> Result<()> {
        probe::run(&self.settings.probe_options, self.settings.topic.as_deref())
    }

    fn drain(&mut self, timeout: Duration) -> Result<Drained> {
        let deadline = deadline_in(timeout);
        let session = self.session.as_ref();
        self.unanswered.retain(|_, (reports, index)| {
            session.inspect(|session| {
                session.wait(reports, deadline);
            });
            reports.outcome(*index).is_none()
        });
        let uncertain = self.transactions.as_ref().is_some_and(Transactions::is_uncertain);
        Ok(Drained { records_left: self.unanswered.len() as u64 + u64::from(uncertain) })
    }

    /// What no broker has confirmed is dropped: its record was not answered with success.
    fn close(&mut self) -> Result<()> {
        self.is_open = false;
        self.session = None;
        self.unanswered.clear();
        Ok(())
    }
}

impl Publisher for KafkaPublisher {
    fn traits(&self) -> PublisherTraits {
        let is_transactional = self.settings.transactional_id.is_some();
        PublisherTraits {
            records_max: RECORDS_MAX,
            bytes_max: BYTES_MAX,
            // A transaction's offsets may not pass a record that is still on its way.
            ordering: if is_transactional { Ordering::All } else { Ordering::Key },
            idempotence: Idempotence::Key,
        }
    }

    fn publish(&mut self, records: &[RecordView<'_>], context: PublishContext) -> Result<Vec<RecordResult>> {
        if !self.is_open {
            return Err(PluginError::permanent("the publisher is not open; call open first"));
        }
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = deadline_in(context.timeout);
        let answers = match self.transactions.take() {
            None => self.publish_plainly(records, deadline),
            Some(mut transactions) => {
                // Taken out so that it and the rest of the publisher can be borrowed apart.
                let answers = self.publish_transacted(&mut transactions, records, deadline);
                self.transactions = Some(transactions);
                answers
            }
        };
        match &answers {
            Ok(answers) => match answers.iter().find_map(|answer| answer.as_ref().err()) {
                None => self.observer.well(),
                Some(error) if error.class == ErrorClass::Permanent => {}
                Some(error) => self.observer.call_failed(error.clone()),
            },
            Err(error) => self.observer.call_failed(error.clone()),
        }
        answers
    }

    /// A record that was answered with success is durable already.
    fn flush(&mut self, _: Duration) -> Result<()> {
        Ok(())
    }
}
