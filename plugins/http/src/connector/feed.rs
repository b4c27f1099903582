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

use mfn_plugin::{author::Result, value::PluginError};
use reqwest::header::HeaderValue;
use sha2::{Digest, Sha256};

use super::{
    ask::{Arrival, Validators, ask},
    config::Settings,
    flight::Flight,
    pagination::Place,
    state::{Position, SettledPage, StateFile},
};
use crate::client::Client;

/// Pages in a row that can not be read before a pass is given up.
const FAULTS_MAX: u32 = 3;
/// Pages whose state is remembered for conditional requests.
const PAGES_REMEMBERED_MAX: usize = 1000;

/// A page as it was last seen.
#[derive(Debug, Clone)]
struct Seen {
    /// Of the page in the flight; 0 for one that was never there.
    number: u64,
    validators: Validators,
    next: Option<Place>,
    /// Whether all its records are settled, so that it need not be seen again.
    is_settled: bool,
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
    state: Option<StateFile>,
    /// Whether more is settled than the state file says.
    is_unsaved: bool,
    /// Why the position could not be saved, or empty.
    pub(crate) unsaved: String,
    /// What was wrong with the last request, or empty.
    pub(crate) trouble: String,
}

impl Feed {
    pub(crate) fn open(settings: Arc<Settings>) -> Result<Self> {
        let opened = settings.state_file.as_ref().map(|path| StateFile::open(path, &identity(&settings)));
        let (state, position) = opened.transpose()?.unzip();
        let position = position.flatten().unwrap_or_default();
        let begin = Place::restored(&position.begin).filter(|_| settings.pager.resumes());
        Ok(Self {
            client: Client::open(&settings.plan)?,
            flight: Flight::new(settings.remember_max),
            arrivals: mpsc::channel(),
            place: begin.unwrap_or_else(|| settings.pager.first()),
            settings,
            is_asking: false,
            is_ended: false,
            not_before: Instant::now(),
            pages: 0,
            faults: 0,
            passes: 0,
            seen: position.pages.iter().filter_map(restored).collect(),
            state,
            is_unsaved: false,
            unsaved: String::new(),
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

    /// Saves the position when it has moved and its file may be written; at the end in any case.
    pub(crate) fn save(&mut self, is_end: bool) {
        let now = Instant::now();
        let is_due = |state: &StateFile| self.is_unsaved && (is_end || state.is_due(now));
        if !self.state.as_ref().is_some_and(is_due) {
            return;
        }
        let position = self.settled_position();
        let Some(state) = &mut self.state else { return };
        match state.save(&position, now) {
            Ok(()) => {
                self.is_unsaved = false;
                self.unsaved.clear();
            }
            // Nothing is lost by it: after a restart more comes again. It is tried again.
            Err(error) => {
                if self.unsaved != error.message {
                    tracing::warn!(reason = error.message, "the position can not be saved");
                }
                self.unsaved = error.message;
            }
        }
    }

    /// Everything before it is settled.
    fn settled_position(&self) -> Position {
        // A feed that goes on from its last cursor never sees a page twice.
        let (begin, pages) = if self.settings.pager.resumes() {
            (self.flight.first_open().map_or(&self.place, |(place, _)| place).saved(), Vec::new())
        } else {
            (None, self.seen.iter().filter_map(saved).collect())
        };
        Position::new(identity(&self.settings), begin.unwrap_or_default(), pages)
    }

    /// Remembers pages whose records are all settled, by their numbers.
    pub(crate) fn mark_settled(&mut self, pages: Vec<(u64, Place)>) {
        for (number, place) in pages {
            self.is_unsaved |= self.settings.pager.resumes();
            // What came from there meanwhile has records of its own.
            if let Some(seen) = self.seen.get_mut(&place).filter(|seen| seen.number == number) {
                seen.is_settled = true;
                self.is_unsaved = true;
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
                let items = content.items();
                self.is_unsaved |= is_settled;
                let number = if is_settled { 0 } else { self.flight.add(here.clone(), content) };
                self.seen.insert(here.clone(), Seen { number, validators, next: next.clone(), is_settled });
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

/// Names a feed in its state file, without what may be secret of its URL.
fn identity(settings: &Settings) -> String {
    let mut url = settings.plan.url.clone();
    url.set_query(None);
    let digest = Sha256::digest(url.as_str());
    let digest: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{} {digest}", settings.form.feed)
}

/// What is saved of a page: only what spares it from being sent again.
fn saved((place, seen): (&Place, &Seen)) -> Option<SettledPage> {
    let text = |value: &Option<HeaderValue>| Some(value.as_ref()?.to_str().ok()?.to_owned());
    let (etag, last_modified) = (text(&seen.validators.etag), text(&seen.validators.last_modified));
    let useful = seen.is_settled && (etag.is_some() || last_modified.is_some());
    let next = match &seen.next {
        Some(next) => Some(next.saved()?),
        None => None,
    };
    Some(SettledPage { place: place.saved()?, next, etag, last_modified }).filter(|_| useful)
}

fn restored(page: &SettledPage) -> Option<(Place, Seen)> {
    let value = |text: &Option<String>| HeaderValue::from_str(text.as_ref()?).ok();
    let validators = Validators { etag: value(&page.etag), last_modified: value(&page.last_modified) };
    let next = match &page.next {
        Some(next) => Some(Place::restored(next)?),
        None => None,
    };
    Some((Place::restored(&page.place)?, Seen { validators, next, number: 0, is_settled: true }))
}
