//! Clusters of active cells: connected components, found from the runs of a mask.
//!
//! On a periodic grid the edges are joined, so that a cluster counts once wherever it lies. MFN 4.1
//! never joins them.

use ndarray::ArrayView2;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::forest::Forest;
use super::mask::Mask;
use crate::real::Real;

/// Which cells are neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Connectivity {
    /// Cells that share an edge.
    #[default]
    Four,
    /// Cells that share an edge or a corner.
    Eight,
}

/// Written as the number 4 or 8.
impl Serialize for Connectivity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::Four => 4,
            Self::Eight => 8,
        })
    }
}

impl<'de> Deserialize<'de> for Connectivity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            other => {
                Err(serde::de::Error::custom(format!("connectivity = {other} is not allowed: give 4 or 8")))
            }
        }
    }
}

/// The clusters of a field.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clusters {
    /// Number of clusters.
    pub count: usize,
    /// Cells in all clusters together.
    pub cells: usize,
    /// Cells of the largest cluster.
    pub largest: usize,
    /// Population standard deviation of the sizes; 0 for fewer than two clusters.
    pub size_deviation: f64,
}

/// The clusters of the cells above `threshold`, in the unit of the field. NaN is not above. With
/// `wrap` the first row and column are neighbours of the last. Time is linear in the cells for all practical
/// purposes (the inverse of Ackermann's function); memory is at most 0.9 grids of 8-byte cells, for a chess board.
#[must_use]
pub fn clusters<T: Real>(
    field: ArrayView2<'_, T>,
    threshold: f64,
    connectivity: Connectivity,
    wrap: bool,
) -> Clusters {
    of_mask(&Mask::above(field, threshold), connectivity, wrap)
}

/// The clusters of a mask.
pub(super) fn of_mask(mask: &Mask, connectivity: Connectivity, wrap: bool) -> Clusters {
    let sizes = Forest::of(mask, connectivity, wrap).sizes(mask);
    let count = sizes.len();
    if count == 0 {
        return Clusters::default();
    }
    let cells = mask.count();
    if count == 1 {
        return Clusters { count, cells, largest: cells, size_deviation: 0.0 };
    }
    let mean = cells as f64 / count as f64;
    let variance = sizes.iter().map(|&size| (f64::from(size) - mean).powi(2)).sum::<f64>() / count as f64;
    let largest = sizes.iter().copied().max().unwrap_or(0) as usize;
    Clusters { count, cells, largest, size_deviation: variance.sqrt() }
}

/// The number of clusters of a mask.
pub(super) fn count(mask: &Mask, connectivity: Connectivity, wrap: bool) -> usize {
    Forest::of(mask, connectivity, wrap).trees
}
