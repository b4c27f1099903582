//! A host in memory, for the tests of plugins: it keeps the logs and the metrics it is given.
//!
//! With it a plugin's own tests drive the author's types directly, without a library being loaded.
//! It caps nothing, so it belongs into tests only (feature `testing`).
#![allow(unsafe_code)]

mod fault;
mod memory;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use fault::{FaultRow, fault_size};
pub use memory::{FaultMemory, peak_of};

use abi_stable::{
    sabi_trait::TD_Opaque,
    std_types::{RArc, RSlice, RStr, RString, RVec, Tuple2},
};

use crate::{
    abi::{SHost, SHost_TO, SHostObject, SMetricFamily},
    author::{Component, Result},
    host::{Host, InstanceInfo},
    log_bridge,
    metric::{MetricFamily, MetricKind, MetricSample, MetricValue},
    secret::read_config,
};

/// One event that reached the host's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// 1 (error) to 5 (trace).
    pub level: u32,
    /// The module that logged.
    pub target: String,
    /// The text.
    pub message: String,
    /// Names and values, in order.
    pub fields: Vec<(String, String)>,
}

/// A host whose logs and metrics stay in memory. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryHost {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    health: String,
    logs: Vec<LogLine>,
    families: BTreeMap<String, (MetricKind, String, Vec<f64>)>,
    /// Handle minus one is the index.
    series: Vec<Series>,
}

struct Series {
    name: String,
    labels: Vec<(String, String)>,
    value: MetricValue,
}

impl std::fmt::Debug for MemoryHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryHost").finish_non_exhaustive()
    }
}

impl MemoryHost {
    /// An empty host.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This host as the instance `name` with relative paths starting at `base_dir` sees it.
    #[must_use]
    pub fn instance(&self, name: &str, base_dir: &Path) -> Host {
        Host::new(self.object(), InstanceInfo { name: name.to_owned(), base_dir: base_dir.to_owned() })
    }

    /// Reads a configuration and makes an instance, as the loaded library would: secrets know their fields,
    /// and relative paths start at `base_dir`.
    ///
    /// # Errors
    /// What the configuration's type or `create` refuses.
    pub fn create<T: Component>(&self, config: serde_json::Value, name: &str, base_dir: &Path) -> Result<T> {
        let (config, _) = read_config::<T>(config, base_dir)?;
        T::create(config, self.instance(name, base_dir))
    }

    /// This host as it crosses to a plugin.
    #[must_use]
    pub fn object(&self) -> SHostObject {
        SHost_TO::from_ptr(RArc::new(self.clone()), TD_Opaque)
    }

    /// Becomes the process's `tracing` subscriber for events up to `level` (0 to 5). The first host that
    /// asks stays the one that gets them, so a test binary shares one.
    pub fn capture_logs(&self, level: u32) {
        log_bridge::install(self.object(), level);
    }

    /// What the host says of its health from now on, as JSON; until then it is one that can not tell.
    pub fn set_health(&self, report: &serde_json::Value) {
        self.lock().health = report.to_string();
    }

    /// All events so far.
    #[must_use]
    pub fn logs(&self) -> Vec<LogLine> {
        self.lock().logs.clone()
    }

