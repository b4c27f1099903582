//! Vector registers: the same code compiled for several instruction sets, chosen at run time.
//!
//! A kernel is written once, over [`Vector`] where every instruction counts ([`on_lanes`]), else
//! as a plain loop ([`vectorised`]). Both compile it for the instruction set of the build, for
//! AVX2 and for AVX-512, and run the one asked for. No level fuses a multiplication with an
//! addition but where all do ([`Vector::times_plus`]) or where it makes no difference
//! ([`Vector::less_exact_product`]), and no kernel sums floating-point numbers across cells,
//! so all levels give the same bits. This is the only place of the crate with unsafe code.
#![allow(
    unsafe_code,
    reason = "intrinsics, calls of functions compiled for instructions that were detected, memory of the system"
)]

mod aligned;
mod around;
mod cache;
mod memory;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod scalar;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

use serde::{Deserialize, Serialize};

use crate::real::Real;
pub(crate) use aligned::Aligned;
pub(crate) use around::{Around, Copied, Neighbours, RowForm, Sheet, TwoRows, too_short};
pub(crate) use cache::cache_bytes;
pub(crate) use memory::{PastCaches, cells_to_line, past_caches, prefetch};
pub(crate) use vector::{LaneWork, Lanes, Registers, Vector};

/// Which vector instructions the row kernels use. It never changes a bit of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SimdLevel {
    /// The widest that this machine has.
    #[default]
    Auto,
    /// What every machine of the architecture has: SSE2 on x86-64, NEON on AArch64.
    Baseline,
    /// AVX2 with FMA: 256-bit registers.
    Avx2,
    /// AVX-512 (F, BW, DQ and VL): 512-bit registers.
    Avx512,
}

/// A level that this machine does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this machine has no {} instructions: use auto or one of {}", .level.name(), names(&SimdLevel::available()))]
pub struct UnavailableLevel {
    /// The level asked for.
    pub level: SimdLevel,
}

fn names(levels: &[SimdLevel]) -> String {
    levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(", ")
}

impl SimdLevel {
    /// The name used in options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine can run the level.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Auto | Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The levels of this machine, the narrowest first, without [`Auto`](Self::Auto).
    #[must_use]
    pub fn available() -> Vec<Self> {
        [Self::Baseline, Self::Avx2, Self::Avx512].into_iter().filter(|level| level.is_available()).collect()
    }

    /// The level that is run: for [`Auto`](Self::Auto) the widest of this machine.
    ///
    /// # Errors
    /// [`UnavailableLevel`] when this machine does not have it.
    pub(crate) fn resolve(self) -> Result<DetectedLevel, UnavailableLevel> {
        if !self.is_available() {
            return Err(UnavailableLevel { level: self });
        }
        let widest = || Self::available().last().copied().unwrap_or(Self::Baseline);
        Ok(DetectedLevel(if self == Self::Auto { widest() } else { self }))
    }
}

/// A level that this machine was seen to have. Only [`SimdLevel::resolve`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DetectedLevel(SimdLevel);

impl DetectedLevel {
    /// What every machine has.
    pub(crate) const BASELINE: Self = Self(SimdLevel::Baseline);

    /// Whether machines of today run this level, so that code of its own for a frequent case pays for
    /// its bytes. Of x86-64 that is not so of the baseline: all since 2013 to 2015 have AVX2.
    #[inline(always)]
    pub(crate) fn is_for_speed(self) -> bool {
        !cfg!(target_arch = "x86_64") || matches!(self.0, SimdLevel::Avx2 | SimdLevel::Avx512)
    }

    /// The level; never [`SimdLevel::Auto`].
    pub(crate) fn level(self) -> SimdLevel {
        self.0
    }
}

/// Work whose loops are to be compiled for every level. `run` and all it calls in its loops
/// must be `#[inline(always)]`, or they are compiled for the baseline only.
pub(crate) trait Vectorised {
    /// What the work gives.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

/// Does the work with the instructions of a level.
#[inline]
pub(crate) fn vectorised<W: Vectorised>(level: DetectedLevel, work: W) -> W::Output {
    match level.0 {
        // SAFETY: a `DetectedLevel` is made only after this machine was seen to have the level.
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 => unsafe { with_avx2(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx512 => unsafe { with_avx512(work) },
        _ => work.run(),
    }
}

/// Does work over vectors with the registers of a level.
#[inline]
pub(crate) fn on_lanes<T: Real, W: LaneWork<T>>(level: DetectedLevel, work: W) -> W::Output {
    match level.0 {
        // SAFETY: a `DetectedLevel` is made only after this machine was seen to have the level.
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx2 => unsafe { lanes_of_avx2(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        SimdLevel::Avx512 => unsafe { lanes_of_avx512(work) },
        _ => lanes_of_baseline(work),
    }
}

/// In a function of its own as the others: what is compiled beside a loop decides which registers it has.
#[inline(never)]
fn lanes_of_baseline<T: Real, W: LaneWork<T>>(work: W) -> W::Output {
    // SAFETY: every machine of the architecture has these.
    work.run(unsafe { Lanes::<T::Baseline>::proven() })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn lanes_of_avx2<T: Real, W: LaneWork<T>>(work: W) -> W::Output {
    // SAFETY: this function is called and compiled for AVX2 only.
    work.run(unsafe { Lanes::<T::Avx2>::proven() })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn lanes_of_avx512<T: Real, W: LaneWork<T>>(work: W) -> W::Output {
    // SAFETY: this function is called and compiled for AVX-512 only.
    work.run(unsafe { Lanes::<T::Avx512>::proven() })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<W: Vectorised>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn with_avx512<W: Vectorised>(work: W) -> W::Output {
    work.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells above a threshold as bits.
    struct Above<'a, T>(&'a [T], T);

    impl<T: Real> LaneWork<T> for Above<'_, T> {
        type Output = u64;

        #[inline(always)]
        fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> u64 {
            let bits =
                V::chunks(self.0).iter().map(|chunk| V::bits(lanes.load(chunk).above(lanes.splat(self.1))));
            bits.enumerate().fold(0, |all, (index, bits)| all | bits << (index * V::LANES))
        }
    }

    fn bits_are_the_lanes_of<T: Real>() {
        for pattern in [0, u64::MAX, 1, 1 << 63, 0x0123_4567_89AB_CDEF] {
            let cells: Vec<T> = (0..64).map(|cell| T::of((pattern >> cell & 1) as f64)).collect();
            for level in SimdLevel::available() {
                let level = level.resolve().expect("available");
                assert_eq!(on_lanes(level, Above(&cells, T::ZERO)), pattern, "{pattern:x}, {level:?}");
            }
        }
    }

    /// Guards the bits of a mask at every level: one for each lane, and in their order.
    #[test]
    fn bits_are_the_lanes() {
        bits_are_the_lanes_of::<f64>();
        bits_are_the_lanes_of::<f32>();
    }

    /// Guards the choice: auto is the widest, and a level that is missing is refused by name.
    #[test]
    fn levels_are_detected() {
        let available = SimdLevel::available();
        assert_eq!(available.first(), Some(&SimdLevel::Baseline));
        assert_eq!(SimdLevel::Auto.resolve().map(DetectedLevel::level), Ok(available[available.len() - 1]));
        for level in [SimdLevel::Avx2, SimdLevel::Avx512] {
            match level.resolve() {
                Ok(detected) => assert_eq!(detected.level(), level),
                Err(error) => assert!(error.to_string().contains(level.name()), "{error}"),
            }
        }
    }
}
