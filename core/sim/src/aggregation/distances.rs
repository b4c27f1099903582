//! Squared Euclidean distances between all pairs of gradients.
//!
//! |a - b|^2 = a.a + b.b - 2 a.b needs one multiplication per coordinate and pair, but loses every
//! digit when a and b are close compared with their length. So the gradients are moved to a common
//! centre first, which takes away a shared offset, and a pair whose distance is still small beside
//! its lengths is computed anew from the differences. Every entry is a sum in one fixed order; the
//! number of threads changes no bit.

use super::coordinate::median_of_sorted;
use super::gradients::Gradients;
use crate::parallel::{for_each_chunk_mut, map_chunks};

/// Rows that one task takes at a time.
const TILE_ROWS: usize = 32;
/// Coordinates that are added up before the next tile of rows, so that both tiles stay in cache.
const PANEL: usize = 256;
/// A squared distance below this part of the squared lengths has lost too many digits: with 53
/// bits at least 43 are left above it.
const CANCELLATION: f64 = 1e-3;
/// Gradients whose median is the centre.
const CENTRE_SAMPLE: usize = 15;

/// The table of squared distances, symmetric, with zeros on the diagonal.
pub(crate) struct Distances {
    clients: usize,
    squared: Vec<f64>,
}

impl Distances {
    /// Computes all pairs. Memory: one copy of the gradients and `clients`^2 numbers.
    pub(crate) fn of(gradients: &Gradients<'_>) -> Self {
        let clients = gradients.clients();
        let centred = centred(gradients);
        let width = gradients.coordinates();
        let lengths = map_chunks(&centred, width, &|row| dots([row, row], [row, row])[0]);
        let mut squared = vec![0.0; clients * clients];
        for_each_chunk_mut(&mut squared, TILE_ROWS * clients, &|tile, rows| {
            let first = tile * TILE_ROWS;
            let count = rows.len() / clients;
            for other in (first..clients).step_by(TILE_ROWS) {
                let others = TILE_ROWS.min(clients - other);
                let products = products(&centred, width, (first, count), (other, others));
                for i in 0..count {
                    for j in 0..others {
                        let (a, b) = (first + i, other + j);
                        let lengths = lengths[a] + lengths[b];
                        let expanded = lengths - 2.0 * products[i * TILE_ROWS + j];
                        rows[i * clients + b] = if a == b {
                            0.0
                        } else if expanded > CANCELLATION * lengths {
                            expanded
                        } else {
                            squared_distance(gradients.row(a), gradients.row(b))
                        };
                    }
                }
            }
        });
        for a in 1..clients {
            for b in 0..a - a % TILE_ROWS {
                squared[a * clients + b] = squared[b * clients + a];
            }
        }
        Self { clients, squared }
    }

    /// The distances of one client to all.
    pub(crate) fn row(&self, client: usize) -> &[f64] {
        &self.squared[client * self.clients..(client + 1) * self.clients]
    }
}

