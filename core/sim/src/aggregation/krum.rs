//! Krum and Multi-Krum (Blanchard, El Mhamdi, Guerraoui and Stainer, 2017).
//!
//! The score of a client is the sum of the squared distances to its n - f - 2 nearest other
//! clients. Krum takes the client with the lowest score, Multi-Krum the mean of several. Up to f
//! arbitrary clients are survived when n >= 2f + 3.

use ndarray::ArrayView2;

use super::distances::Distances;
use super::gradients::Gradients;
use super::{Aggregation, AggregationError};
use crate::moments::widest_level;
use crate::parallel::map_range;

/// The most clients of one table of distances, which then takes 512 MiB.
pub const KRUM_CLIENTS_MAX: usize = 8192;
const RULE: &str = "n >= 2f + 3";

/// Krum: the gradient of the client with the lowest score; of equal scores the lowest index.
///
/// `gradients` has one row per client (1 to [`KRUM_CLIENTS_MAX`]) and one column per coordinate;
/// `byzantine` is the number f of attackers to be survived. Scores are in squared units of the
/// gradients. The choice is that of distances in double precision. Scores that decide nothing come from
/// products in single precision, with a relative error of at most 2.5e-4 and mostly below 1e-6.
///
/// Memory: n^2 numbers, and 8 KiB for each gradient. Work: n^2 d / 2 multiplications, in the
/// rayon pool that the caller runs in, else on the calling thread; the same bits for any number of threads and any
/// width of vector registers.
///
/// # Errors
/// [`AggregationError`] for no gradients, a coordinate that is NaN, infinite or beyond
/// [`MAGNITUDE_MAX`](super::MAGNITUDE_MAX), fewer than 2f + 3 or too many clients.
pub fn krum(gradients: ArrayView2<'_, f64>, byzantine: usize) -> Result<Aggregation, AggregationError> {
    let gradients = Gradients::check(gradients)?;
    gradients.require(byzantine, 3, "Krum", RULE)?;
    select(&gradients, byzantine, 1)
}

/// Multi-Krum: the mean of the `selected` gradients with the lowest scores.
///
/// `selected` lies in [1, n - f - 2] and is n - f - 2 when absent: up to there the mean keeps
/// Krum's guarantee (El Mhamdi, Guerraoui and Rouault, 2018). Otherwise as [`krum`].
///
/// # Errors
/// As [`krum`], and [`AggregationError::Selected`].
pub fn multi_krum(
    gradients: ArrayView2<'_, f64>,
    byzantine: usize,
    selected: Option<usize>,
) -> Result<Aggregation, AggregationError> {
    let gradients = Gradients::check(gradients)?;
    multi_krum_of(&gradients, byzantine, selected)
}

pub(crate) fn multi_krum_of(
    gradients: &Gradients<'_>,
    byzantine: usize,
    selected: Option<usize>,
) -> Result<Aggregation, AggregationError> {
    gradients.require(byzantine, 3, "Multi-Krum", RULE)?;
    let clients = gradients.clients();
    let max = clients - byzantine - 2;
    let selected = selected.unwrap_or(max);
    if selected == 0 || selected > max {
        return Err(AggregationError::Selected { selected, max, clients, byzantine });
    }
    select(gradients, byzantine, selected)
}

/// The mean of the `count` clients with the lowest scores.
fn select(
    gradients: &Gradients<'_>,
    byzantine: usize,
    count: usize,
) -> Result<Aggregation, AggregationError> {
    let clients = gradients.clients();
    if clients > KRUM_CLIENTS_MAX {
        return Err(AggregationError::TooManyClients { clients, limit: KRUM_CLIENTS_MAX });
    }
    let neighbours = clients - byzantine - 2;
    let mut distances = Distances::of(gradients, widest_level());
    let score_of = |distances: &Distances, client| score(distances.row(client).to_vec(), client, neighbours);
    let mut scores = map_range(0..clients, &|client| score_of(&distances, client));
    let errors = map_range(0..clients, &|client| scores[client] * distances.error(client));

    // Those that may belong on the other side are judged again by distances from the differences. All others stay where they
    // are: none selected can be above one that is not.
    let order = ranking(&scores);
    let (selected, others) = order.split_at(count);
    let least = |client: usize| scores[client] - errors[client];
    let most = |client: usize| scores[client] + errors[client];
    let most_selected = selected.iter().map(|&client| most(client)).fold(f64::NEG_INFINITY, f64::max);
    let least_other = others.iter().map(|&client| least(client)).fold(f64::INFINITY, f64::min);
    let is_near = |client: &usize| most(*client) >= least_other && least(*client) <= most_selected;
    let near: Vec<usize> = (0..clients).filter(is_near).collect();
    if !near.is_empty() {
        distances.make_direct(gradients, &near);
        let exact = map_range(0..near.len(), &|index| score_of(&distances, near[index]));
        for (client, exact) in near.into_iter().zip(exact) {
            scores[client] = exact;
        }
    }
    drop(distances);

    let mut selected = ranking(&scores);
    selected.truncate(count);
    selected.sort_unstable();
    Ok(Aggregation { value: gradients.mean_of(&selected), selected, scores, convergence: None })
}

