//! Robustness of networks: every figure against its definition by brute force, and against networkx.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use mfn_sim::CancelToken;
use mfn_sim::graph::{
    Attack, GRAPH_MAX, Graph, GraphError, Network, NetworkConfig, RobustnessConfig, Share, betweenness, cuts,
    percolation,
};
use ndarray::Array2;
use proptest::prelude::*;

#[path = "robustness/networkx.rs"]
mod networkx;

use networkx::*;

/// A small graph as lists: nodes, and edges with whole lengths, so that sums are exact.
#[derive(Debug, Clone)]
struct Small {
    nodes: usize,
    edges: Vec<(u32, u32)>,
    lengths: Vec<f64>,
}

impl Small {
    fn graph(&self) -> Graph {
        Graph::new(self.nodes, &self.edges, &self.lengths).unwrap()
    }

    /// The nodes reached from each node that is left, as the number of the lowest.
    fn pieces(&self, lost_node: Option<u32>, lost_edge: Option<usize>) -> Vec<Option<usize>> {
        let mut piece: Vec<Option<usize>> =
            (0..self.nodes).map(|node| (lost_node != Some(node as u32)).then_some(node)).collect();
        for _ in 0..self.nodes {
            for (edge, &(from, to)) in self.edges.iter().enumerate() {
                if lost_edge == Some(edge) {
                    continue;
                }
                if let (Some(a), Some(b)) = (piece[from as usize], piece[to as usize]) {
                    piece[from as usize] = Some(a.min(b));
                    piece[to as usize] = Some(a.min(b));
                }
            }
        }
        piece
    }

    /// Nodes and length of each piece after a loss.
    fn shares(&self, lost_node: Option<u32>, lost_edge: Option<usize>) -> Vec<(usize, Share)> {
        let piece = self.pieces(lost_node, lost_edge);
        let mut shares: Vec<(usize, Share)> = Vec::new();
        for number in 0..self.nodes {
            let nodes = piece.iter().filter(|&&at| at == Some(number)).count() as u64;
            if nodes > 0 {
                let inside = |&(edge, &(from, to)): &(usize, &(u32, u32))| {
                    lost_edge != Some(edge)
                        && piece[from as usize] == Some(number)
                        && piece[to as usize] == Some(number)
                };
                let length =
                    self.edges.iter().enumerate().filter(inside).map(|(edge, _)| self.lengths[edge]).sum();
                shares.push((number, Share { nodes, cells: 0, length }));
            }
        }
        shares
    }

    /// What a loss cuts off from the component of `member`: pieces, and all but the largest. `None` when it stays
    /// whole.
    fn cut_off(
        &self,
        lost_node: Option<u32>,
        lost_edge: Option<usize>,
        member: u32,
    ) -> Option<(usize, Share)> {
        let before = self.pieces(None, None);
        let mut shares: Vec<Share> = self
            .shares(lost_node, lost_edge)
            .into_iter()
            .filter(|&(number, _)| before[number] == before[member as usize])
            .map(|(_, share)| share)
            .collect();
        shares.sort_by(|a, b| (b.length, b.nodes).partial_cmp(&(a.length, a.nodes)).unwrap());
        let off = shares.iter().skip(1).fold(Share::default(), |sum, share| Share {
            nodes: sum.nodes + share.nodes,
            cells: 0,
            length: sum.length + share.length,
        });
        (shares.len() >= 2).then_some((shares.len(), off))
    }

    /// Shortest distances and numbers of shortest paths between all pairs (Floyd, 1962).
    fn paths(&self) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let n = self.nodes;
        let mut distances = vec![vec![f64::INFINITY; n]; n];
        for (node, row) in distances.iter_mut().enumerate() {
            row[node] = 0.0;
        }
        // An edge from a node to itself is no way to anywhere.
        for (&(from, to), &length) in self.edges.iter().zip(&self.lengths).filter(|((a, b), _)| a != b) {
            let (from, to) = (from as usize, to as usize);
            distances[from][to] = distances[from][to].min(length);
            distances[to][from] = distances[from][to];
        }
        for by in 0..n {
            for from in 0..n {
                for to in 0..n {
                    let around = distances[from][by] + distances[by][to];
                    distances[from][to] = distances[from][to].min(around);
                }
            }
        }
        // Paths from nearer nodes are counted first.
        let mut counts = vec![vec![0.0; n]; n];
        for source in 0..n {
            let mut order: Vec<usize> = (0..n).filter(|&node| distances[source][node].is_finite()).collect();
            order.sort_by(|&a, &b| distances[source][a].total_cmp(&distances[source][b]));
            counts[source][source] = 1.0;
            for &node in order.iter().skip(1) {
                for (&(from, to), &length) in
                    self.edges.iter().zip(&self.lengths).filter(|((a, b), _)| a != b)
                {
                    for (before, after) in [(from as usize, to as usize), (to as usize, from as usize)] {
                        if after == node && distances[source][before] + length == distances[source][node] {
                            counts[source][node] += counts[source][before];
                        }
                    }
                }
            }
        }
        (distances, counts)
    }
}

