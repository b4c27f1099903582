//! What an HTTP status means for the caller, and how long a server asks to be left alone.
//!
//! The table is the contract of delivery: an answer that is misread either loses a record or hammers a
//! server that is down.

use std::time::{Duration, SystemTime};

use mfn_plugin::value::ErrorClass;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// No server may hold records back for longer than this in one answer.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// The class of a status; `None` for success.
pub(crate) fn class(status: u16) -> Option<ErrorClass> {
    match status {
        200..=299 => None,
        // A redirect is never followed: it would carry credentials and records to a place that nobody chose.
        300..=399 => Some(ErrorClass::Permanent),
        429 | 502 | 503 | 504 => Some(ErrorClass::Throttled),
        401 | 403 | 407 => Some(ErrorClass::Blocked),
        408 | 425 => Some(ErrorClass::Retryable),
        501 | 505 => Some(ErrorClass::Permanent),
        400..=499 => Some(ErrorClass::Permanent),
        500..=599 => Some(ErrorClass::Retryable),
        _ => Some(ErrorClass::Unknown),
    }
}

/// How long `Retry-After` asks to wait, as seconds or as a date; at most a day. A date is compared with the
/// server's own `Date` where there is one, so that a wrong clock on this side does no harm.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = headers
        .get(DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default().min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    /// Guards every row of the table.
    #[test]
    fn every_status_has_its_class() {
        use ErrorClass::{Blocked, Permanent, Retryable, Throttled};
        for status in 200..600 {
            let expected = match status {
                200..=299 => None,
                429 | 502 | 503 | 504 => Some(Throttled),
                401 | 403 | 407 => Some(Blocked),
                408 | 425 => Some(Retryable),
                300..=499 | 501 | 505 => Some(Permanent),
                _ => Some(Retryable),
            };
            assert_eq!(class(status), expected, "{status}");
        }
        assert_eq!(class(999), Some(ErrorClass::Unknown));
    }

    /// Guards the reading of `Retry-After`: seconds, dates against the server's clock, and nonsense.
    #[test]
    fn retry_after_is_read_in_both_forms() {
        let wait = |after: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(after).unwrap());
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_str(date).unwrap());
            }
            retry_after(&headers)
        };
        let date = Some("Wed, 21 Oct 2015 07:27:00 GMT");
        assert_eq!(wait("7", None), Some(Duration::from_secs(7)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT", date), Some(Duration::from_secs(60)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:26:00 GMT", date), Some(Duration::ZERO));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT", None), Some(Duration::ZERO));
        assert_eq!(wait("99999999999999", None), Some(RETRY_AFTER_MAX));
        for nonsense in ["soon", "-1", "1.5", ""] {
            assert_eq!(wait(nonsense, None), None, "{nonsense}");
        }
    }
}
