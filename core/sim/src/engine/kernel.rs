//! The row kernels: what happens to the cells of a window in one step.
//!
//! [`Fused`] does diffusion, reaction and clamping in one loop. Where there is noise, a map or
//! a host's kinetics, the same operations run one after another over buffers of a strip
//! ([`Diffuse`], [`DiffuseMap`], [`React`], [`FillNoise`], [`Combine`]), in the same order for
//! each cell, so that both ways give the same bits. Each kernel is a plain loop that
//! [`vectorised`](crate::simd::vectorised) compiles for every level.

use super::constants::{FIELD_MAX_V, FIELD_MIN_V, REST_MEAN_V};
use super::stencil::Window;
use crate::kinetics::Reaction;
use crate::real::Real;
use crate::rng::Philox;
use crate::simd::Vectorised;

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

/// What happened in a row or a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Cells whose activator exceeded the threshold.
    pub(crate) activations: u64,
    /// Cells whose potential was changed by the clamp; a NaN cell counts.
    pub(crate) clamps: u64,
    /// Whether any of the new values is NaN or infinite.
    pub(crate) not_finite: bool,
}

impl Counts {
    #[inline(always)]
    pub(crate) fn add(&mut self, other: Self) {
        self.activations += other.activations;
        self.clamps += other.clamps;
        self.not_finite |= other.not_finite;
    }
}

/// Counts of a window, in the width of its cells.
struct Tally<T: Real> {
    activations: T::Count,
    clamps: T::Count,
    not_finite: bool,
}

impl<T: Real> Tally<T> {
    #[inline(always)]
    fn new() -> Self {
        Self { activations: T::Count::default(), clamps: T::Count::default(), not_finite: false }
    }

    #[inline(always)]
    fn counts(self) -> Counts {
        Counts {
            activations: self.activations.into(),
            clamps: self.clamps.into(),
            not_finite: self.not_finite,
        }
    }

    /// Moves the new potential of a cell into its range.
    #[inline(always)]
    fn potential(&mut self, value: T) -> T {
        let kept = clamp(value, T::of(FIELD_MIN_V), T::of(FIELD_MAX_V));
        self.clamps += T::Count::from(kept != value);
        self.not_finite |= !kept.is_finite();
        kept
    }

    /// Moves a new activator or inhibitor into the range of the kinetics, if it has one.
    #[inline(always)]
    fn morphogen(&mut self, value: T, range: Option<(f64, f64)>) -> T {
        let kept = match range {
            Some((low, high)) => clamp(value, T::of(low), T::of(high)),
            None => value,
        };
        self.not_finite |= !kept.is_finite();
        kept
    }
}

/// The potential after diffusion and leak, before anything else.
#[inline(always)]
fn relaxed<T: Real, const LEAK: bool>(v_old: T, diffusion: T, p: &Numbers<T>) -> T {
    let mut change = diffusion;
    if LEAK {
        change += p.leak_rate * (T::of(REST_MEAN_V) - v_old);
    }
    v_old + p.time_step * change
}

/// The new cells of a window.
pub(crate) struct Next<'a, T> {
    pub(crate) v: &'a mut [T],
    pub(crate) a: &'a mut [T],
    pub(crate) i: &'a mut [T],
}

/// One step of all three fields: diffusion of the potential, reaction and diffusion of
/// activator and inhibitor from their old values, activation, clamps.
pub(crate) struct Fused<'a, T, R, const LEAK: bool> {
    pub(crate) windows: [Window<'a, T>; 3],
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) reaction: &'a R,
    pub(crate) next: Next<'a, T>,
}

