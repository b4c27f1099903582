//! Field views: a grid of doubles where it lies, without a copy.
//!
//! A view is a pointer with a shape and two strides, so a host's own array is read in place whether it is
//! stored by rows, by columns, every second cell or upside down. A view that the library fills is lent: it
//! says at the function how long it lives. A view that the host gives is read during the call only.

use std::ffi::c_double;

use ndarray::{ArrayView2, Axis, CowArray, Ix2, ShapeBuilder};

use crate::argument;
use crate::error::Failure;
use crate::guard;

/// A grid of doubles that is read and not owned. Cell (r, c) is data[r * row_stride + c * col_stride].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_field_view {
    /// Cell (0, 0).
    pub data: *const c_double,
    /// Number of rows, at least 1.
    pub rows: usize,
    /// Number of columns, at least 1.
    pub cols: usize,
    /// Distance from a row to the next, in doubles; may be negative.
    pub row_stride: isize,
    /// Distance from a column to the next, in doubles; may be negative.
    pub col_stride: isize,
}

impl mfn_field_view {
    /// Lends a contiguous field of the library's own.
    pub(crate) fn lend(field: ArrayView2<'_, f64>) -> Self {
        let [row_stride, col_stride] = [field.strides()[0], field.strides()[1]];
        Self { data: field.as_ptr(), rows: field.nrows(), cols: field.ncols(), row_stride, col_stride }
    }

    /// Lends a field of a run where it lies.
    pub(crate) fn lend_in_place(field: &CowArray<'_, f64, Ix2>) -> Result<Self, Failure> {
        if field.is_view() {
            return Ok(Self::lend(field.view()));
        }
        Err(Failure::invalid(
            "the simulation computes in single precision: use the function that ends in _f32",
        ))
    }
}

/// The view of a row-major array without gaps: strides cols and 1. [any-thread]
#[unsafe(no_mangle)]
pub extern "C" fn mfn_field_rows(data: *const c_double, rows: usize, cols: usize) -> mfn_field_view {
    guard::value(mfn_field_view { data, rows: 0, cols: 0, row_stride: 0, col_stride: 1 }, || {
        // A shape that does not fit is refused where the view is used.
        mfn_field_view { data, rows, cols, row_stride: cols.cast_signed(), col_stride: 1 }
    })
}

/// Checks a view from C and borrows its cells for the length of the call.
pub(crate) fn borrow<'a>(name: &str, view: *const mfn_field_view) -> Result<ArrayView2<'a, f64>, Failure> {
    argument::check(name, view)?;
    // SAFETY: not NULL and aligned; the caller promises a view that lives during the call.
    let view = unsafe { view.read() };
    argument::check(&format!("{name}.data"), view.data)?;
    for (axis, length) in [("rows", view.rows), ("cols", view.cols)] {
        if length == 0 || length > isize::MAX as usize {
            return Err(Failure::invalid(format!(
                "{name}.{axis} = {length}: give a number of at least 1 that fits into memory"
            )));
        }
    }
    let row_reach = reach(name, "row_stride", view.row_stride, view.rows, view.cols)?;
    let col_reach = reach(name, "col_stride", view.col_stride, view.cols, 1)?;
    let too_large = || {
        Failure::invalid(format!(
            "{name}: {} x {} cells with strides {} and {} reach beyond what memory can hold",
            view.rows, view.cols, view.row_stride, view.col_stride
        ))
    };
    // In doubles: how far the lowest and the highest cell lie from cell (0, 0).
    let below = row_reach.min(0).checked_add(col_reach.min(0)).ok_or_else(too_large)?;
    let above = row_reach.max(0).checked_add(col_reach.max(0)).ok_or_else(too_large)?;
    let cells = view.rows.checked_mul(view.cols).ok_or_else(too_large)?;
    let bytes_max = isize::MAX / 8;
    let span = above.checked_sub(below).ok_or_else(too_large)?;
    let address = view.data.addr() as u64;
    let first = address.checked_add_signed(below.checked_mul(8).ok_or_else(too_large)? as i64);
    let last = above.checked_mul(8).and_then(|bytes| address.checked_add_signed(bytes as i64));
    if span >= bytes_max
        || cells > bytes_max as usize
        || first.is_none_or(|first| first == 0)
        || last.is_none()
    {
        return Err(too_large());
    }
    // Along an axis of one cell any stride means the same, also one that no array can have.
    let stride = |length: usize, stride: isize| if length == 1 { 1 } else { stride.unsigned_abs() };
    let strides = (stride(view.rows, view.row_stride), stride(view.cols, view.col_stride));
    // SAFETY: the address computation stays inside the address space, as checked above, and inside the
    // caller's array, as the caller promises.
    let lowest = unsafe { view.data.offset(below) };
    // SAFETY: aligned, not NULL; the strides are not negative after moving to the lowest cell, the shape
    // and reach fit into isize; the caller promises that all cells are readable during the call.
    let mut array = unsafe { ArrayView2::from_shape_ptr((view.rows, view.cols).strides(strides), lowest) };
    if view.row_stride < 0 {
        array.invert_axis(Axis(0));
    }
    if view.col_stride < 0 {
        array.invert_axis(Axis(1));
    }
    Ok(array)
}

