//! Records that a lane reads from a spool: the cursor of one publisher of one route.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mfn_plugin::value::{Ordering as Order, PublisherTraits};

use super::direct::key_hash;
use super::{LaneHandle, LaneJob, LaneMessage, LaneView};
use crate::delivery::outbound::{Call, Endpoint, Item, ItemId, OutboundConfig, OutboundStatus};
use crate::delivery::relay::{Relay, RelayAction, RelayLimits};
use crate::delivery::{Answer, Answers, Fate};
use crate::pipeline::record_ref::RecordRef;
use crate::pipeline::spooling::SpoolHub;
use crate::pipeline::work;
use crate::spool::Cursor;

/// The most records that are read together.
const READ_RECORDS: usize = 1000;
/// How far a feed reads ahead of its cursor, at least, records.
const AHEAD_RECORDS: usize = 10_000;
/// How long to wait before a disk that could not be read is asked again.
const READ_PAUSE: Duration = Duration::from_secs(1);

/// What a feed reads, and for whom.
pub(in crate::pipeline) struct Feed {
    pub(in crate::pipeline) hub: Arc<SpoolHub>,
    /// The publisher's place among those that must have a record; `None` when nobody waits for it.
    pub(in crate::pipeline) critical: Option<usize>,
    /// Shared with the spool's writer, which moves it on when nobody waits for the publisher and the spool is
    /// full.
    pub(in crate::pipeline) cursor: Arc<Mutex<Cursor>>,
    pub(in crate::pipeline) dead_letters: Option<LaneHandle>,
    /// Memory for what was read and is not delivered.
    pub(in crate::pipeline) bytes_max: u64,
}

/// Wakes a feed when there is something to read.
#[derive(Clone)]
pub(in crate::pipeline) struct Waker {
    pub(in crate::pipeline) feed: usize,
    pub(in crate::pipeline) lane: Sender<LaneMessage>,
    pub(in crate::pipeline) woken: Arc<AtomicBool>,
}

impl Waker {
    pub(in crate::pipeline) fn wake(&self) {
        // One message is enough, however often it is called.
        if !self.woken.swap(true, Ordering::AcqRel) {
            let _ = self.lane.send(LaneMessage::Wake { feed: self.feed });
        }
    }
}

/// What a feed wants.
pub(super) enum Step {
    Publish(Call),
    /// Something was done that may allow more.
    Worked,
    Wait {
        until: Option<Duration>,
    },
}

/// A feed at work.
pub(super) struct Runner {
    feed: Feed,
    waker: Waker,
    relay: Relay,
    traits: PublisherTraits,
    view: Arc<LaneView>,
    /// Read and without a fate, by position.
    records: BTreeMap<u64, RecordRef>,
    /// The position after the last record read, to notice what the log has lost.
    read_until: u64,
    may_have_more: bool,
    read_again_at: Duration,
}

impl Runner {
    pub(super) fn new(
        feed: Feed,
        waker: Waker,
        config: OutboundConfig,
        endpoint: Endpoint,
        seed: u64,
        traits: PublisherTraits,
        view: Arc<LaneView>,
    ) -> Self {
        let committed = feed.cursor.lock().unwrap_or_else(PoisonError::into_inner).committed();
        let records_max = AHEAD_RECORDS.max(2 * config.batch.records_max as usize);
        let limits = RelayLimits { records_max, bytes_max: feed.bytes_max };
        let has_dead_letters = feed.dead_letters.is_some() && feed.critical.is_some();
        Self {
            relay: Relay::new(config, endpoint, seed, committed, limits, has_dead_letters),
            feed,
            waker,
            traits,
            view,
            records: BTreeMap::new(),
            read_until: committed,
            may_have_more: true,
            read_again_at: Duration::ZERO,
        }
    }

    pub(super) fn status(&self) -> OutboundStatus {
        self.relay.status()
    }

    pub(super) fn woken(&mut self) {
        self.waker.woken.store(false, Ordering::Release);
        self.may_have_more = true;
    }

    pub(super) fn is_critical(&self) -> bool {
        self.feed.critical.is_some()
    }

