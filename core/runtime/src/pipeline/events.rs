//! The events of a transport: a bounded queue and the thread that empties it.
//!
//! Transports are best effort. A transport that is slow, hung or failing must hold back neither
//! publishers nor settlement, so results are handed over here and forgotten by the route; when the
//! queue is full the oldest events are dropped and counted exactly.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mfn_plugin::value::ErrorClass;

use super::metrics::ComponentMetrics;
use super::record_ref::RecordRef;
use super::shared::Shared;
use super::work::catch;
use crate::component::Transport;
use crate::metrics::Counter;

/// The most events that wait for a transport.
const EVENTS_MAX: usize = 1024;
/// The most payload bytes that wait for a transport; a single larger event still waits, alone.
const BYTES_MAX: usize = 16 << 20;

/// The events of one transport.
pub(super) struct EventQueue {
    transport: Arc<dyn Transport>,
    metrics: ComponentMetrics,
    dropped: Counter,
    shared: Arc<Shared>,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<(Arc<str>, RecordRef)>,
    bytes: usize,
    /// An event was taken out and the transport has not returned yet.
    busy: bool,
    closed: bool,
}

impl EventQueue {
    pub(super) fn new(
        transport: Arc<dyn Transport>,
        metrics: ComponentMetrics,
        dropped: Counter,
        shared: Arc<Shared>,
    ) -> Arc<Self> {
        let (waiting, changed) = (Mutex::default(), Condvar::new());
        Arc::new(Self { transport, metrics, dropped, shared, waiting, changed })
    }

    /// Hands an event over. Never waits for the transport.
    pub(super) fn offer(&self, topic: &Arc<str>, event: &RecordRef) {
        let mut waiting = self.lock();
        if waiting.closed {
            return;
        }
        let mut dropped = 0;
        let bytes = event.payload.len();
        while waiting.events.len() >= EVENTS_MAX
            || (!waiting.events.is_empty() && waiting.bytes.saturating_add(bytes) > BYTES_MAX)
        {
            let Some((_, oldest)) = waiting.events.pop_front() else { break };
            waiting.bytes -= oldest.payload.len();
            dropped += 1;
        }
        waiting.bytes += bytes;
        waiting.events.push_back((Arc::clone(topic), event.clone()));
        drop(waiting);
        self.changed.notify_all();
        if dropped > 0 {
            self.dropped.add_count(dropped);
            self.shared.events_dropped.fetch_add(dropped, Ordering::Relaxed);
        }
    }

    /// Hands events to the transport until the queue is closed.
    pub(super) fn run(&self) {
        while let Some((topic, event)) = self.next() {
            match catch(|| self.transport.publish(&topic, &event.view())) {
                Ok(Ok(_cursor)) => self.metrics.count(event.payload.len()),
                Ok(Err(error)) => {
                    self.metrics.count_error(error.class());
                    self.shared.note_error(&error.to_string());
                }
                Err(message) => {
                    self.metrics.count_error(ErrorClass::Fatal);
                    self.shared.note_error(&format!("{}: panicked: {message}", self.transport.name()));
                }
            }
        }
    }

    fn next(&self) -> Option<(Arc<str>, RecordRef)> {
        let mut waiting = self.lock();
        waiting.busy = false;
        self.changed.notify_all();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some((topic, event)) = waiting.events.pop_front() {
                waiting.bytes -= event.payload.len();
                waiting.busy = true;
                return Some((topic, event));
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until the transport has everything, at most until the deadline.
    pub(super) fn wait_empty(&self, deadline: Instant) -> bool {
        let mut waiting = self.lock();
        loop {
            if waiting.events.is_empty() && !waiting.busy {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now()).min(Duration::from_secs(3600));
            if left.is_zero() {
                return false;
            }
            waiting = self.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the thread, whatever is still waiting; that is counted as dropped.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        let dropped = waiting.events.len() as u64;
        waiting.events.clear();
        waiting.bytes = 0;
        drop(waiting);
        self.changed.notify_all();
        self.dropped.add_count(dropped);
        self.shared.events_dropped.fetch_add(dropped, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
