//! Betweenness: the share of all shortest paths that run through a node or an edge.
//!
//! Freeman's (1977) measure by Brandes' (2001) accumulation: one search from every source (Dijkstra, 1959, since edges have
//! lengths), then a walk back in which each node hands on what depends on it. A graph with more nodes than
//! [`RobustnessConfig::sources_max`] is sampled (Brandes and Pich, 2007). The same searches give the global
//! efficiency (Latora and Marchiori, 2001).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Graph;
use super::count::Count;
use crate::CancelToken;
use crate::graph::{GraphError, RobustnessConfig};
use crate::parallel::map_chunks;
use crate::rng::Generator;

/// Two paths whose lengths differ by less than this, relatively, are equally short: sums of the same steps in another
/// order differ by roundings.
const TIE: f64 = 1e-9;
/// The sources are shared out to so many blocks, whose sums are added up in order, so that the number of threads
/// does not show. Each block keeps one number for every node and edge.
const BLOCKS: usize = 8;

/// How much of the traffic along shortest paths runs through each node and edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Betweenness {
    /// For each node: the mean fraction of the shortest paths between two other nodes that run through it, over all
    /// pairs of others, connected or not. In [0, 1].
    pub nodes: Vec<f64>,
    /// For each edge: the mean fraction of the shortest paths between two nodes that run along it, over all
    /// pairs. In [0, 1].
    pub edges: Vec<f64>,
    /// Mean of 1 / length of the shortest path over all pairs of nodes; 0 for pairs without a path. 1/cell in a
    /// network.
    pub efficiency: f64,
    /// Sources that were searched from. With fewer than there are nodes all figures are estimates.
    pub sources: usize,
}

/// The betweenness of every node and edge and the global efficiency.
///
/// Time: a search, (edges + nodes) log nodes, from each source. Memory: 8 numbers for every node and edge.
///
/// # Errors
/// [`GraphError::Config`], or [`GraphError::Cancelled`] between two sources.
pub fn betweenness(
    graph: &Graph,
    config: &RobustnessConfig,
    cancel: &CancelToken,
) -> Result<Betweenness, GraphError> {
    config.validate()?;
    let alive = vec![true; graph.node_count()];
    among(graph, &alive, config, cancel)
}

/// The betweenness of the graph of the nodes that are `alive`; the others have 0.
pub(super) fn among(
    graph: &Graph,
    alive: &[bool],
    config: &RobustnessConfig,
    cancel: &CancelToken,
) -> Result<Betweenness, GraphError> {
    let candidates: Vec<u32> = (0..graph.node_count() as u32).filter(|&node| alive[node as usize]).collect();
    let sources = sources_of(&candidates, config);
    let blocks = map_chunks(&sources, sources.len().div_ceil(BLOCKS), &|sources| {
        let mut block = Block::new(graph);
        let mut search = Search::new(graph, alive);
        for &source in sources {
            if cancel.is_cancelled() {
                return Err(GraphError::Cancelled);
            }
            search.from(source);
            search.hand_back(&mut block);
        }
        Ok(block)
    });
    let mut total = Block::new(graph);
    for block in blocks {
        total.add(&block?);
    }
    let count = candidates.len() as f64;
    // Of the paths from some sources to those from all, and to the mean over ordered pairs.
    let scale = count / sources.len().max(1) as f64;
    let per = |total: f64, pairs: f64| if pairs > 0.0 { total * scale / pairs } else { 0.0 };
    Ok(Betweenness {
        nodes: total.nodes.iter().map(|&sum| per(sum, (count - 1.0) * (count - 2.0))).collect(),
        edges: total.edges.iter().map(|&sum| per(sum, count * (count - 1.0))).collect(),
        efficiency: per(total.efficiency, count * (count - 1.0)),
        sources: sources.len(),
    })
}

/// All candidates, or as many as are allowed, drawn by the seed; ascending.
fn sources_of(candidates: &[u32], config: &RobustnessConfig) -> Vec<u32> {
    let allowed = usize::try_from(config.sources_max).unwrap_or(usize::MAX);
    if candidates.len() <= allowed {
        return candidates.to_vec();
    }
    let drawn =
        Generator::new(config.random_seed).choice_without_replacement(candidates.len() as u64, allowed);
    let mut sources: Vec<u32> =
        drawn.unwrap_or_default().into_iter().map(|place| candidates[place as usize]).collect();
    sources.sort_unstable();
    sources
}

