//! One sweep over the grid: lanes on threads, bands and strips within a lane, rows within those.

use std::ops::Range;

use super::execution::Executor;
use super::grid::{Fields, Grid, Noise, Scratch};
use super::kernel::{
    Changes, Combine, CombinePotential, Counts, Diffuse, DiffuseMap, FillNoise, Fused, Next, Numbers,
    PotentialAlone, React, scale,
};
use super::maps::{Coefficient, Maps};
use super::stencil::Row;
use crate::kinetics::{HostReaction, HostReactionError, Kinetics, Reaction, Visitor};
use crate::real::Real;
use crate::simd::{DetectedLevel, vectorised};
use crate::spec::BoundaryCondition;

/// What a computed step did, whether it is kept or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Swept {
    pub(crate) counts: Counts,
    /// The first failure of the host's kinetics, in the order of the rows.
    pub(crate) failure: Option<HostReactionError>,
}

impl Swept {
    fn then(mut self, later: Self) -> Self {
        self.counts.add(later.counts);
        Self { counts: self.counts, failure: self.failure.or(later.failure) }
    }
}

/// Where the rates come from.
pub(super) trait Chemistry<T: Real>: Sync {
    /// The range of activator and inhibitor.
    const RANGE: Option<(f64, f64)>;
    /// The equations, if they can be fused with the diffusion.
    fn reaction(&self) -> Option<&impl Reaction<T>>;
    /// The rates of a stretch of cells.
    fn rates(
        &self,
        level: DetectedLevel,
        a: &[T],
        i: &[T],
        rates: &mut [Vec<T>; 2],
        wide: &mut [Vec<f64>; 4],
    ) -> Result<(), HostReactionError>;
}

/// Equations of this library.
struct Local<R>(R);

impl<T: Real, R: Reaction<T>> Chemistry<T> for Local<R> {
    const RANGE: Option<(f64, f64)> = R::CLAMP;

    fn reaction(&self) -> Option<&impl Reaction<T>> {
        Some(&self.0)
    }

    fn rates(
        &self,
        level: DetectedLevel,
        a: &[T],
        i: &[T],
        [f, g]: &mut [Vec<T>; 2],
        _wide: &mut [Vec<f64>; 4],
    ) -> Result<(), HostReactionError> {
        let (f, g) = (&mut f[..a.len()], &mut g[..a.len()]);
        vectorised(level, React { reaction: &self.0, a, i, f, g });
        Ok(())
    }
}

/// Rates of the host's, which it gives without the factors.
struct Hosted<'a, T> {
    host: &'a dyn HostReaction,
    factors: [T; 2],
}

/// Stands for the equations that a host does not tell.
#[derive(Clone)]
struct Untold;

impl<T: Real> Reaction<T> for Untold {
    const CLAMP: Option<(f64, f64)> = None;

    fn rates(&self, _u: T, _v: T) -> (T, T) {
        (T::ZERO, T::ZERO)
    }
}

impl<T: Real> Chemistry<T> for Hosted<'_, T> {
    const RANGE: Option<(f64, f64)> = None;

    fn reaction(&self) -> Option<&impl Reaction<T>> {
        None::<&Untold>
    }

    fn rates(
        &self,
        _level: DetectedLevel,
        a: &[T],
        i: &[T],
        rates: &mut [Vec<T>; 2],
        [u, v, du, dv]: &mut [Vec<f64>; 4],
    ) -> Result<(), HostReactionError> {
        let n = a.len();
        let (u, v, du, dv) = (&mut u[..n], &mut v[..n], &mut du[..n], &mut dv[..n]);
        for (wide, narrow) in u.iter_mut().zip(a).chain(v.iter_mut().zip(i)) {
            *wide = narrow.wide();
        }
        self.host.rates(u, v, du, dv)?;
        for ((rate, wide), factor) in rates.iter_mut().zip([du, dv]).zip(self.factors) {
            for (narrow, wide) in rate.iter_mut().zip(wide) {
                *narrow = factor * T::of(*wide);
            }
        }
        Ok(())
    }
}

