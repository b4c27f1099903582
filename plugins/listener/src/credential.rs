//! Credentials: read once, kept as digests, compared in constant time.
//!
//! A comparison that stops at the first difference tells an attacker how much of a guess was right.
//! Both sides are hashed first, so neither the time nor the work depends on the length of the secret.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cause::ListenerError;

const LENGTH_MIN: usize = 16;
const LENGTH_MAX: usize = 1024;

/// Where a credential comes from; the file is read when the listener opens.
#[derive(Clone)]
pub(crate) enum Source {
    Value(Credential),
    File { field: &'static str, path: PathBuf },
}

impl Source {
    /// Checks one credential's pair of fields; `None` where neither is set. `resolve` makes a path absolute.
    pub(crate) fn new(
        field: &'static str,
        file_field: &'static str,
        value: Option<&SecretString>,
        file: Option<&Path>,
        resolve: impl Fn(&Path) -> PathBuf,
    ) -> Result<Option<Self>, ListenerError> {
        match (value, file) {
            (Some(_), Some(_)) => Err(ListenerError::GivenTwice { field }),
            (Some(secret), None) => {
                Credential::new(field, secret.expose_secret()).map(|c| Some(Self::Value(c)))
            }
            (None, Some(path)) => Ok(Some(Self::File { field: file_field, path: resolve(path) })),
            (None, None) => Ok(None),
        }
    }

    /// The credential, read from its file where it is in one.
    pub(crate) fn read(&self) -> Result<Credential, ListenerError> {
        match self {
            Self::Value(credential) => Ok(credential.clone()),
            Self::File { field, path } => {
                let text = read_secret(path).map_err(|source| ListenerError::CredentialFile {
                    field,
                    path: path.clone(),
                    source,
                })?;
                Credential::new(field, text.trim_end_matches(['\r', '\n']))
            }
        }
    }
}

/// Reads a small text file into memory that is wiped afterwards.
fn read_secret(path: &Path) -> io::Result<Zeroizing<String>> {
    // Room for every allowed secret at once: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(LENGTH_MAX + 4));
    File::open(path)?.take(LENGTH_MAX as u64 + 3).read_to_string(&mut text)?;
    Ok(text)
}

/// The SHA-256 of a secret; the secret itself is not kept.
#[derive(Clone)]
pub(crate) struct Credential {
    digest: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential")
    }
}

impl Credential {
    fn new(field: &'static str, secret: &str) -> Result<Self, ListenerError> {
        let length = secret.len();
        let fits = (LENGTH_MIN..=LENGTH_MAX).contains(&length);
        if !fits || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ListenerError::Credential { field, length });
        }
        Ok(Self { digest: digest(secret.as_bytes()) })
    }

    /// Whether `presented` is the secret, in a time that does not depend on how alike they are.
    pub(crate) fn accepts(&self, presented: &[u8]) -> bool {
        self.digest.ct_eq(digest(presented).as_slice()).into()
    }
}

fn digest(secret: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::digest(secret).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the comparison: only the whole secret is accepted, not a prefix, not a longer one.
    #[test]
    fn only_the_secret_itself_is_accepted() {
        let credential = Credential::new("auth.api_key", "correct-horse-battery").unwrap();
        assert!(credential.accepts(b"correct-horse-battery"));
        for wrong in [&b""[..], b"correct-horse-batter", b"correct-horse-battery ", b"Correct-horse-battery"]
        {
            assert!(!credential.accepts(wrong));
        }
    }

    /// Guards against credentials that cannot be sent in a header or guessed in an afternoon, and that
    /// the refusal does not repeat them.
    #[test]
    fn weak_credentials_are_refused_without_being_shown() {
        for weak in ["", "short", "with a space inside it", "zeilenumbruch\nmittendrin", "ümlautümlautümlaut"]
        {
            let error = Credential::new("auth.bearer_token", weak).unwrap_err();
            assert!(matches!(error, ListenerError::Credential { .. }));
            assert!(weak.is_empty() || !format!("{error} {error:?}").contains(weak));
        }
    }

    /// Guards the file form: the line end of an editor is not part of the secret, and a file that is
    /// missing or too long is a typed error.
    #[test]
    fn a_credential_is_read_from_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let source = Source::File { field: "auth.bearer_token_file", path: path.clone() };
        assert!(matches!(source.read().unwrap_err(), ListenerError::CredentialFile { .. }));
        std::fs::write(&path, "0123456789abcdef0123\r\n").unwrap();
        assert!(source.read().unwrap().accepts(b"0123456789abcdef0123"));
        std::fs::write(&path, "x".repeat(100_000)).unwrap();
        assert!(matches!(source.read().unwrap_err(), ListenerError::Credential { .. }));
    }
}
