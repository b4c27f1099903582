//! Signatures of Standard Webhooks: HMAC-SHA256 over the id, the time and the exact bytes of the body.
//!
//! During a rotation every request carries the signature of each valid key, so a receiver that knows any one
//! of them can verify it.

use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use mfn_plugin::{
    author::Result,
    faults::Faults,
    secret::Secret,
    value::{ErrorClass, PluginError},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::client::auth::literal;

/// Keys at the same time at most.
const KEYS_MAX: usize = 8;
/// What the standard allows, bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const KEY_FORM: &str = "`whsec_` and 24 to 64 bytes in base64";
/// The longest record id that is used as it is.
const ID_MAX: usize = 128;

/// One key, ready for use and wiped at its end.
struct SigningKey(Zeroizing<Vec<u8>>);

impl SigningKey {
    /// Reads `whsec_` and base64.
    fn new(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.strip_prefix("whsec_")?).ok()?);
        KEY_BYTES.contains(&bytes.len()).then_some(Self(bytes))
    }

    fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        Some(STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Notes what is wrong with the keys of a configuration that stand in it.
pub(crate) fn validate(secrets: &[Secret], faults: &mut Faults) {
    let count = secrets.len();
    faults.check(
        count <= KEYS_MAX,
        "secrets",
        count,
        "at most 8 keys",
        "leave out the keys that no receiver uses",
    );
    for (index, secret) in secrets.iter().enumerate() {
        let ok = literal(secret).is_none_or(|value| SigningKey::new(value.expose()).is_some());
        let fix = "make one with `openssl rand -base64 32`";
        faults.check_secret(ok, &format!("secrets[{index}]"), KEY_FORM, fix);
    }
}

/// The value of `webhook-signature`: one signature for each key that is valid now, separated by spaces; `None`
/// without a key.
///
/// # Errors
/// When a secret can not be had or is no key.
pub(crate) fn sign(secrets: &[Secret], id: &str, timestamp: &str, body: &[u8]) -> Result<Option<String>> {
    let mut signatures = Vec::new();
    for secret in secrets {
        for value in secret.all_valid()? {
            let signature = SigningKey::new(value.expose()).and_then(|key| key.sign(id, timestamp, body));
            let signature = signature.ok_or_else(|| {
                let text = format!("{}: the secret is not {KEY_FORM}; put a key there", secret.field());
                PluginError::new(ErrorClass::Blocked, text)
            })?;
            signatures.push(format!("v1,{signature}"));
        }
    }
    Ok((!signatures.is_empty()).then(|| signatures.join(" ")))
}

/// Seconds since the Unix epoch, as text.
pub(crate) fn timestamp() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs().to_string()
}

/// The `webhook-id` of a record: its id where that can stand in a header, otherwise a digest of it. A full
/// stop is not allowed in it, as it separates the parts of what is signed.
pub(crate) fn id_of_record(id: &str) -> String {
    let fits = !id.is_empty()
        && id.len() <= ID_MAX
        && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if fits { id.to_owned() } else { digest([id]) }
}

/// The `webhook-id` of a batch: the same for the same records in the same order.
pub(crate) fn id_of_batch<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    digest(ids)
}

fn digest<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for id in ids {
        // With its length, so that no two lists run together to the same bytes.
        hasher.update((id.len() as u64).to_le_bytes());
        hasher.update(id);
    }
    let digits: String = hasher.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
    format!("msg_{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// Guards the signature with the example of the Standard Webhooks specification.
    #[test]
    fn the_example_of_the_specification_is_reproduced() {
        let body = br#"{"test": 2432232314}"#;
        let keys = [Secret::literal(KEY)];
        let signature = sign(&keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body).unwrap();
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    /// Guards the ids: the record's own where it is safe in a header and in what is signed.
    #[test]
    fn ids_are_the_records_own_where_they_fit() {
        assert_eq!(id_of_record("order-17/a"), "order-17/a");
        for odd in ["a.b", "", "a b", "a\nb", "ü", &"x".repeat(129)] {
            assert!(id_of_record(odd).starts_with("msg_"), "{odd}");
        }
        assert_eq!(id_of_batch(["a", "b"]), id_of_batch(["a", "b"]));
        assert_ne!(id_of_batch(["ab"]), id_of_batch(["a", "b"]));
        assert_ne!(id_of_batch(["a", "b"]), id_of_batch(["b", "a"]));
    }

    /// Guards against keys that only look like one, and that they are not shown.
    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in ["whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!"] {
            let mut faults = Faults::default();
            validate(&[Secret::literal(wrong)], &mut faults);
            let text = faults.finish().unwrap_err().message;
            assert!(text.starts_with("secrets[0]: ") && (wrong.len() < 7 || !text.contains(wrong)), "{text}");
        }
    }
}
