//! Ways through a block that only large grids and busy machines take.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod relays;

use std::collections::BTreeSet;

use super::*;
use crate::engine::block::Noise;
use crate::engine::calm::{FieldRange, MEAN_ALPHA_MAX, Watch, Watched};
use crate::engine::constants::{FIELD_MAX_V, FIELD_MIN_V};
use crate::engine::execution::Execution;
use crate::engine::kernel::{Counts, Numbers};
use crate::engine::tiling::Reach;
use crate::kinetics::{Reaction, V4_1};
use crate::rng::Generator;
use crate::spec::Spec;

/// Rows and columns.
const SHAPE: (usize, usize) = (113, 70);

/// The ranges of three fields, cell by cell.
fn ranges<T: Real>(fields: &Fields<T>) -> Ranges {
    Ranges([&fields.potential, &fields.activator, &fields.inhibitor].map(|cells| {
        let wide = || cells.iter().map(|cell| cell.wide());
        FieldRange {
            lowest: wide().fold(f64::INFINITY, f64::min),
            highest: wide().fold(f64::NEG_INFINITY, f64::max),
        }
    }))
}

/// A block of a specification without noise, with a place for a growth event before each step.
fn block_of<'a, T: Real>(spec: &Spec, spikes: &'a [Option<Spike>]) -> Block<'a, T> {
    Block {
        numbers: Numbers::of(spec),
        kinetics: spec.kinetics,
        factors: [spec.r_activator, spec.r_inhibitor],
        host: None,
        noise: Noise::Absent,
        spikes,
        followed: false,
    }
}

/// A grid of which the ranges are known, so that it need not be watched, and one with the same cells of which they are not.
struct Twins<T: Real> {
    unwatched: Grid<T>,
    watched: Grid<T>,
}

impl<T: Real> Twins<T> {
    fn of(shape: (usize, usize), boundary: BoundaryCondition, cells: [&[T]; 3]) -> Self {
        let new = || {
            let [potential, activator, inhibitor] = cells.map(Aligned::from);
            let demands = Demands { turing: true, ..Demands::default() };
            let fields = Fields { potential, activator, inhibitor };
            Grid::new(shape, boundary, demands, fields, Lanes { threads: 1, ..Lanes::default() })
        };
        let (mut unwatched, watched) = (new(), new());
        unwatched.ranges = Some(ranges(&unwatched.current));
        Self { unwatched, watched }
    }

    /// Computes a block of both, with the same bits. Gives what the first was watched for and what the second counted.
    fn advance(&mut self, spec: &Spec, spikes: &[Option<Spike>], executor: &Executor) -> (Watched, Counts) {
        let Self { unwatched, watched } = self;
        let block = block_of(spec, spikes);
        let Grid { rows, columns, boundary, ranges, .. } = *unwatched;
        let prior = Prior { tame: true, ranges, shape: (rows, columns), boundary };
        let watch = prior.watch(&block, <V4_1 as Reaction<T>>::RANGE_OF_F.unwrap(), block.factors);
        let [_, counts] =
            [&mut *unwatched, &mut *watched].map(|grid| grid.advance(&block, Order::OfGrid, executor).counts);
        assert_eq!(unwatched.next, watched.next, "{spec:?} {spikes:?}");
        (watch, counts)
    }
}

/// Fields in which no two cells beside each other are the same.
fn varied<T: Real>((rows, columns): (usize, usize)) -> Fields<T> {
    let cells = |seed: usize, least: f64, most: f64| {
        let cells: Vec<_> = (0..rows * columns)
            .map(|cell| T::of(least + (most - least) * ((cell * seed) % 997) as f64 / 997.0))
            .collect();
        Aligned::from(&*cells)
    };
    Fields {
        potential: cells(7919, -0.09, 0.03),
        activator: cells(104_729, 0.0, 1.0),
        inhibitor: cells(31, 0.0, 1.0),
    }
}

