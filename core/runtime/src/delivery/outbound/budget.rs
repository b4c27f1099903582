//! The retry budget: how many retry calls an endpoint is sent in proportion to first ones.
//!
//! Without it an endpoint that begins to fail is sent several times its usual load, which keeps it down.
//! The budget delays retries; it never gives one up.

use std::time::Duration;

/// Retry calls that each first call earns.
const RATIO: f64 = 1.0;
/// Retry calls per second that are free.
const PER_SECOND: f64 = 10.0;
/// The most that is saved up, retry calls: ten seconds' worth.
const SAVED_MAX: f64 = 100.0;

/// A bucket of retry calls.
#[derive(Debug, Clone)]
pub(crate) struct RetryBudget {
    saved: f64,
    /// Up to when time has been paid in.
    paid: Duration,
}

impl RetryBudget {
    pub(crate) const fn new() -> Self {
        Self { saved: SAVED_MAX, paid: Duration::ZERO }
    }

    /// When the next retry call may be made; not after `now` when it may be made at once.
    pub(crate) fn ready_at(&mut self, now: Duration) -> Duration {
        self.pay_in(now);
        if self.saved >= 1.0 {
            return now;
        }
        // Rounded up: at that moment there is certainly one.
        now.saturating_add(Duration::from_secs_f64((1.0 - self.saved) / PER_SECOND))
            .saturating_add(Duration::from_micros(1))
    }

    /// A call with first attempts only was made.
    pub(crate) fn earn(&mut self, now: Duration) {
        self.pay_in(now);
        self.saved = (self.saved + RATIO).min(SAVED_MAX);
    }

    /// So many calls more are due that are no retries, though they have records in them that were sent before.
    pub(crate) fn allow(&mut self, calls: u32) {
        self.saved = (self.saved + f64::from(calls)).min(SAVED_MAX);
    }

    /// A call with a retry in it was made.
    pub(crate) fn spend(&mut self, now: Duration) {
        self.pay_in(now);
        self.saved = (self.saved - 1.0).max(0.0);
    }

    fn pay_in(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.paid);
        self.paid = self.paid.max(now);
        self.saved = (self.saved + passed.as_secs_f64() * PER_SECOND).min(SAVED_MAX);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        // Guards both sides of the budget under any sequence of calls: never more retries than saved up,
        // earned and free together, and never a wait without an end: at the promised time one is there.
        #[test]
        fn retries_are_bounded_and_never_refused_for_ever(
            steps in proptest::collection::vec((0u64..400, any::<bool>()), 1..400),
        ) {
            let (mut budget, mut now) = (RetryBudget::new(), Duration::ZERO);
            let (mut first, mut retries) = (0u32, 0u32);
            for (pause_ms, retry) in steps {
                now += Duration::from_millis(pause_ms);
                if !retry {
                    budget.earn(now);
                    first += 1;
                    continue;
                }
                let at = budget.ready_at(now);
                prop_assert!(at - now <= Duration::from_millis(101));
                prop_assert!(budget.ready_at(at) <= at);
                now = at;
                budget.spend(now);
                retries += 1;
            }
            let free = SAVED_MAX + now.as_secs_f64() * PER_SECOND;
            prop_assert!(f64::from(retries) <= free + f64::from(first) * RATIO + 1e-6);
        }
    }

    // Guards the delay itself: when nothing is left, a retry waits for its tenth of a second.
    #[test]
    fn an_empty_budget_delays() {
        let (mut budget, now) = (RetryBudget::new(), Duration::from_secs(5));
        while budget.ready_at(now) <= now {
            budget.spend(now);
        }
        let wait = budget.ready_at(now) - now;
        assert!(wait > Duration::from_millis(99) && wait < Duration::from_millis(101), "{wait:?}");
    }
}
