//! Pruning: branches that are bumps of the outline go, so that the network does not depend on the last cell of the
//! pattern.
//!
//! A thinned band has a spur wherever its outline sticks out. Such a spur lies within the disc around its
//! junction that fits into the pattern, or hardly beyond; a true branch is longer. The shortest spur of each
//! junction goes first, then the rest is judged anew, since what looked like two spurs may be the end of one branch.

use super::cells::CellGraph;
use super::config::NetworkConfig;
use super::grid::Grid;
use super::network::{Network, NodeKind};
use super::skeleton;
use super::trace::trace;

/// Rounds at most, so that no pattern takes longer than so many passes over its skeleton. Each round takes one spur
/// from every junction that has one.
pub(super) const ROUNDS_MAX: usize = 64;

/// The network of a skeleton after pruning; the skeleton changes with it.
pub(super) fn pruned_network(
    grid: &Grid,
    mask: &mut [u8],
    squared: &[u32],
    config: &NetworkConfig,
) -> Network {
    let mut graph = CellGraph::new(grid, mask, 0..grid.cells() as u32);
    for _ in 0..ROUNDS_MAX {
        let network = trace(grid, &graph, squared);
        let removed = spur_cells(&network, config);
        if removed.is_empty() {
            return network;
        }
        for &cell in &removed {
            mask[cell as usize] = 0;
        }
        let mut around: Vec<u32> = removed
            .iter()
            .flat_map(|&cell| (0..8).filter_map(move |direction| grid.neighbour(cell, direction)))
            .collect();
        around.sort_unstable();
        around.dedup();
        skeleton::thin_again(grid, mask, around);
        graph = CellGraph::new(grid, mask, graph.cells.into_iter());
    }
    trace(grid, &graph, squared)
}

/// The cells of the spurs that go in this round.
fn spur_cells(network: &Network, config: &NetworkConfig) -> Vec<u32> {
    let mut removed = Vec::new();
    // The shortest spur of each junction, the first of several.
    let mut shortest: Vec<Option<usize>> = vec![None; network.nodes().len()];
    for (number, branch) in network.branches().iter().enumerate() {
        let [from, to] = [branch.from, branch.to].map(|node| network.nodes()[node as usize]);
        let limit = |width: f64| config.prune_length_cells.max(config.prune_radii * (width + 1.0) / 2.0);
        match (from.kind, to.kind) {
            // A piece that is one line between two ends becomes a point, not nothing.
            (NodeKind::Tip, NodeKind::Tip) if branch.length < limit(branch.mean_width) => {
                let path = network.path(number);
                let middle = (path.len() - 1) / 2;
                removed.extend(
                    path.iter().enumerate().filter(|&(place, _)| place != middle).map(|(_, cell)| cell),
                );
            }
            (NodeKind::Tip, NodeKind::Junction) | (NodeKind::Junction, NodeKind::Tip) => {
                let (junction, node) =
                    if from.kind == NodeKind::Junction { (branch.from, from) } else { (branch.to, to) };
                let best = &mut shortest[junction as usize];
                let is_shorter = best.is_none_or(|best| branch.length < network.branches()[best].length);
                if branch.length < limit(node.width) && is_shorter {
                    *best = Some(number);
                }
            }
            _ => {}
        }
    }
    for number in shortest.into_iter().flatten() {
        let path = network.path(number);
        let begins_at_tip = network.nodes()[network.branches()[number].from as usize].kind == NodeKind::Tip;
        let kept = if begins_at_tip { path.len() - 1 } else { 0 };
        removed.extend(path.iter().enumerate().filter(|&(place, _)| place != kept).map(|(_, cell)| cell));
    }
    removed
}
