//! The configuration of the exporter, with its ranges.

use mfn_listener::{Auth, Limits, ListenerError, in_range};
use schemars::JsonSchema;
use serde::Deserialize;

/// How metrics are shown.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The IP address and port to listen on. Port 0 lets the system choose.
    pub bind: String,
    /// Who may scrape. `/healthz` answers everyone.
    pub auth: Auth,
    /// What the listener spends on its clients at most.
    pub limits: Limits,
    /// Scrapes that may be under way at one time, from the request to the last byte; more are answered
    /// 503. 1 to 1000.
    pub scrapes_max: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:7421".to_owned(),
            auth: Auth::default(),
            limits: Limits { connections_max: 32, ..Limits::default() },
            scrapes_max: 8,
        }
    }
}

impl Config {
    /// Checks every range.
    ///
    /// # Errors
    /// The first field that does not fit.
    pub fn validate(&self) -> Result<(), ListenerError> {
        in_range("scrapes_max", u64::from(self.scrapes_max), 1, 1_000)
    }
}
