//! The REST connector: asks a feed for its pages and brings each item as a record.
//!
//! A pass goes over all pages; then the connector ends, or begins again after the poll interval. A record has
//! the same id in every pass and after a restart. One that is settled is not brought again as long as it is
//! remembered; one that is given back is brought again from the page, which is held until all its records
//! are settled. After a restart what was not settled comes again under the same ids, and with a `state_file`
//! nothing else that need not: nothing is lost.
//!
//! What can not be read never holds up the next: a page that is too large, cut inside its compression, no
//! JSON or no UTF-8 comes as a record with the header `mfn-fault`, whose value is the reason to reject it
//! with, and so does an item without an id or nested too deeply. A page that did not come whole is an error,
//! and is asked for again.

mod ask;
pub(crate) mod config;
mod feed;
mod flight;
mod page;
mod pagination;
mod pointer;
mod state;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mfn_plugin::{
    author::{Component, Connector, Result},
    host::Host,
    value::{Batch, BatchToken, Drained, Fetch, FetchLimits, Health, HealthState, PluginError, Verdict},
};

use config::{ConnectorConfig, Settings};
use feed::Feed;

/// A fetch with nothing outstanding waits at most this long, so that other calls are not held up.
const WAIT_MAX: Duration = Duration::from_millis(250);
/// With batches outstanding it waits less: their settlement needs the instance.
const WAIT_OUTSTANDING_MAX: Duration = Duration::from_millis(20);
/// The most bytes of a position.
const POSITION_BYTES_MAX: usize = 4096;

/// Reads records from an HTTP feed. See [`ConnectorConfig`].
#[derive(Debug)]
pub struct RestConnector {
    settings: Arc<Settings>,
    feed: Option<Feed>,
    is_paused: bool,
}

impl RestConnector {
    fn feed(&mut self) -> Result<&mut Feed> {
        let closed = || PluginError::permanent("the connector is not open; call open first");
        self.feed.as_mut().ok_or_else(closed)
    }
}

impl Component for RestConnector {
    type Config = ConnectorConfig;

    fn create(config: ConnectorConfig, host: Host) -> Result<Self> {
        let settings = Arc::new(Settings::new(config, &host)?);
        Ok(Self { settings, feed: None, is_paused: false })
    }

    fn open(&mut self) -> Result<()> {
        self.feed = Some(Feed::open(Arc::clone(&self.settings))?);
        Ok(())
    }

    fn health(&self) -> Health {
        match &self.feed {
            None => Health::new(HealthState::Starting, ""),
            Some(feed) if feed.trouble.is_empty() && feed.unsaved.is_empty() => Health::ready(),
            Some(feed) if feed.trouble.is_empty() => Health::new(HealthState::Degraded, feed.unsaved.clone()),
            Some(feed) => Health::new(HealthState::Degraded, feed.trouble.clone()),
        }
    }

    /// Asks for the first page and looks whether it can be read.
    fn check(&mut self) -> Result<()> {
        Feed::probe(&self.settings)
    }

    fn drain(&mut self, _timeout: Duration) -> Result<Drained> {
        self.is_paused = true;
        self.feed.iter_mut().for_each(|feed| feed.save(true));
        Ok(Drained { records_left: self.feed.as_ref().map_or(0, |feed| feed.flight.left()) })
    }

    fn close(&mut self) -> Result<()> {
        if let Some(mut feed) = self.feed.take() {
            feed.save(true);
        }
        Ok(())
    }
}

impl Connector for RestConnector {
    fn fetch(&mut self, limits: FetchLimits) -> Result<Fetch> {
        let settings = Arc::clone(&self.settings);
        let is_paused = self.is_paused;
        let feed = self.feed()?;
        let wait_max = if feed.flight.has_batches() { WAIT_OUTSTANDING_MAX } else { WAIT_MAX };
        let deadline = Instant::now() + limits.timeout.min(wait_max);
        loop {
            let now = Instant::now();
            if !is_paused {
                let mut done = Vec::new();
                let gathered = feed
                    .flight
                    .gather(&settings.form, limits, now, |number, place| done.push((number, place)));
                feed.mark_settled(done);
                feed.save(false);
                if let Some((token, records)) = gathered {
                    let partition = settings.form.feed.clone();
                    return Ok(Fetch::Batch(Batch { token, partition, epoch: 1, records }));
                }
                if feed.is_exhausted() {
                    return Ok(Fetch::End);
                }
                feed.ask_if_due(now);
            }
            let wake = feed.next_wake().filter(|_| !is_paused).map_or(deadline, |wake| wake.min(deadline));
            let arrived = feed.take_arrival(wake.saturating_duration_since(now))?;
            if !arrived && Instant::now() >= deadline {
                return Ok(Fetch::Empty);
            }
        }
    }

    fn settle(&mut self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        let feed = self.feed()?;
        let mut done = Vec::new();
        feed.flight.settle(token, verdicts, Instant::now(), |number, place| done.push((number, place)))?;
        feed.mark_settled(done);
        feed.save(false);
        Ok(())
    }

    /// JSON: `pass` counts the passes that came to their end; `page` is the first page with records that are
    /// not settled (its number or its cursor) and `item` the first of them.
    fn position(&mut self, partition: &str) -> Result<Vec<u8>> {
        let known = &self.settings.form.feed;
        if partition != known {
            let text = format!("partition: {partition:?} is not known; the only one is {known:?}");
            return Err(PluginError::permanent(text));
        }
        let feed = self.feed()?;
        let (page, item) = feed.flight.first_open().map(|(place, item)| (place.to_json(), item)).unzip();
        let position = serde_json::json!({ "pass": feed.passes(), "page": page, "item": item }).to_string();
        if position.len() > POSITION_BYTES_MAX {
            return Ok(serde_json::json!({ "pass": feed.passes(), "item": item }).to_string().into_bytes());
        }
        Ok(position.into_bytes())
    }

    fn pause(&mut self) -> Result<()> {
        self.is_paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<()> {
        self.is_paused = false;
        Ok(())
    }

    fn backlog(&mut self) -> Option<u64> {
        self.feed.as_ref().map(|feed| feed.flight.waiting())
    }
}
