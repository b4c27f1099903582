//! The end of a connector's thread: it commits, leaves the group and says how that went, and is waited for only so long.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use super::shelf::deadline_in;

/// How long `close` waits for the thread; leaving a group whose brokers do not answer can take longer.
const END_WAIT: Duration = Duration::from_secs(8);

/// How a thread ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// What was settled is committed, and the group is left.
    Committed,
    /// The brokers took the last offsets within no useful time: those records come again.
    Uncommitted,
    /// It works on in the background.
    NotInTime,
}

/// A thread that was told to end.
pub(crate) struct Leaving {
    ended: Option<mpsc::Receiver<Left>>,
    /// What it said at its end.
    left: Option<Left>,
    /// Until when it is waited for.
    deadline: Instant,
}

impl Leaving {
    /// A thread that will say how it ended; `None` where there is none.
    pub(crate) fn new(ended: Option<mpsc::Receiver<Left>>) -> Self {
        Self { ended, left: None, deadline: deadline_in(END_WAIT) }
    }

    /// Whether it has not ended, and is still waited for.
    pub(crate) fn is_on_its_way(&mut self) -> bool {
        self.listen(Duration::ZERO) == Left::NotInTime && Instant::now() < self.deadline
    }

    /// Waits for it; says how it ended.
    pub(crate) fn end(mut self) -> Left {
        self.listen(self.deadline.saturating_duration_since(Instant::now()))
    }

    fn listen(&mut self, timeout: Duration) -> Left {
        if self.left.is_none() {
            self.left = match self.ended.as_ref().map(|ended| ended.recv_timeout(timeout)) {
                Some(Ok(left)) => Some(left),
                Some(Err(mpsc::RecvTimeoutError::Timeout)) => None,
                // It panicked, before it could say.
                Some(Err(mpsc::RecvTimeoutError::Disconnected)) => Some(Left::Uncommitted),
                None => Some(Left::Committed),
            };
        }
        self.left.unwrap_or(Left::NotInTime)
    }
}
