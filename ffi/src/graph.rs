//! Networks: the skeleton of a pattern as nodes and branches, and what their loss would do.
//!
//! mfn_graph_from_field() cuts a field at a threshold, thins the pattern to lines of one cell and follows the lines.
//! The network that it gives is immutable: any number of threads may ask it at once, and what it lends lives as long
//! as the network. mfn_graph_from_edges() takes a network of the host's own. Nodes and branches are numbered from 0. The work is done on the calling thread.

use std::ffi::{c_char, c_double};
use std::sync::OnceLock;

use ::mfn_sim::CancelToken;
use ::mfn_sim::graph::{Graph, GraphError, Network, NetworkConfig, NetworkSummary, NodeKind, graphml};

use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::error::{self, Failure, mfn_error};
use crate::field::{self, mfn_field_view};
use crate::guard::{self, Handle, opaque};
use crate::owned::{give_bytes, give_string, mfn_bytes};
use crate::robustness::mfn_graph_cut;
use crate::status::{MFN_CANCELLED, MFN_INVALID, mfn_status};

/// The network of a pattern. Freed with mfn_graph_free().
pub struct mfn_graph(Handle<Held>);

pub(crate) struct Held {
    /// Where the cells are; none for a graph of the host's own edges.
    pub(crate) network: Option<Network>,
    pub(crate) summary: NetworkSummary,
    pub(crate) graph: Graph,
    pub(crate) nodes: Vec<mfn_graph_node>,
    pub(crate) branches: Vec<mfn_graph_branch>,
    /// Nodes and branches that cut something off, once they were asked for.
    pub(crate) cuts: OnceLock<[Vec<mfn_graph_cut>; 2]>,
    pub(crate) cancel: CancelToken,
}

opaque! { mfn_graph(Held) as "graph" = 60; }

/// How the network of a field is made. Fill it with mfn_graph_config_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_graph_config {
    /// sizeof(mfn_graph_config).
    pub struct_size: u32,
    /// 1 when opposite edges of the grid touch, as in a periodic simulation, else 0.
    pub wrap: i32,
    /// A cell above it is part of the pattern, mV.
    pub threshold_mv: c_double,
    /// Branches with a free end that are shorter than this are taken off, cells.
    pub prune_length_cells: c_double,
    /// Branches with a free end that are shorter than so many radii of the pattern at their inner end are taken off.
    pub prune_radii: c_double,
}

/// What a network measures as a whole. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_graph_summary {
    /// sizeof(mfn_graph_summary).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
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
    /// Components.
    pub components: u64,
    /// Independent loops: branches - nodes + components.
    pub loops: u64,
    /// Length of all branches, cells.
    pub total_length: c_double,
    /// Mean length of a branch, cells.
    pub mean_length: c_double,
    /// Mean width of the branches, weighted by their lengths, cells.
    pub mean_width: c_double,
    /// Mean degree of the nodes.
    pub mean_degree: c_double,
}

/// A piece without a branch (degree 0).
pub const MFN_NODE_ISOLATED: i32 = 0;
/// A free end (degree 1).
pub const MFN_NODE_TIP: i32 = 1;
/// The place where a ring without any other node was cut open (degree 2).
pub const MFN_NODE_RING: i32 = 2;
/// Where three or more branches meet.
pub const MFN_NODE_JUNCTION: i32 = 3;

/// A node of a network.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_graph_node {
    /// One of the MFN_NODE_* constants.
    pub kind: i32,
    /// Ends of branches at it; a branch from the node to itself counts twice.
    pub degree: u32,
    /// Number of its component.
    pub component: u32,
    /// Cells that make it up.
    pub cells: u32,
    /// Middle of its cells along the rows.
    pub row: c_double,
    /// Middle of its cells along the columns.
    pub col: c_double,
    /// Width of the pattern there, cells.
    pub width: c_double,
}