/// Sums over some sources.
struct Block {
    nodes: Vec<f64>,
    edges: Vec<f64>,
    efficiency: f64,
}

impl Block {
    fn new(graph: &Graph) -> Self {
        Self { nodes: vec![0.0; graph.node_count()], edges: vec![0.0; graph.edge_count()], efficiency: 0.0 }
    }

    fn add(&mut self, other: &Self) {
        self.nodes.iter_mut().zip(&other.nodes).for_each(|(sum, part)| *sum += part);
        self.edges.iter_mut().zip(&other.edges).for_each(|(sum, part)| *sum += part);
        self.efficiency += other.efficiency;
    }
}

/// A distance in the queue: not negative and finite, so that the order of bits is the order of numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Reached {
    distance_bits: u64,
    node: u32,
}

/// Has no place in the order yet.
const UNSETTLED: u32 = u32::MAX;

/// The shortest paths from one source, with room that is used again for the next.
struct Search<'a> {
    graph: &'a Graph,
    alive: &'a [bool],
    distances: Vec<f64>,
    /// Shortest paths to each node.
    counts: Vec<Count>,
    /// Nodes by distance, and the place of each in this order.
    order: Vec<u32>,
    places: Vec<u32>,
    queue: BinaryHeap<Reverse<Reached>>,
    dependencies: Vec<f64>,
}

impl<'a> Search<'a> {
    fn new(graph: &'a Graph, alive: &'a [bool]) -> Self {
        let count = graph.node_count();
        Self {
            graph,
            alive,
            distances: vec![f64::INFINITY; count],
            counts: vec![Count::ZERO; count],
            order: Vec::with_capacity(count),
            places: vec![UNSETTLED; count],
            queue: BinaryHeap::new(),
            dependencies: vec![0.0; count],
        }
    }

    fn from(&mut self, source: u32) {
        for &node in &self.order {
            self.distances[node as usize] = f64::INFINITY;
            self.counts[node as usize] = Count::ZERO;
            self.places[node as usize] = UNSETTLED;
            self.dependencies[node as usize] = 0.0;
        }
        self.order.clear();
        self.distances[source as usize] = 0.0;
        self.queue.push(Reverse(Reached { distance_bits: 0, node: source }));
        while let Some(Reverse(Reached { node, .. })) = self.queue.pop() {
            let here = node as usize;
            if self.places[here] != UNSETTLED {
                continue;
            }
            self.settle(node, source);
            let distance = self.distances[here];
            for near in self.graph.around(node) {
                let there = near.node as usize;
                let reached = distance + self.graph.lengths[near.edge as usize];
                if self.alive[there] && self.places[there] == UNSETTLED && reached < self.distances[there] {
                    self.distances[there] = reached;
                    self.queue.push(Reverse(Reached { distance_bits: reached.to_bits(), node: near.node }));
                }
            }
        }
    }

    /// Gives a node its place and counts the shortest paths to it, all of whose last steps have theirs.
    fn settle(&mut self, node: u32, source: u32) {
        let here = node as usize;
        self.places[here] = self.order.len() as u32;
        self.order.push(node);
        let mut count = if node == source { Count::ONE } else { Count::ZERO };
        for near in self.graph.around(node) {
            if self.is_last_step(near.node, near.edge, node) {
                count.add(self.counts[near.node as usize]);
            }
        }
        self.counts[here] = count;
    }

    /// Whether a shortest path to `node` comes along `edge` from `before`.
    fn is_last_step(&self, before: u32, edge: u32, node: u32) -> bool {
        let (before, here) = (before as usize, node as usize);
        if self.places[before] >= self.places[here] {
            return false;
        }
        let reached = self.distances[before] + self.graph.lengths[edge as usize];
        (reached - self.distances[here]).abs() <= TIE * self.distances[here]
    }

    /// Walks back from the farthest node and adds what each node and edge carries.
    fn hand_back(&mut self, block: &mut Block) {
        for place in (0..self.order.len()).rev() {
            let node = self.order[place];
            let here = node as usize;
            let carried = 1.0 + self.dependencies[here];
            for near in self.graph.around(node) {
                if self.is_last_step(near.node, near.edge, node) {
                    let share = self.counts[near.node as usize].fraction_of(self.counts[here]) * carried;
                    self.dependencies[near.node as usize] += share;
                    block.edges[near.edge as usize] += share;
                }
            }
            if place > 0 {
                block.nodes[here] += self.dependencies[here];
                block.efficiency += 1.0 / self.distances[here];
            }
        }
    }
}
