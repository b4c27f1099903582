//! From the kinetics of a specification to the kernel that computes a row.
//!
//! Everything around a row (tiles, threads, boundaries) is compiled once for each precision;
//! only the kernels behind [`RowKernel`] are compiled for each kinetics.

use super::block::Block;
use super::calm::{Prior, Watch, Watched};
use super::kernel::{Alone, Batch, Counts, Coupled, Extras, Mend, Numbers, Plain};
use crate::kinetics::{HostReaction, HostReactionError, Kinetics, Reaction, Visitor};
use crate::real::{Real, Value};
use crate::simd::{DetectedLevel, on_lanes};

/// Computes rows of one step.
pub(super) trait RowKernel<T>: Sync {
    /// Fields that advance: 3, or 1 for the potential alone.
    fn fields(&self) -> usize;

    /// Computes rows. `extras` is `None` where there are none; else there is one row.
    fn rows(&self, level: DetectedLevel, batch: &mut Batch<'_, T>, extras: Option<&Extras<'_, T>>) -> Counts;
}

/// Equations of this library, or of the host where the extras bring the rates.
struct Reacting<T, R> {
    reaction: R,
    numbers: Numbers<T>,
    /// See [`Fields::are_tame`](super::grid::Fields::are_tame).
    tame: bool,
    /// See [`Prior::watch`].
    watched: Watched,
}

impl<T: Real, R: Reaction<T>> RowKernel<T> for Reacting<T, R> {
    fn fields(&self) -> usize {
        3
    }

    fn rows(&self, level: DetectedLevel, batch: &mut Batch<'_, T>, extras: Option<&Extras<'_, T>>) -> Counts {
        let Self { reaction, numbers, tame, watched } = self;
        // Compiled for kinetics that can be calm only.
        if R::RANGE_OF_F.is_some() && extras.is_none() && level.is_for_speed() {
            let watch = if batch.beside_event { watched.beside_event } else { watched.elsewhere };
            match watch {
                Watch::Nothing => {
                    on_lanes(
                        level,
                        Plain::<_, _, false, { Watch::Nothing as u8 }> { batch, numbers, reaction },
                    );
                    return Counts::default();
                }
                Watch::Low => {
                    on_lanes(level, Plain::<_, _, false, { Watch::Low as u8 }> { batch, numbers, reaction });
                    return Counts::default();
                }
                Watch::All => {}
            }
        }
        let extras = extras.unwrap_or(&Extras::NONE);
        let plain = level.is_for_speed() && extras.are_noise_alone() && *tame;
        if !plain || !tells_of_clamp::<T, R>(numbers.threshold) {
            return on_lanes(level, Coupled { batch, extras, numbers, reaction });
        }
        // One loop for all that v4.1 has not: two more would be 100 KB to load.
        let timed = numbers.leak_rate != T::ZERO || numbers.time_step != T::ONE;
        let eventful = if timed {
            on_lanes(level, Plain::<_, _, true, { Watch::All as u8 }> { batch, numbers, reaction })
        } else {
            on_lanes(level, Plain::<_, _, false, { Watch::All as u8 }> { batch, numbers, reaction })
        };
        let noise = extras.noise;
        if eventful || noise.is_some() {
            let range = if eventful { R::CLAMP } else { None };
            on_lanes(level, Mend { batch, numbers, noise, range })
        } else {
            Counts::default()
        }
    }
}

/// Whether the second pass is told of every activator above its range: it is above the threshold. One that is below its
/// range must not be, as it is not there any more when that pass looks.
fn tells_of_clamp<T: Real, R: Reaction<T>>(threshold: T) -> bool {
    R::CLAMP.is_none_or(|(low, high)| T::of(low) <= threshold && threshold <= T::of(high))
}

/// The potential alone.
struct Standing<T> {
    numbers: Numbers<T>,
}

impl<T: Real> RowKernel<T> for Standing<T> {
    fn fields(&self) -> usize {
        1
    }

