//! The plugin's face to the host: life cycle and publishing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mfn_listener::{Listener, Plan};
use mfn_plugin::{
    author::{Component, Result, Transport},
    host::Host,
    value::{Cursor, Drained, Endpoint, ErrorClass, Health, HealthState, PluginError, RecordView},
};

use crate::{
    config::{Config, size},
    frame,
    hub::Hub,
    ring::Event,
    routes,
};

/// How long answers may take to reach their clients when the transport closes without a drain.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// The server-sent events transport.
#[derive(Debug)]
pub struct SseTransport {
    plan: Plan,
    hub: Arc<Hub>,
    heartbeat: Duration,
    event_bytes_max: usize,
    sequence: u64,
    listener: Option<Listener>,
    state: HealthState,
}

impl Component for SseTransport {
    type Config = Config;

    fn create(config: Config, host: Host) -> Result<Self> {
        let plan =
            Plan::new(&config.bind, &config.auth, &config.limits, &host)?.with_cors(&config.cors_origins)?;
        config.validate()?;
        Ok(Self {
            plan,
            hub: Arc::new(Hub::new(&config, &host)),
            heartbeat: Duration::from_millis(config.heartbeat_ms),
            event_bytes_max: size(config.event_bytes_max),
            sequence: 0,
            listener: None,
            state: HealthState::Starting,
        })
    }

    fn open(&mut self) -> Result<()> {
        let router = routes::router(Arc::clone(&self.hub), self.heartbeat);
        self.listener = Some(Listener::open(&self.plan, router)?);
        self.state = HealthState::Ready;
        Ok(())
    }

    fn health(&self) -> Health {
        let detail = match self.state {
            HealthState::Down => "closed",
            _ => "",
        };
        Health::new(self.state, detail)
    }

    fn check(&mut self) -> Result<()> {
        Ok(self.plan.check(self.listener.is_some())?)
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        let stream =
            |listener: &Listener| Endpoint { name: "stream".to_owned(), url: listener.url("/events") };
        self.listener.iter().map(stream).collect()
    }

    /// Lets clients have what waits for them, sends each a last comment and stops listening.
    fn drain(&mut self, timeout: Duration) -> Result<Drained> {
        self.state = HealthState::Down;
        let Some(listener) = self.listener.take() else {
            return Ok(Drained::default());
        };
        let deadline = Instant::now() + timeout;
        let records_left = self.hub.drain(deadline);
        listener.stop(deadline.saturating_duration_since(Instant::now()));
        Ok(Drained { records_left })
    }

    fn close(&mut self) -> Result<()> {
        self.state = HealthState::Down;
        self.hub.close();
        if let Some(listener) = self.listener.take() {
            listener.stop(CLOSE_GRACE);
        }
        Ok(())
    }
}

impl Transport for SseTransport {
    fn publish(&mut self, topic: &str, event: &RecordView<'_>) -> Result<Cursor> {
        if self.listener.is_none() {
            return Err(PluginError::new(ErrorClass::Cancelled, "the transport is not open"));
        }
        let cursor = self.hub.cursor(self.sequence + 1);
        let frame = frame::event(&cursor, topic, event.payload, self.event_bytes_max)?;
        self.sequence = cursor.sequence;
        self.hub.publish(Event { sequence: cursor.sequence, topic: topic.into(), frame });
        Ok(cursor)
    }
}