/// A branch of a network.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_graph_branch {
    /// Number of the node where it begins.
    pub from: u32,
    /// Number of the node where it ends; may be the same.
    pub to: u32,
    /// Cells between its two nodes.
    pub cells: u32,
    /// 0.
    pub reserved: u32,
    /// Length from cell to cell, cells.
    pub length: c_double,
    /// Mean width of the pattern along it, cells.
    pub mean_width: c_double,
    /// Smallest width along it, cells.
    pub min_width: c_double,
}

sized32! {
    mfn_graph_config = 32;
    mfn_graph_summary = 120;
}

/// GraphML, as networkx, igraph, Gephi and Cytoscape read it.
pub const MFN_GRAPH_GRAPHML: i32 = 0;
/// One JSON object with the summary, the nodes, the branches and the cells along each branch.
pub const MFN_GRAPH_JSON: i32 = 1;

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        match &error {
            GraphError::Cancelled => Self::answer(MFN_CANCELLED),
            GraphError::Config(faults) => {
                Self::from_error(MFN_INVALID, &error).with_faults(error::spec_faults(faults))
            }
            _ => Self::from_error(MFN_INVALID, &error),
        }
    }
}

impl Held {
    fn new(network: Network) -> Self {
        let nodes = network.nodes().iter().map(|node| mfn_graph_node {
            kind: match node.kind {
                NodeKind::Isolated => MFN_NODE_ISOLATED,
                NodeKind::Tip => MFN_NODE_TIP,
                NodeKind::Ring => MFN_NODE_RING,
                _ => MFN_NODE_JUNCTION,
            },
            degree: node.degree,
            component: node.component,
            cells: node.cells,
            row: node.row,
            col: node.col,
            width: node.width,
        });
        let branches = network.branches().iter().map(|branch| mfn_graph_branch {
            from: branch.from,
            to: branch.to,
            cells: branch.cells,
            reserved: 0,
            length: branch.length,
            mean_width: branch.mean_width,
            min_width: branch.min_width,
        });
        Self {
            graph: network.graph(),
            summary: network.summary(),
            nodes: nodes.collect(),
            branches: branches.collect(),
            cuts: OnceLock::new(),
            cancel: CancelToken::new(),
            network: Some(network),
        }
    }

    /// The network with its cells.
    fn cells(&self) -> Result<&Network, Failure> {
        let network = self.network.as_ref();
        network.ok_or_else(|| Failure::invalid("graph was made by mfn_graph_from_edges(): it has no cells"))
    }
}

fn read_config(config: *const mfn_graph_config) -> Result<NetworkConfig, Failure> {
    if config.is_null() {
        return Ok(NetworkConfig::default());
    }
    let given = read_sized("config", config)?;
    Ok(NetworkConfig {
        threshold_mv: given.threshold_mv,
        wrap: argument::flag("config.wrap", given.wrap)?,
        prune_length_cells: given.prune_length_cells,
        prune_radii: given.prune_radii,
    })
}

/// Fills a configuration with the defaults: -60 mV, no wrapping, spurs of less than 1.5 radii taken off. struct_size
/// is sizeof(mfn_graph_config). config belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_config_init(
    config: *mut mfn_graph_config,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let defaults = NetworkConfig::default();
        SizedSlot::of_size("config", config, struct_size)?.write(&mfn_graph_config {
            struct_size: 0,
            wrap: i32::from(defaults.wrap),
            threshold_mv: defaults.threshold_mv,
            prune_length_cells: defaults.prune_length_cells,
            prune_radii: defaults.prune_radii,
        });
        Ok(())
    })
}

/// Makes the network of the cells of a field in volts that are above the threshold. config may be NULL for the
/// defaults. The field may have any shape up to 65536 cells a side and 2^28 in all, and is read during the call only. The
/// host owns *graph and frees it with mfn_graph_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_from_field(
    field: *const mfn_field_view,
    config: *const mfn_graph_config,
    graph: *mut *mut mfn_graph,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("graph", graph)?;
        let field = field::borrow("field", field)?;
        let network = Network::of_field(field, &read_config(config)?)?;
        slot.hand_over(guard::create(Held::new(network)));
        Ok(())
    })
}

