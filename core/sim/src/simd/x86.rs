//! The registers of x86-64: SSE2, AVX2 and AVX-512.
//!
//! Every function here is one instruction, or two where the narrow sets have no single one.

mod composed;

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::around::unforeseen;
use super::memory::PastCaches;
use super::vector::{Lanes, Registers, Vector};
use crate::real::Value;
use composed::*;

/// The arithmetic and the memory of a register; what all levels have in the same form.
macro_rules! arithmetic {
    ($name:ident($register:ty) of $lanes:literal $scalar:ty:
     $add:ident $sub:ident $mul:ident $div:ident $splat:ident) => {
        /// A register; it is only made where the machine was seen to have it.
        #[derive(Clone, Copy)]
        pub struct $name($register);

        arithmetic!(@operator $name Add add $add);
        arithmetic!(@operator $name Sub sub $sub);
        arithmetic!(@operator $name Mul mul $mul);
        arithmetic!(@operator $name Div div $div);

        impl Value<$scalar> for $name {
            #[inline(always)]
            fn fill(self, value: $scalar) -> Self {
                // SAFETY: `self` exists, so the machine has the instruction.
                Self(unsafe { $splat(value) })
            }
        }
    };
    (@operator $name:ident $trait:ident $method:ident $intrinsic:ident) => {
        impl $trait for $name {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: `self` exists, so the machine has the instruction.
                Self(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    };
}

/// What has one form in the body of every `impl Vector`.
macro_rules! memory {
    ($lanes:literal $scalar:ty: $load:ident $store:ident $stream:ident $splat:ident $one_back:ident $max:ident $min:ident $fused:expr, $fused_less:expr, $fused_plus:expr) => {
        type Chunk = [$scalar; $lanes];
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
            // SAFETY: the argument proves that the machine has the instruction.
            Self(unsafe { $splat(value) })
        }

        #[inline(always)]
        fn load(_: Lanes<Self>, chunk: &Self::Chunk) -> Self {
            // SAFETY: the argument proves that the machine has the instruction; the chunk is as
            // long as the register, and the instruction asks for no alignment.
            Self(unsafe { $load(chunk.as_ptr()) })
        }

        #[inline(always)]
        fn one_back(self, _: Lanes<Self>, before: Self) -> Self {
            // SAFETY: `self` exists, so the machine has the instructions.
            Self(unsafe { $one_back(self.0, before.0) })
        }

        #[inline(always)]
        fn times_plus(self, factor: Self, addend: Self) -> Self {
            // SAFETY: `self` exists, so the machine has the instruction.
            Self(unsafe { $fused(self.0, factor.0, addend.0) })
        }

        #[inline(always)]
        fn less_exact_product(self, factor: Self, other: Self) -> Self {
            // SAFETY: `self` exists, so the machine has the instructions.
            Self(unsafe { $fused_less(factor.0, other.0, self.0) })
        }

        #[inline(always)]
        fn plus_by_product(self, other: Self, one: Self) -> Self {
            // SAFETY: `self` exists, so the machine has the instructions.
            Self(unsafe { $fused_plus(other.0, one.0, self.0) })
        }

        #[inline(always)]
        fn store(self, chunk: &mut Self::Chunk) {
            // SAFETY: `self` exists, so the machine has the instruction; the chunk is as long
            // as the register, and the instruction asks for no alignment.
            unsafe { $store(chunk.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        fn store_past(self, _: &PastCaches, chunk: &mut Self::Chunk) {
            let place = chunk.as_mut_ptr();
            if place.addr().is_multiple_of(size_of::<Self>()) && !cfg!(miri) {
                // SAFETY: `self` exists, so the machine has the instruction; the chunk is as long as the register
                // and aligned as the instruction asks; the argument has a fence at its end.
                unsafe { $stream(place, self.0) }
            } else {
                self.store(chunk);
            }
        }

        // Of two numbers that are equal or not comparable these instructions give the second.
        #[inline(always)]
        fn raised_to(self, low: Self) -> Self {
            // SAFETY: `self` exists, so the machine has the instruction.
            Self(unsafe { $max(low.0, self.0) })
        }

        #[inline(always)]
        fn lowered_to(self, high: Self) -> Self {
            // SAFETY: `self` exists, so the machine has the instruction.
            Self(unsafe { $min(high.0, self.0) })
        }
    };
}

/// AVX-512: a mask is a bit for each lane.
macro_rules! avx512 {
    ($name:ident($register:ty) of $lanes:literal $scalar:ty, mask $mask:ty, counts $count:ty:
     $add:ident $sub:ident $mul:ident $div:ident, $load:ident $store:ident $stream:ident $splat:ident $one_back:ident,
     $max:ident $min:ident $fused:expr, $fused_less:expr, $fused_plus:expr, $compare:ident $sub_where:ident,
     $count_splat:ident $count_add:ident $stage:ident) => {
        arithmetic!($name($register) of $lanes $scalar: $add $sub $mul $div $splat);

        impl Vector<$scalar> for $name {
            type Mask = $mask;
            /// The counts, and ones to add. From ones that it knows the compiler would make two instructions of the
            /// addition, of which the arithmetic leaves no room for the second.
            type Tally = (__m512i, __m512i);

            memory!($lanes $scalar: $load $store $stream $splat $one_back $max $min $fused, $fused_less, $fused_plus);

            #[inline(always)]
            fn stage(values: [[Self; 3]; 2]) -> [[Self; 3]; 2] {
                let [[a, b, c], [d, e, f]] = values;
                // SAFETY: `values` exist, so the machine has the registers.
                let [a, b, c, d, e, f] = unsafe { $stage([a.0, b.0, c.0, d.0, e.0, f.0]) };
                [[Self(a), Self(b), Self(c)], [Self(d), Self(e), Self(f)]]
            }

            /// Not with half as many registers: what does not fit is read and written all the time.
            const TWO_ROWS: bool = true;

            #[inline(always)]
            fn above(self, other: Self) -> Self::Mask {
                // SAFETY: `self` exists, so the machine has the instruction.
                unsafe { $compare::<_CMP_GT_OQ>(self.0, other.0) }
            }

            #[inline(always)]
            fn differs(self, other: Self) -> Self::Mask {
                // SAFETY: `self` exists, so the machine has the instruction.
                unsafe { $compare::<_CMP_NEQ_UQ>(self.0, other.0) }
            }

            #[inline(always)]
            fn less_where(self, mask: Self::Mask, amount: Self) -> Self {
                // SAFETY: `self` exists, so the machine has the instruction.
                Self(unsafe { $sub_where(self.0, mask, self.0, amount.0) })
            }

            #[inline(always)]
            fn first(mask: Self::Mask, lanes: usize) -> Self::Mask {
                mask & ((1_u32 << lanes) - 1) as $mask
            }

            #[inline(always)]
            fn bits(mask: Self::Mask) -> u64 {
                u64::from(mask)
            }

            #[inline(always)]
            fn no_tally(_: Lanes<Self>) -> Self::Tally {
                // SAFETY: the argument proves that the machine has the instructions.
                unsafe { (_mm512_setzero_si512(), $count_splat(unforeseen(1) as _)) }
            }

            #[inline(always)]
            fn counted(tally: Self::Tally, mask: Self::Mask) -> Self::Tally {
                let (counts, ones) = tally;
                // SAFETY: a tally exists, so the machine has the instruction.
                (unsafe { $count_add(counts, mask, counts, ones) }, ones)
            }

            #[inline(always)]
            fn total(tally: Self::Tally) -> u64 {
                let mut counts = [<$count>::MIN; $lanes];
                // SAFETY: a tally exists, so the machine has the instruction; the array is as
                // long as the register, and the instruction asks for no alignment.
                unsafe { _mm512_storeu_si512(counts.as_mut_ptr().cast(), tally.0) };
                counts.into_iter().map(u64::from).sum()
            }
        }
    };
}

avx512!(F64x8(__m512d) of 8 f64, mask __mmask8, counts u64:
    _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd,
    _mm512_loadu_pd _mm512_storeu_pd _mm512_stream_pd _mm512_set1_pd one_back_512_pd,
    _mm512_max_pd _mm512_min_pd _mm512_fmadd_pd, _mm512_fnmadd_pd, _mm512_fmadd_pd, _mm512_cmp_pd_mask _mm512_mask_sub_pd,
    _mm512_set1_epi64 _mm512_mask_add_epi64 stage_512_pd);
avx512!(F32x16(__m512) of 16 f32, mask __mmask16, counts u32:
    _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps,
    _mm512_loadu_ps _mm512_storeu_ps _mm512_stream_ps _mm512_set1_ps one_back_512_ps,
    _mm512_max_ps _mm512_min_ps _mm512_fmadd_ps, _mm512_fnmadd_ps, _mm512_fmadd_ps, _mm512_cmp_ps_mask _mm512_mask_sub_ps,
    _mm512_set1_epi32 _mm512_mask_add_epi32 stage_512_ps);

/// SSE2 and AVX2: a mask is a register with all bits of a lane set or none, which as an integer
/// is -1 or 0.
macro_rules! narrow {
    ($name:ident($register:ty) of $lanes:literal $scalar:ty, counts $integers:ty, $count:ty:
     $add:ident $sub:ident $mul:ident $div:ident, $load:ident $store:ident $stream:ident $splat:ident $one_back:ident,
     $max:ident $min:ident $fused:expr, $fused_less:expr, $fused_plus:expr, $above:expr, $differs:expr,
     $and:ident $signs:ident,
     $zero:ident $count_sub:ident $cast:ident $store_counts:ident) => {
        arithmetic!($name($register) of $lanes $scalar: $add $sub $mul $div $splat);

        impl Vector<$scalar> for $name {
            type Mask = $register;
            type Tally = $integers;

            memory!($lanes $scalar: $load $store $stream $splat $one_back $max $min $fused, $fused_less, $fused_plus);

            #[inline(always)]
            fn above(self, other: Self) -> Self::Mask {
                // SAFETY: `self` exists, so the machine has the instruction.
                unsafe { $above(self.0, other.0) }
            }

            #[inline(always)]
            fn differs(self, other: Self) -> Self::Mask {
                // SAFETY: `self` exists, so the machine has the instruction.
                unsafe { $differs(self.0, other.0) }
            }

            #[inline(always)]
            fn less_where(self, mask: Self::Mask, amount: Self) -> Self {
                // SAFETY: `self` exists, so the machine has the instructions. Without the mask it is less 0, which
                // leaves every number as it is, also -0.
                Self(unsafe { $sub(self.0, $and(mask, amount.0)) })
            }

            #[inline(always)]
            fn first(mask: Self::Mask, lanes: usize) -> Self::Mask {
                const YES_THEN_NO: [$scalar; 2 * $lanes] = {
                    let mut bits = [0.0; 2 * $lanes];
                    let mut lane = 0;
                    while lane < $lanes {
                        bits[lane] = <$scalar>::from_bits(!0);
                        lane += 1;
                    }
                    bits
                };
                let (_, from) = YES_THEN_NO.split_at($lanes - lanes.min($lanes));
                // SAFETY: a mask exists, so the machine has the instructions; at least as many
                // numbers as there are lanes follow.
                unsafe { $and(mask, $load(from.as_ptr())) }
            }

            #[inline(always)]
            fn bits(mask: Self::Mask) -> u64 {
                // SAFETY: a mask exists, so the machine has the instruction.
                unsafe { $signs(mask) as u64 }
            }

            #[inline(always)]
            fn no_tally(_: Lanes<Self>) -> Self::Tally {
                // SAFETY: the argument proves that the machine has the instruction.
                unsafe { $zero() }
            }

            #[inline(always)]
            fn counted(tally: Self::Tally, mask: Self::Mask) -> Self::Tally {
                // SAFETY: a mask exists, so the machine has the instruction.
                unsafe { $count_sub(tally, $cast(mask)) }
            }

            #[inline(always)]
            fn total(tally: Self::Tally) -> u64 {
                let mut counts = [<$count>::MIN; $lanes];
                // SAFETY: a tally exists, so the machine has the instruction; the array is as
                // long as the register, and the instruction asks for no alignment.
                unsafe { $store_counts(counts.as_mut_ptr().cast(), tally) };
                counts.into_iter().map(u64::from).sum()
            }
        }
    };
}

narrow!(F64x4(__m256d) of 4 f64, counts __m256i, u64:
    _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd,
    _mm256_loadu_pd _mm256_storeu_pd _mm256_stream_pd _mm256_set1_pd one_back_256_pd,
    _mm256_max_pd _mm256_min_pd _mm256_fmadd_pd, _mm256_fnmadd_pd, _mm256_fmadd_pd, _mm256_cmp_pd::<_CMP_GT_OQ>, _mm256_cmp_pd::<_CMP_NEQ_UQ>,
    _mm256_and_pd _mm256_movemask_pd,
    _mm256_setzero_si256 _mm256_sub_epi64 _mm256_castpd_si256 _mm256_storeu_si256);
narrow!(F32x8(__m256) of 8 f32, counts __m256i, u32:
    _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps,
    _mm256_loadu_ps _mm256_storeu_ps _mm256_stream_ps _mm256_set1_ps one_back_256_ps,
    _mm256_max_ps _mm256_min_ps _mm256_fmadd_ps, _mm256_fnmadd_ps, _mm256_fmadd_ps, _mm256_cmp_ps::<_CMP_GT_OQ>, _mm256_cmp_ps::<_CMP_NEQ_UQ>,
    _mm256_and_ps _mm256_movemask_ps,
    _mm256_setzero_si256 _mm256_sub_epi32 _mm256_castps_si256 _mm256_storeu_si256);
narrow!(F64x2(__m128d) of 2 f64, counts __m128i, u64:
    _mm_add_pd _mm_sub_pd _mm_mul_pd _mm_div_pd,
    _mm_loadu_pd _mm_storeu_pd _mm_stream_pd _mm_set1_pd one_back_128_pd,
    _mm_max_pd _mm_min_pd fused_pd, less_product_pd, plus_pd, _mm_cmpgt_pd, _mm_cmpneq_pd,
    _mm_and_pd _mm_movemask_pd,
    _mm_setzero_si128 _mm_sub_epi64 _mm_castpd_si128 _mm_storeu_si128);
narrow!(F32x4(__m128) of 4 f32, counts __m128i, u32:
    _mm_add_ps _mm_sub_ps _mm_mul_ps _mm_div_ps,
    _mm_loadu_ps _mm_storeu_ps _mm_stream_ps _mm_set1_ps one_back_128_ps,
    _mm_max_ps _mm_min_ps fused_ps, less_product_ps, plus_ps, _mm_cmpgt_ps, _mm_cmpneq_ps,
    _mm_and_ps _mm_movemask_ps,
    _mm_setzero_si128 _mm_sub_epi32 _mm_castps_si128 _mm_storeu_si128);

impl Registers for f64 {
    type Baseline = F64x2;
    type Avx2 = F64x4;
    type Avx512 = F64x8;
}

impl Registers for f32 {
    type Baseline = F32x4;
    type Avx2 = F32x8;
    type Avx512 = F32x16;
}
