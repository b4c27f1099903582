//! Credentials: held as secrets, compared as digests in constant time.
//!
//! A comparison that stops at the first difference tells an attacker how much of a guess was right.
//! Both sides are hashed first, so neither the time nor the work depends on the length of the secret.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use mfn_plugin::secret::{Secret, SecretError, SecretValue};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::cause::ListenerError;

const LENGTH_MIN: usize = 16;
const LENGTH_MAX: usize = 1024;

/// What a request has to present. A replaced file is taken up while requests come.
pub(crate) struct Credential {
    field: &'static str,
    secret: Secret,
    digests: Mutex<Vec<Accepted>>,
}

/// A value that is accepted now.
struct Accepted {
    version: u64,
    /// `None`: the value breaks the rules for credentials, so nothing matches it.
    digest: Option<Zeroizing<[u8; 32]>>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential")
    }
}

impl Credential {
    /// Checks what can be checked without I/O: a secret that stands in the configuration itself.
    pub(crate) fn new(field: &'static str, secret: &Secret, window: Duration) -> Result<Self, ListenerError> {
        secret.keep_previous(window);
        let credential = Self { field, secret: secret.clone(), digests: Mutex::default() };
        if secret.is_literal() {
            credential.check()?;
        }
        Ok(credential)
    }

    /// Reads the secret from where it is, and checks it.
    pub(crate) fn check(&self) -> Result<(), ListenerError> {
        let named = |mut error: SecretError| {
            // Where the plugin's kit has not read the configuration.
            if error.field.is_empty() {
                error.field = self.field.to_owned();
            }
            error
        };
        self.secret.check().map_err(named)?;
        let value = self.secret.current().map_err(named)?;
        if fits(&value) {
            return Ok(());
        }
        Err(ListenerError::Credential { field: self.field, length: value.expose().len() })
    }

    /// Whether `presented` is the secret, or the one before it within its window, in a time that does not
    /// depend on how alike they are. Nothing is while the secret cannot be had.
    pub(crate) fn accepts(&self, presented: &[u8]) -> bool {
        let valid = self.secret.all_valid().unwrap_or_default();
        let presented = digest(presented);
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.retain(|known| valid.iter().any(|value| value.version() == known.version));
        for value in &valid {
            if digests.iter().all(|known| known.version != value.version()) {
                digests.push(self.accepted(value));
            }
        }
        let matches = |known: &Accepted| {
            known.digest.as_ref().map_or(Choice::from(0), |digest| digest.ct_eq(presented.as_slice()))
        };
        digests.iter().map(matches).fold(Choice::from(0), |any, one| any | one).into()
    }

    fn accepted(&self, value: &SecretValue) -> Accepted {
        let digest = fits(value).then(|| digest(value.expose().as_bytes()));
        if digest.is_none() {
            let length = value.expose().len();
            let error = ListenerError::Credential { field: self.field, length };
            tracing::error!(%error, "the new credential is not used");
        }
        Accepted { version: value.version(), digest }
    }
}

fn fits(value: &SecretValue) -> bool {
    let text = value.expose();
    (LENGTH_MIN..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn digest(secret: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::digest(secret).into())
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Instant};

    use super::*;

    fn credential(text: &str) -> Result<Credential, ListenerError> {
        Credential::new("auth.api_key", &Secret::literal(text), Duration::ZERO)
    }

    /// Guards the comparison: only the whole secret is accepted, not a prefix, not a longer one.
    #[test]
    fn only_the_secret_itself_is_accepted() {
        let credential = credential("correct-horse-battery").unwrap();
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
        for weak in ["short", "with a space inside it", "zeilenumbruch\nmittendrin", "ümlautümlautümlaut"]
        {
            let error = credential(weak).unwrap_err();
            assert!(matches!(error, ListenerError::Credential { .. }));
            assert!(!format!("{error} {error:?}").contains(weak));
        }
    }

    /// Guards the file form: a file that is missing or too long is a typed error, a replaced one is accepted
    /// within five seconds, the one before it for its window, and one that breaks the rules never.
    #[test]
    fn a_credential_is_replaced_while_it_is_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let secret = Secret::parse("auth.bearer_token", "file:token", directory.path()).unwrap();
        let credential = Credential::new("auth.bearer_token", &secret, Duration::from_secs(2)).unwrap();
        assert!(matches!(credential.check().unwrap_err(), ListenerError::Secret(_)));
        assert!(!credential.accepts(b""));
        write(&path, "0123456789abcdef0123\r\n");
        credential.check().unwrap();
        assert!(credential.accepts(b"0123456789abcdef0123"));
        write(&path, "another-0123456789ab\n");
        await_that(|| credential.accepts(b"another-0123456789ab"));
        assert!(credential.accepts(b"0123456789abcdef0123"), "the window is open");
        await_that(|| !credential.accepts(b"0123456789abcdef0123"));
        write(&path, "weak");
        await_that(|| !credential.accepts(b"another-0123456789ab"));
        assert!(!credential.accepts(b"weak"));
        assert!(matches!(credential.check().unwrap_err(), ListenerError::Credential { .. }));
    }

    /// Replaces a file whole, as a rotation should.
    fn write(path: &Path, text: &str) {
        let beside = path.with_extension("new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(&beside, path).unwrap();
    }

    fn await_that(holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(5));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
