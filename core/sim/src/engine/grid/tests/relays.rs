//! Relays of blocks against the same blocks one by one.

use super::*;
use crate::engine::execution::THREADS_MAX;
use crate::kinetics::{Brusselator, Kinetics};

/// Rows and columns: lanes of different lengths, and rows that fill no register.
const SHAPE: (usize, usize) = (53, 19);
/// Steps of a block.
const STEPS: usize = 4;
const BLOCKS_MAX: usize = RELAY_BLOCKS_MAX;

/// On the calling thread, which does the lanes one after the other; on fewer threads than there are lanes, and on as many
/// as that; and on those of a host.
fn executors() -> [Executor; 4] {
    let threads = |threads| Executor::new(Execution { threads, ..Execution::default() }).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    [threads(1), threads(2), threads(5), threads(1).on_pool(pool.into())]
}

/// The first row of a lane before the lanes are turned.
fn border(lane: usize, lanes: usize) -> usize {
    lane * SHAPE.0 / lanes
}

/// Steps of a grid that is cut into lanes, in blocks and relays of blocks.
struct Run<'a, T: Real> {
    grid: Grid<T>,
    executor: &'a Executor,
    spec: &'a Spec,
    /// Lanes beside whose borders the growth events take place.
    spiked: usize,
    steps: usize,
}

