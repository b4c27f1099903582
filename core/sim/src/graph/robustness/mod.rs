//! Robustness: a network as nodes and edges only, and what happens when some of them are lost.

mod betweenness;
mod count;
mod cuts;
mod order;
mod percolation;

pub use betweenness::{Betweenness, betweenness};
pub use cuts::{Cuts, EdgeCut, NodeCut, Share, cuts};
pub use percolation::{Attack, Percolation, percolation};

use super::GraphError;
use super::network::{Branch, Node};

/// Most nodes and most edges of a graph.
pub const GRAPH_MAX: usize = 1 << 28;

/// An undirected graph with a length for each edge. Several edges between two nodes and edges from a node to itself
/// are allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    ends: Vec<(u32, u32)>,
    lengths: Vec<f64>,
    /// Cells of each node and of the inside of each edge; 0 for a graph that has none.
    node_cells: Vec<u32>,
    edge_cells: Vec<u32>,
    degrees: Vec<u32>,
    /// Neighbours of each node, one part after the other, without edges from a node to itself.
    around: Vec<Neighbour>,
    starts: Vec<u32>,
}

/// One end of an edge as seen from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Neighbour {
    node: u32,
    edge: u32,
}

impl Graph {
    /// A graph of `nodes` nodes, numbered from 0, with the given edges and their lengths.
    ///
    /// # Errors
    /// [`GraphError`] when there are more than [`GRAPH_MAX`] nodes or edges, an edge names no node, or a length is
    /// not positive and finite.
    pub fn new(nodes: usize, edges: &[(u32, u32)], lengths: &[f64]) -> Result<Self, GraphError> {
        if nodes > GRAPH_MAX || edges.len() > GRAPH_MAX {
            return Err(GraphError::Size { nodes, edges: edges.len() });
        }
        if edges.len() != lengths.len() {
            return Err(GraphError::Lengths { edges: edges.len(), lengths: lengths.len() });
        }
        for (edge, (&(from, to), &value)) in edges.iter().zip(lengths).enumerate() {
            if from.max(to) as usize >= nodes {
                return Err(GraphError::Node { edge, node: from.max(to), nodes });
            }
            if !(value.is_finite() && value > 0.0) {
                return Err(GraphError::Length { edge, value });
            }
        }
        Ok(Self::of_checked(edges.to_vec(), lengths.to_vec(), vec![0; nodes], vec![0; edges.len()]))
    }

    /// Of a network, whose numbers are in order by construction.
    pub(super) fn of_network(nodes: &[Node], branches: &[Branch]) -> Self {
        Self::of_checked(
            branches.iter().map(|branch| (branch.from, branch.to)).collect(),
            branches.iter().map(|branch| branch.length).collect(),
            nodes.iter().map(|node| node.cells).collect(),
            branches.iter().map(|branch| branch.cells).collect(),
        )
    }

    fn of_checked(
        ends: Vec<(u32, u32)>,
        lengths: Vec<f64>,
        node_cells: Vec<u32>,
        edge_cells: Vec<u32>,
    ) -> Self {
        let nodes = node_cells.len();
        let mut degrees = vec![0; nodes];
        let mut starts = vec![0; nodes + 1];
        for &(from, to) in &ends {
            degrees[from as usize] += 1;
            degrees[to as usize] += 1;
            if from != to {
                starts[from as usize + 1] += 1;
                starts[to as usize + 1] += 1;
            }
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next: Vec<u32> = starts.clone();
        let mut around = vec![Neighbour { node: 0, edge: 0 }; starts[nodes] as usize];
        for (edge, &(from, to)) in ends.iter().enumerate().filter(|(_, (from, to))| from != to) {
            for (node, other) in [(from, to), (to, from)] {
                let place = &mut next[node as usize];
                around[*place as usize] = Neighbour { node: other, edge: edge as u32 };
                *place += 1;
            }
        }
        Self { ends, lengths, node_cells, edge_cells, degrees, around, starts }
    }

    /// Number of nodes.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.degrees.len()
    }

    /// Number of edges.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.ends.len()
    }

    /// The nodes at the ends of each edge.
    #[must_use]
    pub fn edges(&self) -> &[(u32, u32)] {
        &self.ends
    }

    /// The length of each edge.
    #[must_use]
    pub fn lengths(&self) -> &[f64] {
        &self.lengths
    }

    /// The degree of each node; an edge from a node to itself counts twice.
    #[must_use]
    pub fn degrees(&self) -> &[u32] {
        &self.degrees
    }

    /// The component of each node. Components are numbered from 0 by their first node.
    #[must_use]
    pub fn components(&self) -> Vec<u32> {
        const NONE: u32 = u32::MAX;
        let mut components = vec![NONE; self.node_count()];
        let mut found = 0;
        let mut waiting = Vec::new();
        for first in 0..self.node_count() as u32 {
            if components[first as usize] != NONE {
                continue;
            }
            components[first as usize] = found;
            waiting.push(first);
            while let Some(node) = waiting.pop() {
                for neighbour in self.around(node) {
                    let component = &mut components[neighbour.node as usize];
                    if *component == NONE {
                        *component = found;
                        waiting.push(neighbour.node);
                    }
                }
            }
            found += 1;
        }
        components
    }

    /// The neighbours of a node, in the order of the edges.
    fn around(&self, node: u32) -> &[Neighbour] {
        &self.around[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }
}
