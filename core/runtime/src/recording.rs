//! A plane of a run recorded into an NPY file while the run goes on.
//!
//! The frames go to `NAME.partial` beside the place of the file, one at a time, in memory of one write
//! buffer. When the recording is complete its header names all frames, the file is made durable, and only
//! then has it its name: what stands under the name is whole. What a crash leaves is `NAME.partial`, which
//! [`FileRecorder::resume`] continues from any frame that is wholly there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use mfn_sim::record::Plane;
use mfn_sim::{Frame, Precision, Spec};

use crate::durable;
use crate::npy::stack::{FrameShape, StackError, StackWriter};
use crate::npy::{Element, NpyError};

/// Records one plane of a run into a file.
///
/// Dropping it leaves the partial file.
#[derive(Debug)]
pub struct FileRecorder {
    place: PathBuf,
    partial: PathBuf,
    plane: Plane,
    writer: StackWriter,
}

impl FileRecorder {
    /// Begins a recording for runs of a specification, in its precision. A partial file that an earlier
    /// recording left is replaced; a complete one at `place` stays until this one is complete.
    ///
    /// # Errors
    /// [`StackError`] when the file can not be written.
    pub fn create(place: &Path, spec: &Spec, plane: Plane) -> Result<Self, StackError> {
        let partial = partial_path(place);
        let writer = StackWriter::create(&partial, frame_shape(spec))?;
        Ok(Self { place: place.to_owned(), partial, plane, writer })
    }

    /// Continues the recording that a run left, behind its first `frames` frames; later ones are dropped. A
    /// run that goes on from a checkpoint of step s has `s / record_every` frames behind it.
    ///
    /// # Errors
    /// [`StackError`] when the partial file is not there, is no recording of such frames, or has fewer; it
    /// is then unchanged.
    pub fn resume(place: &Path, spec: &Spec, plane: Plane, frames: u64) -> Result<Self, StackError> {
        let partial = partial_path(place);
        let writer = StackWriter::resume(&partial, frame_shape(spec), frames)?;
        Ok(Self { place: place.to_owned(), partial, plane, writer })
    }

    /// The plane that is recorded.
    #[must_use]
    pub fn plane(&self) -> Plane {
        self.plane
    }

    /// Whole frames recorded.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.writer.frames()
    }

    /// Adds the plane of a frame, in the precision of its run.
    ///
    /// # Errors
    /// As [`StackWriter::push`].
    pub fn record(&mut self, frame: &Frame<'_>) -> Result<(), StackError> {
        match self.plane.of_f32(frame.simulation) {
            Some(cells) => self.writer.push(cells),
            None => self.writer.push(self.plane.of(frame.simulation).view()),
        }
    }

    /// Makes the frames so far durable in the partial file, for example before a checkpoint that counts on
    /// them.
    ///
    /// # Errors
    /// [`StackError::File`] when that fails.
    pub fn sync(&mut self) -> Result<(), StackError> {
        self.writer.sync()
    }

    /// Completes the recording: the file has its name, replacing what stood there.
    ///
    /// # Errors
    /// [`StackError`] when that fails; the partial file is then left.
    pub fn finish(self) -> Result<PathBuf, StackError> {
        let Self { place, partial, mut writer, .. } = self;
        writer.complete()?;
        drop(writer);
        durable::rename(&partial, &place)
            .map_err(|source| NpyError::Io { path: place.display().to_string(), source })?;
        Ok(place)
    }

    /// Gives the recording up and removes the partial file.
    ///
    /// # Errors
    /// [`StackError::File`] when it can not be removed.
    pub fn discard(self) -> Result<(), StackError> {
        let Self { partial, writer, .. } = self;
        drop(writer);
        let io = |source| NpyError::Io { path: partial.display().to_string(), source };
        Ok(std::fs::remove_file(&partial).map_err(io)?)
    }
}

/// Where a recording is until it is complete: the name with `.partial` behind it.
#[must_use]
pub fn partial_path(place: &Path) -> PathBuf {
    let mut name = OsString::from(place);
    name.push(".partial");
    PathBuf::from(name)
}

fn frame_shape(spec: &Spec) -> FrameShape {
    let element = match spec.precision {
        Precision::F32 => Element::F32,
        Precision::F64 => Element::F64,
    };
    FrameShape { rows: spec.rows(), columns: spec.cols(), element }
}