    /// All metrics now, sorted by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricFamily> {
        let state = self.lock();
        let samples = |name: &str| {
            let of_name = state.series.iter().filter(|series| series.name == name);
            of_name.map(|s| MetricSample { labels: s.labels.clone(), value: s.value.clone() }).collect()
        };
        let family = |(name, (kind, help, _)): (&String, &(MetricKind, String, Vec<f64>))| MetricFamily {
            name: name.clone(),
            help: help.clone(),
            kind: *kind,
            samples: samples(name),
        };
        state.families.iter().map(family).collect()
    }

    /// The sum over all label sets of a counter or gauge that contain `labels`; 0 where there is none.
    #[must_use]
    pub fn number(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |series: &Series| {
            labels.iter().all(|(key, value)| series.labels.iter().any(|(k, v)| k == key && v == value))
        };
        let state = self.lock();
        let chosen = state.series.iter().filter(|series| series.name == name && has(series));
        chosen.map(|series| if let MetricValue::Number(value) = series.value { value } else { 0.0 }).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SHost for MemoryHost {
    fn log(
        &self,
        level: u32,
        target: RStr<'_>,
        message: RStr<'_>,
        fields: RSlice<'_, Tuple2<RStr<'_>, RString>>,
    ) {
        let fields = fields.iter().map(|Tuple2(name, value)| (name.to_string(), value.to_string())).collect();
        let line = LogLine { level, target: target.to_string(), message: message.to_string(), fields };
        self.lock().logs.push(line);
    }

    fn metric(
        &self,
        kind: u32,
        name: RStr<'_>,
        help: RStr<'_>,
        labels: RSlice<'_, Tuple2<RStr<'_>, RStr<'_>>>,
        buckets: RSlice<'_, f64>,
    ) -> u64 {
        let Some(kind) = MetricKind::from_code(kind) else { return 0 };
        let mut labels: Vec<_> = labels.iter().map(|Tuple2(k, v)| (k.to_string(), v.to_string())).collect();
        labels.sort();
        let mut state = self.lock();
        let entry = (kind, help.to_string(), buckets.to_vec());
        let (known, _, buckets) = state.families.entry(name.to_string()).or_insert(entry).clone();
        if known != kind {
            return 0;
        }
        let same = |series: &Series| series.name == name.as_str() && series.labels == labels;
        if let Some(index) = state.series.iter().position(same) {
            return index as u64 + 1;
        }
        let value = match kind {
            MetricKind::Counter | MetricKind::Gauge => MetricValue::Number(0.0),
            MetricKind::Histogram => MetricValue::Histogram {
                buckets: buckets.iter().map(|bound| (*bound, 0)).collect(),
                count: 0,
                sum: 0.0,
            },
        };
        state.series.push(Series { name: name.to_string(), labels, value });
        state.series.len() as u64
    }

    fn update(&self, metric: u64, value: f64) {
        let mut state = self.lock();
        let state = &mut *state;
        let index = usize::try_from(metric).ok().and_then(|handle| handle.checked_sub(1));
        let Some(series) = index.and_then(|index| state.series.get_mut(index)) else { return };
        let counter = state.families.get(&series.name).is_some_and(|(kind, ..)| *kind == MetricKind::Counter);
        if !value.is_finite() || (counter && value < 0.0) {
            return;
        }
        match &mut series.value {
            MetricValue::Number(number) if counter => *number += value,
            MetricValue::Number(number) => *number = value,
            MetricValue::Histogram { buckets, count, sum } => {
                buckets.iter_mut().filter(|(bound, _)| value <= *bound).for_each(|(_, n)| *n += 1);
                *count += 1;
                *sum += value;
            }
        }
    }

    fn metrics(&self) -> RVec<SMetricFamily> {
        Self::metrics(self).into_iter().map(SMetricFamily::from).collect()
    }

    fn health(&self) -> RString {
        self.lock().health.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards what plugin tests lean on: values that arrive through the boundary are read back as
    /// they were, counters add, gauges are set, buckets are cumulative.
    #[test]
    fn metrics_are_read_back_through_the_boundary() {
        let memory = MemoryHost::new();
        let host = memory.instance("live", Path::new("/"));
        host.counter("a_total", "A.", &[("x", "1")]).increment();
        host.counter("a_total", "A.", &[("x", "1")]).update(2.0);
        host.counter("a_total", "A.", &[]).update(-1.0);
        host.gauge("b", "B.", &[]).update(7.0);
        host.gauge("a_total", "Not a gauge.", &[]).update(9.0);
        let histogram = host.histogram("c", "C.", &[], &[1.0, 2.0]);
        histogram.update(1.5);
        histogram.update(f64::NAN);
        assert_eq!(memory.number("a_total", &[("x", "1"), ("component", "live")]), 3.0);
        assert_eq!(memory.number("b", &[]), 7.0);
        let expected = MetricValue::Histogram { buckets: vec![(1.0, 0), (2.0, 1)], count: 1, sum: 1.5 };
        assert_eq!(host.metrics()[2].samples[0].value, expected);
    }
}
