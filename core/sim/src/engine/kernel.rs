//! The row kernels: what happens to the cells of a row in one step.
//!
//! [`Coupled`] does diffusion, reaction, activation and clamping of all three fields in one loop
//! over registers; [`Alone`] does the potential where the other two stand still. The rare parts
//! (maps, noise, rates of a host, a time step other than 1) are branches that go the same way
//! for a whole row, left out of [`Coupled`] at compile time where a row has none of them. All
//! ways do the same operations in the same order for each cell, and so give the same bits.

use super::constants::{FIELD_MAX_V, FIELD_MIN_V, REST_MEAN_V};
use crate::kinetics::Reaction;
use crate::real::Real;
use crate::simd::{LaneWork, Lanes, Vector};

/// `value` moved into [`low`, `high`]; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp<T: Real>(value: T, low: T, high: T) -> T {
    let raised = if value < low { low } else { value };
    if raised > high { high } else { raised }
}

/// The numbers of a step, in the type of the fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<T> {
    pub(crate) alpha: T,
    pub(crate) d_activator: T,
    pub(crate) d_inhibitor: T,
    pub(crate) threshold: T,
    /// What an activated cell gains in a step, V.
    pub(crate) gain: T,
    pub(crate) time_step: T,
    pub(crate) leak_rate: T,
}

/// What happened in a row or in steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Cells whose activator exceeded the threshold.
    pub(crate) activations: u64,
    /// Cells whose potential was changed by the clamp; a NaN cell counts.
    pub(crate) clamps: u64,
    /// Whether any of the last values is NaN or infinite.
    pub(crate) not_finite: bool,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.activations += other.activations;
        self.clamps += other.clamps;
        self.not_finite |= other.not_finite;
    }
}

/// Rows of all fields, one field after the other. Each has at least one cell more on either side
/// of those that are computed, and room for a whole register behind them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub(crate) up: &'a [T],
    pub(crate) centre: &'a [T],
    pub(crate) down: &'a [T],
    /// Cells from a field to the next.
    pub(crate) stride: usize,
    /// Place of the first cell to be computed.
    pub(crate) first: usize,
    /// Cells to be computed.
    pub(crate) cells: usize,
    /// Whether the right neighbour is summed before the left one, as MFN 4.1 does on a
    /// Dirichlet grid.
    pub(crate) right_first: bool,
}

/// Rows of a map of diffusion coefficients; the first number belongs to the cell left of the
/// first one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MapRows<'a, T> {
    pub(crate) up: &'a [T],
    pub(crate) centre: &'a [T],
    pub(crate) down: &'a [T],
}

/// What only some runs have. The slices begin at the first cell unless said otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extras<'a, T> {
    /// Diffusion coefficients of potential, activator, inhibitor.
    pub(crate) diffusion: [Option<MapRows<'a, T>>; 3],
    /// Factors of the two rates.
    pub(crate) factors: [Option<&'a [T]>; 2],
    /// Rates that were computed elsewhere.
    pub(crate) rates: Option<[&'a [T]; 2]>,
    /// Added to the potential, V.
    pub(crate) noise: Option<&'a [T]>,
}

impl<T: Copy> Extras<'_, T> {
    pub(crate) const NONE: Self = Self { diffusion: [None; 3], factors: [None; 2], rates: None, noise: None };
}

/// The registers of a field in a row, with the neighbours of its cells.
struct Stencil<'a, C> {
    up: &'a [C],
    down: &'a [C],
    first: &'a [C],
    second: &'a [C],
    centre: &'a [C],
}

impl<'a, C> Stencil<'a, C> {
    #[inline(always)]
    fn of<T: Real, V: Vector<T, Chunk = C>>(rows: &Rows<'a, T>, field: usize, vectors: usize) -> Self {
        let start = field * rows.stride + rows.first;
        let left = chunks::<T, V>(&rows.centre[start - 1..], vectors);
        let right = chunks::<T, V>(&rows.centre[start + 1..], vectors);
        let (first, second) = if rows.right_first { (right, left) } else { (left, right) };
        Self {
            up: chunks::<T, V>(&rows.up[start..], vectors),
            down: chunks::<T, V>(&rows.down[start..], vectors),
            first,
            second,
            centre: chunks::<T, V>(&rows.centre[start..], vectors),
        }
    }

