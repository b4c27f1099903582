//! `GET /events` and `GET /events/{topic}`: reads what a client asks for and admits it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use mfn_listener::Connection;

use crate::{
    client::Filter,
    cursor::{self, Position},
    frame::topic_fault,
    hub::Hub,
    stream::ClientStream,
};

/// The most topics of one request.
const TOPICS_MAX: usize = 64;

#[derive(Clone)]
struct Serving {
    hub: Arc<Hub>,
    heartbeat: Duration,
}

/// The routes of the transport.
pub fn router(hub: Arc<Hub>, heartbeat: Duration) -> Router {
    Router::new()
        .route("/events", get(of_query))
        .route("/events/{topic}", get(of_path))
        .with_state(Serving { hub, heartbeat })
}

async fn of_query(
    State(serving): State<Serving>,
    Extension(connection): Extension<Connection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(&serving, connection, None, query.as_deref(), &headers)
}

async fn of_path(
    State(serving): State<Serving>,
    Extension(connection): Extension<Connection>,
    Path(topic): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    answer(&serving, connection, Some(topic), query.as_deref(), &headers)
}

fn answer(
    serving: &Serving,
    connection: Connection,
    topic: Option<String>,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Response {
    let wish = match Wish::read(topic, query.unwrap_or_default()) {
        Ok(wish) => wish,
        Err(fault) => return (StatusCode::BAD_REQUEST, fault).into_response(),
    };
    let epoch = serving.hub.cursor(0).epoch;
    // A browser that reconnects repeats the first URL, so the header is the newer of the two.
    let brought = headers.get("last-event-id").map(HeaderValue::as_bytes);
    let brought = brought.or(wish.last_event_id.as_deref().map(str::as_bytes));
    let position: Option<Position> =
        brought.filter(|text| !text.is_empty()).map(|text| cursor::parse(text, &epoch));
    let admission = match serving.hub.admit(wish.filter, position, connection) {
        Ok(admission) => admission,
        Err(refusal) => {
            let wait = [(header::RETRY_AFTER, HeaderValue::from_static("5"))];
            let text = format!("no further client is admitted: {}\n", refusal.name());
            return (StatusCode::SERVICE_UNAVAILABLE, wait, text).into_response();
        }
    };
    let stream = ClientStream::new(Arc::clone(&serving.hub), admission, serving.heartbeat);
    let head = [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        // Proxies of the nginx family hold answers back otherwise.
        ("x-accel-buffering", "no"),
    ];
    (head, Body::new(stream)).into_response()
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    filter: Filter,
    last_event_id: Option<String>,
}

impl Wish {
    fn read(topic: Option<String>, query: &str) -> Result<Self, String> {
        let mut topics: BTreeSet<String> = topic.into_iter().collect();
        let mut last_event_id = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "topic" => {
                    topics.insert(value.into_owned());
                }
                "last_event_id" => last_event_id = Some(value.into_owned()),
                _ => return Err("the query takes topic (may repeat) and last_event_id\n".to_owned()),
            }
            if topics.len() > TOPICS_MAX {
                return Err(format!("topic: more than {TOPICS_MAX} topics\n"));
            }
        }
        if let Some(fault) = topics.iter().find_map(|topic| topic_fault(topic)) {
            return Err(format!("topic: {fault}\n"));
        }
        let filter = if topics.is_empty() { Filter::All } else { Filter::Topics(topics) };
        Ok(Self { filter, last_event_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(names: &[&str]) -> Filter {
        Filter::Topics(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Guards the reading of requests: repeated topics, escapes, the path and the query together.
    #[test]
    fn wishes_are_read() {
        let read = |topic: Option<&str>, query| Wish::read(topic.map(str::to_owned), query);
        assert_eq!(read(None, ""), Ok(Wish { filter: Filter::All, last_event_id: None }));
        let both = read(Some("c"), "topic=a&topic=b%2Fx&topic=a").unwrap();
        assert_eq!(both.filter, topics(&["a", "b/x", "c"]));
        assert_eq!(read(None, "last_event_id=e-1").unwrap().last_event_id.as_deref(), Some("e-1"));
        for bad in ["topics=a", "topic=", "topic=gap", "topic=%0a", "x", "topic=a&_=1"] {
            assert!(read(None, bad).is_err(), "{bad}");
        }
        let many: Vec<String> = (0..65).map(|n| format!("topic=t{n}")).collect();
        assert!(read(None, &many.join("&")).is_err());
    }
}
