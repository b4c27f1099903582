//! Krum and hierarchical Krum as in MFN 4.1; where its choice is right, the exact one agrees.

use mfn_sim::aggregation::v4_1::{HierarchicalKrumAggregator, krum_select};
use mfn_sim::aggregation::{AggregationError, krum};
use mfn_sim::rng::Generator;
use ndarray::{Array2, ArrayView2};

use crate::load::{Entry, assert_close, number, numbers, whole, wholes};

/// Stored widened without loss.
fn single(entry: &Entry, name: &str) -> Array2<f32> {
    entry.grid(name).mapv(|value| value as f32)
}

pub(crate) fn check(entry: &Entry) {
    let gradients = single(entry, "gradients");
    let byzantine = whole(&entry.params["num_byzantine"]);
    let selected = krum_select(gradients.view(), byzantine).expect("a client");
    assert_eq!(selected, whole::<usize>(&entry.expected["selected_index_first_equal"]), "{}", entry.id);
    for (actual, wanted) in gradients.row(selected).iter().zip(entry.cells("selected").0) {
        assert!(f64::from(*actual) == wanted || (actual.is_nan() && wanted.is_nan()), "{}", entry.id);
    }
    check_exact(entry, byzantine);
}

/// The default: same choice as double precision in the reference where its conditions hold, and
/// a refusal by name where MFN 4.1 lets a NaN win or ignores too few clients.
fn check_exact(entry: &Entry, byzantine: usize) {
    let gradients = entry.grid("gradients");
    let exact = krum(gradients.view(), byzantine);
    let broken = gradients.outer_iter().position(|row| row.iter().any(|value| !value.is_finite()));
    match (broken, gradients.nrows() >= 2 * byzantine + 3) {
        (Some(index), _) => {
            let refused = matches!(exact, Err(AggregationError::NotFinite { client, .. }) if client == index);
            assert!(refused, "{}: {exact:?}", entry.id);
        }
        (None, false) => {
            assert!(matches!(exact, Err(AggregationError::TooFewClients { .. })), "{}: {exact:?}", entry.id);
        }
        (None, true) => {
            // The reference sums distances, the definition squared ones: the choice may differ, the
            // minimum of the definition is checked by a plain loop.
            let exact = exact.expect("an aggregate");
            assert_eq!(exact.selected, [definition(gradients.view(), byzantine)], "{}", entry.id);
        }
    }
}

fn definition(gradients: ArrayView2<'_, f64>, byzantine: usize) -> usize {
    let clients = gradients.nrows();
    let score = |client: usize| -> f64 {
        let others = (0..clients).filter(|&other| other != client);
        let mut squared: Vec<f64> = others
            .map(|other| (&gradients.row(client) - &gradients.row(other)).mapv(|x| x * x).sum())
            .collect();
        squared.sort_by(f64::total_cmp);
        squared[..clients - byzantine - 2].iter().sum()
    };
    (0..clients).min_by(|&a, &b| score(a).total_cmp(&score(b))).expect("a client")
}

pub(crate) fn check_hierarchical(entry: &Entry) {
    let gradients = single(entry, "gradients");
    let fraction = number(&entry.params["byzantine_fraction"]);
    let sample = entry.params.get("sample_fraction").map_or(0.1, number);
    let clusters = whole(&entry.params["num_clusters"]);
    let aggregator = HierarchicalKrumAggregator::new(clusters, fraction, sample).expect("accepted");
    let seed = entry.params.get("rng").map_or(42, |name| {
        let name = name.as_str().expect("a name");
        name.trim_start_matches("default_rng(").trim_end_matches(')').parse().expect("a seed")
    });
    let result = aggregator.aggregate(gradients.view(), &mut Generator::new(seed)).expect("an aggregate");
    let close = |what: &str, actual: &[f32], wanted: &[f64]| {
        assert_eq!(actual.len(), wanted.len(), "{}: {what}", entry.id);
        for (actual, wanted) in actual.iter().zip(wanted) {
            assert_close(&format!("{}: {what}", entry.id), f64::from(*actual), *wanted, 1e-5);
        }
    };
    if let Some(wanted) = entry.expected.get("result") {
        return close("aggregate", &result.value, &numbers(wanted));
    }
    let assignments: Vec<usize> = wholes(&entry.expected["cluster_assignments"]);
    assert_eq!(result.assignments, assignments, "{}: clusters", entry.id);
    if let Some(sampled) = entry.expected.get("sampled_indices") {
        assert_eq!(result.sampled, wholes::<usize>(sampled), "{}: sample", entry.id);
    }
    close("winners", result.winners.as_slice().expect("contiguous"), &entry.cells("cluster_winners").0);
    close("aggregate", &result.value, &entry.cells("aggregate").0);
}

pub(crate) fn check_config(entry: &Entry) {
    let none = Array2::<f32>::zeros((0, 3));
    let value = |name: &str, default: f64| entry.params.get(name).map_or(default, number);
    let result = match entry.id.as_str() {
        "krum-config-006" => {
            HierarchicalKrumAggregator::default().aggregate(none.view(), &mut Generator::new(42)).map(|_| ())
        }
        "krum-config-007" => krum_select(none.view(), 0).map(|_| ()),
        _ => HierarchicalKrumAggregator::new(
            value("num_clusters", 100.0) as usize,
            value("byzantine_fraction", 0.2),
            value("sample_fraction", 0.1),
        )
        .map(|_| ()),
    };
    assert_eq!(result.is_err(), !entry.expected["error"].is_null(), "{}: {result:?}", entry.id);
}
