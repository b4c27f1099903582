//! The configuration of the exporter, with its ranges.

use mfn_listener::{Auth, Limits, ListenerError, in_range};
use schemars::JsonSchema;
use serde::Deserialize;

/// Who may ask whether the host lives and is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Probes {
    /// Everybody who reaches the listener: supervisors seldom have a credential.
    Public,
    /// Who may scrape.
    Guarded,
    /// Nobody: the paths do not exist.
    Off,
}

/// How metrics are shown.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The IP address and port to listen on. Port 0 lets the system choose.
    pub bind: String,
    /// Who may scrape. `/healthz` answers everyone, `/livez` and `/readyz` as `probes` says.
    pub auth: Auth,
    /// What the listener spends on its clients at most.
    pub limits: Limits,
    /// Who may ask `/livez` and `/readyz`, which answer with one word. `/health` has the reasons and always
    /// asks for the credential, where one is set.
    pub probes: Probes,
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
            probes: Probes::Public,
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
