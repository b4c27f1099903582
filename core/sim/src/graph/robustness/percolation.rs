//! Percolation: how a network falls apart when its nodes or edges are lost one after the other.
//!
//! The curve of the largest component against the fraction lost is found backwards: the last to be lost is put
//! back first, and components only ever join (Newman and Ziff, 2001), which costs hardly more than looking at every
//! edge once.

use super::{Graph, betweenness, order};
use crate::CancelToken;
use crate::graph::forest::Forest;
use crate::graph::{GraphError, RobustnessConfig};
use crate::parallel::map_chunks;

/// Trials are shared out to so many blocks, whose sums are added up in order.
const BLOCKS: usize = 8;

/// In which order nodes or edges are lost. Ties go to the lowest number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attack {
    /// Nodes at random; the mean of [`RobustnessConfig::trials`] trials.
    RandomNodes,
    /// Edges at random; the mean of the trials.
    RandomEdges,
    /// Nodes by their degree in the whole graph.
    Degree,
    /// Nodes by their degree among the nodes that are left.
    DegreeAdaptive,
    /// Nodes by their betweenness in the whole graph.
    Betweenness,
    /// Nodes by their betweenness among the nodes that are left, in batches; see
    /// [`RobustnessConfig::recomputations_max`].
    BetweennessAdaptive,
    /// Edges by their betweenness in the whole graph.
    EdgeBetweenness,
}

impl Attack {
    /// Every attack.
    pub const ALL: [Self; 7] = [
        Self::RandomNodes,
        Self::RandomEdges,
        Self::Degree,
        Self::DegreeAdaptive,
        Self::Betweenness,
        Self::BetweennessAdaptive,
        Self::EdgeBetweenness,
    ];

    /// The name in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RandomNodes => "random-nodes",
            Self::RandomEdges => "random-edges",
            Self::Degree => "degree",
            Self::DegreeAdaptive => "degree-adaptive",
            Self::Betweenness => "betweenness",
            Self::BetweennessAdaptive => "betweenness-adaptive",
            Self::EdgeBetweenness => "edge-betweenness",
        }
    }

    /// Whether edges are lost and not nodes.
    #[must_use]
    pub fn takes_edges(self) -> bool {
        matches!(self, Self::RandomEdges | Self::EdgeBetweenness)
    }
}

/// How a graph falls apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Percolation {
    /// The order of losses.
    pub attack: Attack,
    /// Nodes of the largest component as a fraction of all nodes, after 0, 1, 2, ... losses; one more than there
    /// are nodes or edges to lose.
    pub largest: Vec<f64>,
    /// The index R of Schneider et al. (2011): the mean of `largest` after 1, 2, ... losses. For losses of
    /// nodes between 0 and 1/2; 0 without anything to lose.
    pub robustness: f64,
    /// The fraction lost at which the components other than the largest are largest: where the sum of the squares of
    /// their sizes has its (first) maximum (Stauffer and Aharony, 1994).
    pub critical_fraction: f64,
    /// Trials averaged; 1 for an attack in a fixed order.
    pub trials: u64,
    /// Sources of shortest paths in each computation of betweenness; 0 when none was needed.
    pub sources: usize,
    /// How often betweenness was computed.
    pub recomputations: u64,
}

/// Takes nodes or edges away until none is left.
///
/// # Errors
/// [`GraphError::Config`], or [`GraphError::Cancelled`] between two trials or searches.
pub fn percolation(
    graph: &Graph,
    attack: Attack,
    config: &RobustnessConfig,
    cancel: &CancelToken,
) -> Result<Percolation, GraphError> {
    config.validate()?;
    let count = if attack.takes_edges() { graph.edge_count() } else { graph.node_count() };
    let fixed = |order: Vec<u32>| {
        let mut curve = Curve::new(count);
        curve.add_trial(graph, attack, &order);
        curve
    };
    let all_sources = graph.node_count().min(usize::try_from(config.sources_max).unwrap_or(usize::MAX));
    let (curve, trials, sources, recomputations) = match attack {
        Attack::RandomNodes | Attack::RandomEdges => {
            (random(graph, attack, config, count, cancel)?, config.trials, 0, 0)
        }
        Attack::Degree => (fixed(order::by_degree(graph)), 1, 0, 0),
        Attack::DegreeAdaptive => (fixed(order::by_degree_adaptive(graph)), 1, 0, 0),
        Attack::Betweenness | Attack::EdgeBetweenness => {
            let central = betweenness(graph, config, cancel)?;
            let values = if attack.takes_edges() { &central.edges } else { &central.nodes };
            (fixed(order::descending(values)), 1, central.sources, 1)
        }
        Attack::BetweennessAdaptive => {
            let (order, recomputations) = order::by_betweenness_adaptive(graph, config, cancel)?;
            (fixed(order), 1, all_sources, recomputations)
        }
    };
    Ok(curve.finish(graph, attack, trials, sources, recomputations))
}

