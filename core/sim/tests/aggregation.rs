//! Robust aggregation: attackers are survived, sums are exact, nothing panics.

use mfn_sim::aggregation::v4_1::HierarchicalKrumAggregator;
use mfn_sim::aggregation::{
    Aggregation, AggregationError, GeometricMedian, HierarchicalKrum, KRUM_CLIENTS_MAX, MAGNITUDE_MAX,
    Method, aggregate, coordinate_median, geometric_median, hierarchical_krum, krum, multi_krum,
    trimmed_mean,
};
use mfn_sim::rng::Generator;
use ndarray::{Array2, ArrayView2, Axis, s};
use proptest::prelude::*;

const METHODS: [Method; 5] = [
    Method::Krum,
    Method::MultiKrum { selected: None },
    Method::TrimmedMean,
    Method::Median,
    Method::GeometricMedian(GeometricMedian { smoothing: 1e-6, tolerance: 1e-8, iterations_max: 1000 }),
];

/// Honest gradients: 1 in every coordinate, with unit noise.
fn honest(seed: u64, clients: usize, width: usize) -> Array2<f64> {
    let mut random = Generator::new(seed);
    Array2::from_shape_fn((clients, width), |_| 1.0 + random.standard_normal())
}

/// What the first fifth of the clients sends instead.
#[derive(Debug, Clone, Copy)]
enum Attack {
    /// Far away.
    Large,
    /// As large as is accepted.
    Largest,
    /// The honest mean, reversed and enlarged.
    SignFlip,
    /// The honest mean plus 1.5 standard deviations in every coordinate, all alike (Baruch,
    /// Baruch and Goldberg, 2019): inside the noise, so that it can not be told apart.
    SmallPerturbation,
}

fn attacked(attack: Attack, seed: u64, clients: usize, width: usize) -> (Array2<f64>, usize) {
    let mut gradients = honest(seed, clients, width);
    let attackers = clients / 5;
    let value = match attack {
        Attack::Large => 1e6,
        Attack::Largest => -MAGNITUDE_MAX,
        Attack::SignFlip => -10.0,
        Attack::SmallPerturbation => 2.5,
    };
    gradients.slice_mut(s![..attackers, ..]).fill(value);
    (gradients, attackers)
}

/// Root mean square error of an aggregate whose true value is 1.
fn error(value: &[f64]) -> f64 {
    (value.iter().map(|x| (x - 1.0) * (x - 1.0)).sum::<f64>() / value.len() as f64).sqrt()
}

/// Guards the purpose of the module: a fifth of attackers that stand out are never selected, and what is left is the
/// noise of the honest clients (deviation 1 each). Attackers hidden in that noise may be selected by Krum and
/// Multi-Krum, which they then move by their own distance.
#[test]
fn a_fifth_of_attackers_is_survived() {
    for attack in [Attack::Large, Attack::Largest, Attack::SignFlip, Attack::SmallPerturbation] {
        for seed in 0..20 {
            let (gradients, attackers) = attacked(attack, seed, 50, 40);
            let plain = error(gradients.mean_axis(Axis(0)).expect("clients").as_slice().expect("contiguous"));
            for method in &METHODS {
                let result = aggregate(gradients.view(), method, attackers).expect("enough clients");
                let error = error(&result.value);
                let small = matches!(attack, Attack::SmallPerturbation);
                // Krum returns one client, whose own noise is 1; hidden attackers may win it by 1.5.
                let limit = match (method, small) {
                    (Method::Krum | Method::MultiKrum { .. }, true) => 1.6,
                    (Method::Krum, false) => 1.4,
                    _ => 0.75,
                };
                assert!(error < limit, "{attack:?} {method:?} seed {seed}: {error}");
                if !small {
                    assert!(error < plain, "{attack:?} {method:?}: no better than the mean, {plain}");
                    assert!(
                        result.selected.iter().all(|&client| client >= attackers),
                        "{attack:?} {method:?}"
                    );
                }
            }
        }
    }
}

/// Guards against the worst fault of MFN 4.1, one NaN that wins: the client is named instead.
#[test]
fn nan_and_infinity_are_refused_by_client() {
    for (value, finite) in
        [(f64::NAN, false), (f64::INFINITY, false), (f64::NEG_INFINITY, false), (1e141, true)]
    {
        let mut gradients = honest(1, 10, 4);
        gradients[[7, 2]] = value;
        let mut results: Vec<Result<(), AggregationError>> =
            METHODS.iter().map(|method| aggregate(gradients.view(), method, 1).map(drop)).collect();
        results.push(hierarchical_krum(gradients.view(), &HierarchicalKrum::default()).map(drop));
        for result in results {
            let named = match &result {
                Err(AggregationError::NotFinite { client: 7, coordinate: 2, .. }) => !finite,
                Err(AggregationError::TooLarge { client: 7, coordinate: 2, .. }) => finite,
                _ => false,
            };
            assert!(named, "{value}: {result:?}");
        }
    }
}