    /// The five-point Laplacian with unit spacing, in the order of summation of MFN 4.1.
    #[inline(always)]
    fn laplacian<T: Real, V: Vector<T, Chunk = C>>(&self, lanes: Lanes<V>, k: usize, centre: V) -> V {
        let up_and_down = lanes.load(&self.up[k]) + lanes.load(&self.down[k]);
        let neighbours = (up_and_down + lanes.load(&self.first[k])) + lanes.load(&self.second[k]);
        neighbours - lanes.splat(T::of(4.0)) * centre
    }

    /// The divergence of the flux D grad u, where `self` is u and `map` is D. The coefficient of
    /// a face is the mean of the cells beside it, and the flux out of a cell is bit for bit the
    /// flux into its neighbour: nothing is lost between two cells.
    #[inline(always)]
    fn flux_divergence<T: Real, V: Vector<T, Chunk = C>>(
        &self,
        lanes: Lanes<V>,
        k: usize,
        here: V,
        map: &Self,
    ) -> V {
        let from = Face { half: lanes.splat(T::of(0.5)), here, d_here: lanes.load(&map.centre[k]) };
        let up = from.flux::<T>(lanes.load(&map.up[k]), lanes.load(&self.up[k]));
        let down = from.flux::<T>(lanes.load(&map.down[k]), lanes.load(&self.down[k]));
        let first = from.flux::<T>(lanes.load(&map.first[k]), lanes.load(&self.first[k]));
        let second = from.flux::<T>(lanes.load(&map.second[k]), lanes.load(&self.second[k]));
        ((up + down) + first) + second
    }
}

/// One side of the faces of cells.
struct Face<V> {
    half: V,
    here: V,
    d_here: V,
}

impl<V> Face<V> {
    #[inline(always)]
    fn flux<T>(&self, d_there: V, there: V) -> V
    where
        V: Vector<T>,
    {
        (self.half * (self.d_here + d_there)) * (there - self.here)
    }
}

/// The diffusion term of a field: a coefficient for all cells or one for each.
struct Diffusion<'a, V, C> {
    field: Stencil<'a, C>,
    coefficient: V,
    map: Option<Stencil<'a, C>>,
}

impl<'a, V, C> Diffusion<'a, V, C> {
    #[inline(always)]
    fn of<T: Real>(
        rows: &Rows<'a, T>,
        extras: &Extras<'a, T>,
        field: usize,
        coefficient: V,
        vectors: usize,
    ) -> Self
    where
        V: Vector<T, Chunk = C>,
    {
        let map = match extras.diffusion[field] {
            Some(MapRows { up, centre, down }) => {
                let rows = Rows { up, centre, down, stride: 0, first: 1, ..*rows };
                Some(Stencil::of::<T, V>(&rows, 0, vectors))
            }
            None => None,
        };
        Self { field: Stencil::of::<T, V>(rows, field, vectors), coefficient, map }
    }

    #[inline(always)]
    fn at<T: Real, const PLAIN: bool>(&self, lanes: Lanes<V>, k: usize, centre: V) -> V
    where
        V: Vector<T, Chunk = C>,
    {
        match &self.map {
            Some(map) if !PLAIN => self.field.flux_divergence(lanes, k, centre, map),
            _ => self.coefficient * self.field.laplacian(lanes, k, centre),
        }
    }
}

/// The registers of a row of single numbers.
#[inline(always)]
fn chunks<T: Real, V: Vector<T>>(row: &[T], vectors: usize) -> &[V::Chunk] {
    &V::chunks(&row[..vectors * V::LANES])[..vectors]
}

/// The same, if there is one.
#[inline(always)]
#[allow(clippy::manual_map, reason = "a closure could not be forced into the function of a level")]
fn chunks_of<T: Real, V: Vector<T>>(row: Option<&[T]>, vectors: usize) -> Option<&[V::Chunk]> {
    match row {
        Some(row) => Some(chunks::<T, V>(row, vectors)),
        None => None,
    }
}

/// A range in registers, if there is one.
#[inline(always)]
#[allow(clippy::manual_map, reason = "as above")]
fn range_of<T: Real, V: Vector<T>>(lanes: Lanes<V>, range: Option<(f64, f64)>) -> Option<(V, V)> {
    match range {
        Some((low, high)) => Some((lanes.splat(T::of(low)), lanes.splat(T::of(high)))),
        None => None,
    }
}