/// The sums over all trials of random losses.
fn random(
    graph: &Graph,
    attack: Attack,
    config: &RobustnessConfig,
    count: usize,
    cancel: &CancelToken,
) -> Result<Curve, GraphError> {
    let trials: Vec<u64> = (0..config.trials).collect();
    let blocks = map_chunks(&trials, trials.len().div_ceil(BLOCKS), &|trials| {
        let mut curve = Curve::new(count);
        for &trial in trials {
            if cancel.is_cancelled() {
                return Err(GraphError::Cancelled);
            }
            curve.add_trial(graph, attack, &order::random(count, config.random_seed, trial));
        }
        Ok(curve)
    });
    let mut total = Curve::new(count);
    for block in blocks {
        total.add(&block?);
    }
    Ok(total)
}

/// Sums over trials, by the number of losses.
struct Curve {
    /// Nodes of the largest component.
    largest: Vec<u64>,
    /// Squares of the sizes of the other components.
    others: Vec<f64>,
}

impl Curve {
    fn new(count: usize) -> Self {
        Self { largest: vec![0; count + 1], others: vec![0.0; count + 1] }
    }

    fn add(&mut self, other: &Self) {
        self.largest.iter_mut().zip(&other.largest).for_each(|(sum, part)| *sum += part);
        self.others.iter_mut().zip(&other.others).for_each(|(sum, part)| *sum += part);
    }

    /// Puts back what was lost in `order`, the last first.
    fn add_trial(&mut self, graph: &Graph, attack: Attack, order: &[u32]) {
        let mut sizes = Sizes::new(graph.node_count());
        let mut is_there = vec![attack.takes_edges(); graph.node_count()];
        if attack.takes_edges() {
            (0..graph.node_count()).for_each(|_| sizes.put_alone());
        }
        self.note(order.len(), &sizes);
        for (losses, &part) in order.iter().enumerate().rev() {
            if attack.takes_edges() {
                let (from, to) = graph.ends[part as usize];
                sizes.join(from, to);
            } else {
                sizes.put_alone();
                is_there[part as usize] = true;
                for near in graph.around(part).iter().filter(|near| is_there[near.node as usize]) {
                    sizes.join(part, near.node);
                }
            }
            self.note(losses, &sizes);
        }
    }

    fn note(&mut self, losses: usize, sizes: &Sizes) {
        let largest = sizes.largest as f64;
        self.largest[losses] += sizes.largest;
        self.others[losses] += sizes.squares - largest * largest;
    }

    fn finish(
        self,
        graph: &Graph,
        attack: Attack,
        trials: u64,
        sources: usize,
        recomputations: u64,
    ) -> Percolation {
        let count = self.largest.len() - 1;
        let whole = (graph.node_count() as f64 * trials as f64).max(1.0);
        let largest: Vec<f64> = self.largest.iter().map(|&sum| sum as f64 / whole).collect();
        let mut peak = 0;
        for (losses, &others) in self.others.iter().enumerate() {
            if others > self.others[peak] {
                peak = losses;
            }
        }
        let per_loss = |total: f64| if count > 0 { total / count as f64 } else { 0.0 };
        Percolation {
            attack,
            robustness: per_loss(largest.iter().skip(1).sum()),
            critical_fraction: per_loss(peak as f64),
            largest,
            trials,
            sources,
            recomputations,
        }
    }
}

/// The sizes of the components while nodes are put back.
struct Sizes {
    forest: Forest,
    largest: u64,
    /// Sum of the squares of all sizes.
    squares: f64,
}

impl Sizes {
    fn new(nodes: usize) -> Self {
        Self { forest: Forest::new(nodes), largest: 0, squares: 0.0 }
    }

    fn put_alone(&mut self) {
        self.largest = self.largest.max(1);
        self.squares += 1.0;
    }

    fn join(&mut self, left: u32, right: u32) {
        if let Some((left, right)) = self.forest.unite(left, right) {
            self.largest = self.largest.max(u64::from(left) + u64::from(right));
            self.squares += 2.0 * f64::from(left) * f64::from(right);
        }
    }
}
