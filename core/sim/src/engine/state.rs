//! The three fields, twice: a step reads one set and writes the other.
//!
//! A finished step is kept by exchanging the sets and discarded by leaving them, so that a
//! failed step costs no copy. Memory is six grids and two rows, whatever the number of steps.

use ndarray::ArrayView2;

use super::constants::{SPIKE_DEVIATION_V, SPIKE_MEAN_V};
use super::kernel::{Counts, Row, coupled_window, potential_window};
use super::step::StepParameters;
use crate::error::Instability;
use crate::rng::Generator;

/// The three fields of one moment, row-major.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    pub(crate) potential: Vec<f64>,
    pub(crate) activator: Vec<f64>,
    pub(crate) inhibitor: Vec<f64>,
}

impl Fields {
    /// The first field, in the order potential, activator, inhibitor, with values that are not
    /// finite.
    pub(crate) fn first_instability(&self) -> Instability {
        let count =
            |cells: &[f64], test: fn(f64) -> bool| cells.iter().filter(|&&value| test(value)).count() as u64;
        let describe = |field, cells: &[f64]| Instability {
            field,
            nan_count: count(cells, f64::is_nan),
            inf_count: count(cells, f64::is_infinite),
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

/// A cell changed by a growth event, for undoing it.
#[derive(Debug, Clone, Copy)]
struct Spike {
    index: usize,
    potential_before: f64,
}

/// What a computed step did, whether it is kept or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Computed {
    pub(crate) growth: bool,
    pub(crate) counts: Counts,
}

/// Current and next fields of a grid. `rows` and `columns` are at least 1.
#[derive(Debug, Clone)]
pub(crate) struct State {
    rows: usize,
    columns: usize,
    current: Fields,
    next: Fields,
    zeros: Vec<f64>,
    noise: Vec<f64>,
    spike: Option<Spike>,
}

impl State {
    /// A state that starts with the given fields of `rows * columns` cells each.
    pub(crate) fn new(rows: usize, columns: usize, current: Fields) -> Self {
        Self {
            rows,
            columns,
            next: current.clone(),
            current,
            zeros: vec![0.0; columns],
            noise: vec![0.0; columns],
            spike: None,
        }
    }

    pub(crate) fn current(&self) -> &Fields {
        &self.current
    }

    pub(crate) fn current_mut(&mut self) -> &mut Fields {
        &mut self.current
    }

    /// The fields written by the last [`advance`](Self::advance) that was not kept.
    pub(crate) fn next(&self) -> &Fields {
        &self.next
    }

    /// A row-major view of one of the fields of this grid.
    pub(crate) fn view<'a>(&self, cells: &'a [f64]) -> ArrayView2<'a, f64> {
        // The constructor makes every field rows * columns long.
        ArrayView2::from_shape((self.rows, self.columns), cells)
            .unwrap_or_else(|_| unreachable!("fields have the shape of the grid"))
    }

    /// Computes the next fields. Call [`keep`](Self::keep) or [`discard`](Self::discard) after it.
    pub(crate) fn advance(&mut self, parameters: &StepParameters, generator: &mut Generator) -> Computed {
        self.spike = self.draw_spike(parameters.spike_probability, generator);
        let counts = match (parameters.turing_enabled, parameters.noise_deviation_v) {
            (false, None) => self.sweep::<false, false>(parameters, 0.0, generator),
            (true, None) => self.sweep::<true, false>(parameters, 0.0, generator),
            (false, Some(deviation)) => self.sweep::<false, true>(parameters, deviation, generator),
            (true, Some(deviation)) => self.sweep::<true, true>(parameters, deviation, generator),
        };
        Computed { growth: self.spike.is_some(), counts }
    }

    /// Makes the computed step the current one.
    pub(crate) fn keep(&mut self, parameters: &StepParameters) {
        self.spike = None;
        std::mem::swap(&mut self.current.potential, &mut self.next.potential);
        if parameters.turing_enabled {
            std::mem::swap(&mut self.current.activator, &mut self.next.activator);
            std::mem::swap(&mut self.current.inhibitor, &mut self.next.inhibitor);
        }
    }

    /// Forgets the computed step; the current fields are as before it.
    pub(crate) fn discard(&mut self) {
        if let Some(spike) = self.spike.take() {
            self.current.potential[spike.index] = spike.potential_before;
        }
    }

    /// Draws a growth event and, if there is one, adds its spike to the current potential.
    fn draw_spike(&mut self, probability: f64, generator: &mut Generator) -> Option<Spike> {
        if generator.random() >= probability {
            return None;
        }
        let row = generator.integer_below(self.rows as u64) as usize;
        let column = generator.integer_below(self.columns as u64) as usize;
        let index = row * self.columns + column;
        let potential_before = self.current.potential[index];
        self.current.potential[index] += generator.normal(SPIKE_MEAN_V, SPIKE_DEVIATION_V);
        Some(Spike { index, potential_before })
    }

    /// One pass over all rows, top to bottom; the noise is drawn in the same order.
    fn sweep<const TURING: bool, const NOISE: bool>(
        &mut self,
        parameters: &StepParameters,
        noise_deviation_v: f64,
        generator: &mut Generator,
    ) -> Counts {
        let columns = self.columns;
        let mut counts = Counts::default();
        for row in 0..self.rows {
            if NOISE {
                generator.fill_normal(0.0, noise_deviation_v, &mut self.noise);
            }
            let of = |cells| Row::of(cells, columns, row, &self.zeros, parameters.boundary_condition);
            let cells = row * columns..(row + 1) * columns;
            let v_next = &mut self.next.potential[cells.clone()];
            let v = of(&self.current.potential);
            let v_ends = v.ends();
            if TURING {
                let a_next = &mut self.next.activator[cells.clone()];
                let i_next = &mut self.next.inhibitor[cells];
                let (a, i) = (of(&self.current.activator), of(&self.current.inhibitor));
                let (a_ends, i_ends) = (a.ends(), i.ends());
                let windows = v.windows(&v_ends).into_iter().zip(a.windows(&a_ends)).zip(i.windows(&i_ends));
                for (((start, end, v), (_, _, a)), (_, _, i)) in windows {
                    counts.add(coupled_window::<NOISE>(
                        v,
                        a,
                        i,
                        parameters,
                        &self.noise[start..end],
                        &mut v_next[start..end],
                        &mut a_next[start..end],
                        &mut i_next[start..end],
                    ));
                }
            } else {
                for (start, end, v) in v.windows(&v_ends) {
                    counts.add(potential_window::<NOISE>(
                        v,
                        parameters.alpha,
                        &self.noise[start..end],
                        &mut v_next[start..end],
                    ));
                }
            }
        }
        counts
    }
}