/// Guards Krum against rounding: an offset of 1e6 that all clients share changes no choice.
#[test]
fn a_common_offset_changes_no_choice() {
    for seed in 0..10 {
        // Multiples of 2^-20, so that the offset itself rounds nothing.
        let near = honest(seed, 60, 33).mapv(|x| (x * 1_048_576.0).round() / 1_048_576.0);
        let far = &near + 1e6;
        let [a, b] = [&near, &far].map(|g| krum(g.view(), 11).expect("enough clients"));
        assert_eq!(a.selected, b.selected, "seed {seed}");
        for (a, b) in a.scores.iter().zip(&b.scores) {
            assert!((a - b).abs() <= 1e-10 * a, "seed {seed}: {a} and {b}");
        }
    }
}

/// Guards the rule of ties: of equal scores the lowest index, also among equal gradients.
#[test]
fn ties_go_to_the_lowest_index() {
    let equal = Array2::from_elem((9, 3), 0.1);
    assert_eq!(krum(equal.view(), 2).expect("enough").selected, [0]);
    assert_eq!(multi_krum(equal.view(), 2, Some(3)).expect("enough").selected, [0, 1, 2]);
    // Two tight pairs of mirrored clients and one in between: 1 and 3 tie.
    let mirrored = ndarray::arr2(&[[-9.0], [-1.0], [50.0], [1.0], [9.0]]);
    let scores = krum(mirrored.view(), 1).expect("enough");
    assert_eq!(scores.scores[1], scores.scores[3]);
    assert_eq!(scores.selected, [1]);
}

/// Guards the conditions on the number of clients, at their edge.
#[test]
fn too_few_clients_are_refused() {
    for (method, extra) in METHODS.iter().zip([3, 3, 1, 1, 1]) {
        for byzantine in [0, 1, 5] {
            let needed = 2 * byzantine + extra;
            assert!(aggregate(honest(1, needed, 2).view(), method, byzantine).is_ok(), "{method:?}");
            let few = needed - 1;
            if few > 0 {
                let refused = aggregate(honest(1, few, 2).view(), method, byzantine);
                let text = refused.expect_err("too few").to_string();
                assert!(
                    text.contains(&format!("{few} clients")) && text.contains(&format!("{needed}")),
                    "{text}"
                );
            }
        }
        let huge = aggregate(honest(1, 5, 2).view(), method, usize::MAX);
        assert!(matches!(huge, Err(AggregationError::TooFewClients { .. })), "{method:?}");
    }
    for selected in [0, 6, usize::MAX] {
        let refused = multi_krum(honest(1, 9, 2).view(), 2, Some(selected));
        assert!(matches!(refused, Err(AggregationError::Selected { max: 5, .. })), "{selected}");
    }
}

/// Guards values that are known by hand.
#[test]
fn small_cases_are_exact() {
    let rows = ndarray::arr2(&[[1.0, 10.0], [2.0, -10.0], [3.0, 0.0], [4.0, 2.0], [1000.0, 4.0]]);
    assert_eq!(trimmed_mean(rows.view(), 1).expect("enough").value, [3.0, 2.0]);
    assert_eq!(coordinate_median(rows.view(), 2).expect("enough").value, [3.0, 2.0]);
    assert_eq!(coordinate_median(rows.slice(s![..4, ..]), 0).expect("enough").value, [2.5, 1.0]);
    // More than half agree: the geometric median is that point, exactly.
    let agreed = ndarray::arr2(&[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [9.0, 9.0], [-3.0, 7.0]]);
    let result = geometric_median(agreed.view(), 2, &GeometricMedian::default()).expect("enough");
    assert_eq!(result.value, [1.0, 2.0]);
    // The corners of a triangle see its Fermat point under 120 degrees.
    let corners = ndarray::arr2(&[[0.0, 0.0], [4.0, 0.0], [1.0, 3.0]]);
    let result = geometric_median(corners.view(), 1, &GeometricMedian::default()).expect("enough");
    let unit = |corner: usize| {
        let [x, y] = [0, 1].map(|axis| corners[[corner, axis]] - result.value[axis]);
        [x / x.hypot(y), y / x.hypot(y)]
    };
    for (a, b) in [(0, 1), (1, 2), (2, 0)] {
        let cosine = unit(a)[0] * unit(b)[0] + unit(a)[1] * unit(b)[1];
        assert!((cosine + 0.5).abs() < 1e-7, "{cosine}");
    }
}

