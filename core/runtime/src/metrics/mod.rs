//! The metrics registry: counters, gauges and histograms of the runtime and its plugins.
//!
//! Counting must cost the work that is counted next to nothing, so updates are atomic operations on
//! handles and take no lock; only making a new label set and taking a snapshot do. What a plugin can
//! make the registry hold is capped: beyond the cap updates go to one overflow label set, so totals
//! stay right while memory stays bounded.

mod known;
mod name;
mod series;
mod table;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use mfn_plugin::metric::{MetricFamily, MetricKind, MetricSample, MetricValue};

pub use known::{DURATION_BUCKETS_S, FRACTAL_DIMENSION_BUCKETS, RouteMetrics, SimulationMetrics};
pub use name::{BUCKETS_MAX, HELP_BYTES_MAX, LABEL_VALUE_BYTES_MAX, LABELS_MAX, NAME_BYTES_MAX};

use series::Series;
use table::SeriesTable;

/// The most label sets of one registry, over all families.
pub const SERIES_MAX: usize = table::LEN_MAX;
/// The most metric names of one registry.
pub const FAMILIES_MAX: usize = 1024;
/// The most label sets of one metric; further ones are counted together as the overflow label set.
pub const LABEL_SETS_MAX: usize = 200;
/// The value of every label in the overflow label set.
pub const OVERFLOW_LABEL_VALUE: &str = "_overflow";

/// Why a metric was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// The name can not be shown.
    #[error("metric {name:?}: {why}")]
    Name {
        /// The name, cut.
        name: String,
        /// What it should be.
        why: &'static str,
    },
    /// A label can not be shown.
    #[error("metric {metric}: label {label:?}: {why}")]
    Label {
        /// The metric.
        metric: String,
        /// The label, cut.
        label: String,
        /// What it should be.
        why: &'static str,
    },
    /// The bounds of a histogram are no buckets.
    #[error("metric {metric}: a histogram has 1 to 64 finite, ascending bounds, and other kinds have none")]
    Buckets {
        /// The metric.
        metric: String,
    },
    /// The name is taken by a metric of another kind, other labels or other buckets.
    #[error("metric {metric} exists with another kind, other label names or other buckets")]
    Differs {
        /// The metric.
        metric: String,
    },
    /// The registry holds as much as it may.
    #[error("metric {metric}: the registry is full (1024 names, 65536 label sets)")]
    Full {
        /// The metric.
        metric: String,
    },
}

