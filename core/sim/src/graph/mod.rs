//! The network of a pattern: skeleton, nodes, branches, and what their loss would do.
//!
//! A field is cut at a threshold; the pattern is thinned to lines of one cell that keep its pieces and holes
//! ([`Network`]); the lines are followed from junction to junction. The resulting [`Graph`] answers what a biologist or an
//! engineer asks of a mycelium: what the loss of a node or branch cuts off ([`cuts`]), through which of them the
//! shortest paths run ([`betweenness`]), and how the whole falls apart when nodes go at random or by an attack
//! ([`percolation`]). `docs/numerics/graph.md` has the definitions, their sources and the tests.
//!
//! ```
//! use mfn_sim::graph::{Network, NetworkConfig};
//!
//! // A cross of two bars, 3 cells wide.
//! let field = ndarray::Array2::from_shape_fn((21, 21), |(row, col)| {
//!     if (9..12).contains(&row) || (9..12).contains(&col) { -0.050 } else { -0.070 }
//! });
//! let network = Network::of_field(field.view(), &NetworkConfig::default())?;
//! let summary = network.summary();
//! assert_eq!((summary.junctions, summary.tips, summary.branches, summary.loops), (1, 4, 4, 0));
//! assert!((3.0..3.5).contains(&summary.mean_width)); // the crossing is wider than the bars
//! # Ok::<(), mfn_sim::graph::GraphError>(())
//! ```

mod cells;
mod config;
mod distance;
mod error;
mod export;
mod forest;
mod grid;
mod network;
mod order;
mod prune;
mod robustness;
mod simple;
mod skeleton;
mod trace;

pub use config::{NETWORK_TABLE, NetworkConfig, ROBUSTNESS_TABLE, RobustnessConfig};
pub use error::GraphError;
pub use export::{NetworkDocument, graphml};
pub use grid::{CELLS_MAX, SIDE_MAX_CELLS, WRAP_MIN_CELLS};
pub use network::{Branch, Network, NetworkSummary, Node, NodeKind};
pub use robustness::{
    Attack, Betweenness, Cuts, EdgeCut, GRAPH_MAX, Graph, NodeCut, Percolation, Share, betweenness, cuts,
    percolation,
};
