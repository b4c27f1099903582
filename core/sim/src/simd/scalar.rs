//! Numbers as registers of one lane, for architectures without a module of their own.

use super::vector::{Lanes, Registers, Vector};

macro_rules! scalar {
    ($scalar:ty) => {
        impl Vector<$scalar> for $scalar {
            type Chunk = [$scalar; 1];
            type Mask = bool;
            type Tally = u64;
            const LANES: usize = 1;

            fn chunks(cells: &[$scalar]) -> &[Self::Chunk] {
                cells.as_chunks().0
            }

            fn chunks_mut(cells: &mut [$scalar]) -> &mut [Self::Chunk] {
                cells.as_chunks_mut().0
            }

            fn splat(_: Lanes<Self>, value: $scalar) -> Self {
                value
            }

            fn load(_: Lanes<Self>, chunk: &Self::Chunk) -> Self {
                chunk[0]
            }

            fn one_back(self, _: Lanes<Self>, before: Self) -> Self {
                before
            }

            fn times_plus(self, factor: Self, addend: Self) -> Self {
                self.mul_add(factor, addend)
            }

            fn store(self, chunk: &mut Self::Chunk) {
                chunk[0] = self;
            }

            fn raised_to(self, low: Self) -> Self {
                if self < low { low } else { self }
            }

            fn lowered_to(self, high: Self) -> Self {
                if self > high { high } else { self }
            }

            fn above(self, other: Self) -> Self::Mask {
                self > other
            }

            fn differs(self, other: Self) -> Self::Mask {
                self != other
            }

            fn less_exact_product(self, factor: Self, other: Self) -> Self {
                self - factor * other
            }

            fn plus_by_product(self, other: Self, _: Self) -> Self {
                self + other
            }

            fn less_where(self, mask: Self::Mask, amount: Self) -> Self {
                if mask { self - amount } else { self }
            }

            fn first(mask: Self::Mask, lanes: usize) -> Self::Mask {
                mask && lanes > 0
            }

            fn bits(mask: Self::Mask) -> u64 {
                u64::from(mask)
            }

            fn no_tally(_: Lanes<Self>) -> Self::Tally {
                0
            }

            fn counted(tally: Self::Tally, mask: Self::Mask) -> Self::Tally {
                tally + u64::from(mask)
            }

            fn total(tally: Self::Tally) -> u64 {
                tally
            }
        }

        impl Registers for $scalar {
            type Baseline = Self;
            type Avx2 = Self;
            type Avx512 = Self;
        }
    };
}

scalar!(f64);
scalar!(f32);
