//! Tests of the registry: refusals, caps, snapshots and the fixed names.

use super::*;

fn numbers(registry: &MetricsRegistry, name: &str) -> Vec<(Vec<(String, String)>, f64)> {
    registry
        .snapshot()
        .into_iter()
        .filter(|family| family.name == name)
        .flat_map(|family| family.samples)
        .map(|sample| match sample.value {
            MetricValue::Number(number) => (sample.labels, number),
            MetricValue::Histogram { sum, .. } => (sample.labels, sum),
        })
        .collect()
}

/// Guards that one label set is one series, whatever the order of its labels.
#[test]
fn a_label_set_is_found_again() {
    let registry = MetricsRegistry::new();
    registry.counter("mfn_x_total", "X.", &[("b", "2"), ("a", "1")]).increment();
    registry.counter("mfn_x_total", "X.", &[("a", "1"), ("b", "2")]).add_count(2);
    let labels = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())];
    assert_eq!(numbers(&registry, "mfn_x_total"), [(labels, 3.0)]);
}

/// Guards the cap on label sets: memory is bounded and the total stays right.
#[test]
fn too_many_label_sets_are_counted_together() {
    let registry = MetricsRegistry::new();
    let total = LABEL_SETS_MAX + 50;
    for client in 0..total {
        registry.counter("mfn_clients_total", "C.", &[("client", &client.to_string())]).increment();
    }
    let samples = numbers(&registry, "mfn_clients_total");
    assert_eq!(samples.len(), LABEL_SETS_MAX + 1);
    let overflow = vec![("client".to_owned(), OVERFLOW_LABEL_VALUE.to_owned())];
    assert!(samples.contains(&(overflow, 50.0)));
    assert!((samples.iter().map(|(_, value)| value).sum::<f64>() - total as f64).abs() < 1e-9);
}

/// Guards that what no exporter could show is refused with the reason, counted, and leaves no trace.
#[test]
fn unfit_metrics_are_refused() {
    use MetricKind::{Counter, Gauge, Histogram};
    let registry = MetricsRegistry::new();
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    let many: Vec<f64> = (0..=BUCKETS_MAX).map(|bound| bound as f64).collect();
    let labels_many: Vec<String> = (0..=LABELS_MAX).map(|n| format!("l{n}")).collect();
    let labels_many: Vec<_> = labels_many.iter().map(|label| (label.as_str(), "")).collect();
    type Case<'a> = (MetricKind, &'a str, &'a [(&'a str, &'a str)], &'a [f64]);
    let cases: &[Case<'_>] = &[
        (Counter, "mfn_x", &[], &[]),
        (Gauge, "mfn_x_total", &[], &[]),
        (Gauge, "mfn_x_count", &[], &[]),
        (Gauge, "", &[], &[]),
        (Gauge, "9lives", &[], &[]),
        (Gauge, "mfn x", &[], &[]),
        (Gauge, "mfn_\u{e9}", &[], &[]),
        (Gauge, &long, &[], &[]),
        (Gauge, "mfn_x", &[("__name__", "")], &[]),
        (Gauge, "mfn_x", &[("a\"b", "")], &[]),
        (Gauge, "mfn_x", &[("a", "1"), ("a", "2")], &[]),
        (Gauge, "mfn_x", &labels_many, &[]),
        (Gauge, "mfn_x", &[], &[1.0]),
        (Histogram, "mfn_x", &[("le", "1")], &[1.0]),
        (Histogram, "mfn_x", &[], &[]),
        (Histogram, "mfn_x", &[], &[1.0, 1.0]),
        (Histogram, "mfn_x", &[], &[1.0, f64::NAN]),
        (Histogram, "mfn_x", &[], &[1.0, f64::INFINITY]),
        (Histogram, "mfn_x", &[], &many),
    ];
    for (kind, name, labels, buckets) in cases {
        let refused = registry.register(*kind, name, "", labels, buckets);
        assert!(refused.is_err(), "{kind:?} {name:?} {labels:?} {buckets:?}");
    }
    assert_eq!(registry.snapshot().len(), 1);
    assert_eq!(numbers(&registry, "mfn_metrics_refused_total"), [(vec![], cases.len() as f64)]);
}

/// Guards a name against two meanings; the handle of a refused metric has no effect.
#[test]
fn a_name_has_one_kind_one_label_list_and_one_bucket_list() {
    let registry = MetricsRegistry::new();
    registry.histogram("mfn_x", "", &[("a", "")], &[1.0]).observe(0.5);
    for (labels, buckets) in [(&[("b", "")][..], [1.0]), (&[], [1.0]), (&[("a", "")][..], [2.0])] {
        let error = registry.register(MetricKind::Histogram, "mfn_x", "", labels, &buckets).unwrap_err();
        assert_eq!(error, MetricError::Differs { metric: "mfn_x".to_owned() });
    }
    registry.gauge("mfn_x", "", &[("a", "")]).set(9.0);
    assert_eq!(numbers(&registry, "mfn_x"), [(vec![("a".to_owned(), String::new())], 0.5)]);
}

/// Guards the cap on names.
#[test]
fn the_registry_has_an_end() {
    let registry = MetricsRegistry::new();
    for n in 0..FAMILIES_MAX {
        registry.register(MetricKind::Gauge, &format!("g{n}"), "", &[], &[]).unwrap();
    }
    let error = registry.register(MetricKind::Gauge, "one_more", "", &[], &[]).unwrap_err();
    assert_eq!(error, MetricError::Full { metric: "one_more".to_owned() });
    registry.register(MetricKind::Gauge, "g0", "", &[], &[]).unwrap();
}

/// Guards that long label values are cut at a character, not refused.
#[test]
fn long_label_values_are_cut() {
    let registry = MetricsRegistry::new();
    registry.gauge("mfn_x", "", &[("a", &"\u{20ac}".repeat(200))]).set(1.0);
    let samples = numbers(&registry, "mfn_x");
    let value = &samples[0].0[0].1;
    assert!(value.len() <= LABEL_VALUE_BYTES_MAX && value.chars().all(|c| c == '\u{20ac}'));
}

/// Guards the names and buckets that dashboards rely on.
#[test]
fn the_fixed_names_are_there() {
    let registry = MetricsRegistry::new();
    let simulation = SimulationMetrics::new(&registry, "r");
    simulation.observe_duration(std::time::Duration::from_millis(250));
    let _ = RouteMetrics::new(&registry, "r");
    let snapshot = registry.snapshot();
    let names: Vec<_> = snapshot.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "mfn_dead_letters_total",
            "mfn_fractal_dimension",
            "mfn_growth_events_total",
            "mfn_lyapunov_exponent",
            "mfn_metrics_refused_total",
            "mfn_records_delivered_total",
            "mfn_records_in_flight",
            "mfn_records_nacked_total",
            "mfn_records_rejected_total",
            "mfn_simulation_duration_seconds",
        ]
    );
    // Nothing measured it, so it must not read as a measured 0.
    assert!(matches!(snapshot[3].samples[0].value, MetricValue::Number(value) if value.is_nan()));
    let duration = &snapshot[9].samples[0].value;
    let expected = [(0.1, 0), (0.5, 1), (1.0, 1), (2.0, 1), (5.0, 1), (10.0, 1)];
    assert_eq!(*duration, MetricValue::Histogram { buckets: expected.to_vec(), count: 1, sum: 0.25 });
}