/// How far the last index of an axis lies from the first, in doubles.
fn reach(name: &str, field: &str, stride: isize, length: usize, usual: usize) -> Result<isize, Failure> {
    if stride == 0 && length > 1 {
        return Err(Failure::invalid(format!(
            "{name}.{field} = 0: all {length} would be the same cells; a row-major array has {usual} here"
        )));
    }
    length
        .checked_sub(1)
        .and_then(|steps| isize::try_from(steps).ok())
        .and_then(|steps| steps.checked_mul(stride))
        .ok_or_else(|| Failure::invalid(format!("{name}.{field} = {stride}: {length} such steps overflow")))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Guards the zero-copy promise: every layout is read in place and gives the same cells.
    #[test]
    fn strides_of_either_sign_reach_the_same_cells() {
        let cells: Vec<f64> = (0..12).map(f64::from).collect();
        let rows = mfn_field_rows(cells.as_ptr(), 3, 4);
        let upright = borrow("field", &raw const rows).unwrap();
        assert_eq!(upright, ndarray::Array2::from_shape_vec((3, 4), cells.clone()).unwrap());
        let turned =
            mfn_field_view { data: &raw const cells[11], rows: 4, cols: 3, row_stride: -1, col_stride: -4 };
        let turned = borrow("field", &raw const turned).unwrap();
        assert_eq!(turned[[0, 0]], 11.0);
        assert_eq!(turned[[3, 2]], 0.0);
        assert_eq!(turned[[1, 0]], 10.0);
        assert_eq!(turned[[0, 1]], 7.0);
    }

    // Guards against reads beyond the address space for shapes no array can have.
    #[test]
    fn impossible_shapes_and_strides_are_refused() {
        let cell = 0.0_f64;
        let good = mfn_field_rows(&raw const cell, 1, 1);
        assert!(borrow("field", &raw const good).is_ok());
        let max = isize::MAX;
        for (rows, cols, row_stride, col_stride) in [
            (0, 1, 1, 1),
            (1, 0, 1, 1),
            (usize::MAX, 1, 1, 1),
            (2, 2, 0, 1),
            (2, 2, 2, 0),
            (max as usize, 2, 1, 1),
            (2, 2, max, max),
            (2, 2, isize::MIN, 1),
            (2, 2, isize::MIN, isize::MIN),
            (3, 3, max / 8, 1),
            (1 << 31, 1 << 33, 1, 1),
            (2, 1 << 61, 1, -1),
        ] {
            let view = mfn_field_view { data: &raw const cell, rows, cols, row_stride, col_stride };
            let refused = borrow("field", &raw const view);
            assert!(refused.is_err(), "{rows} x {cols}, strides {row_stride}, {col_stride}");
        }
    }
}
