//! `GET /metrics` and `GET /healthz`.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use mfn_plugin::host::{Host, Metric};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{config::Probes, negotiate, text};

/// Answers everyone while the listener does, so that a probe needs no credential.
pub const HEALTH_PATH: &str = "/healthz";
/// Whether a restart would not help more than waiting.
const LIVE_PATH: &str = "/livez";
/// Whether work should be sent.
const READY_PATH: &str = "/readyz";
/// Both with the reasons.
const REPORT_PATH: &str = "/health";

/// The paths that answer everyone.
#[must_use]
pub fn public_paths(probes: Probes) -> &'static [&'static str] {
    match probes {
        Probes::Public => &[HEALTH_PATH, LIVE_PATH, READY_PATH],
        Probes::Guarded | Probes::Off => &[HEALTH_PATH],
    }
}

struct Serving {
    host: Host,
    scrapes: Arc<Semaphore>,
    refused: Metric,
    left_out: Metric,
}

/// The routes of the exporter.
pub fn router(host: &Host, scrapes_max: u32, probes: Probes) -> Router {
    let serving = Serving {
        host: host.clone(),
        scrapes: Arc::new(Semaphore::new(scrapes_max as usize)),
        refused: host.counter(
            "mfn_exporter_scrapes_refused_total",
            "Scrapes that were answered 503 because scrapes_max were under way.",
            &[],
        ),
        left_out: host.counter(
            "mfn_exporter_left_out_total",
            "Families and samples that broke the rules of the text format and were left out.",
            &[],
        ),
    };
    let mut router = Router::new().route("/metrics", get(scrape)).route(HEALTH_PATH, get(async || "ok\n"));
    if probes != Probes::Off {
        router =
            router.route(LIVE_PATH, get(live)).route(READY_PATH, get(ready)).route(REPORT_PATH, get(report));
    }
    router.with_state(Arc::new(serving))
}

async fn live(State(serving): State<Arc<Serving>>) -> Response {
    probe(serving.host.health().map(|health| health.live), "live\n", "not live\n")
}

async fn ready(State(serving): State<Arc<Serving>>) -> Response {
    probe(serving.host.health().map(|health| health.ready), "ready\n", "not ready\n")
}

async fn report(State(serving): State<Arc<Serving>>) -> Response {
    let Some(health) = serving.host.health() else { return probe(None, "", "") };
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status(health.ready), head, health.report).into_response()
}

/// One word and nothing else: who asks need not be known.
fn probe(answer: Option<bool>, yes: &'static str, no: &'static str) -> Response {
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    match answer {
        Some(answer) => (status(answer), no_store, if answer { yes } else { no }).into_response(),
        None => (StatusCode::NOT_IMPLEMENTED, no_store, "the host does not tell\n").into_response(),
    }
}

fn status(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn scrape(State(serving): State<Arc<Serving>>, headers: HeaderMap) -> Response {
    let Ok(place) = Arc::clone(&serving.scrapes).try_acquire_owned() else {
        serving.refused.increment();
        let wait = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
        return (StatusCode::SERVICE_UNAVAILABLE, wait, "too many scrapes at one time\n").into_response();
    };
    let accept: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let format = negotiate::format(&accept.join(","));
    let (text, left_out) = text::write(&serving.host.metrics(), format);
    #[allow(clippy::cast_precision_loss)]
    serving.left_out.update(left_out as f64);
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    (head, Body::new(Answer { text: text.into(), _place: place })).into_response()
}

/// How much of an answer is handed to the connection at a time.
const CHUNK_BYTES: usize = 32 * 1024;

/// A text that holds its place among the scrapes until it is written: a slow reader keeps memory as long.
/// It goes in chunks because the connection lets go of a body as soon as it has the last one.
struct Answer {
    text: Bytes,
    _place: OwnedSemaphorePermit,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.text.len().min(CHUNK_BYTES);
        let chunk = self.text.split_to(length);
        Poll::Ready((!chunk.is_empty()).then(|| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.text.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.text.len() as u64)
    }
}
