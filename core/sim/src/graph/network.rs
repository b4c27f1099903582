//! The network of a pattern: nodes, branches, and what they measure.

use ndarray::{Array2, ArrayView2};
use serde::Serialize;

use super::config::NetworkConfig;
use super::distance::squared_distances;
use super::grid::Grid;
use super::prune::pruned_network;
use super::robustness::Graph;
use super::{GraphError, skeleton};

/// Millivolts in a volt.
const MV_PER_V: f64 = 1000.0;

/// What a node is, by its degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NodeKind {
    /// A piece of the pattern without a branch (degree 0).
    Isolated,
    /// A free end (degree 1).
    Tip,
    /// The place where a ring without any other node was cut open (degree 2).
    Ring,
    /// Where three or more branches meet.
    Junction,
}

impl NodeKind {
    /// The name in exported files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Isolated => "isolated",
            Self::Tip => "tip",
            Self::Ring => "ring",
            Self::Junction => "junction",
        }
    }
}

/// A node of a network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Middle of its cells along the rows, cells from the middle of row 0.
    pub row: f64,
    /// Middle of its cells along the columns, cells from the middle of column 0.
    pub col: f64,
    /// Ends of branches at it; a branch from the node to itself counts twice.
    pub degree: u32,
    /// Number of its component, counted from 0 by first node.
    pub component: u32,
    /// Cells that make it up.
    pub cells: u32,
    /// Width of the pattern there, cells: of the widest of its cells.
    pub width: f64,
}

/// A branch of a network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Branch {
    /// Number of the node where it begins.
    pub from: u32,
    /// Number of the node where it ends; may be the same.
    pub to: u32,
    /// Cells between its two nodes.
    pub cells: u32,
    /// Length from cell to cell, cells: 1 for a step over an edge, sqrt 2 for a step over a corner.
    pub length: f64,
    /// Mean width of the pattern along it, cells; see [`Network`].
    pub mean_width: f64,
    /// Smallest width along it, cells.
    pub min_width: f64,
}

/// What a network measures as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct NetworkSummary {
    /// Cells of the pattern.
    pub pattern_cells: u64,
    /// Cells of its skeleton.
    pub skeleton_cells: u64,
    /// Nodes.
    pub nodes: u64,
    /// Nodes where three or more branches meet.
    pub junctions: u64,
    /// Free ends.
    pub tips: u64,
    /// Pieces without a branch.
    pub isolated: u64,
    /// Rings without a junction.
    pub rings: u64,
    /// Branches.
    pub branches: u64,
    /// Components: pieces of the pattern.
    pub components: u64,
    /// Independent loops: branches - nodes + components.
    pub loops: u64,
    /// Length of all branches, cells.
    pub total_length: f64,
    /// Mean length of a branch, cells; 0 without a branch.
    pub mean_length: f64,
    /// Mean width of the branches, weighted by their lengths, cells; 0 without a branch.
    pub mean_width: f64,
    /// Mean degree of the nodes; 0 without a node.
    pub mean_degree: f64,
}

/// The network of a pattern.
///
/// Nodes are numbered by their first cell, row by row, the nodes of rings after all others; branches by the node
/// where they begin. The same pattern gives the same network, whatever the number of threads.
///
/// The width at a cell of the skeleton is 2 d - 1, where d is the distance to the nearest background cell: exact
/// for straight bands of an odd number of cells, 1 too small for even ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub(super) grid: Grid,
    pub(super) nodes: Vec<Node>,
    pub(super) branches: Vec<Branch>,
    pub(super) components: usize,
    pub(super) node_cells: Vec<u32>,
    pub(super) node_starts: Vec<usize>,
    pub(super) paths: Vec<u32>,
    pub(super) path_starts: Vec<usize>,
    pub(super) pattern_cells: usize,
    pub(super) skeleton_cells: usize,
}

impl Network {
    /// The network of the cells of a field above the threshold. The field is in volts, of any strides; cells
    /// that are NaN are not above.
    ///
    /// # Errors
    /// [`GraphError`] when the configuration or the shape is refused, or every cell of a torus is active.
    pub fn of_field(field: ArrayView2<'_, f64>, config: &NetworkConfig) -> Result<Self, GraphError> {
        config.validate()?;
        let threshold = config.threshold_mv / MV_PER_V;
        Self::of_cells(field, |&value| value > threshold, config)
    }

