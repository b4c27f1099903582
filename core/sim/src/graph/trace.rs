//! From cells to a network: nodes where lines meet or end, branches along the lines between them.
//!
//! Cells with two links are the inside of branches; all others are nodes. Neighbouring junction cells make up one
//! node. The result has exactly the loops of the skeleton: a link that closes a ring inside a junction becomes a
//! branch from the node to itself.

use super::cells::CellGraph;
use super::forest::Forest;
use super::grid::Grid;
use super::network::{Branch, Network, Node, NodeKind};

/// No node.
const NONE: u32 = u32::MAX;

/// The network of a skeleton, given the squared distances of the pattern that it was made from.
pub(super) fn trace(grid: &Grid, graph: &CellGraph, squared: &[u32]) -> Network {
    let mut tracer = Tracer::new(grid, graph, squared);
    tracer.gather_nodes();
    tracer.walk_branches();
    tracer.walk_rings();
    tracer.finish()
}

/// Distances along a line: steps over edges and over corners, counted apart so that equal lines have equal lengths.
#[derive(Default, Clone, Copy)]
struct Steps {
    straight: u32,
    diagonal: u32,
}

impl Steps {
    fn add(&mut self, direction: usize) {
        if direction.is_multiple_of(2) { self.straight += 1 } else { self.diagonal += 1 }
    }

    fn length(self) -> f64 {
        f64::from(self.straight) + f64::from(self.diagonal) * std::f64::consts::SQRT_2
    }
}

struct Tracer<'a> {
    grid: &'a Grid,
    graph: &'a CellGraph,
    squared: &'a [u32],
    /// The node of each cell, by index of the cell.
    node_of: Vec<u32>,
    is_walked: Vec<bool>,
    /// Links between junction cells that close a ring inside a node; ascending pairs in order.
    closing: Vec<(usize, usize)>,
    node_count: u32,
    rings: Vec<usize>,
    branches: Vec<Branch>,
    paths: Vec<u32>,
    path_starts: Vec<usize>,
}

impl<'a> Tracer<'a> {
    fn new(grid: &'a Grid, graph: &'a CellGraph, squared: &'a [u32]) -> Self {
        Self {
            grid,
            graph,
            squared,
            node_of: vec![NONE; graph.len()],
            is_walked: vec![false; graph.len()],
            closing: Vec::new(),
            node_count: 0,
            rings: Vec::new(),
            branches: Vec::new(),
            paths: Vec::new(),
            path_starts: vec![0],
        }
    }

    /// Numbers the nodes by their first cell.
    fn gather_nodes(&mut self) {
        let is_junction = |index: usize| self.graph.degree(index) >= 3;
        let mut forest = Forest::new(self.graph.len());
        for index in (0..self.graph.len()).filter(|&index| is_junction(index)) {
            for (_, other) in
                self.graph.linked(index).filter(|&(_, other)| other > index && is_junction(other))
            {
                if forest.unite(index as u32, other as u32).is_none() {
                    self.closing.push((index, other));
                }
            }
        }
        let mut node_of_root = vec![NONE; self.graph.len()];
        for index in (0..self.graph.len()).filter(|&index| self.graph.degree(index) != 2) {
            let node = &mut node_of_root[forest.root(index as u32) as usize];
            if *node == NONE {
                *node = self.node_count;
                self.node_count += 1;
            }
            self.node_of[index] = *node;
        }
        self.closing.sort_unstable();
    }

    fn walk_branches(&mut self) {
        let graph = self.graph;
        for index in (0..graph.len()).filter(|&index| graph.degree(index) != 2) {
            for (direction, other) in graph.linked(index) {
                if self.node_of[other] == NONE {
                    if !self.is_walked[other] {
                        self.walk(index, direction, other);
                    }
                } else if index < other && self.is_branch(index, other) {
                    let mut steps = Steps::default();
                    steps.add(direction);
                    self.finish_branch(steps, &[index, other]);
                }
            }
        }
    }

    /// Whether a link between two cells of nodes is a branch and not the inside of a node.
    fn is_branch(&self, index: usize, other: usize) -> bool {
        let inside = self.graph.degree(index) >= 3 && self.graph.degree(other) >= 3;
        !inside || self.closing.binary_search(&(index, other)).is_ok()
    }

