//! The 14 static features of one field against a plain loop for each.
//!
//! Both give the same numbers, which is checked before anything is timed.
//! `cargo bench -p mfn-benches --bench features`.

use criterion::BenchmarkId;
use mfn_benches::Comparison;
use mfn_sim::features::{box_sizes, compute};
use mfn_sim::rng::Generator;
use mfn_sim::{FeatureConfig, Features};
use ndarray::Array2;

const SIDES: [usize; 3] = [64, 256, 1024];

/// Smooth noise around -60 mV: patches of all sizes on both sides of the thresholds.
fn patchy_field(side: usize) -> Array2<f64> {
    let mut generator = Generator::new(42);
    let mut field = Array2::zeros((side, side));
    field.mapv_inplace(|_: f64| generator.normal(-0.060, 0.030));
    for _ in 0..3 {
        let rough = field.clone();
        let at = |row: usize, column: usize| rough[[row % side, column % side]];
        field = Array2::from_shape_fn((side, side), |(row, column)| {
            (at(row, column) + at(row + 1, column) + at(row, column + 1) + at(row + 1, column + 1)) / 4.0
        });
    }
    field
}

/// Sizes of the clusters by flood fill.
fn cluster_sizes(field: &Array2<f64>, threshold: f64) -> Vec<usize> {
    let (rows, columns) = field.dim();
    let mut open = field.mapv(|value| value > threshold);
    let mut sizes = Vec::new();
    for start in ndarray::indices((rows, columns)) {
        if !open[start] {
            continue;
        }
        let (mut stack, mut size) = (vec![start], 0);
        open[start] = false;
        while let Some((row, column)) = stack.pop() {
            size += 1;
            for (row, column) in [
                (row.wrapping_sub(1), column),
                (row + 1, column),
                (row, column.wrapping_sub(1)),
                (row, column + 1),
            ] {
                if row < rows && column < columns && open[[row, column]] {
                    open[[row, column]] = false;
                    stack.push((row, column));
                }
            }
        }
        sizes.push(size);
    }
    sizes
}

/// Boxes with an active cell, looked at one by one.
fn occupied_boxes(mask: &Array2<bool>, size: usize) -> usize {
    mask.exact_chunks((size, size)).into_iter().filter(|part| part.iter().any(|&active| active)).count()
}

/// The sums, counts and extremes behind the features, one pass for each.
#[derive(Debug)]
struct Plain {
    range: (f64, f64),
    moments: [f64; 4],
    active: usize,
    boxes: Vec<usize>,
    clusters: [Vec<usize>; 3],
}

fn plain(field: &Array2<f64>) -> Plain {
    let mv = field.mapv(|value| value * 1000.0);
    let count = mv.len() as f64;
    let mean = mv.iter().sum::<f64>() / count;
    let power = |exponent| mv.iter().map(|value| (value - mean).powi(exponent)).sum::<f64>() / count;
    let mask = field.mapv(|value| value > -0.060);
    Plain {
        range: (
            mv.iter().copied().fold(f64::INFINITY, f64::min),
            mv.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ),
        moments: [mean, power(2), power(3), power(4)],
        active: mask.iter().filter(|&&active| active).count(),
        boxes: box_sizes(2, 32.min(field.nrows() / 2), 5)
            .into_iter()
            .map(|size| occupied_boxes(&mask, size))
            .collect(),
        clusters: [-0.060, -0.050, -0.040].map(|threshold| cluster_sizes(field, threshold)),
    }
}

fn library(field: &Array2<f64>) -> Features {
    compute(field.view(), &FeatureConfig::default()).expect("features")
}

fn assert_agreement(field: &Array2<f64>) {
    let (features, plain) = (library(field), plain(field));
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} and {b}");
    let deviation = plain.moments[1].sqrt();
    assert_eq!((features.v_min, features.v_max), plain.range);
    close(features.v_mean, plain.moments[0]);
    close(features.v_std, deviation);
    close(features.v_skew, plain.moments[2] / deviation.powi(3));
    close(features.v_kurt, plain.moments[3] / deviation.powi(4) - 3.0);
    close(features.f_active, plain.active as f64 / field.len() as f64);
    let counts = [features.n_clusters_low, features.n_clusters_med, features.n_clusters_high];
    assert_eq!(counts, plain.clusters.each_ref().map(|sizes| sizes.len() as f64));
    assert_eq!(features.max_cluster_size, plain.clusters[0].iter().copied().max().unwrap_or(0) as f64);
    assert!(features.d_box > 0.5 && plain.boxes.is_sorted_by(|a, b| a >= b), "{features:?} {plain:?}");
}

fn main() {
    let mut criterion = mfn_benches::criterion();
    let mut comparisons = Vec::new();
    for side in SIDES {
        let field = patchy_field(side);
        assert_agreement(&field);
        let mut group = criterion.benchmark_group("features");
        group.bench_function(BenchmarkId::new("library", side), |b| b.iter(|| library(&field)));
        group.bench_function(BenchmarkId::new("plain", side), |b| b.iter(|| plain(&field)));
        group.finish();
        let library = || {
            std::hint::black_box(library(&field));
        };
        let plain = || {
            std::hint::black_box(plain(&field));
        };
        comparisons.push((side, Comparison::measure(library, plain)));
    }
    criterion.final_summary();
    println!("{:>6} {:>12} {:>12} {:>7}", "side", "library ms", "plain ms", "ratio");
    for (side, times) in comparisons {
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        println!("{side:>6} {:>12.3} {:>12.3} {:>7.2}", ms(times.library), ms(times.peer), times.ratio());
    }
}