    /// The network of a pattern of any shape and strides; the threshold of the configuration is not used.
    ///
    /// # Errors
    /// As [`of_field`](Self::of_field).
    pub fn of_mask(mask: ArrayView2<'_, bool>, config: &NetworkConfig) -> Result<Self, GraphError> {
        config.validate()?;
        Self::of_cells(mask, |&set| set, config)
    }

    fn of_cells<T>(
        cells: ArrayView2<'_, T>,
        is_active: impl Fn(&T) -> bool,
        config: &NetworkConfig,
    ) -> Result<Self, GraphError> {
        let (rows, cols) = cells.dim();
        let grid = Grid::new(rows, cols, config.wrap)?;
        let mut mask: Vec<u8> = cells.iter().map(|cell| u8::from(is_active(cell))).collect();
        let pattern_cells = mask.iter().filter(|&&set| set != 0).count();
        if grid.wrap_rows && grid.wrap_cols && pattern_cells == mask.len() {
            return Err(GraphError::Full { rows, cols });
        }
        let squared = squared_distances(&grid, &mask);
        skeleton::thin(&grid, &mut mask, &squared);
        let mut network = pruned_network(&grid, &mut mask, &squared, config);
        network.pattern_cells = pattern_cells;
        Ok(network)
    }

    /// Rows and columns of the grid.
    #[must_use]
    pub fn dim(&self) -> (usize, usize) {
        (self.grid.rows, self.grid.cols)
    }

    /// The nodes, by number.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The branches, by number.
    #[must_use]
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// The cells of a node, as row * columns + column, ascending. Empty when there is no such node.
    #[must_use]
    pub fn node_cells(&self, node: usize) -> &[u32] {
        part(&self.node_cells, &self.node_starts, node)
    }

    /// The cells along a branch, as row * columns + column, from a cell of its first node to one of its last. Empty
    /// when there is no such branch.
    #[must_use]
    pub fn path(&self, branch: usize) -> &[u32] {
        part(&self.paths, &self.path_starts, branch)
    }

    /// The skeleton: true on each cell of a node or branch.
    #[must_use]
    pub fn skeleton(&self) -> Array2<bool> {
        let mut skeleton = Array2::from_elem(self.dim(), false);
        for &cell in self.node_cells.iter().chain(&self.paths) {
            skeleton[self.grid.place(cell)] = true;
        }
        skeleton
    }

    /// The figures of the whole network.
    #[must_use]
    pub fn summary(&self) -> NetworkSummary {
        let of_kind = |kind: NodeKind| self.nodes.iter().filter(|node| node.kind == kind).count() as u64;
        // Not `sum`, whose empty sum is -0.
        let (total_length, area) = self.branches.iter().fold((0.0, 0.0), |(length, area), branch| {
            (length + branch.length, area + branch.length * branch.mean_width)
        });
        let per = |total: f64, count: f64| if count > 0.0 { total / count } else { 0.0 };
        let (nodes, branches) = (self.nodes.len() as u64, self.branches.len() as u64);
        NetworkSummary {
            pattern_cells: self.pattern_cells as u64,
            skeleton_cells: self.skeleton_cells as u64,
            nodes,
            junctions: of_kind(NodeKind::Junction),
            tips: of_kind(NodeKind::Tip),
            isolated: of_kind(NodeKind::Isolated),
            rings: of_kind(NodeKind::Ring),
            branches,
            components: self.components as u64,
            loops: branches + self.components as u64 - nodes,
            total_length,
            mean_length: per(total_length, branches as f64),
            mean_width: per(area, total_length),
            mean_degree: per(2.0 * branches as f64, nodes as f64),
        }
    }

    /// The network without places: nodes, branches with their lengths and cells.
    #[must_use]
    pub fn graph(&self) -> Graph {
        Graph::of_network(&self.nodes, &self.branches)
    }
}

/// One of several lists that lie one after the other.
fn part<'a>(all: &'a [u32], starts: &[usize], number: usize) -> &'a [u32] {
    match (starts.get(number), starts.get(number.saturating_add(1))) {
        (Some(&start), Some(&end)) => all.get(start..end).unwrap_or_default(),
        _ => &[],
    }
}
