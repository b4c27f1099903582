//! Credentials: who the component says it is, in every request anew, so that a replaced file is taken up.

use base64::{Engine, engine::general_purpose::STANDARD};
use mfn_plugin::{
    faults::Faults,
    secret::{Secret, SecretValue},
    value::{ErrorClass, PluginError},
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use crate::secret::sensitive;

/// The value of a secret that stands in the configuration itself, and so can be checked without I/O.
pub(crate) fn literal(secret: &Secret) -> Option<SecretValue> {
    if secret.is_literal() { secret.current().ok() } else { None }
}

/// Who the component says it is. At most one of bearer token, user name and API key.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Sent as `Authorization: Bearer <token>`.
    pub bearer_token: Option<Secret>,
    /// With `password`: sent as `Authorization: Basic`.
    pub username: Option<Secret>,
    /// See `username`.
    pub password: Option<Secret>,
    /// Sent in the header `api_key_header`, or in the query where `api_key_query` is set.
    pub api_key: Option<Secret>,
    /// The header of the API key. Without it `X-API-Key`.
    pub api_key_header: Option<String>,
    /// The parameter of the query that takes the API key.
    pub api_key_query: Option<String>,
}

impl Auth {
    /// Notes what does not fit together.
    pub(crate) fn validate(&self, faults: &mut Faults) {
        let methods = [self.bearer_token.is_some(), self.username.is_some(), self.api_key.is_some()];
        let count = methods.iter().filter(|is_set| **is_set).count();
        let allowed = "at most one of bearer_token, username and api_key";
        faults.check(count <= 1, "auth", count, allowed, "leave the others out");
        let paired = self.username.is_some() == self.password.is_some();
        faults.check_secret(paired, "auth.username, auth.password", "set together", "set both or neither");
        let no_colon =
            self.username.as_ref().and_then(literal).is_none_or(|name| !name.expose().contains(':'));
        faults.check_secret(no_colon, "auth.username", "without a colon", "use another name");
        let places =
            [&self.api_key_header, &self.api_key_query].iter().filter(|place| place.is_some()).count();
        faults.check(
            places <= usize::from(self.api_key.is_some()),
            "auth.api_key_header, auth.api_key_query",
            places,
            "one of the two, with api_key",
            "leave one out, or set auth.api_key",
        );
        if let Some(name) = &self.api_key_header {
            let ok = HeaderName::from_bytes(name.as_bytes()).is_ok();
            faults.check(ok, "auth.api_key_header", name, "the name of a header", "write X-API-Key");
        }
        let secrets = [("auth.bearer_token", &self.bearer_token), ("auth.api_key", &self.api_key)];
        for (field, secret) in secrets {
            if let Some(value) = secret.as_ref().and_then(literal) {
                let ok = sensitive(value.expose()).is_some();
                faults.check_secret(ok, field, "text that a header can hold", "remove line ends and blanks");
            }
        }
    }
}

/// The checked form of [`Auth`].
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    None,
    Bearer(Secret),
    Basic(Secret, Secret),
    Header(HeaderName, Secret),
    Query(String, Secret),
}

impl Credentials {
    /// What a checked configuration names.
    pub(crate) fn new(auth: &Auth) -> Self {
        let header = auth.api_key_header.as_deref().unwrap_or("x-api-key");
        let header = HeaderName::from_bytes(header.as_bytes());
        match (&auth.bearer_token, &auth.username, &auth.password, &auth.api_key, &auth.api_key_query, header)
        {
            (Some(token), ..) => Self::Bearer(token.clone()),
            (_, Some(name), Some(password), ..) => Self::Basic(name.clone(), password.clone()),
            (.., Some(key), Some(parameter), _) => Self::Query(parameter.clone(), key.clone()),
            (.., Some(key), None, Ok(header)) => Self::Header(header, key.clone()),
            _ => Self::None,
        }
    }

    /// Puts the credentials that are valid now into a request.
    ///
    /// # Errors
    /// When a secret can not be had, or holds what a header can not.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, url: &mut Url) -> Result<(), PluginError> {
        let (name, text, field) = match self {
            Self::None => return Ok(()),
            Self::Query(parameter, key) => {
                url.query_pairs_mut().append_pair(parameter, key.current()?.expose());
                return Ok(());
            }
            Self::Bearer(token) => {
                (AUTHORIZATION, format!("Bearer {}", token.current()?.expose()), token.field())
            }
            Self::Basic(name, password) => {
                let pair =
                    Zeroizing::new(format!("{}:{}", name.current()?.expose(), password.current()?.expose()));
                (AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair.as_bytes())), name.field())
            }
            Self::Header(header, key) => (header.clone(), key.current()?.expose().to_owned(), key.field()),
        };
        let value = sensitive(&Zeroizing::new(text)).ok_or_else(|| {
            let text =
                format!("{field}: the secret has characters that no header can hold; remove line ends");
            PluginError::new(ErrorClass::Blocked, text)
        })?;
        headers.insert(name, value);
        Ok(())
    }
}