/// All metrics of one runtime. Any thread may use it.
#[derive(Debug)]
pub struct MetricsRegistry {
    families: Mutex<Families>,
    table: SeriesTable,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Families {
    by_name: BTreeMap<String, Family>,
    series_len: usize,
}

#[derive(Debug)]
struct Family {
    help: String,
    kind: MetricKind,
    label_names: Vec<String>,
    bounds: Arc<[f64]>,
    series: BTreeMap<Vec<String>, Registered>,
}

#[derive(Debug, Clone)]
struct Registered {
    id: u64,
    series: Arc<Series>,
}

impl Default for MetricsRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl MetricsRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self {
            families: Mutex::new(Families::default()),
            table: SeriesTable::new(),
            refused: AtomicU64::new(0),
        }
    }

    /// A counter for a label set. Where the registry refuses it the handle has no effect, and the
    /// refusal is counted in `mfn_metrics_refused_total`.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
        Counter(self.series(MetricKind::Counter, name, help, labels, &[]))
    }

    /// A gauge for a label set; refusals as for [`counter`](Self::counter).
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Gauge {
        Gauge(self.series(MetricKind::Gauge, name, help, labels, &[]))
    }

    /// A histogram over ascending upper bounds; refusals as for [`counter`](Self::counter).
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, labels: &[(&str, &str)], buckets: &[f64]) -> Histogram {
        Histogram(self.series(MetricKind::Histogram, name, help, labels, buckets))
    }

    fn series(
        &self,
        kind: MetricKind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        buckets: &[f64],
    ) -> Option<Arc<Series>> {
        let id = self.register(kind, name, help, labels, buckets).ok()?;
        self.table.get(id).cloned()
    }

    /// Finds or makes the metric of a label set and gives its number for [`update`](Self::update).
    ///
    /// # Errors
    /// A [`MetricError`] that says what to change; it is counted as well.
    pub fn register(
        &self,
        kind: MetricKind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        buckets: &[f64],
    ) -> Result<u64, MetricError> {
        let outcome = self.find_or_make(kind, name, help, labels, buckets);
        if outcome.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }

    fn find_or_make(
        &self,
        kind: MetricKind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        buckets: &[f64],
    ) -> Result<u64, MetricError> {
        name::check_name(name, kind)?;
        name::check_buckets(name, kind, buckets)?;
        let (label_names, values): (Vec<_>, Vec<_>) =
            name::check_labels(name, kind, labels)?.into_iter().unzip();
        let full = || MetricError::Full { metric: name.to_owned() };

        let mut families = self.lock();
        let Families { by_name, series_len } = &mut *families;
        let names = by_name.len();
        let family = match by_name.entry(name.to_owned()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if names >= FAMILIES_MAX => return Err(full()),
            Entry::Vacant(entry) => entry.insert(Family {
                help: name::cut(help, HELP_BYTES_MAX),
                kind,
                label_names: label_names.clone(),
                bounds: buckets.into(),
                series: BTreeMap::new(),
            }),
        };
        if family.kind != kind || family.label_names != label_names || *family.bounds != *buckets {
            return Err(MetricError::Differs { metric: name.to_owned() });
        }
        let key = family.key_within_cap(values);
        if let Some(known) = family.series.get(&key) {
            return Ok(known.id);
        }
        let series = Arc::new(Series::new(kind, &family.bounds));
        let id = self.table.push(*series_len, Arc::clone(&series)).ok_or_else(full)?;
        *series_len += 1;
        family.series.insert(key, Registered { id, series });
        Ok(id)
    }

    /// Adds to a counter, sets a gauge or observes into a histogram, by number. Unknown numbers, values
    /// that are not finite and negative values for a counter are ignored.
    pub fn update(&self, id: u64, value: f64) {
        if let Some(series) = self.table.get(id) {
            series.update(value);
        }
    }

    /// Everything at this moment, sorted by name and labels. Values of one family may be a few updates
    /// apart from those of another; within a histogram they agree.
    #[must_use]
    pub fn snapshot(&self) -> Vec<MetricFamily> {
        let refused = MetricFamily {
            name: "mfn_metrics_refused_total".to_owned(),
            help: "Metrics that the registry refused for their name, labels or number.".to_owned(),
            kind: MetricKind::Counter,
            samples: vec![MetricSample {
                labels: Vec::new(),
                // A count above 2^53 would need centuries.
                #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
                value: MetricValue::Number(self.refused.load(Ordering::Relaxed) as f64),
            }],
        };
        let mut families: Vec<_> =
            self.lock().by_name.iter().map(|(name, family)| family.snapshot(name)).collect();
        families.push(refused);
        families.sort_by(|a, b| a.name.cmp(&b.name));
        families
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Families> {
        // No code that can panic runs while it is held.
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Family {
    /// The label values themselves, or those of the overflow set when the family is full.
    fn key_within_cap(&self, values: Vec<String>) -> Vec<String> {
        if self.series.len() < LABEL_SETS_MAX || self.series.contains_key(&values) {
            values
        } else {
            vec![OVERFLOW_LABEL_VALUE.to_owned(); values.len()]
        }
    }

    fn snapshot(&self, name: &str) -> MetricFamily {
        let samples = self
            .series
            .iter()
            .map(|(values, registered)| MetricSample {
                labels: self.label_names.iter().cloned().zip(values.iter().cloned()).collect(),
                value: registered.series.value(),
            })
            .collect();
        MetricFamily { name: name.to_owned(), help: self.help.clone(), kind: self.kind, samples }
    }
}

/// A number that only grows. Cheap to clone; updates take no lock.
#[derive(Debug, Clone)]
pub struct Counter(Option<Arc<Series>>);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1.0);
    }

    /// Adds a value that is finite and not negative; another is ignored.
    pub fn add(&self, value: f64) {
        if let Some(series) = &self.0 {
            series.update(value);
        }
    }

    /// Adds a count.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn add_count(&self, count: u64) {
        self.add(count as f64);
    }
}

/// A number that goes up and down. Cheap to clone; updates take no lock.
#[derive(Debug, Clone)]
pub struct Gauge(Option<Arc<Series>>);

impl Gauge {
    /// Sets a finite value; another is ignored.
    pub fn set(&self, value: f64) {
        if let Some(series) = &self.0 {
            series.update(value);
        }
    }

    /// Changes the value by a finite difference.
    pub fn add(&self, difference: f64) {
        if let Some(series) = &self.0 {
            series.shift(difference);
        }
    }

    /// Says that there is no value, until the next [`set`](Self::set): exporters show NaN, which
    /// monitoring systems tell from a measured 0.
    pub fn clear(&self) {
        if let Some(series) = &self.0 {
            series.clear();
        }
    }
}

/// A distribution over fixed buckets. Cheap to clone; updates take no lock.
#[derive(Debug, Clone)]
pub struct Histogram(Option<Arc<Series>>);

impl Histogram {
    /// Counts a finite value; another is ignored.
    pub fn observe(&self, value: f64) {
        if let Some(series) = &self.0 {
            series.update(value);
        }
    }
}

#[cfg(test)]
mod tests;
