//! Asking for one page after the other: what to ask, when, and what an answer means.
//!
//! Requests run in the background, so that a settlement never waits for a server. One is under way at a
//! time, and the next page is asked for only when the last one is handed out and there is room for it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use mfn_plugin::{author::Result, value::PluginError};
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};

use super::{
    config::Settings,
    flight::Flight,
    page::Content,
    pagination::{Into, Place},
};
use crate::client::{Ask, Client, Core, Reply};

/// Pages in a row that can not be read before a pass is given up.
const FAULTS_MAX: u32 = 3;
/// Pages whose state is remembered for conditional requests.
const PAGES_REMEMBERED_MAX: usize = 1000;

/// What a server said of a page's state.
#[derive(Debug, Clone, Default)]
struct Validators {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

/// A page as it was last seen.
#[derive(Debug, Clone)]
struct Seen {
    validators: Validators,
    next: Option<Place>,
    /// Whether all its records are settled, so that it need not be seen again.
    is_settled: bool,
}

/// What came of asking for a page.
#[allow(clippy::large_enum_variant)]
enum Arrival {
    Page { content: Content, next: Option<Place>, validators: Validators },
    Unchanged,
}

/// The feed of an open connector.
#[derive(Debug)]
pub(crate) struct Feed {
    settings: Arc<Settings>,
    client: Client,
    pub(crate) flight: Flight,
    arrivals: (Sender<Result<Arrival>>, Receiver<Result<Arrival>>),
    /// The page to ask for next.
    place: Place,
    is_asking: bool,
    is_ended: bool,
    not_before: Instant,
    pages: u64,
    faults: u32,
    passes: u64,
    seen: HashMap<Place, Seen>,
    /// What was wrong with the last request, or empty.
    pub(crate) trouble: String,
}

impl Feed {
    pub(crate) fn open(settings: Arc<Settings>) -> Result<Self> {
        Ok(Self {
            client: Client::open(&settings.plan)?,
            flight: Flight::new(settings.remember_max),
            arrivals: mpsc::channel(),
            place: settings.pager.first(),
            settings,
            is_asking: false,
            is_ended: false,
            not_before: Instant::now(),
            pages: 0,
            faults: 0,
            passes: 0,
            seen: HashMap::new(),
            trouble: String::new(),
        })
    }

    /// Whether nothing will ever be brought again.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.is_ended && !self.is_asking && self.flight.is_idle()
    }

    /// Passes that came to their end.
    pub(crate) fn passes(&self) -> u64 {
        self.passes
    }

    /// Begins a request when one is due and there is room for its answer.
    pub(crate) fn ask_if_due(&mut self, now: Instant) {
        if !self.may_ask() || now < self.not_before {
            return;
        }
        self.is_asking = true;
        let validators =
            self.seen.get(&self.place).filter(|seen| seen.is_settled).map(|seen| seen.validators.clone());
        let (core, settings) = (self.client.core(), Arc::clone(&self.settings));
        let (place, sender) = (self.place.clone(), self.arrivals.0.clone());
        self.client.spawn(async move {
            let arrival = ask(&core, &settings, &place, validators).await;
            // A connector that was closed meanwhile wants no answer.
            let _ = sender.send(arrival);
        });
    }

    fn may_ask(&self) -> bool {
        let held = self.flight.bytes();
        let limit = self.settings.plan.config.response_bytes_max;
        let has_room = held == 0 || held.saturating_add(limit) <= self.settings.held_bytes_max;
        !self.is_asking && !self.is_ended && has_room && !self.flight.has_unbrought()
    }

    /// Waits for an answer, at most for `wait`, and takes it. `false` when none came.
    ///
    /// # Errors
    /// When the page can not be had; it is asked for again.
    pub(crate) fn take_arrival(&mut self, wait: Duration) -> Result<bool> {
        let arrival = match self.arrivals.1.recv_timeout(wait) {
            Ok(arrival) => arrival,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(false),
        };
        self.is_asking = false;
        match arrival {
            Ok(arrival) => {
                self.trouble.clear();
                self.arrived(arrival);
                Ok(true)
            }
            Err(error) => {
                self.trouble.clone_from(&error.message);
                self.not_before = Instant::now() + error.retry_after.unwrap_or_default();
                Err(error)
            }
        }
    }

