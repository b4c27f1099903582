//! The registers of AArch64. Every machine of the architecture has NEON, so that its
//! instructions need no proof; loads and stores go through arrays, which the compiler turns into
//! single instructions.

use std::arch::aarch64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::vector::{Lanes, Registers, Vector};
use crate::real::Value;

macro_rules! neon {
    ($name:ident($register:ty) of $lanes:literal $scalar:ty, counts $integers:ty, $count:ty:
     $add:ident $sub:ident $mul:ident $div:ident, $load:ident $store:ident $splat:ident $extract:ident $fused:ident $fused_less:ident,
     $greater:ident $equal:ident $blend:ident $not:expr,
     $count_splat:ident $count_sub:ident $and:ident $count_load:ident $count_store:ident $across:ident) => {
        /// A register.
        #[derive(Clone, Copy)]
        pub struct $name($register);

        neon!(@operator $name Add add $add);
        neon!(@operator $name Sub sub $sub);
        neon!(@operator $name Mul mul $mul);
        neon!(@operator $name Div div $div);

        impl Value<$scalar> for $name {
            #[inline(always)]
            fn fill(self, value: $scalar) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $splat(value) })
            }
        }

        impl Vector<$scalar> for $name {
            type Chunk = [$scalar; $lanes];
            type Mask = $integers;
            type Tally = $integers;
            const LANES: usize = $lanes;

            #[inline(always)]
            fn chunks(cells: &[$scalar]) -> &[Self::Chunk] {
                cells.as_chunks().0
            }

            #[inline(always)]
            fn chunks_mut(cells: &mut [$scalar]) -> &mut [Self::Chunk] {
                cells.as_chunks_mut().0
            }

            #[inline(always)]
            fn splat(_: Lanes<Self>, value: $scalar) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $splat(value) })
            }

            #[inline(always)]
            fn load(_: Lanes<Self>, chunk: &Self::Chunk) -> Self {
                // SAFETY: every machine of the architecture has the instruction; the chunk is as
                // long as the register.
                Self(unsafe { $load(chunk.as_ptr()) })
            }

            #[inline(always)]
            fn one_back(self, _: Lanes<Self>, before: Self) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $extract::<{ $lanes - 1 }>(before.0, self.0) })
            }

            #[inline(always)]
            fn times_plus(self, factor: Self, addend: Self) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $fused(addend.0, self.0, factor.0) })
            }

            /// All units of a machine that has such registers add as well as they multiply.
            #[inline(always)]
            fn plus_by_product(self, other: Self, _: Self) -> Self {
                self + other
            }

            #[inline(always)]
            fn store(self, chunk: &mut Self::Chunk) {
                // SAFETY: as for `load`.
                unsafe { $store(chunk.as_mut_ptr(), self.0) }
            }

            // The instructions for minimum and maximum treat NaN and -0 in their own way.
            #[inline(always)]
            fn raised_to(self, low: Self) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $blend(low.above(self), low.0, self.0) })
            }

            #[inline(always)]
            fn lowered_to(self, high: Self) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $blend(self.above(high), high.0, self.0) })
            }

            #[inline(always)]
            fn above(self, other: Self) -> Self::Mask {
                // SAFETY: every machine of the architecture has the instruction.
                unsafe { $greater(self.0, other.0) }
            }

            #[inline(always)]
            fn differs(self, other: Self) -> Self::Mask {
                // SAFETY: every machine of the architecture has the instructions.
                unsafe { $not($equal(self.0, other.0)) }
            }

            #[inline(always)]
            fn less_exact_product(self, factor: Self, other: Self) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $fused_less(self.0, factor.0, other.0) })
            }

            #[inline(always)]
            fn less_where(self, mask: Self::Mask, amount: Self) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $blend(mask, (self - amount).0, self.0) })
            }

            #[inline(always)]
            fn first(mask: Self::Mask, lanes: usize) -> Self::Mask {
                let wanted: [$count; $lanes] =
                    std::array::from_fn(|lane| if lane < lanes { <$count>::MAX } else { 0 });
                // SAFETY: every machine of the architecture has the instructions; the array is as
                // long as the register.
                unsafe { $and(mask, $count_load(wanted.as_ptr())) }
            }

            #[inline(always)]
            fn bits(mask: Self::Mask) -> u64 {
                let places: [$count; $lanes] = std::array::from_fn(|lane| 1 << lane);
                // SAFETY: every machine of the architecture has the instructions; the array is as
                // long as the register.
                u64::from(unsafe { $across($and(mask, $count_load(places.as_ptr()))) })
            }

            #[inline(always)]
            fn no_tally(_: Lanes<Self>) -> Self::Tally {
                // SAFETY: every machine of the architecture has the instruction.
                unsafe { $count_splat(0) }
            }

            // A mask as an integer is -1 or 0.
            #[inline(always)]
            fn counted(tally: Self::Tally, mask: Self::Mask) -> Self::Tally {
                // SAFETY: every machine of the architecture has the instruction.
                unsafe { $count_sub(tally, mask) }
            }

            #[inline(always)]
            fn total(tally: Self::Tally) -> u64 {
                let mut counts = [<$count>::MIN; $lanes];
                // SAFETY: every machine of the architecture has the instruction; the array is as
                // long as the register.
                unsafe { $count_store(counts.as_mut_ptr(), tally) };
                counts.into_iter().map(u64::from).sum()
            }
        }
    };
    (@operator $name:ident $trait:ident $method:ident $intrinsic:ident) => {
        impl $trait for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: every machine of the architecture has the instruction.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    };
}

neon!(F64x2(float64x2_t) of 2 f64, counts uint64x2_t, u64:
    vaddq_f64 vsubq_f64 vmulq_f64 vdivq_f64, vld1q_f64 vst1q_f64 vdupq_n_f64 vextq_f64 vfmaq_f64 vfmsq_f64,
    vcgtq_f64 vceqq_f64 vbslq_f64 |mask| veorq_u64(mask, vdupq_n_u64(u64::MAX)),
    vdupq_n_u64 vsubq_u64 vandq_u64 vld1q_u64 vst1q_u64 vaddvq_u64);
neon!(F32x4(float32x4_t) of 4 f32, counts uint32x4_t, u32:
    vaddq_f32 vsubq_f32 vmulq_f32 vdivq_f32, vld1q_f32 vst1q_f32 vdupq_n_f32 vextq_f32 vfmaq_f32 vfmsq_f32,
    vcgtq_f32 vceqq_f32 vbslq_f32 |mask| veorq_u32(mask, vdupq_n_u32(u32::MAX)),
    vdupq_n_u32 vsubq_u32 vandq_u32 vld1q_u32 vst1q_u32 vaddvq_u32);

impl Registers for f64 {
    type Baseline = F64x2;
    type Avx2 = F64x2;
    type Avx512 = F64x2;
}

impl Registers for f32 {
    type Baseline = F32x4;
    type Avx2 = F32x4;
    type Avx512 = F32x4;
}
