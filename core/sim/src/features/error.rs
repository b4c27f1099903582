//! What the feature computation refuses.

use crate::bounds::FIELD_SIDE_MAX_CELLS;
use crate::error::SpecError;

/// A field or configuration without features.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The saved state of an accumulator is not one of an accumulator.
    #[error("state of the temporal features: {what}")]
    State {
        /// What does not fit together.
        what: &'static str,
    },
    /// The configuration is refused.
    #[error("invalid feature configuration: {0}")]
    Config(#[from] SpecError),
    /// The history has no frame.
    #[error("history has no frames: give at least one field")]
    NoFrames,
    /// The field has no cell.
    #[error("field is {rows} x {columns}: give at least one cell")]
    Empty {
        /// Rows of the field.
        rows: usize,
        /// Columns of the field.
        columns: usize,
    },
    /// The field is not square.
    #[error("field is {rows} x {columns}: give a square field")]
    NotSquare {
        /// Rows of the field.
        rows: usize,
        /// Columns of the field.
        columns: usize,
    },
    /// The field is too large.
    #[error("field is {rows} x {columns}: give at most {limit} cells on a side")]
    TooLarge {
        /// Rows of the field.
        rows: usize,
        /// Columns of the field.
        columns: usize,
        /// Longest side allowed.
        limit: usize,
    },
    /// The time between two frames is not a positive finite number.
    #[error("time step {value} is not allowed: give a positive finite number")]
    TimeStep {
        /// The time step given.
        value: f64,
    },
    /// A frame differs in shape from those before it.
    #[error(
        "frame is {rows} x {columns}, the frames before it were {expected_rows} x {expected_columns}: \
         give frames of one shape"
    )]
    FrameShape {
        /// Rows of the frame.
        rows: usize,
        /// Columns of the frame.
        columns: usize,
        /// Rows of the frames before it.
        expected_rows: usize,
        /// Columns of the frames before it.
        expected_columns: usize,
    },
}

/// Accepts a square field of 1 to [`FIELD_SIDE_MAX_CELLS`] cells on a side.
pub(crate) fn check_shape(rows: usize, columns: usize) -> Result<(), FeatureError> {
    if rows == 0 || columns == 0 {
        return Err(FeatureError::Empty { rows, columns });
    }
    if rows != columns {
        return Err(FeatureError::NotSquare { rows, columns });
    }
    if rows > FIELD_SIDE_MAX_CELLS {
        return Err(FeatureError::TooLarge { rows, columns, limit: FIELD_SIDE_MAX_CELLS });
    }
    Ok(())
}