fn sum_of_distances(gradients: ArrayView2<'_, f64>, point: &[f64]) -> f64 {
    let distance = |row: ndarray::ArrayView1<'_, f64>| {
        row.iter().zip(point).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    };
    gradients.outer_iter().map(distance).sum()
}

/// Guards the proven bound of the geometric median: also after few iterations the true sum of
/// distances exceeds the best one by no more than it says.
#[test]
fn the_bound_of_the_geometric_median_holds() {
    for seed in 0..10 {
        let (gradients, _) = attacked(Attack::Large, seed, 30, 6);
        let fine = GeometricMedian { tolerance: 1e-12, iterations_max: 100_000, smoothing: 1e-9 };
        let best = geometric_median(gradients.view(), 6, &fine).expect("enough");
        let best = sum_of_distances(gradients.view(), &best.value);
        for iterations_max in [1, 2, 5, 20] {
            let rough = GeometricMedian { iterations_max, ..GeometricMedian::default() };
            let rough = geometric_median(gradients.view(), 6, &rough).expect("enough");
            let bound = rough.convergence.expect("a convergence").relative_gap_max;
            let gap = sum_of_distances(gradients.view(), &rough.value) / best - 1.0;
            assert!(gap <= bound + 1e-6, "seed {seed}, {iterations_max}: {gap:e} above {bound:e}");
        }
        let usual = geometric_median(gradients.view(), 6, &GeometricMedian::default()).expect("enough");
        assert!(usual.convergence.expect("a convergence").converged, "seed {seed}");
    }
}

/// Guards hierarchical Krum: every client in one cluster of about the same size, a fifth of
/// attackers survived whatever the dealing, and less noise than MFN 4.1 in most runs.
#[test]
fn balanced_clusters_survive_a_fifth_of_attackers() {
    let mut quieter = 0;
    for seed in 0..40 {
        let mut gradients = honest(seed, 203, 20);
        gradients.slice_mut(s![..40, ..]).mapv_inplace(|value| value + 10.0);
        let settings = HierarchicalKrum { seed, ..HierarchicalKrum::default() };
        let result = hierarchical_krum(gradients.view(), &settings).expect("enough clients");
        let mut all = result.clusters.concat();
        all.sort_unstable();
        assert_eq!(all, (0..203).collect::<Vec<_>>());
        let sizes: Vec<usize> = result.clusters.iter().map(Vec::len).collect();
        let (min, max) = (sizes.iter().min().expect("one"), sizes.iter().max().expect("one"));
        assert!(max - min <= 1 && *min >= 2 * result.cluster_byzantine + 3 && sizes.len() > 4, "{sizes:?}");
        let ours = error(&result.value);
        assert!(ours < 0.75, "seed {seed}: {ours}");
        let single = gradients.mapv(|value| value as f32);
        let theirs = HierarchicalKrumAggregator::default()
            .aggregate(single.view(), &mut Generator::new(seed))
            .expect("clients");
        let theirs: Vec<f64> = theirs.value.into_iter().map(f64::from).collect();
        quieter += usize::from(ours < error(&theirs));
    }
    assert!(quieter >= 36, "better than MFN 4.1 in {quieter} of 40 runs");
}

/// Guards the sampling threshold and the case of too few clients for two levels.
#[test]
fn samples_and_single_clusters() {
    let gradients = honest(3, 400, 3);
    let sampled = HierarchicalKrum { sample_above: Some(399), sample_fraction: 0.25, ..Default::default() };
    let result = hierarchical_krum(gradients.view(), &sampled).expect("enough");
    assert_eq!(result.clusters.concat().len(), 100);
    let whole = HierarchicalKrum { sample_above: Some(400), ..sampled };
    assert_eq!(hierarchical_krum(gradients.view(), &whole).expect("enough").clusters.concat().len(), 400);
    let small =
        hierarchical_krum(gradients.slice(s![..10, ..]), &HierarchicalKrum::default()).expect("enough");
    assert_eq!(small.clusters.len(), 1);
    let four = hierarchical_krum(gradients.slice(s![..4, ..]), &HierarchicalKrum::default());
    assert!(matches!(four, Err(AggregationError::TooFewClients { needed: 5, .. })), "{four:?}");
}