/// What all lanes of a step read.
struct Inputs<'a, T> {
    columns: usize,
    boundary: BoundaryCondition,
    fields: [&'a [T]; 3],
    maps: &'a Maps<T>,
    zeros: &'a [T],
    noise: Noise,
    drawn: &'a [T],
    numbers: &'a Numbers<T>,
    band_rows: usize,
    strip_cols: usize,
    buffered: bool,
    level: DetectedLevel,
}

/// The part of a step that one thread does.
struct Lane<'s, 'a, T: Real, C> {
    inputs: &'s Inputs<'a, T>,
    /// `None`: activator and inhibitor stand still.
    chemistry: Option<&'s C>,
    rows: Range<usize>,
    next: Next<'s, T>,
    scratch: &'s mut Scratch<T>,
}

impl<T: Real, C: Chemistry<T>> Lane<'_, '_, T, C> {
    fn run(self) -> Swept {
        if self.inputs.numbers.leak_rate == T::ZERO { self.tiles::<false>() } else { self.tiles::<true>() }
    }

    fn tiles<const LEAK: bool>(mut self) -> Swept {
        let (columns, band_rows, strip_cols) =
            (self.inputs.columns, self.inputs.band_rows, self.inputs.strip_cols);
        let mut swept = Swept::default();
        for band_start in self.rows.clone().step_by(band_rows) {
            let band_end = self.rows.end.min(band_start.saturating_add(band_rows));
            for strip_start in (0..columns).step_by(strip_cols) {
                let strip = strip_start..columns.min(strip_start.saturating_add(strip_cols));
                for row in band_start..band_end {
                    let result = if self.inputs.buffered {
                        self.buffered_row::<LEAK>(row, strip.clone())
                    } else {
                        Ok(self.fused_row::<LEAK>(row, strip.clone()))
                    };
                    match result {
                        Ok(counts) => swept.counts.add(counts),
                        Err(failure) => return Swept { failure: Some(failure), ..swept },
                    }
                }
            }
        }
        swept
    }

