//! Krum as MFN 4.1 has it, faults included, for results that must be the same.
//!
//! Single precision; distances that are not squared; for more than 25 clients an expanded formula
//! that loses digits with a common offset; a client with a NaN always wins; the number of attackers
//! is not checked against the number of clients; random clusters of any size, most of them of one
//! or two clients. For anything new take [`krum`](super::krum) and
//! [`hierarchical_krum`](super::hierarchical_krum).

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::{AggregationError, SETTINGS_TABLE};
use crate::error::SpecFault;
use crate::rng::Generator;

/// Above this number of clients the expanded formula is used.
const DIRECT_CLIENTS_MAX: usize = 25;
/// Above this number of clients a sample is drawn.
const SAMPLE_ABOVE: usize = 1000;
/// Weights of Krum and the median in the result.
const KRUM_WEIGHT: f32 = 0.7;
const MEDIAN_WEIGHT: f32 = 0.3;

/// `krum_select`: the index of the client whose sum of distances to its max(1, n - f - 2) nearest
/// others is lowest; of equal sums the lowest index, and before all the first that is NaN.
///
/// # Errors
/// [`AggregationError::NoGradients`].
pub fn krum_select(gradients: ArrayView2<'_, f32>, num_byzantine: usize) -> Result<usize, AggregationError> {
    let clients = gradients.nrows();
    if clients == 0 {
        return Err(AggregationError::NoGradients);
    }
    let neighbours = clients.saturating_sub(num_byzantine).saturating_sub(2).max(1);
    let lengths: Vec<f32> = gradients.outer_iter().map(|row| row.iter().map(|x| x * x).sum()).collect();
    let score = |client: usize| -> f32 {
        let row = gradients.row(client);
        let mut distances: Vec<f32> = (0..clients)
            .filter(|&other| other != client)
            .map(|other| {
                let lengths = (lengths[client], lengths[other]);
                distance(row, gradients.row(other), (clients > DIRECT_CLIENTS_MAX).then_some(lengths))
            })
            .collect();
        // NaN last, as torch sorts.
        distances.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
        distances.iter().take(neighbours).sum()
    };
    let mut best = (0, score(0));
    for client in 1..clients {
        let score = score(client);
        if score < best.1 || (score.is_nan() && !best.1.is_nan()) {
            best = (client, score);
        }
    }
    Ok(best.0)
}

/// `torch.cdist`: direct, or expanded from the squared lengths.
fn distance(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>, lengths: Option<(f32, f32)>) -> f32 {
    match lengths {
        None => a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt(),
        Some((a_length, b_length)) => {
            let product: f32 = a.iter().zip(b).map(|(a, b)| -2.0 * a * b).sum();
            let squared = product + a_length + b_length;
            // A NaN stays one.
            if squared < 0.0 { 0.0 } else { squared.sqrt() }
        }
    }
}

/// `HierarchicalKrumAggregator`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HierarchicalKrumAggregator {
    num_clusters: usize,
    byzantine_fraction: f64,
    sample_fraction: f64,
}

/// What [`HierarchicalKrumAggregator::aggregate`] did.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusteredAggregate {
    /// The aggregate.
    pub value: Vec<f32>,
    /// The clients that were used, in the order drawn.
    pub sampled: Vec<usize>,
    /// The cluster of each of them.
    pub assignments: Vec<usize>,
    /// The winners of the clusters that are not empty.
    pub winners: Array2<f32>,
}

impl Default for HierarchicalKrumAggregator {
    fn default() -> Self {
        Self { num_clusters: 100, byzantine_fraction: 0.2, sample_fraction: 0.1 }
    }
}

impl HierarchicalKrumAggregator {
    /// An aggregator with `num_clusters` >= 1, `byzantine_fraction` in [0, 0.5), `sample_fraction` in (0, 1].
    ///
    /// # Errors
    /// [`AggregationError::Settings`] for values outside.
    pub fn new(
        num_clusters: usize,
        byzantine_fraction: f64,
        sample_fraction: f64,
    ) -> Result<Self, AggregationError> {
        SpecFault::check_table(&SETTINGS_TABLE, |field| match field {
            "num_clusters" => Some(num_clusters as f64),
            "byzantine_fraction" => Some(byzantine_fraction),
            "sample_fraction" => Some(sample_fraction),
            _ => None,
        })?;
        Ok(Self { num_clusters, byzantine_fraction, sample_fraction })
    }

    /// Attackers assumed among `clients`.
    fn byzantine(&self, clients: usize) -> usize {
        ((clients as f64 * self.byzantine_fraction) as usize).max(1)
    }

    /// `aggregate`. MFN 4.1 takes a new `default_rng(42)` when the caller gives no generator.
    ///
    /// # Errors
    /// [`AggregationError::NoGradients`].
    pub fn aggregate(
        &self,
        gradients: ArrayView2<'_, f32>,
        random: &mut Generator,
    ) -> Result<ClusteredAggregate, AggregationError> {
        let clients = gradients.nrows();
        if clients == 0 {
            return Err(AggregationError::NoGradients);
        }
        let sampled: Vec<usize> = if clients > SAMPLE_ABOVE {
            let count = ((clients as f64 * self.sample_fraction) as usize).clamp(1, clients);
            let drawn = random.choice_without_replacement(clients as u64, count).unwrap_or_default();
            drawn.into_iter().map(|client| client as usize).collect()
        } else {
            (0..clients).collect()
        };
        let clusters = self.num_clusters.min(sampled.len());
        let assignments: Vec<usize> =
            sampled.iter().map(|_| random.integer_below(clusters as u64) as usize).collect();
        let mut winners = Vec::new();
        for cluster in 0..clusters {
            let members: Vec<usize> = sampled
                .iter()
                .zip(&assignments)
                .filter(|&(_, &assigned)| assigned == cluster)
                .map(|(&client, _)| client)
                .collect();
            if !members.is_empty() {
                let rows = gradients.select(Axis(0), &members);
                winners.push(members[krum_select(rows.view(), self.byzantine(members.len()))?]);
            }
        }
        let winners = gradients.select(Axis(0), &winners);
        let value = if winners.nrows() == 1 {
            winners.row(0).to_vec()
        } else {
            let best = krum_select(winners.view(), self.byzantine(winners.nrows()))?;
            let best = winners.row(best);
            let parts = best.iter().zip(winners.axis_iter(Axis(1)));
            parts.map(|(best, column)| KRUM_WEIGHT * best + MEDIAN_WEIGHT * lower_median(column)).collect()
        };
        Ok(ClusteredAggregate { value, sampled, assignments, winners })
    }
}

/// `torch.median`: the lower of the two in the middle; NaN if there is one.
fn lower_median(values: ArrayView1<'_, f32>) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let middle = sorted[(sorted.len() - 1) / 2];
    values.iter().copied().find(|value| value.is_nan()).unwrap_or(middle)
}
