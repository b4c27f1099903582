//! Networks of a host's own: nodes and edges from anywhere, with the same questions as the network of a pattern.
//!
//! Such a network knows lengths and no places: mfn_graph_summarise(), mfn_graph_nodes(), mfn_graph_branches(), the
//! cuts, betweenness and percolation work; what is measured in cells is 0, the places and widths of nodes and branches
//! are NaN, and mfn_graph_path(), mfn_graph_skeleton() and mfn_graph_export() answer MFN_INVALID.

use std::ffi::c_double;
use std::sync::OnceLock;

use ::mfn_sim::CancelToken;
use ::mfn_sim::graph::{Graph, NetworkSummary};

use crate::argument::{self, Slot};
use crate::error::mfn_error;
use crate::graph::{
    Held, MFN_NODE_ISOLATED, MFN_NODE_JUNCTION, MFN_NODE_RING, MFN_NODE_TIP, mfn_graph, mfn_graph_branch,
    mfn_graph_node,
};
use crate::guard;
use crate::status::mfn_status;

/// Makes a network of node_count nodes, numbered from 0, and edge_count edges. ends holds two nodes for each edge, one
/// edge after the other, and lengths a length for each, above 0, in any unit; edge i becomes branch i. lengths may be
/// NULL: every edge has length 1. Several edges between two nodes and edges from a node to itself are allowed. A node is
/// a tip with one end of an edge, a junction with three or more, isolated with none, and MFN_NODE_RING with two. At most
/// 2^28 nodes and edges. ends and lengths are read during the call only. The host owns *graph and frees it with
/// mfn_graph_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_from_edges(
    node_count: usize,
    ends: *const u32,
    lengths: *const c_double,
    edge_count: usize,
    graph: *mut *mut mfn_graph,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("graph", graph)?;
        let ends = argument::array("ends", ends, edge_count.saturating_mul(2))?;
        let edges: Vec<(u32, u32)> = ends.as_chunks().0.iter().map(|&[from, to]| (from, to)).collect();
        let made = if lengths.is_null() {
            Graph::new(node_count, &edges, &vec![1.0; edge_count])?
        } else {
            Graph::new(node_count, &edges, argument::array("lengths", lengths, edge_count)?)?
        };
        slot.hand_over(guard::create(held(made)));
        Ok(())
    })
}

fn held(graph: Graph) -> Held {
    let components = graph.components();
    let nodes = graph.degrees().iter().zip(&components).map(|(&degree, &component)| mfn_graph_node {
        kind: match degree {
            0 => MFN_NODE_ISOLATED,
            1 => MFN_NODE_TIP,
            2 => MFN_NODE_RING,
            _ => MFN_NODE_JUNCTION,
        },
        degree,
        component,
        cells: 0,
        row: f64::NAN,
        col: f64::NAN,
        width: f64::NAN,
    });
    let nodes: Vec<mfn_graph_node> = nodes.collect();
    let branches = graph.edges().iter().zip(graph.lengths()).map(|(&(from, to), &length)| mfn_graph_branch {
        from,
        to,
        cells: 0,
        reserved: 0,
        length,
        mean_width: f64::NAN,
        min_width: f64::NAN,
    });
    let branches: Vec<mfn_graph_branch> = branches.collect();
    let of_kind = |kind: i32| nodes.iter().filter(|node| node.kind == kind).count() as u64;
    let per = |total: f64, count: usize| if count > 0 { total / count as f64 } else { 0.0 };
    let (node_count, edge_count) = (nodes.len(), branches.len());
    let component_count = components.iter().max().map_or(0, |last| u64::from(*last) + 1);
    // Not `sum`, whose empty sum is -0.
    let total_length = graph.lengths().iter().fold(0.0, |total, length| total + length);
    let summary = NetworkSummary {
        pattern_cells: 0,
        skeleton_cells: 0,
        nodes: node_count as u64,
        junctions: of_kind(MFN_NODE_JUNCTION),
        tips: of_kind(MFN_NODE_TIP),
        isolated: of_kind(MFN_NODE_ISOLATED),
        rings: of_kind(MFN_NODE_RING),
        branches: edge_count as u64,
        components: component_count,
        loops: edge_count as u64 + component_count - node_count as u64,
        total_length,
        mean_length: per(total_length, edge_count),
        mean_width: f64::NAN,
        mean_degree: per(2.0 * edge_count as f64, node_count),
    };
    let (cuts, cancel) = (OnceLock::new(), CancelToken::new());
    Held { network: None, summary, graph, nodes, branches, cuts, cancel }
}
