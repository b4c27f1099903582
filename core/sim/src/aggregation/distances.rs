//! Squared Euclidean distances between all pairs of gradients.
//!
//! |a - b|^2 = a.a + b.b - 2 a.b needs one operation per coordinate and pair where the differences need two, but loses
//! every digit when a and b are close compared with their length. So the gradients are moved to a common centre first,
//! which takes away a shared offset, and a pair whose distance is still small beside its lengths is computed anew from
//! the differences. Products are computed in single precision, which is twice as fast: what they leave undecided is told by
//! [`Distances::error`], and decided by distances from the differences in double precision. Every entry is a sum in one
//! fixed order; neither threads nor registers change a bit.

use std::ops::{Range, RangeInclusive};

use super::coordinate::median_of_sorted;
use super::gradients::Gradients;
use super::pairs::{PRODUCT_ERROR, Product, SquaredDifference, TO_BE_DIRECT, add_sums};
use crate::parallel::for_each_chunk_mut;
use crate::simd::DetectedLevel;

/// A squared distance below this part of the squared lengths is computed from the differences. All others have a relative
/// error of at most 2.5e-4.
const CANCELLATION: f64 = 1.0 / 16.0;
/// Squared lengths whose products single precision can hold, with room for any number of coordinates: what underflows, or
/// is flushed to 0 where a host has its processor do so, is nothing beside them.
const LENGTHS: RangeInclusive<f64> = 1e-20..=1e30;
/// Bound on the error of a distance from products beside the squared lengths of its gradients: that of the two lengths and
/// of twice the product, which is at most half of them.
const DISTANCE_ERROR: f64 = 2.0 * PRODUCT_ERROR;
/// Bound on the relative error of a distance from differences whose squares do not underflow, of any number of coordinates
/// that fits into memory.
const DIRECT_ERROR: f64 = 1e-9;
/// Gradients whose median is the centre.
const CENTRE_SAMPLE: usize = 15;
/// Rows and columns that are mirrored at once.
const MIRROR: usize = 16;

/// The table of squared distances, symmetric, with zeros on the diagonal.
pub(crate) struct Distances {
    clients: usize,
    squared: Vec<f64>,
    /// The squared length of each gradient, for those that have a distance from products.
    lengths: Vec<f64>,
    level: DetectedLevel,
}

impl Distances {
    /// Computes all pairs. Memory: `clients`^2 numbers, and 8 KiB for each gradient.
    pub(crate) fn of(gradients: &Gradients<'_>, level: DetectedLevel) -> Self {
        let clients = gradients.clients();
        let mut squared = vec![0.0; clients * clients];
        add_sums::<Product, _>(&mut squared, gradients, &|range| centre(gradients, range), level);
        let lengths: Vec<f64> = squared.iter().step_by(clients + 1).copied().collect();
        for_each_chunk_mut(&mut squared, clients, &|a, row| {
            row[a] = 0.0;
            for b in a + 1..clients {
                let is_held = LENGTHS.contains(&lengths[a]) && LENGTHS.contains(&lengths[b]);
                let lengths = lengths[a] + lengths[b];
                let expanded = lengths - 2.0 * row[b];
                row[b] = if is_held && expanded > CANCELLATION * lengths { expanded } else { TO_BE_DIRECT };
            }
        });
        let mut distances = Self { clients, squared, lengths, level };
        distances.finish(gradients);
        distances
    }

    /// Bound on the relative error of all distances of a client as [`of`](Self::of) computes them, and so of any sum of its
    /// smallest ones.
    pub(crate) fn error(&self, client: usize) -> f64 {
        let length = self.lengths[client];
        if !LENGTHS.contains(&length) {
            return DIRECT_ERROR;
        }
        let greatest =
            self.row(client).iter().zip(&self.lengths).fold(0.0, |greatest, (&distance, &other)| {
                let share = (length + other) / distance;
                // A distance from differences is told by a greater share, or counts although it need not.
                let is_of_products = LENGTHS.contains(&other) && share <= 1.0 / CANCELLATION;
                if is_of_products && share > greatest { share } else { greatest }
            });
        DIRECT_ERROR + DISTANCE_ERROR * greatest
    }

    /// Computes the distances of some clients to all from the differences.
    pub(crate) fn make_direct(&mut self, gradients: &Gradients<'_>, some: &[usize]) {
        for &client in some {
            for other in (0..self.clients).filter(|&other| other != client) {
                self.squared[client.min(other) * self.clients + client.max(other)] = TO_BE_DIRECT;
            }
        }
        self.finish(gradients);
    }

