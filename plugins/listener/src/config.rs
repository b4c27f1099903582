//! The parts of a plugin's configuration that every listener has.

use std::fmt;

use mfn_plugin::secret::Secret;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::cause::ListenerError;

/// Who may ask. With at least one credential every request needs one of them, as
/// `Authorization: Bearer <token>` or `X-API-Key: <key>`. Credentials are never logged or shown.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, remote = "Self")]
pub struct Auth {
    /// The bearer token, 16 to 1024 visible ASCII characters: file:PATH or env:NAME, or the token itself.
    pub bearer_token: Option<Secret>,
    /// The key for the header X-API-Key; as `bearer_token`.
    pub api_key: Option<Secret>,
    /// Milliseconds for which a credential is still accepted after its file has got another. 0 to 604800000;
    /// 0: not at all.
    pub rotation_window_ms: u64,
    /// Allows an address that other machines can reach without any credential.
    pub allow_unauthenticated: bool,
}

/// Takes a table only. A token that stands in its place is refused without being repeated.
impl<'de> Deserialize<'de> for Auth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Auth;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a table such as { bearer_token = \"file:token\" } (what stands there is not shown)",
                )
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Auth, A::Error> {
                // The derived reader; `remote` keeps it apart from this one.
                Auth::deserialize(MapAccessDeserializer::new(map))
            }
            fn visit_str<E: Error>(self, _: &str) -> Result<Auth, E> {
                Err(E::custom(format_args!("expected {}", &self as &dyn serde::de::Expected)))
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<Auth, E> {
                self.visit_str("")
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<Auth, E> {
                self.visit_str("")
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Auth, E> {
                self.visit_str("")
            }
        }
        // Not `deserialize_map`: serde_json would make the error itself, with the text in it.
        deserializer.deserialize_any(Table)
    }
}

/// What one listener spends on its clients at most.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Open connections; above it a connection is answered 503 and closed. 1 to 10000.
    pub connections_max: u32,
    /// Milliseconds for a request's head to arrive, also between two requests. 10 to 600000.
    pub header_timeout_ms: u64,
    /// Milliseconds that a client may take nothing of what is written to it. 10 to 3600000.
    pub write_timeout_ms: u64,
    /// Bytes of a request's head. 8192 to 1048576. Bodies are not taken at all.
    pub header_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 128,
            header_timeout_ms: 10_000,
            write_timeout_ms: 30_000,
            header_bytes_max: 16_384,
        }
    }
}

impl Limits {
    /// Checks every range.
    ///
    /// # Errors
    /// The first field that is outside.
    pub fn validate(&self) -> Result<(), ListenerError> {
        in_range("limits.connections_max", u64::from(self.connections_max), 1, 10_000)?;
        in_range("limits.header_timeout_ms", self.header_timeout_ms, 10, 600_000)?;
        in_range("limits.write_timeout_ms", self.write_timeout_ms, 10, 3_600_000)?;
        in_range("limits.header_bytes_max", self.header_bytes_max, 8_192, 1 << 20)
    }
}

/// Checks that a configured number is within `min..=max`; `field` is its path.
///
/// # Errors
/// [`ListenerError::Range`].
pub fn in_range(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), ListenerError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(ListenerError::Range { field, value, min, max }) }
}
