//! The metrics that every libmfn host has, with their fixed names and buckets, as typed handles.
//!
//! Dashboards and alerts are written against these names, so they live in one place and a test holds
//! them.

use std::time::Duration;

use super::{Counter, Gauge, Histogram, MetricsRegistry};

/// Buckets of `mfn_fractal_dimension`: a box-counting dimension in the plane is 0 to 2.
pub const FRACTAL_DIMENSION_BUCKETS: [f64; 6] = [1.0, 1.2, 1.4, 1.6, 1.8, 2.0];

/// Buckets of the durations, in seconds.
pub const DURATION_BUCKETS_S: [f64; 6] = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0];

/// What simulations bring forth, by route.
#[derive(Debug, Clone)]
pub struct SimulationMetrics {
    /// `mfn_fractal_dimension`: the box-counting dimension of each result.
    pub fractal_dimension: Histogram,
    /// `mfn_growth_events_total`: growth events of all runs.
    pub growth_events: Counter,
    /// `mfn_lyapunov_exponent`: the divergence rate of the last run that measured one, per step. NaN
    /// until then: the name is fixed for dashboards, and no run of this version measures it.
    pub lyapunov_exponent: Gauge,
    /// `mfn_simulation_duration_seconds`: the time of each run.
    duration: Histogram,
}

impl SimulationMetrics {
    /// The handles of one route.
    #[must_use]
    pub fn new(registry: &MetricsRegistry, route: &str) -> Self {
        let labels = [("route", route)];
        let lyapunov_exponent = registry.gauge(
            "mfn_lyapunov_exponent",
            "Divergence rate of the last simulation that measured one, per step.",
            &labels,
        );
        lyapunov_exponent.clear();
        Self {
            fractal_dimension: registry.histogram(
                "mfn_fractal_dimension",
                "Box-counting dimension of the final field.",
                &labels,
                &FRACTAL_DIMENSION_BUCKETS,
            ),
            growth_events: registry.counter(
                "mfn_growth_events_total",
                "Growth events in all simulations.",
                &labels,
            ),
            lyapunov_exponent,
            duration: registry.histogram(
                "mfn_simulation_duration_seconds",
                "Computing time of one simulation, in seconds.",
                &labels,
                &DURATION_BUCKETS_S,
            ),
        }
    }

    /// Counts the time of one run.
    pub fn observe_duration(&self, duration: Duration) {
        self.duration.observe(duration.as_secs_f64());
    }
}

/// What becomes of the records of one route.
#[derive(Debug, Clone)]
pub struct RouteMetrics {
    /// `mfn_records_in_flight`: fetched and not settled yet.
    pub in_flight: Gauge,
    /// `mfn_dead_letters_total`: written to the dead letters.
    pub dead_letters: Counter,
    /// `mfn_records_rejected_total`: never to be done, without a dead letter.
    pub rejected: Counter,
    /// `mfn_records_nacked_total`: given back to the source for another time.
    pub nacked: Counter,
    /// `mfn_records_delivered_total`: done and durable at every publisher.
    pub delivered: Counter,
}

impl RouteMetrics {
    /// The handles of one route.
    #[must_use]
    pub fn new(registry: &MetricsRegistry, route: &str) -> Self {
        let labels = [("route", route)];
        let counter = |name, help| registry.counter(name, help, &labels);
        Self {
            in_flight: registry.gauge(
                "mfn_records_in_flight",
                "Records that were fetched and are not settled yet.",
                &labels,
            ),
            dead_letters: counter("mfn_dead_letters_total", "Records that were written to the dead letters."),
            rejected: counter(
                "mfn_records_rejected_total",
                "Records that can not be done and left no dead letter.",
            ),
            nacked: counter("mfn_records_nacked_total", "Records that were given back to their source."),
            delivered: counter(
                "mfn_records_delivered_total",
                "Records that every publisher of the route has durably.",
            ),
        }
    }
}
