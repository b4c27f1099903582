//! Who serves a producer's events while nothing is published: errors, statistics, reports that come late.
//!
//! A call serves them itself: the thread that sends messages takes in their reports, so that what it allocated it frees as
//! well. The binding's own thread for this would do so at the same time, and both would wait for each other's memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// How long events wait for the next look.
const PAUSE: Duration = Duration::from_millis(100);

/// The thread that serves events. Ends with its value.
#[derive(Debug)]
pub(crate) struct Poller {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Poller {
    /// Starts the thread; `serve` serves the events that there are.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(serve: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = std::thread::Builder::new().name("mfn-kafka-events".to_owned()).spawn(move || {
            while !seen.load(Ordering::Acquire) {
                serve();
                std::thread::park_timeout(PAUSE);
            }
        })?;
        Ok(Self { is_over, thread: Some(thread) })
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
