//! The three fields, twice: a block of steps reads one set and writes the other.
//!
//! A finished block of steps is kept by exchanging the sets and discarded by leaving them, so
//! that a failed one costs no copy. Memory depends on the grid and the lanes, never on the number
//! of steps, and a step allocates nothing.

use ndarray::ArrayView2;

use super::block::{Block, RELAY_BLOCKS_MAX};
use super::calm::{Prior, Ranges};
use super::chemistry::{Hosted, RowKernel, WithKernel, with_kernel};
use super::execution::Executor;
use super::lane::{Inputs, Swept};
use super::link::Link;
use super::maps::{Coefficient, Maps};
use super::relay::{self, Relay};
use super::scratch::{Buffers, Needs};
use super::strip::Strip;
use super::team::Team;
use super::tiling::{Lanes, Shape, Tiling};
use crate::error::Instability;
use crate::features::RowSums;
use crate::kinetics::HostReactionError;
use crate::real::Real;
use crate::simd::Aligned;
use crate::spec::BoundaryCondition;

/// The three fields of one moment, row-major.
#[derive(Debug, PartialEq)]
pub(crate) struct Fields<T: Real> {
    pub(crate) potential: Aligned<T>,
    pub(crate) activator: Aligned<T>,
    pub(crate) inhibitor: Aligned<T>,
}

impl<T: Real> Fields<T> {
    /// Whether four times a cell is never too large for its type, so that this product is exact, and no part of the
    /// change of a potential is, so that it is clamped and never NaN. Only a host gives other cells; where the kinetics
    /// does not clamp activator and inhibitor nothing asks for theirs after the first step.
    pub(crate) fn are_tame(&self) -> bool {
        // A Laplacian is at most 8 cells, and its coefficient and the rate of the leak are at most 10^6.
        let most = T::of(f64::from(1 << 24));
        let tame = |cells: &[T]| cells.iter().fold(true, |tame, &cell| tame & (most * cell).is_finite());
        tame(&self.potential) && tame(&self.activator) && tame(&self.inhibitor)
    }

    /// The first field, in the order potential, activator, inhibitor, with values that are not
    /// finite.
    fn first_instability(&self) -> Instability {
        let describe = |field, cells: &[T]| {
            let nan_count = cells.iter().filter(|value| value.is_nan()).count() as u64;
            let finite = cells.iter().filter(|value| value.is_finite()).count() as u64;
            Instability { field, nan_count, inf_count: cells.len() as u64 - finite - nan_count }
        };
        let all = [
            describe("field", &self.potential),
            describe("activator", &self.activator),
            describe("inhibitor", &self.inhibitor),
        ];
        let bad = |found: &&Instability| found.nan_count > 0 || found.inf_count > 0;
        *all.iter().find(bad).unwrap_or(&all[0])
    }
}

/// A growth event: volts added to one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spike {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) volts: f64,
}

/// What a grid needs beyond its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Demands {
    /// Activator and inhibitor advance.
    pub(crate) turing: bool,
    /// Noise is added, here or from a plane.
    pub(crate) noise: bool,
    /// The noise is drawn in sequence and kept for the whole grid.
    pub(crate) noise_plane: bool,
    /// The rates come from the host.
    pub(crate) host: bool,
    /// Every step is summed up for the temporal features.
    pub(crate) followed: bool,
}

/// Current and next fields of a grid with at least one cell.
#[derive(Debug)]
pub(crate) struct Grid<T: Real> {
    rows: usize,
    columns: usize,
    boundary: BoundaryCondition,
    demands: Demands,
    current: Fields<T>,
    /// Whether those of these that are clamped are known to be [tame](Fields::are_tame).
    tame: bool,
    /// The ranges of the current fields, where they are known.
    ranges: Option<Ranges>,
    next: Fields<T>,
    /// Whether the next fields are tame.
    next_tame: bool,
    next_ranges: Option<Ranges>,
    maps: Maps<T>,
    noise: Vec<T>,
    sums: Vec<RowSums>,
    buffers: Buffers<T>,
    links: Vec<Link<T>>,
    lanes: Lanes,
    tiling: Tiling,
    /// Rows by which the lanes are [turned](Tiling::turns): those of the block that wrote the current fields; 0 where the
    /// grid was cut since.
    turned: usize,
    /// The same of the next fields.
    next_turned: usize,
    /// The row with which the current planes begin; those above it follow the last one. 0 except
    /// [between the blocks of a run](Order::OfLanes).
    first_row: usize,
    /// The same of the next fields.
    next_first_row: usize,
    /// Whether the next fields are in their own planes: a relay writes both in turn.
    next_is_apart: bool,
}

