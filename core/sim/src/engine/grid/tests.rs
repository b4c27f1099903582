//! Ways through a block that only large grids and busy machines take.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::engine::block::Noise;
use crate::engine::execution::Execution;
use crate::engine::kernel::Numbers;
use crate::engine::tiling::Reach;
use crate::spec::Spec;

/// Blocks of seven steps over a grid that is cut like this.
fn computed(boundary: BoundaryCondition, lanes: Lanes, reach: Reach) -> Fields<f64> {
    let spec = Spec::v4_1();
    let cells = |seed: usize, least: f64, most: f64| {
        (0..113 * 70).map(|cell| least + (most - least) * ((cell * seed) % 997) as f64 / 997.0).collect()
    };
    let fields = Fields {
        potential: cells(7919, -0.09, 0.03),
        activator: cells(104_729, 0.0, 1.0),
        inhibitor: cells(31, 0.0, 1.0),
    };
    let demands = Demands { turing: true, ..Demands::default() };
    let mut grid = Grid::new((113, 70), boundary, demands, fields, lanes);
    assert_eq!(grid.tiling.lanes, lanes.threads);
    grid.tiling.reach = reach;
    // One thread for all lanes.
    let executor = Executor::new(Execution { threads: 1, ..Execution::default() }).unwrap();
    let spikes: Vec<_> =
        (0..7).map(|step| Some(Spike { row: 17 * step, column: 69 - step, volts: 0.02 })).collect();
    let block = Block {
        numbers: Numbers::of(&spec),
        kinetics: spec.kinetics,
        factors: [spec.r_activator, spec.r_inhibitor],
        host: None,
        noise: Noise::Absent,
        spikes: &spikes,
        followed: false,
    };
    let mut activations = 0;
    for _ in 0..3 {
        let swept = grid.advance(&block, &executor);
        assert!(!swept.counts.not_finite);
        activations += swept.counts.activations;
        grid.keep();
    }
    assert!(activations > 0);
    grid.current
}

/// Guards what only large grids and busy machines do: rows fetched ahead, planes written past the caches, and lanes
/// that find nothing kept by the lane behind because it has not begun.
#[test]
fn far_planes_and_late_lanes_give_the_same_bits() {
    for boundary in [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet] {
        let expected =
            computed(boundary, Lanes { threads: 1, block_steps: 7, ..Lanes::default() }, Reach::Near);
        for reach in [Reach::Near, Reach::Far, Reach::Memory] {
            for (threads, strip_cols) in [(1, 0), (1, 32), (3, 0), (3, 16)] {
                let lanes = Lanes { threads, strip_cols, block_steps: 7, band_rows: 0 };
                assert_eq!(computed(boundary, lanes, reach), expected, "{lanes:?} {reach:?} {boundary:?}");
            }
        }
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