    /// The new cells of a stretch of a row.
    fn next_of(&mut self, row: usize, at: &Range<usize>) -> Next<'_, T> {
        let offset = (row - self.rows.start) * self.inputs.columns;
        let cells = offset + at.start..offset + at.end;
        let moving = if self.chemistry.is_some() { cells.clone() } else { 0..0 };
        Next { v: &mut self.next.v[cells], a: &mut self.next.a[moving.clone()], i: &mut self.next.i[moving] }
    }

    fn fused_row<const LEAK: bool>(&mut self, row: usize, strip: Range<usize>) -> Counts {
        let inputs = self.inputs;
        let (numbers, level) = (inputs.numbers, inputs.level);
        let mut counts = Counts::default();
        let of = |cells| Row::of(cells, inputs.columns, row, inputs.zeros, inputs.boundary);
        let v = of(inputs.fields[0]);
        let Some(reaction) = self.chemistry.and_then(C::reaction) else {
            for (at, v) in v.windows(strip) {
                let v_next = self.next_of(row, &at).v;
                counts.add(vectorised(level, PotentialAlone::<T, LEAK> { v, numbers, v_next }));
            }
            return counts;
        };
        let (a, i) = (of(inputs.fields[1]), of(inputs.fields[2]));
        let windows =
            v.windows(strip.clone()).into_iter().zip(a.windows(strip.clone())).zip(i.windows(strip));
        for (((at, v), (_, a)), (_, i)) in windows {
            let next = self.next_of(row, &at);
            let kernel = Fused::<T, _, LEAK> { windows: [v, a, i], numbers, reaction, next };
            counts.add(vectorised(level, kernel));
        }
        counts
    }

    fn buffered_row<const LEAK: bool>(
        &mut self,
        row: usize,
        strip: Range<usize>,
    ) -> Result<Counts, HostReactionError> {
        let inputs = self.inputs;
        let (numbers, level) = (inputs.numbers, inputs.level);
        let n = strip.len();
        let cells = row * inputs.columns + strip.start..row * inputs.columns + strip.end;
        self.diffusion(row, &strip);
        let Scratch { diffusion, rates, noise, wide } = &mut *self.scratch;
        let noise = match inputs.noise {
            Noise::Absent => &[],
            Noise::Drawn => &inputs.drawn[cells.clone()],
            Noise::Counter(philox, deviation) => {
                let (first_cell, out) = (cells.start as u64, &mut noise[..n]);
                vectorised(level, FillNoise { philox, deviation, first_cell, out });
                &noise[..n]
            }
        };
        let [v_old, a_old, i_old] = inputs.fields.map(|field| &field[cells.clone()]);
        let v = Changes { old: v_old, diffusion: &diffusion[0][..n], rate: &[] };
        let offset = (row - self.rows.start) * inputs.columns;
        let out = offset + strip.start..offset + strip.end;
        let Some(chemistry) = self.chemistry else {
            let v_next = &mut self.next.v[out];
            return Ok(vectorised(level, CombinePotential::<T, LEAK> { v, numbers, noise, v_next }));
        };
        chemistry.rates(level, a_old, i_old, rates, wide)?;
        for (rate, coefficient) in rates.iter_mut().zip([Coefficient::RActivator, Coefficient::RInhibitor]) {
            if let Some(map) = inputs.maps.get(coefficient) {
                scale(&mut rate[..n], &map[cells.clone()]);
            }
        }
        let [f, g] = &*rates;
        let a = Changes { old: a_old, diffusion: &diffusion[1][..n], rate: &f[..n] };
        let i = Changes { old: i_old, diffusion: &diffusion[2][..n], rate: &g[..n] };
        let next = Next {
            v: &mut self.next.v[out.clone()],
            a: &mut self.next.a[out.clone()],
            i: &mut self.next.i[out],
        };
        let range = C::RANGE.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let kernel = Combine::<T, LEAK> { changes: [v, a, i], numbers, range, noise, next };
        Ok(vectorised(level, kernel))
    }

    /// The diffusion terms of a stretch of a row into the buffers.
    fn diffusion(&mut self, row: usize, strip: &Range<usize>) {
        let inputs = self.inputs;
        let (numbers, level) = (inputs.numbers, inputs.level);
        let terms = [
            (Coefficient::Alpha, numbers.alpha),
            (Coefficient::DActivator, numbers.d_activator),
            (Coefficient::DInhibitor, numbers.d_inhibitor),
        ];
        let fields = if self.chemistry.is_some() { 3 } else { 1 };
        for (index, (name, coefficient)) in terms.into_iter().enumerate().take(fields) {
            let buffer = &mut self.scratch.diffusion[index];
            let u = Row::of(inputs.fields[index], inputs.columns, row, inputs.zeros, inputs.boundary);
            let u = u.windows(strip.clone());
            match inputs.maps.get(name) {
                None => {
                    for (at, u) in u {
                        let out = &mut buffer[at.start.max(strip.start) - strip.start..][..at.len()];
                        vectorised(level, Diffuse { u, coefficient, out });
                    }
                }
                Some(map) => {
                    let map = Row::of_map(map, inputs.columns, row, inputs.boundary);
                    for ((at, u), (_, map)) in u.into_iter().zip(map.windows(strip.clone())) {
                        let out = &mut buffer[at.start.max(strip.start) - strip.start..][..at.len()];
                        vectorised(level, DiffuseMap { u, map, out });
                    }
                }
            }
        }
    }
}

/// What a step depends on beside the fields.
pub(crate) struct Step<'a, T> {
    pub(crate) numbers: Numbers<T>,
    pub(crate) kinetics: Kinetics,
    /// Factors of the two rates where there is no map.
    pub(crate) factors: [f64; 2],
    pub(crate) host: Option<&'a dyn HostReaction>,
    pub(crate) noise: Noise,
}

impl<T: Real> Grid<T> {
    /// Computes the next fields. Call [`keep`](Grid::keep) or [`discard`](Grid::discard) after it.
    pub(crate) fn advance(&mut self, step: &Step<'_, T>, executor: &Executor) -> Swept {
        if !self.demands.turing {
            return self.sweep::<Local<Untold>>(None, step, executor);
        }
        let factor = |coefficient, everywhere| match self.maps.get(coefficient) {
            Some(_) => 1.0,
            None => everywhere,
        };
        let r_activator = factor(Coefficient::RActivator, step.factors[0]);
        let r_inhibitor = factor(Coefficient::RInhibitor, step.factors[1]);
        let factors = [T::of(r_activator), T::of(r_inhibitor)];
        let kinetics = step.kinetics;
        kinetics.visit(r_activator, r_inhibitor, Advance { grid: self, step, executor, factors })
    }