fn graphs() -> impl Strategy<Value = Small> {
    (1usize..11).prop_flat_map(|nodes| {
        let edge = (0..nodes as u32, 0..nodes as u32, 1u8..4);
        proptest::collection::vec(edge, 0..18).prop_map(move |edges| Small {
            nodes,
            edges: edges.iter().map(|&(from, to, _)| (from, to)).collect(),
            lengths: edges.iter().map(|&(_, _, length)| f64::from(length)).collect(),
        })
    })
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * a.abs().max(1.0)
}

fn exact() -> RobustnessConfig {
    RobustnessConfig { recomputations_max: 1_000_000, ..RobustnessConfig::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Guards the numbers of components against spreading along the edges: two nodes share one exactly when one is
    /// reached from the other, and numbers go up with the first node.
    #[test]
    fn components_are_what_is_reached(small in graphs()) {
        let lowest = small.pieces(None, None);
        let mut firsts: Vec<usize> = lowest.iter().flatten().copied().collect();
        firsts.sort_unstable();
        firsts.dedup();
        let expected: Vec<u32> =
            lowest.iter().flatten().map(|first| firsts.binary_search(first).unwrap() as u32).collect();
        prop_assert_eq!(small.graph().components(), expected);
    }

    /// Guards articulation nodes and bridges, and what they cut off, against taking each node and edge away.
    #[test]
    fn cuts_are_those_of_the_definition(small in graphs()) {
        let found = cuts(&small.graph());
        let mut nodes = found.nodes.iter();
        for node in 0..small.nodes as u32 {
            if let Some((pieces, share)) = small.cut_off(Some(node), None, node).or_else(|| {
                // The component of a lost node is found by any neighbour.
                let other = small.edges.iter().find_map(|&(a, b)| match (a == node, b == node) {
                    (true, false) => Some(b),
                    (false, true) => Some(a),
                    _ => None,
                })?;
                small.cut_off(Some(node), None, other)
            }) {
                let cut = nodes.next().unwrap();
                prop_assert_eq!((cut.node, cut.pieces as usize, cut.cut_off.nodes), (node, pieces, share.nodes));
                prop_assert!(near(cut.cut_off.length, share.length));
            }
        }
        prop_assert!(nodes.next().is_none());
        let mut edges = found.edges.iter();
        for (edge, &(from, _)) in small.edges.iter().enumerate() {
            if let Some((_, share)) = small.cut_off(None, Some(edge), from) {
                let cut = edges.next().unwrap();
                prop_assert_eq!((cut.edge as usize, cut.cut_off.nodes), (edge, share.nodes));
                prop_assert!(near(cut.cut_off.length, share.length));
            }
        }
        prop_assert!(edges.next().is_none());
    }

    /// Guards betweenness and efficiency against counting the paths between all pairs, with parallel edges, edges
    /// from a node to itself, and equally short ways.
    #[test]
    fn betweenness_is_that_of_the_definition(small in graphs()) {
        let found = betweenness(&small.graph(), &exact(), &CancelToken::new()).unwrap();
        let (distances, counts) = small.paths();
        let n = small.nodes;
        let pairs = |others: usize| if n > others { (n * (n - 1)) as f64 / if others == 2 { n as f64 / (n - 2) as f64 } else { 1.0 } } else { f64::INFINITY };
        let finite = |s: usize, t: usize| s != t && distances[s][t].is_finite();
        for v in 0..n {
            let mut sum = 0.0;
            for s in (0..n).filter(|&s| s != v) {
                for t in (0..n).filter(|&t| t != v && finite(s, t)) {
                    if distances[s][v] + distances[v][t] == distances[s][t] {
                        sum += counts[s][v] * counts[v][t] / counts[s][t];
                    }
                }
            }
            prop_assert!(near(found.nodes[v], sum / pairs(2)), "node {}: {} {}", v, found.nodes[v], sum / pairs(2));
        }
        for (edge, &(a, b)) in small.edges.iter().enumerate() {
            let (a, b) = (a as usize, b as usize);
            let mut sum = 0.0;
            for s in 0..n {
                for t in (0..n).filter(|&t| finite(s, t)) {
                    let along = distances[s][a] + small.lengths[edge] + distances[b][t];
                    // Both ways along the edge: the pair (t, s) is met as well.
                    if a != b && along == distances[s][t] {
                        sum += 2.0 * counts[s][a] * counts[b][t] / counts[s][t];
                    }
                }
            }
            prop_assert!(near(found.edges[edge], sum / pairs(1)), "edge {}", edge);
        }
        let efficiency: f64 = (0..n)
            .flat_map(|s| (0..n).map(move |t| (s, t)))
            .filter(|&(s, t)| finite(s, t))
            .map(|(s, t)| 1.0 / distances[s][t])
            .sum();
        prop_assert!(near(found.efficiency, efficiency / pairs(1)));
    }

    /// Guards the backward computation of percolation and the adaptive orders against taking one node or edge away
    /// after the other and looking for the next by the definition.
    #[test]
    fn percolation_is_that_of_the_definition(small in graphs(), which in 2usize..Attack::ALL.len()) {
        let attack = Attack::ALL[which];
        let found = percolation(&small.graph(), attack, &exact(), &CancelToken::new()).unwrap();
        let fixed = betweenness(&small.graph(), &exact(), &CancelToken::new()).unwrap();
        let mut alive: Vec<bool> = vec![true; small.nodes];
        let mut left = small.clone();
        let count = if attack.takes_edges() { small.edges.len() } else { small.nodes };
        let mut edge_alive = vec![true; count];
        let mut curve = Vec::new();
        let mut others = Vec::new();
        for losses in 0..=count {
            let mut sizes: Vec<u64> = left
                .shares(None, None)
                .iter()
                .filter(|&&(number, share)| share.nodes > 1 || alive[number])
                .map(|(_, share)| share.nodes)
                .collect();
            sizes.sort_unstable();
            let largest = sizes.pop().unwrap_or(0);
            curve.push(largest as f64 / small.nodes as f64);
            others.push(sizes.iter().map(|size| size * size).sum::<u64>());
            if losses == count {
                break;
            }
            if attack.takes_edges() {
                let value = |edge: usize| if edge_alive[edge] { fixed.edges[edge] } else { -1.0 };
                let next = (0..count).rev().max_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap();
                edge_alive[next] = false;
                let kept = |edge: &usize| edge_alive[*edge];
                left.edges = (0..count).filter(kept).map(|edge| small.edges[edge]).collect();
                left.lengths = (0..count).filter(kept).map(|edge| small.lengths[edge]).collect();
                continue;
            }
            let now = betweenness(&left.graph(), &exact(), &CancelToken::new()).unwrap();
            let value = |node: usize| {
                let degree = |of: &Small| {
                    of.edges.iter().map(|&(a, b)| u32::from(a as usize == node) + u32::from(b as usize == node)).sum::<u32>()
                };
                match attack {
                    _ if !alive[node] => -1.0,
                    Attack::Degree => f64::from(degree(&small)),
                    Attack::DegreeAdaptive => f64::from(degree(&left)),
                    Attack::Betweenness => fixed.nodes[node],
                    _ => now.nodes[node],
                }
            };
            let next = (0..small.nodes).rev().max_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap();
            alive[next] = false;
            let kept: Vec<usize> = (0..left.edges.len())
                .filter(|&edge| left.edges[edge].0 as usize != next && left.edges[edge].1 as usize != next)
                .collect();
            left.lengths = kept.iter().map(|&edge| left.lengths[edge]).collect();
            left.edges = kept.iter().map(|&edge| left.edges[edge]).collect();
        }
        // Two orders that differ by the rounding of equal values are both right; the figures are then compared only
        // where ties are exact.
        if attack != Attack::BetweennessAdaptive {
            prop_assert_eq!(&found.largest, &curve);
            let peak = others.iter().position(|value| Some(value) == others.iter().max()).unwrap();
            prop_assert!(near(found.critical_fraction * count as f64, peak as f64));
        }
        let mean = |values: &[f64]| values.iter().skip(1).sum::<f64>() / (count as f64).max(1.0);
        prop_assert!(near(found.robustness, mean(&found.largest)));
    }
}

/// Guards the figures against an independent implementation: networkx's betweenness, articulation points, bridges
/// and mean inverse distance of two graphs of the literature.
#[test]
fn networkx_gives_the_same_figures() {
    let weights: Vec<f64> = FLORENTINE.iter().map(|(a, b)| f64::from(1 + (a * 7 + b * 3) % 5)).collect();
    let florentine = Graph::new(15, &FLORENTINE, &weights).unwrap();
    let karate = Graph::new(34, &KARATE, &[1.0; KARATE.len()]).unwrap();
    for (graph, nodes, edges, efficiency) in [
        (&florentine, &FLORENTINE_NODES[..], &FLORENTINE_EDGES[..], 0.157_199_527_829_779_94),
        (&karate, &KARATE_NODES[..], &KARATE_EDGES[..], 0.492_008_318_478_905_2),
    ] {
        let found = betweenness(graph, &RobustnessConfig::default(), &CancelToken::new()).unwrap();
        assert!(found.nodes.iter().zip(nodes).all(|(&a, &b)| near(a, b)), "{:?}", found.nodes);
        assert!(found.edges.iter().zip(edges).all(|(&a, &b)| near(a, b)), "{:?}", found.edges);
        assert!(near(found.efficiency, efficiency), "{}", found.efficiency);
        assert_eq!(found.sources, graph.node_count());
    }
    let places = |graph: &Graph| {
        let found = cuts(graph);
        let nodes: Vec<u32> = found.nodes.iter().map(|cut| cut.node).collect();
        let edges: Vec<u32> = found.edges.iter().map(|cut| cut.edge).collect();
        (nodes, edges)
    };
    assert_eq!(places(&florentine), (vec![1, 6, 8, 12], vec![0, 5, 15, 17, 19]));
    assert_eq!(places(&karate), (vec![0], vec![9]));
}

/// Guards random percolation: a line falls apart at once, a star when its centre goes; the mean over trials is
/// that of the definition; the seed decides, the number of threads does not.
#[test]
fn random_percolation_averages_seeded_trials() {
    let star: Vec<(u32, u32)> = (1..50).map(|node| (0, node)).collect();
    let star = Graph::new(50, &star, &[1.0; 49]).unwrap();
    let config = RobustnessConfig { trials: 4000, ..RobustnessConfig::default() };
    let run = |config: &RobustnessConfig| {
        percolation(&star, Attack::RandomNodes, config, &CancelToken::new()).unwrap()
    };
    let curve = run(&config);
    // After q of 50 losses the centre is there with probability 1 - q/50, and with it all that are left.
    for (losses, &value) in curve.largest.iter().enumerate().take(50) {
        let there = 1.0 - losses as f64 / 50.0;
        let expected = (there * (50.0 - losses as f64) + (1.0 - there)) / 50.0;
        assert!((value - expected).abs() < 0.02, "{losses}: {value} {expected}");
    }
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| run(&config)), curve);
    }
    assert_ne!(run(&RobustnessConfig { random_seed: 1, ..config }).largest, curve.largest);
    let attack =
        percolation(&star, Attack::Degree, &RobustnessConfig::default(), &CancelToken::new()).unwrap();
    assert!(near(attack.robustness, 49.0 / 2500.0));
    assert_eq!(attack.critical_fraction, 0.02);
}

