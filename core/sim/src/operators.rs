//! Grid operators for fields of a host's own: Laplacian, gradient, statistics, clamp, one step.
//!
//! Fields have any shape with at least one cell, and any strides.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use crate::engine::{Row, clamp};
use crate::error::{Instability, SpecError};
use crate::moments::Summary;
use crate::spec::BoundaryCondition;

pub use crate::engine::{StepEvents, StepParameters, full_step};

/// What the operators refuse.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// A parameter is refused.
    #[error("invalid step parameters: {0}")]
    Parameters(#[from] SpecError),
    /// A field has no cell.
    #[error("{name} is {rows} x {columns}: give at least one cell")]
    Empty {
        /// Which field.
        name: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
    },
    /// A field differs in shape from the first.
    #[error(
        "{name} is {rows} x {columns}, expected {expected_rows} x {expected_columns}: give fields of one shape"
    )]
    Shape {
        /// Which field.
        name: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// Rows of the first field.
        expected_rows: usize,
        /// Columns of the first field.
        expected_columns: usize,
    },
    /// A cell is NaN or infinite.
    #[error("{name} has {value} at row {row}, column {column}: give finite values")]
    NotFinite {
        /// Which field.
        name: &'static str,
        /// Row of the first such cell.
        row: usize,
        /// Column of the first such cell.
        column: usize,
        /// Its value.
        value: f64,
    },
    /// A lower limit above the upper one, or a limit that is NaN.
    #[error("clamp range {min} to {max} is empty: give min <= max")]
    ClampRange {
        /// Lower limit.
        min: f64,
        /// Upper limit.
        max: f64,
    },
    /// The step gave values that are not finite; nothing was changed.
    #[error("numerical instability, the step was discarded: {0}")]
    Unstable(Instability),
}

/// Accepts a field of finite cells, of the expected shape if there is one.
pub(crate) fn check_field(
    name: &'static str,
    field: ArrayView2<'_, f64>,
    expected: Option<(usize, usize)>,
) -> Result<(), OperatorError> {
    let (rows, columns) = field.dim();
    if field.is_empty() {
        return Err(OperatorError::Empty { name, rows, columns });
    }
    if let Some((expected_rows, expected_columns)) = expected
        && (rows, columns) != (expected_rows, expected_columns)
    {
        return Err(OperatorError::Shape { name, rows, columns, expected_rows, expected_columns });
    }
    match field.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, column), &value)) => Err(OperatorError::NotFinite { name, row, column, value }),
        None => Ok(()),
    }
}

/// The five-point Laplacian with unit spacing, in the unit of the field.
///
/// # Errors
/// [`OperatorError::Empty`] or [`OperatorError::NotFinite`].
pub fn laplacian(
    field: ArrayView2<'_, f64>,
    boundary: BoundaryCondition,
) -> Result<Array2<f64>, OperatorError> {
    check_field("field", field, None)?;
    let cells: Vec<f64> = field.iter().copied().collect();
    let zeros = vec![0.0; field.ncols()];
    let mut result = Array2::zeros(field.dim());
    for (index, mut out) in result.rows_mut().into_iter().enumerate() {
        let row = Row::of(&cells, field.ncols(), index, &zeros, boundary);
        for (at, window) in row.windows(0..field.ncols()) {
            for column in at.clone() {
                out[column] = window.laplacian(column - at.start);
            }
        }
    }
    Ok(result)
}

/// The two components of a gradient, in the unit of the field per cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Change along a row, from column to column.
    pub along_columns: Array2<f64>,
    /// Change along a column, from row to row.
    pub along_rows: Array2<f64>,
}

/// The gradient with unit spacing: central differences, one-sided ones at the edges of a grid
/// that does not wrap. With a Neumann boundary the edge is one-sided as well, as in MFN 4.1,
/// not 0.
///
/// # Errors
/// [`OperatorError::Empty`] or [`OperatorError::NotFinite`].
pub fn gradient(field: ArrayView2<'_, f64>, boundary: BoundaryCondition) -> Result<Gradient, OperatorError> {
    check_field("field", field, None)?;
    let (rows, columns) = field.dim();
    let difference = |count: usize, at: usize, value: &dyn Fn(usize) -> f64| {
        let wraps = boundary == BoundaryCondition::Periodic;
        if wraps {
            (value((at + 1) % count) - value((at + count - 1) % count)) / 2.0
        } else if count == 1 {
            0.0
        } else if at == 0 {
            value(1) - value(0)
        } else if at + 1 == count {
            value(at) - value(at - 1)
        } else {
            (value(at + 1) - value(at - 1)) / 2.0
        }
    };
    Ok(Gradient {
        along_columns: Array2::from_shape_fn(field.dim(), |(row, column)| {
            difference(columns, column, &|other| field[[row, other]])
        }),
        along_rows: Array2::from_shape_fn(field.dim(), |(row, column)| {
            difference(rows, row, &|other| field[[other, column]])
        }),
    })
}

/// Summary numbers of a field, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldStatistics {
    /// Lowest cell.
    pub min: f64,
    /// Highest cell.
    pub max: f64,
    /// Mean of the cells.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
    /// Cells that are NaN.
    pub nan_count: u64,
    /// Cells that are infinite.
    pub inf_count: u64,
    /// Share of finite cells; NaN for an empty field.
    pub finite_fraction: f64,
}

/// Summary numbers of a field. NaN in a cell makes `min` to `std` NaN; so does an empty field.
#[must_use]
pub fn statistics(field: ArrayView2<'_, f64>) -> FieldStatistics {
    let summary = Summary::of(field, 1.0);
    let count = |what: fn(f64) -> bool| field.iter().filter(|&&value| what(value)).count();
    let [nan_count, inf_count] =
        if summary.sum_is_finite { [0, 0] } else { [count(f64::is_nan), count(f64::is_infinite)] };
    let finite = field.len() - nan_count - inf_count;
    FieldStatistics {
        min: summary.min,
        max: summary.max,
        mean: summary.mean,
        std: summary.deviation(),
        nan_count: nan_count as u64,
        inf_count: inf_count as u64,
        finite_fraction: finite as f64 / field.len() as f64,
    }
}

/// Moves every cell into [`min`, `max`] in place and returns how many were outside. NaN cells
/// stay NaN and are not counted.
///
/// # Errors
/// [`OperatorError::ClampRange`]; the field is then unchanged.
pub fn clamp_field(mut field: ArrayViewMut2<'_, f64>, min: f64, max: f64) -> Result<u64, OperatorError> {
    let ordered = min <= max;
    if !ordered {
        return Err(OperatorError::ClampRange { min, max });
    }
    let mut outside = 0;
    field.mapv_inplace(|value| {
        outside += u64::from(value < min || value > max);
        clamp(value, min, max)
    });
    Ok(outside)
}