/// What a kernel works with, and what it has counted: registers that stay the same in a row. The
/// loops are in methods and not in closures, which could not be forced into the function that
/// is compiled for a level.
struct Cells<'a, T, V: Vector<T>> {
    lanes: Lanes<V>,
    threshold: V,
    gain: V,
    time_step: V,
    leak_rate: V,
    rest: V,
    low: V,
    high: V,
    noise: Option<&'a [V::Chunk]>,
    activations: V::Tally,
    clamps: V::Tally,
}

impl<'a, T: Real, V: Vector<T>> Cells<'a, T, V> {
    #[inline(always)]
    fn new(lanes: Lanes<V>, p: &Numbers<T>, noise: Option<&'a [T]>, vectors: usize) -> Self {
        Self {
            lanes,
            threshold: lanes.splat(p.threshold),
            gain: lanes.splat(p.gain),
            time_step: lanes.splat(p.time_step),
            leak_rate: lanes.splat(p.leak_rate),
            rest: lanes.splat(T::of(REST_MEAN_V)),
            low: lanes.splat(T::of(FIELD_MIN_V)),
            high: lanes.splat(T::of(FIELD_MAX_V)),
            noise: chunks_of::<T, V>(noise, vectors),
            activations: V::no_tally(lanes),
            clamps: V::no_tally(lanes),
        }
    }

    /// `change` in a step. Multiplying by a time step of 1 changes no bit.
    #[inline(always)]
    fn over_time<const PLAIN: bool>(&self, change: V) -> V {
        if PLAIN { change } else { self.time_step * change }
    }

    /// The potential after diffusion and leak.
    #[inline(always)]
    fn relaxed<const PLAIN: bool>(&self, v_old: V, diffusion: V, leaks: bool) -> V {
        let mut change = diffusion;
        if leaks {
            change = change + self.leak_rate * (self.rest - v_old);
        }
        v_old + self.over_time::<PLAIN>(change)
    }

    /// The potential after noise and clamp, of which the first `counted` cells count.
    #[inline(always)]
    fn potential<const PLAIN: bool>(&mut self, k: usize, raised: V, counted: usize) -> V {
        let moved = match self.noise {
            Some(noise) if !PLAIN => raised + self.lanes.load(&noise[k]),
            _ => raised,
        };
        let kept = moved.raised_to(self.low).lowered_to(self.high);
        let clamped = kept.differs(moved);
        let clamped = if counted == V::LANES { clamped } else { V::first(clamped, counted) };
        self.clamps = V::counted(self.clamps, clamped);
        kept
    }

    /// What an activator above the threshold adds to the potential.
    #[inline(always)]
    fn activated(&mut self, activator: V, diffused: V, counted: usize) -> V {
        let active = activator.above(self.threshold);
        let raised = (diffused + self.gain).or_else(active, diffused);
        let active = if counted == V::LANES { active } else { V::first(active, counted) };
        self.activations = V::counted(self.activations, active);
        raised
    }

    #[inline(always)]
    fn counts(self) -> Counts {
        Counts { activations: V::total(self.activations), clamps: V::total(self.clamps), not_finite: false }
    }
}

/// The registers of a row of new cells.
#[inline(always)]
fn chunks_out<T: Real, V: Vector<T>>(out: &mut [T], first: usize, vectors: usize) -> &mut [V::Chunk] {
    &mut V::chunks_mut(&mut out[first..first + vectors * V::LANES])[..vectors]
}

/// One step of all three fields: diffusion of the potential, reaction and diffusion of activator
/// and inhibitor from their old values, activation, clamps. `PLAIN`: there are no extras and the
/// time step is 1; `LEAK`, which is for those alone: the potential relaxes to rest.
pub(crate) struct Coupled<'a, T, R, const PLAIN: bool, const LEAK: bool> {
    pub(crate) rows: Rows<'a, T>,
    pub(crate) extras: &'a Extras<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) reaction: &'a R,
    /// The new cells, with the strides of `rows`.
    pub(crate) out: &'a mut [T],
}

