//! The network of a pattern: topology against counting by brute force, known shapes, every input.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use mfn_sim::graph::{
    CELLS_MAX, GraphError, NETWORK_TABLE, Network, NetworkConfig, NodeKind, ROBUSTNESS_TABLE,
    RobustnessConfig, SIDE_MAX_CELLS, graphml,
};
use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;

/// A grid whose edges touch or not, seen cell by cell. Slow, and written without a look at the library.
struct Plane {
    cells: Array2<bool>,
    wraps: (bool, bool),
}

impl Plane {
    fn new(cells: Array2<bool>, wrap: bool) -> Self {
        let wraps = (wrap && cells.nrows() >= 4, wrap && cells.ncols() >= 4);
        Self { cells, wraps }
    }

    /// The place, moved onto the torus; `None` outside.
    fn place(&self, row: isize, col: isize) -> Option<(usize, usize)> {
        let along = |at: isize, length: usize, wraps: bool| {
            let length = length as isize;
            if wraps {
                Some(at.rem_euclid(length) as usize)
            } else {
                (0..length).contains(&at).then_some(at as usize)
            }
        };
        Some((along(row, self.cells.nrows(), self.wraps.0)?, along(col, self.cells.ncols(), self.wraps.1)?))
    }

    fn is_set(&self, row: isize, col: isize) -> bool {
        self.place(row, col).is_some_and(|place| self.cells[place])
    }

    /// Pieces of the cells equal to `set`, joined by `steps`. The outside is one more cell of the background.
    fn pieces(&self, set: bool, steps: &[(isize, isize)]) -> usize {
        let (rows, cols) = self.cells.dim();
        let outside = rows * cols;
        let mut seen = vec![false; rows * cols + 1];
        let touches_outside = |row: usize, col: usize| {
            steps.iter().any(|step| self.place(row as isize + step.0, col as isize + step.1).is_none())
        };
        let mut pieces = 0;
        let mut starts: Vec<usize> = (0..outside).collect();
        // The background around a grid with an edge is a piece even when no cell belongs to it.
        if !set && self.wraps != (true, true) {
            starts.insert(0, outside);
        }
        for start in starts {
            if seen[start] || start != outside && self.cells[(start / cols, start % cols)] != set {
                continue;
            }
            pieces += 1;
            seen[start] = true;
            let mut left = vec![start];
            while let Some(cell) = left.pop() {
                let mut near = Vec::new();
                if cell == outside {
                    near.extend((0..outside).filter(|&other| touches_outside(other / cols, other % cols)));
                } else {
                    let (row, col) = (cell / cols, cell % cols);
                    near.extend(steps.iter().filter_map(|step| {
                        self.place(row as isize + step.0, col as isize + step.1).map(|(r, c)| r * cols + c)
                    }));
                    if !set && self.wraps != (true, true) && touches_outside(row, col) {
                        near.push(outside);
                    }
                }
                for other in near {
                    if !seen[other] && (other == outside || self.cells[(other / cols, other % cols)] == set) {
                        seen[other] = true;
                        left.push(other);
                    }
                }
            }
        }
        pieces
    }

    fn components(&self) -> usize {
        let eight: Vec<_> = (-1..=1).flat_map(|row| (-1..=1).map(move |col| (row, col))).collect();
        self.pieces(true, &eight)
    }

    fn background_pieces(&self) -> usize {
        self.pieces(false, &[(-1, 0), (1, 0), (0, -1), (0, 1)])
    }

    /// Corners - edges + cells of the closed squares.
    fn euler(&self) -> isize {
        let (rows, cols) = (self.cells.nrows() as isize, self.cells.ncols() as isize);
        let last = |length: isize, wraps: bool| if wraps { length } else { length + 1 };
        let mut sum = 0;
        for row in 0..last(rows, self.wraps.0) {
            for col in 0..last(cols, self.wraps.1) {
                let [here, above, left, corner] =
                    [(0, 0), (-1, 0), (0, -1), (-1, -1)].map(|(r, c)| self.is_set(row + r, col + c));
                sum += isize::from(here || above || left || corner);
                sum -= isize::from(here || above) + isize::from(here || left);
                sum += isize::from(here);
            }
        }
        sum
    }

