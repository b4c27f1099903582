//! What the network analysis refuses.

use crate::error::SpecError;

/// Why there is no network, or no analysis of one. Nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The configuration is refused.
    #[error("invalid network configuration: {0}")]
    Config(#[from] SpecError),
    /// The grid has no cell, or too many.
    #[error(
        "grid is {rows} x {cols}: give 1 to {} cells on a side and at most {} in all",
        super::SIDE_MAX_CELLS,
        super::CELLS_MAX
    )]
    Shape {
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        cols: usize,
    },
    /// Every cell of a torus is active.
    #[error(
        "all {rows} x {cols} cells are active and the grid wraps in both directions: such a pattern has no \
         boundary and no skeleton; raise threshold_mv, or set wrap to false"
    )]
    Full {
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        cols: usize,
    },
    /// The graph has more nodes or edges than can be numbered.
    #[error("graph has {nodes} nodes and {edges} edges: give at most {} of each", super::GRAPH_MAX)]
    Size {
        /// Nodes given.
        nodes: usize,
        /// Edges given.
        edges: usize,
    },
    /// Lists that belong together differ in length.
    #[error("{lengths} lengths were given for {edges} edges: give one for each")]
    Lengths {
        /// Edges given.
        edges: usize,
        /// Lengths given.
        lengths: usize,
    },
    /// An edge ends at a node that does not exist.
    #[error("edge {edge} ends at node {node} of {nodes}: give node numbers below the number of nodes")]
    Node {
        /// Number of the edge.
        edge: usize,
        /// The node named.
        node: u32,
        /// Number of nodes.
        nodes: usize,
    },
    /// An edge has a length that is none.
    #[error("edge {edge} has length {value}: give a positive finite number")]
    Length {
        /// Number of the edge.
        edge: usize,
        /// The length given.
        value: f64,
    },
    /// The cancel token was set.
    #[error("the analysis was cancelled: reset the token and call again")]
    Cancelled,
}
