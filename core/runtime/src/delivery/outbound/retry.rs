//! How long to wait before the next attempt, and the random numbers that spread it.

use std::time::Duration;

use crate::config::{RetryConfig, RetryStrategy};

/// The longest wait that an endpoint may ask for. A longer `Retry-After` is a mistake or an attack: the
/// endpoint is asked again after this time and may repeat it.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// A small generator, so that a schedule follows from its seed (SplitMix64; G. Steele, D. Lea, C. Flood,
/// 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The waits of one strategy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    config: RetryConfig,
}

impl Backoff {
    pub(crate) const fn new(config: RetryConfig) -> Self {
        Self { config }
    }

    /// The longest that the wait before a retry can be; the first retry is 1. Never falls from one retry
    /// to the next, and never exceeds the cap.
    pub(crate) fn ceiling(&self, retry: u32) -> Duration {
        let RetryConfig { strategy, initial_ms, cap_ms, retries_max, .. } = self.config;
        let retry = retry.max(1);
        let ms = match strategy {
            // Kept beyond its attempts.
            _ if retry > retries_max => cap_ms,
            RetryStrategy::Exponential => doubled(initial_ms, retry - 1),
            RetryStrategy::Linear => initial_ms.saturating_mul(u64::from(retry)),
            RetryStrategy::Fixed => initial_ms,
            RetryStrategy::None => cap_ms,
        };
        Duration::from_millis(ms.min(cap_ms))
    }

    /// The wait before a retry: evenly in [0, ceiling) for `fraction` evenly in [0, 1), or the ceiling when
    /// there is to be no jitter; at least what the endpoint asked for. Records that failed in one call are
    /// given the same fraction, so that they stay one batch.
    pub(crate) fn wait(&self, retry: u32, fraction: f64, retry_after: Option<Duration>) -> Duration {
        let ceiling = self.ceiling(retry);
        let backoff = if self.config.jitter { ceiling.mul_f64(fraction.clamp(0.0, 1.0)) } else { ceiling };
        backoff.max(asked(retry_after))
    }

    /// How long to leave a whole endpoint alone that throttles or blocks, the `times`-th time in a row:
    /// doubled each time up to the cap, at least what the endpoint asked for. Only the upper half is drawn
    /// from: an endpoint that is down is asked rarely, not by chance at once.
    pub(crate) fn pause(&self, times: u32, fraction: f64, retry_after: Option<Duration>) -> Duration {
        let RetryConfig { initial_ms, cap_ms, jitter, .. } = self.config;
        let ceiling = Duration::from_millis(doubled(initial_ms, times.max(1) - 1).min(cap_ms));
        let half = ceiling / 2;
        let pause = if jitter { half + half.mul_f64(fraction.clamp(0.0, 1.0)) } else { ceiling };
        pause.max(asked(retry_after))
    }
}

fn doubled(ms: u64, times: u32) -> u64 {
    ms.saturating_mul(1u64.checked_shl(times).unwrap_or(u64::MAX))
}

fn asked(retry_after: Option<Duration>) -> Duration {
    retry_after.unwrap_or_default().min(RETRY_AFTER_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Exhausted;

    const STRATEGIES: [RetryStrategy; 4] =
        [RetryStrategy::Exponential, RetryStrategy::Linear, RetryStrategy::Fixed, RetryStrategy::None];

    fn config() -> impl Strategy<Value = RetryConfig> {
        let strategy = proptest::sample::select(STRATEGIES.to_vec());
        (strategy, 0u32..1000, 1u64..86_400_000, 0u64..86_400_000, any::<bool>()).prop_map(
            |(strategy, retries_max, initial_ms, more_ms, jitter)| RetryConfig {
                strategy,
                retries_max,
                initial_ms,
                cap_ms: (initial_ms + more_ms).min(86_400_000),
                jitter,
                timeout_ms: 30_000,
                exhausted: Exhausted::Keep,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        // Guards the bounds of every wait: never below what the endpoint asked for (up to the limit), never
        // above the cap otherwise, never falling in its ceiling, for every allowed configuration.
        #[test]
        fn waits_stay_in_their_bounds(config in config(), retry in 0u32..2000, fraction in 0.0f64..1.0,
                                      asked_ms in proptest::option::of(0u64..10_000_000)) {
            let backoff = Backoff::new(config);
            let cap = Duration::from_millis(config.cap_ms);
            let after = asked_ms.map(Duration::from_millis);
            let least = after.unwrap_or_default().min(RETRY_AFTER_MAX);
            for wait in [backoff.wait(retry, fraction, after), backoff.pause(retry, fraction, after)] {
                prop_assert!(wait >= least);
                prop_assert!(wait <= cap.max(least));
            }
            prop_assert!(backoff.ceiling(retry) <= backoff.ceiling(retry + 1));
            let initial = Duration::from_millis(config.initial_ms);
            prop_assert!(backoff.pause(retry, fraction, None) * 2 + Duration::from_nanos(2) >= initial);
            if !config.jitter {
                prop_assert_eq!(backoff.wait(retry, fraction, None), backoff.ceiling(retry));
            }
        }
    }

    // Guards the numbers of each strategy with the defaults: 3 retries, 1 s at first, 60 s at most.
    #[test]
    fn ceilings_are_those_of_the_strategies() {
        let seconds = |strategy, retries_max| {
            let backoff = Backoff::new(RetryConfig { strategy, retries_max, ..RetryConfig::default() });
            (1..=8).map(|retry| backoff.ceiling(retry).as_secs()).collect::<Vec<_>>()
        };
        assert_eq!(seconds(RetryStrategy::Exponential, 100), [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(seconds(RetryStrategy::Linear, 100), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(seconds(RetryStrategy::Fixed, 100), [1; 8]);
        assert_eq!(seconds(RetryStrategy::Exponential, 3), [1, 2, 4, 60, 60, 60, 60, 60]);
        assert_eq!(seconds(RetryStrategy::None, 3), [60; 8]);
    }

    // Guards the spread of the jitter: waits fill the whole interval evenly, as "full jitter" says.
    #[test]
    fn full_jitter_fills_the_interval() {
        let (backoff, mut random) = (Backoff::new(RetryConfig::default()), Random::new(7));
        let mut tenths = [0u32; 10];
        for _ in 0..10_000 {
            let wait = backoff.wait(3, random.unit(), None);
            tenths[(wait.as_secs_f64() / 4.0 * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|&count| (850..1150).contains(&count)), "{tenths:?}");
    }
}
