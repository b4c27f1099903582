//! What all machines that call one endpoint know of it together: its circuit, the budget of retries and the
//! time for which it wants to be left alone.
//!
//! A publisher is fed by several machines (what routes wait for, what was accepted, one for each spool). Told to
//! wait or found to be dead by one of them, it is spared by all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::breaker::{BreakerState, Permit, SharedBreaker};
use super::budget::RetryBudget;
use crate::config::BreakerConfig;
use crate::delivery::canary::{self, Bug};

/// One endpoint. Clones are the same endpoint. No method waits for anything but another's short update.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    config: BreakerConfig,
    breaker: SharedBreaker,
    pace: Arc<Mutex<Pace>>,
}

/// How fast an endpoint may be called.
#[derive(Debug)]
struct Pace {
    budget: RetryBudget,
    /// Until when it is left alone at its own wish.
    until: Duration,
    /// Throttled or blocked so many times in a row.
    times: u32,
    /// Whether the next call has to find out if the endpoint takes anything.
    blocked: bool,
}

impl Endpoint {
    pub(crate) fn new(config: BreakerConfig) -> Self {
        let pace = Pace { budget: RetryBudget::new(), until: Duration::ZERO, times: 0, blocked: false };
        Self { config, breaker: SharedBreaker::new(config), pace: Arc::new(Mutex::new(pace)) }
    }

    /// The same endpoint, for another machine.
    pub(crate) fn share(&self) -> Self {
        if canary::planted(Bug::ShareNothing) { Self::new(self.config) } else { self.clone() }
    }

    /// A permit for one call, or `None` while nothing may pass.
    pub(super) fn permit(&self, now: Duration) -> Option<Permit> {
        self.breaker.permit(now)
    }

    pub(super) fn circuit(&self) -> BreakerState {
        self.breaker.state()
    }

    /// Until when no call may be made, whatever it is for.
    pub(super) fn closed_until(&self) -> Duration {
        let open = self.breaker.open_until().unwrap_or_default();
        if canary::planted(Bug::IgnorePause) { open } else { open.max(self.lock().until) }
    }

    /// Until when the endpoint has asked to be left alone, if its last answer was such a wish.
    pub(super) fn paused_until(&self) -> Option<Duration> {
        let pace = self.lock();
        Some(pace.until).filter(|_| pace.times > 0)
    }

    /// Whether the next call has to find out if the endpoint takes anything.
    pub(super) fn is_blocked(&self) -> bool {
        self.lock().blocked
    }

    /// It takes records again.
    pub(super) fn worked(&self) {
        let mut pace = self.lock();
        pace.times = 0;
        pace.blocked = false;
    }

    /// It asks to be left alone once more; how many times in a row that makes.
    pub(super) fn asks(&self, blocked: bool) -> u32 {
        let mut pace = self.lock();
        pace.times = pace.times.saturating_add(1);
        pace.blocked = blocked;
        pace.times
    }

    /// How many times in a row it has asked to be left alone.
    pub(super) fn times_asked(&self) -> u32 {
        self.lock().times
    }

    /// Leaves the endpoint alone until then, at least.
    pub(super) fn pause(&self, until: Duration) {
        let mut pace = self.lock();
        pace.until = pace.until.max(until);
    }

    /// When the next retry call may be made; not after `now` when it may be made at once.
    pub(super) fn retries_at(&self, now: Duration) -> Duration {
        self.lock().budget.ready_at(now)
    }

    /// A call is made, with a retry in it or with first attempts only.
    pub(super) fn called(&self, now: Duration, retry: bool) {
        let budget = &mut self.lock().budget;
        if retry {
            budget.spend(now);
        } else {
            budget.earn(now);
        }
    }

