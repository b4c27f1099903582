//! The network of a pattern and its robustness take no more memory than the page on them says. Each measurement
//! is a process of its own, so that nothing that was freed before is used again unseen.
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;

use common::{peak_resident_bytes, reset_peak, resident_bytes};
use mfn_sim::CancelToken;
use mfn_sim::graph::{
    Attack, Graph, Network, NetworkConfig, RobustnessConfig, betweenness, cuts, percolation,
};
use ndarray::Array2;

/// Where a process finds what it measures.
const WORK: &str = "MFN_TEST_GRAPH_MEMORY";
/// Cells along each side of the field.
const SIDE: usize = 1000;
/// Nodes along each side of the graph, a grid with two edges for each node.
const NODES: usize = 300;

/// Patterns by name: whether a cell is active.
fn pattern(name: &str) -> fn(usize, usize) -> bool {
    match name {
        "empty" => |_, _| false,
        "full" => |row, _| row > 0,
        "stripes" => |row, _| row % 2 == 0,
        "grid" => |row, col| row % 2 == 0 || col % 2 == 0,
        "dots" => |row, col| row % 2 == 0 && col % 2 == 0,
        "teeth" => |row, col| row % 4 == 0 || col % 2 == 0,
        other => panic!("no pattern {other}"),
    }
}

fn square_grid() -> Graph {
    let at = |row: usize, col: usize| (row * NODES + col) as u32;
    let mut edges = Vec::with_capacity(2 * NODES * NODES);
    for (row, col) in (0..NODES).flat_map(|row| (0..NODES).map(move |col| (row, col))) {
        edges.push((at(row, col), at(row, (col + 1) % NODES)));
        edges.push((at(row, col), at((row + 1) % NODES, col)));
    }
    let lengths = vec![1.0; edges.len()];
    Graph::new(NODES * NODES, &edges, &lengths).expect("a graph")
}

/// What the work of this name takes at its peak, in bytes.
fn growth(work: &str) -> u64 {
    let measured = |work: &mut dyn FnMut()| {
        reset_peak();
        let before = resident_bytes();
        work();
        peak_resident_bytes() - before
    };
    if let Some(name) = work.strip_prefix("network of ") {
        let active = pattern(name);
        let field =
            Array2::from_shape_fn((SIDE, SIDE), |(row, col)| if active(row, col) { 0.0 } else { -0.08 });
        return measured(&mut || {
            drop(Network::of_field(field.view(), &NetworkConfig::default()).expect("a network"))
        });
    }
    let graph = square_grid();
    let never = CancelToken::new();
    let config = RobustnessConfig {
        sources_max: 16,
        trials: 16,
        recomputations_max: 2,
        ..RobustnessConfig::default()
    };
    measured(&mut || match work {
        "cuts" => drop(cuts(&graph)),
        "betweenness" => drop(betweenness(&graph, &config, &never).expect("a result")),
        name => {
            let name = name.strip_prefix("loss of ").expect("a name");
            let attack = Attack::ALL.into_iter().find(|attack| attack.name() == name).expect("an attack");
            drop(percolation(&graph, attack, &config, &never).expect("a curve"));
        }
    })
}

#[test]
#[ignore = "another test runs it in processes of its own"]
fn the_other_process() {
    if let Ok(work) = std::env::var(WORK) {
        println!("{work}: grown by {} bytes", growth(&work));
    }
}

/// Measures in a process of its own.
fn growth_elsewhere(work: &str) -> u64 {
    let program = std::env::current_exe().expect("the path of this test");
    let arguments = ["--ignored", "--exact", "the_other_process", "--nocapture"];
    let output = Command::new(program).args(arguments).env(WORK, work).output().expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    let number = text.split("grown by ").nth(1).and_then(|rest| rest.split(' ').next());
    number.unwrap_or_else(|| panic!("{work}: no measurement in {text}")).parse().expect("bytes")
}

/// Guards the column of the memory: no work takes more than it says, and none less than half, so that the page does
/// not frighten either.
#[test]
fn memory_is_as_the_page_says() {
    let cells = (SIDE * SIDE) as u64;
    // Two edges for each node.
    let parts = (3 * NODES * NODES) as u64;
    for (work, bytes, of) in [
        ("network of empty", 9, cells),
        ("network of full", 13, cells),
        ("network of stripes", 18, cells),
        ("network of dots", 31, cells),
        ("network of teeth", 43, cells),
        ("network of grid", 70, cells),
        ("cuts", 36, parts),
        ("betweenness", 90, parts),
        ("loss of random-edges", 110, parts),
        ("loss of random-nodes", 52, parts),
        ("loss of degree-adaptive", 12, parts),
        ("loss of betweenness-adaptive", 90, parts),
    ] {
        let (grown, said) = (growth_elsewhere(work), bytes * of);
        println!("{work}: {:.1}", grown as f64 / of as f64);
        assert!(grown <= said + (1 << 20), "{work}: {grown} bytes, {said} in docs/numerics/graph.md");
        assert!(2 * grown + (1 << 20) > said, "{work}: only {grown} bytes, {said} in docs/numerics/graph.md");
    }
}
