//! The newest events, kept for clients that come back.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

/// An event as it is kept and sent.
#[derive(Debug)]
pub struct Event {
    /// Its place among all events of the epoch, from 1.
    pub sequence: u64,
    /// Its topic.
    pub topic: Box<str>,
    /// The text that goes to clients.
    pub frame: Bytes,
}

/// The bounds of a ring.
#[derive(Debug, Clone, Copy)]
pub struct RingLimits {
    /// The most events.
    pub events_max: usize,
    /// The most bytes of their texts.
    pub bytes_max: usize,
}

/// A bounded queue of events with consecutive sequence numbers.
#[derive(Debug)]
pub struct Ring {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    limits: RingLimits,
    head: u64,
}

impl Ring {
    /// An empty ring.
    #[must_use]
    pub fn new(limits: RingLimits) -> Self {
        Self { events: VecDeque::new(), bytes: 0, limits, head: 0 }
    }

    /// The sequence number of the newest event; 0 before the first.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The sequence number of the oldest event that is kept; `head() + 1` where none is.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.head + 1 - self.events.len() as u64
    }

    /// Keeps an event and gives those that had to go for it, oldest first. Its number must be the next.
    pub fn push(&mut self, event: Arc<Event>) -> Vec<Arc<Event>> {
        debug_assert_eq!(event.sequence, self.head + 1, "sequence numbers are consecutive");
        self.head = event.sequence;
        self.bytes += event.frame.len();
        self.events.push_back(event);
        let mut evicted = Vec::new();
        while self.events.len() > self.limits.events_max || self.bytes > self.limits.bytes_max {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.frame.len();
            evicted.push(oldest);
        }
        evicted
    }

    /// The events that are kept from `sequence` on, in order.
    pub fn from(&self, sequence: u64) -> impl Iterator<Item = &Arc<Event>> {
        let skip = usize::try_from(sequence.saturating_sub(self.oldest())).unwrap_or(usize::MAX);
        self.events.range(skip.min(self.events.len())..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: u64, length: usize) -> Arc<Event> {
        Arc::new(Event { sequence, topic: "t".into(), frame: Bytes::from(vec![0; length]) })
    }

    /// Guards both bounds and the arithmetic of what is kept.
    #[test]
    fn the_oldest_make_room() {
        let mut ring = Ring::new(RingLimits { events_max: 3, bytes_max: 100 });
        assert_eq!((ring.head(), ring.oldest()), (0, 1));
        for sequence in 1..=5 {
            ring.push(event(sequence, 10));
        }
        assert_eq!((ring.head(), ring.oldest()), (5, 3));
        let evicted: Vec<_> = ring.push(event(6, 85)).iter().map(|event| event.sequence).collect();
        assert_eq!(evicted, [3, 4], "one for the count, one for the bytes");
        let kept = |from| ring.from(from).map(|event| event.sequence).collect::<Vec<_>>();
        assert_eq!(kept(0), [5, 6]);
        assert_eq!(kept(6), [6]);
        assert_eq!(kept(7), [] as [u64; 0]);
        assert_eq!(kept(u64::MAX), [] as [u64; 0]);
    }
}
