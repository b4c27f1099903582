//! Why a listener cannot be configured or opened.

use std::{io, net::SocketAddr};

use mfn_plugin::{secret::SecretError, value::PluginError};

/// A fault of the configuration, or of the system when the listener opens. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// The bind address does not parse.
    #[error("bind: {value:?} is not an IP address with a port; write it like 127.0.0.1:7420 or [::1]:7420")]
    Address {
        /// What was configured.
        value: String,
    },
    /// A number is outside its range.
    #[error("{field}: {value} is not in {min}..={max}")]
    Range {
        /// The field's path.
        field: &'static str,
        /// What was configured.
        value: u64,
        /// The least allowed value.
        min: u64,
        /// The greatest allowed value.
        max: u64,
    },
    /// Other machines could connect, and nothing asks them who they are.
    #[error(
        "bind: {address} can be reached from other machines and no credential is set; set \
         auth.bearer_token or auth.api_key, bind to 127.0.0.1, or set \
         auth.allow_unauthenticated = true"
    )]
    Exposed {
        /// What was configured.
        address: SocketAddr,
    },
    /// A credential that is too short or cannot stand in a header.
    #[error(
        "{field}: a credential has 16 to 1024 visible ASCII characters, this one does not ({length} bytes)"
    )]
    Credential {
        /// The field's path.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// A credential cannot be had from where the configuration says it is.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// An origin that no browser sends.
    #[error(
        "cors_origins: {value:?} is not an origin; write scheme and host like https://example.org, without a path"
    )]
    Origin {
        /// What was configured.
        value: String,
    },
    /// The address cannot be bound.
    #[error("bind: {address}: {source}")]
    Bind {
        /// What was configured.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The thread or its runtime could not be started.
    #[error("the listener's thread could not be started: {source}")]
    Thread {
        /// Why.
        source: io::Error,
    },
}

impl From<ListenerError> for PluginError {
    fn from(error: ListenerError) -> Self {
        match &error {
            ListenerError::Secret(secret) => Self::new(secret.class(), error.to_string()),
            ListenerError::Bind { source, .. } | ListenerError::Thread { source } => {
                let class = Self::io("", source).class;
                Self::new(class, error.to_string())
            }
            _ => Self::permanent(error.to_string()),
        }
    }
}
