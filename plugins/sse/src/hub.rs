//! The meeting point of the publisher and the clients: the ring, the clients' queues, one lock.
//!
//! The lock is held for a bounded time only: a publish touches each client once, a client draws at
//! most one chunk. Nobody waits for a socket within it, which is why a slow client cannot hold
//! the publisher up.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use mfn_listener::Connection;
use mfn_plugin::{host::Host, value::Cursor};

use crate::{
    client::{Client, Draw, Filter},
    config::{Config, FirstEvent, size},
    cursor::{self, Position},
    frame::{self, ResyncReason},
    meter::Meter,
    queue::QueueLimits,
    ring::{Event, Ring},
};

/// See the module.
#[derive(Debug)]
pub struct Hub {
    epoch: String,
    clients_max: usize,
    retry_ms: u64,
    first_event: FirstEvent,
    queue_limits: QueueLimits,
    meter: Meter,
    state: Mutex<State>,
    client_left: Condvar,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    clients: HashMap<u64, Client>,
    admitted: u64,
    life: Life,
}

/// What the hub still does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Everything.
    Open,
    /// Clients get what waits for them, then the end.
    Draining,
    /// Clients get the end.
    Closed,
}

/// Why a client is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `clients_max` are connected.
    Full,
    /// The transport is ending.
    Ending,
}

impl Refusal {
    /// As it stands in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "clients_max",
            Self::Ending => "ending",
        }
    }
}

/// An admitted client.
#[derive(Debug)]
pub struct Admission {
    /// Its name within the hub.
    pub client: u64,
    /// What it gets first.
    pub greeting: String,
}

/// What a client's stream does next.
#[derive(Debug)]
pub enum Next {
    /// Send this.
    Text(Bytes),
    /// Send the last comment and end.
    End,
    /// End at once: it was disconnected.
    Cut,
}

impl Hub {
    /// A hub in a new epoch. `config` is valid.
    #[must_use]
    pub fn new(config: &Config, host: &Host) -> Self {
        Self {
            epoch: cursor::new_epoch(),
            clients_max: config.clients_max as usize,
            retry_ms: config.retry_ms,
            first_event: config.first_event,
            queue_limits: QueueLimits {
                events_max: size(config.client_events_max),
                bytes_max: size(config.client_bytes_max),
                overflow: config.overflow,
            },
            meter: Meter::new(host),
            state: Mutex::new(State {
                ring: Ring::new(config.ring_limits()),
                clients: HashMap::new(),
                admitted: 0,
                life: Life::Open,
            }),
            client_left: Condvar::new(),
        }
    }

    /// The cursor of a sequence number in this epoch.
    #[must_use]
    pub fn cursor(&self, sequence: u64) -> Cursor {
        Cursor { epoch: self.epoch.clone(), sequence }
    }

    /// Keeps an event and offers it to every client. Its number is one above the last.
    pub fn publish(&self, event: Event) {
        let event = Arc::new(event);
        let mut wakers = Vec::new();
        let mut dropped = 0;
        let mut overflows = 0_u32;
        {
            let mut state = self.lock();
            let evicted = state.ring.push(Arc::clone(&event));
            for client in state.clients.values_mut().filter(|client| !client.is_cut) {
                let effect = client.offer(&event, &evicted);
                dropped += effect.dropped;
                if effect.overflowed {
                    client.is_cut = true;
                    client.connection.cut();
                    overflows += 1;
                }
                wakers.extend(client.waker.take());
            }
        }
        wakers.into_iter().for_each(std::task::Waker::wake);
        self.meter.events.increment();
        if dropped > 0 {
            #[allow(clippy::cast_precision_loss)]
            self.meter.dropped.update(dropped as f64);
        }
        if overflows > 0 {
            self.meter.overflows.update(f64::from(overflows));
            tracing::warn!(clients = overflows, "disconnected clients that do not keep up");
        }
    }

    /// Admits a client. Without a position it gets what comes from now on.
    ///
    /// # Errors
    /// When there are too many, or the end has begun.
    pub fn admit(
        &self,
        filter: Filter,
        position: Option<Position>,
        connection: Connection,
    ) -> Result<Admission, Refusal> {
        let mut state = self.lock();
        let refusal = match state.life {
            Life::Open if state.clients.len() < self.clients_max => None,
            Life::Open => Some(Refusal::Full),
            Life::Draining | Life::Closed => Some(Refusal::Ending),
        };
        if let Some(refusal) = refusal {
            drop(state);
            self.meter.rejected(refusal.name());
            return Err(refusal);
        }
        let Start { standing, resync } = start(&state.ring, &filter, position, self.first_event);
        let mut greeting = frame::preamble(self.retry_ms, &self.cursor(standing));
        if let Some((reason, lost, lost_max)) = resync {
            greeting.push_str(&frame::resync(reason, lost, lost_max, &self.cursor(standing)));
        }
        state.admitted += 1;
        let client = state.admitted;
        state.clients.insert(client, Client::new(filter, self.queue_limits, standing, connection));
        self.show_clients(&state);
        drop(state);
        if let Some((reason, ..)) = resync {
            self.meter.resync(reason);
        }
        Ok(Admission { client, greeting })
    }

