//! What the kernels share: the numbers of a step in registers, the potential, the counts.

use super::super::constants::{FIELD_MAX_V, FIELD_MIN_V, REST_MEAN_V};
use super::stencil::chunks_of;
use super::{Counts, Numbers};
use crate::real::Real;
use crate::simd::{Lanes, Vector};

/// What a kernel works with, and what it has counted: registers that stay the same in a row.
pub(super) struct Cells<'a, T, V: Vector<T>> {
    pub(super) lanes: Lanes<V>,
    threshold: V,
    /// What an activated cell loses: the negative of its gain, V.
    loss: V,
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
    pub(super) fn new(lanes: Lanes<V>, p: &Numbers<T>, noise: Option<&'a [T]>, vectors: usize) -> Self {
        Self {
            lanes,
            threshold: lanes.splat(p.threshold),
            loss: lanes.splat(-p.gain),
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
    pub(super) fn over_time(&self, change: V) -> V {
        self.time_step * change
    }

    /// The potential after diffusion and leak.
    #[inline(always)]
    pub(super) fn relaxed(&self, v_old: V, diffusion: V, leaks: bool) -> V {
        let mut change = diffusion;
        if leaks {
            change = change + self.leak_rate * (self.rest - v_old);
        }
        v_old + self.over_time(change)
    }

    /// The potential after noise and clamp, of which the first `counted` cells count.
    #[inline(always)]
    pub(super) fn potential(&mut self, k: usize, raised: V, counted: usize) -> V {
        let moved = match self.noise {
            Some(noise) => raised + self.lanes.load(&noise[k]),
            None => raised,
        };
        let kept = moved.raised_to(self.low).lowered_to(self.high);
        let clamped = kept.differs(moved);
        let clamped = if counted == V::LANES { clamped } else { V::first(clamped, counted) };
        self.clamps = V::counted(self.clamps, clamped);
        kept
    }

    /// What an activator above the threshold adds to the potential.
    #[inline(always)]
    pub(super) fn activated(&mut self, activator: V, diffused: V, counted: usize) -> V {
        let active = activator.above(self.threshold);
        let raised = diffused.less_where(active, self.loss);
        let active = if counted == V::LANES { active } else { V::first(active, counted) };
        self.activations = V::counted(self.activations, active);
        raised
    }

    #[inline(always)]
    pub(super) fn counts(&self) -> Counts {
        Counts { activations: V::total(self.activations), clamps: V::total(self.clamps), not_finite: false }
    }
}
