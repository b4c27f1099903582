//! What a lane shows of itself. It can be read at any time, also while the publisher hangs in a call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::delivery::outbound::{BreakerState, OutboundStatus};
use crate::pipeline::DeliveryStatus;

/// What a publisher may take beyond the time-out of a call before it counts as hung: one that keeps its time-out
/// itself has something better to say about it.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// A call of this length is not waited for at the end where nothing depends on it, milliseconds.
const STALL_MS: u64 = 2000;

/// The numbers of one lane.
#[derive(Debug)]
pub(in crate::pipeline) struct LaneView {
    start: Instant,
    /// Records that were offered and not answered, wherever they are.
    waiting: AtomicU64,
    /// Records that were never offered because there was no room for them.
    dropped: AtomicU64,
    failed: AtomicBool,
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    status: Option<OutboundStatus>,
    /// When the call that is out began, and how long it may take.
    call: Option<(Instant, Duration)>,
}

impl LaneView {
    pub(in crate::pipeline) fn new() -> Self {
        let (waiting, dropped) = (AtomicU64::new(0), AtomicU64::new(0));
        let failed = AtomicBool::new(false);
        Self { start: Instant::now(), waiting, dropped, failed, shown: Mutex::default() }
    }

    /// What the times of the lane's machine count from.
    pub(super) fn start(&self) -> Instant {
        self.start
    }

    pub(super) fn offered(&self, records: usize) {
        self.waiting.fetch_add(records as u64, Ordering::Relaxed);
    }

    pub(super) fn resolved(&self, records: usize) {
        self.waiting.fetch_sub(records as u64, Ordering::Relaxed);
    }

    /// Counts records that were not offered.
    pub(in crate::pipeline) fn dropped(&self, records: usize) {
        self.dropped.fetch_add(records as u64, Ordering::Relaxed);
    }

    /// Notes that the publisher is called no more.
    pub(super) fn failed(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    pub(super) fn show(&self, status: &OutboundStatus) {
        self.lock().status = Some(*status);
    }

    pub(super) fn calling(&self, status: &OutboundStatus, timeout: Duration) {
        *self.lock() = Shown { status: Some(*status), call: Some((Instant::now(), timeout)) };
    }

    pub(super) fn called(&self, status: &OutboundStatus) {
        *self.lock() = Shown { status: Some(*status), call: None };
    }

    /// Whether waiting for the lane makes sense: it has something, and nothing keeps it from it.
    pub(in crate::pipeline) fn is_busy(&self) -> bool {
        self.status().queued > 0 && !self.is_impeded()
    }

    /// Whether the publisher does not take what it is given, or is not asked to.
    pub(in crate::pipeline) fn is_impeded(&self) -> bool {
        let status = self.status();
        let slow = status.backing_off > 0 || status.circuit != BreakerState::Closed || status.paused_ms > 0;
        slow || status.call_ms > STALL_MS || status.failed
    }

    /// The numbers now.
    pub(in crate::pipeline) fn status(&self) -> DeliveryStatus {
        let shown = self.lock();
        let now = self.start.elapsed();
        let call = shown.call.map(|(began, timeout)| (began.elapsed(), timeout));
        let status = shown.status.as_ref();
        DeliveryStatus {
            queued: self.waiting.load(Ordering::Relaxed),
            backing_off: status.map_or(0, |status| status.backing_off as u64),
            in_call: status.map_or(0, |status| status.in_call as u64),
            oldest_ms: status
                .and_then(|status| status.oldest)
                .map_or(0, |oldest| millis(now.saturating_sub(oldest))),
            retries: status.map_or(0, |status| status.retries),
            breaches: status.map_or(0, |status| status.breaches),
            circuit: status.map_or(BreakerState::Closed, |status| status.breaker),
            paused_ms: status
                .and_then(|status| status.paused_until)
                .map_or(0, |until| millis(until.saturating_sub(now))),
            dropped: self.dropped.load(Ordering::Relaxed),
            call_ms: call.map_or(0, |(elapsed, _)| millis(elapsed)),
            overdue: call.is_some_and(|(elapsed, timeout)| elapsed > timeout + GRACE),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
