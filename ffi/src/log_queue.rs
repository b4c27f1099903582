//! The queue of log records that a host polls: bounded, and what it had no room for is counted. Whether a host that waits
//! is always woken, and whether each record is either given or counted, is decided here, so core/interleavings runs
//! exactly this file through every order of its steps.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex};

/// Entries in the order of their arrival. Any thread may put them in and take them out.
pub(crate) struct LogQueue<E> {
    state: Mutex<State<E>>,
    arrived: Condvar,
    entries_max: usize,
}

struct State<E> {
    entries: VecDeque<E>,
    dropped: u64,
}

impl<E> LogQueue<E> {
    /// An empty queue; one for 0 entries takes none and counts none.
    pub(crate) fn new(entries_max: usize) -> Self {
        let state = State { entries: VecDeque::new(), dropped: 0 };
        Self { state: Mutex::new(state), arrived: Condvar::new(), entries_max }
    }

    /// Adds an entry, in the place of the oldest when there is no room, and wakes one that waits.
    pub(crate) fn push(&self, entry: E) {
        if self.entries_max > 0 {
            self.put(entry);
            self.arrived.notify_one();
        }
    }

    /// Adds an entry that nobody is told of; a part of [`push`](Self::push).
    pub(super) fn put(&self, entry: E) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.entries.len() >= self.entries_max {
            state.entries.pop_front();
            state.dropped += 1;
        }
        state.entries.push_back(entry);
    }

    /// The oldest entry; waits for one, at most for `timeout`.
    pub(crate) fn next(&self, timeout: Duration) -> Option<E> {
        // A time-out beyond what the clock can tell is one that never comes.
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(entry) = state.entries.pop_front() {
                return Some(entry);
            }
            state = match deadline {
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now());
                    let left = left.filter(|left| !left.is_zero())?;
                    self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// How many entries there was no room for.
    pub(crate) fn dropped(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}
