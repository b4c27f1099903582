//! A host with a solver of its own: Gray-Scott on a grid that the program owns (Pearson, 1993). The library reads the
//! field where it lies, with its ghost cells around it, every 500 steps; nothing is copied.
#![allow(clippy::print_stdout)]

use mfn_sim::features::{self, FeatureConfig};
use ndarray::{Array2, s};

const SIDE: usize = 96;
const WIDTH: usize = SIDE + 2; // one ghost cell on each side
const STEPS: usize = 2000;
const EVERY: usize = 500;

fn wrap(field: &mut Array2<f64>) {
    for i in 1..=SIDE {
        field[[i, 0]] = field[[i, SIDE]];
        field[[i, SIDE + 1]] = field[[i, 1]];
    }
    for col in 0..WIDTH {
        field[[0, col]] = field[[SIDE, col]];
        field[[SIDE + 1, col]] = field[[1, col]];
    }
}

fn laplacian(field: &Array2<f64>, row: usize, col: usize) -> f64 {
    field[[row - 1, col]] + field[[row + 1, col]] + field[[row, col - 1]] + field[[row, col + 1]]
        - 4.0 * field[[row, col]]
}

/// Computes the next fields from those of now.
fn step(u: &mut [Array2<f64>; 2], v: &mut [Array2<f64>; 2], now: usize) {
    wrap(&mut u[now]);
    wrap(&mut v[now]);
    let (mut next_u, mut next_v) = (std::mem::take(&mut u[1 - now]), std::mem::take(&mut v[1 - now]));
    for row in 1..=SIDE {
        for col in 1..=SIDE {
            let (a, b) = (u[now][[row, col]], v[now][[row, col]]);
            let abb = a * b * b;
            next_u[[row, col]] = a + 0.16 * laplacian(&u[now], row, col) - abb + 0.060 * (1.0 - a);
            next_v[[row, col]] = b + 0.08 * laplacian(&v[now], row, col) + abb - (0.060 + 0.062) * b;
        }
    }
    (u[1 - now], v[1 - now]) = (next_u, next_v);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let is_seeded =
        |(row, col): (usize, usize)| (row + 9 * (col / 32)) % 32 < 12 && (col + 5 * (row / 32)) % 32 < 12;
    let begin = |inside: f64, outside: f64| {
        Array2::from_shape_fn((WIDTH, WIDTH), |cell| if is_seeded(cell) { inside } else { outside })
    };
    let mut u = [begin(0.50, 1.0), Array2::zeros((WIDTH, WIDTH))];
    let mut v = [begin(0.25, 0.0), Array2::zeros((WIDTH, WIDTH))];
    // The library counts in millivolts: this is v > 0.25.
    let config = FeatureConfig { threshold_low_mv: 250.0, ..FeatureConfig::default() };

    for t in 1..=STEPS {
        step(&mut u, &mut v, (t - 1) % 2);
        if t % EVERY == 0 {
            let f = features::compute(v[t % 2].slice(s![1..=SIDE, 1..=SIDE]), &config)?;
            println!(
                "step {t:4}: active {:4.1} %, {:3.0} clusters, D_box {:.3}",
                100.0 * f.f_active,
                f.n_clusters_low,
                f.d_box
            );
        }
    }
    Ok(())
}
