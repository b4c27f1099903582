//! The values behind metrics: atomics that any thread updates without a lock.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mfn_plugin::metric::{MetricKind, MetricValue};

/// A floating-point number that can be added to atomically.
#[derive(Debug, Default)]
struct Number(AtomicU64);

impl Number {
    fn add(&self, value: f64) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
            Some((f64::from_bits(bits) + value).to_bits())
        });
    }

    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// The value of one label set.
#[derive(Debug)]
pub(crate) enum Series {
    Counter(Value),
    Gauge(Value),
    Histogram(Distribution),
}

/// The number of a counter or a gauge.
#[derive(Debug, Default)]
pub(crate) struct Value(Number);

/// The counts of a histogram.
#[derive(Debug)]
pub(crate) struct Distribution {
    bounds: Arc<[f64]>,
    /// One for each bound and a last one for what is above all; not cumulative.
    counts: Box<[AtomicU64]>,
    sum: Number,
}

impl Series {
    pub(crate) fn new(kind: MetricKind, bounds: &Arc<[f64]>) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter(Value::default()),
            MetricKind::Gauge => Self::Gauge(Value::default()),
            MetricKind::Histogram => Self::Histogram(Distribution {
                bounds: Arc::clone(bounds),
                counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
                sum: Number::default(),
            }),
        }
    }

    /// Adds to a counter, sets a gauge, observes into a histogram. What is not finite is ignored, and
    /// what is negative too for a counter.
    pub(crate) fn update(&self, value: f64) {
        if !value.is_finite() {
            return;
        }
        match self {
            Self::Counter(number) if value >= 0.0 => number.0.add(value),
            Self::Counter(_) => {}
            Self::Gauge(number) => number.0.set(value),
            Self::Histogram(distribution) => distribution.observe(value),
        }
    }

    /// Changes a gauge by a difference; nothing for the other kinds.
    pub(crate) fn shift(&self, difference: f64) {
        if let Self::Gauge(number) = self
            && difference.is_finite()
        {
            number.0.add(difference);
        }
    }

    /// Says that a gauge has no value: it reads as NaN. Nothing for the other kinds.
    pub(crate) fn clear(&self) {
        if let Self::Gauge(number) = self {
            number.0.set(f64::NAN);
        }
    }

    pub(crate) fn value(&self) -> MetricValue {
        match self {
            Self::Counter(number) | Self::Gauge(number) => MetricValue::Number(number.0.get()),
            Self::Histogram(distribution) => distribution.value(),
        }
    }
}

impl Distribution {
    fn observe(&self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
            self.sum.add(value);
        }
    }

    /// The total is the sum of the bucket counts as read here, so a reader never sees a bucket above it.
    fn value(&self) -> MetricValue {
        let mut count = 0;
        let mut cumulative = self.counts.iter().map(|bucket| {
            count += bucket.load(Ordering::Relaxed);
            count
        });
        let buckets = self.bounds.iter().copied().zip(cumulative.by_ref()).collect();
        // `zip` ends with the bounds; the bucket above them is still to come.
        cumulative.for_each(drop);
        MetricValue::Histogram { buckets, count, sum: self.sum.get() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that no addition is lost when many threads count at once.
    #[test]
    fn concurrent_additions_are_all_counted() {
        let bounds: Arc<[f64]> = Arc::from([1.0, 2.0]);
        let counter = Series::new(MetricKind::Counter, &bounds);
        let histogram = Series::new(MetricKind::Histogram, &bounds);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        counter.update(0.5);
                        histogram.update(1.5);
                    }
                });
            }
        });
        assert_eq!(counter.value(), MetricValue::Number(20_000.0));
        let expected =
            MetricValue::Histogram { buckets: vec![(1.0, 0), (2.0, 40_000)], count: 40_000, sum: 60_000.0 };
        assert_eq!(histogram.value(), expected);
    }

    /// Guards the edges of the buckets (an upper bound belongs to its bucket) and the infinite one.
    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let histogram = Series::new(MetricKind::Histogram, &Arc::from([1.0, 2.0]));
        for value in [0.0, 1.0, 1.5, 2.0, 9.0, f64::NAN, f64::INFINITY] {
            histogram.update(value);
        }
        let expected = MetricValue::Histogram { buckets: vec![(1.0, 2), (2.0, 4)], count: 5, sum: 13.5 };
        assert_eq!(histogram.value(), expected);
    }

    /// Guards that a counter never shrinks and never becomes NaN.
    #[test]
    fn a_counter_ignores_what_would_spoil_it() {
        let counter = Series::new(MetricKind::Counter, &Arc::from([]));
        for value in [2.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            counter.update(value);
            counter.shift(-5.0);
        }
        assert_eq!(counter.value(), MetricValue::Number(2.0));
        let gauge = Series::new(MetricKind::Gauge, &Arc::from([]));
        gauge.update(-3.0);
        gauge.shift(1.0);
        gauge.update(f64::NAN);
        assert_eq!(gauge.value(), MetricValue::Number(-2.0));
    }
}