    /// Follows a line from a node to the next.
    fn walk(&mut self, start: usize, direction: usize, first: usize) {
        let mut steps = Steps::default();
        let mut path = vec![start];
        let (mut before, mut here, mut direction) = (start, first, direction);
        loop {
            steps.add(direction);
            path.push(here);
            if self.node_of[here] != NONE {
                break;
            }
            self.is_walked[here] = true;
            let Some((onward, next)) = self.graph.linked(here).find(|&(_, next)| next != before) else {
                break;
            };
            (before, here, direction) = (here, next, onward);
        }
        self.finish_branch(steps, &path);
    }

    /// Lines that meet no node: each gets one at its first cell.
    fn walk_rings(&mut self) {
        for index in 0..self.graph.len() {
            if self.node_of[index] == NONE && !self.is_walked[index] {
                self.node_of[index] = self.node_count;
                self.node_count += 1;
                self.rings.push(index);
                if let Some((direction, first)) = self.graph.linked(index).next() {
                    self.walk(index, direction, first);
                }
            }
        }
    }

    fn width(&self, index: usize) -> f64 {
        2.0 * f64::from(self.squared[self.graph.cells[index] as usize]).sqrt() - 1.0
    }

    fn finish_branch(&mut self, steps: Steps, path: &[usize]) {
        let (Some(&first), Some(&last)) = (path.first(), path.last()) else { return };
        let (mut sum, mut least) = (0.0, f64::INFINITY);
        for &index in path {
            sum += self.width(index);
            least = least.min(self.width(index));
        }
        self.branches.push(Branch {
            from: self.node_of[first],
            to: self.node_of[last],
            cells: path.len() as u32 - 2,
            length: steps.length(),
            // Rounding can bring the mean of equal widths below them.
            mean_width: (sum / path.len() as f64).max(least),
            min_width: least,
        });
        self.paths.extend(path.iter().map(|&index| self.graph.cells[index]));
        self.path_starts.push(self.paths.len());
    }

    fn finish(self) -> Network {
        let count = self.node_count as usize;
        let mut members: Vec<(u32, usize)> = (0..self.graph.len())
            .filter(|&index| self.node_of[index] != NONE)
            .map(|index| (self.node_of[index], index))
            .collect();
        members.sort_unstable();
        let mut nodes = Vec::with_capacity(count);
        let mut node_starts = vec![0];
        for group in members.chunk_by(|left, right| left.0 == right.0) {
            nodes.push(self.node(group));
            node_starts.push(node_starts.last().unwrap_or(&0) + group.len());
        }
        let mut forest = Forest::new(count);
        for branch in &self.branches {
            forest.unite(branch.from, branch.to);
            nodes[branch.from as usize].degree += 1;
            nodes[branch.to as usize].degree += 1;
        }
        let mut component_of_root = vec![NONE; count];
        let mut components = 0;
        for (number, node) in nodes.iter_mut().enumerate() {
            let component = &mut component_of_root[forest.root(number as u32) as usize];
            if *component == NONE {
                *component = components;
                components += 1;
            }
            node.component = *component;
            node.kind = match node.degree {
                0 => NodeKind::Isolated,
                1 => NodeKind::Tip,
                2 => NodeKind::Ring,
                _ => NodeKind::Junction,
            };
        }
        Network {
            grid: *self.grid,
            nodes,
            branches: self.branches,
            components: components as usize,
            node_cells: members.into_iter().map(|(_, index)| self.graph.cells[index]).collect(),
            node_starts,
            paths: self.paths,
            path_starts: self.path_starts,
            pattern_cells: 0,
            skeleton_cells: self.graph.len(),
        }
    }

    /// A node at the middle of its cells; degree, component and kind are set later.
    fn node(&self, group: &[(u32, usize)]) -> Node {
        let cell = |member: &(u32, usize)| self.graph.cells[member.1];
        let first = group.first().map_or(0, cell);
        let (mut down, mut right, mut width) = (0.0, 0.0, 0.0_f64);
        for member in group {
            let offset = self.grid.offset(first, cell(member));
            down += offset.0;
            right += offset.1;
            width = width.max(self.width(member.1));
        }
        let (row, col) = self.grid.place(first);
        let count = group.len() as f64;
        Node {
            kind: NodeKind::Isolated,
            // On a torus the middle may lie before the first row or column.
            row: (row as f64 + down / count).rem_euclid(self.grid.rows as f64),
            col: (col as f64 + right / count).rem_euclid(self.grid.cols as f64),
            degree: 0,
            component: 0,
            cells: group.len() as u32,
            width,
        }
    }
}
