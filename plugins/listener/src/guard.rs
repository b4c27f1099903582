//! What every request passes before a plugin sees it: counting, credentials, no body.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::HttpBody,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{meter::Meter, plan::Credentials};

/// What the guard compares with.
pub(crate) struct Guard {
    pub(crate) credentials: Credentials,
    /// The paths that need no credential.
    pub(crate) public_paths: &'static [&'static str],
    /// Whether the `Host` header has to name this machine; see [`names_this_machine`].
    pub(crate) local_names_only: bool,
    pub(crate) meter: Arc<Meter>,
}

/// Counts a request, refuses it, or passes it on.
pub(crate) async fn pass(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let endpoint = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str);
    let running = guard.meter.begin(endpoint, request.method());
    let response = match guard.refusal(&request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    running.answered(response.status().as_u16());
    response
}

impl Guard {
    fn refusal(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        if self.local_names_only && !headers.get(header::HOST).is_none_or(names_this_machine) {
            let text = "this listener has no credential and answers to localhost or an IP address only\n";
            return Some((StatusCode::FORBIDDEN, text).into_response());
        }
        if !self.public_paths.contains(&request.uri().path()) && !self.admits(headers) {
            // The same answer for a wrong and a missing credential: nothing to learn from it.
            let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mfn\""))];
            let text = "a valid credential is needed\n";
            return Some((StatusCode::UNAUTHORIZED, challenge, text).into_response());
        }
        if !request.body().is_end_stream() {
            // Nothing here reads a body, so the connection cannot go on behind it.
            let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
            let text = "a request must not have a body here\n";
            return Some((StatusCode::PAYLOAD_TOO_LARGE, close, text).into_response());
        }
        None
    }

    /// Whether one of the credentials is presented. Both are always compared, so the time does not tell
    /// which of them matched.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let Credentials { bearer, api_key } = &self.credentials;
        if self.credentials.is_empty() {
            return true;
        }
        let presented = headers.get(header::AUTHORIZATION).and_then(|value| bearer_token(value.as_bytes()));
        let by_token = bearer.as_ref().is_some_and(|bearer| bearer.accepts(presented.unwrap_or_default()));
        let presented = headers.get("x-api-key").map(HeaderValue::as_bytes);
        let by_key = api_key.as_ref().is_some_and(|key| key.accepts(presented.unwrap_or_default()));
        by_token | by_key
    }
}

/// The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer_token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

/// Whether a `Host` header is `localhost` or an IP address. A page on another site can make a browser
/// resolve its own name to 127.0.0.1 and so read an open local listener (DNS rebinding), but it
/// cannot change the name that the browser sends.
fn names_this_machine(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _)) => v6,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the parsing of names against the forms that a port and IPv6 brackets make.
    #[test]
    fn host_names_are_told_from_addresses() {
        for local in ["localhost", "LOCALHOST:7420", "127.0.0.1:1", "10.0.0.7", "[::1]:7420", "[::1]"] {
            assert!(names_this_machine(&HeaderValue::from_static(local)), "{local}");
        }
        for foreign in ["example.org", "127.0.0.1.example.org:80", "localhost.example.org", "", "[evil]:1"] {
            assert!(!names_this_machine(&HeaderValue::from_static(foreign)), "{foreign}");
        }
    }

    /// Guards the scheme: any case is right, another scheme or a bare token is not.
    #[test]
    fn only_the_bearer_scheme_carries_a_token() {
        assert_eq!(bearer_token(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer_token(b"bEARER abc"), Some(&b"abc"[..]));
        for other in [&b"Basic abc"[..], b"abc", b"", b"Bearerabc"] {
            assert_eq!(bearer_token(other), None);
        }
    }
}
