//! The 14 static features of one field against a plain loop for each.
//!
//! Both give the same numbers, which is checked before anything is timed.
//! `cargo bench -p mfn-benches --bench features`.

use std::time::Duration;

use criterion::BenchmarkId;
use mfn_benches::clock::{Times, time, units_for};
use mfn_benches::fields::patchy;
use mfn_sim::features::{box_sizes, compute};
use mfn_sim::{FeatureConfig, Features};
use ndarray::Array2;

const SIDES: [usize; 3] = [64, 256, 1024];
/// Alternations; the best of each program counts, because other programs only ever slow one down.
const ROUNDS: usize = 9;
/// Shortest time of one timed run.
const RUN_MIN: Duration = Duration::from_millis(20);

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
        let field = patchy(side);
        assert_agreement(&field);
        let mut group = criterion.benchmark_group("features");
        group.bench_function(BenchmarkId::new("library", side), |b| b.iter(|| library(&field)));
        group.bench_function(BenchmarkId::new("plain", side), |b| b.iter(|| plain(&field)));
        group.finish();
        let mut programs: [Box<dyn FnMut(u64) + '_>; 2] = [
            repeated(|| {
                std::hint::black_box(library(&field));
            }),
            repeated(|| {
                std::hint::black_box(plain(&field));
            }),
        ];
        let units = programs.each_mut().map(|program| units_for(program, 1, RUN_MIN));
        let mut best = [Times { cpu: f64::INFINITY, wall: f64::INFINITY }; 2];
        for _ in 0..ROUNDS {
            for ((program, units), best) in programs.iter_mut().zip(units).zip(&mut best) {
                *best = best.best(time(program, units));
            }
        }
        comparisons.push((side, best));
    }
    criterion.final_summary();
    println!("{:>6} {:>12} {:>12} {:>7}", "side", "library ms", "plain ms", "ratio");
    for (side, [library, plain]) in comparisons {
        let (library, plain) = (library.cpu * 1e3, plain.cpu * 1e3);
        println!("{side:>6} {library:>12.3} {plain:>12.3} {:>7.2}", plain / library);
    }
    println!("best CPU time of {ROUNDS} in turns");
}

/// A program that does its work once for each unit.
fn repeated<'a>(mut once: impl FnMut() + 'a) -> Box<dyn FnMut(u64) + 'a> {
    Box::new(move |units| (0..units).for_each(|_| once()))
}