    fn shape(&self) -> (usize, usize, isize) {
        (self.components(), self.background_pieces(), self.euler())
    }
}

/// Random cells, or cells of random discs, on grids of any small shape.
fn patterns() -> impl Strategy<Value = Array2<bool>> {
    let dots = (1usize..18, 1usize..18, 0.0f64..=1.0).prop_flat_map(|(rows, cols, density)| {
        proptest::collection::vec(0.0f64..1.0, rows * cols).prop_map(move |draws| {
            Array2::from_shape_vec((rows, cols), draws.iter().map(|&draw| draw < density).collect()).unwrap()
        })
    });
    let discs = (4usize..40, 4usize..40).prop_flat_map(|(rows, cols)| {
        let disc = (0..rows as i32, 0..cols as i32, 0i32..60);
        proptest::collection::vec(disc, 1..12).prop_map(move |discs| {
            Array2::from_shape_fn((rows, cols), |(row, col)| {
                discs
                    .iter()
                    .any(|&(r, c, square)| (row as i32 - r).pow(2) + (col as i32 - c).pow(2) <= square)
            })
        })
    });
    prop_oneof![dots, discs]
}

fn unpruned(wrap: bool) -> NetworkConfig {
    NetworkConfig { wrap, prune_radii: 0.0, ..NetworkConfig::default() }
}