    /// What the stream of a client does next; where there is nothing yet, it is woken later.
    pub fn poll(&self, client: u64, context: &mut Context<'_>) -> Poll<Next> {
        let mut state = self.lock();
        let State { ring, clients, life, .. } = &mut *state;
        let Some(client) = clients.get_mut(&client).filter(|client| !client.is_cut) else {
            return Poll::Ready(Next::Cut);
        };
        if *life == Life::Closed {
            return Poll::Ready(Next::End);
        }
        match client.draw(ring, &self.epoch) {
            Draw::Text(bytes) => Poll::Ready(Next::Text(bytes)),
            Draw::Empty if *life != Life::Open => Poll::Ready(Next::End),
            Draw::Empty => {
                client.waker = Some(context.waker().clone());
                Poll::Pending
            }
            Draw::More => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    /// Where a client stands; `None` for one that is gone.
    #[must_use]
    pub fn standing(&self, client: u64) -> Option<Cursor> {
        self.lock().clients.get(&client).map(|client| self.cursor(client.standing()))
    }

    /// Forgets a client whose stream has ended.
    pub fn remove(&self, client: u64) {
        let mut state = self.lock();
        state.clients.remove(&client);
        self.show_clients(&state);
        drop(state);
        self.client_left.notify_all();
    }

    /// Lets every client have what waits for it and then the end; waits for that until `deadline`. Gives the
    /// number of events that some client did not get.
    pub fn drain(&self, deadline: Instant) -> u64 {
        let mut state = self.end(Life::Draining);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if state.clients.is_empty() || left.is_zero() {
                break;
            }
            let waited = self.client_left.wait_timeout(state, left);
            state = waited.map_or_else(|error| error.into_inner().0, |(state, _)| state);
        }
        let waiting: BTreeSet<u64> =
            state.clients.values().flat_map(|client| client.waiting(&state.ring)).collect();
        waiting.len() as u64
    }

    /// Ends every client's stream at its next draw.
    pub fn close(&self) {
        drop(self.end(Life::Closed));
    }

    fn end(&self, life: Life) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.life = life;
        let wakers: Vec<_> = state.clients.values_mut().filter_map(|client| client.waker.take()).collect();
        drop(state);
        wakers.into_iter().for_each(std::task::Waker::wake);
        self.lock()
    }

    #[allow(clippy::cast_precision_loss)]
    fn show_clients(&self, state: &State) {
        self.meter.clients.update(state.clients.len() as f64);
    }

    /// No code that runs within the lock panics, so a poisoned one holds a whole state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a new client begins.
struct Start {
    standing: u64,
    /// The reason, what is lost for good where it is known, and its bound.
    resync: Option<(ResyncReason, Option<u64>, Option<u64>)>,
}

fn start(ring: &Ring, filter: &Filter, position: Option<Position>, first_event: FirstEvent) -> Start {
    let before_oldest = ring.oldest() - 1;
    let anew =
        |reason, lost, lost_max| Start { standing: before_oldest, resync: Some((reason, lost, lost_max)) };
    match position {
        None => {
            let standing = match first_event {
                FirstEvent::Live => ring.head(),
                FirstEvent::Oldest => before_oldest,
            };
            Start { standing, resync: None }
        }
        Some(Position::After(sequence)) if sequence > ring.head() => {
            anew(ResyncReason::Malformed, None, None)
        }
        Some(Position::After(sequence)) if sequence >= before_oldest => {
            Start { standing: sequence, resync: None }
        }
        Some(Position::After(sequence)) => {
            // The topics of events that are gone are not known any more.
            let gone = before_oldest - sequence;
            let lost = (*filter == Filter::All).then_some(gone);
            anew(ResyncReason::Overrun, lost, Some(gone))
        }
        Some(Position::OtherEpoch) => anew(ResyncReason::Epoch, None, None),
        Some(Position::Malformed) => anew(ResyncReason::Malformed, None, None),
    }
}
