//! What the feature computation refuses.

use ndarray::ArrayView2;

use crate::bounds::FIELD_SIDE_MAX_CELLS;
use crate::error::SpecError;
use crate::real::Real;
use crate::spec::Compat;

/// A field or configuration without features.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
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
    /// The field is not square, which the v4.1 mode asks for.
    #[error("field is {rows} x {columns}: give a square field, or leave compat = \"v4.1\" out")]
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
    /// A cell is NaN or infinite. The v4.1 mode takes such cells.
    #[error(
        "cell at row {row}, column {column} is {value}: give finite cells, or take compat = \"v4.1\", where \
         NaN is inactive in the masks and makes the statistics NaN"
    )]
    NotFinite {
        /// Row of the first such cell.
        row: usize,
        /// Column of that cell.
        column: usize,
        /// Its value.
        value: f64,
    },
    /// A saved state does not fit together.
    #[error("state of the temporal features: {what}; save it again with state()")]
    State {
        /// What is wrong.
        what: &'static str,
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

/// Accepts a field of 1 to [`FIELD_SIDE_MAX_CELLS`] cells on a side; in the v4.1 mode only a square one.
pub(crate) fn check_shape(rows: usize, columns: usize, compat: Option<Compat>) -> Result<(), FeatureError> {
    if rows == 0 || columns == 0 {
        return Err(FeatureError::Empty { rows, columns });
    }
    if compat.is_some() && rows != columns {
        return Err(FeatureError::NotSquare { rows, columns });
    }
    if rows.max(columns) > FIELD_SIDE_MAX_CELLS {
        return Err(FeatureError::TooLarge { rows, columns, limit: FIELD_SIDE_MAX_CELLS });
    }
    Ok(())
}

/// Refuses NaN and infinite cells.
pub(crate) fn check_finite<T: Real>(cells: ArrayView2<'_, T>) -> Result<(), FeatureError> {
    for (row, line) in cells.rows().into_iter().enumerate() {
        if let Some((column, value)) = line.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(FeatureError::NotFinite { row, column, value: value.wide() });
        }
    }
    Ok(())
}
