//! One connected client: what it wants, where it stands, and what waits for it.
//!
//! A client that comes back first catches up: it reads the ring at its own pace, so a long absence
//! does not have to fit its queue. When it reaches the newest event it goes live and events
//! are queued for it as they come.

use std::{collections::BTreeSet, sync::Arc, task::Waker};

use bytes::{Bytes, BytesMut};
use mfn_listener::Connection;
use mfn_plugin::value::Cursor;

use crate::{
    frame,
    queue::{Item, Offer, Overflow, Queue, QueueLimits},
    ring::{Event, Ring},
};

/// How many bytes one draw puts together before it writes; larger single events go alone.
const CHUNK_BYTES: usize = 32 * 1024;

/// How many kept events one draw looks at, so that the lock is held briefly.
const SCAN_EVENTS: usize = 1_024;

/// Which topics a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Every one.
    All,
    /// These.
    Topics(BTreeSet<String>),
}

impl Filter {
    /// Whether an event of `topic` is for the client.
    #[must_use]
    pub fn wants(&self, topic: &str) -> bool {
        match self {
            Self::All => true,
            Self::Topics(topics) => topics.contains(topic),
        }
    }
}

/// What happened to a client when an event was published.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Events that it will not get; it is told so.
    pub dropped: u64,
    /// Whether it has to be disconnected.
    pub overflowed: bool,
}

/// What a draw gives.
#[derive(Debug)]
pub enum Draw {
    /// Text to send.
    Text(Bytes),
    /// Nothing yet, but there is more of the ring to look at.
    More,
    /// Nothing waits.
    Empty,
}

/// A client, within the hub's lock.
#[derive(Debug)]
pub struct Client {
    filter: Filter,
    limits: QueueLimits,
    queue: Queue,
    /// The next sequence number to read from the ring; `None` when live.
    catching_up: Option<u64>,
    /// Events that left the ring before a client that catches up got them, and the last of them.
    missed: (u64, u64),
    /// Everything up to here was sent, announced as dropped, or is not of its topics.
    standing: u64,
    /// Whom to wake when there is something to draw.
    pub waker: Option<Waker>,
    /// Whether it was disconnected.
    pub is_cut: bool,
    /// Its connection.
    pub connection: Connection,
}

impl Client {
    /// A client that has everything up to `standing`.
    #[must_use]
    pub fn new(filter: Filter, limits: QueueLimits, standing: u64, connection: Connection) -> Self {
        Self {
            filter,
            limits,
            queue: Queue::new(limits),
            catching_up: Some(standing + 1),
            missed: (0, standing),
            standing,
            waker: None,
            is_cut: false,
            connection,
        }
    }

    /// Offers it the event that was just put into the ring, in exchange for `evicted`.
    pub fn offer(&mut self, event: &Arc<Event>, evicted: &[Arc<Event>]) -> Effect {
        let Some(next) = self.catching_up else {
            if !self.filter.wants(&event.topic) {
                return Effect::default();
            }
            return match self.queue.offer(event) {
                Offer::Taken { dropped } => Effect { dropped, overflowed: false },
                Offer::Overflowed => Effect { dropped: 0, overflowed: true },
            };
        };
        let mut effect = Effect::default();
        for gone in evicted.iter().filter(|gone| gone.sequence >= next) {
            self.catching_up = Some(gone.sequence + 1);
            if !self.filter.wants(&gone.topic) {
                continue;
            }
            if self.limits.overflow == Overflow::Disconnect {
                return Effect { dropped: 0, overflowed: true };
            }
            self.missed = (self.missed.0 + 1, gone.sequence);
            effect.dropped += 1;
        }
        effect
    }