/// The network, or nothing for the full torus, which is refused.
fn network(pattern: ArrayView2<'_, bool>, config: &NetworkConfig) -> Option<Network> {
    match Network::of_mask(pattern, config) {
        Ok(network) => Some(network),
        Err(GraphError::Full { .. }) => {
            assert!(pattern.iter().all(|&set| set) && config.wrap);
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// What must hold for every network: its loops and components are those of the pattern, branches are lines of
/// neighbouring cells from node to node, and every cell of the skeleton is in one node or inside one branch.
fn check_network(network: &Network, pattern: &Plane) {
    let summary = network.summary();
    let skeleton = Plane::new(network.skeleton(), pattern.wraps != (false, false));
    assert_eq!(skeleton.shape(), pattern.shape(), "pieces, pieces of the background, Euler number");
    assert_eq!(summary.components as usize, pattern.components());
    assert_eq!(summary.loops as isize, summary.components as isize - pattern.euler());
    if pattern.wraps == (false, false) {
        assert_eq!(summary.loops as usize, pattern.background_pieces() - 1);
    }
    let cols = skeleton.cells.ncols();
    let mut times = Array2::<u32>::zeros(skeleton.cells.dim());
    let mut degrees = vec![0; network.nodes().len()];
    for (number, branch) in network.branches().iter().enumerate() {
        let path = network.path(number);
        assert!(network.node_cells(branch.from as usize).contains(&path[0]));
        assert!(network.node_cells(branch.to as usize).contains(&path[path.len() - 1]));
        assert_eq!(branch.cells as usize, path.len() - 2);
        let mut length = (0, 0);
        for pair in path.windows(2) {
            let [(r, c), to] =
                [pair[0], pair[1]].map(|cell| (cell as isize / cols as isize, cell as usize % cols));
            let steps: Vec<(isize, isize)> = (-1..=1)
                .flat_map(|row| (-1..=1).map(move |col| (row, col)))
                .filter(|&(row, col)| {
                    skeleton.place(r + row, c as isize + col) == Some((to.0 as usize, to.1))
                })
                .collect();
            match steps[..] {
                [(0, 1 | -1) | (1 | -1, 0)] => length.0 += 1,
                [(1 | -1, 1 | -1)] => length.1 += 1,
                _ => panic!("{pair:?} is no step"),
            }
        }
        assert_eq!(branch.length, f64::from(length.0) + f64::from(length.1) * 2.0_f64.sqrt());
        assert!(branch.length > 0.0 && branch.min_width >= 1.0 && branch.min_width <= branch.mean_width);
        path[1..path.len() - 1]
            .iter()
            .for_each(|&cell| times[(cell as usize / cols, cell as usize % cols)] += 1);
        degrees[branch.from as usize] += 1;
        degrees[branch.to as usize] += 1;
    }
    for (number, node) in network.nodes().iter().enumerate() {
        assert_eq!(node.degree, degrees[number]);
        assert_eq!(node.cells as usize, network.node_cells(number).len());
        let kind = match node.degree {
            0 => NodeKind::Isolated,
            1 => NodeKind::Tip,
            2 => NodeKind::Ring,
            _ => NodeKind::Junction,
        };
        assert_eq!(node.kind, kind);
        for &cell in network.node_cells(number) {
            times[(cell as usize / cols, cell as usize % cols)] += 1;
        }
    }
    for (place, &count) in times.indexed_iter() {
        assert_eq!(count, u32::from(skeleton.cells[place]), "{place:?}");
        assert!(pattern.cells[place] || count == 0, "a cell outside the pattern");
    }
}

/// One cell wide: taking away any cell but a free end changes the shape.
fn check_thin(skeleton: Array2<bool>, wrap: bool) {
    let mut plane = Plane::new(skeleton, wrap);
    let shape = plane.shape();
    for (row, col) in plane.cells.clone().indexed_iter().filter(|&(_, &set)| set).map(|(place, _)| place) {
        let near = (-1..=1)
            .flat_map(|r| (-1..=1).map(move |c| (r, c)))
            .filter(|&(r, c)| (r, c) != (0, 0) && plane.is_set(row as isize + r, col as isize + c))
            .count();
        if near > 1 {
            plane.cells[(row, col)] = false;
            assert_ne!(plane.shape(), shape, "cell {row}, {col} is one too many");
            plane.cells[(row, col)] = true;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Guards the claim of the skeleton: pieces, holes and Euler number are those of the pattern, with and without
    /// wrapping, pruned or not, and the network says the same.
    #[test]
    fn the_skeleton_keeps_pieces_and_holes(pattern in patterns(), wrap: bool, radii in 0.0f64..4.0) {
        let plane = Plane::new(pattern.clone(), wrap);
        for config in [unpruned(wrap), NetworkConfig { prune_radii: radii, ..unpruned(wrap) }] {
            if let Some(network) = network(pattern.view(), &config) {
                check_network(&network, &plane);
            }
        }
    }

    /// Guards the width of the skeleton.
    #[test]
    fn the_skeleton_is_one_cell_wide(pattern in patterns(), wrap: bool, radii in 0.0f64..4.0) {
        prop_assume!(pattern.len() <= 400);
        for config in [unpruned(wrap), NetworkConfig { prune_radii: radii, ..unpruned(wrap) }] {
            if let Some(network) = network(pattern.view(), &config) {
                check_thin(network.skeleton(), wrap);
            }
        }
    }

    /// Guards the promise of one network for one pattern: the number of threads, the strides of the view and a
    /// second run do not show.
    #[test]
    fn threads_and_strides_do_not_show(pattern in patterns(), wrap: bool) {
        let config = NetworkConfig { wrap, ..NetworkConfig::default() };
        let Some(expected) = network(pattern.view(), &config) else { return Ok(()) };
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            prop_assert_eq!(&pool.install(|| network(pattern.view(), &config)).unwrap(), &expected);
        }
        let turned = pattern.t().as_standard_layout().into_owned();
        prop_assert_eq!(&network(turned.t(), &config).unwrap(), &expected);
    }

    /// Guards the configuration over and beyond its whole range, and any numbers as a field: a network or an error.
    #[test]
    fn every_configuration_gives_a_network_or_an_error(
        threshold_mv in any::<f64>(), prune_length_cells in any::<f64>(), prune_radii in any::<f64>(), wrap: bool,
        cells in proptest::collection::vec(any::<f64>(), 48),
    ) {
        let field = Array2::from_shape_vec((6, 8), cells).unwrap();
        let given = NetworkConfig { threshold_mv, wrap, prune_length_cells, prune_radii };
        let in_range = threshold_mv.abs() <= 1e6
            && (0.0..=1e6).contains(&prune_length_cells) && (0.0..=1e3).contains(&prune_radii);
        prop_assert_eq!(given.validate().is_ok(), in_range);
        match Network::of_field(field.view(), &given) {
            Ok(network) => prop_assert_eq!(network.dim(), (6, 8)),
            Err(GraphError::Config(_)) => prop_assert!(!in_range),
            Err(error) => prop_assert!(matches!(error, GraphError::Full { .. }), "{error}"),
        }
    }
}

fn drawn(rows: &[&str]) -> Array2<bool> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(row, col)| rows[row].as_bytes()[col] == b'#')
}

/// Guards the shapes that a textbook draws: what is a node, what a branch, and how long.
#[test]
fn known_shapes_have_known_networks() {
    let of = |rows: &[&str]| network(drawn(rows).view(), &NetworkConfig::default()).unwrap();
    let counts = |rows: &[&str]| {
        let summary = of(rows).summary();
        (summary.junctions, summary.tips, summary.isolated, summary.rings, summary.branches, summary.loops)
    };
    assert_eq!(counts(&["...", "..."]), (0, 0, 0, 0, 0, 0));
    assert_eq!(counts(&["###", "###", "###"]), (0, 0, 1, 0, 0, 0));
    assert_eq!(counts(&["##", "##"]), (0, 0, 1, 0, 0, 0));
    assert_eq!(counts(&["#####"]), (0, 2, 0, 0, 1, 0));
    assert_eq!(counts(&["###", "#.#", "###"]), (0, 0, 0, 1, 1, 1));
    // Two rings side by side: two junctions joined by three branches, two of them around the outside.
    assert_eq!(counts(&["#####", "#.#.#", "#.#.#", "#.#.#", "#####"]), (2, 0, 0, 0, 3, 2));
    // A ring on a stick: a branch from the junction to itself.
    assert_eq!(counts(&["....###", "....#.#", "#####.#", "....#.#", "....###"]), (1, 1, 0, 0, 2, 1));
    // The smallest ring with four arms: all its cells make up one node, and its loop is still there.
    let knot =
        network(drawn(&["..#..", "..#..", "##.##", "..#..", "..#.."]).view(), &unpruned(false)).unwrap();
    assert_eq!((knot.summary().junctions, knot.summary().tips, knot.summary().loops), (1, 4, 1));
    let line = of(&["#....", ".#...", "..###"]).branches()[0];
    assert_eq!(line.length, 2.0 + 2.0 * 2.0_f64.sqrt());
    assert_eq!((line.cells, line.mean_width), (3, 1.0));
}

/// Guards widths and places: the axis of a band of an odd number of cells, wherever the torus is cut open.
#[test]
fn bands_have_their_width_and_length() {
    let band = Array2::from_shape_fn((20, 30), |(row, _)| (5..12).contains(&row));
    let flat = network(band.view(), &NetworkConfig::default()).unwrap();
    let branch = flat.branches()[0];
    assert_eq!((flat.branches().len(), flat.summary().tips), (1, 2));
    assert_eq!(flat.nodes()[0].row, 8.0);
    assert_eq!(branch.mean_width, 7.0);
    // It ends where the disc of half its width touches the edge of the grid.
    assert_eq!(branch.length, 23.0);
    for shift in [0, 3, 10, 17] {
        let ring = Array2::from_shape_fn((20, 30), |(row, _)| (5..12).contains(&((row + shift) % 20)));
        let ring = network(ring.view(), &NetworkConfig { wrap: true, ..NetworkConfig::default() }).unwrap();
        let summary = ring.summary();
        assert_eq!((summary.rings, summary.branches, summary.loops), (1, 1, 1));
        assert_eq!((summary.total_length, summary.mean_width), (30.0, 7.0));
    }
}

/// Guards pruning: a bump of the outline is no branch, a hair longer than asked for is one, and a piece never
/// disappears.
#[test]
fn spurs_go_and_pieces_stay() {
    let pattern = Array2::from_shape_fn((30, 80), |(row, col)| {
        (10..19).contains(&row) && (5..75).contains(&col) || col == 40 && (8..10).contains(&row)
    });
    let tips = |config: &NetworkConfig| network(pattern.view(), config).unwrap().summary().tips;
    assert!(tips(&unpruned(false)) >= 3);
    assert_eq!(tips(&NetworkConfig::default()), 2);
    let hair =
        Array2::from_shape_fn((30, 80), |(row, col)| row == 20 || col == 40 && (10..20).contains(&row));
    let short = |prune_length_cells| NetworkConfig { prune_length_cells, ..unpruned(false) };
    assert_eq!(network(hair.view(), &short(9.0)).unwrap().summary().tips, 3);
    assert_eq!(network(hair.view(), &short(9.5)).unwrap().summary().tips, 2);
    let all = network(hair.view(), &short(1e6)).unwrap().summary();
    assert_eq!((all.isolated, all.components, all.branches), (1, 1, 0));
}

/// Guards every shape: the longest sides, the smallest grids, and what is too large or empty.
#[test]
fn every_shape_gives_a_network_or_an_error() {
    let wrapping = NetworkConfig { wrap: true, ..NetworkConfig::default() };
    for dim in [(1, SIDE_MAX_CELLS), (SIDE_MAX_CELLS, 1), (2, SIDE_MAX_CELLS), (1, 1), (4, 4), (3, 5)] {
        for config in [NetworkConfig::default(), wrapping.clone()] {
            let full = network(Array2::from_elem(dim, true).view(), &config);
            assert!(full.is_none_or(|network| network.summary().components == 1));
            let dashes = Array2::from_shape_fn(dim, |(row, col)| (row + col) % 5 != 4);
            assert!(network(dashes.view(), &config).unwrap().summary().components >= 1);
        }
    }
    // A line around a torus of one row is a ring.
    let ring = network(Array2::from_elem((1, SIDE_MAX_CELLS), true).view(), &wrapping).unwrap();
    assert_eq!((ring.summary().loops, ring.summary().total_length), (1, SIDE_MAX_CELLS as f64));
    let one = ndarray::arr0(false);
    for dim in [(0, 4), (4, 0), (SIDE_MAX_CELLS + 1, 1), (SIDE_MAX_CELLS, CELLS_MAX / SIDE_MAX_CELLS + 1)] {
        // Every cell is the same one, so that the large grid needs no memory.
        let view = one.broadcast(dim).unwrap();
        let refused = Network::of_mask(view, &wrapping).unwrap_err();
        assert_eq!(refused, GraphError::Shape { rows: dim.0, cols: dim.1 });
    }
}

/// Guards the exported text: one element for each node and branch, numbers that read back, and a document that
/// serde can write.
#[test]
fn exports_hold_every_node_and_branch() {
    let pattern = drawn(&["#...#", ".#.#.", "..#..", ".#...", "#...."]);
    let network = network(pattern.view(), &unpruned(false)).unwrap();
    let text = graphml(&network);
    assert_eq!(text.matches("<node ").count(), network.nodes().len());
    assert_eq!(text.matches("<edge ").count(), network.branches().len());
    assert!(
        text.contains("<data key=\"node_kind\">junction</data><data key=\"node_row\">2</data>"),
        "{text}"
    );
    let document: serde_json::Value = serde_json::to_value(network.document()).unwrap();
    assert_eq!(document["summary"]["tips"], 3);
    assert_eq!(document["branches"][0]["length"].as_f64(), Some(network.branches()[0].length));
    assert_eq!(document["paths"].as_array().unwrap().len(), network.branches().len());
    assert_eq!(document["nodes"][0]["kind"], "tip");
}

/// Guards the tables of bounds in the document, and that the defaults are those of the tables.
#[test]
fn the_document_has_the_bounds_of_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/numerics/graph.md");
    let document = std::fs::read_to_string(path).unwrap();
    let mut defaults = serde_json::to_value(NetworkConfig::default()).unwrap();
    let robustness = serde_json::to_value(RobustnessConfig::default()).unwrap();
    defaults.as_object_mut().unwrap().extend(robustness.as_object().unwrap().clone());
    for bound in NETWORK_TABLE.iter().chain(&ROBUSTNESS_TABLE) {
        let default = bound.default.unwrap();
        let row = format!("| `{}` | {bound} | {default} | {} | {} |", bound.field, bound.unit, bound.meaning);
        assert!(document.contains(&row), "missing: {row}");
        assert_eq!(defaults[bound.field].as_f64(), Some(default), "{}", bound.field);
    }
}
