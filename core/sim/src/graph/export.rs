//! Networks as text that other programs read: GraphML, and a document for JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::network::{Branch, Network, NetworkSummary, Node};

/// A network as plain data, to be written as JSON: nodes and branches carry their numbers by their place in the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkDocument<'a> {
    /// Rows of the grid.
    pub rows: usize,
    /// Columns of the grid.
    pub cols: usize,
    /// Whether the upper and lower edge of the grid touch.
    pub wraps_rows: bool,
    /// Whether the left and right edge of the grid touch.
    pub wraps_cols: bool,
    /// The figures of the whole.
    pub summary: NetworkSummary,
    /// The nodes, by number.
    pub nodes: &'a [Node],
    /// The branches, by number.
    pub branches: &'a [Branch],
    /// The cells along each branch, as row * cols + column.
    pub paths: Vec<&'a [u32]>,
}

impl Network {
    /// The whole network as plain data.
    #[must_use]
    pub fn document(&self) -> NetworkDocument<'_> {
        NetworkDocument {
            rows: self.grid.rows,
            cols: self.grid.cols,
            wraps_rows: self.grid.wrap_rows,
            wraps_cols: self.grid.wrap_cols,
            summary: self.summary(),
            nodes: &self.nodes,
            branches: &self.branches,
            paths: (0..self.branches.len()).map(|branch| self.path(branch)).collect(),
        }
    }
}

/// The data of a node or branch: name, type in GraphML.
const NODE_KEYS: [(&str, &str); 7] = [
    ("kind", "string"),
    ("row", "double"),
    ("col", "double"),
    ("degree", "long"),
    ("component", "long"),
    ("cells", "long"),
    ("width", "double"),
];
const EDGE_KEYS: [(&str, &str); 4] =
    [("length", "double"), ("mean_width", "double"), ("min_width", "double"), ("cells", "long")];

/// The network as a GraphML document (Brandes et al., 2002), as networkx, igraph, Gephi and Cytoscape read it. Node `n7` is
/// node 7, edge `e3` branch 3. Numbers are written so that reading them gives the same bits.
#[must_use]
pub fn graphml(network: &Network) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
    );
    for (target, keys) in [("node", &NODE_KEYS[..]), ("edge", &EDGE_KEYS[..])] {
        for (name, kind) in keys {
            push(
                &mut text,
                format_args!(
                    "  <key id=\"{target}_{name}\" for=\"{target}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>\n"
                ),
            );
        }
    }
    text.push_str("  <graph id=\"network\" edgedefault=\"undirected\">\n");
    for (number, node) in network.nodes().iter().enumerate() {
        push(&mut text, format_args!("    <node id=\"n{number}\">"));
        let values: [&dyn std::fmt::Display; 7] = [
            &node.kind.name(),
            &node.row,
            &node.col,
            &node.degree,
            &node.component,
            &node.cells,
            &node.width,
        ];
        data(&mut text, "node", &NODE_KEYS, &values);
        text.push_str("</node>\n");
    }
    for (number, branch) in network.branches().iter().enumerate() {
        let Branch { from, to, .. } = branch;
        push(&mut text, format_args!("    <edge id=\"e{number}\" source=\"n{from}\" target=\"n{to}\">"));
        let values: [&dyn std::fmt::Display; 4] =
            [&branch.length, &branch.mean_width, &branch.min_width, &branch.cells];
        data(&mut text, "edge", &EDGE_KEYS, &values);
        text.push_str("</edge>\n");
    }
    text.push_str("  </graph>\n</graphml>\n");
    text
}

fn data(text: &mut String, target: &str, keys: &[(&str, &str)], values: &[&dyn std::fmt::Display]) {
    for ((name, _), value) in keys.iter().zip(values) {
        push(text, format_args!("<data key=\"{target}_{name}\">{value}</data>"));
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = text.write_fmt(arguments);
}