/// In which order a block leaves the rows of its planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As they are in the grid.
    OfGrid,
    /// As in the grid, but beginning with those of the first lane where the lanes [turn](Tiling::turns). So each lane reads
    /// and writes the same memory in every block: a processor would have to wait for a line that another one has written.
    /// Before anyone looks at the fields they have to be [put in order](Grid::put_in_order), or be written by a block that
    /// leaves them as they are in the grid.
    OfLanes,
}

impl<T: Real> Grid<T> {
    /// A grid that starts with the given fields of `rows * columns` cells each.
    pub(crate) fn new(
        (rows, columns): (usize, usize),
        boundary: BoundaryCondition,
        demands: Demands,
        current: Fields<T>,
        lanes: Lanes,
    ) -> Self {
        let next = Fields {
            potential: Aligned::zeros(current.potential.len()),
            activator: Aligned::zeros(if demands.turing { current.activator.len() } else { 0 }),
            inhibitor: Aligned::zeros(if demands.turing { current.inhibitor.len() } else { 0 }),
        };
        let mut grid = Self {
            rows,
            columns,
            boundary,
            demands,
            noise: vec![T::ZERO; if demands.noise_plane { rows * columns } else { 0 }],
            next,
            next_tame: false,
            next_ranges: None,
            tame: current.are_tame(),
            ranges: None,
            current,
            maps: Maps::default(),
            sums: Vec::new(),
            buffers: Buffers::new(Needs::default(), 0),
            links: Vec::new(),
            lanes,
            tiling: Tiling::default(),
            turned: 0,
            next_turned: 0,
            first_row: 0,
            next_first_row: 0,
            next_is_apart: false,
        };
        grid.fit();
        grid
    }

    /// Cuts the grid anew and makes the buffers for it.
    pub(crate) fn retile(&mut self, lanes: Lanes) {
        self.lanes = lanes;
        self.fit();
    }

    /// Says whether every step is summed up from now on.
    pub(crate) fn follow(&mut self, followed: bool) {
        self.demands.followed = followed;
        self.fit();
    }

    fn fit(&mut self) {
        let shape = Shape {
            rows: self.rows,
            columns: self.columns,
            wraps: self.boundary == BoundaryCondition::Periodic,
            demands: self.demands,
            mapped: !self.maps.is_empty(),
            cell_bytes: size_of::<T>(),
        };
        self.tiling = Tiling::of(&shape, self.lanes);
        (self.turned, self.next_turned) = (0, 0);
        self.buffers = Buffers::new(self.tiling.needs, self.tiling.lanes);
        self.links.clear();
        self.links.resize_with(self.tiling.lanes, || Link::new(self.tiling.needs));
        let summed = if self.demands.followed { self.rows * self.tiling.block_steps } else { 0 };
        self.sums.clear();
        self.sums.resize(summed, RowSums::default());
    }

    /// How the grid is cut.
    pub(crate) fn tiling(&self) -> Tiling {
        self.tiling
    }

    pub(crate) fn current(&self) -> &Fields<T> {
        debug_assert_eq!(self.first_row, 0, "the rows are in the order of the lanes");
        &self.current
    }

    pub(crate) fn current_mut(&mut self) -> &mut Fields<T> {
        debug_assert_eq!(self.first_row, 0, "the rows are in the order of the lanes");
        // Until the next step: to look at every cell here would be to do so for each change.
        self.tame = false;
        self.ranges = None;
        &mut self.current
    }

    /// The plane into which the noise of the next step is drawn in sequence.
    pub(crate) fn noise_mut(&mut self) -> &mut [T] {
        &mut self.noise
    }

