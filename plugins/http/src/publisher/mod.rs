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
use send::{Sender, Single, set};

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
        PublisherTraits {
            records_max: self.settings.records_max,
            bytes_max: self.settings.bytes_max,
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
        let sender = Sender { core: client.core(), settings: Arc::clone(&self.settings), deadline };
        let results = match self.settings.mode {
            Mode::Single => {
                let singles = records.iter().map(Single::new).collect();
                client.run(async move { sender.singles(singles).await })?
            }
            Mode::Batch => {
                let mut results: Vec<RecordResult> = records.iter().map(|_| Ok(())).collect();
                let (encoded, faults) = body::encode(&self.settings, records);
                faults.into_iter().for_each(|(index, error)| set(&mut results, index, Err(error)));
                client.run(async move { sender.batch(encoded, results).await })?
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
