//! Articulation nodes and bridges: the nodes and edges whose loss cuts something off, and how much.
//!
//! One depth-first walk with low points (Tarjan, 1972; Hopcroft and Tarjan, 1973), without recursion, in time
//! linear in the size of the graph but for a binary search among the children of a node.

use super::{Graph, Neighbour};

/// A part of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Share {
    /// Its nodes.
    pub nodes: u64,
    /// Its cells; 0 for a graph that was not made from a network.
    pub cells: u64,
    /// Length of its edges.
    pub length: f64,
}

/// What the loss of a node does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeCut {
    /// The node.
    pub node: u32,
    /// Pieces into which its component falls; at least 2.
    pub pieces: u32,
    /// All of these pieces but the largest. The node and the edges at it are lost and not counted.
    pub cut_off: Share,
}

/// What the loss of an edge does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EdgeCut {
    /// The edge.
    pub edge: u32,
    /// The smaller of the two pieces. The edge itself is lost and not counted.
    pub cut_off: Share,
}

/// The nodes and edges of a graph whose loss cuts something off. Of two pieces the larger is the one with
/// more length, then with more nodes. All other nodes and edges can be lost without a piece falling away.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cuts {
    /// The articulation nodes, ascending.
    pub nodes: Vec<NodeCut>,
    /// The bridges, ascending.
    pub edges: Vec<EdgeCut>,
}

impl Share {
    fn add(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.cells += other.cells;
        self.length += other.length;
    }

    fn without(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_sub(other.nodes),
            cells: self.cells.saturating_sub(other.cells),
            length: (self.length - other.length).max(0.0),
        }
    }

    fn is_larger_than(&self, other: &Self) -> bool {
        (self.length, self.nodes) > (other.length, other.nodes)
    }
}

/// No node, no number.
const NONE: u32 = u32::MAX;

/// The nodes and edges whose loss cuts something off, and what.
#[must_use]
pub fn cuts(graph: &Graph) -> Cuts {
    let walk = Walk::through(graph);
    let mut cuts = Cuts::default();
    for node in 0..graph.node_count() as u32 {
        let (pieces, largest, mut all) = walk.pieces_without(graph, node);
        if pieces >= 2 {
            all = all.without(largest);
            cuts.nodes.push(NodeCut { node, pieces, cut_off: all });
        }
        let edge = walk.parent_edge[node as usize];
        if edge != NONE && walk.low[node as usize] == walk.number[node as usize] {
            let edge_share = graph.edge_share(edge);
            let below = walk.below[node as usize].without(edge_share);
            let above = walk.whole(node).without(below).without(edge_share);
            let cut_off = if below.is_larger_than(&above) { above } else { below };
            cuts.edges.push(EdgeCut { edge, cut_off });
        }
    }
    cuts.edges.sort_unstable_by_key(|cut| cut.edge);
    cuts
}

impl Graph {
    fn edge_share(&self, edge: u32) -> Share {
        let edge = edge as usize;
        Share { nodes: 0, cells: self.edge_cells[edge].into(), length: self.lengths[edge] }
    }
}

/// A depth-first walk through every component.
struct Walk {
    /// The place of each node in the order of the walk.
    number: Vec<u32>,
    /// The node at each place.
    order: Vec<u32>,
    /// One past the place of the last node below each node.
    end: Vec<u32>,
    /// The lowest place that can be reached from below a node by one edge that is not part of the tree.
    low: Vec<u32>,
    parent_edge: Vec<u32>,
    parent: Vec<u32>,
    /// The node where the walk of each component began.
    start: Vec<u32>,
    /// Each node with all that is below it, and the edges whose lower end is there.
    below: Vec<Share>,
    /// The edges from each node to itself.
    own: Vec<Share>,
}

