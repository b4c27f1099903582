//! The features of one field, and their pieces, each against a plain loop and against reading the field once.
//!
//! A plain loop gives the same numbers, which is checked before anything is timed; reading is the bound that nothing
//! which looks at every cell can pass. `cargo bench -p mfn-benches --bench features`.

use std::hint::black_box;
use std::time::Duration;

use criterion::BenchmarkId;
use mfn_benches::clock::{Times, time, units_for};
use mfn_benches::fields::patchy;
use mfn_sim::features::{
    BoxScales, Connectivity, TemporalAccumulator, box_fit, box_sizes, clusters, compute,
};
use mfn_sim::operators::statistics;
use mfn_sim::rng::Generator;
use mfn_sim::{Compat, FeatureConfig};
use ndarray::Array2;

const SIDES: [usize; 3] = [64, 256, 1024];
/// Alternations; the best of each program counts, because other programs only ever slow one down.
const ROUNDS: usize = 9;
/// Shortest time of one timed run.
const RUN_MIN: Duration = Duration::from_millis(20);
/// Thresholds of the default configuration, V.
const THRESHOLDS_V: [f64; 3] = [-0.060, -0.050, -0.040];

/// White noise around -60 mV: the most components, and the least that can be foreseen.
fn noise(side: usize) -> Array2<f64> {
    let mut generator = Generator::new(1);
    Array2::from_shape_simple_fn((side, side), || generator.normal(-0.060, 0.020))
}

/// Sizes of the clusters: labels in a first pass over the cells, equal labels merged in a second (Rosenfeld and
/// Pfaltz, 1966).
fn plain_clusters(field: &Array2<f64>, threshold: f64) -> Vec<usize> {
    fn root(parents: &[usize], mut label: usize) -> usize {
        while parents[label] != label {
            label = parents[label];
        }
        label
    }
    let mut labels = Array2::from_elem(field.dim(), usize::MAX);
    let mut parents = Vec::new();
    for ((row, column), _) in field.indexed_iter().filter(|(_, value)| **value > threshold) {
        let above = if row > 0 { labels[[row - 1, column]] } else { usize::MAX };
        let left = if column > 0 { labels[[row, column - 1]] } else { usize::MAX };
        labels[[row, column]] = match (above, left) {
            (usize::MAX, usize::MAX) => {
                parents.push(parents.len());
                parents.len() - 1
            }
            (label, usize::MAX) | (usize::MAX, label) => label,
            (above, left) => {
                let (above, left) = (root(&parents, above), root(&parents, left));
                parents[above.max(left)] = above.min(left);
                above.min(left)
            }
        };
    }
    let mut sizes = vec![0; parents.len()];
    for &label in labels.iter().filter(|&&label| label != usize::MAX) {
        sizes[root(&parents, label)] += 1;
    }
    sizes.retain(|&size| size > 0);
    sizes
}

/// Boxes with an active cell, looked at one by one, for the sizes of MFN 4.1.
fn plain_boxes(mask: &Array2<bool>) -> Vec<u64> {
    let occupied = |size| {
        let boxes = mask.exact_chunks((size, size));
        boxes.into_iter().filter(|part| part.iter().any(|&active| active)).count() as u64
    };
    box_sizes(2, 32.min(mask.nrows() / 2), 5).into_iter().map(occupied).collect()
}

/// Lowest and highest cell, mean, standard deviation, and the third and fourth central moment, one pass for each, mV.
fn plain_moments(field: &Array2<f64>) -> [f64; 6] {
    let mv = field.mapv(|value| value * 1000.0);
    let count = mv.len() as f64;
    let mean = mv.iter().sum::<f64>() / count;
    let power = |exponent| mv.iter().map(|value| (value - mean).powi(exponent)).sum::<f64>() / count;
    let low = mv.iter().copied().fold(f64::INFINITY, f64::min);
    let high = mv.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    [low, high, mean, power(2).sqrt(), power(3), power(4)]
}

/// Mean and largest absolute change between two frames, and the sum of squares of the second, mV.
fn plain_change(before: &Array2<f64>, after: &Array2<f64>) -> [f64; 3] {
    let change = (after - before).mapv(|value| 1000.0 * value.abs());
    let energy = after.iter().map(|value| (1000.0 * value).powi(2)).sum();
    [change.sum() / change.len() as f64, change.iter().copied().fold(0.0, f64::max), energy]
}

fn plain_features(field: &Array2<f64>) -> ([f64; 6], Vec<u64>, [Vec<usize>; 3]) {
    let boxes = plain_boxes(&field.mapv(|value| value > THRESHOLDS_V[0]));
    (plain_moments(field), boxes, THRESHOLDS_V.map(|threshold| plain_clusters(field, threshold)))
}

/// Reads every cell once.
fn read(field: &Array2<f64>) -> [f64; 8] {
    let mut sums = [0.0; 8];
    for cells in field.as_slice().expect("contiguous").chunks_exact(8) {
        sums.iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell);
    }
    sums
}

fn v4_1_scales() -> BoxScales {
    BoxScales { compat: Some(Compat::V4_1), ..BoxScales::default() }
}