impl<T: Real, R: Reaction<T>, const LEAK: bool> Vectorised for Fused<'_, T, R, LEAK> {
    type Output = Counts;

    #[inline(always)]
    fn run(self) -> Counts {
        let Self { windows: [v, a, i], numbers: p, reaction, next } = self;
        let n = next.v.len();
        let (v, a, i) = (v.cut(n), a.cut(n), i.cut(n));
        let (v_next, a_next, i_next) = (next.v, &mut next.a[..n], &mut next.i[..n]);
        let mut tally = Tally::<T>::new();
        for j in 0..n {
            let (a_old, i_old) = (a.centre[j], i.centre[j]);
            let (f, g) = reaction.rates(a_old, i_old);
            let mut a_change = p.d_activator * a.laplacian(j);
            a_change += f;
            let mut i_change = p.d_inhibitor * i.laplacian(j);
            i_change += g;
            let a_new = a_old + p.time_step * a_change;
            let i_new = i_old + p.time_step * i_change;

            // The threshold is tested before the activator is clamped.
            let active = a_new > p.threshold;
            tally.activations += T::Count::from(active);
            let diffused = relaxed::<T, LEAK>(v.centre[j], p.alpha * v.laplacian(j), p);
            let raised = if active { diffused + p.gain } else { diffused };
            v_next[j] = tally.potential(raised);
            a_next[j] = tally.morphogen(a_new, R::CLAMP);
            i_next[j] = tally.morphogen(i_new, R::CLAMP);
        }
        tally.counts()
    }
}

/// Diffusion, leak and clamp of the potential alone.
pub(crate) struct PotentialAlone<'a, T, const LEAK: bool> {
    pub(crate) v: Window<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) v_next: &'a mut [T],
}

impl<T: Real, const LEAK: bool> Vectorised for PotentialAlone<'_, T, LEAK> {
    type Output = Counts;

    #[inline(always)]
    fn run(self) -> Counts {
        let Self { v, numbers: p, v_next } = self;
        let n = v_next.len();
        let v = v.cut(n);
        let mut tally = Tally::<T>::new();
        for (j, v_next) in v_next.iter_mut().enumerate() {
            let diffused = relaxed::<T, LEAK>(v.centre[j], p.alpha * v.laplacian(j), p);
            *v_next = tally.potential(diffused);
        }
        tally.counts()
    }
}

/// D L(u) into `out`.
pub(crate) struct Diffuse<'a, T> {
    pub(crate) u: Window<'a, T>,
    pub(crate) coefficient: T,
    pub(crate) out: &'a mut [T],
}

impl<T: Real> Vectorised for Diffuse<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let u = self.u.cut(self.out.len());
        for (j, out) in self.out.iter_mut().enumerate() {
            *out = self.coefficient * u.laplacian(j);
        }
    }
}

/// The divergence of D grad u into `out`, with a coefficient for each cell.
pub(crate) struct DiffuseMap<'a, T> {
    pub(crate) u: Window<'a, T>,
    pub(crate) map: Window<'a, T>,
    pub(crate) out: &'a mut [T],
}

impl<T: Real> Vectorised for DiffuseMap<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (u, map) = (self.u.cut(self.out.len()), self.map.cut(self.out.len()));
        for (j, out) in self.out.iter_mut().enumerate() {
            *out = u.flux_divergence(&map, j);
        }
    }
}

/// The rates into `f` and `g`.
pub(crate) struct React<'a, T, R> {
    pub(crate) reaction: &'a R,
    pub(crate) a: &'a [T],
    pub(crate) i: &'a [T],
    pub(crate) f: &'a mut [T],
    pub(crate) g: &'a mut [T],
}

impl<T: Real, R: Reaction<T>> Vectorised for React<'_, T, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (((&a, &i), f), g) in self.a.iter().zip(self.i).zip(self.f).zip(self.g) {
            (*f, *g) = self.reaction.rates(a, i);
        }
    }
}

/// Multiplies each rate by the factor of its cell.
pub(crate) fn scale<T: Real>(rates: &mut [T], factors: &[T]) {
    for (rate, &factor) in rates.iter_mut().zip(factors) {
        *rate = factor * *rate;
    }
}

