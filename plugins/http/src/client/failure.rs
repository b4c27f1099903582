//! Why a request has no usable answer, and what the caller should do about it.
//!
//! No text here holds a URL: reqwest puts it into its errors, so it is taken out first.

use std::error::Error;

use mfn_plugin::value::{ErrorClass, PluginError};

use super::dns::PrivateAddress;

/// A request without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It was not sent: all connections were busy until its time was over.
    #[error(
        "{origin}: not sent, the time of the call was over before its turn came; allow more time or connections"
    )]
    Crowded { origin: String },
    /// It was not sent: the name leads to an address that is not allowed.
    #[error("{origin}: not sent: {reason}")]
    Private { origin: String, reason: String },
    /// It was not sent: there is no connection.
    #[error("{origin}: not sent, no connection: {reason}")]
    Unreachable { origin: String, reason: String },
    /// It was not sent: it is no request that HTTP can carry.
    #[error("{origin}: not sent, it is no valid request: {reason}")]
    Invalid { origin: String, reason: String },
    /// It was not sent: a secret that it needs can not be had.
    #[error("{0}")]
    Credential(PluginError),
    /// It may have arrived, but there is no answer.
    #[error("{origin}: no answer: {reason}")]
    Unanswered { origin: String, reason: String },
}

impl Failure {
    /// Sorts an error of reqwest that came before the answer's head.
    pub(crate) fn of(origin: &str, error: reqwest::Error) -> Self {
        let origin = origin.to_owned();
        if let Some(private) = find::<PrivateAddress>(&error) {
            return Self::Private { origin, reason: private.to_string() };
        }
        let (is_builder, is_connect) = (error.is_builder(), error.is_connect());
        let reason = chain(error);
        if is_builder {
            Self::Invalid { origin, reason }
        } else if is_connect {
            Self::Unreachable { origin, reason }
        } else {
            Self::Unanswered { origin, reason }
        }
    }

    /// The error of a component. `is_delivery` says whether the request brought something that the server
    /// may now have: then no answer is not the same as no effect.
    pub(crate) fn error(&self, is_delivery: bool) -> PluginError {
        let class = match self {
            Self::Crowded { .. } | Self::Unreachable { .. } => ErrorClass::Retryable,
            Self::Private { .. } => ErrorClass::Blocked,
            Self::Credential(error) => return error.clone(),
            Self::Invalid { .. } => ErrorClass::Permanent,
            Self::Unanswered { .. } if is_delivery => ErrorClass::Unknown,
            Self::Unanswered { .. } => ErrorClass::Retryable,
        };
        PluginError::new(class, self.to_string())
    }
}

/// What is wrong with an answer's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyFault {
    /// The connection ended before the body did.
    #[error("the body was cut off: {0}")]
    Interrupted(String),
    /// It did not end in time.
    #[error("the body did not end within {timeout_ms} ms")]
    Slow { timeout_ms: u128 },
    /// It is above the limit.
    #[error("the body has more than {limit} bytes; raise client.response_bytes_max or ask for smaller pages")]
    TooLarge { limit: usize },
    /// It came whole and can not be decompressed.
    #[error("the body can not be read: {0}")]
    Undecodable(String),
}

impl BodyFault {
    /// Whether the server has said all of it, so that asking again is no remedy.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::Undecodable(_))
    }
}

/// The texts of an error and its causes, without the URL.
pub(crate) fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// The cause of a type, however deep.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
