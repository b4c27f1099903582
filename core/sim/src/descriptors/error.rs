//! What the descriptors refuse.

use crate::error::SpecError;

/// A field or configuration without descriptors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// The configuration is refused.
    #[error("invalid descriptor configuration: {0}")]
    Config(#[from] SpecError),
    /// The field has no cell, or too many.
    #[error(
        "field is {rows} x {cols}: give 1 to {} cells on a side and at most {} in all",
        crate::graph::SIDE_MAX_CELLS,
        crate::graph::CELLS_MAX
    )]
    Shape {
        /// Rows of the field.
        rows: usize,
        /// Columns of the field.
        cols: usize,
    },
    /// A cell is NaN or infinite.
    #[error("cell ({row}, {col}) of the field is {value}: give finite numbers, in volts")]
    NotFinite {
        /// Row of the first such cell.
        row: usize,
        /// Its column.
        col: usize,
        /// Its value.
        value: f64,
    },
}