impl<'a, T: Real> Run<'a, T> {
    fn of(
        (spec, fields): (&'a Spec, Fields<T>),
        (lanes, spiked): (usize, usize),
        executor: &'a Executor,
    ) -> Self {
        let demands =
            Demands { turing: spec.turing_enabled, noise: spec.quantum_jitter, ..Demands::default() };
        let cut = Lanes { threads: lanes, band_rows: 1, block_steps: STEPS, strip_cols: 0 };
        let grid = Grid::new(SHAPE, BoundaryCondition::Periodic, demands, fields, cut);
        assert_eq!((grid.tiling.lanes, grid.tiling.block_steps), (lanes, STEPS));
        Self { grid, executor, spec, spiked, steps: 0 }
    }

    /// The growth event before a step: in each lane in turn, in one of the rows around its first one, which moves down by a
    /// row in each step. Each takes a potential beyond its range.
    fn spike(&self, step: usize) -> Spike {
        let (rows, columns) = SHAPE;
        let row = border(step % self.spiked, self.spiked) + step + rows + step / self.spiked % 6 - 3;
        let volts = if step.is_multiple_of(2) { 0.2 } else { -0.1 };
        Spike { row: row % rows, column: step * 7 % columns, volts }
    }

    /// Computes some blocks at once.
    fn compute(&mut self, blocks: usize) -> Swept {
        let steps = self.steps..self.steps + blocks * STEPS;
        let spikes: Vec<_> = steps.map(|step| Some(self.spike(step))).collect();
        let noise = if self.spec.quantum_jitter {
            Noise::Counter { seed: 5, first_step: self.steps as u64, deviation: 1e-3 }
        } else {
            Noise::Absent
        };
        let block = Block { noise, ..block_of(self.spec, &spikes) };
        self.grid.advance(&block, Order::OfLanes, self.executor)
    }

    /// Computes some blocks at once and keeps what can be kept of them.
    fn advance(&mut self, blocks: usize) -> Swept {
        let swept = self.compute(blocks);
        self.grid.keep();
        self.steps += swept.steps;
        assert_eq!(self.grid.turned, if self.grid.tiling.turns { self.steps % SHAPE.0 } else { 0 });
        assert_eq!(self.grid.first_row, self.grid.turned);
        swept
    }

    /// Keeps one of the threads beside the calling one from its lane for longer than this takes: where it is the only one,
    /// all lanes but the first are far later.
    fn delay(&self) {
        if let Team::Own(pool) = self.executor.team() {
            pool.spawn(|| std::thread::sleep(std::time::Duration::from_micros(300)));
        }
    }

    /// The bits of all cells in the order of the grid, those that are not numbers all the same.
    fn cells(&self) -> [Vec<u64>; 3] {
        let Fields { potential, activator, inhibitor } = &self.grid.current;
        [(potential, true), (activator, self.spec.turing_enabled), (inhibitor, self.spec.turing_enabled)].map(
            |(cells, moves)| {
                let bits = |cell: &T| if cell.is_finite() { cell.wide().to_bits() } else { u64::MAX };
                let mut cells: Vec<_> = cells.iter().map(bits).collect();
                // A field that stands still is in the order of the grid.
                cells.rotate_right(if moves { self.grid.first_row * SHAPE.1 } else { 0 });
                cells
            },
        )
    }
}

/// Guards relays of any number of blocks: they have the bits, the counts and the ranges of the same blocks one by one, also
/// where a lane comes late, with growth events beside the borders of the lanes, until every row has been beside one.
#[test]
fn a_relay_gives_the_bits_of_its_blocks() {
    for executor in executors() {
        for lanes in [2, 3, 5] {
            for (noise, turing_enabled) in [(false, true), (true, true), (false, false)] {
                let spec =
                    Spec { quantum_jitter: noise, turing_enabled, turing_threshold: 0.2, ..Spec::v4_1() };
                relays_and_blocks::<f64>(&spec, lanes, &executor);
                relays_and_blocks::<f32>(&spec, lanes, &executor);
            }
        }
    }
}

fn relays_and_blocks<T: Real>(spec: &Spec, lanes: usize, executor: &Executor) {
    let alone = Executor::new(Execution::default()).unwrap();
    let at_once = STEPS * if executor.team().size() > 1 { BLOCKS_MAX } else { 1 };
    for reach in [Reach::Near, Reach::Memory] {
        let mut relays = Run::<T>::of((spec, varied(SHAPE)), (lanes, lanes), executor);
        let mut blocks = Run::<T>::of((spec, varied(SHAPE)), (1, lanes), &alone);
        relays.grid.tiling.reach = reach;
        let (mut activations, mut clamps) = (0, 0);
        // Those of an odd number leave the fields in the other planes.
        for count in [8, 1, 3, 8, 2, 1, 5, 8, 4] {
            assert_eq!(relays.grid.steps_at_once(executor), at_once);
            relays.delay();
            let swept = relays.advance(count);
            assert_eq!(swept.steps, count * STEPS);
            let mut expected = Counts::default();
            for _ in 0..count {
                expected.add(blocks.advance(1).counts);
            }
            assert_eq!(swept.counts, expected, "{count} blocks, {lanes} lanes, {executor:?}");
            assert!(relays.cells() == blocks.cells(), "{count} blocks, {lanes} lanes, {executor:?}");
            assert!(!spec.turing_enabled || relays.grid.ranges == Some(ranges(&relays.grid.current)));
            (activations, clamps) = (activations + expected.activations, clamps + expected.clamps);
        }
        assert!(relays.steps > 3 * SHAPE.0 && clamps > 0 && (activations > 0 || !spec.turing_enabled));
    }
}

/// An activator that grows to almost four times as much in a step, so that its square is infinite after `steps` whole steps
/// and not before, in one cell of a row; all others remain far below. Every cell is activated in every step.
fn growing<T: Real>(row: usize, steps: usize, square_max: f64) -> (Spec, Fields<T>) {
    let spec = Spec {
        kinetics: Kinetics::Brusselator(Brusselator { a: 0.0, b: -4.0 }),
        d_activator: 0.01,
        r_activator: 1.0,
        r_inhibitor: 0.0,
        turing_threshold: -1.0,
        ..Spec::v4_1()
    };
    let mut fields = varied::<T>(SHAPE);
    for cell in &mut *fields.activator {
        *cell = T::of(2_f64.powi(-20)) * *cell;
    }
    fields.inhibitor.fill(T::ZERO);
    let seed = square_max.sqrt() * 3.96_f64.powf(-0.5 - steps as f64);
    fields.activator[row * SHAPE.1 + SHAPE.1 / 2] = T::of(seed);
    (spec, fields)
}

/// Guards a relay that ends early: it keeps the blocks before the one with a value that is not finite and no count of another
/// one, whichever lane this is in and however far the others have come; and the run goes on as one without relays.
#[test]
fn a_relay_keeps_the_blocks_before_one_that_is_not_finite() {
    for executor in executors() {
        for lanes in [2, 3, 5] {
            for stopped in 0..lanes {
                for good in [0, 1, BLOCKS_MAX - 1] {
                    // In the middle of a lane, and where the lane before it has such values too.
                    for below in [SHAPE.0 / lanes / 2, 0] {
                        let place = (lanes, stopped, good, below);
                        stopped_relay::<f64>(f64::MAX, place, &executor);
                        stopped_relay::<f32>(f32::MAX.into(), place, &executor);
                    }
                }
            }
        }
    }
}

fn stopped_relay<T: Real>(
    square_max: f64,
    place @ (lanes, stopped, good, below): (usize, usize, usize, usize),
    executor: &Executor,
) {
    const BEFORE: usize = 3;
    let alone = Executor::new(Execution::default()).unwrap();
    let bad_block = (BEFORE + good) * STEPS;
    let row = (border(stopped, lanes) + bad_block + STEPS + below) % SHAPE.0;
    let grown = || growing::<T>(row, bad_block + 1, square_max);
    let (spec, fields) = grown();
    let mut relays = Run::of((&spec, fields), (lanes, lanes), executor);
    let mut blocks = Run::of((&spec, grown().1), (1, lanes), &alone);
    for _ in 0..BEFORE {
        for run in [&mut relays, &mut blocks] {
            let swept = run.advance(1);
            assert!(!swept.counts.not_finite && run.grid.tame);
        }
    }
    assert_eq!(relays.grid.steps_at_once(executor) > STEPS, executor.team().size() > 1);
    relays.delay();
    let swept = relays.advance(BLOCKS_MAX);
    assert_eq!(swept.steps, good * STEPS, "{place:?} {executor:?}");
    let mut expected = Counts::default();
    for _ in 0..good {
        expected.add(blocks.advance(1).counts);
    }
    assert_eq!(swept.counts, expected, "{place:?} {executor:?}");
    assert_eq!(expected.activations, (good * STEPS * SHAPE.0 * SHAPE.1) as u64);
    assert!(relays.cells() == blocks.cells(), "{place:?} {executor:?}");
    assert!(relays.grid.tame && relays.grid.ranges.is_none_or(|found| found == ranges(&relays.grid.current)));
    // The next block is the one that is not finite, after which there are no more relays.
    for _ in 0..3 {
        let [found, expected] = [&mut relays, &mut blocks].map(|run| run.advance(1).counts);
        assert!(found.not_finite && found == expected, "{place:?} {executor:?}");
        assert!(relays.cells() == blocks.cells(), "{place:?} {executor:?}");
        assert_eq!(relays.grid.steps_at_once(executor), STEPS);
    }
}

/// Guards the extremes: lanes that are as short as those of two steps may be, rows of one cell, and as many lanes as there may
/// be threads, which one thread does.
#[test]
fn relays_of_the_shortest_lanes() {
    const SHORTEST: usize = 4;
    let alone = Executor::new(Execution::default()).unwrap();
    let spec = Spec::v4_1();
    for executor in executors() {
        // Where others can run meanwhile each lane waits a moment for them, which is long for so many.
        let most = if executor.team().size() > 1 { 64 } else { THREADS_MAX };
        for (rows, columns, lanes) in
            [(2 * SHORTEST, 1, 2), (2 * SHORTEST + 1, 2, 2), (SHORTEST * most, 1, most)]
        {
            let new = |threads| {
                let cut = Lanes { threads, band_rows: 1, block_steps: 16, strip_cols: 0 };
                let demands = Demands { turing: true, ..Demands::default() };
                let fields = varied::<f64>((rows, columns));
                Grid::new((rows, columns), BoundaryCondition::Periodic, demands, fields, cut)
            };
            let (mut relays, mut steps) = (new(lanes), new(1));
            let block_steps = relays.tiling.block_steps;
            assert!(relays.tiling.lanes == lanes && relays.tiling.needs.relayed && block_steps == 2);
            let spike = |step| Some(Spike { row: 3 * step % rows, column: step % columns, volts: 0.05 });
            let spikes: Vec<_> = (0..BLOCKS_MAX * block_steps).map(spike).collect();
            let swept = relays.advance(&block_of(&spec, &spikes), Order::OfLanes, &executor);
            relays.keep();
            let mut expected = Counts::default();
            for spike in spikes.chunks(1) {
                let swept = steps.advance(&block_of(&spec, spike), Order::OfGrid, &alone);
                expected.add(swept.counts);
                steps.keep();
            }
            assert_eq!((swept.steps, swept.counts), (spikes.len(), expected));
            relays.put_in_order();
            assert!(relays.current == steps.current, "{rows} x {columns}, {lanes} lanes, {executor:?}");
        }
    }
}