/// Every piece gives the numbers of its plain loop.
fn assert_agreement(field: &Array2<f64>, other: &Array2<f64>) {
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} and {b}");
    let features = compute(field.view(), &FeatureConfig::default()).expect("features");
    let ([low, high, mean, deviation, third, fourth], boxes, sizes) = plain_features(field);
    assert_eq!((features.v_min, features.v_max), (low, high));
    close(features.v_mean, mean);
    close(features.v_std, deviation);
    close(features.v_skew, third / deviation.powi(3));
    close(features.v_kurt, fourth / deviation.powi(4) - 3.0);
    let counts = [features.n_clusters_low, features.n_clusters_med, features.n_clusters_high];
    assert_eq!(counts, sizes.each_ref().map(|sizes| sizes.len() as f64));
    assert_eq!(features.max_cluster_size, sizes[0].iter().copied().max().unwrap_or(0) as f64);
    let mask = field.mapv(|value| value > THRESHOLDS_V[0]);
    let fit = box_fit(mask.view(), &v4_1_scales()).expect("a fit");
    assert_eq!(fit.points.iter().map(|point| point.count).collect::<Vec<_>>(), boxes);
    let mut accumulator = TemporalAccumulator::new(&FeatureConfig::default()).expect("defaults");
    for frame in [field, other] {
        accumulator.push(frame.view()).expect("a frame");
    }
    let (found, [mean, max, _]) = (accumulator.finish(), plain_change(field, other));
    close(found.dv_mean, mean);
    close(found.dv_max, max);
}

/// Two programs that give the same numbers.
struct Case<'a> {
    name: &'static str,
    library: Box<dyn FnMut() + 'a>,
    plain: Box<dyn FnMut() + 'a>,
}

fn case<'a, A, B>(
    name: &'static str,
    mut library: impl FnMut() -> A + 'a,
    mut plain: impl FnMut() -> B + 'a,
) -> Case<'a> {
    Case {
        name,
        library: Box::new(move || drop(black_box(library()))),
        plain: Box::new(move || drop(black_box(plain()))),
    }
}

/// The pieces on a field. `other` is a frame like it.
fn cases<'a>(field: &'a Array2<f64>, other: &'a Array2<f64>, mask: &'a Array2<bool>) -> Vec<Case<'a>> {
    let (config, v4_1) = (FeatureConfig::default(), FeatureConfig::v4_1());
    let mut accumulator = TemporalAccumulator::new(&config).expect("defaults");
    vec![
        case("features", move || compute(field.view(), &config), || plain_features(field)),
        case("features of v4.1", move || compute(field.view(), &v4_1), || plain_features(field)),
        case("moments", || statistics(field.view()), || plain_moments(field)),
        case(
            "components",
            || clusters(field.view(), THRESHOLDS_V[0], Connectivity::Four, false),
            || plain_clusters(field, THRESHOLDS_V[0]),
        ),
        case("boxes, all offsets", || box_fit(mask.view(), &BoxScales::default()), || plain_boxes(mask)),
        case("boxes of v4.1", || box_fit(mask.view(), &v4_1_scales()), || plain_boxes(mask)),
        case("a frame", move || accumulator.push(other.view()), || plain_change(field, other)),
    ]
}

/// The best CPU times of programs that run in turns, ms.
fn best_ms<const N: usize>(mut programs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut best = [Times { cpu: f64::INFINITY, wall: f64::INFINITY }; N];
    let mut units = [1; N];
    for round in 0..=ROUNDS {
        for ((program, best), units) in programs.iter_mut().zip(&mut best).zip(&mut units) {
            let mut repeated = |units: u64| (0..units).for_each(|_| program());
            if round == 0 {
                *units = units_for(&mut repeated, 1, RUN_MIN);
            } else {
                *best = best.best(time(&mut repeated, *units));
            }
        }
    }
    best.map(|times| times.cpu * 1e3)
}

fn main() {
    let mut criterion = mfn_benches::criterion();
    let mut lines = Vec::new();
    for side in SIDES {
        for (what, field) in [("patches", patchy(side)), ("noise", noise(side))] {
            let other = field.mapv(|value| 0.99 * value);
            let mask = field.mapv(|value| value > THRESHOLDS_V[0]);
            assert_agreement(&field, &other);
            for Case { name, mut library, mut plain } in cases(&field, &other, &mask) {
                let mut group = criterion.benchmark_group(format!("{name}, {what}"));
                group.bench_function(BenchmarkId::new("library", side), |b| b.iter(&mut library));
                group.finish();
                let mut reading = || {
                    black_box(read(&field));
                };
                let [library, plain, reading] = best_ms([&mut *library, &mut *plain, &mut reading]);
                lines.push(format!(
                    "{name:<20} {what:<8} {side:>6} {library:>12.3} {plain:>10.3} {:>12.2} {reading:>10.3} {:>11.2}",
                    plain / library,
                    library / reading
                ));
            }
        }
    }
    criterion.final_summary();
    println!(
        "{:<20} {:<8} {:>6} {:>12} {:>10} {:>12} {:>10} {:>11}",
        "work", "field", "side", "library ms", "plain ms", "plain / lib", "read ms", "lib / read"
    );
    lines.iter().for_each(|line| println!("{line}"));
    println!("best CPU time of {ROUNDS} in turns; read: every cell of the field once");
}