/// The sum of the smallest distances to others, smallest first.
fn score(mut distances: Vec<f64>, client: usize, neighbours: usize) -> f64 {
    distances.swap_remove(client);
    if neighbours < distances.len() {
        distances.select_nth_unstable_by(neighbours, f64::total_cmp);
        distances.truncate(neighbours);
    }
    // Distances are not below 0: their bits have the same order, and integers are sorted faster.
    let mut bits: Vec<u64> = distances.into_iter().map(f64::to_bits).collect();
    bits.sort_unstable();
    bits.into_iter().map(f64::from_bits).sum()
}

/// The clients by score, of equal scores the lowest index first.
fn ranking(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    order
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::super::distances::squared_distance;
    use super::*;
    use crate::rng::Generator;

    /// Scores by a plain double loop over distances from the differences.
    fn plain_scores(gradients: &Array2<f64>, neighbours: usize) -> Vec<f64> {
        let row = |client| gradients.row(client).to_vec();
        let clients = 0..gradients.nrows();
        let distances = |a| clients.clone().map(|b| squared_distance(&row(a), &row(b))).collect();
        clients.clone().map(|client| score(distances(client), client, neighbours)).collect()
    }

    /// The first clients of an order, by index.
    fn first(count: usize, order: &[usize]) -> Vec<usize> {
        let mut first = order[..count].to_vec();
        first.sort_unstable();
        first
    }

    /// Guards scores and selection against the plain double loop: for random, shifted, near-equal, equal, huge and tiny
    /// gradients, for clusters far apart, in which every score is made of distances from the differences, and for gradients
    /// and their mirror images, whose scores are nearer together than those of products can tell.
    #[test]
    fn selection_is_that_of_a_plain_double_loop() {
        let mut misjudged = 0;
        for seed in 0..12 {
            let mut random = Generator::new(seed);
            for (offset, noise, far, equal, is_mirrored) in [
                (0.0, 1.0, 0.0, 0, false),
                (1e6, 1.0, 0.0, 0, false),
                (1e6, 1e-5, 0.0, 0, false),
                (1e6, 1.0, 1e9, 0, false),
                (0.0, 1.0, 0.0, 9, false),
                (1.0, 0.0, 0.0, 0, false),
                (0.0, 1e139, 0.0, 3, false),
                (0.0, 1e-139, 0.0, 3, false),
                (0.0, 1.0, 0.0, 0, true),
            ] {
                let mut gradients =
                    Array2::from_shape_fn((41, 130), |_| offset + noise * random.standard_normal());
                gradients.slice_mut(s![..8, ..]).mapv_inplace(|value| value + far);
                let copy = gradients.row(20).to_owned();
                for client in 0..equal {
                    gradients.row_mut(30 + client).assign(&copy);
                }
                if is_mirrored {
                    gradients.row_mut(0).fill(0.0);
                    for client in 1..=20 {
                        let image =
                            gradients.row(client).mapv(|value| value * (-1.0 - 1e-10 * random.random()));
                        gradients.row_mut(20 + client).assign(&image);
                    }
                }
                let expected = plain_scores(&gradients, 41 - 8 - 2);
                let ranked = ranking(&expected);
                let distances = Distances::of(&Gradients::check(gradients.view()).unwrap(), widest_level());
                let by_products: Vec<_> =
                    (0..41).map(|client| score(distances.row(client).to_vec(), client, 31)).collect();
                let by_products = ranking(&by_products);
                for count in [1, 6, 31] {
                    let found = multi_krum(gradients.view(), 8, Some(count)).unwrap();
                    let error = |client: usize| {
                        let error = (found.scores[client] - expected[client]).abs();
                        if error > 0.0 { error / expected[client] } else { 0.0 }
                    };
                    let name = format!("seed {seed}: {offset} {noise} {far} {equal} {is_mirrored} {count}");
                    assert!((0..41).all(|client| error(client) <= 1e-6), "{name}");
                    let best = first(count, &ranked);
                    assert_eq!(found.selected, best, "{name}");
                    misjudged += usize::from(first(count, &by_products) != best);
                }
            }
        }
        // What is decided again would be wrong at times without.
        assert!(misjudged > 0);
    }
}
