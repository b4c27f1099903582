//! Who serves a producer's events: delivery reports, errors, statistics.
//!
//! While messages are being sent, the thread that sends them takes in the reports of earlier ones: what it allocated it
//! then frees as well, without another thread that wants the same memory. While it waits, and while nothing is published,
//! this thread does.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

/// How long events are served before it is asked again whether somebody waits for them. librdkafka's binding looks without
/// a pause in the last millisecond of it, so it is several.
const BUSY_SLICE: Duration = Duration::from_millis(8);
/// How long events wait for the next look when nobody waits for them.
const IDLE_PAUSE: Duration = Duration::from_millis(100);
/// The length of that look.
const IDLE_SLICE: Duration = Duration::from_millis(1);

/// The thread that serves events. Ends with its value.
#[derive(Debug)]
pub(crate) struct Poller {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether somebody waits for reports.
    is_awaited: bool,
    is_over: bool,
}

impl Poller {
    /// Starts the thread; `poll` serves events for a time.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(poll: impl Fn(Duration) + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("mfn-kafka-poll".to_owned());
        let thread = thread.spawn(move || {
            while let Some(slice) = of.next() {
                poll(slice);
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Serves events at once while `wait` waits for them.
    pub(crate) fn during<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.shared.set(|state| state.is_awaited = true);
        let outcome = wait();
        self.shared.set(|state| state.is_awaited = false);
        outcome
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.shared.set(|state| state.is_over = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Waits until events are to be served, and says for how long; `None` at the end.
    fn next(&self) -> Option<Duration> {
        let mut state = self.lock();
        if !state.is_awaited && !state.is_over {
            state = self.bell.wait_timeout(state, IDLE_PAUSE).unwrap_or_else(PoisonError::into_inner).0;
        }
        match *state {
            State { is_over: true, .. } => None,
            State { is_awaited: true, .. } => Some(BUSY_SLICE),
            State { is_awaited: false, .. } => Some(IDLE_SLICE),
        }
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
