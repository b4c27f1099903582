//! Krum and Multi-Krum (Blanchard, El Mhamdi, Guerraoui and Stainer, 2017).
//!
//! The score of a client is the sum of the squared distances to its n - f - 2 nearest other
//! clients. Krum takes the client with the lowest score, Multi-Krum the mean of several. Up to f
//! arbitrary clients are survived when n >= 2f + 3.

use ndarray::ArrayView2;

use super::distances::{Distances, squared_distance};
use super::gradients::Gradients;
use super::{Aggregation, AggregationError};
use crate::parallel::map_range;

/// The most clients of one table of distances, which then takes 512 MiB.
pub const KRUM_CLIENTS_MAX: usize = 8192;
/// Scores this close, relatively, are compared again with distances from the differences.
const NEAR_TIE: f64 = 1e-9;
const RULE: &str = "n >= 2f + 3";

/// Krum: the gradient of the client with the lowest score; of equal scores the lowest index.
///
/// `gradients` has one row per client (1 to [`KRUM_CLIENTS_MAX`]) and one column per coordinate;
/// `byzantine` is the number f of attackers to be survived. Scores are in squared units of the
/// gradients. Memory: a copy of the gradients and n^2 numbers. Work: n^2 d / 2 multiplications, in the
/// rayon pool that the caller runs in, else on the calling thread; the same bits for any number of threads.
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
    let distances = Distances::of(gradients);
    let mut scores =
        map_range(0..clients, &|client| score(distances.row(client).to_vec(), client, neighbours));
    drop(distances);

    let limit = scores[ranking(&scores)[count - 1]];
    let near: Vec<usize> =
        (0..clients).filter(|&client| (scores[client] - limit).abs() <= NEAR_TIE * limit).collect();
    let exact = map_range(0..near.len(), &|index| {
        let row = gradients.row(near[index]);
        let direct = (0..clients).map(|other| squared_distance(row, gradients.row(other))).collect();
        score(direct, near[index], neighbours)
    });
    for (&client, exact) in near.iter().zip(exact) {
        scores[client] = exact;
    }

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
    distances.sort_unstable_by(f64::total_cmp);
    distances.iter().sum()
}

/// The clients by score, of equal scores the lowest index first.
fn ranking(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    order
}
