//! What the learning parts refuse.

use crate::error::SpecError;

/// Input or settings that a learning part can not use. Its state is as it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LearningError {
    /// A numeric setting is outside its range.
    #[error("invalid learning settings: {0}")]
    Settings(#[from] SpecError),
    /// The heads do not share a token evenly.
    #[error("num_heads = {num_heads} does not divide embed_dim = {embed_dim}: give a divisor")]
    Heads {
        /// Heads given.
        num_heads: usize,
        /// Numbers in a token.
        embed_dim: usize,
    },
    /// The range of weights is empty.
    #[error("weight_min = {min} is not below weight_max = {max}: give a smaller weight_min")]
    WeightRange {
        /// Smallest weight given.
        min: f64,
        /// Largest weight given.
        max: f64,
    },
    /// A weight lies outside the range of weights.
    #[error("weight {index} is {value}, outside [{min}, {max}]: give weights in this range or widen it")]
    WeightOutOfRange {
        /// Index of the first such weight, row by row.
        index: usize,
        /// Its value.
        value: f64,
        /// Smallest weight allowed.
        min: f64,
        /// Largest weight allowed.
        max: f64,
    },
    /// A time step that can not pass.
    #[error("time_step_s = {value} is not allowed: give a finite number of at least 0")]
    TimeStep {
        /// The time step given.
        value: f64,
    },
    /// An array has another length than the rest asks for.
    #[error("{what} has {given} {unit}, {expected} are needed")]
    Length {
        /// The array.
        what: &'static str,
        /// What is counted.
        unit: &'static str,
        /// The number given.
        given: usize,
        /// The number needed.
        expected: usize,
    },
    /// An array is empty.
    #[error("{what} is empty: give at least one {unit}")]
    Empty {
        /// The array.
        what: &'static str,
        /// What is missing.
        unit: &'static str,
    },
    /// A number is NaN or infinite.
    #[error("{what} has {value} at index {index}: give finite numbers")]
    NotFinite {
        /// The array.
        what: &'static str,
        /// Index of the first such number, row by row.
        index: usize,
        /// The number.
        value: f64,
    },
    /// More memory than the part may take.
    #[error("{what} would take {needed} numbers, at most {limit} are allowed: give shorter sequences")]
    TooLarge {
        /// What would be stored.
        what: &'static str,
        /// Numbers needed.
        needed: usize,
        /// The most allowed.
        limit: usize,
    },
    /// A result left the range of the floating-point type.
    #[error("{what} is not finite: give smaller inputs or weights")]
    Overflow {
        /// What overflowed.
        what: &'static str,
    },
}

/// Refuses arrays with a number that is not finite.
pub(super) fn check_finite<T: crate::Real>(what: &'static str, values: &[T]) -> Result<(), LearningError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(LearningError::NotFinite { what, index, value: values[index].wide() }),
        None => Ok(()),
    }
}

/// Refuses arrays of another length.
pub(super) fn check_length(
    what: &'static str,
    unit: &'static str,
    given: usize,
    expected: usize,
) -> Result<(), LearningError> {
    if given == expected { Ok(()) } else { Err(LearningError::Length { what, unit, given, expected }) }
}