    /// The map of a coefficient, row by row.
    pub(crate) fn map(&self, coefficient: Coefficient) -> Option<Vec<T>> {
        self.maps.cells(coefficient, self.columns)
    }

    /// Sets or removes a map of `rows * columns` coefficients.
    pub(crate) fn set_map(&mut self, coefficient: Coefficient, map: Option<Vec<T>>) {
        self.maps.set(coefficient, map, self.columns, self.boundary);
        self.fit();
    }

    /// A row-major view of one of the fields of this grid.
    pub(crate) fn view<'a>(&self, cells: &'a [T]) -> ArrayView2<'a, T> {
        // Every field is rows * columns long.
        ArrayView2::from_shape((self.rows, self.columns), cells)
            .unwrap_or_else(|_| unreachable!("fields have the shape of the grid"))
    }

    /// By how many rows the lanes are turned after so many steps: as far as their last level lies below their first, so
    /// that every lane reads the rows that it wrote itself.
    fn turned_after(&self, steps: usize) -> usize {
        (self.turned + if self.tiling.turns { steps } else { 0 }) % self.rows
    }

    /// Most steps that can be computed at once now: those of a block, or of a [relay](super::relay) of some.
    pub(crate) fn steps_at_once(&self, executor: &Executor) -> usize {
        // What is not tame may not be finite either, with which a relay ends.
        let relayed = self.tiling.needs.relayed
            && self.tame
            && self.first_row == self.turned
            && executor.team().size() > 1;
        self.tiling.block_steps * if relayed { RELAY_BLOCKS_MAX } else { 1 }
    }

    /// Computes the fields after a block of at most [`Tiling::block_steps`] steps, or after a relay of some blocks of
    /// as many, which leaves the rows in the order of the lanes. Call [`keep`](Grid::keep) if it is to become the current ones.
    /// Else nothing has happened to these; but after a relay it has to be called.
    /// A relay may end after fewer blocks: before the first one with a value that is not finite.
    pub(crate) fn advance(&mut self, block: &Block<'_, T>, order: Order, executor: &Executor) -> Swept {
        debug_assert!(
            (1..=self.tiling.block_steps).contains(&block.spikes.len())
                || (block.spikes.len().is_multiple_of(self.tiling.block_steps)
                    && self.tiling.needs.relayed
                    && self.tame
                    && self.first_row == self.turned
                    && order == Order::OfLanes)
        );
        let factor = |coefficient, everywhere| if self.maps.has(coefficient) { 1.0 } else { everywhere };
        let factors = self.demands.turing.then(|| {
            let [r_activator, r_inhibitor] = block.factors;
            [factor(Coefficient::RActivator, r_activator), factor(Coefficient::RInhibitor, r_inhibitor)]
        });
        let first_row = |turned| if order == Order::OfLanes { turned } else { 0 };
        self.next_first_row = first_row(self.turned_after(block.spikes.len()));
        let prior = Prior {
            tame: self.tame,
            ranges: self.ranges,
            shape: (self.rows, self.columns),
            boundary: self.boundary,
        };
        let swept = with_kernel(block, factors, &prior, Advance { grid: self, block, executor });
        self.next_turned = self.turned_after(swept.steps);
        self.next_first_row = first_row(self.next_turned);
        self.next_tame = !swept.counts.not_finite;
        self.next_ranges = (swept.steps == block.spikes.len()).then_some(swept.ranges);
        self.next_is_apart =
            !(swept.steps / self.tiling.block_steps.min(block.spikes.len())).is_multiple_of(2);
        swept
    }

    /// Makes the computed fields the current ones.
    pub(crate) fn keep(&mut self) {
        self.tame = self.next_tame;
        self.ranges = self.next_ranges;
        self.turned = self.next_turned;
        self.first_row = self.next_first_row;
        if !self.next_is_apart {
            return;
        }
        std::mem::swap(&mut self.current.potential, &mut self.next.potential);
        if self.demands.turing {
            std::mem::swap(&mut self.current.activator, &mut self.next.activator);
            std::mem::swap(&mut self.current.inhibitor, &mut self.next.inhibitor);
        }
    }

    /// Brings the rows of the current fields into the order of the grid.
    pub(crate) fn put_in_order(&mut self) {
        let cells_above = std::mem::take(&mut self.first_row) * self.columns;
        self.current.potential.rotate_right(cells_above);
        // Fields that do not advance were never in another order.
        if self.demands.turing {
            self.current.activator.rotate_right(cells_above);
            self.current.inhibitor.rotate_right(cells_above);
        }
    }

    /// The sums of the step `index` of the last block of `steps`, row by row.
    pub(crate) fn sums(&self, index: usize, steps: usize) -> impl Iterator<Item = &RowSums> {
        let rows = &self.sums[index * self.rows..][..self.rows];
        // Where a grid wraps, the rows of a level are those around the first lane's, which begins above the grid.
        let above = if self.boundary == BoundaryCondition::Periodic { steps - 1 - index } else { 0 };
        let (first, rest) = rows.split_at(above);
        rest.iter().chain(first)
    }

    /// What is wrong with the step that was computed and not kept.
    pub(crate) fn instability(&self) -> Instability {
        self.next.first_instability()
    }
}