    /// Takes what is to be sent next, at most about 32 KiB or one larger event.
    pub fn draw(&mut self, ring: &Ring, epoch: &str) -> Draw {
        let mut text = Text { bytes: BytesMut::new(), whole: None, epoch };
        if let Some(next) = self.catching_up {
            self.draw_from_ring(next, ring, &mut text);
        }
        if self.catching_up.is_none() {
            while text.has_room()
                && let Some(item) = self.queue.pop()
            {
                self.standing = match &item {
                    Item::Event(event) => event.sequence,
                    Item::Gap { last, .. } => *last,
                };
                text.add(item);
            }
            if self.queue.is_empty() {
                self.standing = ring.head();
            }
        }
        match text.finish() {
            Some(bytes) => Draw::Text(bytes),
            None if self.catching_up.is_some() => Draw::More,
            None => Draw::Empty,
        }
    }

    fn draw_from_ring(&mut self, next: u64, ring: &Ring, text: &mut Text<'_>) {
        if let (count @ 1.., last) = self.missed {
            text.add(Item::Gap { count, last });
            self.missed.0 = 0;
        }
        let mut next = next;
        for event in ring.from(next).take(SCAN_EVENTS) {
            if !text.has_room() {
                break;
            }
            if self.filter.wants(&event.topic) {
                text.add(Item::Event(Arc::clone(event)));
            }
            next = event.sequence + 1;
        }
        self.standing = next - 1;
        self.catching_up = (next <= ring.head()).then_some(next);
    }

    /// Up to which event it has everything.
    #[must_use]
    pub fn standing(&self) -> u64 {
        self.standing
    }

    /// The sequence numbers of events that are still to be drawn.
    pub fn waiting<'a>(&'a self, ring: &'a Ring) -> Box<dyn Iterator<Item = u64> + 'a> {
        match self.catching_up {
            Some(next) => {
                let wanted = ring.from(next).filter(|event| self.filter.wants(&event.topic));
                Box::new(wanted.map(|event| event.sequence))
            }
            None => Box::new(self.queue.sequences()),
        }
    }
}

/// Text that is being put together. A large event is passed on as it is, without a copy.
struct Text<'a> {
    bytes: BytesMut,
    whole: Option<Bytes>,
    epoch: &'a str,
}

impl Text<'_> {
    fn has_room(&self) -> bool {
        self.whole.is_none() && self.bytes.len() < CHUNK_BYTES
    }

    fn add(&mut self, item: Item) {
        match item {
            Item::Event(event) if self.bytes.is_empty() && event.frame.len() >= CHUNK_BYTES => {
                self.whole = Some(event.frame.clone());
            }
            Item::Event(event) => self.bytes.extend_from_slice(&event.frame),
            Item::Gap { count, last } => {
                let last = Cursor { epoch: self.epoch.to_owned(), sequence: last };
                self.bytes.extend_from_slice(frame::gap(count, &last).as_bytes());
            }
        }
    }

    fn finish(self) -> Option<Bytes> {
        self.whole.or_else(|| (!self.bytes.is_empty()).then(|| self.bytes.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::RingLimits;

    /// Guards the bound on one draw and the cursor meanwhile: a client that looks through many events of
    /// other topics stands exactly behind what it has looked at, so a heartbeat in between is true.
    #[test]
    fn a_long_search_is_cut_and_the_cursor_keeps_up() {
        let mut ring = Ring::new(RingLimits { events_max: 5_000, bytes_max: 1 << 20 });
        for sequence in 1..=2_500 {
            let topic = if sequence == 2_500 { "wanted" } else { "other" };
            let frame = Bytes::from_static(b"x");
            ring.push(Arc::new(Event { sequence, topic: topic.into(), frame }));
        }
        let limits = QueueLimits { events_max: 1, bytes_max: 100, overflow: Overflow::Disconnect };
        let filter = Filter::Topics(BTreeSet::from(["wanted".to_owned()]));
        let mut client = Client::new(filter, limits, 0, Connection::default());
        for standing in [1_024, 2_048] {
            assert!(matches!(client.draw(&ring, "e"), Draw::More));
            assert_eq!(client.standing(), standing);
        }
        assert_eq!(client.waiting(&ring).collect::<Vec<_>>(), [2_500]);
        assert!(matches!(client.draw(&ring, "e"), Draw::Text(_)));
        assert_eq!(client.standing(), 2_500);
        assert!(matches!(client.draw(&ring, "e"), Draw::Empty));
    }
}
