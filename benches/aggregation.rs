//! Krum against the plain loop over all pairs of gradients.
//!
//! Both select the same client, which is checked before anything is timed.
//! `cargo bench -p mfn-benches --bench aggregation`.

use std::time::Duration;

use criterion::BenchmarkId;
use mfn_benches::clock::{Times, time, units_for};
use mfn_sim::aggregation::krum;
use mfn_sim::rng::Generator;
use ndarray::Array2;

/// Clients, each with ten times as many coordinates.
const CLIENTS: [usize; 3] = [30, 100, 300];
/// Alternations; the best of each program counts, because other programs only ever slow one down.
const ROUNDS: usize = 5;
/// Shortest time of one timed run.
const RUN_MIN: Duration = Duration::from_millis(20);

/// The client with the lowest score, pair by pair.
fn plain(gradients: &Array2<f64>, byzantine: usize) -> usize {
    let clients = gradients.nrows();
    let mut squared = Array2::zeros((clients, clients));
    for a in 0..clients {
        for b in a + 1..clients {
            let pair = gradients.row(a).into_iter().zip(gradients.row(b));
            let sum: f64 = pair.map(|(a, b)| (a - b) * (a - b)).sum();
            squared[[a, b]] = sum;
            squared[[b, a]] = sum;
        }
    }
    let score = |client: usize| -> f64 {
        let mut row = squared.row(client).to_vec();
        row.swap_remove(client);
        row.sort_unstable_by(f64::total_cmp);
        row[..clients - byzantine - 2].iter().sum()
    };
    (0..clients).min_by(|&a, &b| score(a).total_cmp(&score(b))).expect("a client")
}

fn library(gradients: &Array2<f64>, byzantine: usize) -> usize {
    krum(gradients.view(), byzantine).expect("enough clients").selected[0]
}

fn main() {
    let mut criterion = mfn_benches::criterion();
    let mut comparisons = Vec::new();
    for clients in CLIENTS {
        let mut random = Generator::new(1);
        let gradients = Array2::from_shape_fn((clients, 10 * clients), |_| random.standard_normal());
        let byzantine = clients / 5;
        assert_eq!(library(&gradients, byzantine), plain(&gradients, byzantine));
        let mut group = criterion.benchmark_group("krum");
        group.bench_function(BenchmarkId::new("library", clients), |b| {
            b.iter(|| library(&gradients, byzantine))
        });
        group.bench_function(BenchmarkId::new("plain", clients), |b| b.iter(|| plain(&gradients, byzantine)));
        group.finish();
        let mut programs: [&mut dyn FnMut(u64); 2] = [
            &mut |units| (0..units).for_each(|_| _ = std::hint::black_box(library(&gradients, byzantine))),
            &mut |units| (0..units).for_each(|_| _ = std::hint::black_box(plain(&gradients, byzantine))),
        ];
        let units = programs.each_mut().map(|program| units_for(program, 1, RUN_MIN));
        let mut best = [Times { cpu: f64::INFINITY, wall: f64::INFINITY }; 2];
        for _ in 0..ROUNDS {
            for ((program, units), best) in programs.iter_mut().zip(units).zip(&mut best) {
                *best = best.best(time(program, units));
            }
        }
        comparisons.push((clients, best));
    }
    criterion.final_summary();
    println!("{:>8} {:>12} {:>12} {:>7}", "clients", "library ms", "plain ms", "ratio");
    for (clients, [library, plain]) in comparisons {
        let (library, plain) = (library.cpu * 1e3, plain.cpu * 1e3);
        println!("{clients:>8} {library:>12.3} {plain:>12.3} {:>7.2}", plain / library);
    }
    println!("best CPU time of {ROUNDS} in turns");
}