    pub(super) fn halt(&mut self) {
        self.relay.halt();
    }

    /// Reads, commits and sends dead letters, until a call is to be made or there is nothing to do.
    pub(super) fn step(&mut self, now: Duration) -> Step {
        self.read(now);
        match self.relay.poll(now) {
            RelayAction::Publish(call) => Step::Publish(call),
            RelayAction::Commit { next } => {
                self.commit(next);
                Step::Worked
            }
            RelayAction::DeadLetter { records } => {
                self.dead_letter(&records);
                Step::Worked
            }
            RelayAction::Wait { until } => {
                let again = Some(self.read_again_at).filter(|&at| self.may_have_more && at > now);
                let until = match (until, again) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
                Step::Wait { until }
            }
        }
    }

    fn read(&mut self, now: Duration) {
        if !self.may_have_more || self.read_again_at > now {
            return;
        }
        let Some((_, records_max, bytes_max)) = self.relay.room() else { return };
        let mut cursor = self.feed.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let read = cursor.read(records_max.min(READ_RECORDS), bytes_max);
        drop(cursor);
        match read {
            Ok(records) => {
                self.may_have_more = !records.is_empty();
                self.view.offered(records.len());
                for (position, record) in records {
                    if let Some(critical) = self.feed.critical {
                        self.feed.hub.ledger.lost(critical, self.read_until..position);
                    }
                    self.read_until = self.read_until.max(position + 1);
                    let bytes = record.payload.len() as u64;
                    let key = if self.traits.ordering == Order::Key { key_hash(&record) } else { None };
                    self.records.insert(position, RecordRef::new(record));
                    self.relay.read(now, [Item { id: ItemId(position), key, bytes }]);
                }
            }
            Err(error) => {
                self.feed.hub.note(&error);
                self.read_again_at = now + READ_PAUSE;
            }
        }
    }

    fn commit(&mut self, next: u64) {
        let cursor = self.feed.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        // Only refused for what was not read, which a relay never says.
        let committed = cursor.commit(next);
        drop(cursor);
        if let Err(error) = committed {
            self.feed.hub.note(&error);
        }
        if let Some(critical) = self.feed.critical {
            self.feed.hub.moved(critical, next);
        }
    }

    fn dead_letter(&self, records: &[(u64, String)]) {
        let Some(lane) = &self.feed.dead_letters else { return };
        let route = &self.feed.hub.route;
        let letter = |(position, reason): &(u64, String)| {
            Some(RecordRef::new(work::dead_letter(self.records.get(position)?, route, reason)))
        };
        let (feed, own) = (self.waker.feed, self.waker.lane.clone());
        let answer = Box::new(move |answers| {
            let _ = own.send(LaneMessage::DeadLettered { feed, answers });
        });
        lane.send(LaneJob { records: records.iter().filter_map(letter).collect(), kept: false, answer });
    }

    /// The records of a call, in its order.
    pub(super) fn records(&self, call: &Call) -> Vec<RecordRef> {
        call.items.iter().filter_map(|item| self.records.get(&item.0).cloned()).collect()
    }

    pub(super) fn answer(&mut self, now: Duration, call: &Call, answers: Answers) {
        let fates = self.relay.answer(now, call.id, answers);
        self.decided(fates);
    }

    pub(super) fn dead_lettered(&mut self, now: Duration, answers: Vec<Answer>) {
        let fates = self.relay.dead_lettered(now, answers);
        self.decided(fates);
    }

    fn decided(&mut self, fates: Vec<(u64, Fate)>) {
        self.view.resolved(fates.len());
        for (position, fate) in fates {
            self.records.remove(&position);
            match (self.feed.critical, fate) {
                (Some(critical), Fate::DeadLettered { .. }) => {
                    self.feed.hub.ledger.unfit(critical, position, true)
                }
                (Some(critical), Fate::Rejected { reason }) => {
                    self.feed.hub.rejected(position, &reason);
                    self.feed.hub.ledger.unfit(critical, position, false);
                }
                (None, Fate::Rejected { .. }) => self.view.dropped(1),
                _ => {}
            }
        }
    }
}
