//! Orders of removal: which node or edge goes first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Graph;
use super::betweenness;
use crate::CancelToken;
use crate::graph::{GraphError, RobustnessConfig};
use crate::rng::Generator;

/// All numbers below `count` in random order. Each trial has a stream of its own.
pub(super) fn random(count: usize, seed: u64, trial: u64) -> Vec<u32> {
    // Weyl's sequence of the golden ratio keeps the seeds of trials and of neighbouring seeds apart.
    let mut generator = Generator::new(seed.wrapping_add(trial.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let mut order: Vec<u32> = (0..count as u32).collect();
    for place in (1..count).rev() {
        let other = generator.integer_below(place as u64 + 1) as usize;
        order.swap(place, other);
    }
    order
}

/// The largest value first; of equal ones the lowest number.
pub(super) fn descending(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_by(|&left, &right| values[right as usize].total_cmp(&values[left as usize]));
    order
}

/// The highest degree first.
pub(super) fn by_degree(graph: &Graph) -> Vec<u32> {
    descending(&graph.degrees().iter().map(|&degree| f64::from(degree)).collect::<Vec<_>>())
}

/// The highest degree first, counting only edges between nodes that are left. Time: edges log edges.
pub(super) fn by_degree_adaptive(graph: &Graph) -> Vec<u32> {
    let mut degrees = graph.degrees().to_vec();
    let mut queue: BinaryHeap<(u32, Reverse<u32>)> =
        degrees.iter().enumerate().map(|(node, &degree)| (degree, Reverse(node as u32))).collect();
    let mut is_gone = vec![false; graph.node_count()];
    let mut order = Vec::with_capacity(graph.node_count());
    while let Some((degree, Reverse(node))) = queue.pop() {
        // An entry from before the node lost a neighbour.
        if is_gone[node as usize] || degree != degrees[node as usize] {
            continue;
        }
        is_gone[node as usize] = true;
        order.push(node);
        for near in graph.around(node).iter().filter(|near| !is_gone[near.node as usize]) {
            degrees[near.node as usize] -= 1;
            queue.push((degrees[near.node as usize], Reverse(near.node)));
        }
    }
    order
}

/// The highest betweenness first, worked out anew after each batch. Returns how often it was.
pub(super) fn by_betweenness_adaptive(
    graph: &Graph,
    config: &RobustnessConfig,
    cancel: &CancelToken,
) -> Result<(Vec<u32>, u64), GraphError> {
    let count = graph.node_count();
    let rounds = usize::try_from(config.recomputations_max).unwrap_or(usize::MAX).max(1);
    let batch = count.div_ceil(rounds).max(1);
    let mut alive = vec![true; count];
    let mut order = Vec::with_capacity(count);
    let mut recomputations = 0;
    while order.len() < count {
        let central = betweenness::among(graph, &alive, config, cancel)?;
        recomputations += 1;
        let next = descending(&central.nodes).into_iter().filter(|&node| alive[node as usize]);
        // Where no path runs through any node the order does not matter any more.
        let is_over = central.nodes.iter().all(|&value| value == 0.0);
        let taken: Vec<u32> = if is_over { next.collect() } else { next.take(batch).collect() };
        for &node in &taken {
            alive[node as usize] = false;
        }
        order.extend(taken);
    }
    Ok((order, recomputations))
}
