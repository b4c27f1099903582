//! How a component is retried, and how a route keeps its records: the part of the configuration that
//! the delivery machine works by.

use std::path::PathBuf;

use serde::Serialize;

/// How calls to one publisher are made. For a connector only [`retry`](Self::retry) counts: it says how
/// long a source is left alone after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct DeliveryConfig {
    /// What follows an error that may pass.
    pub retry: RetryConfig,
    /// When an endpoint is left alone.
    pub breaker: BreakerConfig,
    /// How much goes into one call.
    pub batch: BatchConfig,
}

/// What follows an error that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RetryConfig {
    /// How waits grow from attempt to attempt.
    pub strategy: RetryStrategy,
    /// Attempts after the first before a record counts as exhausted, 0 to 1,000,000.
    pub retries_max: u32,
    /// The first wait, milliseconds, 1 to 3,600,000.
    pub initial_ms: u64,
    /// The longest wait, milliseconds, `initial_ms` to 3,600,000.
    pub cap_ms: u64,
    /// Whether a wait is drawn evenly from 0 to its length, so that callers do not come back together.
    pub jitter: bool,
    /// How long one call may take, milliseconds, 1 to 3,600,000. The component is told.
    pub timeout_ms: u64,
    /// What becomes of a record whose retries are used up.
    pub exhausted: Exhausted,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            strategy: RetryStrategy::Exponential,
            retries_max: 3,
            initial_ms: 1000,
            cap_ms: 60_000,
            jitter: true,
            timeout_ms: 30_000,
            exhausted: Exhausted::Keep,
        }
    }
}

/// When an endpoint is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BreakerConfig {
    /// Failures in a row that open the breaker, 1 to 1000.
    pub failures_max: u32,
    /// How long it stays open, milliseconds, 1 to 3,600,000.
    pub recovery_ms: u64,
    /// Calls that are let through when it is half open, 1 to 3.
    pub probes_max: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures_max: 5, recovery_ms: 60_000, probes_max: 1 }
    }
}

/// How much goes into one call. What the publisher itself takes is never exceeded, and is what a call holds
/// unless less is configured: the publisher knows its target, and a call that is not full does not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BatchConfig {
    /// Records of one call, 1 to 10,000.
    pub records_max: u32,
    /// Payload bytes of one call, 1 to 1 GiB; a single larger record goes alone.
    pub bytes_max: u64,
    /// How long a call that is not full waits for more, milliseconds, 0 to 60,000.
    pub age_ms: u64,
}

impl BatchConfig {
    /// The most records that may be configured for a call.
    pub(super) const RECORDS_MAX: u32 = 10_000;
    /// The most payload bytes that may be configured for a call.
    pub(super) const BYTES_MAX: u64 = 1 << 30;
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self { records_max: Self::RECORDS_MAX, bytes_max: Self::BYTES_MAX, age_ms: 0 }
    }
}

/// Where a spooled route keeps its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpoolConfig {
    /// The directory; each route has a directory of its name in it.
    pub directory: PathBuf,
    /// How much lies there at most, bytes, 1 MiB to 1 TiB. When it is full, nothing is fetched.
    pub bytes_max: u64,
}

impl Default for SpoolConfig {
    fn default() -> Self {
        Self { directory: PathBuf::from("spool"), bytes_max: 1 << 30 }
    }
}

/// An enumeration of the configuration: its words, in both directions.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// All words, as they are listed when another one is found.
            pub(super) const WORDS: &'static str = concat!("one of" $(, " ", $word)+);

            /// The variant of a word.
            pub(super) fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The word of the configuration.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words! {
    /// How waits grow from attempt to attempt.
    RetryStrategy {
        /// Twice as long each time.
        Exponential = "exponential",
        /// Longer by `initial_ms` each time.
        Linear = "linear",
        /// Always `initial_ms`.
        Fixed = "fixed",
        /// There is one attempt and no more.
        None = "none",
    }
}

words! {
    /// What becomes of a record whose retries are used up.
    Exhausted {
        /// It is tried on, with the longest wait between attempts.
        Keep = "keep",
        /// It is dead-lettered.
        DeadLetter = "dead_letter",
        /// It is given back to its connector.
        Return = "return",
    }
}

words! {
    /// What a route does with its records.
    Work {
        /// Each is a request: it is decoded and simulated, and the result goes on.
        Simulate = "simulate",
        /// Records go on as they are; nothing is computed.
        Forward = "forward",
    }
}

words! {
    /// When a record is settled with its connector.
    Durability {
        /// When every publisher of the route has made it durable.
        Delivered = "delivered",
        /// When it lies on the disk of the spool.
        Spooled = "spooled",
        /// When it is in memory. What was not delivered is lost with the process.
        Accepted = "accepted",
    }
}
