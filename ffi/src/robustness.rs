//! Robustness: what the loss of nodes and branches does to a network.
//!
//! Three questions, from cheap to costly: mfn_graph_node_cuts() and mfn_graph_branch_cuts() name what cuts something
//! off, mfn_graph_betweenness() says where the shortest paths run, and mfn_graph_percolate() lets the network fall
//! apart. The last two may take long: they are sampled where a network is large, and stop when another thread calls
//! mfn_graph_cancel().

use std::ffi::c_double;

use ::mfn_sim::graph::{Attack, Cuts, RobustnessConfig, Share, betweenness, cuts, percolation};

use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::error::{Failure, mfn_error};
use crate::graph::{Held, Lent, mfn_graph};
use crate::guard;
use crate::status::mfn_status;

/// How much work the robustness figures may cost. Fill it with mfn_graph_robustness_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_graph_robustness {
    /// sizeof(mfn_graph_robustness).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Sources of shortest paths at most; a network with more nodes is sampled.
    pub sources_max: u64,
    /// Trials of random removal that are averaged.
    pub trials: u64,
    /// How often the order of an adaptive attack by betweenness is worked out anew, at most.
    pub recomputations_max: u64,
    /// Seed of the sources drawn and of the random removals.
    pub random_seed: u64,
}

/// A node or branch whose loss cuts something off, and what: all pieces but the largest.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_graph_cut {
    /// Number of the node or branch.
    pub part: u32,
    /// Pieces into which its component falls; at least 2.
    pub pieces: u32,
    /// Nodes cut off.
    pub nodes: u64,
    /// Cells of the skeleton cut off.
    pub cells: u64,
    /// Length of the branches cut off, cells.
    pub length: c_double,
}

/// Nodes are lost at random; the mean of several trials.
pub const MFN_ATTACK_RANDOM_NODES: i32 = 0;
/// Branches are lost at random; the mean of several trials.
pub const MFN_ATTACK_RANDOM_BRANCHES: i32 = 1;
/// Nodes by their degree in the whole network.
pub const MFN_ATTACK_DEGREE: i32 = 2;
/// Nodes by their degree among those that are left.
pub const MFN_ATTACK_DEGREE_ADAPTIVE: i32 = 3;
/// Nodes by their betweenness in the whole network.
pub const MFN_ATTACK_BETWEENNESS: i32 = 4;
/// Nodes by their betweenness among those that are left, in batches.
pub const MFN_ATTACK_BETWEENNESS_ADAPTIVE: i32 = 5;
/// Branches by their betweenness in the whole network.
pub const MFN_ATTACK_BRANCH_BETWEENNESS: i32 = 6;

/// How a network falls apart. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_graph_percolation {
    /// sizeof(mfn_graph_percolation).
    pub struct_size: u32,
    /// One of the MFN_ATTACK_* constants.
    pub attack: i32,
    /// Mean fraction of the nodes in the largest component after 1, 2, ... losses (Schneider et al., 2011).
    pub robustness: c_double,
    /// The fraction lost at which the components other than the largest are largest.
    pub critical_fraction: c_double,
    /// Nodes or branches that were there to lose. The curve has one number more.
    pub losses: u64,
    /// Trials averaged.
    pub trials: u64,
    /// Sources of shortest paths in each computation of betweenness; 0 when none was needed.
    pub sources: u64,
    /// How often betweenness was computed.
    pub recomputations: u64,
}

sized32! {
    mfn_graph_robustness = 40;
    mfn_graph_percolation = 56;
}

/// The cuts of nodes and of branches, worked out when they are first asked for.
fn cuts_of(held: &Held) -> &[Vec<mfn_graph_cut>; 2] {
    held.cuts.get_or_init(|| {
        let cut = |part: u32, pieces: u32, off: &Share| mfn_graph_cut {
            part,
            pieces,
            nodes: off.nodes,
            cells: off.cells,
            length: off.length,
        };
        let Cuts { nodes, edges } = cuts(&held.graph);
        [
            nodes.iter().map(|found| cut(found.node, found.pieces, &found.cut_off)).collect(),
            edges.iter().map(|found| cut(found.edge, 2, &found.cut_off)).collect(),
        ]
    })
}

fn read_robustness(config: *const mfn_graph_robustness) -> Result<RobustnessConfig, Failure> {
    if config.is_null() {
        return Ok(RobustnessConfig::default());
    }
    let given = read_sized("config", config)?;
    if given.reserved != 0 {
        return Err(Failure::invalid(format!("config.reserved = {}: set it to 0", given.reserved)));
    }
    Ok(RobustnessConfig {
        sources_max: given.sources_max,
        trials: given.trials,
        recomputations_max: given.recomputations_max,
        random_seed: given.random_seed,
    })
}

/// Fills a configuration with the defaults: 1024 sources, 100 trials, 64 recomputations, seed 42. struct_size is
/// sizeof(mfn_graph_robustness). config belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_robustness_init(
    config: *mut mfn_graph_robustness,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let defaults = RobustnessConfig::default();
        SizedSlot::of_size("config", config, struct_size)?.write(&mfn_graph_robustness {
            struct_size: 0,
            reserved: 0,
            sources_max: defaults.sources_max,
            trials: defaults.trials,
            recomputations_max: defaults.recomputations_max,
            random_seed: defaults.random_seed,
        });
        Ok(())
    })
}

