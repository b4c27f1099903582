//! The three fields, twice: a step reads one set and writes the other.
//!
//! A finished step is kept by exchanging the sets and discarded by leaving them, so that a
//! failed step costs no copy. Memory depends on the grid and the lanes, never on the number of
//! steps, and a step allocates nothing.

use ndarray::ArrayView2;

use super::execution::{Lanes, Tiling};
use super::maps::{Coefficient, Maps};
use crate::error::Instability;
use crate::real::Real;
use crate::rng::Philox;
use crate::spec::BoundaryCondition;

/// The three fields of one moment, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields<T> {
    pub(crate) potential: Vec<T>,
    pub(crate) activator: Vec<T>,
    pub(crate) inhibitor: Vec<T>,
}

impl<T: Real> Fields<T> {
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

/// Where the noise of a step comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Noise {
    /// There is none.
    Absent,
    /// It was drawn in sequence into [`Grid::noise`].
    Drawn,
    /// A function of the cell, times a deviation in volts.
    Counter(Philox, f64),
}

/// Buffers of one lane, one strip long; empty where the kernels do not need them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch<T> {
    pub(crate) diffusion: [Vec<T>; 3],
    pub(crate) rates: [Vec<T>; 2],
    pub(crate) noise: Vec<T>,
    /// u, v, f and g in double precision for the host's kinetics.
    pub(crate) wide: [Vec<f64>; 4],
}

/// What a grid needs beyond its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Demands {
    /// Activator and inhibitor advance.
    pub(crate) turing: bool,
    /// Noise is added, here or from a plane.
    pub(crate) noise: bool,
    /// The noise is drawn in sequence and kept for the whole grid.
    pub(crate) noise_plane: bool,
    /// The rates come from the host.
    pub(crate) host: bool,
}

/// Current and next fields of a grid with at least one cell.
#[derive(Debug)]
pub(crate) struct Grid<T: Real> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) boundary: BoundaryCondition,
    pub(super) demands: Demands,
    pub(super) current: Fields<T>,
    pub(super) next: Fields<T>,
    pub(super) maps: Maps<T>,
    pub(super) zeros: Vec<T>,
    pub(super) noise: Vec<T>,
    pub(super) scratch: Vec<Scratch<T>>,
    pub(super) tiling: Tiling,
    /// The cell changed by a growth event and its value before, for undoing it.
    spike: Option<(usize, T)>,
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
            potential: current.potential.clone(),
            activator: if demands.turing { current.activator.clone() } else { Vec::new() },
            inhibitor: if demands.turing { current.inhibitor.clone() } else { Vec::new() },
        };
        let mut grid = Self {
            rows,
            columns,
            boundary,
            demands,
            zeros: vec![T::ZERO; columns],
            noise: vec![T::ZERO; if demands.noise_plane { rows * columns } else { 0 }],
            next,
            current,
            maps: Maps::default(),
            scratch: Vec::new(),
            tiling: Tiling::default(),
            spike: None,
        };
        grid.retile(lanes);
        grid
    }

    /// Cuts the grid anew and makes the buffers for it.
    pub(crate) fn retile(&mut self, lanes: Lanes) {
        self.tiling = Tiling::of(self.rows, self.columns, lanes);
        self.fit_scratch();
    }

    /// Makes the buffers that the demands and the maps ask for.
    pub(super) fn fit_scratch(&mut self) {
        let strip = self.tiling.strip_cols;
        let cells = |needed: bool| vec![T::ZERO; if needed { strip } else { 0 }];
        let wide = |needed: bool| vec![0.0; if needed { strip } else { 0 }];
        let buffered = self.is_buffered();
        let Demands { turing, noise, noise_plane, host } = self.demands;
        let one = Scratch {
            diffusion: [cells(buffered), cells(buffered && turing), cells(buffered && turing)],
            rates: [cells(buffered && turing), cells(buffered && turing)],
            noise: cells(noise && !noise_plane),
            wide: [wide(host), wide(host), wide(host), wide(host)],
        };
        self.scratch.clear();
        self.scratch.resize(self.tiling.lanes, one);
    }

    /// Whether the kernels go through buffers instead of being fused.
    pub(super) fn is_buffered(&self) -> bool {
        self.demands.noise || self.demands.host || !self.maps.is_empty()
    }

    pub(crate) fn current(&self) -> &Fields<T> {
        &self.current
    }

    pub(crate) fn current_mut(&mut self) -> &mut Fields<T> {
        &mut self.current
    }

    /// The plane into which the noise of the next step is drawn in sequence.
    pub(crate) fn noise_mut(&mut self) -> &mut [T] {
        &mut self.noise
    }

    pub(crate) fn map(&self, coefficient: Coefficient) -> Option<&[T]> {
        self.maps.get(coefficient)
    }

    /// Sets or removes a map of `rows * columns` coefficients.
    pub(crate) fn set_map(&mut self, coefficient: Coefficient, map: Option<Vec<T>>) {
        self.maps.set(coefficient, map);
        self.fit_scratch();
    }

    /// A row-major view of one of the fields of this grid.
    pub(crate) fn view<'a>(&self, cells: &'a [T]) -> ArrayView2<'a, T> {
        // Every field is rows * columns long.
        ArrayView2::from_shape((self.rows, self.columns), cells)
            .unwrap_or_else(|_| unreachable!("fields have the shape of the grid"))
    }

    /// Adds a growth event to the current potential, until the step is kept or discarded.
    pub(crate) fn add_spike(&mut self, spike: Option<Spike>) {
        self.spike = spike.map(|spike| {
            let index = spike.row * self.columns + spike.column;
            let before = self.current.potential[index];
            self.current.potential[index] = before + T::of(spike.volts);
            (index, before)
        });
    }

    /// Makes the computed step the current one.
    pub(crate) fn keep(&mut self) {
        self.spike = None;
        std::mem::swap(&mut self.current.potential, &mut self.next.potential);
        if self.demands.turing {
            std::mem::swap(&mut self.current.activator, &mut self.next.activator);
            std::mem::swap(&mut self.current.inhibitor, &mut self.next.inhibitor);
        }
    }

    /// Forgets the computed step; the current fields are as before it.
    pub(crate) fn discard(&mut self) {
        if let Some((index, before)) = self.spike.take() {
            self.current.potential[index] = before;
        }
    }

    /// What is wrong with the step that was computed and not kept.
    pub(crate) fn instability(&self) -> Instability {
        self.next.first_instability()
    }
}