/// Guards the sampled mode: with fewer sources the figures are near the exact ones, say how many sources they have,
/// and repeat.
#[test]
fn sampled_betweenness_is_near_the_exact_one() {
    let field = Array2::from_shape_fn((60, 60), |(row, col)| row % 6 == 3 || col % 6 == 3);
    let graph = Network::of_mask(field.view(), &NetworkConfig::default()).unwrap().graph();
    let run = |sources_max| {
        let config = RobustnessConfig { sources_max, ..RobustnessConfig::default() };
        betweenness(&graph, &config, &CancelToken::new()).unwrap()
    };
    let (exact, sampled) = (run(10_000), run(graph.node_count() as u64 / 2));
    assert_eq!((exact.sources, sampled.sources), (graph.node_count(), graph.node_count() / 2));
    let total = |values: &[f64]| values.iter().sum::<f64>();
    assert!((total(&sampled.nodes) / total(&exact.nodes) - 1.0).abs() < 0.05);
    assert!((sampled.efficiency / exact.efficiency - 1.0).abs() < 0.05);
    assert_eq!(run(graph.node_count() as u64 / 2), sampled);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| run(10_000)), exact);
    }
}

/// Guards long chains of choices, whose number of shortest paths no float holds, and deep graphs, which no
/// recursion survives.
#[test]
fn long_ladders_neither_overflow_nor_recurse() {
    let chain: Vec<(u32, u32)> = (0..1500).flat_map(|node| [(node, node + 1); 2]).collect();
    let graph = Graph::new(1501, &chain, &vec![1.0; chain.len()]).unwrap();
    let found = betweenness(
        &graph,
        &RobustnessConfig { sources_max: 1501, ..RobustnessConfig::default() },
        &CancelToken::new(),
    )
    .unwrap();
    assert!(near(found.nodes[750], 2.0 * 750.0 * 750.0 / (1500.0 * 1499.0)));
    assert!(near(found.edges[0], 0.5 * 2.0 * 1500.0 / (1501.0 * 1500.0)));
    assert!(cuts(&graph).edges.is_empty());
    let line: Vec<(u32, u32)> = (0..300_000).map(|node| (node, node + 1)).collect();
    let graph = Graph::new(300_001, &line, &vec![1.0; line.len()]).unwrap();
    let found = cuts(&graph);
    assert_eq!((found.nodes.len(), found.edges.len()), (299_999, 300_000));
    assert_eq!(found.nodes[100].cut_off, Share { nodes: 101, cells: 0, length: 100.0 });
}