/// The figures of the whole network. summary belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_summarise(
    graph: *const mfn_graph,
    summary: *mut mfn_graph_summary,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        let slot = SizedSlot::new("summary", summary)?;
        let figures = held.summary;
        slot.write(&mfn_graph_summary {
            struct_size: 0,
            reserved: 0,
            pattern_cells: figures.pattern_cells,
            skeleton_cells: figures.skeleton_cells,
            nodes: figures.nodes,
            junctions: figures.junctions,
            tips: figures.tips,
            isolated: figures.isolated,
            rings: figures.rings,
            branches: figures.branches,
            components: figures.components,
            loops: figures.loops,
            total_length: figures.total_length,
            mean_length: figures.mean_length,
            mean_width: figures.mean_width,
            mean_degree: figures.mean_degree,
        });
        Ok(())
    })
}

/// The two places that a lent array is written to.
pub(crate) struct Lent<T>(Slot<*const T>, Slot<usize>);

impl<T> Lent<T> {
    pub(crate) fn to(array: *mut *const T, count: *mut usize) -> Result<Self, Failure> {
        Ok(Self(Slot::required("array", array)?, Slot::required("count", count)?))
    }

    pub(crate) fn write(self, items: &[T]) {
        self.0.write(items.as_ptr());
        self.1.write(items.len());
    }
}

/// The nodes, by number. *array is lent by the network. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_nodes(
    graph: *const mfn_graph,
    array: *mut *const mfn_graph_node,
    count: *mut usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        Lent::to(array, count)?.write(&held.nodes);
        Ok(())
    })
}

/// The branches, by number. *array is lent by the network. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_branches(
    graph: *const mfn_graph,
    array: *mut *const mfn_graph_branch,
    count: *mut usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        Lent::to(array, count)?.write(&held.branches);
        Ok(())
    })
}

/// The cells along a branch, each as row * columns + column, from a cell of its first node to one of its last. *array
/// is lent by the network. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_path(
    graph: *const mfn_graph,
    branch: usize,
    array: *mut *const u32,
    count: *mut usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        let lent = Lent::to(array, count)?;
        let path = held.cells()?.path(branch);
        if path.is_empty() {
            return Err(Failure::invalid(format!(
                "branch = {branch}: the network has {} branches, numbered from 0",
                held.branches.len()
            )));
        }
        lent.write(path);
        Ok(())
    })
}

/// The skeleton as one byte for each cell, row by row: 1 on the cells of nodes and branches, else 0. The host owns
/// *skeleton and frees it with mfn_bytes_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_skeleton(
    graph: *const mfn_graph,
    skeleton: *mut mfn_bytes,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        let slot = Slot::required("skeleton", skeleton)?;
        give_bytes(slot, held.cells()?.skeleton().iter().map(|&set| u8::from(set)).collect());
        Ok(())
    })
}

/// The whole network as a text in one of the MFN_GRAPH_* formats. The host owns *text and frees it with
/// mfn_string_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_export(
    graph: *const mfn_graph,
    format: i32,
    text: *mut *mut c_char,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        let slot = Slot::required("text", text)?;
        let network = held.cells()?;
        let written = match format {
            MFN_GRAPH_GRAPHML => graphml(network),
            MFN_GRAPH_JSON => error::json(&network.document())?,
            other => {
                return Err(Failure::invalid(format!(
                    "format = {other}: give MFN_GRAPH_GRAPHML or MFN_GRAPH_JSON"
                )));
            }
        };
        give_string(slot, written);
        Ok(())
    })
}

/// The last failure of a call on the network; NULL when there was none. The host owns it and frees it with
/// mfn_error_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_last_error(graph: *const mfn_graph) -> *mut mfn_error {
    error::last_of(graph)
}

/// Frees a network and what it lent. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_free(graph: *mut mfn_graph) {
    guard::free(graph);
}