/// [`Coupled`] in the registers of a level.
struct CoupledRow<'a, T, V: Vector<T>, R, const PLAIN: bool, const LEAK: bool> {
    cells: Cells<'a, T, V>,
    reaction: R,
    v: Diffusion<'a, V, V::Chunk>,
    a: Diffusion<'a, V, V::Chunk>,
    i: Diffusion<'a, V, V::Chunk>,
    rates: Option<[&'a [V::Chunk]; 2]>,
    factors: [Option<&'a [V::Chunk]>; 2],
    range: Option<(V, V)>,
    leaks: bool,
    v_out: &'a mut [V::Chunk],
    a_out: &'a mut [V::Chunk],
    i_out: &'a mut [V::Chunk],
}

impl<T: Real, V: Vector<T>, R: Reaction<T>, const PLAIN: bool, const LEAK: bool>
    CoupledRow<'_, T, V, R, PLAIN, LEAK>
{
    #[inline(always)]
    fn rates(&self, k: usize, a_old: V, i_old: V) -> (V, V) {
        if PLAIN {
            return self.reaction.rates(a_old, i_old);
        }
        let lanes = self.cells.lanes;
        let (mut f, mut g) = match self.rates {
            Some([f, g]) => (lanes.load(&f[k]), lanes.load(&g[k])),
            None => self.reaction.rates(a_old, i_old),
        };
        if let Some(factor) = self.factors[0] {
            f = lanes.load(&factor[k]) * f;
        }
        if let Some(factor) = self.factors[1] {
            g = lanes.load(&factor[k]) * g;
        }
        (f, g)
    }

    /// A new activator or inhibitor in the range of the kinetics, if it has one.
    #[inline(always)]
    fn within(&self, value: V) -> V {
        match self.range {
            Some((low, high)) => value.raised_to(low).lowered_to(high),
            None => value,
        }
    }

    #[inline(always)]
    fn cell(&mut self, k: usize, counted: usize) {
        let lanes = self.cells.lanes;
        let v_old = lanes.load(&self.v.field.centre[k]);
        let a_old = lanes.load(&self.a.field.centre[k]);
        let i_old = lanes.load(&self.i.field.centre[k]);
        let (f, g) = self.rates(k, a_old, i_old);
        let a_change = self.a.at::<T, PLAIN>(lanes, k, a_old) + f;
        let i_change = self.i.at::<T, PLAIN>(lanes, k, i_old) + g;
        let a_new = a_old + self.cells.over_time::<PLAIN>(a_change);
        let i_new = i_old + self.cells.over_time::<PLAIN>(i_change);
        let diffusion = self.v.at::<T, PLAIN>(lanes, k, v_old);
        // Known at compile time in the plain kernels.
        let leaks = if PLAIN { LEAK } else { self.leaks };
        let diffused = self.cells.relaxed::<PLAIN>(v_old, diffusion, leaks);
        // The threshold is tested before the activator is clamped.
        let raised = self.cells.activated(a_new, diffused, counted);
        self.cells.potential::<PLAIN>(k, raised, counted).store(&mut self.v_out[k]);
        self.within(a_new).store(&mut self.a_out[k]);
        self.within(i_new).store(&mut self.i_out[k]);
    }
}

impl<T: Real, R: Reaction<T>, const PLAIN: bool, const LEAK: bool> LaneWork<T>
    for Coupled<'_, T, R, PLAIN, LEAK>
{
    type Output = Counts;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> Counts {
        let Self { rows, extras, numbers: p, reaction, out } = self;
        let (whole, rest) = (rows.cells / V::LANES, rows.cells % V::LANES);
        let vectors = whole + usize::from(rest > 0);
        let (v_out, others) = out.split_at_mut(rows.stride);
        let (a_out, i_out) = others.split_at_mut(rows.stride);
        let range = range_of::<T, V>(lanes, R::CLAMP);
        // What a plain row does not have is not looked for.
        let extras = if PLAIN { &Extras::NONE } else { extras };
        let rates = extras.rates.map(|[f, g]| [chunks::<T, V>(f, vectors), chunks::<T, V>(g, vectors)]);
        let mut row = CoupledRow::<T, V, R, PLAIN, LEAK> {
            cells: Cells::new(lanes, p, extras.noise, vectors),
            reaction: reaction.clone(),
            v: Diffusion::of::<T>(&rows, extras, 0, lanes.splat(p.alpha), vectors),
            a: Diffusion::of::<T>(&rows, extras, 1, lanes.splat(p.d_activator), vectors),
            i: Diffusion::of::<T>(&rows, extras, 2, lanes.splat(p.d_inhibitor), vectors),
            rates,
            factors: [
                chunks_of::<T, V>(extras.factors[0], vectors),
                chunks_of::<T, V>(extras.factors[1], vectors),
            ],
            range,
            leaks: p.leak_rate != T::ZERO,
            v_out: chunks_out::<T, V>(v_out, rows.first, vectors),
            a_out: chunks_out::<T, V>(a_out, rows.first, vectors),
            i_out: chunks_out::<T, V>(i_out, rows.first, vectors),
        };
        if !PLAIN {
            // One copy of a long body.
            for k in 0..vectors {
                row.cell(k, if k < whole { V::LANES } else { rest });
            }
            return row.cells.counts();
        }
        for k in 0..whole {
            row.cell(k, V::LANES);
        }
        if rest > 0 {
            row.cell(whole, rest);
        }
        row.cells.counts()
    }
}

/// Diffusion, leak, noise and clamp of the potential alone; its rows are those of one field.
pub(crate) struct Alone<'a, T> {
    pub(crate) rows: Rows<'a, T>,
    pub(crate) extras: &'a Extras<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) out: &'a mut [T],
}

