//! Fields in files: NPY arrays in, pictures out.

use std::{io::ErrorKind, path::Path};

use mfn_runtime::{
    codec,
    npy::{self, NpyError},
    picture::{self, PictureOptions},
};
use ndarray::{Array2, ArrayView2};

use crate::failure::Failure;

/// Reads a field: a two-dimensional array of finite numbers, as pipelines take it.
pub(crate) fn read(path: &Path) -> Result<Array2<f64>, Failure> {
    let field = read_array(path, "rows and columns of float64, in volts")?;
    codec::check_finite(field.view()).map_err(|error| {
        Failure::work(format!("{}: {error}", path.display()), "replace the cell, or analyse another field")
    })?;
    Ok(field)
}

/// Reads a two-dimensional array. `content` says what it should hold.
pub(crate) fn read_array(path: &Path, content: &str) -> Result<Array2<f64>, Failure> {
    npy::read(path).map_err(|error| match &error {
        NpyError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            Failure::usage(error.to_string(), "check the path; relative paths start here")
        }
        NpyError::Io { .. } => Failure::work(error.to_string(), "check that you may read the file"),
        NpyError::File { .. } => Failure::usage(error.to_string(), "name an NPY file with one array"),
        _ => Failure::work(
            format!("{}: {error}", path.display()),
            format!("save it again, for example with numpy.save: {content}"),
        ),
    })
}

/// Draws a field as the bytes of a PNG file. `name` is what errors call the field.
pub(crate) fn png(name: &str, volts: ArrayView2<'_, f64>) -> Result<Vec<u8>, Failure> {
    picture::encode_png(volts, &PictureOptions::default()).map_err(|error| {
        Failure::work(format!("{name} can not be drawn: {error}"), "leave out --png or give another field")
    })
}