/// The squared distance from the differences: right also for near-equal gradients far from zero.
pub(crate) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let (a_lanes, a_rest) = a.as_chunks::<4>();
    let (b_lanes, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..4 {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| (a - b) * (a - b)).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The gradients without the coordinate-wise median of a few of them.
fn centred(gradients: &Gradients<'_>) -> Vec<f64> {
    let clients = gradients.clients();
    let sample: Vec<usize> =
        (0..CENTRE_SAMPLE.min(clients)).map(|index| index * clients / CENTRE_SAMPLE.min(clients)).collect();
    let mut values = vec![0.0; sample.len()];
    let centre: Vec<f64> = (0..gradients.coordinates())
        .map(|coordinate| {
            for (value, &client) in values.iter_mut().zip(&sample) {
                *value = gradients.row(client)[coordinate];
            }
            values.sort_unstable_by(f64::total_cmp);
            median_of_sorted(&values)
        })
        .collect();
    let mut rows = gradients.flat().to_vec();
    for_each_chunk_mut(&mut rows, centre.len(), &|_, row| {
        for (value, centre) in row.iter_mut().zip(&centre) {
            *value -= centre;
        }
    });
    rows
}

/// The scalar products of a tile of rows with another, panel by panel.
fn products(
    rows: &[f64],
    width: usize,
    (first, count): (usize, usize),
    (other, others): (usize, usize),
) -> Vec<f64> {
    let mut tile = vec![0.0; TILE_ROWS * TILE_ROWS];
    for start in (0..width).step_by(PANEL) {
        let end = width.min(start + PANEL);
        let part = |row: usize| &rows[row * width + start..row * width + end];
        for i in (0..count).step_by(2) {
            // A last single row is paired with itself; its second result is the same number.
            let next_i = (i + 1).min(count - 1);
            for j in (0..others).step_by(2) {
                let next_j = (j + 1).min(others - 1);
                let pair = [part(first + i), part(first + next_i)];
                let sums = dots(pair, [part(other + j), part(other + next_j)]);
                let mut add = |i: usize, j: usize, sum: f64| tile[i * TILE_ROWS + j] += sum;
                add(i, j, sums[0]);
                if next_j > j {
                    add(i, next_j, sums[1]);
                }
                if next_i > i {
                    add(next_i, j, sums[2]);
                    if next_j > j {
                        add(next_i, next_j, sums[3]);
                    }
                }
            }
        }
    }
    tile
}

/// The four scalar products of two rows with two rows. Four lanes each, so that the compiler can
/// use vector registers of any width without a change of order.
fn dots(a: [&[f64]; 2], b: [&[f64]; 2]) -> [f64; 4] {
    let [a0, a1] = a.map(|row| row.as_chunks::<4>());
    let [b0, b1] = b.map(|row| row.as_chunks::<4>());
    let mut sums = [[0.0; 4]; 4];
    for (((a0, a1), b0), b1) in a0.0.iter().zip(a1.0).zip(b0.0).zip(b1.0) {
        for lane in 0..4 {
            sums[0][lane] += a0[lane] * b0[lane];
            sums[1][lane] += a0[lane] * b1[lane];
            sums[2][lane] += a1[lane] * b0[lane];
            sums[3][lane] += a1[lane] * b1[lane];
        }
    }
    let rest = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let total = |sums: [f64; 4], rest: f64| (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest;
    [
        total(sums[0], rest(a0.1, b0.1)),
        total(sums[1], rest(a0.1, b1.1)),
        total(sums[2], rest(a1.1, b0.1)),
        total(sums[3], rest(a1.1, b1.1)),
    ]
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::rng::Generator;

    /// Guards the expanded form against cancellation: with a common offset of 1e6, with an outlier in
    /// the centre's sample, and with equal gradients, every distance is that of the differences.
    #[test]
    fn distances_equal_the_direct_ones() {
        let mut random = Generator::new(1);
        for (clients, width, offset, outlier) in [
            (70, 301, 0.0, 0.0),
            (33, 40, 1e6, 0.0),
            (40, 9, 1e6, 1e12),
            (3, 1, 0.0, 1e100),
            (65, 2, -3e9, 0.0),
        ] {
            let mut array = Array2::from_shape_fn((clients, width), |_| offset + random.standard_normal());
            array.row_mut(0).fill(offset + outlier);
            array.row_mut(2).fill(offset + outlier);
            let copy = array.row(1).to_owned();
            array.row_mut(clients - 1).assign(&copy);
            let gradients = Gradients::check(array.view()).unwrap();
            let distances = Distances::of(&gradients);
            for a in 0..clients {
                for b in 0..clients {
                    let direct = squared_distance(gradients.row(a), gradients.row(b));
                    let error = (distances.row(a)[b] - direct).abs();
                    assert!(error <= 1e-11 * direct, "{clients} {offset} {a} {b}: {error:e} of {direct:e}");
                    assert_eq!(distances.row(a)[b].to_bits(), distances.row(b)[a].to_bits());
                }
            }
        }
    }
}