/// Computes a block with the kernel that it is given.
struct Advance<'g, 'b, T: Real> {
    grid: &'g mut Grid<T>,
    block: &'b Block<'b, T>,
    executor: &'b Executor,
}

impl<T: Real> WithKernel<T> for Advance<'_, '_, T> {
    type Output = Swept;

    fn run(self, kernel: &dyn RowKernel<T>, hosted: Option<Hosted<'_, T>>) -> Swept {
        let Self { grid, block, executor } = self;
        let tiling = grid.tiling;
        let steps = block.spikes.len().min(tiling.block_steps);
        let parts: [_; RELAY_BLOCKS_MAX];
        let blocks = if steps == block.spikes.len() {
            std::slice::from_ref(block)
        } else {
            let first = |index: usize| (index * steps).min(block.spikes.len());
            parts = std::array::from_fn(|index| block.part(first(index)..first(index + 1)));
            &parts[..block.spikes.len() / steps]
        };
        // A block that a host's panic has cut short leaves what it counted until then, and lanes that are done with it.
        grid.buffers.clear();
        let team = if tiling.lanes == 1 { &Team::Caller } else { executor.team() };
        let linked = tiling.needs.linked && steps > 1;
        let first_rows = [grid.first_row, grid.next_first_row];
        let mut done = 0;
        for start in (0..grid.columns).step_by(tiling.strip_cols) {
            let owned = start..grid.columns.min(start + tiling.strip_cols);
            grid.links.iter_mut().for_each(Link::start);
            let relay = Relay {
                tiling: &tiling,
                chemistry: (kernel, hosted),
                inputs: Inputs {
                    rows: grid.rows,
                    columns: grid.columns,
                    boundary: grid.boundary,
                    maps: &grid.maps,
                    drawn: &grid.noise,
                    stride: tiling.needs.stride::<T>(),
                    batch_rows: tiling.needs.batch_rows,
                    reach: tiling.reach,
                    level: executor.level(),
                },
                blocks,
                strip: &Strip::of(owned, grid.columns, grid.boundary),
                links: linked.then_some(&grid.links[..]),
                turned: grid.turned_after(steps),
                // Else the lanes run one after the other.
                others: team.size() > 1,
                progress: relay::Progress::of(blocks.len()),
            };
            while !relay.is_over(&mut grid.buffers) {
                let planes = [&mut grid.current, &mut grid.next];
                let lanes = relay.runners(planes, first_rows, &mut grid.sums, &mut grid.buffers);
                team.fork(lanes.map(|lane| move || lane.run()));
            }
            done = relay.end(&mut grid.buffers);
        }
        let swept = grid.buffers.take_swept().reduce(Swept::then).unwrap_or_default();
        Swept { steps: done * steps, ..swept }
    }

    fn missing(self) -> Swept {
        Swept { failure: Some(HostReactionError::missing()), ..Swept::default() }
    }
}

#[cfg(test)]
mod tests;
