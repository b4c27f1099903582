//! The circuit breaker: an endpoint that fails again and again is left alone, then asked carefully.
//!
//! Closed, everything passes. After so many failures in a row it opens and nothing passes. When its time
//! is over it is half-open: a few probes pass; if all succeed it closes, if one fails it opens again.
//! [`Breaker`] is the state without a clock; [`SharedBreaker`] hands out permits to any number of threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::config::BreakerConfig;
use crate::delivery::canary::{self, Bug};

/// The states of a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// Nothing passes.
    Open,
    /// A few probes pass.
    HalfOpen,
}

/// The right to make one call. Counts the lives of the circuit, so that an answer that comes after the
/// circuit has changed its state says nothing about the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admission {
    life: u64,
    pub(crate) probe: bool,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Duration },
    HalfOpen { reserved: u32, succeeded: u32 },
}

/// The circuit of one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    config: BreakerConfig,
    phase: Phase,
    life: u64,
}

impl Breaker {
    pub(crate) const fn new(config: BreakerConfig) -> Self {
        Self { config, phase: Phase::Closed { failures: 0 }, life: 0 }
    }

    /// The state as it was left; an open circuit stays open until somebody asks to pass after its time.
    pub(crate) const fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Until when nothing passes; `None` when time has nothing to do with it.
    pub(crate) const fn open_until(&self) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } => Some(until),
            _ => None,
        }
    }

    /// Reserves the right to make a call, or `None` while nothing may pass.
    pub(crate) fn admit(&mut self, now: Duration) -> Option<Admission> {
        if let Phase::Open { until } = self.phase {
            if now < until {
                return None;
            }
            self.enter(Phase::HalfOpen { reserved: 0, succeeded: 0 });
        }
        match &mut self.phase {
            Phase::Closed { .. } => Some(Admission { life: self.life, probe: false }),
            Phase::HalfOpen { reserved, .. } if *reserved < self.config.probes_max.max(1) => {
                *reserved += 1;
                Some(Admission { life: self.life, probe: true })
            }
            _ => None,
        }
    }

    /// Gives back a right of which no use was made.
    pub(crate) fn give_back(&mut self, admission: Admission) {
        if admission.life != self.life {
            return;
        }
        if let Phase::HalfOpen { reserved, .. } = &mut self.phase {
            *reserved = reserved.saturating_sub(1);
        }
    }

    /// The endpoint answered.
    pub(crate) fn succeeded(&mut self, admission: Admission) {
        if admission.life != self.life {
            return;
        }
        match &mut self.phase {
            Phase::Closed { failures } => *failures = 0,
            Phase::HalfOpen { succeeded, .. } => {
                *succeeded += 1;
                if *succeeded >= self.config.probes_max.max(1) {
                    self.enter(Phase::Closed { failures: 0 });
                }
            }
            Phase::Open { .. } => {}
        }
    }

    /// The endpoint is there and asks to be left alone for a while: no failure, and no success either while
    /// the circuit is closed. A probe has found out what it was to find out.
    pub(crate) fn answered(&mut self, admission: Admission) {
        if admission.probe {
            self.succeeded(admission);
        }
    }

    /// The endpoint failed.
    pub(crate) fn failed(&mut self, now: Duration, admission: Admission) {
        if admission.life != self.life {
            return;
        }
        let open = match &mut self.phase {
            Phase::Closed { failures } => {
                *failures += 1;
                *failures >= self.config.failures_max.max(1)
            }
            Phase::HalfOpen { .. } => true,
            Phase::Open { .. } => false,
        };
        if open && !canary::planted(Bug::IgnoreCircuit) {
            let recovery = Duration::from_millis(self.config.recovery_ms);
            self.enter(Phase::Open { until: now.saturating_add(recovery) });
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.life += 1;
    }
}

/// A breaker for several callers at once: permits are reserved atomically and given back when dropped.
#[derive(Debug, Clone)]
pub(crate) struct SharedBreaker {
    breaker: Arc<Mutex<Breaker>>,
}

impl SharedBreaker {
    pub(crate) fn new(config: BreakerConfig) -> Self {
        Self { breaker: Arc::new(Mutex::new(Breaker::new(config))) }
    }

    /// A permit for one call, or `None` while nothing may pass. Never waits.
    pub(crate) fn permit(&self, now: Duration) -> Option<Permit> {
        let admission = self.lock().admit(now)?;
        Some(Permit { breaker: self.clone(), admission, begun: None, settled: false })
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.lock().state()
    }

    /// Until when nothing passes; `None` when time has nothing to do with it.
    pub(crate) fn open_until(&self) -> Option<Duration> {
        self.lock().open_until()
    }

    fn lock(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to make one call. Dropped before the call began, it goes to the next caller. Dropped after
/// that, nobody knows what became of the call, which counts as a failure.
#[derive(Debug)]
#[must_use = "a permit that is dropped is given back"]
pub(crate) struct Permit {
    breaker: SharedBreaker,
    admission: Admission,
    begun: Option<Duration>,
    settled: bool,
}

impl Permit {
    /// Whether the call is to find out if the endpoint is back.
    pub(crate) fn is_probe(&self) -> bool {
        self.admission.probe
    }

    /// The call is being made: from here on the endpoint may see it.
    pub(crate) fn begin(&mut self, now: Duration) {
        self.begun = Some(now);
    }

    /// The endpoint answered.
    pub(crate) fn succeed(mut self) {
        self.settled = true;
        self.breaker.lock().succeeded(self.admission);
    }

    /// The endpoint is there and asks to be left alone for a while.
    pub(crate) fn answered(mut self) {
        self.settled = true;
        self.breaker.lock().answered(self.admission);
    }

    /// The call was not made after all.
    pub(crate) fn cancel(mut self) {
        self.begun = None;
    }

    /// The endpoint failed.
    pub(crate) fn fail(mut self, now: Duration) {
        self.settled = true;
        self.breaker.lock().failed(now, self.admission);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let mut breaker = self.breaker.lock();
        match self.begun {
            None => breaker.give_back(self.admission),
            Some(begun) => breaker.failed(begun, self.admission),
        }
    }
}