/// [`Alone`] in the registers of a level.
struct AloneRow<'a, T, V: Vector<T>> {
    cells: Cells<'a, T, V>,
    leaks: bool,
    v: Diffusion<'a, V, V::Chunk>,
    out: &'a mut [V::Chunk],
}

impl<T: Real, V: Vector<T>> AloneRow<'_, T, V> {
    #[inline(always)]
    fn cell(&mut self, k: usize, counted: usize) {
        let v_old = self.cells.lanes.load(&self.v.field.centre[k]);
        let diffusion = self.v.at::<T, false>(self.cells.lanes, k, v_old);
        let diffused = self.cells.relaxed::<false>(v_old, diffusion, self.leaks);
        self.cells.potential::<false>(k, diffused, counted).store(&mut self.out[k]);
    }
}

impl<T: Real> LaneWork<T> for Alone<'_, T> {
    type Output = Counts;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> Counts {
        let Self { rows, extras, numbers: p, out } = self;
        let (whole, rest) = (rows.cells / V::LANES, rows.cells % V::LANES);
        let vectors = whole + usize::from(rest > 0);
        let mut row = AloneRow::<T, V> {
            cells: Cells::new(lanes, p, extras.noise, vectors),
            leaks: p.leak_rate != T::ZERO,
            v: Diffusion::of::<T>(&rows, extras, 0, lanes.splat(p.alpha), vectors),
            out: chunks_out::<T, V>(out, rows.first, vectors),
        };
        for k in 0..vectors {
            row.cell(k, if k < whole { V::LANES } else { rest });
        }
        row.cells.counts()
    }
}

/// Copies finished cells and tells whether one of them is NaN or infinite.
pub(crate) struct Finish<'a, T> {
    pub(crate) from: &'a [T],
    pub(crate) to: &'a mut [T],
}

impl<T: Real> LaneWork<T> for Finish<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> bool {
        let n = self.to.len();
        let from = &self.from[..n];
        let whole = n / V::LANES * V::LANES;
        let (sources, targets) = (V::chunks(&from[..whole]), V::chunks_mut(&mut self.to[..whole]));
        let zero = lanes.splat(T::ZERO);
        // 0 times NaN or infinity is NaN, and stays it in the sum.
        let mut sum = zero;
        for (source, target) in sources.iter().zip(targets) {
            let value = lanes.load(source);
            sum = sum + value * zero;
            value.store(target);
        }
        let mut not_finite = V::total(V::counted(V::no_tally(lanes), sum.differs(zero))) > 0;
        for (source, target) in from[whole..].iter().zip(&mut self.to[whole..]) {
            not_finite |= !source.is_finite();
            *target = *source;
        }
        not_finite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the clamp: NaN stays, infinities and limits do not move wrongly.
    #[test]
    fn clamp_keeps_nan() {
        assert!(clamp(f64::NAN, 0.0, 1.0).is_nan());
        assert_eq!(clamp(f64::NEG_INFINITY, 0.0, 1.0), 0.0);
        assert_eq!([0.0, 0.5, 1.0, 2.0].map(|x| clamp(x, 0.0, 1.0)), [0.0, 0.5, 1.0, 1.0]);
    }
}
