//! The metrics of one component as the pipeline sees it.

use mfn_plugin::value::ErrorClass;

use crate::metrics::{Counter, MetricsRegistry};

/// What goes through a component, and what goes wrong with it.
#[derive(Debug)]
pub(super) struct ComponentMetrics {
    records: Counter,
    bytes: Counter,
    retries: Counter,
    errors: Errors,
}

/// Errors of one component by class.
#[derive(Debug)]
struct Errors {
    by_class: [(ErrorClass, Counter); 7],
}

const CLASSES: [ErrorClass; 7] = [
    ErrorClass::Retryable,
    ErrorClass::Throttled,
    ErrorClass::Blocked,
    ErrorClass::Permanent,
    ErrorClass::Unknown,
    ErrorClass::Cancelled,
    ErrorClass::Fatal,
];

impl ComponentMetrics {
    /// For a component that reads in.
    pub(super) fn received(registry: &MetricsRegistry, component: &str) -> Self {
        let labels = [("component", component)];
        Self {
            records: registry.counter(
                "mfn_records_received_total",
                "Records fetched from connectors.",
                &labels,
            ),
            bytes: registry.counter(
                "mfn_bytes_received_total",
                "Payload bytes fetched from connectors.",
                &labels,
            ),
            retries: retries(registry, component),
            errors: Errors::new(registry, component),
        }
    }

    /// For a component that hands out.
    pub(super) fn sent(registry: &MetricsRegistry, component: &str) -> Self {
        let labels = [("component", component)];
        Self {
            records: registry.counter(
                "mfn_records_sent_total",
                "Records that publishers and transports took.",
                &labels,
            ),
            bytes: registry.counter(
                "mfn_bytes_sent_total",
                "Payload bytes that publishers and transports took.",
                &labels,
            ),
            retries: retries(registry, component),
            errors: Errors::new(registry, component),
        }
    }

    /// Counts a record that went through.
    pub(super) fn count(&self, payload_bytes: usize) {
        self.records.increment();
        self.bytes.add_count(payload_bytes as u64);
    }

    /// Counts records that went through.
    pub(super) fn count_many(&self, records: u64, payload_bytes: u64) {
        self.records.add_count(records);
        self.bytes.add_count(payload_bytes);
    }

    /// Counts attempts after the first: records published again, or fetches after a failed one.
    pub(super) fn count_retries(&self, retries: u64) {
        self.retries.add_count(retries);
    }

    /// Counts an error.
    pub(super) fn count_error(&self, class: ErrorClass) {
        if let Some((_, counter)) = self.errors.by_class.iter().find(|(known, _)| *known == class) {
            counter.increment();
        }
    }
}

fn retries(registry: &MetricsRegistry, component: &str) -> Counter {
    let help = "Attempts after the first: records published again, fetches after a failed one.";
    registry.counter("mfn_retries_total", help, &[("component", component)])
}

impl Errors {
    fn new(registry: &MetricsRegistry, component: &str) -> Self {
        let counter = |class: ErrorClass| {
            let labels = [("component", component), ("class", class.name())];
            registry.counter("mfn_errors_total", "Errors of components by class.", &labels)
        };
        Self { by_class: CLASSES.map(|class| (class, counter(class))) }
    }
}
