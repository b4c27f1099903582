//! Registers full of numbers, and the proof that this machine has them.
//!
//! A kernel that is written over [`Vector`] is compiled once for every width. Each operation is
//! the IEEE 754 one in every lane, so that a cell has the same bits whichever lane it is in.

use std::marker::PhantomData;

use super::around::unforeseen;
use super::memory::PastCaches;
use crate::real::{Real, Value};

/// Proof that this machine has the registers `V`. Vectors are only made from it, and it is only
/// made by [`on_lanes`](super::on_lanes) after the machine was asked.
pub struct Lanes<V>(PhantomData<V>);

impl<V> Clone for Lanes<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Lanes<V> {}

impl<V> Lanes<V> {
    /// # Safety
    /// This machine has the instructions of `V`, and the caller is compiled for them.
    #[inline(always)]
    pub(super) unsafe fn proven() -> Self {
        Self(PhantomData)
    }

    /// `value` in every lane.
    #[inline(always)]
    pub(crate) fn splat<T>(self, value: T) -> V
    where
        V: Vector<T>,
    {
        V::splat(self, value)
    }

    /// 1 in every lane, which the compiler does not know: else it would make an addition of every product with it.
    #[inline(always)]
    pub(crate) fn one<T: Real>(self) -> V
    where
        V: Vector<T>,
    {
        V::splat(self, T::of(unforeseen(1) as f64))
    }

    /// The numbers of a chunk.
    #[inline(always)]
    pub(crate) fn load<T>(self, chunk: &V::Chunk) -> V
    where
        V: Vector<T>,
    {
        V::load(self, chunk)
    }
}

/// A register with numbers of type `T`.
pub trait Vector<T>: Value<T> {
    /// As many numbers as there are lanes, in memory.
    type Chunk;
    /// Whether two rows are computed faster at once: there are registers enough for both, and
    /// [`one_back`](Self::one_back) is an instruction or two.
    const TWO_ROWS: bool = false;
    /// A yes or no for each lane.
    type Mask: Copy;
    /// A count for each lane; 65,536 vectors do not overflow it.
    type Tally: Copy;
    /// Lanes.
    const LANES: usize;

    /// The whole chunks of a slice.
    fn chunks(cells: &[T]) -> &[Self::Chunk];
    /// The whole chunks of a slice.
    fn chunks_mut(cells: &mut [T]) -> &mut [Self::Chunk];
    /// See [`Lanes::splat`].
    fn splat(lanes: Lanes<Self>, value: T) -> Self;
    /// See [`Lanes::load`].
    fn load(lanes: Lanes<Self>, chunk: &Self::Chunk) -> Self;
    /// The last number of `before`, then all of these but the last.
    fn one_back(self, lanes: Lanes<Self>, before: Self) -> Self;
    /// `self * factor + addend`, rounded once. The same bits at every level, but where the machine has no
    /// such instruction (the baseline of x86-64) a slow function; so not for what everyone runs.
    fn times_plus(self, factor: Self, addend: Self) -> Self;
    /// The same numbers of two rows of three fields. Where two rows are computed [at once](Self::TWO_ROWS) the compiler has
    /// to put all that leads to them before anything that is made of one; elsewhere the order is left to it.
    #[inline(always)]
    fn stage(values: [[Self; 3]; 2]) -> [[Self; 3]; 2] {
        values
    }
    /// Writes the numbers.
    fn store(self, chunk: &mut Self::Chunk);
    /// Writes the numbers past the caches where the machine can and the chunk is aligned as it asks.
    #[inline(always)]
    fn store_past(self, _: &PastCaches, chunk: &mut Self::Chunk) {
        self.store(chunk);
    }
    /// `low` where a number is below it; NaN stays.
    fn raised_to(self, low: Self) -> Self;
    /// `high` where a number is above it; NaN stays.
    fn lowered_to(self, high: Self) -> Self;
    /// Where a number is above that of `other`; nowhere for NaN.
    fn above(self, other: Self) -> Self::Mask;
    /// Where a number is not equal to that of `other`; everywhere for NaN.
    fn differs(self, other: Self) -> Self::Mask;
    /// `self - factor * other`, for products that are exact: whether the difference is rounded from them or with
    /// them makes no difference, so that a level may do both in one instruction.
    fn less_exact_product(self, factor: Self, other: Self) -> Self;
    /// `self + other`, where a level has units for products that additions cannot use in those. `one` is 1 in every
    /// lane and comes from [`Lanes::one`].
    fn plus_by_product(self, other: Self, one: Self) -> Self;
    /// `self - amount` where the mask says yes, else `self`.
    fn less_where(self, mask: Self::Mask, amount: Self) -> Self;
    /// Where the mask says yes, in the first `lanes` lanes.
    fn first(mask: Self::Mask, lanes: usize) -> Self::Mask;
    /// A bit for each lane, the first in the lowest: 1 where the mask says yes.
    fn bits(mask: Self::Mask) -> u64;
    /// Counts of 0.
    fn no_tally(lanes: Lanes<Self>) -> Self::Tally;
    /// One more in each lane where the mask says yes.
    fn counted(tally: Self::Tally, mask: Self::Mask) -> Self::Tally;
    /// The sum of the counts.
    fn total(tally: Self::Tally) -> u64;
}

/// The registers of a type of numbers at each level.
pub trait Registers: Sized {
    /// What every machine of the architecture has.
    type Baseline: Vector<Self>;
    /// 256 bits.
    type Avx2: Vector<Self>;
    /// 512 bits.
    type Avx512: Vector<Self>;
}

/// Work that is written over vectors. `run` and all it calls in its loops must be
/// `#[inline(always)]`, or they are compiled for the baseline only.
pub(crate) trait LaneWork<T: Real> {
    /// What the work gives.
    type Output;

    /// Does the work.
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> Self::Output;
}
