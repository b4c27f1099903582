//! The events that wait for one client, within bounds, with every drop counted where it happened.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::ring::Event;

/// What happens to a client whose queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// It is disconnected. It comes back with its cursor and gets from the ring what it missed.
    Disconnect,
    /// Its oldest waiting events are dropped and a gap is announced in their place.
    DropOldest,
    /// Of its waiting events only the newest of each topic stay; gaps are announced where others were.
    /// Where even that does not fit, the oldest go.
    KeepLatest,
}

/// The bounds of a queue. An event never has more than `bytes_max` bytes.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// The most events.
    pub events_max: usize,
    /// The most bytes of their texts.
    pub bytes_max: usize,
    /// What to do above.
    pub overflow: Overflow,
}

/// What a client gets next.
#[derive(Debug)]
pub enum Item {
    /// An event.
    Event(Arc<Event>),
    /// Dropped events that stood here.
    Gap {
        /// How many.
        count: u64,
        /// The sequence number of the last of them.
        last: u64,
    },
}

/// What became of an event that was offered.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer {
    /// It waits, and this many others were dropped for it.
    Taken {
        /// Dropped events.
        dropped: u64,
    },
    /// It does not fit and the client has to go.
    Overflowed,
}

/// A bounded queue. At most one gap stands between two events, so gaps are bounded as well.
#[derive(Debug)]
pub struct Queue {
    items: VecDeque<Item>,
    events: usize,
    bytes: usize,
    limits: QueueLimits,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: QueueLimits) -> Self {
        Self { items: VecDeque::new(), events: 0, bytes: 0, limits }
    }

    /// Puts an event at the end, making room by the rule.
    pub fn offer(&mut self, event: &Arc<Event>) -> Offer {
        let mut dropped = 0;
        if !self.has_room(event) {
            match self.limits.overflow {
                Overflow::Disconnect => return Offer::Overflowed,
                Overflow::DropOldest => {}
                Overflow::KeepLatest => dropped += self.keep_latest(&event.topic),
            }
        }
        while !self.has_room(event) && self.drop_oldest() {
            dropped += 1;
        }
        self.events += 1;
        self.bytes += event.frame.len();
        self.items.push_back(Item::Event(Arc::clone(event)));
        Offer::Taken { dropped }
    }

    /// Takes the next item.
    pub fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        if let Item::Event(event) = &item {
            self.forget(event);
        }
        Some(item)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The sequence numbers of the waiting events.
    pub fn sequences(&self) -> impl Iterator<Item = u64> {
        self.items.iter().filter_map(|item| match item {
            Item::Event(event) => Some(event.sequence),
            Item::Gap { .. } => None,
        })
    }

    fn has_room(&self, event: &Event) -> bool {
        self.events < self.limits.events_max
            && self.bytes.saturating_add(event.frame.len()) <= self.limits.bytes_max
    }

    fn forget(&mut self, event: &Event) {
        self.events -= 1;
        self.bytes -= event.frame.len();
    }

    /// Makes a gap of the first event, together with the gaps around it.
    fn drop_oldest(&mut self) -> bool {
        let (mut count, mut last, mut found) = (0, 0, false);
        while let Some(item) = self.items.pop_front() {
            match item {
                Item::Gap { count: more, last: end } => (count, last) = (count + more, end),
                Item::Event(event) if !found => {
                    self.forget(&event);
                    (count, last, found) = (count + 1, event.sequence, true);
                }
                Item::Event(event) => {
                    self.items.push_front(Item::Event(event));
                    break;
                }
            }
        }
        if count > 0 {
            self.items.push_front(Item::Gap { count, last });
        }
        found
    }

    /// Makes gaps of all events that a newer one of their topic follows; `coming` is about to.
    fn keep_latest(&mut self, coming: &str) -> u64 {
        let mut newer: HashSet<Box<str>> = HashSet::from([coming.into()]);
        let mut kept: VecDeque<Item> = VecDeque::new();
        let mut dropped = 0;
        while let Some(item) = self.items.pop_back() {
            let (count, last) = match item {
                Item::Event(event) if newer.insert(event.topic.clone()) => {
                    kept.push_front(Item::Event(event));
                    continue;
                }
                Item::Event(event) => {
                    self.forget(&event);
                    dropped += 1;
                    (1, event.sequence)
                }
                Item::Gap { count, last } => (count, last),
            };
            match kept.front_mut() {
                Some(Item::Gap { count: later, .. }) => *later += count,
                _ => kept.push_front(Item::Gap { count, last }),
            }
        }
        self.items = kept;
        dropped
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn event(sequence: u64, topic: &str, length: usize) -> Arc<Event> {
        Arc::new(Event { sequence, topic: topic.into(), frame: Bytes::from(vec![0; length]) })
    }

    fn queue(overflow: Overflow) -> Queue {
        Queue::new(QueueLimits { events_max: 3, bytes_max: 100, overflow })
    }

    fn drained(queue: &mut Queue) -> String {
        let mut text = Vec::new();
        while let Some(item) = queue.pop() {
            text.push(match item {
                Item::Event(event) => event.sequence.to_string(),
                Item::Gap { count, last } => format!("gap({count},{last})"),
            });
        }
        text.join(" ")
    }

    /// Guards the default: the queue takes what fits and then gives the client up, by count and by bytes.
    #[test]
    fn disconnect_refuses_above_either_bound() {
        let mut by_count = queue(Overflow::Disconnect);
        for sequence in 1..=3 {
            assert_eq!(by_count.offer(&event(sequence, "a", 1)), Offer::Taken { dropped: 0 });
        }
        assert_eq!(by_count.offer(&event(4, "a", 1)), Offer::Overflowed);
        let mut by_bytes = queue(Overflow::Disconnect);
        by_bytes.offer(&event(1, "a", 60));
        assert_eq!(by_bytes.offer(&event(2, "a", 41)), Offer::Overflowed);
        assert_eq!(by_bytes.offer(&event(2, "a", 40)), Offer::Taken { dropped: 0 });
    }

    /// Guards that the gap stands before what remains and counts every dropped event once.
    #[test]
    fn drop_oldest_leaves_one_exact_gap() {
        let mut queue = queue(Overflow::DropOldest);
        for sequence in 1..=10 {
            queue.offer(&event(sequence, "a", 1));
        }
        assert_eq!(queue.offer(&event(11, "b", 99)), Offer::Taken { dropped: 2 });
        assert_eq!(drained(&mut queue), "gap(9,9) 10 11");
        assert_eq!((queue.events, queue.bytes), (0, 0));
    }

    /// Guards that only superseded events go, and that each gap stands where its events stood.
    #[test]
    fn keep_latest_keeps_the_newest_of_each_topic() {
        let mut queue = queue(Overflow::KeepLatest);
        for (sequence, topic) in [(1, "a"), (2, "b"), (3, "a")] {
            queue.offer(&event(sequence, topic, 1));
        }
        assert_eq!(queue.offer(&event(4, "a", 1)), Offer::Taken { dropped: 2 });
        queue.offer(&event(5, "a", 1));
        assert_eq!(queue.offer(&event(6, "c", 1)), Offer::Taken { dropped: 1 });
        assert_eq!(drained(&mut queue), "gap(1,1) 2 gap(2,4) 5 6");
    }

    /// Guards the fallback: more topics than room drops the oldest rather than growing.
    #[test]
    fn keep_latest_stays_within_its_bounds() {
        let mut queue = queue(Overflow::KeepLatest);
        for sequence in 1..=50 {
            queue.offer(&event(sequence, &format!("topic-{sequence}"), 1));
        }
        assert_eq!(drained(&mut queue), "gap(47,47) 48 49 50");
    }
}
