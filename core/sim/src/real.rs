//! The two floating-point types a simulation can run in.
//!
//! Kernels are written once over [`Real`] and compiled for `f32` and `f64`. Every operation is
//! the plain IEEE 754 one of its type: no fused multiply-add but where it makes no difference, so that
//! the bits do not depend on the processor.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::simd::Registers;

/// What the equations of a [`Reaction`](crate::kinetics::Reaction) are written over: a number, or a
/// register with several. Every operation is the plain IEEE 754 one.
pub trait Value<T>:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// A value like this one with `value` in it, as often as there is room.
    #[must_use]
    fn fill(self, value: T) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`. Sealed: no other type implements it.
pub trait Real:
    sealed::Sealed
    + Value<Self>
    + Registers
    + Copy
    + Debug
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
    + 'static
{
    /// A counter of cells as wide as the type, so that counting does not halve the width of a
    /// vectorised loop. A row of 65,536 cells does not overflow it.
    type Count: Copy + Default + AddAssign + From<bool> + Into<u64>;

    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The nearest value of this type.
    fn of(value: f64) -> Self;
    /// The same value as `f64`; exact.
    fn wide(self) -> f64;
    /// The values as `f64` where they lie, if that is their type.
    fn as_wide(values: &[Self]) -> Option<&[f64]>;
    /// Whether the value is neither NaN nor infinite.
    fn is_finite(self) -> bool;
    /// Whether the value is NaN.
    fn is_nan(self) -> bool;
}

macro_rules! real {
    ($type:ty, $count:ty, $as_wide:expr) => {
        impl Value<Self> for $type {
            #[inline(always)]
            fn fill(self, value: Self) -> Self {
                value
            }
        }

        impl Real for $type {
            type Count = $count;

            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            #[inline(always)]
            fn of(value: f64) -> Self {
                value as Self
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }
            fn as_wide(values: &[Self]) -> Option<&[f64]> {
                $as_wide(values)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                Self::is_finite(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                Self::is_nan(self)
            }
        }
    };
}

real!(f32, u32, |_| None);
real!(f64, u64, Some);
