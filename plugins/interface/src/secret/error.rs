//! Why a secret can not be had. No text holds a value.

use crate::value::{ErrorClass, PluginError};

use super::BYTES_MAX;

/// A secret that can not be had, with the field that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{shown}: {fault}", if field.is_empty() { String::new() } else { format!("{field}: ") })]
pub struct SecretError {
    /// The path of the field in the component's configuration; empty where it is not known.
    pub field: String,
    /// The source as it may be shown: `env:NAME`, `file:PATH`, `env:`, or `literal`.
    pub shown: String,
    /// What is wrong.
    pub fault: SecretFault,
}

/// What is wrong with the source of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// The name can not be that of a variable. It is not shown: it may be a secret that begins so.
    #[error(
        "no name of a variable follows; give letters, digits and _, or put literal: before a secret that \
         begins with env:"
    )]
    Name,
    /// No path follows.
    #[error("no path follows; give one, or put literal: before a secret that begins with file:")]
    Path,
    /// The process has no such variable.
    #[error("the variable is not set; set it before the process starts")]
    Unset,
    /// The file can not be read.
    #[error("{message}; put the secret there and make the file readable for this process")]
    Unreadable {
        /// What the system said.
        message: String,
    },
    /// There is something else in the place of the file.
    #[error("not a regular file; give the path of a file that holds the secret")]
    NotAFile,
    /// Nothing but a line end, or nothing at all.
    #[error("empty; put the secret there")]
    Empty,
    /// Above the limit.
    #[error("more than {BYTES_MAX} bytes; is this the right place?")]
    TooLarge,
    /// Bytes that are no text.
    #[error("not UTF-8; encode the secret as text, for example as base64")]
    NotText,
}

impl SecretError {
    pub(super) fn new(field: &str, shown: String, fault: SecretFault) -> Self {
        Self { field: field.to_owned(), shown, fault }
    }

    /// What the caller should do: a file may still be put right while the process runs, a variable not.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        if self.shown.starts_with("file:") { ErrorClass::Blocked } else { ErrorClass::Permanent }
    }
}

impl From<SecretError> for PluginError {
    fn from(error: SecretError) -> Self {
        Self::new(error.class(), error.to_string())
    }
}
