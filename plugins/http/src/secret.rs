//! Texts of a configuration that are not shown though they are no credentials: URLs, headers, bodies.
//!
//! Receivers put credentials into the query, the user part and often the path of a URL, and operators put them
//! into headers, so of a URL nothing but scheme, host and port is ever shown, and of the others nothing.

use std::fmt;

use reqwest::header::HeaderValue;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, Visitor},
};
use url::Url;

/// A text of the configuration that is not shown, and wiped when it is dropped.
#[derive(Clone)]
pub struct Hidden(SecretString);

impl Hidden {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// The text, for the one place that needs it.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The text as the value of a header that no library shows; `None` when it has characters that no
    /// header can hold.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        sensitive(self.expose())
    }
}

/// A header value that libraries do not show.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl JsonSchema for Hidden {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hidden".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// What stands where a secret is expected is refused without being repeated: a token that is written
/// as a number is a secret all the same.
impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Hidden;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string in quotes (what stands there is not shown)")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Hidden, E> {
                Ok(Hidden::new(text))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Hidden, E> {
                Ok(Hidden(SecretString::from(text)))
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<Hidden, E> {
                Err(E::custom("expected a string in quotes (what stands there is not shown)"))
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<Hidden, E> {
                self.visit_i64(0)
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Hidden, E> {
                self.visit_i64(0)
            }
        }
        // Not `deserialize_str`: serde_json would make the error itself, with the value in it.
        deserializer.deserialize_any(Text)
    }
}

/// Reads a table whose fields hold secrets. A secret that stands in the table's place is refused without
/// being repeated.
pub(crate) fn table<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    if !value.is_object() {
        return Err(D::Error::custom("expected a table (what stands there is not shown)"));
    }
    T::deserialize(value).map_err(D::Error::custom)
}

/// Scheme, host and port of a URL: all of it that may be shown.
pub(crate) fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the refusals: whatever stands in a secret's place, the message does not repeat it.
    #[test]
    fn what_is_no_text_is_refused_without_being_shown() {
        for wrong in ["8675309", "-8675309", "8675309.5", "[8675309]", "{\"8675309\":1}"] {
            let error = serde_json::from_str::<Hidden>(wrong).unwrap_err().to_string();
            assert!(!error.contains("8675309"), "{error}");
        }
        assert_eq!(format!("{:?}", Hidden::new("canary")), "***");
    }

    /// Guards what is shown of a URL: neither user, nor path, nor query.
    #[test]
    fn only_the_origin_of_a_url_is_shown() {
        let url = Url::parse("https://user:pass@example.org:8443/hooks/T0/B1?key=canary#x").unwrap();
        assert_eq!(origin(&url), "https://example.org:8443");
    }
}
