//! What a plugin sees of its host: its own name and place, logs, metrics.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use abi_stable::std_types::Tuple2;
use serde::{Deserialize, Serialize};

use crate::{
    abi::{SHostObject, plain_families},
    log_bridge,
    metric::{MetricFamily, MetricKind},
};

/// What the host says about one instance at its creation. Crosses as JSON, so it may gain fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceInfo {
    /// The instance's name in the host's configuration, unique within the host.
    pub name: String,
    /// Relative paths of the configuration start here: the directory of the configuration file, or the
    /// working directory.
    pub base_dir: PathBuf,
}

/// The host, as one instance sees it. Cheap to clone; any thread may use it; no call blocks.
///
/// For logs use the macros of `tracing`: the kit forwards them to the host's log.
#[derive(Clone)]
pub struct Host {
    object: SHostObject,
    instance: Arc<InstanceInfo>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Host {
    /// Binds a host object to an instance.
    #[must_use]
    pub fn new(object: SHostObject, instance: InstanceInfo) -> Self {
        Self { object, instance: Arc::new(instance) }
    }

    /// The instance's name in the host's configuration.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance.name
    }

    /// A path of the configuration, made absolute against the host's base directory.
    #[must_use]
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.instance.base_dir.join(path)
    }

    /// A counter for a label set; the host adds the label `component` with the instance's name.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Metric {
        self.metric(MetricKind::Counter, name, help, labels, &[])
    }

    /// A gauge for a label set; labels as for [`counter`](Self::counter).
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Metric {
        self.metric(MetricKind::Gauge, name, help, labels, &[])
    }

    /// A histogram with the given ascending upper bounds; labels as for [`counter`](Self::counter).
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, labels: &[(&str, &str)], buckets: &[f64]) -> Metric {
        self.metric(MetricKind::Histogram, name, help, labels, buckets)
    }

    /// All metrics of the host at this moment, for exporters.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricFamily> {
        plain_families(self.object.metrics())
    }

    /// The health of the host: of its pipelines together. `None` from a host that is too old to tell.
    #[must_use]
    pub fn health(&self) -> Option<HostHealth> {
        let report = self.object.health();
        let mut health: HostHealth = serde_json::from_str(report.as_str()).ok()?;
        health.report = report.into();
        Some(health)
    }

    /// Runs work whose `tracing` events go to the host's log under this instance's name.
    ///
    /// Calls from the host run in it already. A thread that the plugin starts by itself uses it, or its
    /// events carry the plugin's name alone.
    pub fn scope<R>(&self, work: impl FnOnce() -> R) -> R {
        log_bridge::with_speaker(&self.object, work)
    }

    fn metric(
        &self,
        kind: MetricKind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        buckets: &[f64],
    ) -> Metric {
        let labels: Vec<_> = std::iter::once(Tuple2("component".into(), self.instance().into()))
            .chain(labels.iter().map(|(name, value)| Tuple2((*name).into(), (*value).into())))
            .collect();
        let id = self.object.metric(
            kind.code(),
            name.into(),
            help.into(),
            labels.as_slice().into(),
            buckets.into(),
        );
        Metric { object: self.object.clone(), id }
    }
}

/// The health of a host, as a supervisor asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HostHealth {
    /// Whether restarting would not help more than waiting.
    pub live: bool,
    /// Whether work should be sent.
    pub ready: bool,
    /// Everything the host says, as a JSON object: `live`, `ready`, and `pipelines` with name, state and
    /// reasons.
    #[serde(skip)]
    pub report: String,
}

/// One metric of one label set. Where the host refused it (too many label sets, a name of another
/// kind) updates have no effect.
#[derive(Clone)]
pub struct Metric {
    object: SHostObject,
    id: u64,
}

impl std::fmt::Debug for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metric").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Metric {
    /// Adds to a counter, sets a gauge or observes into a histogram. A value that is not finite, or
    /// negative for a counter, is ignored by the host.
    pub fn update(&self, value: f64) {
        self.object.update(self.id, value);
    }

    /// Adds one to a counter.
    pub fn increment(&self) {
        self.update(1.0);
    }
}
