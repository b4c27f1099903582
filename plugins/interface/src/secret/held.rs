//! The value in use and the one before it: when to look again, when a new content counts.
//!
//! A writer that truncates a file and then fills it shows readers a part of a key for a moment. So a
//! changed content counts when the file has been left alone for half a second, or was found alike by
//! two looks that far apart.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret, SecretString};

use super::{
    LOOK_INTERVAL, SecretError, SecretValue,
    source::{Look, SETTLE, Source},
};

/// What a secret holds. Empty until its first use.
#[derive(Default)]
pub(super) struct Held {
    value: Option<SecretValue>,
    /// The value before it, and when it was replaced.
    previous: Option<(SecretValue, Instant)>,
    /// How long a replaced value stays.
    pub(super) window: Duration,
    /// A content that differs and may be half written, and when it was first seen.
    candidate: Option<(SecretString, Instant)>,
    look_at: Option<Instant>,
    /// The last look failed, and it was logged.
    failing: bool,
}

impl Held {
    pub(super) fn current(
        &mut self,
        field: &str,
        source: &Source,
        now: Instant,
    ) -> Result<SecretValue, SecretError> {
        let due = source.changes() && self.look_at.is_none_or(|at| now >= at);
        if self.value.is_none() || due {
            match source.read() {
                Ok(look) => self.found(field, look, now),
                Err(fault) => {
                    let error = SecretError::new(field, source.shown(), fault);
                    if self.value.is_none() {
                        return Err(error);
                    }
                    self.missed(&error, now);
                }
            }
        }
        if self.previous.as_ref().is_some_and(|(_, since)| now.duration_since(*since) >= self.window) {
            self.previous = None;
        }
        self.value.clone().ok_or_else(|| {
            // Not reached: `found` sets the first value.
            SecretError::new(field, source.shown(), super::SecretFault::Empty)
        })
    }

    pub(super) fn previous(&self) -> Option<SecretValue> {
        self.previous.as_ref().map(|(value, _)| value.clone())
    }

    fn found(&mut self, field: &str, look: Look, now: Instant) {
        self.failing = false;
        self.look_at = Some(now + LOOK_INTERVAL);
        let Some(value) = &self.value else {
            self.value = Some(SecretValue { text: Arc::new(look.text), version: 1 });
            return;
        };
        if value.expose() == look.text.expose_secret() {
            self.candidate = None;
            return;
        }
        let same = |(text, _): &&(SecretString, Instant)| text.expose_secret() == look.text.expose_secret();
        let first_seen = self.candidate.as_ref().filter(same).map_or(now, |(_, since)| *since);
        if !look.settled && now.duration_since(first_seen) < SETTLE {
            self.candidate = Some((look.text, first_seen));
            self.look_at = Some(now + SETTLE);
            return;
        }
        let version = value.version + 1;
        let old = self.value.replace(SecretValue { text: Arc::new(look.text), version });
        self.previous = old.filter(|_| !self.window.is_zero()).map(|value| (value, now));
        self.candidate = None;
        tracing::info!(field, version, "a new value of the secret is in use");
    }

    fn missed(&mut self, error: &SecretError, now: Instant) {
        self.look_at = Some(now + LOOK_INTERVAL);
        self.candidate = None;
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(%error, "the secret can not be read; its last value stays in use");
        }
    }
}