    /// Computes the entries right of the diagonal that are to be direct, and mirrors all.
    fn finish(&mut self, gradients: &Gradients<'_>) {
        let Self { clients, squared, level, .. } = self;
        let clients = *clients;
        if squared.iter().any(|entry| entry.is_sign_negative()) {
            add_sums::<SquaredDifference, _>(squared, gradients, &|range| vec![0.0; range.len()], *level);
        }
        for top in (0..clients).step_by(MIRROR) {
            for left in (top..clients).step_by(MIRROR) {
                for a in top..clients.min(top + MIRROR) {
                    for b in left.max(a)..clients.min(left + MIRROR) {
                        let entry = squared[a * clients + b].abs();
                        squared[a * clients + b] = entry;
                        squared[b * clients + a] = entry;
                    }
                }
            }
        }
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

/// The coordinate-wise median of a few gradients.
fn centre(gradients: &Gradients<'_>, range: Range<usize>) -> Vec<f64> {
    let clients = gradients.clients();
    let count = CENTRE_SAMPLE.min(clients);
    let sample: Vec<&[f64]> =
        (0..count).map(|index| &gradients.row(index * clients / count)[range.clone()]).collect();
    let mut values = vec![0.0; count];
    (0..range.len())
        .map(|coordinate| {
            for (value, row) in values.iter_mut().zip(&sample) {
                *value = row[coordinate];
            }
            values.sort_unstable_by(f64::total_cmp);
            median_of_sorted(&values)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::pairs::DEPTH;
    use super::*;
    use crate::moments::widest_level;
    use crate::rng::Generator;
    use crate::simd::SimdLevel;

    /// Guards the expanded form against cancellation and single precision against what it cannot hold: with a common offset
    /// of 1e6, with an outlier in the centre's sample, with huge, tiny, near-equal and equal gradients, every distance is
    /// that of the differences within the bound that it is given. Guards the promise that registers and threads change no bit.
    #[test]
    fn distances_equal_the_direct_ones() {
        let mut random = Generator::new(1);
        for (clients, width, offset, noise, outlier, of_products) in [
            (70, 601, 0.0, 1.0, 0.0, 1..4900),
            (33, 40, 1e6, 1.0, 0.0, 1..1089),
            (51, 300, 1e6, 1e-6, 0.0, 1..2601),
            (40, 9, 1e6, 1.0, 1e12, 1..1600),
            (40, 90, 0.0, 1.0, 1e2, 1..1600),
            (3, 1, 0.0, 1.0, 1e100, 0..1),
            (65, 2, -3e9, 1.0, 0.0, 1..4225),
            (24, 257, 0.0, 1e139, 0.0, 0..1),
            (25, 256, 0.0, 1e-139, 0.0, 0..1),
            // At the ends of what single precision holds, and beyond.
            (24, 257, 0.0, 1e-11, 0.0, 1..576),
            (24, 257, 0.0, 1e-12, 0.0, 0..1),
            (24, 257, 0.0, 1e-20, 0.0, 0..1),
            (24, 257, 0.0, 1e13, 0.0, 1..576),
            (24, 257, 0.0, 1e18, 0.0, 0..1),
            (24, 257, 0.0, 1e20, 0.0, 0..1),
        ] {
            let mut array =
                Array2::from_shape_fn((clients, width), |_| offset + noise * random.standard_normal());
            array.row_mut(0).fill(offset + outlier);
            array.row_mut(2).fill(offset + 1.01 * outlier);
            let copy = array.row(1).to_owned();
            array.row_mut(clients - 1).assign(&copy);
            let gradients = Gradients::check(array.view()).unwrap();
            let distances = Distances::of(&gradients, widest_level());
            let mut rounded = 0;
            for a in 0..clients {
                let bound = distances.error(a);
                assert!(bound <= 2.5e-4, "{clients} {offset} {a}: {bound}");
                for b in 0..clients {
                    let direct = squared_distance(gradients.row(a), gradients.row(b));
                    let error = (distances.row(a)[b] - direct).abs();
                    assert!(error <= bound * direct, "{clients} {offset} {a} {b}: {error:e} of {direct:e}");
                    rounded += usize::from(error > 1e-11 * direct);
                    assert_eq!(distances.row(a)[b].to_bits(), distances.row(b)[a].to_bits());
                }
            }
            assert!(of_products.contains(&rounded), "{clients} {offset} {noise} {outlier}: {rounded}");
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            for level in SimdLevel::available() {
                let level = level.resolve().unwrap();
                let other = pool.install(|| Distances::of(&gradients, level));
                assert!(bits(&distances) == bits(&other), "{clients} {offset} {level:?}");
                let some = [0, clients / 2];
                let [direct, other] = [widest_level(), level].map(|level| {
                    let mut distances = Distances::of(&gradients, level);
                    distances.make_direct(&gradients, &some);
                    distances
                });
                assert!(bits(&direct) == bits(&other), "{clients} {offset} {level:?}");
                for client in some {
                    for (other, &found) in direct.row(client).iter().enumerate() {
                        let plain = blocked(gradients.row(client), gradients.row(other));
                        assert_eq!(found.to_bits(), plain.to_bits(), "{clients} {offset} {client} {other}");
                    }
                }
            }
        }
    }

    fn bits(distances: &Distances) -> Vec<u64> {
        distances.squared.iter().map(|entry| entry.to_bits()).collect()
    }

    /// The direct distance in the order that is promised: parts of `DEPTH` coordinates, one after the other.
    fn blocked(a: &[f64], b: &[f64]) -> f64 {
        let part = |(a, b): (&[f64], &[f64])| {
            a.iter().zip(b).fold(0.0, |sum: f64, (a, b)| (a - b).mul_add(a - b, sum))
        };
        a.chunks(DEPTH).zip(b.chunks(DEPTH)).map(part).fold(0.0, |sum, part| sum + part)
    }
}