/// Blocks of so many steps over a grid that is cut like this, with a growth event in every step.
fn computed(
    boundary: BoundaryCondition,
    lanes: Lanes,
    reach: Reach,
    blocks: impl Iterator<Item = usize>,
) -> Grid<f64> {
    let spec = Spec::v4_1();
    let demands = Demands { turing: true, ..Demands::default() };
    let mut grid = Grid::new(SHAPE, boundary, demands, varied(SHAPE), lanes);
    assert_eq!(grid.tiling.lanes, lanes.threads);
    grid.tiling.reach = reach;
    // One thread for all lanes.
    let executor = Executor::new(Execution { threads: 1, ..Execution::default() }).unwrap();
    let mut activations = 0;
    let mut rows = (0..SHAPE.0).step_by(17).cycle();
    // Three of four blocks leave the rows in the order of the lanes.
    let mut orders = [Order::OfLanes, Order::OfGrid, Order::OfLanes, Order::OfLanes].into_iter().cycle();
    for steps in blocks {
        let spikes: Vec<_> = (0..steps)
            .map(|step| Some(Spike { row: rows.next().unwrap(), column: 69 - step, volts: 0.02 }))
            .collect();
        let block = block_of(&spec, &spikes);
        let swept = grid.advance(&block, orders.next().unwrap(), &executor);
        assert!(!swept.counts.not_finite);
        activations += swept.counts.activations;
        grid.keep();
        assert_eq!(grid.ranges, Some(ranges(&grid.current)));
    }
    assert!(activations > 0);
    grid.put_in_order();
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

/// Guards blocks that are not watched: in none that is calm a cell is activated or clamped, and it has the bits of one
/// that is watched, also where only the rows beside events are. Most fields are even, so that one event or a few steps take
/// them over a limit where they can; some activators have two values, of which the greater drives inhibitors up.
#[test]
fn nothing_happens_in_a_calm_block() {
    let boundaries = [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet];
    let mut generator = Generator::new(7);
    let mut uniform = |low, high| generator.uniform(low, high);
    let executor = Executor::new(Execution { threads: 1, ..Execution::default() }).unwrap();
    let (mut low_blocks, mut calm_blocks, mut eventful_blocks, mut raised_blocks) = (0, 0, 0, 0);
    let mut clamped_blocks = 0;
    for draw in 0..3000 {
        let shape = if uniform(0.0, 1.0) < 0.7 { (64, 24) } else { (64, 2) };
        let boundary = boundaries[draw % 3];
        // Where the lesser of two activators falls to 0 although inhibitors are few at first.
        let is_uneven = draw % 4 == 0;
        let [d_activator_max, r_activator_min, r_inhibitor_min, inhibitor_max, spike_probability] =
            if is_uneven { [0.003, 0.05, 0.1, 0.1, 0.0] } else { [0.3, 0.0, 0.0, 0.3, 0.3] };
        let spec = Spec {
            alpha: uniform(0.0, 0.3),
            d_activator: uniform(0.0, d_activator_max),
            d_inhibitor: uniform(0.0, 0.25),
            r_activator: uniform(r_activator_min, 0.1),
            r_inhibitor: uniform(r_inhibitor_min, 0.2),
            turing_threshold: uniform(0.5, 1.0),
            ..Spec::v4_1()
        };
        // Half of them near 0.
        let activator_max = if uniform(0.0, 1.0) < 0.5 { 0.1 } else { spec.turing_threshold };
        let rest = [uniform(-0.1, 0.045), uniform(0.0, activator_max), uniform(0.0, inhibitor_max)];
        let spread = if is_uneven { uniform(0.0, 0.6) } else { 0.0 };
        let mut cells = |least: f64, spread: f64| -> Vec<f64> {
            (0..shape.0 * shape.1)
                .map(|_| if uniform(0.0, 1.0) < 0.5 { least } else { least + spread })
                .collect()
        };
        let cells = [cells(rest[0], 0.0), cells(rest[1], spread), cells(rest[2], 0.0)];
        let mut twins = Twins::of(shape, boundary, cells.each_ref().map(|cells| &**cells));
        let steps = 1 + uniform(0.0, twins.watched.tiling.block_steps as f64) as usize;
        let spikes: Vec<_> = (0..steps)
            .map(|_| {
                // Some in corners, which on a Neumann grid keep most.
                let [row, column] =
                    [shape.0, shape.1].map(|cells| uniform(-0.3 * cells as f64, cells as f64) as usize);
                (uniform(0.0, 1.0) < spike_probability).then(|| Spike {
                    row,
                    column,
                    volts: uniform(-0.1, 0.1),
                })
            })
            .collect();
        let (Watched { elsewhere, beside_event }, expected) = twins.advance(&spec, &spikes, &executor);
        let watched = &twins.watched;
        let is_eventful = expected.activations + expected.clamps > 0;
        assert!(beside_event == Watch::All || !is_eventful, "{spec:?} {rest:?} {spikes:?}");
        assert!(elsewhere == Watch::All || expected.activations == 0, "{spec:?} {rest:?} {spikes:?}");
        let least = |cells: &[f64]| cells.iter().copied().fold(f64::INFINITY, f64::min);
        let reaches_0 = least(&watched.next.activator).min(least(&watched.next.inhibitor)) <= 0.0;
        assert!(elsewhere != Watch::Nothing || !reaches_0, "{spec:?} {rest:?} {spikes:?}");
        low_blocks += usize::from(beside_event == Watch::Low);
        calm_blocks += usize::from(beside_event == Watch::Nothing);
        eventful_blocks += usize::from(is_eventful);
        raised_blocks += usize::from(reaches_0 && !is_eventful);
        clamped_blocks += usize::from(elsewhere != Watch::All && expected.clamps > 0);
    }
    let blocks = [low_blocks, calm_blocks, eventful_blocks, raised_blocks, clamped_blocks];
    assert!(blocks.iter().all(|&blocks| blocks > 200), "{blocks:?}");
}

/// Guards potentials at their limits, where only rows beside growth events are watched: diffusion leaves every one within,
/// in both precisions, and cells that an event takes beyond are clamped as where all are watched.
#[test]
fn potentials_at_their_limits_are_left_within() {
    at_limits::<f64>(f64::EPSILON);
    at_limits::<f32>(f32::EPSILON.into());
}

fn at_limits<T: Real>(epsilon: f64) {
    let boundaries = [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet];
    let limits = [FIELD_MIN_V, FIELD_MAX_V].map(T::of);
    let mut generator = Generator::new(8);
    let mut uniform = |low, high| generator.uniform(low, high);
    let executor = Executor::new(Execution { threads: 1, ..Execution::default() }).unwrap();
    let (mut left_blocks, mut clamped_blocks) = (0, 0);
    for draw in 0..1500 {
        let shape = if uniform(0.0, 1.0) < 0.7 { (64, 24) } else { (64, 2) };
        let boundary = boundaries[draw % 3];
        // As great as it may be in a third of them.
        let alpha = if draw % 9 < 3 { MEAN_ALPHA_MAX * (1.0 - 1e-7) } else { uniform(0.0, MEAN_ALPHA_MAX) };
        let spec = Spec { alpha, r_activator: 0.0, ..Spec::v4_1() };
        // Cells at one of the limits, by rounding's least amounts within, and anywhere.
        let [share_at, share_near, share_least] = [uniform(0.0, 1.0), uniform(0.0, 1.0), uniform(0.0, 1.0)];
        let potential: Vec<T> = (0..shape.0 * shape.1)
            .map(|_| {
                let limit = limits[usize::from(uniform(0.0, 1.0) >= share_least.round())];
                if uniform(0.0, 1.0) < share_at {
                    limit
                } else if uniform(0.0, 1.0) < share_near {
                    T::of(limit.wide() * (1.0 - uniform(0.0, 8.0) * epsilon))
                } else {
                    T::of(uniform(-0.0949, 0.0399))
                }
            })
            .collect();
        let morphogen = vec![T::of(0.05); shape.0 * shape.1];
        let mut twins =
            Twins::of(shape, boundary, [&potential, &morphogen, &morphogen].map(|cells| &**cells));
        let spikes: Vec<_> = (0..twins.watched.tiling.block_steps)
            .map(|_| {
                let [row, column] =
                    [shape.0, shape.1].map(|cells| uniform(-0.3 * cells as f64, 1.3 * cells as f64) as usize);
                let [row, column] = [row.min(shape.0 - 1), column.min(shape.1 - 1)];
                (draw % 2 == 0 && uniform(0.0, 1.0) < 0.3).then(|| Spike {
                    row,
                    column,
                    volts: uniform(-0.2, 0.2),
                })
            })
            .collect();
        let (Watched { elsewhere, .. }, expected) = twins.advance(&spec, &spikes, &executor);
        assert_ne!(elsewhere, Watch::All);
        let is_left = spikes.iter().all(Option::is_none);
        assert!(!is_left || expected.clamps == 0, "{spec:?}");
        left_blocks += usize::from(is_left);
        clamped_blocks += usize::from(expected.clamps > 0);
    }
    assert!(left_blocks > 500 && clamped_blocks > 500, "{left_blocks} {clamped_blocks}");
    // What makes it so: four times a limit is what four such cells add up to.
    for limit in limits {
        assert_eq!(((limit + limit) + limit) + limit, T::of(4.0) * limit);
    }
}