impl Walk {
    fn through(graph: &Graph) -> Self {
        let count = graph.node_count();
        let mut walk = Self {
            number: vec![NONE; count],
            order: Vec::with_capacity(count),
            end: vec![0; count],
            low: vec![NONE; count],
            parent_edge: vec![NONE; count],
            parent: vec![NONE; count],
            start: vec![NONE; count],
            below: vec![Share::default(); count],
            own: vec![Share::default(); count],
        };
        for (edge, &(from, to)) in graph.ends.iter().enumerate() {
            if from == to {
                walk.own[from as usize].add(graph.edge_share(edge as u32));
            }
        }
        for start in 0..count as u32 {
            if walk.number[start as usize] == NONE {
                walk.component(graph, start);
            }
        }
        walk
    }

    fn enter(&mut self, graph: &Graph, node: u32, start: u32) {
        let at = node as usize;
        self.number[at] = self.order.len() as u32;
        self.low[at] = self.number[at];
        self.start[at] = start;
        self.below[at] = Share { nodes: 1, cells: graph.node_cells[at].into(), length: 0.0 };
        let own = self.own[at];
        self.below[at].add(own);
        self.order.push(node);
    }

    fn component(&mut self, graph: &Graph, start: u32) {
        self.enter(graph, start, start);
        let mut stack = vec![(start, 0_usize)];
        while let Some((node, place)) = stack.last_mut() {
            let here = *node as usize;
            if let Some(&Neighbour { node: other, edge }) = graph.around(*node).get(*place) {
                *place += 1;
                if edge == self.parent_edge[here] {
                    continue;
                }
                let there = other as usize;
                if self.number[there] == NONE {
                    self.parent_edge[there] = edge;
                    self.parent[there] = here as u32;
                    self.enter(graph, other, start);
                    self.below[there].add(graph.edge_share(edge));
                    stack.push((other, 0));
                } else if self.number[there] < self.number[here] {
                    self.low[here] = self.low[here].min(self.number[there]);
                    self.below[here].add(graph.edge_share(edge));
                }
            } else {
                self.end[here] = self.order.len() as u32;
                stack.pop();
                if let Some(&(parent, _)) = stack.last() {
                    let parent = parent as usize;
                    self.low[parent] = self.low[parent].min(self.low[here]);
                    let below = self.below[here];
                    self.below[parent].add(below);
                }
            }
        }
    }

    /// The component of a node.
    fn whole(&self, node: u32) -> Share {
        self.below[self.start[node as usize] as usize]
    }

    /// What is left of the component of a node without it: the number of pieces, the largest, all together.
    fn pieces_without(&self, graph: &Graph, node: u32) -> (u32, Share, Share) {
        let at = node as usize;
        // Children whose part reaches no higher than the node, in order, with the edges from their part to it.
        let mut separate: Vec<(u32, Share)> = graph
            .around(node)
            .iter()
            .filter(|near| {
                self.parent_edge[near.node as usize] == near.edge && self.parent[near.node as usize] == node
            })
            .filter(|near| self.low[near.node as usize] >= self.number[at])
            .map(|near| (near.node, Share::default()))
            .collect();
        separate.sort_unstable_by_key(|(child, _)| self.number[*child as usize]);
        let mut incident = self.own[at];
        for near in graph.around(node) {
            let share = graph.edge_share(near.edge);
            incident.add(share);
            let number = self.number[near.node as usize];
            let above = separate.partition_point(|(child, _)| self.number[*child as usize] <= number);
            if let Some((child, to_node)) = above.checked_sub(1).and_then(|place| separate.get_mut(place))
                && number < self.end[*child as usize]
            {
                to_node.add(share);
            }
        }
        let itself = Share { nodes: 1, cells: graph.node_cells[at].into(), length: 0.0 };
        let all = self.whole(node).without(incident).without(itself);
        let mut rest = all;
        let (mut pieces, mut largest) = (0, Share::default());
        for (child, to_node) in separate {
            let piece = self.below[child as usize].without(to_node);
            rest = rest.without(piece);
            pieces += 1;
            if pieces == 1 || piece.is_larger_than(&largest) {
                largest = piece;
            }
        }
        if rest.nodes > 0 {
            pieces += 1;
            if pieces == 1 || rest.is_larger_than(&largest) {
                largest = rest;
            }
        }
        (pieces, largest, all)
    }
}