/// Guards the limit on memory: the table of distances is refused before it is made.
#[test]
fn too_many_clients_are_refused() {
    let many = Array2::<f64>::zeros((KRUM_CLIENTS_MAX + 1, 1));
    let refused = krum(many.view(), 0);
    assert!(matches!(refused, Err(AggregationError::TooManyClients { limit: KRUM_CLIENTS_MAX, .. })));
    let two_levels = hierarchical_krum(many.view(), &HierarchicalKrum::default()).expect("enough clients");
    assert_eq!(two_levels.value, [0.0]);
}

fn bits(aggregation: &Aggregation) -> Vec<u64> {
    aggregation.value.iter().chain(&aggregation.scores).map(|value| value.to_bits()).collect()
}

/// Guards the promise of the same bits for every number of threads, and for a strided view.
#[test]
fn threads_and_strides_change_no_bit() {
    let (gradients, attackers) = attacked(Attack::SignFlip, 5, 71, 1500);
    let columns = gradients.t().as_standard_layout().into_owned();
    for method in &METHODS {
        let [one, three] = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| aggregate(gradients.view(), method, attackers)).expect("an aggregate")
        });
        let strided = aggregate(columns.t(), method, attackers).expect("an aggregate");
        assert_eq!(bits(&one), bits(&three), "{method:?}");
        assert_eq!(bits(&one), bits(&strided), "{method:?}");
    }
}

/// Any number that a host may send, the strange ones often.
fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -10.0..10.0,
        1 => prop::sample::select(vec![
            0.0, -0.0, 1e140, -1e140, 1e141, f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::NAN, f64::INFINITY, -f64::INFINITY,
        ]),
        2 => prop::sample::select(vec![1.0, 2.0]),
    ]
}

fn anything() -> impl Strategy<Value = Array2<f64>> {
    (0_usize..12, 0_usize..6).prop_flat_map(|(clients, width)| {
        prop::collection::vec(coordinate(), clients * width)
            .prop_map(move |cells| Array2::from_shape_vec((clients, width), cells).expect("a grid"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Guards every function over its whole range: a finite aggregate inside the range of every
    /// coordinate, or a typed error.
    #[test]
    fn any_input_gives_a_value_or_an_error(
        gradients in anything(),
        byzantine in prop_oneof![0_usize..7, Just(usize::MAX)],
        selected in prop::option::of(0_usize..9),
        (smoothing, tolerance) in (prop_oneof![Just(f64::NAN), -1.0..1.0, Just(1e-12)], 0.0..2.0),
        iterations_max in 0_usize..50,
        fraction in prop_oneof![Just(f64::NAN), -0.1..0.6],
        num_clusters in prop_oneof![0_usize..20, Just(usize::MAX)],
    ) {
        let median = GeometricMedian { smoothing, tolerance, iterations_max };
        let other = [Method::MultiKrum { selected }, Method::GeometricMedian(median)];
        for method in METHODS.iter().chain(&other) {
            if let Ok(result) = aggregate(gradients.view(), method, byzantine) {
                prop_assert_eq!(result.value.len(), gradients.ncols());
                for (value, column) in result.value.iter().zip(gradients.axis_iter(Axis(1))) {
                    let low = column.iter().copied().fold(f64::INFINITY, f64::min);
                    let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let slack = 1e-9 * (high.abs() + low.abs());
                    prop_assert!(*value >= low - slack && *value <= high + slack, "{:?}: {}", method, value);
                }
            }
        }
        let settings = HierarchicalKrum {
            num_clusters, byzantine_fraction: fraction, sample_above: selected, sample_fraction: tolerance,
            ..HierarchicalKrum::default()
        };
        if let Ok(result) = hierarchical_krum(gradients.view(), &settings) {
            prop_assert!(result.value.iter().all(|value| value.is_finite()));
        }
    }
}

/// Guards long sides: 2^16 clients of one coordinate, and 5 clients of 2^16.
#[test]
fn long_sides_are_aggregated() {
    let many = honest(8, 1 << 16, 1);
    let wide = honest(9, 5, 1 << 16);
    for method in &METHODS {
        let result = aggregate(many.view(), method, 10);
        match method {
            Method::Krum | Method::MultiKrum { .. } => {
                assert!(matches!(result, Err(AggregationError::TooManyClients { .. })));
            }
            _ => assert!((result.expect("an aggregate").value[0] - 1.0).abs() < 0.05),
        }
        assert_eq!(aggregate(wide.view(), method, 1).expect("an aggregate").value.len(), 1 << 16);
    }
    let result = hierarchical_krum(many.view(), &HierarchicalKrum::default()).expect("an aggregate");
    assert!((result.value[0] - 1.0).abs() < 0.3);
}
