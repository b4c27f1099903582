//! The webhook publisher: sends records to an HTTP receiver, signed, and answers for each.
//!
//! A record has the same `webhook-id` in every attempt, so a receiver that remembers ids keeps one copy of what
//! came twice. What was sent and not answered is reported as unknown, never as failed or delivered.

mod body;
pub(crate) mod config;
mod results;
mod send;
mod sign;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Publisher, Result},
    host::Host,
    value::{
        ErrorClass, Health, HealthState, Idempotence, Ordering, PluginError, PublishContext, PublisherTraits,
        RecordResult, RecordView,
    },
};
use reqwest::{Method, header::HeaderMap};

use crate::client::{Ask, Client};
use config::{Mode, PublisherConfig, Settings};
use send::{Sender, Sent, Single, set};

/// Requests that the batches of one call make at most: while one is sent, the next is encoded.
const REQUESTS_MAX: u32 = 8;

/// Sends records as webhooks. See [`PublisherConfig`].
#[derive(Debug)]
pub struct WebhookPublisher {
    settings: Arc<Settings>,
    client: Option<Client>,
    trouble: String,
}

impl Component for WebhookPublisher {
    type Config = PublisherConfig;

    fn create(config: PublisherConfig, host: Host) -> Result<Self> {
        let settings = Arc::new(Settings::new(config, &host)?);
        Ok(Self { settings, client: None, trouble: String::new() })
    }

    fn open(&mut self) -> Result<()> {
        self.client = Some(Client::open(&self.settings.plan)?);
        Ok(())
    }

    fn health(&self) -> Health {
        match (&self.client, self.trouble.is_empty()) {
            (None, _) => Health::new(HealthState::Starting, ""),
            (Some(_), true) => Health::ready(),
            (Some(_), false) => Health::new(HealthState::Degraded, self.trouble.clone()),
        }
    }

    /// Asks for the head of the receiver's URL, which delivers nothing. Receivers often know `POST` only, so
    /// an answer that says so is a success, as is every other that comes from behind the credentials.
    fn check(&mut self) -> Result<()> {
        let client = Client::open(&self.settings.plan)?;
        let (core, judge) = (client.core(), client.core());
        let ask = Ask {
            method: Method::HEAD,
            url: self.settings.plan.url.clone(),
            headers: HeaderMap::new(),
            body: None,
            deadline: Instant::now() + Duration::from_millis(self.settings.plan.config.timeout_ms),
        };
        let reply =
            client.run(async move { core.send(ask).await })?.map_err(|failure| failure.error(false))?;
        let is_redirect = (300..400).contains(&reply.status);
        match judge.refusal(&reply) {
            Some(error) if error.class != ErrorClass::Permanent || is_redirect => Err(error),
            _ => Ok(()),
        }
    }

    fn close(&mut self) -> Result<()> {
        self.client = None;
        Ok(())
    }
}

impl Publisher for WebhookPublisher {
    fn traits(&self) -> PublisherTraits {
        let requests = if self.settings.mode == Mode::Batch { REQUESTS_MAX } else { 1 };
        PublisherTraits {
            records_max: self.settings.records_max.saturating_mul(requests),
            bytes_max: self.settings.bytes_max.saturating_mul(requests.into()),
            ordering: if self.settings.keeps_order() { Ordering::All } else { Ordering::None },
            idempotence: Idempotence::Key,
        }
    }

    fn publish(&mut self, records: &[RecordView<'_>], context: PublishContext) -> Result<Vec<RecordResult>> {
        let closed = || PluginError::permanent("the publisher is not open; call open first");
        let client = self.client.as_ref().ok_or_else(closed)?;
        let now = Instant::now();
        let time = Duration::from_millis(self.settings.plan.config.timeout_ms);
        let deadline = now.checked_add(context.timeout).unwrap_or(now + time);
        let sender = Arc::new(Sender { core: client.core(), settings: Arc::clone(&self.settings), deadline });
        let results = match self.settings.mode {
            Mode::Single => {
                let singles = records.iter().map(Single::new).collect();
                client.run(async move { sender.singles(singles).await })?
            }
            Mode::Batch => {
                // A call whose first requests were that slow ends with them, before its time is over.
                let last_start = now + context.timeout.min(time) / 2;
                batches(client, &sender, records, last_start)?
            }
        };
        let trouble = results.iter().filter_map(|result| result.as_ref().err());
        self.trouble = trouble.map(|error| error.message.clone()).next().unwrap_or_default();
        Ok(results)
    }

    /// Nothing is held back: what was answered with success is with the receiver.
    fn flush(&mut self, _: Duration) -> Result<()> {
        Ok(())
    }
}

/// Sends records as batches, one request after the other, and encodes each while the one before it is sent.
fn batches(
    client: &Client,
    sender: &Arc<Sender>,
    records: &[RecordView<'_>],
    last_start: Instant,
) -> Result<Vec<RecordResult>> {
    let settings = &*sender.settings;
    let mut results: Vec<RecordResult> = records.iter().map(|_| Ok(())).collect();
    let mut sending = None;
    let mut stop = None;
    let mut first = 0;
    while first < records.len() && stop.is_none() {
        let part = records.get(first..first + request_len(settings, records, first)).unwrap_or_default();
        let (encoded, faults) = body::encode(settings, first, part);
        faults.into_iter().for_each(|(index, error)| set(&mut results, index, Err(error)));
        if let Some(sent) = sending.take() {
            stop = take(client.finish(sent)?, &mut results);
            if stop.is_none() && Instant::now() > last_start {
                stop = Some(PluginError::retryable(
                    "not sent, earlier records of the call took most of its time",
                ));
            }
        }
        if stop.is_none() {
            let sender = Arc::clone(sender);
            sending = Some(client.start(async move { sender.batch(encoded).await })?);
            first += part.len();
        }
    }
    if let Some(sent) = sending {
        take(client.finish(sent)?, &mut results);
    }
    if let Some(error) = stop {
        let rest = results.get_mut(first..).unwrap_or_default().iter_mut().filter(|result| result.is_ok());
        rest.for_each(|result| *result = Err(error.clone()));
    }
    Ok(results)
}

/// How many records of a call, from one on, a request holds: at least one.
fn request_len(settings: &Settings, records: &[RecordView<'_>], first: usize) -> usize {
    let mut bytes = 0;
    let fits = |record: &&RecordView<'_>| {
        bytes += record.payload.len() as u64;
        bytes <= settings.bytes_max
    };
    let rest = records.get(first..).unwrap_or_default();
    rest.iter().take(settings.records_max as usize).take_while(fits).count().max(1)
}

/// Notes what became of a request's records; gives the reason not to send another.
fn take(sent: Sent, results: &mut [RecordResult]) -> Option<PluginError> {
    sent.results.into_iter().for_each(|(index, result)| set(results, index, result));
    sent.stop
}