    fn sweep<C: Chemistry<T>>(
        &mut self,
        chemistry: Option<&C>,
        step: &Step<'_, T>,
        executor: &Executor,
    ) -> Swept {
        let buffered = self.is_buffered();
        let Fields { potential, activator, inhibitor } = &self.current;
        let inputs = Inputs {
            columns: self.columns,
            boundary: self.boundary,
            fields: [potential, activator, inhibitor],
            maps: &self.maps,
            zeros: &self.zeros,
            noise: step.noise,
            drawn: &self.noise,
            numbers: &step.numbers,
            band_rows: self.tiling.band_rows,
            strip_cols: self.tiling.strip_cols,
            buffered,
            level: executor.level(),
        };
        let (tiling, rows) = (self.tiling, self.rows);
        let run = |lanes: Range<usize>, next: Next<'_, T>, scratch: &mut Scratch<T>| {
            let rows = tiling.rows_of(lanes, rows);
            Lane { inputs: &inputs, chemistry, rows, next, scratch }.run()
        };
        let next =
            Next { v: &mut self.next.potential, a: &mut self.next.activator, i: &mut self.next.inhibitor };
        let lane_cells = tiling.lane_rows * self.columns;
        if tiling.lanes == 1 {
            return self.scratch.first_mut().map_or(Swept::default(), |scratch| run(0..1, next, scratch));
        }
        let scratch = &mut self.scratch;
        executor.install(|| fork(0..tiling.lanes, lane_cells, next, scratch, &run))
    }
}

/// Runs lanes at the same time, by halves, and adds up in their order.
fn fork<T: Real>(
    lanes: Range<usize>,
    lane_cells: usize,
    next: Next<'_, T>,
    scratch: &mut [Scratch<T>],
    run: &(impl Fn(Range<usize>, Next<'_, T>, &mut Scratch<T>) -> Swept + Sync),
) -> Swept {
    match scratch {
        [] => Swept::default(),
        [only] => run(lanes, next, only),
        _ => {
            let half = scratch.len() / 2;
            let middle = lanes.start + half;
            let at = half * lane_cells;
            // Activator and inhibitor are empty when they stand still.
            let (v_left, v_right) = next.v.split_at_mut(at.min(next.v.len()));
            let (a_left, a_right) = next.a.split_at_mut(at.min(next.a.len()));
            let (i_left, i_right) = next.i.split_at_mut(at.min(next.i.len()));
            let (scratch_left, scratch_right) = scratch.split_at_mut(half);
            let left = Next { v: v_left, a: a_left, i: i_left };
            let right = Next { v: v_right, a: a_right, i: i_right };
            let (first, second) = rayon::join(
                || fork(lanes.start..middle, lane_cells, left, scratch_left, run),
                || fork(middle..lanes.end, lane_cells, right, scratch_right, run),
            );
            first.then(second)
        }
    }
}

/// Hands the equations of a kinetics to [`Grid::sweep`].
struct Advance<'g, 's, 'a, T: Real> {
    grid: &'g mut Grid<T>,
    step: &'s Step<'a, T>,
    executor: &'s Executor,
    factors: [T; 2],
}

impl<T: Real> Visitor<T> for Advance<'_, '_, '_, T> {
    type Output = Swept;

    fn reaction<R: Reaction<T>>(self, reaction: R) -> Swept {
        self.grid.sweep(Some(&Local(reaction)), self.step, self.executor)
    }

    fn host(self) -> Swept {
        match self.step.host {
            Some(host) => {
                let hosted = Hosted { host, factors: self.factors };
                self.grid.sweep(Some(&hosted), self.step, self.executor)
            }
            None => Swept { failure: Some(HostReactionError::missing()), ..Swept::default() },
        }
    }
}
