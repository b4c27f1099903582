//! Grid operators: Laplacian, gradient and summary numbers of a host's own field.
//!
//! Fields have any shape and any strides and are read in place; results are written row by row. Spacing is one cell.

use std::ffi::c_double;

use ::mfn_sim::BoundaryCondition;
use ::mfn_sim::operators::{self, OperatorError};

use crate::aggregation::outputs;
use crate::argument::{SizedSlot, sized32};
use crate::error::{Failure, mfn_error};
use crate::field::{self, mfn_field_view};
use crate::guard;
use crate::spec::{MFN_BOUNDARY_DIRICHLET, MFN_BOUNDARY_NEUMANN, MFN_BOUNDARY_PERIODIC};
use crate::status::{MFN_INVALID, mfn_status};

/// Summary numbers of a field, in its unit. Set struct_size before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_field_statistics {
    /// sizeof(mfn_field_statistics).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Lowest cell; NaN when a cell is NaN.
    pub min: c_double,
    /// Highest cell; NaN when a cell is NaN.
    pub max: c_double,
    /// Mean of the cells.
    pub mean: c_double,
    /// Population standard deviation.
    pub std: c_double,
    /// Cells that are NaN.
    pub nan_count: u64,
    /// Cells that are infinite.
    pub inf_count: u64,
    /// Share of finite cells.
    pub finite_fraction: c_double,
}

sized32! { mfn_field_statistics = 64; }

impl From<OperatorError> for Failure {
    fn from(error: OperatorError) -> Self {
        Self::from_error(MFN_INVALID, &error)
    }
}

fn read_boundary(boundary: i32) -> Result<BoundaryCondition, Failure> {
    match boundary {
        MFN_BOUNDARY_PERIODIC => Ok(BoundaryCondition::Periodic),
        MFN_BOUNDARY_NEUMANN => Ok(BoundaryCondition::Neumann),
        MFN_BOUNDARY_DIRICHLET => Ok(BoundaryCondition::Dirichlet),
        other => {
            Err(Failure::invalid(format!("boundary = {other}: give one of the MFN_BOUNDARY_* constants")))
        }
    }
}

/// Computes the five-point Laplacian of a field, in its unit per cell^2. boundary is one of the MFN_BOUNDARY_* constants.
/// laplacian has room for cell_count = rows * cols numbers. MFN_INVALID names the first cell that is NaN or infinite.
/// The field is read during the call only; laplacian belongs to the host and may be the field's own array. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_field_laplacian(
    field: *const mfn_field_view,
    boundary: i32,
    laplacian: *mut c_double,
    cell_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let field = field::borrow("field", field)?;
        let places = outputs("laplacian", laplacian, cell_count, field.len())?;
        let result = operators::laplacian(field, read_boundary(boundary)?)?;
        places.zip(result).for_each(|(slot, value)| slot.write(value));
        Ok(())
    })
}

/// Computes the gradient of a field, in its unit per cell: central differences, one-sided ones at edges that do not wrap.
/// along_rows becomes the change from row to row, along_columns that from column to column; each has room for
/// cell_count = rows * cols numbers. Otherwise as mfn_field_laplacian(). What is written belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_field_gradient(
    field: *const mfn_field_view,
    boundary: i32,
    along_rows: *mut c_double,
    along_columns: *mut c_double,
    cell_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let field = field::borrow("field", field)?;
        let row_places = outputs("along_rows", along_rows, cell_count, field.len())?;
        let column_places = outputs("along_columns", along_columns, cell_count, field.len())?;
        let result = operators::gradient(field, read_boundary(boundary)?)?;
        row_places.zip(result.along_rows).for_each(|(slot, value)| slot.write(value));
        column_places.zip(result.along_columns).for_each(|(slot, value)| slot.write(value));
        Ok(())
    })
}

/// Computes summary numbers of a field, whose cells may be NaN or infinite. The field is read during the call only;
/// statistics belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_field_summarise(
    field: *const mfn_field_view,
    statistics: *mut mfn_field_statistics,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = SizedSlot::new("statistics", statistics)?;
        let found = operators::statistics(field::borrow("field", field)?);
        slot.write(&mfn_field_statistics {
            struct_size: 0,
            reserved: 0,
            min: found.min,
            max: found.max,
            mean: found.mean,
            std: found.std,
            nan_count: found.nan_count,
            inf_count: found.inf_count,
            finite_fraction: found.finite_fraction,
        });
        Ok(())
    })
}
