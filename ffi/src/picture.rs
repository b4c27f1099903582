//! Pictures: a field of potentials as a PNG with a perceptual colour map and a scale in millivolts.

use std::ffi::{c_char, c_double};
use std::path::Path;

use ::mfn_runtime::picture::{PictureError, PictureOptions, write_png};

use crate::argument::{self, SizedSlot, read_sized, sized32};
use crate::error::{Failure, mfn_error};
use crate::field::{self, mfn_field_view};
use crate::guard;
use crate::status::{MFN_INVALID, MFN_IO, mfn_status};

/// How a picture is drawn. Fill it with mfn_picture_options_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_picture_options {
    /// sizeof(mfn_picture_options).
    pub struct_size: u32,
    /// Small fields are enlarged up to this length of their longer side, pixels.
    pub side_px: u32,
    /// The line above the field, or NULL for none. Characters that are not ASCII become "?".
    pub title: *const c_char,
    /// Potential at the lower end of the colour map, mV. NaN in both: the range of the field.
    pub range_low_mv: c_double,
    /// Potential at the upper end of the colour map, mV.
    pub range_high_mv: c_double,
}

sized32! { mfn_picture_options = 32; }

impl From<PictureError> for Failure {
    fn from(error: PictureError) -> Self {
        let status = if matches!(error, PictureError::Io { .. }) { MFN_IO } else { MFN_INVALID };
        Self::from_error(status, &error)
    }
}

/// Fills picture options with the defaults: no title, the range of the field, 512 pixels. struct_size is
/// sizeof(mfn_picture_options). options belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_picture_options_init(
    options: *mut mfn_picture_options,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        SizedSlot::of_size("options", options, struct_size)?.write(&mfn_picture_options {
            struct_size: 0,
            side_px: u32::try_from(PictureOptions::default().side_px).unwrap_or(u32::MAX),
            title: std::ptr::null(),
            range_low_mv: f64::NAN,
            range_high_mv: f64::NAN,
        });
        Ok(())
    })
}

/// Draws a field in volts, row 0 on top, and writes it as a PNG file, replacing what is there. options may
/// be NULL for the defaults. MFN_IO: the file can not be written. Nothing changes hands. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_picture_write(
    path: *const c_char,
    field: *const mfn_field_view,
    options: *const mfn_picture_options,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let path = Path::new(argument::text("path", path)?);
        let field = field::borrow("field", field)?;
        let options = if options.is_null() { PictureOptions::default() } else { read_options(options)? };
        Ok(write_png(path, field, &options)?)
    })
}

fn read_options(options: *const mfn_picture_options) -> Result<PictureOptions, Failure> {
    let given = read_sized("options", options)?;
    let range = (given.range_low_mv, given.range_high_mv);
    Ok(PictureOptions {
        title: argument::optional_text("options.title", given.title)?.map(str::to_owned),
        range_mv: (!range.0.is_nan() || !range.1.is_nan()).then_some(range),
        side_px: given.side_px as usize,
    })
}
