//! Ways through a block that only large grids and busy machines take.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use super::*;
use crate::engine::block::Noise;
use crate::engine::execution::Execution;
use crate::engine::kernel::Numbers;
use crate::engine::tiling::Reach;
use crate::spec::Spec;

/// Rows and columns.
const SHAPE: (usize, usize) = (113, 70);

/// Blocks of so many steps over a grid that is cut like this, with a growth event in every step.
fn computed(
    boundary: BoundaryCondition,
    lanes: Lanes,
    reach: Reach,
    blocks: impl Iterator<Item = usize>,
) -> Grid<f64> {
    let spec = Spec::v4_1();
    let cells = |seed: usize, least: f64, most: f64| {
        let cells: Vec<_> = (0..SHAPE.0 * SHAPE.1)
            .map(|cell| least + (most - least) * ((cell * seed) % 997) as f64 / 997.0)
            .collect();
        Aligned::from(&*cells)
    };
    let fields = Fields {
        potential: cells(7919, -0.09, 0.03),
        activator: cells(104_729, 0.0, 1.0),
        inhibitor: cells(31, 0.0, 1.0),
    };
    let demands = Demands { turing: true, ..Demands::default() };
    let mut grid = Grid::new(SHAPE, boundary, demands, fields, lanes);
    assert_eq!(grid.tiling.lanes, lanes.threads);
    grid.tiling.reach = reach;
    // One thread for all lanes.
    let executor = Executor::new(Execution { threads: 1, ..Execution::default() }).unwrap();
    let mut activations = 0;
    let mut rows = (0..SHAPE.0).step_by(17).cycle();
    for steps in blocks {
        let spikes: Vec<_> = (0..steps)
            .map(|step| Some(Spike { row: rows.next().unwrap(), column: 69 - step, volts: 0.02 }))
            .collect();
        let block = Block {
            numbers: Numbers::of(&spec),
            kinetics: spec.kinetics,
            factors: [spec.r_activator, spec.r_inhibitor],
            host: None,
            noise: Noise::Absent,
            spikes: &spikes,
            followed: false,
        };
        let swept = grid.advance(&block, &executor);
        assert!(!swept.counts.not_finite);
        activations += swept.counts.activations;
        grid.keep();
    }
    assert!(activations > 0);
    grid
}

/// Guards what only large grids and busy machines do: rows fetched ahead, planes written past the caches, and lanes
/// that find nothing kept by the lane behind because it has not begun.
#[test]
fn far_planes_and_late_lanes_give_the_same_bits() {
    for boundary in [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet] {
        let blocks = || [7; 3].into_iter();
        let lanes = Lanes { threads: 1, block_steps: 7, ..Lanes::default() };
        let expected = computed(boundary, lanes, Reach::Near, blocks()).current;
        for reach in [Reach::Near, Reach::Far, Reach::Memory] {
            for (threads, strip_cols) in [(1, 0), (1, 32), (3, 0), (3, 16)] {
                let lanes = Lanes { threads, strip_cols, block_steps: 7, band_rows: 0 };
                let found = computed(boundary, lanes, reach, blocks()).current;
                assert_eq!(found, expected, "{lanes:?} {reach:?} {boundary:?}");
            }
        }
    }
}

/// Guards the lanes that move around a grid, until every row has been where one begins, also by blocks of a single step.
#[test]
fn turned_lanes_give_the_same_bits() {
    let blocks = || (0..200).map(|block| 1 + block % 7);
    let turns: BTreeSet<_> = blocks()
        .scan(0, |turned, steps| {
            *turned = (*turned + steps) % SHAPE.0;
            Some(*turned)
        })
        .collect();
    assert_eq!(turns.len(), SHAPE.0);
    let lanes = |threads, strip_cols| Lanes { threads, strip_cols, block_steps: 7, band_rows: 0 };
    let still = computed(BoundaryCondition::Periodic, lanes(1, 0), Reach::Near, blocks());
    assert_eq!(still.turned, 0);
    for (threads, strip_cols) in [(2, 0), (3, 0), (3, 16)] {
        let turned = computed(BoundaryCondition::Periodic, lanes(threads, strip_cols), Reach::Near, blocks());
        assert_eq!(turned.turned, blocks().sum::<usize>() % SHAPE.0);
        assert_eq!(turned.current, still.current, "{threads} {strip_cols}");
    }
}

/// Guards the cells that the plain kernel may have: no part of the change of a potential is infinite, with the largest
/// coefficients that a specification may have.
#[test]
fn tame_cells_change_by_finite_numbers() {
    let fields = |cell| [[0.0, cell].as_slice(), &[], &[]].map(Aligned::from);
    let are_tame = |cell| {
        let [potential, activator, inhibitor] = fields(cell);
        Fields { potential, activator, inhibitor }.are_tame()
    };
    for share in [0.5e-8, 5e-8, 7e-8, 1e-6, 0.1, 1.0] {
        let cell: f64 = share * f64::MAX;
        let laplacian = (((-cell - cell) - cell) - cell) - 4.0 * cell;
        let is_finite = (1e6 * laplacian).is_finite() && (1e6 * laplacian - 1e6 * cell).is_finite();
        assert!(!are_tame(cell) || is_finite, "{share}");
        assert_eq!(are_tame(cell), are_tame(-cell));
    }
    assert!(are_tame(0.5e-8 * f64::MAX) && !are_tame(f64::NAN) && !are_tame(f64::INFINITY));
}