    fn rows(&self, level: DetectedLevel, batch: &mut Batch<'_, T>, extras: Option<&Extras<'_, T>>) -> Counts {
        on_lanes(level, Alone { batch, extras: extras.unwrap_or(&Extras::NONE), numbers: &self.numbers })
    }
}

/// Stands for the equations that a host does not tell.
#[derive(Clone)]
struct Untold;

impl<T: Real> Reaction<T> for Untold {
    const CLAMP: Option<(f64, f64)> = None;

    #[inline(always)]
    fn rates<V: Value<T>>(&self, u: V, v: V) -> (V, V) {
        (u, v)
    }
}

/// The rates of the host, which it gives without the factors.
#[derive(Clone, Copy)]
pub(super) struct Hosted<'a, T> {
    host: &'a dyn HostReaction,
    factors: [T; 2],
}

impl<T: Real> Hosted<'_, T> {
    /// The rates at the cells of two rows of one length. `wide` has room for u, v and their
    /// rates in double precision.
    pub(super) fn rates(
        &self,
        [a, i]: [&[T]; 2],
        rates: [&mut [T]; 2],
        [u, v, du, dv]: &mut [Vec<f64>; 4],
    ) -> Result<(), HostReactionError> {
        let n = a.len();
        let (u, v, du, dv) = (&mut u[..n], &mut v[..n], &mut du[..n], &mut dv[..n]);
        for (wide, narrow) in u.iter_mut().zip(a).chain(v.iter_mut().zip(i)) {
            *wide = narrow.wide();
        }
        self.host.rates(u, v, du, dv)?;
        for ((rate, wide), factor) in rates.into_iter().zip([du, dv]).zip(self.factors) {
            for (narrow, wide) in rate.iter_mut().zip(wide) {
                *narrow = factor * T::of(*wide);
            }
        }
        Ok(())
    }
}

/// What is done with a kernel, whichever it is.
pub(super) trait WithKernel<T> {
    type Output;

    fn run(self, kernel: &dyn RowKernel<T>, hosted: Option<Hosted<'_, T>>) -> Self::Output;

    /// The kinetics is the host's, and the host gave none.
    fn missing(self) -> Self::Output;
}

/// Hands the kernel of a block to `work`. `factors` of the rates that have a map are 1; `prior` is what is known of the
/// cells before the block.
pub(super) fn with_kernel<T: Real, W: WithKernel<T>>(
    block: &Block<'_, T>,
    factors: Option<[f64; 2]>,
    prior: &Prior,
    work: W,
) -> W::Output {
    let numbers = block.numbers;
    let Some(factors) = factors else {
        return work.run(&Standing { numbers }, None);
    };
    if let (Kinetics::Host, Some(host)) = (block.kinetics, block.host) {
        let hosted = Hosted { host, factors: factors.map(T::of) };
        let reacting = Reacting { reaction: Untold, numbers, tame: prior.tame, watched: Watched::ALL };
        return work.run(&reacting, Some(hosted));
    }
    block.kinetics.visit(factors[0], factors[1], Chosen { block, factors, prior, work })
}

struct Chosen<'a, 'b, T, W> {
    block: &'a Block<'b, T>,
    factors: [f64; 2],
    prior: &'a Prior,
    work: W,
}

impl<T: Real, W: WithKernel<T>> Visitor<T> for Chosen<'_, '_, T, W> {
    type Output = W::Output;

    fn reaction<R: Reaction<T>>(self, reaction: R) -> W::Output {
        let Self { block, factors, prior, work } = self;
        let watched =
            R::RANGE_OF_F.map_or(Watched::ALL, |range_of_f| prior.watch(block, range_of_f, factors));
        work.run(&Reacting { reaction, numbers: block.numbers, tame: prior.tame, watched }, None)
    }

    fn host(self) -> W::Output {
        self.work.missing()
    }
}
