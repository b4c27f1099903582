//! What the sets of instructions have no single instruction for, or none that the compiler leaves as it is.

use std::arch::x86_64::*;

/// The compiler would make another instruction of the one that is asked for here: it overwrites one of its sources, of
/// which it needs a copy then.
macro_rules! one_back {
    ($name:ident $register:ty: $instruction:literal $by:literal) => {
        #[target_feature(enable = "avx512f")]
        #[inline]
        pub(super) fn $name(here: $register, before: $register) -> $register {
            let back;
            // SAFETY: this function is called and compiled for AVX-512 only.
            unsafe {
                std::arch::asm!(
                    concat!($instruction, " {back}, {here}, {before}, ", $by),
                    back = lateout(zmm_reg) back, here = in(zmm_reg) here, before = in(zmm_reg) before,
                    options(pure, nomem, nostack, preserves_flags)
                );
            }
            back
        }
    };
}

one_back!(one_back_512_pd __m512d: "valignq" 7);
one_back!(one_back_512_ps __m512: "valignd" 15);

/// The same registers. There is no instruction in it, but the compiler has to take it for one that reads and writes all
/// of them, and so puts what they come from before it and what is made of them behind it.
macro_rules! stage {
    ($name:ident $register:ty) => {
        #[target_feature(enable = "avx512f")]
        #[inline]
        pub(super) fn $name(values: [$register; 6]) -> [$register; 6] {
            let [mut a, mut b, mut c, mut d, mut e, mut f] = values;
            // SAFETY: there is no instruction in it.
            unsafe {
                std::arch::asm!(
                    "/* {0} {1} {2} {3} {4} {5} */",
                    inout(zmm_reg) a, inout(zmm_reg) b, inout(zmm_reg) c,
                    inout(zmm_reg) d, inout(zmm_reg) e, inout(zmm_reg) f,
                    options(pure, nomem, nostack, preserves_flags)
                );
            }
            [a, b, c, d, e, f]
        }
    };
}

stage!(stage_512_pd __m512d);
stage!(stage_512_ps __m512);

/// What takes the narrow sets two instructions.
macro_rules! one_back_by_shuffles {
    ($name:ident $register:ty, $features:literal: |$here:ident, $before:ident| $back:expr) => {
        #[target_feature(enable = $features)]
        #[inline]
        pub(super) fn $name($here: $register, $before: $register) -> $register {
            $back
        }
    };
}

one_back_by_shuffles!(one_back_256_pd __m256d, "avx2": |here, before| {
    let between = _mm256_permute2f128_pd::<0x21>(before, here);
    _mm256_shuffle_pd::<0b0101>(between, here)
});
one_back_by_shuffles!(one_back_256_ps __m256, "avx2": |here, before| {
    let between = _mm256_permute2f128_ps::<0x21>(before, here);
    _mm256_castsi256_ps(_mm256_alignr_epi8::<12>(_mm256_castps_si256(here), _mm256_castps_si256(between)))
});
one_back_by_shuffles!(one_back_128_pd __m128d, "sse2": |here, before| _mm_shuffle_pd::<0b01>(before, here));
one_back_by_shuffles!(one_back_128_ps __m128, "sse2": |here, before| {
    let between = _mm_shuffle_ps::<0b00_00_11_11>(before, here);
    _mm_shuffle_ps::<0b10_01_10_00>(between, here)
});

/// SSE2 has no fused multiplication and addition; the function of the C library rounds once as well.
macro_rules! fused_by_lanes {
    ($name:ident $register:ty, $lanes:literal $scalar:ty: $load:ident $store:ident) => {
        /// # Safety
        /// None to be kept; it stands where the other sets have an instruction.
        #[inline]
        pub(super) unsafe fn $name(a: $register, b: $register, c: $register) -> $register {
            let numbers = |register| {
                let mut numbers = [0.0; $lanes];
                // SAFETY: the array is as long as the register, and the instruction asks for no alignment.
                unsafe { $store(numbers.as_mut_ptr(), register) };
                numbers
            };
            let (a, b, c) = (numbers(a), numbers(b), numbers(c));
            let fused: [$scalar; $lanes] = std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]));
            // SAFETY: as above.
            unsafe { $load(fused.as_ptr()) }
        }
    };
}

/// SSE2 takes two instructions.
macro_rules! less_product {
    ($name:ident $register:ty: $sub:ident $mul:ident) => {
        /// # Safety
        /// None to be kept; it stands where the other sets have an instruction.
        #[inline(always)]
        pub(super) unsafe fn $name(factor: $register, other: $register, from: $register) -> $register {
            // SAFETY: every machine of the architecture has the instructions.
            unsafe { $sub(from, $mul(factor, other)) }
        }
    };
}

/// SSE2 adds, and has nothing that would do it elsewhere.
macro_rules! plus {
    ($name:ident $register:ty: $add:ident) => {
        /// # Safety
        /// None to be kept; it stands where the other sets have an instruction.
        #[inline(always)]
        pub(super) unsafe fn $name(other: $register, _: $register, to: $register) -> $register {
            // SAFETY: every machine of the architecture has the instruction.
            unsafe { $add(to, other) }
        }
    };
}

plus!(plus_pd __m128d: _mm_add_pd);
plus!(plus_ps __m128: _mm_add_ps);
less_product!(less_product_pd __m128d: _mm_sub_pd _mm_mul_pd);
less_product!(less_product_ps __m128: _mm_sub_ps _mm_mul_ps);
fused_by_lanes!(fused_pd __m128d, 2 f64: _mm_loadu_pd _mm_storeu_pd);
fused_by_lanes!(fused_ps __m128, 4 f32: _mm_loadu_ps _mm_storeu_ps);
