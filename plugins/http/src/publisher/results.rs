//! The results of single records in the answer to a batch.
//!
//! Receivers commonly answer 200 to a batch of which they refused a part, so the status alone would lose
//! records: `{"results": [{"id": "a", "status": 200}, {"id": "b", "status": 422, "error": "no such user"}]}`.
//! A status is an HTTP status, or one of the words below. An answer that lists failures only leaves the
//! other records delivered; one that lists successes as well and forgets a record leaves that one unknown.

use std::{collections::HashMap, time::Duration};

use mfn_plugin::value::{ErrorClass, PluginError};
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use crate::client::{Reply, status};

/// The longest error text of a receiver that is passed on.
const ERROR_CHARS_MAX: usize = 200;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    results: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    status: Status,
    #[serde(default)]
    error: Option<String>,
    /// Seconds.
    #[serde(default)]
    retry_after: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    Code(u16),
    Word(String),
}

impl Status {
    fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Code(code) => status::class(*code),
            Self::Word(word) => match word.to_ascii_lowercase().as_str() {
                "ok" | "accepted" | "created" | "delivered" | "duplicate" | "success" => None,
                "throttled" => Some(ErrorClass::Throttled),
                "blocked" => Some(ErrorClass::Blocked),
                "error" | "retryable" | "retry" => Some(ErrorClass::Retryable),
                "failed" | "invalid" | "permanent" | "rejected" => Some(ErrorClass::Permanent),
                _ => Some(ErrorClass::Unknown),
            },
        }
    }
}

/// What the answer says of single records.
#[derive(Debug)]
pub(crate) enum Results {
    /// Nothing: the status holds for all.
    None,
    /// The failures by id, and the error for records that the answer forgot.
    Some { failures: HashMap<String, Option<PluginError>>, forgotten: Option<PluginError> },
    /// It can not be told, so each may have failed.
    Unreadable(PluginError),
}

impl Results {
    /// Reads an answer of status 2xx.
    pub(crate) fn read(origin: &str, reply: &Reply) -> Self {
        let unreadable = |reason: &dyn std::fmt::Display| {
            let text =
                format!("{origin}: answered {}, but its results can not be read: {reason}", reply.status);
            Self::Unreadable(PluginError::new(ErrorClass::Unknown, text))
        };
        let media_type =
            reply.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let body = match &reply.body {
            Ok(body) => body,
            Err(fault) => return unreadable(fault),
        };
        let is_json = media_type == "application/json" || media_type.ends_with("+json");
        if !is_json || body.iter().all(u8::is_ascii_whitespace) {
            return Self::None;
        }
        // Something else than an object has no results.
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return match mfn_plugin::json::read(body) {
                Ok(_) => Self::None,
                Err(reason) => unreadable(&reason),
            };
        }
        match serde_json::from_slice::<Answer>(body) {
            Err(error) => unreadable(&error),
            Ok(Answer { results: None }) => Self::None,
            Ok(Answer { results: Some(entries) }) => Self::of(origin, &entries),
        }
    }

    fn of(origin: &str, entries: &[Entry]) -> Self {
        let lists_successes = entries.iter().any(|entry| entry.status.class().is_none());
        let failures = entries.iter().map(|entry| (entry.id.clone(), entry.failure(origin))).collect();
        let forgotten = lists_successes.then(|| {
            let text = format!("{origin}: its results name other records and not this one");
            PluginError::new(ErrorClass::Unknown, text)
        });
        Self::Some { failures, forgotten }
    }

    /// The result of a record.
    pub(crate) fn result(&self, id: &str) -> Result<(), PluginError> {
        match self {
            Self::None => Ok(()),
            Self::Unreadable(error) => Err(error.clone()),
            Self::Some { failures, forgotten } => match (failures.get(id), forgotten) {
                (Some(Some(error)), _) => Err(error.clone()),
                (None, Some(error)) => Err(error.clone()),
                (Some(None), _) | (None, None) => Ok(()),
            },
        }
    }
}

impl Entry {
    fn failure(&self, origin: &str) -> Option<PluginError> {
        let class = self.status.class()?;
        let status = match &self.status {
            Status::Code(code) => code.to_string(),
            Status::Word(word) => word.chars().take(40).collect(),
        };
        let reason: String = self.error.iter().flat_map(|text| text.chars()).take(ERROR_CHARS_MAX).collect();
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let mut error =
            PluginError::new(class, format!("{origin}: the record was answered {status}{reason}"));
        if class == ErrorClass::Throttled {
            let wait = self.retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            error.retry_after = wait.map(|wait| wait.min(Duration::from_secs(86_400)));
        }
        Some(error)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    fn classes(body: &str, ids: &[&str]) -> Vec<Option<ErrorClass>> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        let reply = Reply { status: 200, headers, body: Ok(body.as_bytes().to_vec()) };
        let results = Results::read("http://h", &reply);
        ids.iter().map(|id| results.result(id).err().map(|error| error.class)).collect()
    }

    /// Guards partial failures: exactly those named fail, by code or word.
    #[test]
    fn exactly_the_named_records_fail() {
        use ErrorClass::{Permanent, Retryable, Throttled, Unknown};
        let body = r#"{"results":[{"id":"a","status":200},{"id":"b","status":422,"error":"no"},{"id":"c","status":"retry"},{"id":"d","status":429,"retry_after":2.5}]}"#;
        let expected = [None, Some(Permanent), Some(Retryable), Some(Throttled), Some(Unknown)];
        assert_eq!(classes(body, &["a", "b", "c", "d", "forgotten"]), expected);
        let only_failures = r#"{"results":[{"id":"b","status":500}]}"#;
        assert_eq!(classes(only_failures, &["a", "b"]), [None, Some(Retryable)]);
        for nothing in ["", "{}", "{\"ok\":true}", "[1]", "\"ok\"", "{\"results\":[]}", "{\"results\":null}"]
        {
            assert_eq!(classes(nothing, &["a"]), [None], "{nothing}");
        }
        for broken in ["{\"results\":[{\"id\":\"a\"", "{\"results\":7}", "{\"results\":[{\"id\":1}]}", "[1"] {
            assert_eq!(classes(broken, &["a"]), [Some(Unknown)], "{broken}");
        }
    }
}
