//! Clusters of active cells: connected components, found row by row from runs.
//!
//! On a periodic grid the edges are joined, so that a cluster counts once wherever it lies. MFN 4.1
//! never joins them.

use ndarray::ArrayView2;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// Consecutive active cells of one row.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    label: usize,
}

/// The clusters of the cells above `threshold`, in the unit of the field. NaN is not above. With
/// `wrap` the first row and column are neighbours of the last. Memory: at most 1.5 grids of
/// 8-byte cells, for a chess board.
#[must_use]
pub fn clusters<T: Real>(
    field: ArrayView2<'_, T>,
    threshold: f64,
    connectivity: Connectivity,
    wrap: bool,
) -> Clusters {
    // With eight neighbours a run also touches runs that begin one cell beyond its end.
    let reach = match connectivity {
        Connectivity::Four => 0,
        Connectivity::Eight => 1,
    };
    let mut forest = Forest::default();
    let mut above: Vec<Run> = Vec::new();
    let mut here: Vec<Run> = Vec::new();
    let mut top: Option<Vec<Run>> = None;
    let columns = field.ncols();
    for row in field.rows() {
        here.clear();
        let mut start = None;
        for (column, &value) in row.iter().enumerate() {
            match (value.wide() > threshold, start) {
                (true, None) => start = Some(column),
                (false, Some(first)) => {
                    here.push(forest.run(first, column));
                    start = None;
                }
                _ => {}
            }
        }
        if let Some(first) = start {
            here.push(forest.run(first, columns));
        }
        join_rows(&mut forest, &above, &here, reach);
        if wrap {
            join_seam(&mut forest, &here, &here, columns);
            if reach > 0 {
                join_seam(&mut forest, &above, &here, columns);
                join_seam(&mut forest, &here, &above, columns);
            }
            if top.is_none() {
                top = Some(here.clone());
            }
        }
        std::mem::swap(&mut above, &mut here);
    }
    if let Some(top) = top {
        join_rows(&mut forest, &above, &top, reach);
        if reach > 0 {
            join_seam(&mut forest, &above, &top, columns);
            join_seam(&mut forest, &top, &above, columns);
        }
    }
    forest.summary()
}

/// Unites the runs of a row with those of the row above that they touch. Both are in order.
fn join_rows(forest: &mut Forest, above: &[Run], here: &[Run], reach: usize) {
    let mut first = 0;
    for run in here {
        while above.get(first).is_some_and(|other| other.end + reach <= run.start) {
            first += 1;
        }
        let touching = above[first..].iter().take_while(|other| other.start < run.end + reach);
        for other in touching {
            forest.unite(other.label, run.label);
        }
    }
}

/// Unites the run of one row that ends at the last column with the run of another that begins at the
/// first.
fn join_seam(forest: &mut Forest, ending: &[Run], beginning: &[Run], columns: usize) {
    if let (Some(last), Some(first)) = (ending.last(), beginning.first())
        && last.end == columns
        && first.start == 0
    {
        forest.unite(last.label, first.label);
    }
}

/// Union-find over runs; each root carries the size of its cluster.
#[derive(Debug, Default)]
struct Forest {
    parents: Vec<usize>,
    sizes: Vec<usize>,
}

impl Forest {
    fn run(&mut self, start: usize, end: usize) -> Run {
        let label = self.parents.len();
        self.parents.push(label);
        self.sizes.push(end - start);
        Run { start, end, label }
    }

    fn root(&mut self, mut label: usize) -> usize {
        while self.parents[label] != label {
            self.parents[label] = self.parents[self.parents[label]];
            label = self.parents[label];
        }
        label
    }

    fn unite(&mut self, left: usize, right: usize) {
        let (left, right) = (self.root(left), self.root(right));
        if left != right {
            // The older label stays root, which keeps the trees flat for row-wise scans.
            let (root, child) = (left.min(right), left.max(right));
            self.parents[child] = root;
            self.sizes[root] += self.sizes[child];
        }
    }

    fn summary(&self) -> Clusters {
        let roots = || {
            let labelled = self.parents.iter().enumerate();
            labelled.filter(|&(label, &parent)| label == parent).map(|(label, _)| self.sizes[label])
        };
        let count = roots().count();
        if count == 0 {
            return Clusters::default();
        }
        let cells = roots().sum();
        let mean = cells as f64 / count as f64;
        let variance = roots().map(|size| (size as f64 - mean).powi(2)).sum::<f64>() / count as f64;
        Clusters { count, cells, largest: roots().max().unwrap_or(0), size_deviation: variance.sqrt() }
    }
}
