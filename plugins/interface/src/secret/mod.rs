//! Secrets in a configuration: where a value comes from, how it is held, how it is replaced while the
//! plugin works.
//!
//! A plugin declares a token, a key or a password as [`Secret`]. What stands in the configuration is then
//! `env:NAME` or `file:PATH`, which the plugin resolves itself: the value never crosses the library
//! boundary, and the host has nothing to keep, print or log. A text that is no reference is the secret
//! itself; `literal:` in front lets it begin like a reference. The field's JSON Schema carries
//! [`SCHEMA_MARK`], by which a host knows which fields are secrets.
//!
//! A file is looked at again on use, at most once a second, so a new key is taken up without a restart.
//! Values are wiped when the last holder lets go of them, and no text form shows them.
//!
//! ```
//! use mfn_plugin::secret::Secret;
//!
//! #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
//! struct Config {
//!     /// Who we are.
//!     token: Secret,
//! }
//! let config: Config = serde_json::from_str(r#"{ "token": "correct horse" }"#).unwrap();
//! assert_eq!(config.token.current().unwrap().expose(), "correct horse");
//! assert_eq!(format!("{config:?}"), "Config { token: *** }");
//! ```

mod error;
mod fields;
mod held;
mod scope;
mod source;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

pub use error::{SecretError, SecretFault};
pub use fields::{SecretField, SecretForm, fields};
use held::Held;
pub use scope::wipe;
pub(crate) use scope::{Secrets, read_config};
use source::Source;

/// The keyword that marks a secret in a JSON Schema: `"x-mfn-secret": true`, or `"maybe"` for a value that may be
/// one, of which no host warns when it stands in the configuration as it is.
pub const SCHEMA_MARK: &str = "x-mfn-secret";

/// The largest secret, bytes: room for a key with its chain of certificates.
pub const BYTES_MAX: usize = 65_536;

/// How long a look at a file is good for. A replaced file is taken up by the first use after it, or by one
/// half a second later where the file was still being written.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What is shown in place of a secret.
const HIDDEN: &str = "***";

/// A secret of the configuration. Cheap to clone; clones share the value and its replacement. Any thread
/// may use it.
#[derive(Clone)]
pub struct Secret {
    inner: Arc<Inner>,
}

struct Inner {
    /// The path of the field, where it is known.
    field: String,
    source: Source,
    held: Mutex<Held>,
}

impl Secret {
    /// A secret that is given as it is, for tests and for hosts that have it from elsewhere.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self::new("", Source::literal(text))
    }

    /// Reads what stands in a configuration: `env:NAME`, `file:PATH`, `literal:TEXT` or the text itself. A
    /// relative path starts at `base_dir`; `field` is the path of the field, for errors. Does no I/O.
    ///
    /// # Errors
    /// [`SecretFault::Name`] for a variable with an impossible name, [`SecretFault::Path`] for an empty path,
    /// [`SecretFault::Empty`] and [`SecretFault::TooLarge`] for a literal.
    pub fn parse(field: &str, text: &str, base_dir: &Path) -> Result<Self, SecretError> {
        let source = Source::parse(text, base_dir);
        Ok(Self::new(field, source.map_err(|(shown, fault)| SecretError::new(field, shown, fault))?))
    }

    fn new(field: &str, source: Source) -> Self {
        Self { inner: Arc::new(Inner { field: field.to_owned(), source, held: Mutex::default() }) }
    }

    /// The value to use now. Looks at a file when the last look is more than [`LOOK_INTERVAL`] ago; a
    /// variable is read once. A file that can not be read any more leaves the last value in use and is
    /// logged, because a rotation may take it away for a moment.
    ///
    /// # Errors
    /// While there has never been a value: a missing variable or file, an empty or too large one, one that
    /// is not UTF-8.
    pub fn current(&self) -> Result<SecretValue, SecretError> {
        self.held().current(&self.inner.field, &self.inner.source, Instant::now())
    }

    /// The value to use now, then the one before it while its window is open
    /// ([`keep_previous`](Self::keep_previous)): a signer signs with all, so that no reader is left behind.
    ///
    /// # Errors
    /// As [`current`](Self::current).
    pub fn all_valid(&self) -> Result<Vec<SecretValue>, SecretError> {
        let mut held = self.held();
        let current = held.current(&self.inner.field, &self.inner.source, Instant::now())?;
        Ok(std::iter::once(current).chain(held.previous()).collect())
    }

    /// Keeps a replaced value valid for `window` from its replacement; without it a replaced value is wiped
    /// at once. Holds for later replacements, and for all clones.
    pub fn keep_previous(&self, window: Duration) {
        self.held().window = window;
    }

    /// Reads the source now, without a change of what is in use: what `check` of a component asks.
    ///
    /// # Errors
    /// As [`current`](Self::current), also when a value is in use.
    pub fn check(&self) -> Result<(), SecretError> {
        self.inner.source.read().map(drop).map_err(|fault| self.error(fault))
    }

    /// The path of its field in the configuration; empty where it was made by hand.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.inner.field
    }

    /// Whether the secret itself stands in the configuration.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self.inner.source, Source::Literal(_))
    }

    /// Says what is unwise about the source though it can be used, such as a file that everybody can read.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.inner.source.warning().map(|text| format!("{}: {text}", self.inner.field))
    }

    fn error(&self, fault: SecretFault) -> SecretError {
        SecretError::new(&self.inner.field, self.inner.source.shown(), fault)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One value of a secret. It is wiped when its last clone is dropped.
#[derive(Clone)]
pub struct SecretValue {
    text: Arc<SecretString>,
    version: u64,
}

impl SecretValue {
    /// The secret itself. Do not copy it into memory that is not wiped.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Counts the values that its [`Secret`] has had, from 1: what was made from the value can be kept
    /// as long as this number stays.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string in quotes (what stands there is not shown)")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
                scope::secret(text).map_err(E::custom)
            }
            // A secret that is written as a number is one all the same: the default would repeat it.
            fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::custom(format_args!("expected {}", &self as &dyn serde::de::Expected)))
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
                self.visit_i64(0)
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
                self.visit_i64(0)
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<Secret, E> {
                self.visit_i64(0)
            }
        }
        // Not `deserialize_str`: serde_json would make the error itself, with the value in it.
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-mfn-secret": true })
    }
}

macro_rules! hidden {
    ($($type:ty),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(HIDDEN)
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(HIDDEN)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(HIDDEN)
            }
        }
    )*};
}
hidden!(Secret, SecretValue);