    /// When there is something to do, were nothing to arrive.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        let ask = self.may_ask().then_some(self.not_before);
        ask.into_iter().chain(self.flight.next_return()).min()
    }

    /// Remembers pages whose records are all settled.
    pub(crate) fn mark_settled(&mut self, places: Vec<Place>) {
        for place in places {
            if let Some(seen) = self.seen.get_mut(&place) {
                seen.is_settled = true;
            }
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        let here = self.place.clone();
        let (next, items) = match arrival {
            Arrival::Unchanged => {
                self.faults = 0;
                (self.seen.get(&here).and_then(|seen| seen.next.clone()), 0)
            }
            Arrival::Page { content, next, validators } => {
                self.faults = if content.fault().is_some() { self.faults + 1 } else { 0 };
                if let Some(reason) = content.fault() {
                    tracing::warn!(reason, "a page of the feed can not be read");
                }
                if self.seen.len() >= PAGES_REMEMBERED_MAX {
                    self.seen.clear();
                }
                // A page without records has nothing to be settled.
                let is_settled = content.len() == 0;
                self.seen.insert(here.clone(), Seen { validators, next: next.clone(), is_settled });
                let items = content.items();
                if content.len() > 0 {
                    self.flight.add(here.clone(), content);
                }
                (next, items)
            }
        };
        self.pages += 1;
        let resumes = self.settings.pager.resumes();
        let goes_on = self.pages < self.settings.pages_max
            && self.faults < FAULTS_MAX
            // A feed that always gives a new cursor has no end; an empty page is it.
            && !(resumes && items == 0);
        match next {
            Some(next) if goes_on => self.place = next,
            next => self.end_pass(if resumes { next.unwrap_or(here) } else { self.settings.pager.first() }),
        }
    }

    fn end_pass(&mut self, begin: Place) {
        if self.pages >= self.settings.pages_max {
            tracing::warn!(
                pages = self.pages,
                "the pass was ended by pages_max; its other pages were not read"
            );
        }
        self.passes += 1;
        self.pages = 0;
        self.faults = 0;
        self.place = begin;
        self.is_ended = !self.settings.polls;
        self.not_before = Instant::now() + self.settings.poll_interval;
    }

    /// Asks for the first page and looks at it, without taking it.
    ///
    /// # Errors
    /// When it can not be had or read.
    pub(crate) fn probe(settings: &Arc<Settings>) -> Result<()> {
        // A client of its own: the open one may be busy with a request.
        let client = Client::open(&settings.plan)?;
        let (core, asked, settings) = (client.core(), client.core(), Arc::clone(settings));
        let work = async move { ask(&asked, &settings, &settings.pager.first(), None).await };
        match client.run(work)?? {
            Arrival::Page { content, .. } => match content.fault() {
                Some(reason) => Err(PluginError::permanent(format!("{}: {reason}", core.origin()))),
                None => Ok(()),
            },
            Arrival::Unchanged => Ok(()),
        }
    }
}

/// Asks for one page.
async fn ask(
    core: &Core,
    settings: &Settings,
    place: &Place,
    validators: Option<Validators>,
) -> Result<Arrival> {
    let is_conditional = validators.is_some();
    let request = request(settings, place, validators)?;
    let reply = core.send(request).await.map_err(|failure| failure.error(false))?;
    if reply.status == 304 && is_conditional {
        return Ok(Arrival::Unchanged);
    }
    if let Some(refusal) = core.refusal(&reply) {
        return Err(refusal);
    }
    read(core, settings, place, reply)
}

/// Makes a page of an answer.
fn read(core: &Core, settings: &Settings, place: &Place, reply: Reply) -> Result<Arrival> {
    let mut content = match reply.body {
        Ok(bytes) => Content::read(bytes, &settings.form, place),
        // The server has said all it has to say: asking again would give the same.
        Err(fault) if fault.is_final() => Content::unreadable(fault.to_string(), place),
        Err(fault) => return Err(PluginError::retryable(format!("{}: {fault}", core.origin()))),
    };
    let text = content.text().filter(|_| content.fault().is_none());
    let base = &settings.plan.url;
    let next = match settings.pager.next(place, base, &reply.headers, text, content.items()) {
        Ok(next) => next,
        Err(reason) => {
            content.add_fault(reason, place);
            None
        }
    };
    let validators = match settings.conditional {
        true => Validators {
            etag: reply.headers.get(ETAG).cloned(),
            last_modified: reply.headers.get(LAST_MODIFIED).cloned(),
        },
        false => Validators::default(),
    };
    Ok(Arrival::Page { content, next, validators })
}

/// The request for a page.
fn request(settings: &Settings, place: &Place, validators: Option<Validators>) -> Result<Ask> {
    let mut url = if let Place::Link(url) = place { url.clone() } else { settings.plan.url.clone() };
    let mut headers = HeaderMap::new();
    if !settings.plan.headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    let mut body = settings.body.as_ref().map(|body| Bytes::copy_from_slice(body.expose().as_bytes()));
    match settings.pager.argument(place) {
        Some((Into::Query(name), value)) => {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            set_parameter(&mut url, name, &value);
        }
        Some((Into::Field(name), value)) => {
            let text = body.as_deref().unwrap_or(b"{}");
            let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(text)
                .map_err(|_| PluginError::permanent("body: it is not a JSON object"))?;
            object.insert(name.clone(), value);
            body = Some(serde_json::Value::Object(object).to_string().into());
        }
        None => {}
    }
    if body.is_some() && !settings.plan.headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let Validators { etag, last_modified } = validators.unwrap_or_default();
    if let Some(etag) = etag {
        headers.insert(IF_NONE_MATCH, etag);
    } else if let Some(date) = last_modified {
        headers.insert(IF_MODIFIED_SINCE, date);
    }
    let deadline = Instant::now() + Duration::from_millis(settings.plan.config.timeout_ms);
    Ok(Ask { method: settings.method.clone(), url, headers, body, deadline })
}

/// Sets a parameter of the query, in the place of one of that name.
fn set_parameter(url: &mut url::Url, name: &str, value: &str) {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(known, _)| known != name)
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
}