/// Guards the cells in what is cut off: a network knows them, and nothing is counted twice.
#[test]
fn a_bridge_of_a_pattern_cuts_off_its_cells() {
    // Two squares of lines, 5 cells apart, joined by one line.
    let field = Array2::from_shape_fn((9, 30), |(row, col)| {
        let square = |left: usize| {
            (left..left + 9).contains(&col) && (row == 0 || row == 8 || col == left || col == left + 8)
        };
        square(0) || square(15) || row == 4 && (9..15).contains(&col)
    });
    let network = Network::of_mask(field.view(), &NetworkConfig::default()).unwrap();
    let found = cuts(&network.graph());
    // Without one junction the other square is still whole, and the first one is lost with its junction.
    assert_eq!((found.nodes.len(), found.edges.len()), (0, 1));
    let [bridge] = found.edges[..] else { panic!("{found:?}") };
    let skeleton = network.summary().skeleton_cells;
    let inside = u64::from(network.branches()[bridge.edge as usize].cells);
    assert_eq!(bridge.cut_off.cells * 2 + inside, skeleton);
    assert!(bridge.cut_off.length > 20.0);
}

/// Guards what must be refused or stopped, and graphs of nothing.
#[test]
fn wrong_graphs_are_refused_and_long_work_stops() {
    assert!(matches!(Graph::new(GRAPH_MAX + 1, &[], &[]), Err(GraphError::Size { .. })));
    assert!(matches!(Graph::new(2, &[(0, 1)], &[]), Err(GraphError::Lengths { .. })));
    assert!(matches!(Graph::new(2, &[(0, 2)], &[1.0]), Err(GraphError::Node { edge: 0, node: 2, nodes: 2 })));
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(
            matches!(Graph::new(2, &[(0, 1)], &[value]), Err(GraphError::Length { edge: 0, .. })),
            "{value}"
        );
    }
    let cancelled = CancelToken::new();
    cancelled.cancel();
    let pair = Graph::new(3, &[(0, 1), (1, 1)], &[1e-300, 1e300]).unwrap();
    assert_eq!(betweenness(&pair, &RobustnessConfig::default(), &cancelled), Err(GraphError::Cancelled));
    for nodes in 0..3 {
        let graph = Graph::new(nodes, &[], &[]).unwrap();
        assert_eq!(cuts(&graph), cuts(&Graph::new(0, &[], &[]).unwrap()));
        for attack in Attack::ALL {
            let found =
                percolation(&graph, attack, &RobustnessConfig::default(), &CancelToken::new()).unwrap();
            assert!(found.largest.iter().chain([&found.robustness]).all(|value| (0.0..=1.0).contains(value)));
        }
    }
    for attack in Attack::ALL {
        percolation(&pair, attack, &RobustnessConfig::default(), &CancelToken::new()).unwrap();
        for field in ["sources_max", "trials", "recomputations_max"] {
            let mut config = serde_json::to_value(RobustnessConfig::default()).unwrap();
            config[field] = 0.into();
            let config: RobustnessConfig = serde_json::from_value(config).unwrap();
            let refused = percolation(&pair, attack, &config, &CancelToken::new()).unwrap_err();
            assert!(refused.to_string().contains(field), "{refused}");
        }
    }
}
