//! The host as a plugin sees it: its log and its metrics, behind an abi_stable object.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak},
};

use abi_stable::{
    sabi_trait::TD_Opaque,
    std_types::{RArc, RSlice, RStr, RString, RVec, Tuple2},
};
use mfn_plugin::{
    abi::{SHost, SHost_TO, SHostObject, SMetricFamily},
    metric::MetricKind,
};

use crate::{
    log::{Log, LogLevel, LogRecord},
    metrics::MetricsRegistry,
    pipeline::health::HealthBoard,
};

/// The label that says which component a metric belongs to.
const COMPONENT_LABEL: &str = "component";

/// What a runtime offers its plugins. The runtime and every adapter keep it; plugins do not.
pub(crate) struct Services {
    pub(crate) log: Log,
    pub(crate) metrics: Arc<MetricsRegistry>,
    pub(crate) health: HealthBoard,
}

/// What one plugin or one of its instances reaches of the runtime.
///
/// A plugin's image stays mapped with whatever its statics hold, for ever. So it holds the services
/// weakly: when the runtime and its components are gone, so are the host's sink and what belongs to it,
/// and calls of a plugin's left-over threads have no effect.
#[derive(Clone)]
pub(super) struct HostContext {
    plugin: Arc<str>,
    component: Option<Arc<str>>,
    services: Weak<Services>,
}

impl HostContext {
    pub(super) fn of_plugin(plugin: &str, services: &Arc<Services>) -> Self {
        Self { plugin: plugin.into(), component: None, services: Arc::downgrade(services) }
    }

    pub(super) fn of_component(self, component: &str) -> Self {
        Self { component: Some(component.into()), ..self }
    }

    pub(super) fn object(&self) -> SHostObject {
        SHost_TO::from_ptr(RArc::new(self.clone()), TD_Opaque)
    }

    /// The labels as the registry takes them: an instance can not speak for another.
    fn labels<'a>(&'a self, given: &'a [Tuple2<RStr<'a>, RStr<'a>>]) -> Vec<(&'a str, &'a str)> {
        let own = self.component.as_deref();
        let given = given
            .iter()
            .map(|Tuple2(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| own.is_none() || *name != COMPONENT_LABEL);
        own.map(|component| (COMPONENT_LABEL, component)).into_iter().chain(given).collect()
    }
}

impl HostContext {
    /// Runs work for a plugin with the services, where they are still there.
    fn with<R: Default>(&self, work: impl FnOnce(&Services) -> R) -> R {
        contained(|| self.services.upgrade().map(|services| work(&services)).unwrap_or_default())
    }
}

/// Runs work for a plugin. abi_stable ends the process when a panic reaches its boundary, so a fault of
/// ours becomes the default answer instead.
fn contained<R: Default>(work: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_default()
}

impl SHost for HostContext {
    fn log(
        &self,
        level: u32,
        target: RStr<'_>,
        message: RStr<'_>,
        fields: RSlice<'_, Tuple2<RStr<'_>, RString>>,
    ) {
        self.with(|services| {
            let level = LogLevel::from_code(level).unwrap_or(LogLevel::Trace);
            if !services.log.enabled(level) {
                return;
            }
            let fields: Vec<_> =
                fields.iter().map(|Tuple2(name, value)| (name.as_str(), value.as_str())).collect();
            services.log.emit(&LogRecord {
                level,
                target: target.as_str(),
                message: message.as_str(),
                fields: &fields,
                component: self.component.as_deref(),
                plugin: Some(&self.plugin),
            });
        });
    }

    fn metric(
        &self,
        kind: u32,
        name: RStr<'_>,
        help: RStr<'_>,
        labels: RSlice<'_, Tuple2<RStr<'_>, RStr<'_>>>,
        buckets: RSlice<'_, f64>,
    ) -> u64 {
        self.with(|services| {
            let Some(kind) = MetricKind::from_code(kind) else { return 0 };
            let labels = self.labels(labels.as_slice());
            let outcome =
                services.metrics.register(kind, name.as_str(), help.as_str(), &labels, buckets.as_slice());
            outcome.unwrap_or_else(|error| {
                services.log.emit(&LogRecord {
                    level: LogLevel::Warn,
                    target: "mfn_runtime::metrics",
                    message: &error.to_string(),
                    fields: &[],
                    component: self.component.as_deref(),
                    plugin: Some(&self.plugin),
                });
                0
            })
        })
    }

    fn update(&self, metric: u64, value: f64) {
        self.with(|services| services.metrics.update(metric, value));
    }

    fn metrics(&self) -> RVec<SMetricFamily> {
        self.with(|services| services.metrics.snapshot().into_iter().map(SMetricFamily::from).collect())
    }

    fn health(&self) -> RString {
        self.with(|services| serde_json::to_string(&services.health.read()).unwrap_or_default().into())
    }
}
