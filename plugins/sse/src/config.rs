//! The configuration of the transport, with its ranges.

use mfn_listener::{Auth, Limits, ListenerError, in_range};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{queue::Overflow, ring::RingLimits};

/// Where a client begins that brings no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstEvent {
    /// With the next event that is published.
    Live,
    /// With the oldest event that is still kept: for runs that may be over before somebody connects.
    Oldest,
}

/// How events are streamed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The IP address and port to listen on. Port 0 lets the system choose.
    pub bind: String,
    /// Who may connect.
    pub auth: Auth,
    /// What the listener spends on its clients at most.
    pub limits: Limits,
    /// Origins whose browser pages may read the stream, like `https://example.org`, or `*` alone.
    pub cors_origins: Vec<String>,
    /// Clients that may stream at one time; more are answered 503. 1 to 10000, below `limits.connections_max`.
    pub clients_max: u32,
    /// Milliseconds of silence before a comment is sent to keep the connection open. 10 to 600000.
    pub heartbeat_ms: u64,
    /// Milliseconds that a client is told to wait before it comes back. 0 to 600000.
    pub retry_ms: u64,
    /// Where a client begins that brings no cursor.
    pub first_event: FirstEvent,
    /// What happens to a client whose queue is full.
    pub overflow: Overflow,
    /// Events that one client may have waiting. 1 to 1000000.
    pub client_events_max: u64,
    /// Bytes that one client may have waiting. At least `event_bytes_max`, at most 1073741824.
    pub client_bytes_max: u64,
    /// Events kept for clients that come back. 1 to 10000000.
    pub ring_events_max: u64,
    /// Bytes kept for clients that come back. At least `event_bytes_max`, at most 4294967296.
    pub ring_bytes_max: u64,
    /// Bytes of one event as it is sent; a larger one is refused. 256 to 67108864.
    pub event_bytes_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:7420".to_owned(),
            auth: Auth::default(),
            limits: Limits::default(),
            cors_origins: Vec::new(),
            clients_max: 100,
            heartbeat_ms: 15_000,
            retry_ms: 2_000,
            first_event: FirstEvent::Live,
            overflow: Overflow::Disconnect,
            client_events_max: 1_024,
            client_bytes_max: 4 << 20,
            ring_events_max: 16_384,
            ring_bytes_max: 16 << 20,
            event_bytes_max: 1 << 20,
        }
    }
}

impl Config {
    /// Checks every range and the relations between them.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn validate(&self) -> Result<(), ListenerError> {
        let clients_max = u64::from(self.limits.connections_max).saturating_sub(1).clamp(1, 10_000);
        in_range("clients_max", u64::from(self.clients_max), 1, clients_max)?;
        in_range("heartbeat_ms", self.heartbeat_ms, 10, 600_000)?;
        in_range("retry_ms", self.retry_ms, 0, 600_000)?;
        in_range("event_bytes_max", self.event_bytes_max, 256, 64 << 20)?;
        in_range("client_events_max", self.client_events_max, 1, 1_000_000)?;
        in_range("client_bytes_max", self.client_bytes_max, self.event_bytes_max, 1 << 30)?;
        in_range("ring_events_max", self.ring_events_max, 1, 10_000_000)?;
        in_range("ring_bytes_max", self.ring_bytes_max, self.event_bytes_max, 4 << 30)
    }

    /// The bounds of the ring.
    #[must_use]
    pub fn ring_limits(&self) -> RingLimits {
        RingLimits { events_max: size(self.ring_events_max), bytes_max: size(self.ring_bytes_max) }
    }
}

/// A validated number as a size; the ranges fit any machine that has the memory.
pub(crate) fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the defaults (they must pass their own checks), and that each fault names its field.
    #[test]
    fn ranges_are_checked_and_named() {
        Config::default().validate().unwrap();
        let fault = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert_eq!(fault(|c| c.clients_max = 128), "clients_max: 128 is not in 1..=127");
        assert_eq!(fault(|c| c.heartbeat_ms = 1), "heartbeat_ms: 1 is not in 10..=600000");
        assert!(fault(|c| c.client_bytes_max = 10).starts_with("client_bytes_max: 10 is not in 1048576..="));
        assert!(fault(|c| c.ring_bytes_max = 10).starts_with("ring_bytes_max: 10 is not in"));
        assert!(fault(|c| c.event_bytes_max = u64::MAX).starts_with("event_bytes_max:"));
    }
}