/// Normal noise for the cells from `first_cell` on.
pub(crate) struct FillNoise<'a, T> {
    pub(crate) philox: Philox,
    pub(crate) deviation: f64,
    pub(crate) first_cell: u64,
    pub(crate) out: &'a mut [T],
}

impl<T: Real> Vectorised for FillNoise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.philox.fill_normal(self.first_cell, self.deviation, self.out);
    }
}

/// Old values and changes of a stretch of cells; the slices have one length.
#[derive(Clone, Copy)]
pub(crate) struct Changes<'a, T> {
    pub(crate) old: &'a [T],
    /// The diffusion term.
    pub(crate) diffusion: &'a [T],
    /// The rate; empty for the potential.
    pub(crate) rate: &'a [T],
}

/// Adds up what [`Fused`] has in registers.
pub(crate) struct Combine<'a, T, const LEAK: bool> {
    pub(crate) changes: [Changes<'a, T>; 3],
    pub(crate) numbers: &'a Numbers<T>,
    /// The range of activator and inhibitor; infinite for none.
    pub(crate) range: (f64, f64),
    /// Empty for none.
    pub(crate) noise: &'a [T],
    pub(crate) next: Next<'a, T>,
}

impl<T: Real, const LEAK: bool> Vectorised for Combine<'_, T, LEAK> {
    type Output = Counts;

    #[inline(always)]
    fn run(self) -> Counts {
        let Self { changes: [v, a, i], numbers: p, range, noise, next } = self;
        let n = next.v.len();
        let (v_next, a_next, i_next) = (next.v, &mut next.a[..n], &mut next.i[..n]);
        let (v_old, v_diffusion) = (&v.old[..n], &v.diffusion[..n]);
        let (a_old, a_diffusion, f) = (&a.old[..n], &a.diffusion[..n], &a.rate[..n]);
        let (i_old, i_diffusion, g) = (&i.old[..n], &i.diffusion[..n], &i.rate[..n]);
        let noise = if noise.is_empty() { None } else { Some(&noise[..n]) };
        let mut tally = Tally::<T>::new();
        for j in 0..n {
            let mut a_change = a_diffusion[j];
            a_change += f[j];
            let mut i_change = i_diffusion[j];
            i_change += g[j];
            let a_new = a_old[j] + p.time_step * a_change;
            let i_new = i_old[j] + p.time_step * i_change;
            let active = a_new > p.threshold;
            tally.activations += T::Count::from(active);
            let diffused = relaxed::<T, LEAK>(v_old[j], v_diffusion[j], p);
            let raised = if active { diffused + p.gain } else { diffused };
            v_next[j] = tally.potential(noise.map_or(raised, |noise| raised + noise[j]));
            a_next[j] = tally.morphogen(a_new, Some(range));
            i_next[j] = tally.morphogen(i_new, Some(range));
        }
        tally.counts()
    }
}

/// As [`Combine`], for the potential alone.
pub(crate) struct CombinePotential<'a, T, const LEAK: bool> {
    pub(crate) v: Changes<'a, T>,
    pub(crate) numbers: &'a Numbers<T>,
    /// Empty for none.
    pub(crate) noise: &'a [T],
    pub(crate) v_next: &'a mut [T],
}

impl<T: Real, const LEAK: bool> Vectorised for CombinePotential<'_, T, LEAK> {
    type Output = Counts;

    #[inline(always)]
    fn run(self) -> Counts {
        let Self { v, numbers: p, noise, v_next } = self;
        let n = v_next.len();
        let (v_old, v_diffusion) = (&v.old[..n], &v.diffusion[..n]);
        let noise = if noise.is_empty() { None } else { Some(&noise[..n]) };
        let mut tally = Tally::<T>::new();
        for j in 0..n {
            let diffused = relaxed::<T, LEAK>(v_old[j], v_diffusion[j], p);
            v_next[j] = tally.potential(noise.map_or(diffused, |noise| diffused + noise[j]));
        }
        tally.counts()
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
