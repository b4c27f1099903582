//! Fields in files: NPY arrays in and out, pictures out.

use std::{io::ErrorKind, path::Path};

use mfn_runtime::{
    npy::{self, NpyError},
    picture::{self, PictureOptions},
};
use ndarray::{Array2, ArrayView2};

use crate::{failure::Failure, staging};

/// Reads a two-dimensional array.
pub(crate) fn read(path: &Path) -> Result<Array2<f64>, Failure> {
    npy::read(path).map_err(|error| match &error {
        NpyError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            Failure::usage(error.to_string(), "check the path; relative paths start here")
        }
        NpyError::Io { .. } => Failure::work(error.to_string(), "check that you may read the file"),
        NpyError::File { .. } => Failure::usage(error.to_string(), "name an NPY file with one field"),
        _ => Failure::work(
            format!("{}: {error}", path.display()),
            "save the field again, for example with numpy.save: rows and columns of float64, in volts",
        ),
    })
}

/// Draws a field into a new file at `path`.
pub(crate) fn draw(path: &Path, volts: ArrayView2<'_, f64>) -> Result<(), Failure> {
    picture::write_png(path, volts, &PictureOptions::default()).map_err(|error| Failure::writing(path, error))
}

/// Draws a field into a file that appears whole or not at all.
pub(crate) fn draw_whole(place: &Path, volts: ArrayView2<'_, f64>) -> Result<(), Failure> {
    staging::write_whole(place, |path| draw(path, volts))
}
