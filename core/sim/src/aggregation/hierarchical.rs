//! Krum in two levels: clusters of clients first, then the winners of the clusters.
//!
//! The table of distances of n clients has n^2 entries; in clusters of s it is n s. Every client
//! is in exactly one cluster, the clusters differ in size by at most one, and each is large enough
//! that attackers who were dealt out at random hold a majority in hardly any of them.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::coordinate::coordinate_median;
use super::gradients::Gradients;
use super::krum::{krum, multi_krum};
use super::{AggregationError, SETTINGS_TABLE};
use crate::error::SpecFault;
use crate::parallel::map_range;
use crate::rng::Generator;

/// Settings of [`hierarchical_krum`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HierarchicalKrum {
    /// The most clusters, [1, 65536]. Fewer are made when they would be too small.
    pub num_clusters: usize,
    /// Fraction of attackers to be survived, [0, 0.5).
    pub byzantine_fraction: f64,
    /// Above this number of clients only a sample of them is used; absent: all always are.
    pub sample_above: Option<usize>,
    /// Fraction of the clients in that sample, (0, 1].
    pub sample_fraction: f64,
    /// The result is `krum_weight` * Krum of the winners + (1 - `krum_weight`) * their median, [0, 1].
    pub krum_weight: f64,
    /// Seed of the random dealing into clusters. An attacker must not know it.
    pub seed: u64,
}

impl Default for HierarchicalKrum {
    fn default() -> Self {
        Self {
            num_clusters: 100,
            byzantine_fraction: 0.2,
            sample_above: None,
            sample_fraction: 0.1,
            krum_weight: 0.7,
            seed: 42,
        }
    }
}

/// One gradient made in two levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HierarchicalAggregation {
    /// The aggregate, one number per coordinate.
    pub value: Vec<f64>,
    /// The clients of each cluster. With a sample not all clients appear.
    pub clusters: Vec<Vec<usize>>,
    /// Attackers that the smallest cluster survives.
    pub cluster_byzantine: usize,
    /// Lost clusters that the upper level survives.
    pub lost_clusters: usize,
}

/// Hierarchical Krum with balanced clusters.
///
/// The clients are dealt at random into clusters of equal size (to within one). A cluster of s
/// gives the Multi-Krum mean that survives (s - 3) / 2 attackers, and s is at least so large that
/// the expected number of attackers plus two standard deviations is below that. The upper level
/// combines Krum and the coordinate-wise median of the winners and survives a fraction
/// `byzantine_fraction` of lost clusters, rounded up. When there are too few clients for that, all
/// form one cluster, whose winner is the result. The clusters are shared out to the rayon pool that the caller runs
/// in, else taken one by one on the calling thread; the same bits for any number of threads.
///
/// # Errors
/// As [`multi_krum`], and [`AggregationError::Settings`].
pub fn hierarchical_krum(
    gradients: ArrayView2<'_, f64>,
    settings: &HierarchicalKrum,
) -> Result<HierarchicalAggregation, AggregationError> {
    SpecFault::check_table(&SETTINGS_TABLE, |field| match field {
        "num_clusters" => Some(settings.num_clusters as f64),
        "byzantine_fraction" => Some(settings.byzantine_fraction),
        "sample_fraction" => Some(settings.sample_fraction),
        "krum_weight" => Some(settings.krum_weight),
        _ => None,
    })?;
    let checked = Gradients::check(gradients)?;
    let fraction = settings.byzantine_fraction;
    let all = checked.clients();
    let used = match settings.sample_above {
        Some(limit) if all > limit => ((all as f64 * settings.sample_fraction) as usize).clamp(1, all),
        _ => all,
    };
    let mut random = Generator::new(settings.seed);
    let order = random.choice_without_replacement(all as u64, used).unwrap_or_default();

    let count = cluster_count(used, settings.num_clusters, fraction);
    let lost_clusters = if count == 1 { 0 } else { (count as f64 * fraction).ceil() as usize };
    let clusters: Vec<Vec<usize>> = (0..count)
        .map(|cluster| order[cluster * used / count..(cluster + 1) * used / count].to_vec())
        .map(|members| members.into_iter().map(|client| client as usize).collect())
        .collect();
    let smallest = used / count;
    let cluster_byzantine =
        if count == 1 { (used as f64 * fraction).ceil() as usize } else { (smallest - 3) / 2 };

    let width = checked.coordinates();
    let winners = map_range(0..count, &|cluster| {
        let members = &clusters[cluster];
        let rows: Vec<f64> = members.iter().flat_map(|&client| checked.row(client)).copied().collect();
        multi_krum(grid(members.len(), width, rows).view(), cluster_byzantine, None)
            .map(|winner| winner.value)
    });
    let winners: Vec<Vec<f64>> = winners.into_iter().collect::<Result<_, _>>()?;
    let value = if count == 1 {
        winners.concat()
    } else {
        let winners = grid(count, width, winners.concat());
        let best = krum(winners.view(), lost_clusters)?.value;
        let middle = coordinate_median(winners.view(), lost_clusters)?.value;
        let weight = settings.krum_weight;
        best.iter().zip(middle).map(|(best, middle)| weight * best + (1.0 - weight) * middle).collect()
    };
    Ok(HierarchicalAggregation { value, clusters, cluster_byzantine, lost_clusters })
}

fn grid(rows: usize, width: usize, values: Vec<f64>) -> Array2<f64> {
    // `values` has rows * width numbers; should that ever fail, an empty grid is refused later.
    Array2::from_shape_vec((rows, width), values).unwrap_or_default()
}

/// The most clusters, up to `limit`, that are large and many enough.
fn cluster_count(clients: usize, limit: usize, fraction: f64) -> usize {
    let large_enough = |size: usize| {
        let size_f = size as f64;
        let expected = fraction * size_f + 2.0 * (size_f * fraction * (1.0 - fraction)).sqrt();
        size >= 3 && (size - 3) as f64 / 2.0 >= expected
    };
    let many_enough = |count: usize| count >= 2 * (count as f64 * fraction).ceil() as usize + 3;
    (2..=limit.min(clients / 3))
        .rev()
        .find(|&count| large_enough(clients / count) && many_enough(count))
        .unwrap_or(1)
}