/// The nodes whose loss cuts something off (articulation nodes; Tarjan, 1972), ascending. *array is lent by the
/// network. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_node_cuts(
    graph: *const mfn_graph,
    array: *mut *const mfn_graph_cut,
    count: *mut usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        Lent::to(array, count)?.write(&cuts_of(held)[0]);
        Ok(())
    })
}

/// The branches whose loss cuts something off (bridges), ascending. *array is lent by the network. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_branch_cuts(
    graph: *const mfn_graph,
    array: *mut *const mfn_graph_cut,
    count: *mut usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        Lent::to(array, count)?.write(&cuts_of(held)[1]);
        Ok(())
    })
}

/// An array of the host's that is written on success: NULL with 0 for none, else of exactly the length wanted.
fn fill(name: &str, array: *mut c_double, count: usize, wanted: usize) -> Result<Filling, Failure> {
    if count == 0 && (array.is_null() || wanted == 0) {
        return Ok(Filling(Vec::new()));
    }
    let slots = argument::slots(name, array, count)?;
    if count != wanted {
        return Err(Failure::invalid(format!("{name} has {count} numbers: give room for {wanted}")));
    }
    Ok(Filling(slots.collect()))
}

struct Filling(Vec<Slot<c_double>>);

impl Filling {
    fn write(self, values: &[f64]) {
        self.0.into_iter().zip(values).for_each(|(slot, &value)| slot.write(value));
    }
}

/// The share of the shortest paths that run through each node and along each branch, over all pairs of nodes, in
/// [0, 1] (Freeman, 1977; Brandes, 2001), and the mean of 1 / length of the shortest path (global efficiency, 1/cell).
/// node_values has room for all nodes, branch_values for all branches; either may be NULL with a count of 0. config
/// may be NULL for the defaults. efficiency and sources (the sources searched from; with fewer than there are nodes the
/// figures are estimates) may be NULL. MFN_CANCELLED: see mfn_graph_cancel(). What is written belongs to the host.
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_betweenness(
    graph: *const mfn_graph,
    config: *const mfn_graph_robustness,
    node_values: *mut c_double,
    node_count: usize,
    branch_values: *mut c_double,
    branch_count: usize,
    efficiency: *mut c_double,
    sources: *mut usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        let nodes = fill("node_values", node_values, node_count, held.graph.node_count())?;
        let branches = fill("branch_values", branch_values, branch_count, held.graph.edge_count())?;
        let efficiency = Slot::optional("efficiency", efficiency)?;
        let sources = Slot::optional("sources", sources)?;
        let found = betweenness(&held.graph, &read_robustness(config)?, &held.cancel)?;
        nodes.write(&found.nodes);
        branches.write(&found.edges);
        if let Some(slot) = efficiency {
            slot.write(found.efficiency);
        }
        if let Some(slot) = sources {
            slot.write(found.sources);
        }
        Ok(())
    })
}

/// Takes nodes or branches away until none is left; attack is one of the MFN_ATTACK_* constants. config may be NULL for
/// the defaults. largest is the curve: the fraction of the nodes in the largest component after 0, 1, 2, ... losses; it
/// has room for one number more than there are nodes or branches, or is NULL with a count of 0. MFN_CANCELLED: see
/// mfn_graph_cancel(). percolation and largest belong to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_percolate(
    graph: *const mfn_graph,
    attack: i32,
    config: *const mfn_graph_robustness,
    percolation: *mut mfn_graph_percolation,
    largest: *mut c_double,
    largest_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        let slot = SizedSlot::new("percolation", percolation)?;
        let known = usize::try_from(attack).ok().and_then(|place| Attack::ALL.get(place).copied());
        let kind = known.ok_or_else(|| {
            Failure::invalid(format!("attack = {attack}: give one of the MFN_ATTACK_* constants"))
        })?;
        let losses = if kind.takes_edges() { held.graph.edge_count() } else { held.graph.node_count() };
        let curve = fill("largest", largest, largest_count, losses + 1)?;
        let found = self::percolation(&held.graph, kind, &read_robustness(config)?, &held.cancel)?;
        curve.write(&found.largest);
        slot.write(&mfn_graph_percolation {
            struct_size: 0,
            attack,
            robustness: found.robustness,
            critical_fraction: found.critical_fraction,
            losses: losses as u64,
            trials: found.trials,
            sources: found.sources as u64,
            recomputations: found.recomputations,
        });
        Ok(())
    })
}

/// Asks the betweenness and percolation of a network to stop with MFN_CANCELLED, those under way and all later ones
/// until mfn_graph_cancel_reset(). Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_cancel(graph: *const mfn_graph, error: *mut *mut mfn_error) -> mfn_status {
    guard::on(graph, error, |held| {
        held.cancel.cancel();
        Ok(())
    })
}

/// Withdraws mfn_graph_cancel(). Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_graph_cancel_reset(
    graph: *const mfn_graph,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(graph, error, |held| {
        held.cancel.reset();
        Ok(())
    })
}
