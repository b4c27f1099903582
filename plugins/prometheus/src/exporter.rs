//! The plugin's face to the host: life cycle and the listener.

use std::time::Duration;

use mfn_listener::{Listener, Plan};
use mfn_plugin::{
    author::{Component, Exporter, Result},
    host::Host,
    value::{Drained, Endpoint, Health, HealthState},
};

use crate::{
    config::{Config, Probes},
    routes::{public_paths, router},
};

/// How long answers may take to reach their readers when the exporter closes without a drain.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// The Prometheus exporter.
#[derive(Debug)]
pub struct PrometheusExporter {
    plan: Plan,
    host: Host,
    scrapes_max: u32,
    probes: Probes,
    listener: Option<Listener>,
    state: HealthState,
}

impl PrometheusExporter {
    fn stop(&mut self, grace: Duration) {
        self.state = HealthState::Down;
        if let Some(listener) = self.listener.take() {
            listener.stop(grace);
        }
    }
}

impl Component for PrometheusExporter {
    type Config = Config;

    fn create(config: Config, host: Host) -> Result<Self> {
        let plan = Plan::new(&config.bind, &config.auth, &config.limits, &host)?
            .with_public_paths(public_paths(config.probes));
        config.validate()?;
        Ok(Self {
            plan,
            host,
            scrapes_max: config.scrapes_max,
            probes: config.probes,
            listener: None,
            state: HealthState::Starting,
        })
    }

    fn open(&mut self) -> Result<()> {
        self.listener = Some(Listener::open(&self.plan, router(&self.host, self.scrapes_max, self.probes))?);
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
        let metrics =
            |listener: &Listener| Endpoint { name: "metrics".to_owned(), url: listener.url("/metrics") };
        self.listener.iter().map(metrics).collect()
    }

    /// Lets scrapes that are under way finish and stops listening.
    fn drain(&mut self, timeout: Duration) -> Result<Drained> {
        self.stop(timeout);
        Ok(Drained::default())
    }

    fn close(&mut self) -> Result<()> {
        self.stop(CLOSE_GRACE);
        Ok(())
    }
}

impl Exporter for PrometheusExporter {}