    /// So many calls more are due that are no retries.
    pub(super) fn allow(&self, calls: u32) {
        self.lock().budget.allow(calls);
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use mfn_plugin::value::{ErrorClass, Ordering};

    use super::*;
    use crate::config::{BatchConfig, RetryConfig};
    use crate::delivery::outbound::{Action, Item, ItemId, Outbound, OutboundConfig};
    use crate::delivery::{Answer, Refusal};

    const SECOND: Duration = Duration::from_secs(1);

    /// Two machines that call one endpoint, with ten records each.
    fn pair() -> [Outbound; 2] {
        let breaker = BreakerConfig { failures_max: 2, recovery_ms: 10_000, probes_max: 1 };
        let config = OutboundConfig {
            retry: RetryConfig { jitter: false, ..RetryConfig::default() },
            breaker,
            batch: BatchConfig { records_max: 1, ..BatchConfig::default() },
            ordering: Ordering::None,
        };
        let endpoint = Endpoint::new(breaker);
        [1, 2].map(|seed| {
            let mut machine = Outbound::new(config, endpoint.share(), seed);
            for id in 0..10 {
                machine.offer(Duration::ZERO, Item { id: ItemId(id), key: None, bytes: 1 });
            }
            machine
        })
    }

    fn refuse(class: ErrorClass, retry_after: Option<Duration>) -> Answer {
        Err(Refusal { class, reason: "planned".into(), retry_after })
    }

    /// Lets a machine make a call; until when it waits instead.
    fn call(machine: &mut Outbound, now: Duration, answer: Answer) -> Result<bool, Option<Duration>> {
        match machine.poll(now) {
            Action::Publish(call) => {
                machine.answer(now, call.id, vec![answer]);
                Ok(call.probe)
            }
            Action::Wait { until } => Err(until),
        }
    }

    // Guards the circuit of the endpoint: failures that different machines see add up, it is open for all of them,
    // and one probe is made, not one by each.
    #[test]
    fn a_circuit_is_open_for_everybody() {
        let [mut one, mut other] = pair();
        let failed = || refuse(ErrorClass::Retryable, None);
        assert_eq!(call(&mut one, Duration::ZERO, failed()), Ok(false));
        assert_eq!(call(&mut other, Duration::ZERO, failed()), Ok(false));
        assert_eq!(one.status().breaker, BreakerState::Open);
        for machine in [&mut one, &mut other] {
            assert_eq!(call(machine, SECOND, Ok(())), Err(Some(10 * SECOND)));
        }
        let Action::Publish(probe) = one.poll(10 * SECOND) else { panic!("no probe") };
        assert!(probe.probe);
        assert_eq!(call(&mut other, 10 * SECOND, Ok(())), Err(Some(11 * SECOND)));
        one.answer(10 * SECOND, probe.id, vec![Ok(())]);
        assert_eq!(call(&mut other, 10 * SECOND, Ok(())), Ok(false));
    }

    // Guards Retry-After: the endpoint told one machine to wait, and no other calls it before that either.
    #[test]
    fn a_pause_holds_for_everybody() {
        let [mut one, mut other] = pair();
        let throttled = refuse(ErrorClass::Throttled, Some(7 * SECOND));
        assert_eq!(call(&mut one, Duration::ZERO, throttled), Ok(false));
        assert_eq!(call(&mut other, SECOND, Ok(())), Err(Some(7 * SECOND)));
        assert_eq!(other.status().paused_until, Some(7 * SECOND));
        assert_eq!(call(&mut other, 7 * SECOND, Ok(())), Ok(false));
        assert_eq!(one.status().paused_until, None);
    }

    // Guards the budget: retries of all machines together are what the endpoint is spared from.
    #[test]
    fn the_budget_is_spent_together() {
        let endpoint = Endpoint::new(BreakerConfig::default());
        let other = endpoint.share();
        (0..100).for_each(|_| endpoint.called(Duration::ZERO, true));
        assert!(other.retries_at(Duration::ZERO) > Duration::ZERO);
        other.called(Duration::ZERO, false);
        assert_eq!(endpoint.retries_at(Duration::ZERO), Duration::ZERO);
    }
}
